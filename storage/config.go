package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// Role is what a process does with the database.
type Role int

// Serve owns a SQLite file, migrates it and works its jobs: a second one is
// refused. Command is short-lived, and may write and enqueue beside it.
const (
	Command Role = iota
	Serve
)

// Config says which database to open, and as what.
type Config struct {
	URL  string // a path, or postgres://…
	Role Role
	Log  *slog.Logger
	Now  func() time.Time
	// Committed, unless nil, is told of every line of the trail once it is kept.
	Committed func(lifecycle.EventKind)
}

func (c Config) valid() error {
	switch {
	case c.Log == nil || c.Now == nil:
		return errors.New("open database: a logger and a clock are needed")
	case isPostgres(c.URL):
		return nil
	default:
		_, err := sqlitePath(c.URL)
		return err
	}
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// sqlitePath returns the absolute path that url names, through any symbolic
// link, so that one file has one lock. Options in a path are refused: they would
// run as SQL, or quietly undo what durability rests on.
func sqlitePath(url string) (string, error) {
	switch {
	case url == "":
		return "", errors.New("no database is named: give the path of a file, or postgres://…")
	case strings.Contains(url, "_pragma"):
		return "", fmt.Errorf("database %q: options such as _pragma are not taken; give the path alone", url)
	case url == ":memory:" || strings.HasPrefix(url, "file:") || strings.Contains(url, "://"):
		return "", fmt.Errorf("database %q: give the path of a file, or postgres://…", url)
	case strings.ContainsRune(url, 0):
		return "", fmt.Errorf("database %q: a path cannot hold a zero byte", url)
	}
	path, err := filepath.Abs(url)
	if err != nil {
		return "", fmt.Errorf("database %q: %w", url, err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path)), nil
	}
	return path, nil
}
