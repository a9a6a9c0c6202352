package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// crowd is a house in which so many people with an account are known, as a whole
// roll call has seen.
func crowd(b *testing.B, n int) *house {
	b.Helper()
	h := newHouse(b)
	var roll lifecycle.RollResult
	for done := 0; done < n; {
		var p lifecycle.People
		for ; done < n && len(p.Identities) < 2000; done++ {
			who, a := staff(done)
			roll.Snapshot.Accounts = append(roll.Snapshot.Accounts, a)
			p.Identities = append(p.Identities, lifecycle.Identity{
				ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{"hr": who.EmployeeID}, Person: who, Account: a.ID, Observed: h.now().Add(-30 * day),
			})
		}
		must(b, h.store.SavePeople(b.Context(), p, []lifecycle.AuditEvent{{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: "crowd"}}))
	}
	roll.Snapshot.TakenAt = h.now()
	roll.Events = []lifecycle.AuditEvent{{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventRollCallDone, Ref: "crowd"}}
	must(b, h.store.SaveRollCall(b.Context(), roll))
	h.pass(time.Hour)
	return h
}

// What one fact costs does not depend on how many people are known.
func BenchmarkAFactAmongMany(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("%d people", n), func(b *testing.B) {
			h := crowd(b, n)
			facts := map[string]func(k int) lifecycle.Person{
				"somebody moves":  func(k int) lifecycle.Person { p, _ := staff(k % n); p.Department = fmt.Sprint("Team ", k); return p },
				"somebody joins":  func(k int) lifecycle.Person { p, _ := staff(n + 1_000_000 + k); return p },
				"somebody leaves": func(k int) lifecycle.Person { return ended(first(staff(k % n))) },
			}
			for name, of := range facts {
				b.Run(name, func(b *testing.B) {
					for k := 0; b.Loop(); k++ {
						h.pass(time.Minute)
						must(b, h.registrar().Register(b.Context(), h.receive(b, "hr", of(k), h.now(), time.Time{})))
					}
				})
			}
		})
	}
}

// Nor does looking at one that leaves.
func BenchmarkTheBrakesAmongMany(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("%d people", n), func(b *testing.B) {
			h := crowd(b, n)
			h.policy.Breaker.Removals, h.policy.Breaker.Gather = n, 0
			brakes := h.brakes()
			for k := 0; b.Loop() && k < n; k++ {
				h.pass(time.Second)
				id := h.receive(b, "hr", ended(first(staff(k))), h.now(), time.Time{})
				must(b, h.registrar().Register(b.Context(), id))
				notice, err := h.store.Notice(b.Context(), id)
				must(b, err)
				must(b, brakes.Pass(b.Context(), notice))
			}
		})
	}
}
