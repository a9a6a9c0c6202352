package storagetest

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testWhoIsWho(t *testing.T, x *fixture) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"of two sources that tell of somebody at once, one makes an identity": testOneIdentity,
		"an address may come to somebody new when whoever had it has ended":   testRecycledAddress,
		"who gave up an address is found by it for a while":                   testFormerAddresses,
		"two who are one":                                testMerge,
		"what one step leaves is kept at once":           testPeople,
		"whom a source knows comes in order of its keys": testKnownBy,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, x)
		})
	}
}

func saveIdentity(t *testing.T, db *storage.DB, i lifecycle.Identity) error {
	t.Helper()
	return db.SaveIdentity(t.Context(), i, nil, event(lifecycle.EventIdentityChanged, string(i.ID)))
}

// testOneIdentity has two replicas where the database allows for them.
func testOneIdentity(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	replicas := []*storage.DB{db, db}
	if postgresURL(url) {
		replicas[1] = reopen(t, url, storage.Serve, discard())
	}
	for round := range 20 {
		name := unique()
		ended := round%2 == 1 // of a source that begins with those who left
		turn := make(chan *storage.DB, 8)
		for n := range 8 {
			turn <- replicas[n%2]
		}
		won := together(8, func() bool {
			i := sampleIdentity(name)
			i.Keys = map[string]string{unique(): "E-" + name}
			if ended {
				i.Person.Status = lifecycle.StatusEnded
			}
			err := saveIdentity(t, <-turn, i)
			if err != nil && !errors.Is(err, lifecycle.ErrConflict) {
				t.Errorf("a loser got %v, want a conflict", err)
			}
			return err == nil
		})
		having := get[[]lifecycle.Identity](t)(db.IdentitiesByEmail(t.Context(), name+"@acme.test"))
		if won != 1 || len(having) != 1 {
			t.Fatalf("%d made an identity of one person, and there are %d", won, len(having))
		}
	}
	whole(t, url)
}

func savePeople(t *testing.T, db *storage.DB, all ...lifecycle.Identity) error {
	t.Helper()
	return db.SavePeople(t.Context(), lifecycle.People{Identities: all}, []lifecycle.AuditEvent{event(lifecycle.EventIdentityMerged, string(all[0].ID))})
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func testRecycledAddress(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	left := sampleIdentity("ana")
	must(t, saveIdentity(t, db, left))
	heir := sampleIdentity("ana")
	heir.Keys = map[string]string{"okta": "E-2"}
	if err := saveIdentity(t, db, heir); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("while somebody has it: %v, want a conflict", err)
	}
	left.Revision, left.Person.Status = 2, lifecycle.StatusEnded
	must(t, saveIdentity(t, db, left))
	must(t, saveIdentity(t, db, heir))
	third := sampleIdentity("ana")
	third.Keys = map[string]string{"okta": "E-3"}
	if err := saveIdentity(t, db, third); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("after the heir has it: %v, want a conflict", err)
	}
	heir.Revision, heir.Person.Emails = 2, []string{"other@acme.test"} // in the same step
	must(t, savePeople(t, db, heir, third))
	if having := get[[]lifecycle.Identity](t)(db.IdentitiesByEmail(t.Context(), "ana@acme.test")); len(having) != 2 {
		t.Errorf("%d have the address, want who left and who has it now", len(having))
	}
	whole(t, url)
}

func testFormerAddresses(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	until := noon().AddDate(1, 0, 0)
	ana, bo := sampleIdentity("ana"), sampleIdentity("bo")
	ana.Former = []lifecycle.FormerAddress{{Email: "ana.old@acme.test", Until: until.AddDate(-1, 0, 0)}, {Email: "ana.old@acme.test", Until: until}, {Email: "shared@acme.test", Until: until}}
	bo.Former = []lifecycle.FormerAddress{{Email: "shared@acme.test", Until: noon()}}
	must(t, saveIdentity(t, db, ana))
	must(t, saveIdentity(t, db, bo))
	had := func(email string, at time.Time) []lifecycle.IdentityID {
		t.Helper()
		ids := []lifecycle.IdentityID{}
		for _, i := range get[[]lifecycle.Identity](t)(db.IdentitiesFormerly(t.Context(), email, at)) {
			ids = append(ids, i.ID)
		}
		return ids
	}
	for name, tt := range map[string]struct {
		email string
		at    time.Time
		want  int
	}{
		"while it is reserved":               {" Ana.Old@acme.test", noon(), 1},
		"to the last moment":                 {"ana.old@acme.test", until.Add(-time.Microsecond), 1},
		"not after":                          {"ana.old@acme.test", until, 0},
		"of two, while it is for both":       {"shared@acme.test", noon().Add(-time.Second), 2},
		"of two, while it is for one":        {"shared@acme.test", noon(), 1},
		"one that somebody has now":          {"ana@acme.test", noon(), 0},
		"one that nobody ever had":           {"none@acme.test", noon(), 0},
		"no address":                         {"", noon(), 0},
		"an address that is no text at all":  {"\x00\xff", noon(), 0},
		"another, that only looks like that": {"ana_old@acme.test", noon(), 0},
	} {
		if got := had(tt.email, tt.at); len(got) != tt.want {
			t.Errorf("%s: %v, want %d", name, got, tt.want)
		}
	}
	ana.Revision, ana.Former = 2, ana.Former[2:]
	must(t, saveIdentity(t, db, ana))
	if got := had("ana.old@acme.test", noon()); len(got) != 0 {
		t.Errorf("after it was given up for good: %v", got)
	}
	whole(t, url)
}

func testMerge(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	keep, gone := sampleIdentity("ana"), sampleIdentity("ana.lind")
	gone.Keys, gone.Slack, gone.Account = map[string]string{"hr": "77"}, "U1", "P1"
	gone.Former = []lifecycle.FormerAddress{{Email: "a.lind@acme.test", Until: noon().AddDate(1, 0, 0)}}
	must(t, saveIdentity(t, db, keep))
	must(t, saveIdentity(t, db, gone))
	merge := func(all ...lifecycle.Identity) error {
		return savePeople(t, db, all...)
	}
	keep.Revision, keep.Slack, keep.Account, keep.Former = 2, gone.Slack, gone.Account, gone.Former
	keep.Keys = map[string]string{"okta": "E-ana", "hr": "77"}
	gone.Revision, gone.Merged = 2, keep.ID // and says of itself all that it ever had
	for name, all := range map[string][]lifecycle.Identity{"in the wrong order": {keep, gone}, "only half of it": {keep}, "of an older revision": {gone, sampleIdentity("ana"), func() lifecycle.Identity { k := keep; k.Revision = 5; return k }()}} {
		if err := merge(all...); !errors.Is(err, lifecycle.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	if n := lines(t, db); n != 2 {
		t.Errorf("what was refused left %d lines", n-2)
	}
	must(t, merge(gone, keep))
	for name, i := range map[string]lifecycle.Identity{
		"by key":        get[lifecycle.Identity](t)(db.IdentityByKey(t.Context(), "hr", "77")),
		"by Slack user": get[lifecycle.Identity](t)(db.IdentityBySlack(t.Context(), "U1")),
		"by id":         get[lifecycle.Identity](t)(db.Identity(t.Context(), keep.ID)),
	} {
		if diff := cmp.Diff(keep, i); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(gone, get[lifecycle.Identity](t)(db.Identity(t.Context(), gone.ID))); diff != "" {
		t.Errorf("the one that is no more, by its id (-want +got):\n%s", diff)
	}
	if all := get[[]lifecycle.Identity](t)(db.Identities(t.Context())); len(all) != 1 || all[0].ID != keep.ID {
		t.Errorf("all of them: %+v, want the one", all)
	}
	if having := get[[]lifecycle.Identity](t)(db.IdentitiesByEmail(t.Context(), "ana.lind@acme.test")); len(having) != 0 {
		t.Errorf("the one that is no more has its address: %+v", having)
	}
	if had := get[[]lifecycle.Identity](t)(db.IdentitiesFormerly(t.Context(), "a.lind@acme.test", noon())); len(had) != 1 || had[0].ID != keep.ID {
		t.Errorf("by the former address: %+v, want the one", had)
	}
	whole(t, url)
}

func testPeople(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ana, bo := sampleIdentity("ana"), sampleIdentity("bo")
	joins, leaves := sampleNotice(ana), sampleNotice(bo)
	leaves.Kind = lifecycle.Leaver
	c := sampleCase("ana")
	p := lifecycle.People{Identities: []lifecycle.Identity{ana, bo}, Notices: []lifecycle.Notice{joins, leaves}, Cases: []lifecycle.Case{c}}
	save := func(p lifecycle.People) error {
		return db.SavePeople(t.Context(), p, []lifecycle.AuditEvent{event(lifecycle.EventCaseOpened, string(c.ID)), event(lifecycle.EventIdentityChanged, string(ana.ID))},
			lifecycle.Job{Kind: lifecycle.JobCase, Ref: string(c.ID)})
	}
	must(t, saveCase(t, db, c))
	if err := save(p); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("with a case that stands: %v, want a duplicate", err)
	}
	if all := get[[]lifecycle.Identity](t)(db.Identities(t.Context())); len(all) != 0 || lines(t, db) != 1 {
		t.Errorf("what was refused left %d identities and %d lines", len(all), lines(t, db)-1)
	}
	p.Cases[0].Revision = 2
	must(t, save(p))
	if got := get[[]lifecycle.Removal](t)(db.RemovalsAbout(t.Context(), bo.ID)); len(got) != 1 || got[0].Notice != leaves.ID {
		t.Errorf("removals about who leaves: %+v", got)
	}
	if got := get[[]lifecycle.Removal](t)(db.RemovalsAbout(t.Context(), ana.ID)); len(got) != 0 {
		t.Errorf("removals about who joins: %+v", got)
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobCase); n != 3 || j != 2 {
		t.Errorf("%d lines and %d jobs, want 3 and 2", n, j)
	}
	if err := db.SavePeople(t.Context(), lifecycle.People{}, nil); err == nil {
		t.Error("people were saved without a line")
	}
	whole(t, url)
}

func testKnownBy(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	for _, name := range []string{"c", "a", "d", "b"} {
		i := sampleIdentity(name)
		i.Also = []lifecycle.SourceKey{{Source: "okta", Key: "old " + name}, {Source: "okta", Key: "old " + name}, {Source: "okta", Key: "E-" + name}, {Source: "hr", Key: "old " + name}}
		must(t, saveIdentity(t, db, i))
	}
	for name, change := range map[string]func(*lifecycle.Identity){
		"by whose earlier key":       func(i *lifecycle.Identity) { i.Keys["okta"] = "old a" },
		"who was known by their key": func(i *lifecycle.Identity) { i.Also = []lifecycle.SourceKey{{Source: "okta", Key: "E-a"}} },
		"by the same earlier key":    func(i *lifecycle.Identity) { i.Also = []lifecycle.SourceKey{{Source: "hr", Key: "old a"}} },
	} {
		i := sampleIdentity("new")
		change(&i)
		if err := saveIdentity(t, db, i); !errors.Is(err, lifecycle.ErrConflict) {
			t.Errorf("another is known %s: %v, want a conflict", name, err)
		}
	}
	for _, key := range []string{"E-a", "old a"} {
		if i, err := db.IdentityByKey(t.Context(), "okta", key); err != nil || i.Keys["okta"] != "E-a" {
			t.Errorf("by %s: %s, %v", key, i.ID, err)
		}
	}
	other := sampleIdentity("e")
	other.Keys = map[string]string{"hr": "E-e"}
	must(t, saveIdentity(t, db, other))
	var known []string
	for after := ""; ; {
		page := get[[]lifecycle.Identity](t)(db.KnownBy(t.Context(), "okta", after, 3))
		for _, i := range page {
			after = i.Keys["okta"]
			known = append(known, after)
		}
		if len(page) < 3 {
			break
		}
	}
	if diff := cmp.Diff([]string{"E-a", "E-b", "E-c", "E-d"}, known); diff != "" {
		t.Errorf("by its keys (-want +got):\n%s", diff)
	}
	whole(t, url)
}
