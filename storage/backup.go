package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a whole copy of the database, as of one moment, to the file
// dest, while everybody goes on working. A file that is there is not
// overwritten. On PostgreSQL it refuses: pg_dump is the tool for that.
func (db *DB) Backup(ctx context.Context, dest string) error {
	if db.pg {
		return errors.New("back up: this is a PostgreSQL database; use pg_dump")
	}
	path, err := sqlitePath(dest)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	// SQLite fills a file that is empty. Made by us, it is new for certain, and its owner's alone.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("back up: %s is there already; name a new file", path)
	}
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := errors.Join(db.vacuumInto(ctx, path), f.Sync(), f.Close(), syncDir(filepath.Dir(path))); err != nil {
		return errors.Join(fmt.Errorf("back up to %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// vacuumInto uses a connection of its own: a query_only one would refuse, and
// the writer has work to do.
func (db *DB) vacuumInto(ctx context.Context, path string) error {
	source, err := sql.Open("sqlite", sqliteDSN(db.name, sqliteBase+"&mode=ro"))
	if err != nil {
		return err
	}
	_, err = source.ExecContext(ctx, "VACUUM INTO $1", path)
	return errors.Join(err, source.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
