package storagetest

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// Run holds one kind of storage to what its callers rely on. fresh returns the
// address of a new, empty database each time.
func Run(t *testing.T, fresh func(t *testing.T) string) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"facts":       testFacts,
		"identities":  testIdentities,
		"requests":    testRequests,
		"findings":    testFindings,
		"effects":     testEffects,
		"roll calls":  testRollCalls,
		"glances":     testGlances,
		"originals":   testOriginals,
		"cases":       testCases,
		"holds":       testHolds,
		"sources":     testSources,
		"resources":   testResources,
		"policies":    testPolicies,
		"absences":    testAbsences,
		"user groups": testGroups,
		"tallies":     testTallies,
		"granted":     testGranted,
		"managers":    testTeamManagers,
		"who is who":  testWhoIsWho,
		"population":  testPopulation,
		"locks":       testLocks,
		"every field": testEveryField,
		"messages":    testMessages,
		"digests":     testDigests,
		"rollback":    testRollback,
		"hostile":     testHostileText,
		"trail":       testTrail,
		"tampering":   testTampering,
		"jobs":        testJobs,
		"urgent jobs": testUrgentFirst,
		"opening":     testOpening,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &fixture{fresh: fresh})
		})
	}
}

// fixture makes databases of the kind under test.
type fixture struct{ fresh func(t *testing.T) string }

// open returns a new, migrated database.
func (x *fixture) open(t *testing.T) *storage.DB {
	t.Helper()
	db, _ := x.openAt(t)
	return db
}

func (x *fixture) openAt(t *testing.T) (*storage.DB, string) {
	t.Helper()
	url := x.fresh(t)
	return reopen(t, url, storage.Serve, slog.New(slog.DiscardHandler)), url
}

// reopen opens the database at url, and closes it after the test unless the
// test has done so.
func reopen(t *testing.T, url string, role storage.Role, log *slog.Logger) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Config{URL: url, Role: role, Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // a second Close may complain
	if role == storage.Serve {
		must(t, db.Migrate(t.Context()))
	}
	return db
}

// raw opens the database as somebody with a database client and ill will does.
func raw(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if postgresURL(url) {
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

func postgresURL(url string) bool { return strings.HasPrefix(url, "postgres") }

// execute runs each statement, and fails the test when one cannot be.
func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// query returns the single value that the query yields.
func query[T any](t *testing.T, db *sql.DB, text string, args ...any) T {
	t.Helper()
	var v T
	if err := db.QueryRowContext(t.Context(), text, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get returns the value of a call that must not fail.
func get[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// lines returns how long the trail is.
func lines(t *testing.T, db *storage.DB) int64 {
	t.Helper()
	seq, _, err := db.Head(t.Context())
	must(t, err)
	return seq
}

// jobs returns how many jobs of the kind there are, in whatever state.
func jobs(t *testing.T, db *storage.DB, kind lifecycle.JobKind) int {
	t.Helper()
	n := 0
	for _, s := range get[[]storage.JobStat](t)(db.JobStats(t.Context())) {
		if s.Kind == kind {
			n += s.Count
		}
	}
	return n
}

// whole fails the test unless the database verifies.
func whole(t *testing.T, url string) {
	t.Helper()
	report := get[storage.VerifyReport](t)(storage.Verify(t.Context(), url, nil))
	if !report.Whole {
		t.Errorf("the database does not verify: %v", report.Problems)
	}
}

// soon bounds what a test waits for.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
