package scim

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// noting is the real store, which notes besides what was said, for a test to look at.
type noting struct {
	*storage.DB
	store *store
}

func (n noting) Provision(ctx context.Context, p lifecycle.Provision) error {
	if n.store.before != nil {
		n.store.before(p)
	}
	if err := n.DB.Provision(ctx, p); err != nil {
		return err
	}
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	n.store.facts, n.store.jobs = append(n.store.facts, p.Facts...), append(n.store.jobs, p.Next...)
	n.store.trail = append(append(n.store.trail, p.Summary), p.Lines...)
	n.store.measure(p)
	return nil
}

func openSQLite(tb testing.TB) (db *storage.DB, path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "rolecall.db")
	db, err := storage.Open(tb.Context(), storage.Config{URL: path, Role: storage.Serve, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	if err := db.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return db, path
}

// wantNoByte fails the test when the text is anywhere in the database's files.
func wantNoByte(t *testing.T, path, text string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of %s: %v", path, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			t.Errorf("%s has %q", file, text)
		}
	}
}

// What holds in memory of many at once holds over the real store.
func TestManyAtOnceOverSQLite(t *testing.T) {
	t.Parallel()
	db, _ := openSQLite(t)
	s := newStore()
	manyWhoAdd(t, houseOver(t, noting{DB: db, store: s}, s))
}

func TestALargeGroupOverSQLite(t *testing.T) {
	t.Parallel()
	db, _ := openSQLite(t)
	s := newStore()
	h := houseOver(t, noting{DB: db, store: s}, s)
	ids := h.company(t, oneStep+30)
	largeGroup(t, h, ids)
}
