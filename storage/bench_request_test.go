package storage_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// BenchmarkPending does what a press does, and what lists all that waits, with few
// requests that wait and with very many, each with its two cards and the two jobs
// that are due later. What a press does is to take as long with both.
func BenchmarkPending(b *testing.B) {
	for name, fresh := range map[string]func(*testing.B) string{
		"SQLite":     func(b *testing.B) string { return filepath.Join(b.TempDir(), "rolecall.db") },
		"PostgreSQL": func(b *testing.B) string { return postgres.Database(b) },
	} {
		for _, n := range []int{100, 10_000} {
			b.Run(fmt.Sprint(name, "/", n, " wait"), func(b *testing.B) { benchmarkPending(b, serve(b, fresh(b)), n) })
		}
	}
}

func benchmarkPending(b *testing.B, db *storage.DB, n int) {
	waiting := make([]lifecycle.Request, n)
	for i := range waiting {
		waiting[i] = pending(i)
		wait(b, db, waiting[i])
	}
	one := func(i int) lifecycle.RequestID { return waiting[i*7919%n].ID }
	b.Run("load all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			got, err := db.Requests(b.Context(), lifecycle.RequestFilter{States: []lifecycle.RequestState{lifecycle.Pending}})
			if err != nil || len(got) != n {
				b.Fatal(len(got), err)
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*n), "us/request")
	})
	b.Run("load one and its cards", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r, err := db.Request(b.Context(), one(i))
			if err != nil || r.State != lifecycle.Pending {
				b.Fatal(r.State, err)
			}
			if cards, err := db.Messages(b.Context(), r.ID); err != nil || len(cards) != 2 {
				b.Fatal(len(cards), err)
			}
		}
	})
	b.Run("save one", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r := &waiting[i*7919%n]
			r.Revision++
			r.UpdatedAt = r.UpdatedAt.Add(time.Second)
			e := lifecycle.AuditEvent{At: time.Now(), Actor: "idn_ines", Kind: lifecycle.EventRequestApproved, Ref: string(r.ID)}
			if err := db.SaveRequest(b.Context(), *r, e, lifecycle.Job{Kind: lifecycle.JobShow, Ref: string(r.ID)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// wait stores r as it is when its cards are out.
func wait(b *testing.B, db *storage.DB, r lifecycle.Request) {
	b.Helper()
	opened := lifecycle.AuditEvent{At: r.OpenedAt, Actor: lifecycle.System, Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}
	later := []lifecycle.Job{{Kind: lifecycle.JobRemind, Ref: string(r.ID), At: time.Now().AddDate(0, 0, 1)}, {Kind: lifecycle.JobExpire, Ref: string(r.ID), At: time.Now().AddDate(0, 0, 3)}}
	if err := db.SaveRequest(b.Context(), r, opened, later...); err != nil {
		b.Fatal(err)
	}
	for _, channel := range []string{"C0PAY", "D0INES"} {
		m := lifecycle.Message{Key: "card/" + string(r.ID) + "/" + channel, Request: r.ID, Channel: channel, TS: "1764060000.000100", Revision: 1, Intended: r.OpenedAt}
		shown := lifecycle.AuditEvent{At: r.OpenedAt, Actor: lifecycle.System, Kind: lifecycle.EventCardShown, Ref: string(r.ID)}
		if err := db.SaveMessage(b.Context(), m, shown); err != nil {
			b.Fatal(err)
		}
	}
}

// pending is the i-th request, of the size that one about a mover has.
func pending(i int) lifecycle.Request {
	team := lifecycle.Team{ID: lifecycle.TeamID(fmt.Sprint("PT", i%200)), Name: fmt.Sprint("Team ", i%200)}
	r := lifecycle.Request{
		ID: lifecycle.RequestIDFor(fmt.Sprint("ntc_", i), "change"), Kind: lifecycle.RequestMover, State: lifecycle.Pending, Revision: 1,
		Subject: lifecycle.Subject{ID: lifecycle.IdentityID(fmt.Sprint("idn_", i)), Email: fmt.Sprint("p", i, "@acme.test"), Name: fmt.Sprint("Person ", i)},
		Account: lifecycle.AccountRef{ID: lifecycle.AccountID(fmt.Sprint("PU", i)), Email: fmt.Sprint("p", i, "@acme.test")},
		Why:     lifecycle.Why{Rule: "payments-sre", Event: "Moved from Platform to Payments.", Notice: lifecycle.NoticeID(fmt.Sprint("ntc_", i)), Policy: "7c1e"},
		Needed:  1, Approvers: []string{"ines@acme.test", "marco@acme.test", "noa@acme.test"}, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
		Decisions: []lifecycle.Decision{}, OpenedAt: time.Now().Add(-time.Duration(i) * time.Second), UpdatedAt: time.Now(), DecideBy: time.Now().AddDate(0, 0, 3),
	}
	for _, role := range slices.Repeat([]lifecycle.TeamRole{lifecycle.TeamResponder, lifecycle.TeamManager}, 2) {
		r.Changes = append(r.Changes, lifecycle.Change{
			ID: lifecycle.NewChangeID(), Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(team, role), To: string(role), State: lifecycle.ChangePlanned,
		})
		r.Holds = append(r.Holds, lifecycle.Grant{Entitlement: lifecycle.OnTeam(team, role)})
	}
	return r
}
