package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// onBoth runs the test on a new database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, filepath.Join(t.TempDir(), "rolecall.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, postgres.Database(t))
	})
}

// crowd is many who save a fact at once.
type crowd struct {
	t       *testing.T
	db      *storage.DB
	running sync.WaitGroup
	mu      sync.Mutex
	answers []told
}

// told is what one of them was told.
type told struct {
	fact      lifecycle.Fact
	id        lifecycle.NoticeID
	duplicate bool
	err       error
}

func (c *crowd) save(ctx context.Context, f lifecycle.Fact) {
	c.running.Go(func() {
		id, duplicate, err := c.db.SaveFact(ctx, f, received(f), lifecycle.Job{Kind: lifecycle.JobRegister, Ref: string(f.ID)})
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answers = append(c.answers, told{f, id, duplicate, err})
	})
}

// waits returns once somebody has the turn to write, and n more wait for it.
func (c *crowd) waits(n int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.db.FactBeingWritten(ctx, n); err != nil {
		c.t.Fatal(err)
	}
}

// called returns once somebody writes for all who waited.
func (c *crowd) called() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.db.FactsCalled(ctx); err != nil {
		c.t.Fatal(err)
	}
}

// answered waits until all have their answers.
func (c *crowd) answered() []told {
	c.running.Wait()
	return c.answers
}

// holds fails the test unless url verifies and holds n facts, each with one
// line that vouches for it and one job.
func holds(t *testing.T, url string, n int) {
	t.Helper()
	if report := verify(t, url); !report.Whole {
		t.Errorf("the database does not verify: %v", report.Problems)
	}
	db := client(t, url)
	for what, query := range map[string]string{
		"facts":                                 "SELECT count(*) FROM facts",
		"lines":                                 "SELECT count(*) FROM audit_events",
		"facts that their own line vouches for": "SELECT count(*) FROM facts JOIN audit_events ON record = 'fact/' || facts.id AND ref = facts.id",
		"facts with a job":                      "SELECT count(DISTINCT facts.id) FROM facts JOIN river_job ON CAST(args AS TEXT) LIKE '%' || facts.id || '%'",
		"jobs":                                  "SELECT count(*) FROM river_job",
	} {
		var got int
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if got != n {
			t.Errorf("%d %s, want %d", got, what, n)
		}
	}
}

// client opens the database beside rolecall, on one connection.
func client(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if strings.HasPrefix(url, "postgres") {
		driver = "pgx"
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // it was only a means
	return db
}

func TestFactsThatComeAtOnceShareCommits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		const distinct = 100
		var first atomic.Int64 // how long the trail was after the first commit
		var db *storage.DB
		c := config(url, storage.Serve)
		c.Committed = func(lifecycle.EventKind) {
			if seq, _, err := db.Head(context.WithoutCancel(t.Context())); err == nil {
				first.CompareAndSwap(0, seq)
			}
		}
		db = serveWith(t, c)
		all, let := &crowd{t: t, db: db}, db.HoldFacts()
		for n := range 3 * distinct {
			f := fact()
			f.EventID = fmt.Sprintf("evt-%d", n%distinct)
			all.save(t.Context(), f)
		}
		all.waits(3 * distinct)
		let()
		fresh, stands := map[string]lifecycle.NoticeID{}, map[string]map[lifecycle.NoticeID]bool{}
		for _, a := range all.answered() {
			if a.err != nil {
				t.Fatal(a.err)
			}
			if !a.duplicate {
				fresh[a.fact.EventID] = a.fact.ID
			}
			if stands[a.fact.EventID] == nil {
				stands[a.fact.EventID] = map[lifecycle.NoticeID]bool{}
			}
			stands[a.fact.EventID][a.id] = true
		}
		for event, ids := range stands {
			if len(ids) != 1 || !ids[fresh[event]] {
				t.Errorf("%s is said to stand as %v, and was kept as %q", event, ids, fresh[event])
			}
		}
		if n := first.Load(); n < 2 || n > 128 {
			t.Errorf("the first commit held %d facts", n)
		}
		holds(t, url, distinct)
	})
}

func TestFactThatCannotBeKeptHarmsNobody(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		db := serve(t, url)
		stands := fact()
		stands.EventID = "evt-0"
		alone := &crowd{t: t, db: db}
		alone.save(t.Context(), stands)
		alone.answered()

		all, let := &crowd{t: t, db: db}, db.HoldFacts()
		for n := range 20 {
			f := fact()
			f.EventID = fmt.Sprintf("evt-1%02d", n)
			if n == 10 {
				f.ID = stands.ID // in the middle of those that are written
			}
			all.save(t.Context(), f)
		}
		all.waits(20)
		let()
		for _, a := range all.answered() {
			if poison := a.fact.ID == stands.ID; poison != errors.Is(a.err, lifecycle.ErrConflict) || !poison && a.err != nil || a.duplicate {
				t.Errorf("%s: %t, %v", a.fact.EventID, a.duplicate, a.err)
			}
		}
		holds(t, url, 20)
	})
}

func TestCallerWhoGivesUpHarmsNobody(t *testing.T) {
	t.Parallel()
	t.Run("while waiting", func(t *testing.T) {
		onBoth(t, func(t *testing.T, url string) {
			db := serve(t, url)
			stay, leave := &crowd{t: t, db: db}, &crowd{t: t, db: db}
			let := db.HoldFacts()
			ctx, cancel := context.WithCancel(t.Context())
			for range 4 {
				stay.save(t.Context(), fact())
				leave.save(ctx, fact())
			}
			stay.waits(8)
			cancel()
			for _, a := range leave.answered() { // although nobody can write yet
				if !errors.Is(a.err, context.Canceled) {
					t.Errorf("who gave up was told %v", a.err)
				}
			}
			let()
			for _, a := range stay.answered() {
				if a.err != nil {
					t.Error(a.err)
				}
			}
			holds(t, url, 4)
		})
	})
	t.Run("while writing for others", func(t *testing.T) {
		onBoth(t, func(t *testing.T, url string) {
			db := serve(t, url)
			writer, others := &crowd{t: t, db: db}, &crowd{t: t, db: db}
			release := stall(t, url)
			ctx, cancel := context.WithCancel(t.Context())
			writer.save(ctx, fact())
			writer.waits(0)
			if strings.HasPrefix(url, "postgres") { // else those that come now may still be called with it; on SQLite all wait for the stalled one
				writer.called()
			}
			for range 5 {
				others.save(t.Context(), fact())
			}
			others.waits(5)
			cancel()
			release()
			for _, a := range append(others.answered(), writer.answered()...) {
				if a.err != nil {
					t.Error(a.err)
				}
			}
			holds(t, url, 6)
		})
	})
}

// stall keeps every commit from happening until release is called.
func stall(t *testing.T, url string) (release func()) {
	t.Helper()
	tx, err := client(t, url).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "UPDATE audit_head SET seq = seq"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// A commit that breaks off, here because PostgreSQL ends its connection, is
// made up for by each caller alone.
func TestCommitThatBreaksOffLosesNothing(t *testing.T) {
	t.Parallel()
	url := postgres.Database(t)
	db := serve(t, url)
	all, let := &crowd{t: t, db: db}, db.HoldFacts()
	for range 10 {
		all.save(t.Context(), fact())
	}
	all.waits(10)
	release := stall(t, url)
	let()
	killer := client(t, url)
	for ended := 0; ended == 0; {
		if err := killer.QueryRowContext(t.Context(), `
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&ended); err != nil {
			t.Fatal(err)
		}
	}
	release()
	for _, a := range all.answered() {
		if a.err != nil || a.duplicate {
			t.Errorf("%t, %v", a.duplicate, a.err)
		}
	}
	holds(t, url, 10)
}

func TestFactIsRefusedWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		db := serve(t, url)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		all := &crowd{t: t, db: db}
		for range 3 {
			all.save(ctx, fact())
		}
		for _, a := range all.answered() {
			if a.err == nil || errors.Is(a.err, context.DeadlineExceeded) {
				t.Errorf("told %v, want that the database is closed", a.err)
			}
		}
	})
}
