package storage_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rolecall/storage"
	"rolecall/storage/storagetest"
)

// postgres is started by the first test that needs it.
var postgres storagetest.Postgres

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		child(what, os.Getenv(childPath))
	}
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		code = 1
	}
	os.Exit(code)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(t *testing.T) string { return filepath.Join(t.TempDir(), "rolecall.db") })
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	postgres.Database(t) // skips here, once, where there is none
	storagetest.Run(t, func(t *testing.T) string { return postgres.Database(t) })
}

// serve opens a migrated database, and closes it after the test.
func serve(t testing.TB, url string) *storage.DB {
	t.Helper()
	return serveWith(t, config(url, storage.Serve))
}

func serveWith(t testing.TB, c storage.Config) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func config(url string, role storage.Role) storage.Config {
	return storage.Config{URL: url, Role: role, Log: slog.New(slog.DiscardHandler), Now: time.Now}
}
