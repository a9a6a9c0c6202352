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
// of them vouches for every row that is different from before. It is
// lifecycle.ErrConflict, and nothing is stored, when a finding was settled
// otherwise, by a glance, after the snapshot was taken.
func (db *DB) SaveRollCall(ctx context.Context, r lifecycle.RollResult, next ...lifecycle.Job) error {
	taken := r.Snapshot.TakenAt
	if taken.IsZero() {
		taken = db.now()
	}
	return db.write(ctx, r.Events, next, func(t *tx) error {
		if err := t.saveMark(ctx, markRollCall, taken); err != nil { // first, so that of two roll calls one waits here
			return err
		}
		if err := t.saveFindings(ctx, r.Open, r.Cleared, look{taken, db.now()}); err != nil {
			return err
		}
		if err := t.saveTally(ctx, r, taken); err != nil {
			return err
		}
		return t.replaceBaseline(ctx, r.Snapshot.Accounts, taken)
	})
}

// look is when PagerDuty was looked at, and when what was seen is stored.
type look struct{ at, now time.Time }

// missed reports whether something of that moment came after the look. A moment
// that is still to come is nobody's but a wrong clock's.
func (l look) missed(moment time.Time) bool { return moment.After(l.at) && !moment.After(l.now) }

func (t *tx) saveFindings(ctx context.Context, open, cleared []lifecycle.Finding, l look) error {
	exceptions, err := t.exceptions(ctx, l.at)
	if err != nil {
		return err
	}
	for _, list := range [][]lifecycle.Finding{open, cleared} {
		for _, f := range list {
			if err := t.saveFinding(ctx, f, exceptions, l); err != nil {
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

// saveFinding stores f as a roll call or a glance left it. That looked a while
// ago: a request that was opened, an exception that was granted, or a name that
// was found, about a standing finding in the meantime is kept. It is
// lifecycle.ErrConflict when a finding that it takes for settled came up after
// it looked, or the other way round: then somebody is to look again.
func (t *tx) saveFinding(ctx context.Context, f lifecycle.Finding, exceptions map[lifecycle.ExceptionID]lifecycle.Exception, l look) error {
	was, err := t.lockFinding(ctx, f.ID)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return t.insertFinding(ctx, f)
	}
	if err != nil {
		return err
	}
	stood, stands := was.ClearedAt.IsZero(), f.ClearedAt.IsZero()
	switch {
	case stood && !stands && l.missed(was.Since):
		return fmt.Errorf("it came up at %s, after PagerDuty was looked at: %w", was.Since, lifecycle.ErrConflict)
	case !stood && stands && l.missed(was.ClearedAt):
		return fmt.Errorf("it was settled at %s, after PagerDuty was looked at: %w", was.ClearedAt, lifecycle.ErrConflict)
	case stood:
		f = known(was, f, exceptions, l.at)
	}
	return t.updateFinding(ctx, was, f)
}

// known returns f with what has become known about it, which stood as was.
func known(was, f lifecycle.Finding, exceptions map[lifecycle.ExceptionID]lifecycle.Exception, at time.Time) lifecycle.Finding {
	f.Request = was.Request
	if f.MadeBy == "" && f.From == was.From { // another role is of somebody else's making
		f.MadeBy = was.MadeBy
	}
	if was.Since.Before(f.Since) {
		f.Since = was.Since
	}
	if x, ok := exceptions[was.Exception]; ok && f.Exception == "" && x.Covers(f, at) {
		f.Exception = x.ID
	}
	return f
}

// LastRollCall returns when the last whole roll call was, or the zero time.
func (db *DB) LastRollCall(ctx context.Context) (time.Time, error) { return db.mark(ctx, markRollCall) }
