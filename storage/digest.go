package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// mark says when something that must not be missed was last done.
type mark struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

func markDigest(email string) string { return "digest/" + text(lifecycle.FoldEmail(email)) }

// SaveDigest notes that email's digest for at is done with.
func (db *DB) SaveDigest(ctx context.Context, email string, at time.Time, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(t *tx) error { return t.saveMark(ctx, markDigest(email), at) })
}

// LastDigest returns when email was last sent a digest, or considered and
// spared an empty one; the zero time when never.
func (db *DB) LastDigest(ctx context.Context, email string) (time.Time, error) {
	return db.mark(ctx, markDigest(email))
}

func (t *tx) saveMark(ctx context.Context, name string, at time.Time) error {
	row, err := markRow(mark{Name: name, At: at})
	if err != nil {
		return err
	}
	if err := t.q.SaveMark(ctx, q.SaveMarkParams(row)); err != nil {
		return fmt.Errorf("put mark %s: %w", name, err)
	}
	t.wrote.add("mark", row.Name, row.Body)
	return nil
}

// lockMark returns when it was last done, or the zero time, and lets nobody else
// move the mark until the transaction ends.
func (t *tx) lockMark(ctx context.Context, name string) (time.Time, error) {
	m, err := load[mark](t.q.LockMark(ctx, name))
	switch {
	case errors.Is(err, lifecycle.ErrNotFound):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, fmt.Errorf("lock mark %s: %w", name, err)
	default:
		return m.At, nil
	}
}

func markRow(m mark) (q.Mark, error) {
	body, err := encode(m)
	return q.Mark{Name: m.Name, At: micros(m.At), Body: body}, err
}

func (db *DB) mark(ctx context.Context, name string) (time.Time, error) {
	m, err := load[mark](db.read.Mark(ctx, name))
	if errors.Is(err, lifecycle.ErrNotFound) {
		return time.Time{}, nil
	}
	return m.At, err
}
