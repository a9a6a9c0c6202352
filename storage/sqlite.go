package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
)

const (
	readers = 4

	sqliteBase   = "_busy_timeout=10000&_foreign_keys=1&_dqs=0&_defensive=1"
	sqliteWriter = sqliteBase + "&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate"
	sqliteReader = sqliteBase + "&_query_only=1"
)

// sqliteDSN returns the data source for path. The file: prefix makes SQLite read
// the options, and the escapes keep the path from being read as some.
func sqliteDSN(path, options string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path)) + "?" + options
}

func (db *DB) openSQLite(ctx context.Context, url string) error {
	path, err := sqlitePath(url)
	if err != nil {
		return err
	}
	db.name = path
	if err := db.claim(path); err != nil {
		return err
	}
	// Where fdatasync cannot be had, SQLite goes on with fsync: nothing to do about it.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return fmt.Errorf("set fdatasync: %w", err)
	}
	if db.writer, err = openSQL(sqliteDSN(path, sqliteWriter)); err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	db.writer.SetMaxOpenConns(1)
	if err := writable(ctx, db.writer); err != nil {
		return fmt.Errorf("database %s cannot be written: %w", path, err)
	}
	if db.reader, err = openSQL(sqliteDSN(path, sqliteReader)); err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	db.driver = riversqlite.New(db.writer)
	return nil
}

// claim takes the file for this process if it serves, and makes it readable to
// its owner alone: it holds the names and the access of everybody.
func (db *DB) claim(path string) error {
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case err != nil:
		return fmt.Errorf("database %s: its directory cannot be used: %w", path, err)
	case !info.IsDir():
		return fmt.Errorf("database %s: %s is not a directory", path, dir)
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("database %s: this is not a file", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("database %s: %w", path, err)
	case err != nil && db.role == Command:
		return fmt.Errorf("there is no database at %s: `rolecall migrate` or `rolecall serve` makes it", path)
	case db.role == Command:
		return nil
	}
	lock := flock.New(path + ".lock")
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("take the lock %s: %w", lock.Path(), err)
	}
	if !held {
		return fmt.Errorf("another rolecall serves %s: it holds %s. Stop it first, or use PostgreSQL to run several", path, lock.Path())
	}
	db.lock = lock
	return create(path)
}

// create makes the file where there is none. One that is there is not opened:
// closing it again would drop the locks that SQLite holds on it in this process.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make database %s: %w", path, err)
	}
	return f.Close()
}

// writable turns WAL on, before any reader looks, and finds out about a file
// that can only be read, which SQLite would otherwise say at the first write.
func writable(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return tx.Rollback()
}
