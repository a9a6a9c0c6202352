package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// tx is one transaction that writes. Everything inside it goes through q: the
// pool has no second connection for it on SQLite.
type tx struct {
	q     *q.Queries
	lock  func(ctx context.Context, thing string) error // on PostgreSQL keeps others from it until the end
	wrote records                                       // by now, for the last line to vouch for
	lines []entry
	next  []lifecycle.Job
	first map[string]bool // refs of what is urgent, whose jobs go before others
}

// errUnchanged rolls a transaction back that found nothing to do.
var errUnchanged = errors.New("nothing to write")

var errNoAudit = errors.New("a write needs its audit line")

// write runs f, enqueues what follows and appends the audit lines, all or
// nothing. The last line vouches for every row that f wrote.
func (db *DB) write(ctx context.Context, events []lifecycle.AuditEvent, next []lifecycle.Job, f func(*tx) error) error {
	if len(events) == 0 {
		return errNoAudit
	}
	return db.inTx(ctx, func(t *tx) error {
		if err := f(t); err != nil {
			return err
		}
		for _, e := range events {
			t.lines = append(t.lines, entry{event: e})
		}
		t.lines[len(t.lines)-1].rows = t.wrote
		t.next = next
		return nil
	})
}

// inTx runs f, then enqueues the jobs and appends the lines that f has left in
// the transaction, all or nothing.
func (db *DB) inTx(ctx context.Context, f func(*tx) error) error {
	sqltx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer sqltx.Rollback() //nolint:errcheck // does nothing once committed
	t := &tx{q: q.New(sqltx), lock: db.locker(sqltx), wrote: records{}, first: map[string]bool{}}
	if err := f(t); err != nil {
		return conflict(err)
	}
	if err := db.enqueue(ctx, sqltx, t.next, t.first); err != nil {
		return err
	}
	if err := t.append(ctx); err != nil {
		return err
	}
	if err := sqltx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, l := range t.lines {
		db.committed(l.event.Kind)
	}
	return nil
}

// A revised row is written by its revision, which is the lock: of two who write the
// same revision at once, one writes a row and the other none.
type revised struct {
	kind, id, body string
	revision       int64
	taken          error // what it is when the first revision is there already
}

// put inserts the row at its first revision, and lets a later one take the place of
// the one before it; it is lifecycle.ErrConflict when that is not the stored one.
func (t *tx) put(row revised, insert, update func() (int64, error)) error {
	write, refusal := update, lifecycle.ErrConflict
	if row.revision == 1 {
		write, refusal = insert, row.taken
	}
	switch n, err := write(); {
	case err != nil:
		return fmt.Errorf("put %s: %w", row.kind, err)
	case n == 0:
		return fmt.Errorf("%s %s is not at revision %d any more: %w", row.kind, row.id, row.revision-1, refusal)
	}
	t.wrote.add(row.kind, row.id, row.body)
	return nil
}

// Record appends e, and enqueues what follows from it.
func (db *DB) Record(ctx context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(*tx) error { return nil })
}

func one(e lifecycle.AuditEvent) []lifecycle.AuditEvent { return []lifecycle.AuditEvent{e} }

// load returns the value of one row, or lifecycle.ErrNotFound.
func load[T any](body string, err error) (T, error) {
	var none T
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return none, lifecycle.ErrNotFound
	case err != nil:
		return none, fmt.Errorf("query: %w", err)
	default:
		return decode[T](body)
	}
}

// loadAll returns the values of many rows.
func loadAll[T any](bodies []string, err error) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	values := make([]T, len(bodies))
	for i, body := range bodies {
		if values[i], err = decode[T](body); err != nil {
			return nil, err
		}
	}
	return values, nil
}
