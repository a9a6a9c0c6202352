package storage_test

import (
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// BenchmarkSaveFact keeps facts, each with its audit line, with and without
// the job that follows, by one caller and by sixteen, and reports what share
// that is of the commits the same file takes when each only inserts a bare row.
func BenchmarkSaveFact(b *testing.B) {
	register := []lifecycle.Job{{Kind: lifecycle.JobRegister, Ref: "ntc_1"}}
	b.Run("one caller without job", func(b *testing.B) { benchmarkSaveFact(b, 1, nil) })
	b.Run("one caller", func(b *testing.B) { benchmarkSaveFact(b, 1, register) })
	b.Run("sixteen callers", func(b *testing.B) { benchmarkSaveFact(b, 16, register) })
}

func benchmarkSaveFact(b *testing.B, callers int, next []lifecycle.Job) {
	path := filepath.Join(b.TempDir(), "rolecall.db")
	db := serve(b, path)
	bare := bareFile(b, path)
	save := func(f lifecycle.Fact) error {
		_, _, err := db.SaveFact(b.Context(), f, received(f), next...)
		return err
	}
	insert := func(f lifecycle.Fact) error {
		_, err := bare.Exec("INSERT INTO bare (id, source, body) VALUES ($1, $2, $3)", string(f.ID), f.Source, f.Person.Name)
		return err
	}
	const block = 480 // the two take turns, so that a noisy moment hits both
	var ours, theirs time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; done += block {
		n := min(block, b.N-done)
		ours += timed(b, callers, n, save)
		b.StopTimer()
		theirs += timed(b, callers, n, insert)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)/ours.Seconds(), "facts/s")
	b.ReportMetric(float64(b.N)/theirs.Seconds(), "bare-commits/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds()*100, "%-of-bare")
}

// timed returns how long the callers need for n facts in all.
func timed(b *testing.B, callers, n int, f func(lifecycle.Fact) error) time.Duration {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	begun := time.Now()
	var g errgroup.Group
	for range callers {
		g.Go(func() error {
			for left.Add(-1) >= 0 {
				if err := f(fact()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}

// bareFile returns a connection to the file that is as durable as ours.
func bareFile(b *testing.B, path string) *sql.DB {
	b.Helper()
	bare, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=10000&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	bare.SetMaxOpenConns(1)
	b.Cleanup(func() { bare.Close() }) //nolint:errcheck // of no use any more
	if _, err := bare.Exec("CREATE TABLE bare (id TEXT NOT NULL PRIMARY KEY, source TEXT NOT NULL, body TEXT NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	return bare
}

// BenchmarkVerify checks a trail of 20,000 lines about as many rows.
func BenchmarkVerify(b *testing.B) {
	const n = 20_000
	path := filepath.Join(b.TempDir(), "rolecall.db")
	keep(b, serve(b, path), n)
	b.ReportAllocs()
	for b.Loop() {
		report, err := storage.Verify(b.Context(), path, nil)
		if err != nil || !report.Whole || report.Lines != n {
			b.Fatalf("%+v, %v", report, err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRollCall stores a roll call of 10,000 accounts of which ten are different.
func BenchmarkRollCall(b *testing.B) {
	db := serve(b, filepath.Join(b.TempDir(), "rolecall.db"))
	accounts := make([]lifecycle.Account, 10_000)
	for i := range accounts {
		accounts[i] = lifecycle.Account{ID: lifecycle.AccountID(lifecycle.NewChangeID()), BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{{Team: lifecycle.Team{ID: "P1", Name: "One"}, Role: lifecycle.TeamManager}}}
	}
	roles := []lifecycle.BaseRole{lifecycle.RoleObserver, lifecycle.RoleManager}
	for i := 0; b.Loop(); i++ {
		for k := range 10 {
			accounts[k].BaseRole = roles[i%2]
		}
		r := lifecycle.RollResult{
			Snapshot: lifecycle.Snapshot{TakenAt: time.Now(), Accounts: accounts},
			Events:   []lifecycle.AuditEvent{{At: time.Now(), Actor: lifecycle.System, Kind: lifecycle.EventRollCallDone, Ref: "rollcall"}},
		}
		if err := db.SaveRollCall(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(accounts))*float64(b.N)/b.Elapsed().Seconds(), "accounts/s")
}

// BenchmarkProvision creates users as a first sync does, sixteen at a time, each
// with its fact, its two lines and the job that follows.
func BenchmarkProvision(b *testing.B) {
	db := serve(b, filepath.Join(b.TempDir(), "rolecall.db"))
	b.ReportAllocs()
	b.ResetTimer()
	took := timed(b, 16, b.N, func(f lifecycle.Fact) error { return db.Provision(b.Context(), provision(f)) })
	b.ReportMetric(float64(b.N)/took.Seconds(), "users/s")
}

// provision creates the user whom the fact is about.
func provision(f lifecycle.Fact) lifecycle.Provision {
	id := string(f.ID)
	user := lifecycle.Resource{
		Client: "scim:okta", Kind: lifecycle.ResourceUser, ID: id, Version: 1, Name: id + "@acme.test", ExternalID: "00u" + id,
		Emails: []string{id + "@acme.test"}, Created: f.ReceivedAt, Modified: f.ReceivedAt,
		Body: []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + id + `@acme.test","name":{"familyName":"Ito","givenName":"Mina"},"active":true}`),
	}
	f.Source = user.Client
	return lifecycle.Provision{
		Client: user.Client, Put: []lifecycle.Resource{user}, Facts: []lifecycle.Fact{f}, Lines: []lifecycle.AuditEvent{received(f)},
		Summary: lifecycle.AuditEvent{At: f.ReceivedAt, Actor: lifecycle.BySource(user.Client), Kind: lifecycle.EventResourceChanged, Ref: id},
		Next:    []lifecycle.Job{{Kind: lifecycle.JobRegister, Ref: id}},
	}
}

// BenchmarkResources reads 100,000 users in 1,000 pages, as a client does that
// compares what it has with what is there.
func BenchmarkResources(b *testing.B) {
	const users, pages = 100_000, 1000
	db := serve(b, filepath.Join(b.TempDir(), "rolecall.db"))
	for done := 0; done < users; {
		p := provision(fact())
		for p.Put = nil; len(p.Put) < 1000; done++ {
			p.Put = append(p.Put, provision(fact()).Put...)
		}
		p.Facts, p.Lines, p.Next = nil, nil, nil
		if err := db.Provision(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
	f := lifecycle.ResourceFilter{Client: "scim:okta", Kind: lifecycle.ResourceUser}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		for page := range pages {
			got, total, err := db.Resources(b.Context(), f, page*users/pages, users/pages)
			if err != nil || len(got) != users/pages || total != users {
				b.Fatal(len(got), total, err)
			}
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100,000-users")
}
