package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveHold stores h, and the state of the removals as SaveRemovals does, in one
// transaction. It returns lifecycle.ErrConflict when h.Revision is not one more
// than the stored revision (1 for a new hold), or when another hold of that kind,
// source and policy stands.
func (db *DB) SaveHold(ctx context.Context, h lifecycle.Hold, removals []lifecycle.Removal, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	row, err := holdRow(h)
	if err != nil {
		return err
	}
	return db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.saveHold(ctx, row); err != nil {
			return err
		}
		return t.saveRemovals(ctx, removals)
	})
}

// SaveRemovals stores the state of the removals. One that is not queued any more
// is left as it is, unless it is held by the very hold that it names here: a
// judgement that was made before it was stopped does not let it go. It writes
// nothing, not even the audit line and the jobs, where all are left as they are,
// and returns lifecycle.ErrNotFound for one that was never noted.
func (db *DB) SaveRemovals(ctx context.Context, removals []lifecycle.Removal, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	err := db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.saveRemovals(ctx, removals); err != nil || len(t.wrote) > 0 {
			return err
		}
		return errUnchanged
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

func (t *tx) saveHold(ctx context.Context, row q.Hold) error {
	return t.put(revised{"hold", row.ID, row.Body, row.Revision, lifecycle.ErrConflict},
		func() (int64, error) { return t.q.InsertHold(ctx, q.InsertHoldParams(row)) },
		func() (int64, error) { return t.q.UpdateHold(ctx, q.UpdateHoldParams(row)) })
}

func (t *tx) saveRemovals(ctx context.Context, removals []lifecycle.Removal) error {
	for _, r := range removals {
		row, err := removalRow(r)
		if err != nil {
			return err
		}
		n, err := t.q.UpdateRemoval(ctx, q.UpdateRemovalParams(row))
		if err != nil {
			return fmt.Errorf("update removal %s: %w", r.Notice, err)
		}
		if n > 0 {
			t.wrote.add("removal", row.Notice, row.Body)
			continue
		}
		if _, err := load[lifecycle.Removal](t.q.Removal(ctx, row.Notice)); err != nil {
			return fmt.Errorf("load removal %s: %w", r.Notice, err)
		}
	}
	return nil
}

func (t *tx) insertRemoval(ctx context.Context, r lifecycle.Removal) error {
	row, err := removalRow(r)
	if err != nil {
		return err
	}
	if _, err := t.q.InsertRemoval(ctx, q.InsertRemovalParams(row)); err != nil {
		return fmt.Errorf("insert removal: %w", err)
	}
	t.wrote.add("removal", row.Notice, row.Body)
	return nil
}

func holdRow(h lifecycle.Hold) (q.Hold, error) {
	body, err := encode(h)
	return q.Hold{
		ID: text(h.ID), Kind: string(h.Kind), Source: text(h.Source), Policy: text(h.Policy),
		Open: h.Open(), Revision: int64(h.Revision), OpenedAt: micros(h.OpenedAt), Body: body,
	}, err
}

func removalRow(r lifecycle.Removal) (q.Removal, error) {
	body, err := encode(r)
	return q.Removal{Notice: text(r.Notice), Identity: text(r.Identity), State: string(r.State), Hold: text(r.Hold), At: micros(r.At), Body: body}, err
}

// Hold returns the hold, or lifecycle.ErrNotFound.
func (db *DB) Hold(ctx context.Context, id lifecycle.HoldID) (lifecycle.Hold, error) {
	return load[lifecycle.Hold](db.read.Hold(ctx, text(id)))
}

// Holds returns the holds that stand, the oldest first.
func (db *DB) Holds(ctx context.Context) ([]lifecycle.Hold, error) {
	return loadAll[lifecycle.Hold](db.read.OpenHolds(ctx))
}

// Removals returns the removals since then, of every state, the oldest first,
// and those that are queued or held whenever they were.
func (db *DB) Removals(ctx context.Context, since time.Time) ([]lifecycle.Removal, error) {
	return loadAll[lifecycle.Removal](db.read.RemovalsSince(ctx, micros(since)))
}

// RemovalsAbout returns every removal about the identity, of every state, the oldest first.
func (db *DB) RemovalsAbout(ctx context.Context, who lifecycle.IdentityID) ([]lifecycle.Removal, error) {
	return loadAll[lifecycle.Removal](db.read.RemovalsAbout(ctx, text(who)))
}

// RemovalsOf returns every removal that names the hold, of every state, the oldest first.
func (db *DB) RemovalsOf(ctx context.Context, hold lifecycle.HoldID) ([]lifecycle.Removal, error) {
	return loadAll[lifecycle.Removal](db.read.RemovalsOf(ctx, text(hold)))
}
