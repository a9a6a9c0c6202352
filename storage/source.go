package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveSource stores s. It returns lifecycle.ErrConflict when s.Revision is not
// one more than the stored revision (1 for a new source).
func (db *DB) SaveSource(ctx context.Context, s lifecycle.Source, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	row, err := sourceRow(s)
	if err != nil {
		return err
	}
	return db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.saveSource(ctx, row); err != nil {
			return err
		}
		if err := t.q.NoteHeard(ctx, q.NoteHeardParams{Name: row.Name, At: micros(s.LastHeard), Times: int64(s.Heard)}); err != nil {
			return fmt.Errorf("note when source %s was heard: %w", s.Name, err)
		}
		return nil
	})
}

func (t *tx) saveSource(ctx context.Context, row q.Source) error {
	return t.put(revised{"source", row.Name, row.Body, row.Revision, lifecycle.ErrConflict},
		func() (int64, error) { return t.q.InsertSource(ctx, q.InsertSourceParams(row)) },
		func() (int64, error) { return t.q.UpdateSource(ctx, q.UpdateSourceParams(row)) })
}

func sourceRow(s lifecycle.Source) (q.Source, error) {
	body, err := encode(s)
	return q.Source{Name: text(s.Name), Revision: int64(s.Revision), Body: body}, err
}

// HeardSource notes that the source was heard at t, without a line in the
// trail, and in a row that no line speaks of. An older time, and a source that
// is not known, changes nothing.
func (db *DB) HeardSource(ctx context.Context, name string, t time.Time) error {
	if err := q.New(db.writer).Heard(ctx, q.HeardParams{Name: text(name), At: micros(t)}); err != nil {
		return fmt.Errorf("note that source %s was heard: %w", name, err)
	}
	return nil
}

// Source returns the source, or lifecycle.ErrNotFound.
func (db *DB) Source(ctx context.Context, name string) (lifecycle.Source, error) {
	row, err := db.read.Source(ctx, text(name))
	s, err := load[lifecycle.Source](row.Body, err)
	if err != nil {
		return s, err
	}
	return heardLast(s, row.At, row.Times), nil
}

// Sources returns every source that was ever heard, by name.
func (db *DB) Sources(ctx context.Context) ([]lifecycle.Source, error) {
	rows, err := db.read.Sources(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	all := make([]lifecycle.Source, len(rows))
	for i, row := range rows {
		s, err := decode[lifecycle.Source](row.Body)
		if err != nil {
			return nil, err
		}
		all[i] = heardLast(s, row.At, row.Times)
	}
	return all, nil
}

// heardLast returns s as it was heard since it was saved.
func heardLast(s lifecycle.Source, at, times int64) lifecycle.Source {
	if at > micros(s.LastHeard) {
		s.LastHeard = fromMicros(at)
	}
	s.Heard = max(s.Heard, int(times))
	return s
}

// Cursor returns what was saved last under the name, or "".
func (db *DB) Cursor(ctx context.Context, name string) (string, error) {
	values, err := db.read.Cursor(ctx, text(name))
	if err != nil {
		return "", fmt.Errorf("load cursor %s: %w", name, err)
	}
	return strings.Join(values, ""), nil // one, or none
}

// SaveCursor keeps value under the name, without a line in the trail.
func (db *DB) SaveCursor(ctx context.Context, name, value string) error {
	if err := q.New(db.writer).SaveCursor(ctx, q.SaveCursorParams{Name: text(name), Value: text(value)}); err != nil {
		return fmt.Errorf("save cursor %s: %w", name, err)
	}
	return nil
}
