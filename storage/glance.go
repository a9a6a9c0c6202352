package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/lifecycle"
)

const markGlance = "glance"

// SaveGlance stores the findings, what the accounts that are named held, and
// when that was, in one transaction, with all of g.Events. The last of them
// vouches for every row that is different from before. It is
// lifecycle.ErrConflict, and nothing is stored, when a whole roll call later
// than the glance is stored, or when a finding was settled otherwise since.
func (db *DB) SaveGlance(ctx context.Context, g lifecycle.Glance, next ...lifecycle.Job) error {
	if g.Until.IsZero() {
		return errors.New("save glance: it does not say when it was")
	}
	return db.write(ctx, g.Events, next, func(t *tx) error {
		if err := t.notSince(ctx, g.Until); err != nil {
			return err
		}
		if err := t.glanced(ctx, g.Until); err != nil {
			return err
		}
		if err := t.saveFindings(ctx, g.Open, g.Cleared, look{g.Until, db.now()}); err != nil {
			return err
		}
		return t.mendBaseline(ctx, g)
	})
}

// notSince returns lifecycle.ErrConflict when a whole roll call later than at
// is stored. One that is being stored waits, or is waited for.
func (t *tx) notSince(ctx context.Context, at time.Time) error {
	last, err := t.lockMark(ctx, markRollCall)
	if err == nil && last.After(at) {
		return fmt.Errorf("a whole roll call of %s is later than the glance: %w", last, lifecycle.ErrConflict)
	}
	return err
}

// glanced moves the mark forward, and never back.
func (t *tx) glanced(ctx context.Context, at time.Time) error {
	last, err := t.lockMark(ctx, markGlance)
	if err != nil || last.After(at) {
		return err
	}
	return t.saveMark(ctx, markGlance, at)
}

// mendBaseline puts the accounts of the glance in the place of what the
// baseline has of them, except where something newer is known.
func (t *tx) mendBaseline(ctx context.Context, g lifecycle.Glance) error {
	put := func(h held) error {
		was, err := t.account(ctx, h.ID)
		if err != nil {
			return err
		}
		return t.see(ctx, was, h)
	}
	for i := range g.Accounts {
		if err := put(held{ID: g.Accounts[i].ID, Seen: g.Until, Held: &g.Accounts[i]}); err != nil {
			return err
		}
	}
	for _, id := range g.Gone {
		if err := put(held{ID: id, Seen: g.Until}); err != nil {
			return err
		}
	}
	return nil
}

// Glanced returns when the last glance that was stored was, or the zero time.
func (db *DB) Glanced(ctx context.Context) (time.Time, error) { return db.mark(ctx, markGlance) }
