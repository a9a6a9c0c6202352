package okta

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake/okta/oktatest"
)

// aDay is what happens in an org on a day, the same for the same seed.
func (h *house) aDay(seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 1))
	var ids []string
	for range 40 {
		h.clock.advance(time.Duration(1+dice.IntN(90_000)) * time.Millisecond)
		if len(ids) == 0 || dice.IntN(6) == 0 {
			p := mina()
			p["login"], p["email"] = fmt.Sprintf("u%d@acme.test", len(ids)), fmt.Sprintf("u%d@acme.test", len(ids))
			ids = append(ids, h.org.AddUser(p))
			continue
		}
		id := ids[dice.IntN(len(ids))]
		switch dice.IntN(8) {
		case 0:
			h.org.Deactivate(id)
		case 1:
			h.org.Suspend(id)
		case 2:
			h.org.Unsuspend(id)
		case 3:
			h.org.Reactivate(id)
		case 4:
			h.org.AddToGroup(id, fmt.Sprint("g", dice.IntN(3)))
		case 5:
			h.org.RemoveFromGroup(id, fmt.Sprint("g", dice.IntN(3)))
		case 6:
			h.org.UpdateProfile(id, map[string]any{"department": fmt.Sprint("D", dice.IntN(5))})
		default:
			h.org.Tell(id, "user.lifecycle.deactivate", "FAILURE")
		}
	}
}

// Whatever becomes of the deliveries, reading the log ends in the same facts.
func TestWhatTheHookLosesIsHealed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		t.Run(fmt.Sprint("day ", seed), func(t *testing.T) {
			t.Parallel()
			whole, torn := newHouse(t).withOrg(t, oktatest.Config{}), newHouse(t).withOrg(t, oktatest.Config{})
			fates := rand.New(rand.NewPCG(seed, 2))
			for _, h := range []*house{whole, torn} {
				h.resync = h.newResync(t, true)
				h.hooked(t)
				if h == torn {
					h.org.Decide(func(int) oktatest.Fate { return oktatest.Fate(fates.IntN(4)) })
				}
				h.aDay(seed)
				for _, d := range h.deliver(t) {
					if !slices.Equal(d.Statuses, []int{204}) {
						t.Fatalf("delivery of %q: %v", d.Events, d.Statuses)
					}
				}
			}
			if lost := len(whole.store.facts) - len(torn.store.facts); lost <= 0 {
				t.Fatalf("%d facts are lost: nothing is tested", lost)
			}
			must(t, whole.resync.Run(t.Context()))
			must(t, torn.resync.Run(t.Context()))
			byEvent := cmpopts.SortSlices(func(a, b lifecycle.Fact) bool { return a.EventID < b.EventID })
			ours := cmpopts.IgnoreFields(lifecycle.Fact{}, "ID", "ReceivedAt")
			if diff := gocmp.Diff(whole.store.facts, torn.store.facts, byEvent, ours); diff != "" {
				t.Errorf("facts (-nothing lost +healed):\n%s", diff)
			}
			torn.isAsInOkta(t)
		})
	}
}

// isAsInOkta compares the newest word on everybody with what Okta says of them.
func (h *house) isAsInOkta(t *testing.T) {
	t.Helper()
	facts := slices.Clone(h.store.facts)
	slices.SortStableFunc(facts, func(a, b lifecycle.Fact) int {
		return cmp.Or(a.Stamp().Compare(b.Stamp()), cmp.Compare(a.Kind, b.Kind))
	})
	last := map[string]lifecycle.Person{}
	for _, f := range facts {
		p := last[f.Key]
		if f.Kind == lifecycle.FactState {
			p = f.Person
		}
		p.Status = f.Person.Status
		last[f.Key] = p
	}
	for key, p := range last {
		want := h.org.User(key)
		status, _ := statusOf(want.Status)
		if p.Status != status || p.Department != want.Profile["department"] || !slices.Equal(p.Groups, h.org.Groups(key)) {
			t.Errorf("%s is %s in %s and %q, and at Okta %s in %v and %q", key, p.Status, p.Department, p.Groups, status, want.Profile["department"], h.org.Groups(key))
		}
	}
}

// Reading in between, and after it, ends in the same words.
func TestReadingNowAndThenEndsAsReadingOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("days from ", seed), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t).withOrg(t, oktatest.Config{RateLimit: 30})
			h.resync = h.newResync(t, true)
			h.hooked(t)
			for day := range uint64(4) {
				h.aDay(100*seed + day)
				if day%2 == 0 {
					h.org.Decide(func(int) oktatest.Fate { return oktatest.Lost })
				}
				h.deliver(t)
				for err := h.resync.Run(t.Context()); err != nil; err = h.resync.Run(t.Context()) {
					h.clock.advance(time.Minute)
				}
			}
			h.isAsInOkta(t)
		})
	}
}

func TestOktaBelievesTheHook(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.hooked(t)
	id := h.org.AddUser(mina())
	h.clock.advance(time.Second)
	h.org.Unsuspend(id)
	h.clock.advance(time.Second)
	h.secrets = []string{secretB} // somebody has changed one side only
	got := h.deliver(t)
	h.secrets = []string{secretA}
	h.org.Suspend(id)
	got = append(got, h.deliver(t)...)
	var statuses [][]int
	for _, d := range got {
		statuses = append(statuses, d.Statuses)
	}
	if diff := gocmp.Diff([][]int{{401}, {401}, {401}, {204}}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if len(h.store.facts) != 1 || h.store.heard != 1 {
		t.Errorf("heard %d times: %q", h.store.heard, h.store.said())
	}
	must(t, h.resync.Run(t.Context()))
	h.isAsInOkta(t)
}
