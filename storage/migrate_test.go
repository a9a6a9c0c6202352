package storage_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// What an older rolecall has written is all there after the migration, and
// verifies before it and after it.
func TestDatabaseOfAnOlderVersionIsMigrated(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "rolecall.db") },
		"PostgreSQL": func(t *testing.T) string { return postgres.Database(t) },
	} {
		for version := range int64(3) {
			t.Run(fmt.Sprint(name, " from version ", version+1), func(t *testing.T) {
				t.Parallel()
				url := fresh(t)
				old, f := olderDatabase(t, url, version+1)
				if report := verify(t, url); !report.Whole || report.Rows != 1 {
					t.Errorf("before the migration: %+v", report)
				}
				if _, err := storage.Open(t.Context(), config(url, storage.Command)); err == nil || !strings.Contains(err.Error(), "rolecall migrate") {
					t.Errorf("a command opens it with %v, want an error that says what to do", err)
				}
				if err := old.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				migrated(t, url, f.ID)
			})
		}
	}
}

// olderDatabase is one that holds a fact, and that nobody has migrated further.
func olderDatabase(t *testing.T, url string, version int64) (*storage.DB, lifecycle.Fact) {
	t.Helper()
	db, err := storage.Open(t.Context(), config(url, storage.Serve))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := db.MigrateTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	f := fact()
	if _, _, err := db.SaveFact(t.Context(), f, received(f)); err != nil {
		t.Fatal(err)
	}
	return db, f
}

func migrated(t *testing.T, url string, id lifecycle.NoticeID) {
	t.Helper()
	db, err := storage.Open(t.Context(), config(url, storage.Command))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // was opened to look
	if _, err := db.Fact(t.Context(), id); err != nil {
		t.Errorf("what was there: %v", err)
	}
	o := original("chg_1")
	if err := db.KeepOriginal(t.Context(), o, kept(o)); err != nil {
		t.Errorf("what came later: %v", err)
	}
	if report := verify(t, url); !report.Whole || report.Rows != 2 {
		t.Errorf("after the migration: %+v", report)
	}
}

func original(id lifecycle.ChangeID) lifecycle.Original {
	return lifecycle.Original{
		Request: "req_1", Change: id, Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: "PSCH", Name: "Payments"},
		Body: []byte(`{"schedule":{"id":"PSCH"}}`), KeptAt: time.Now(),
	}
}

func kept(o lifecycle.Original) lifecycle.AuditEvent {
	return lifecycle.AuditEvent{At: o.KeptAt, Actor: lifecycle.System, Kind: lifecycle.EventOriginalKept, Ref: string(o.Change)}
}
