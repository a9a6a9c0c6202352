package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
)

// Exclusively runs f while no other replica runs one for the same thing, and
// returns its error, or one that says why the lock could not be had; f did not
// run then. SQLite has one process a file, and within a process the platform
// itself makes changes take turns. A replica whose connection breaks loses the
// lock, and is not told.
func (db *DB) Exclusively(ctx context.Context, thing string, f func(context.Context) error) (err error) {
	if !db.pg {
		return f(ctx)
	}
	unlock, err := db.advisory(ctx, lockOf(thing))
	if err != nil {
		return fmt.Errorf("lock %s: %w", thing, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return f(ctx)
}

func lockOf(thing string) int64 {
	sum := sha256.Sum256([]byte("rolecall: " + thing))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// locker returns what waits until no other transaction has the lock on a thing,
// and keeps it until this one ends. On SQLite one transaction writes at a time.
func (db *DB) locker(tx *sql.Tx) func(context.Context, string) error {
	return func(ctx context.Context, thing string) error {
		if !db.pg {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", lockOf(thing)); err != nil {
			return fmt.Errorf("lock %s: %w", thing, err)
		}
		return nil
	}
}

// advisory takes PostgreSQL's advisory lock with that number, on a connection
// that is nobody else's until it is let go.
func (db *DB) advisory(ctx context.Context, lock int64) (unlock func() error, err error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", db.name, err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for other replicas: %w", err), conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lock)
		return errors.Join(err, conn.Close())
	}, nil
}
