package storagetest

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testOpening(t *testing.T, x *fixture) {
	t.Run("a command asks for a migration", func(t *testing.T) {
		t.Parallel()
		url := x.fresh(t)
		db, err := storage.Open(t.Context(), storage.Config{URL: url, Role: storage.Serve, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		must(t, err)
		defer db.Close() //nolint:errcheck // is about opening
		refused(t, url, storage.Command, "rolecall migrate")
		must(t, db.Migrate(t.Context()))
		must(t, db.Ping(t.Context()))
		must(t, reopen(t, url, storage.Command, slog.New(slog.DiscardHandler)).Ping(t.Context()))
	})
	for name, statement := range map[string]string{
		"one that a newer version migrated is refused":            "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)",
		"one whose queue a newer version migrated is refused too": "INSERT INTO river_migration (line, version) VALUES ('main', 9999)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, url := x.openAt(t)
			must(t, db.Close())
			execute(t, raw(t, url), statement)
			refused(t, url, storage.Serve, "newer rolecall")
			refused(t, url, storage.Command, "newer rolecall")
		})
	}
	t.Run("migrating at once, and again, is harmless", func(t *testing.T) {
		t.Parallel()
		db, url := x.openAt(t)
		if migrated := together(4, func() bool { return db.Migrate(t.Context()) == nil }); migrated != 4 {
			t.Errorf("%d of 4 found it migrated", migrated)
		}
		must(t, db.Record(t.Context(), event(lifecycle.EventServiceStarted, "rolecall")))
		must(t, db.Migrate(t.Context()))
		whole(t, url)
	})
}

func refused(t *testing.T, url string, role storage.Role, why string) {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Config{URL: url, Role: role, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("opened with %v, want an error that says %q", err, why)
	}
	if db != nil {
		must(t, db.Close())
	}
}
