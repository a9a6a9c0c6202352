package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const wal = "-wal"

// openFile opens a SQLite file for reading only, without leaving anything
// beside it. A file with no write-ahead log is at rest and taken as immutable,
// which also works where SQLite could not make its shared memory. A log that is
// there belongs to a live database, or was left by a crash: it is read as
// another process of that database would, and where that is not possible, from
// a copy of both.
func openFile(ctx context.Context, url string) (*sql.DB, func() error, error) {
	path, err := sqlitePath(url)
	if err != nil {
		return nil, nil, err
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("there is no database at %s", path)
	case err != nil:
		return nil, nil, fmt.Errorf("database %s: %w", path, err)
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("database %s: this is not a file", path)
	}
	options := sqliteReader + "&mode=ro"
	if _, err := os.Stat(path + wal); errors.Is(err, fs.ErrNotExist) {
		return readOnly(path, options+"&immutable=1", nil)
	}
	db, closeDB, err := readOnly(path, options, nil)
	if err != nil {
		return nil, nil, err
	}
	var version int
	switch err := db.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version); {
	case err == nil || damaged(err):
		return db, closeDB, nil
	default:
		return openCopy(path, errors.Join(err, closeDB()))
	}
}

func readOnly(path, options string, also func() error) (*sql.DB, func() error, error) {
	db, err := sql.Open("sqlite", sqliteDSN(path, options))
	if err != nil {
		return nil, nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, func() error {
		err := db.Close()
		if also != nil {
			err = errors.Join(err, also())
		}
		return err
	}, nil
}

func openCopy(path string, cause error) (*sql.DB, func() error, error) {
	dir, err := os.MkdirTemp("", "rolecall-verify-")
	if err != nil {
		return nil, nil, errors.Join(cause, err)
	}
	remove := func() error { return os.RemoveAll(dir) }
	to := filepath.Join(dir, "copy.db")
	if err := errors.Join(copyFile(path, to), copyFile(path+wal, to+wal)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open database %s: %w", path, cause), err, remove())
	}
	return readOnly(to, sqliteReader, remove)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
