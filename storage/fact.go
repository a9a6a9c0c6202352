package storage

import (
	"context"
	"fmt"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveFact stores f and returns its id. Where (f.Source, f.EventID) stands
// already it writes nothing, not even the audit line, and returns the id that
// stands, and true. Those who call at once share a commit. One whose ctx ends
// while it waits gets that error, and f may be kept all the same.
func (db *DB) SaveFact(ctx context.Context, f lifecycle.Fact, e lifecycle.AuditEvent, next ...lifecycle.Job) (lifecycle.NoticeID, bool, error) {
	row, err := factRow(f)
	if err != nil {
		return "", false, err
	}
	s := &factSaving{row: row, event: e, next: next, urgent: urgent(f)}
	err = db.saveTogether(ctx, s)
	if err == nil && s.standing != "" {
		return s.standing, true, nil
	}
	return f.ID, false, err
}

// factSaving is a fact on its way into the database.
type factSaving struct {
	row      q.Fact
	event    lifecycle.AuditEvent
	next     []lifecycle.Job
	urgent   bool
	standing lifecycle.NoticeID // where the source has said this before
}

// urgent reports whether somebody may be about to lose access at once.
func urgent(f lifecycle.Fact) bool { return f.Urgent || f.Kind == lifecycle.FactDisabled }

func (s *factSaving) key() string { return "fact " + s.row.Source + " " + s.row.EventID }

// save inserts the fact, and leaves its line and its jobs in t, or finds the
// fact that stands. That may be one of the same transaction.
func (s *factSaving) save(ctx context.Context, t *tx) error {
	s.standing = ""
	fresh, err := t.insertFact(ctx, s.row, s.event)
	if err != nil {
		return err
	}
	if fresh {
		t.first[s.row.ID] = s.urgent
		t.next = append(t.next, s.next...)
		return nil
	}
	id, err := t.q.StandingFact(ctx, q.StandingFactParams{Source: s.row.Source, EventID: s.row.EventID})
	if err != nil {
		return fmt.Errorf("look up the fact that stands: %w", err)
	}
	s.standing = lifecycle.NoticeID(id)
	return nil
}

// insertFact inserts the fact, and leaves its line in t, or returns false where
// the source has said this before.
func (t *tx) insertFact(ctx context.Context, row q.Fact, e lifecycle.AuditEvent) (bool, error) {
	n, err := t.q.InsertFact(ctx, q.InsertFactParams(row))
	if err != nil {
		return false, fmt.Errorf("insert fact: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	rows := records{}
	rows.add("fact", row.ID, row.Body)
	t.lines = append(t.lines, entry{e, rows})
	return true, nil
}

func factRow(f lifecycle.Fact) (q.Fact, error) {
	body, err := encode(f)
	return q.Fact{ID: string(f.ID), Source: text(f.Source), EventID: text(f.EventID), Body: body}, err
}

// Fact returns the fact, or lifecycle.ErrNotFound.
func (db *DB) Fact(ctx context.Context, id lifecycle.NoticeID) (lifecycle.Fact, error) {
	return load[lifecycle.Fact](db.read.Fact(ctx, text(id)))
}
