package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveFinding stores what another tool found. The same finding again, while it
// stands, is no other one: nothing is written, and it returns true. One that
// was cleared stands again.
func (db *DB) SaveFinding(ctx context.Context, f lifecycle.Finding, e lifecycle.AuditEvent, next ...lifecycle.Job) (bool, error) {
	err := db.write(ctx, one(e), next, func(t *tx) error {
		was, err := t.lockFinding(ctx, f.ID)
		switch {
		case errors.Is(err, lifecycle.ErrNotFound):
			return t.insertFinding(ctx, f)
		case err != nil:
			return err
		case was.ClearedAt.IsZero():
			return errUnchanged
		default:
			return t.updateFinding(ctx, was, f)
		}
	})
	if errors.Is(err, errUnchanged) {
		return true, nil
	}
	return false, err
}

// KeepFinding stores r and the exception x that it grants, in one transaction.
// It fails as SaveRequest does.
func (db *DB) KeepFinding(ctx context.Context, r lifecycle.Request, x lifecycle.Exception, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.saveRequest(ctx, r); err != nil {
			return err
		}
		if err := t.insertException(ctx, x); err != nil {
			return err
		}
		return t.changeFinding(ctx, x.Finding, func(f *lifecycle.Finding) { f.Exception = x.ID })
	})
}

func (t *tx) insertException(ctx context.Context, x lifecycle.Exception) error {
	row, err := exceptionRow(x)
	if err != nil {
		return err
	}
	n, err := t.q.InsertException(ctx, q.InsertExceptionParams(row))
	if err != nil {
		return fmt.Errorf("insert exception: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("exception %s stands already: %w", x.ID, lifecycle.ErrDuplicate)
	}
	t.wrote.add("exception", row.ID, row.Body)
	return nil
}

func (t *tx) lockFinding(ctx context.Context, id lifecycle.FindingID) (lifecycle.Finding, error) {
	f, err := load[lifecycle.Finding](t.q.LockFinding(ctx, text(id)))
	if err != nil {
		return f, fmt.Errorf("lock finding %s: %w", id, err)
	}
	return f, nil
}

func (t *tx) changeFinding(ctx context.Context, id lifecycle.FindingID, change func(*lifecycle.Finding)) error {
	was, err := t.lockFinding(ctx, id)
	if err != nil {
		return err
	}
	is := was
	change(&is)
	return t.updateFinding(ctx, was, is)
}

func (t *tx) insertFinding(ctx context.Context, f lifecycle.Finding) error {
	row, err := findingRow(f)
	if err != nil {
		return err
	}
	n, err := t.q.InsertFinding(ctx, q.InsertFindingParams(row))
	if err != nil {
		return fmt.Errorf("insert finding: %w", err)
	}
	if n == 0 { // somebody else stored it since we looked
		return fmt.Errorf("finding %s: %w", f.ID, lifecycle.ErrConflict)
	}
	t.wrote.add("finding", row.ID, row.Body)
	return nil
}

// updateFinding writes nothing when nothing is different.
func (t *tx) updateFinding(ctx context.Context, was, is lifecycle.Finding) error {
	before, err := encode(was)
	if err != nil {
		return err
	}
	row, err := findingRow(is)
	if err != nil || row.Body == before {
		return err
	}
	if err := t.q.UpdateFinding(ctx, q.UpdateFindingParams(row)); err != nil {
		return fmt.Errorf("update finding: %w", err)
	}
	t.wrote.add("finding", row.ID, row.Body)
	return nil
}

func findingRow(f lifecycle.Finding) (q.Finding, error) {
	body, err := encode(f)
	return q.Finding{ID: string(f.ID), Cleared: !f.ClearedAt.IsZero(), Body: body}, err
}

func exceptionRow(x lifecycle.Exception) (q.Exception, error) {
	body, err := encode(x)
	return q.Exception{ID: string(x.ID), Ends: micros(x.Until), Body: body}, err
}

// Finding returns the finding, cleared or not, or lifecycle.ErrNotFound.
func (db *DB) Finding(ctx context.Context, id lifecycle.FindingID) (lifecycle.Finding, error) {
	return load[lifecycle.Finding](db.read.Finding(ctx, text(id)))
}

// Exception returns the exception, ended or not, or lifecycle.ErrNotFound.
func (db *DB) Exception(ctx context.Context, id lifecycle.ExceptionID) (lifecycle.Exception, error) {
	x, err := load[lifecycle.Exception](db.read.Exception(ctx, string(id)))
	if err != nil {
		return x, fmt.Errorf("load exception %s: %w", id, err)
	}
	return x, nil
}

// Findings returns the findings that are not cleared, and the exceptions that
// have not ended at t.
func (db *DB) Findings(ctx context.Context, t time.Time) ([]lifecycle.Finding, []lifecycle.Exception, error) {
	open, err := loadAll[lifecycle.Finding](db.read.OpenFindings(ctx))
	if err != nil {
		return nil, nil, fmt.Errorf("list open findings: %w", err)
	}
	exceptions, err := loadAll[lifecycle.Exception](db.read.StandingExceptions(ctx, micros(t)))
	if err != nil {
		return nil, nil, fmt.Errorf("list standing exceptions: %w", err)
	}
	return open, exceptions, nil
}
