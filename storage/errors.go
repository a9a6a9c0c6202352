package storage

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"rolecall/lifecycle"
)

const (
	pgUniqueViolation = "23505"
	resourceNames     = "resources_name" // the index; its violation is a name that is taken
)

// conflict turns a broken unique index into lifecycle.ErrConflict, or where it is
// that of names into lifecycle.ErrDuplicate: somebody else was faster. It and
// damaged are all that knows the drivers' errors.
func conflict(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == pgUniqueViolation {
		if pg.ConstraintName == resourceNames {
			return fmt.Errorf("the name is taken: %w", lifecycle.ErrDuplicate)
		}
		return fmt.Errorf("%s is taken: %w", pg.ConstraintName, lifecycle.ErrConflict)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return fmt.Errorf("%w: %w", lifecycle.ErrConflict, err)
	}
	return err
}

// damaged reports whether err says that the file itself is broken.
func damaged(err error) bool {
	lite, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR:
		return true
	default:
		return false
	}
}
