package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/lifecycle"
)

const markRollCall = "rollcall"

// SaveRollCall stores the findings that stand and those that are cleared, and
// what every account held, in one transaction, with all of r.Events. The last
// of them vouches for every row that is different from before.
func (db *DB) SaveRollCall(ctx context.Context, r lifecycle.RollResult, next ...lifecycle.Job) error {
	taken := r.Snapshot.TakenAt
	if taken.IsZero() {
		taken = db.now()
	}
	return db.write(ctx, r.Events, next, func(t *tx) error {
		if err := t.saveMark(ctx, markRollCall, taken); err != nil { // first, so that of two roll calls one waits here
			return err
		}
		if err := t.saveFindings(ctx, r, taken); err != nil {
			return err
		}
		return t.replaceBaseline(ctx, r.Snapshot.Accounts, taken)
	})
}

func (t *tx) saveFindings(ctx context.Context, r lifecycle.RollResult, taken time.Time) error {
	exceptions, err := t.exceptions(ctx, taken)
	if err != nil {
		return err
	}
	for _, list := range [][]lifecycle.Finding{r.Open, r.Cleared} {
		for _, f := range list {
			if err := t.saveFinding(ctx, f, exceptions, taken); err != nil {
				return fmt.Errorf("save finding %s: %w", f.ID, err)
			}
		}
	}
	return nil
}

func (t *tx) exceptions(ctx context.Context, at time.Time) (map[lifecycle.ExceptionID]lifecycle.Exception, error) {
	standing, err := loadAll[lifecycle.Exception](t.q.StandingExceptions(ctx, micros(at)))
	if err != nil {
		return nil, fmt.Errorf("list standing exceptions: %w", err)
	}
	byID := make(map[lifecycle.ExceptionID]lifecycle.Exception, len(standing))
	for _, x := range standing {
		byID[x.ID] = x
	}
	return byID, nil
}

// saveFinding stores f as a roll call left it. The roll call looked a while
// ago: a request that was opened, or an exception that was granted, about a
// standing finding in the meantime is kept.
func (t *tx) saveFinding(ctx context.Context, f lifecycle.Finding, exceptions map[lifecycle.ExceptionID]lifecycle.Exception, taken time.Time) error {
	was, err := t.lockFinding(ctx, f.ID)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return t.insertFinding(ctx, f)
	}
	if err != nil {
		return err
	}
	if was.ClearedAt.IsZero() {
		f.Request = was.Request
		if x, ok := exceptions[was.Exception]; ok && f.Exception == "" && x.Covers(f, taken) {
			f.Exception = x.ID
		}
	}
	return t.updateFinding(ctx, was, f)
}

// LastRollCall returns when the last whole roll call was, or the zero time.
func (db *DB) LastRollCall(ctx context.Context) (time.Time, error) { return db.mark(ctx, markRollCall) }
