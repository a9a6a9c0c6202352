package storagetest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rolecall/storage"
)

// testLocks holds two replicas to taking turns with one thing, and with nothing else.
func testLocks(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ran := false
	must(t, db.Exclusively(t.Context(), "a policy", func(context.Context) error { ran = true; return nil }))
	if !ran {
		t.Error("nothing was run under the lock")
	}
	if err := db.Exclusively(t.Context(), "a policy", func(context.Context) error { return errOurs }); !errors.Is(err, errOurs) {
		t.Errorf("got %v, want what was returned under the lock", err)
	}
	if !strings.HasPrefix(url, "postgres") {
		return // no second process has the file
	}
	other := reopen(t, url, storage.Serve, slog.New(slog.DiscardHandler))
	free := func(context.Context) error { return nil }
	must(t, db.Exclusively(t.Context(), "a policy", func(ctx context.Context) error {
		brief, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		if err := other.Exclusively(brief, "a policy", func(context.Context) error { t.Error("both have it"); return nil }); err == nil {
			t.Error("the other was not told that it did not have it")
		}
		return other.Exclusively(ctx, "another policy", free)
	}))
	must(t, other.Exclusively(t.Context(), "a policy", free))
}

var errOurs = errors.New("of our own")
