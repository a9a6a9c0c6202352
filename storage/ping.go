package storage

import (
	"context"
	"fmt"
)

// Statements that change nothing one could read, and are written all the same:
// SQLite puts the number into the file's header, and PostgreSQL gives a
// transaction an id only where it may write.
const (
	touchSQLite   = "PRAGMA user_version = 0"
	touchPostgres = "SELECT txid_current()"
)

// Ping returns nil when the database answers and, to a process that serves,
// keeps what it is given. A disk that is full, or a PostgreSQL that became a
// standby, lets everybody go on reading.
func (db *DB) Ping(ctx context.Context) error {
	if _, err := db.read.Head(ctx); err != nil {
		return fmt.Errorf("read database %s: %w", db.name, err)
	}
	if db.role == Command {
		return nil
	}
	touch := touchSQLite
	if db.pg {
		touch = touchPostgres
	}
	if _, err := db.writer.ExecContext(ctx, touch); err != nil {
		return fmt.Errorf("write database %s: %w", db.name, err)
	}
	return nil
}
