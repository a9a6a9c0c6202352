package storage

import (
	"context"
	"errors"
	"fmt"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveFact stores f and returns its id. Where (f.Source, f.EventID) stands
// already it writes nothing, not even the audit line, and returns the id that
// stands, and true.
func (db *DB) SaveFact(ctx context.Context, f lifecycle.Fact, e lifecycle.AuditEvent, next ...lifecycle.Job) (lifecycle.NoticeID, bool, error) {
	row, err := factRow(f)
	if err != nil {
		return "", false, err
	}
	standing := ""
	err = db.write(ctx, one(e), next, func(t *tx) error {
		n, err := t.q.InsertFact(ctx, q.InsertFactParams(row))
		if err != nil {
			return fmt.Errorf("insert fact: %w", err)
		}
		if n == 1 {
			t.wrote.add("fact", row.ID, row.Body)
			return nil
		}
		if standing, err = t.q.StandingFact(ctx, q.StandingFactParams{Source: row.Source, EventID: row.EventID}); err != nil {
			return fmt.Errorf("look up the fact that stands: %w", err)
		}
		return errUnchanged
	})
	if errors.Is(err, errUnchanged) {
		return lifecycle.NoticeID(standing), true, nil
	}
	return f.ID, false, err
}

func factRow(f lifecycle.Fact) (q.Fact, error) {
	body, err := encode(f)
	return q.Fact{ID: string(f.ID), Source: text(f.Source), EventID: text(f.EventID), Body: body}, err
}

// Fact returns the fact, or lifecycle.ErrNotFound.
func (db *DB) Fact(ctx context.Context, id lifecycle.NoticeID) (lifecycle.Fact, error) {
	return load[lifecycle.Fact](db.read.Fact(ctx, text(id)))
}
