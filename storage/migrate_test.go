package storage_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		for version := range int64(5) {
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

// Accounts that were stored before it was noted who manages which team are found
// by their teams after the migration.
func TestManagersOfAnOlderVersionAreFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		driver string
		fresh  func(*testing.T) string
	}{
		"SQLite":     {"sqlite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "rolecall.db") }},
		"PostgreSQL": {"pgx", func(t *testing.T) string { return postgres.Database(t) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := tt.fresh(t)
			db := serve(t, url)
			ana, bo, gone := manager("PANA", "PPAY", "PSRE"), manager("PBO", "PSRE"), manager("PGONE", "PPAY")
			bo.Name = "Bo \x00 \"role\":\"manager\"" // neither database would take it as JSON of its own
			look := lifecycle.Glance{Until: time.Now(), Accounts: []lifecycle.Account{ana, bo, gone}, Events: []lifecycle.AuditEvent{{At: time.Now(), Actor: lifecycle.System, Kind: lifecycle.EventGlanceDone, Ref: "glance"}}}
			if err := db.SaveGlance(t.Context(), look); err != nil {
				t.Fatal(err)
			}
			look.Until, look.Accounts, look.Gone = look.Until.Add(time.Second), nil, []lifecycle.AccountID{gone.ID}
			if err := db.SaveGlance(t.Context(), look); err != nil {
				t.Fatal(err)
			}
			client := connect(t, tt.driver, url)
			for _, s := range []string{
				"DROP TABLE absences", "DROP TABLE user_groups", "DROP TABLE group_reads", "DROP TABLE tallies", "DROP TABLE request_ends",
				"DROP TABLE team_managers", "DELETE FROM goose_db_version WHERE version_id > 4",
			} {
				if _, err := client.ExecContext(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			for team, want := range map[lifecycle.TeamID][]lifecycle.Account{"PPAY": {ana}, "PSRE": {ana, bo}} {
				got, err := db.TeamManagers(t.Context(), team)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("who manages %s: %v (-want +got):\n%s", team, err, diff)
				}
			}
			if report := verify(t, url); !report.Whole {
				t.Errorf("after the migration: %+v", report)
			}
		})
	}
}

func manager(id lifecycle.AccountID, teams ...lifecycle.TeamID) lifecycle.Account {
	a := lifecycle.Account{ID: id, Email: strings.ToLower(string(id)) + "@acme.test", BaseRole: lifecycle.RoleResponder}
	for _, team := range teams {
		a.Teams = append(a.Teams, lifecycle.Membership{Team: lifecycle.Team{ID: team}, Role: lifecycle.TeamManager})
	}
	return a
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
