package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/storage"
)

// BenchmarkRosterDiff holds a roster of 100,000 people, of whom a hundred have
// moved, against what is known of them, from its first byte until what is new in it
// is kept, and reports how large the heap has been at most.
func BenchmarkRosterDiff(b *testing.B) {
	const people, moved = 100_000, 100
	db := companyOf(b, people)
	inbox := lifecycle.NewInbox(db, time.Now)
	snapshots := lifecycle.NewSnapshots(db, inbox, lifecycle.NewSources(db, asWritten{}, time.Now), time.Now)
	path := filepath.Join(b.TempDir(), "people.csv")
	take := func() lifecycle.Taken {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		file, err := intake.ReadRoster(f, intake.CSV, b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		roster, err := file.Roster(intake.SourceRoster, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		taken, err := snapshots.Take(b.Context(), roster)
		if err := errors.Join(err, file.Close(), f.Close()); err != nil {
			b.Fatal(err)
		}
		return taken
	}
	writeCompany(b, path, people, 0, "")
	if taken := take(); taken.Changed != 0 || taken.Rows != people {
		b.Fatalf("the first: %+v", taken)
	}
	var longest time.Duration
	var most uint64
	for n := range b.N {
		b.StopTimer()
		writeCompany(b, path, people, moved, fmt.Sprint("Team ", n))
		runtime.GC() // what the benchmark itself has left is not what is measured
		begun, peak := time.Now(), heapPeak(b)
		b.StartTimer()
		if taken := take(); taken.Changed != moved {
			b.Fatalf("%+v", taken)
		}
		longest, most = max(longest, time.Since(begun)), max(most, peak())
	}
	b.ReportMetric(longest.Seconds(), "s-longest")
	b.ReportMetric(float64(most)/(1<<20), "MiB-heap-peak")
}

// heapPeak begins to watch the heap, with what is not collected yet, and returns
// what ends that and says how large it has been at most, in bytes.
func heapPeak(b *testing.B) func() uint64 {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var g errgroup.Group
	most := uint64(0)
	g.Go(func() error {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for ctx.Err() == nil {
			<-tick.C
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
		}
		return nil
	})
	return func() uint64 {
		cancel()
		if err := g.Wait(); err != nil {
			b.Error(err)
		}
		return most
	}
}

func rosterPerson(n int, department string) lifecycle.Person {
	return lifecycle.Person{
		EmployeeID: fmt.Sprintf("E%06d", n), Status: lifecycle.StatusActive, Emails: []string{fmt.Sprintf("person.%06d@acme.test", n)},
		Name: fmt.Sprintf("Person %06d", n), Department: department, Location: "Berlin", Country: "DE", Title: "Engineer II", Employment: lifecycle.Employee,
		ManagerID: fmt.Sprintf("E%06d", n/10), StartDate: "2024-04-01", Timezone: "Europe/Berlin",
	}
}

// writeCompany writes everybody's row; the first moved of them are in the department.
func writeCompany(b *testing.B, path string, people, moved int, department string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "employee_id,status,emails,name,department,location,country,title,employment,manager_id,start_date,timezone")
	for n := range people {
		p := rosterPerson(n, "Payments")
		if n < moved {
			p.Department = department
		}
		fmt.Fprintf(w, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n", p.EmployeeID, p.Status, p.Emails[0], p.Name, p.Department, p.Location, p.Country, p.Title, p.Employment, p.ManagerID, p.StartDate, p.Timezone)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
}

// companyOf is a database that knows so many people from the roster.
func companyOf(b *testing.B, people int) *storage.DB {
	b.Helper()
	db, err := storage.Open(b.Context(), storage.Config{URL: filepath.Join(b.TempDir(), "rolecall.db"), Role: storage.Serve, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() }) //nolint:errcheck // of no use any more
	if err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	for from := 0; from < people; from += 1000 {
		var p lifecycle.People
		for n := from; n < from+1000; n++ {
			who, fact := rosterPerson(n, "Payments"), lifecycle.NewNoticeID()
			p.Identities = append(p.Identities, lifecycle.Identity{
				ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{intake.SourceRoster: who.EmployeeID}, Person: who,
				Says: map[string]lifecycle.Statement{intake.SourceRoster: {Person: who, At: time.Now(), Fact: fact, Status: lifecycle.StatusWord{Status: who.Status, At: time.Now(), Fact: fact}}},
			})
		}
		e := lifecycle.AuditEvent{At: time.Now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: "company"}
		if err := db.SavePeople(b.Context(), p, []lifecycle.AuditEvent{e}); err != nil {
			b.Fatal(err)
		}
	}
	return db
}
