package storagetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testFacts(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	f := sampleFact("okta", "evt-1")
	register := lifecycle.Job{Kind: lifecycle.JobRegister, Ref: string(f.ID)}
	if id, duplicate, err := db.SaveFact(t.Context(), f, event(lifecycle.EventNoticeReceived, string(f.ID)), register); err != nil || duplicate || id != f.ID {
		t.Fatalf("first: %s, %t, %v", id, duplicate, err)
	}
	got := get[lifecycle.Fact](t)(db.Fact(t.Context(), f.ID))
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("the fact came back different (-stored +loaded):\n%s", diff)
	}
	again := sampleFact("okta", "evt-1")
	if id, duplicate, err := db.SaveFact(t.Context(), again, event(lifecycle.EventNoticeReceived, string(again.ID)), register); err != nil || !duplicate || id != f.ID {
		t.Errorf("a repeat: %s, %t, %v; want the id that stands, %s, and true", id, duplicate, err, f.ID)
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobRegister); n != 1 || j != 1 {
		t.Errorf("after a repeat there are %d lines and %d jobs, want 1 and 1", n, j)
	}
	if _, duplicate, err := db.SaveFact(t.Context(), sampleFact("hr", "evt-1"), event(lifecycle.EventNoticeReceived, "")); err != nil || duplicate {
		t.Errorf("the same event id of another source: %t, %v", duplicate, err)
	}
	if _, err := db.Fact(t.Context(), "ntc_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown fact: %v", err)
	}
	t.Run("of many who say the same at once one counts", func(t *testing.T) {
		before, fresh := lines(t, db), together(8, func() bool {
			f := sampleFact("okta", "evt-race")
			_, duplicate, err := db.SaveFact(t.Context(), f, event(lifecycle.EventNoticeReceived, string(f.ID)), register)
			return err == nil && !duplicate
		})
		if n := lines(t, db) - before; fresh != 1 || n != 1 {
			t.Errorf("%d were kept with %d lines, want 1 and 1", fresh, n)
		}
	})
	whole(t, url)
}

// together calls f n times at once, and returns how often it was true.
func together(n int, f func() bool) int {
	var wg sync.WaitGroup
	yes := make(chan bool, n)
	gate := make(chan struct{})
	for range n {
		wg.Go(func() {
			<-gate
			yes <- f()
		})
	}
	close(gate)
	wg.Wait()
	close(yes)
	count := 0
	for y := range yes {
		if y {
			count++
		}
	}
	return count
}

func testIdentities(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	save := func(i lifecycle.Identity) error {
		return db.SaveIdentity(t.Context(), i, nil, event(lifecycle.EventIdentityChanged, string(i.ID)))
	}
	ana := sampleIdentity("ana")
	ana.Slack, ana.Account = "U1", "P1"
	n := sampleNotice(ana)
	must(t, db.SaveIdentity(t.Context(), ana, &n, event(lifecycle.EventIdentityChanged, string(ana.ID)), lifecycle.Job{Kind: lifecycle.JobPlan, Ref: string(n.ID)}))
	if diff := cmp.Diff(n, get[lifecycle.Notice](t)(db.Notice(t.Context(), n.ID))); diff != "" {
		t.Errorf("the notice came back different:\n%s", diff)
	}
	if _, err := db.Notice(t.Context(), "ntc_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown notice: %v", err)
	}
	t.Run("found by what they are known by", func(t *testing.T) { testLookup(t, db, ana) })
	t.Run("refused", func(t *testing.T) { testIdentityConflicts(t, ana, save) })
	t.Run("a key follows what the source calls them now", func(t *testing.T) {
		ana.Revision, ana.Keys = 2, map[string]string{"okta": "E-new", "hr": "77"}
		must(t, save(ana))
		if _, err := db.IdentityByKey(t.Context(), "okta", "E-ana"); !errors.Is(err, lifecycle.ErrNotFound) {
			t.Errorf("by the old key: %v", err)
		}
		if got := get[lifecycle.Identity](t)(db.IdentityByKey(t.Context(), "hr", "77")); got.ID != ana.ID {
			t.Errorf("by the new key: %s", got.ID)
		}
	})
	t.Run("of two who change it at once one wins", func(t *testing.T) {
		ana.Revision = 3
		if won := together(2, func() bool { return save(ana) == nil }); won != 1 {
			t.Errorf("%d won", won)
		}
	})
	if got := get[[]lifecycle.Identity](t)(db.Identities(t.Context())); len(got) != 2 {
		t.Errorf("%d identities, want the one and the admitted one", len(got))
	}
	whole(t, url)
}

func testLookup(t *testing.T, db *storage.DB, ana lifecycle.Identity) {
	for name, lookup := range map[string]func() (lifecycle.Identity, error){
		"id":         func() (lifecycle.Identity, error) { return db.Identity(t.Context(), ana.ID) },
		"key":        func() (lifecycle.Identity, error) { return db.IdentityByKey(t.Context(), "okta", "E-ana") },
		"slack user": func() (lifecycle.Identity, error) { return db.IdentityBySlack(t.Context(), "U1") },
		"account":    func() (lifecycle.Identity, error) { return db.IdentityByAccount(t.Context(), "P1") },
	} {
		if diff := cmp.Diff(ana, get[lifecycle.Identity](t)(lookup())); diff != "" {
			t.Errorf("by %s came back different:\n%s", name, diff)
		}
	}
	for email, want := range map[string]int{"ana@acme.test": 1, " ANA@acme.test ": 1, "ana.second@acme.test": 0, "": 0, "bo@acme.test": 0} {
		if got := get[[]lifecycle.Identity](t)(db.IdentitiesByEmail(t.Context(), email)); len(got) != want {
			t.Errorf("%q is the address of %d people, want %d", email, len(got), want)
		}
	}
	for name, lookup := range map[string]func() (lifecycle.Identity, error){
		"id":                   func() (lifecycle.Identity, error) { return db.Identity(t.Context(), "idn_none") },
		"key":                  func() (lifecycle.Identity, error) { return db.IdentityByKey(t.Context(), "hr", "E-ana") },
		"slack user":           func() (lifecycle.Identity, error) { return db.IdentityBySlack(t.Context(), "U2") },
		"account":              func() (lifecycle.Identity, error) { return db.IdentityByAccount(t.Context(), "P2") },
		"account of nobody":    func() (lifecycle.Identity, error) { return db.IdentityByAccount(t.Context(), "") },
		"slack user of nobody": func() (lifecycle.Identity, error) { return db.IdentityBySlack(t.Context(), "") },
	} {
		if _, err := lookup(); !errors.Is(err, lifecycle.ErrNotFound) {
			t.Errorf("by an unknown %s: %v", name, err)
		}
	}
}

func testIdentityConflicts(t *testing.T, ana lifecycle.Identity, save func(lifecycle.Identity) error) {
	admitted := lifecycle.Identity{ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{}, Person: lifecycle.Person{Emails: []string{"omar@acme.test"}}}
	must(t, save(admitted))
	with := func(change func(*lifecycle.Identity)) lifecycle.Identity {
		i := sampleIdentity("bo")
		change(&i)
		return i
	}
	for name, i := range map[string]lifecycle.Identity{
		"a second first revision":              ana,
		"a revision that skips one":            with(func(i *lifecycle.Identity) { i.ID, i.Revision = ana.ID, 3 }),
		"a later revision of nobody":           with(func(i *lifecycle.Identity) { i.Revision = 2 }),
		"another's Slack user":                 with(func(i *lifecycle.Identity) { i.Slack = ana.Slack }),
		"another's account":                    with(func(i *lifecycle.Identity) { i.Account = ana.Account }),
		"another's key":                        with(func(i *lifecycle.Identity) { i.Keys["okta"] = "E-ana" }),
		"somebody the policy names, once more": with(func(i *lifecycle.Identity) { i.Keys, i.Person = nil, admitted.Person }),
	} {
		if err := save(i); !errors.Is(err, lifecycle.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
}
