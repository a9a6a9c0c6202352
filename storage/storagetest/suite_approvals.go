package storagetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func sampleAbsence(who lifecycle.IdentityID, from, until time.Time) lifecycle.Absence {
	return lifecycle.Absence{ID: lifecycle.NewAbsenceID(), Revision: 1, Identity: who, Email: "ana@acme.test", Delegate: "bo@acme.test", From: from, Until: until, By: "ana@acme.test", OpenedAt: noon(), Via: lifecycle.ViaSlack}
}

func saveAbsence(t *testing.T, db *storage.DB, a lifecycle.Absence) error {
	t.Helper()
	return db.SaveAbsence(t.Context(), a, event(lifecycle.EventAbsenceOpened, string(a.ID)), lifecycle.Job{Kind: lifecycle.JobReroute, Ref: string(a.ID)})
}

// writeApprovals leaves rows in the tables that say who decides, and until when.
func writeApprovals(t *testing.T, db *storage.DB) {
	t.Helper()
	must(t, saveAbsence(t, db, sampleAbsence("idn_ana", noon(), noon().Add(time.Hour))))
	must(t, saveGroup(t, db, sampleGroupOf("ana@acme.test")))
	must(t, db.GroupRead(t.Context(), "S0PAY", noon().Add(time.Hour)))
	r := sampleRequest("for a day")
	r.Until = noon().AddDate(0, 0, 1)
	must(t, db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, string(r.ID))))
}

func sampleGroupOf(emails ...string) lifecycle.Group {
	return lifecycle.Group{ID: "S0PAY", Revision: 1, Handle: "payments-owners", Emails: emails, ReadAt: noon()}
}

func saveGroup(t *testing.T, db *storage.DB, g lifecycle.Group) error {
	t.Helper()
	return db.SaveGroup(t.Context(), g, event(lifecycle.EventGroupChanged, string(g.ID)), lifecycle.Job{Kind: lifecycle.JobShow, Ref: string(g.ID)})
}

func testAbsences(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	now, later, after := sampleAbsence("idn_ana", noon(), noon().Add(time.Hour)), sampleAbsence("idn_ana", noon().Add(2*time.Hour), noon().Add(3*time.Hour)), sampleAbsence("idn_bo", noon().Add(-time.Hour), noon())
	for _, a := range []lifecycle.Absence{later, now, after} {
		must(t, saveAbsence(t, db, a))
	}
	same := func(what string, want, got []lifecycle.Absence) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	at := func(d time.Duration) []lifecycle.Absence {
		return get[[]lifecycle.Absence](t)(db.Absences(t.Context(), noon().Add(d)))
	}
	same("at the moment it begins, when another is over", []lifecycle.Absence{now}, at(0))
	same("before it is over", []lifecycle.Absence{now}, at(time.Hour-time.Microsecond))
	same("when it is over", []lifecycle.Absence{}, at(time.Hour))
	same("of one person, the next too", []lifecycle.Absence{now, later}, get[[]lifecycle.Absence](t)(db.AbsencesOf(t.Context(), "idn_ana", noon())))
	if err := saveAbsence(t, db, now); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("opened again: %v, want a duplicate", err)
	}
	back := now
	back.Revision, back.Ended = 2, noon().Add(time.Minute)
	if won := together(8, func() bool { return saveAbsence(t, db, back) == nil }); won != 1 {
		t.Errorf("%d of those who ended it at once won, want 1", won)
	}
	same("once they are back", []lifecycle.Absence{}, at(2*time.Minute))
	if diff := cmp.Diff(back, get[lifecycle.Absence](t)(db.Absence(t.Context(), now.ID))); diff != "" {
		t.Errorf("the absence that was ended (-want +got):\n%s", diff)
	}
	if _, err := db.Absence(t.Context(), "abs_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown absence: %v", err)
	}
	whole(t, url)
}

func testGroups(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	save := func(g lifecycle.Group) error { return saveGroup(t, db, g) }
	g := sampleGroupOf("ana@acme.test")
	must(t, save(g))
	if err := save(g); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("stored again: %v, want a duplicate", err)
	}
	want := func(what string, g lifecycle.Group) {
		t.Helper()
		if diff := cmp.Diff([]lifecycle.Group{g}, get[[]lifecycle.Group](t)(db.Groups(t.Context()))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	n := lines(t, db)
	must(t, db.GroupRead(t.Context(), g.ID, noon().Add(time.Hour)))
	must(t, db.GroupRead(t.Context(), g.ID, noon().Add(time.Minute)))
	g.ReadAt = noon().Add(time.Hour)
	want("read again, and once more by who was slower", g)
	if lines(t, db) != n {
		t.Error("that it was read left a line")
	}
	g.Revision, g.Emails = 2, []string{"bo@acme.test"}
	if won := together(8, func() bool { return save(g) == nil }); won != 1 {
		t.Errorf("%d of those who read it at once won, want 1", won)
	}
	want("with another member", g)
	skips := g
	skips.Revision = 4
	if err := save(skips); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("a revision that skips one: %v, want a conflict", err)
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobShow); n != 2 || j != 2 {
		t.Errorf("%d lines and %d jobs, want 2 and 2", n, j)
	}
	must(t, db.GroupRead(t.Context(), "S0NONE", noon()))
	want("when another was read that is not known", g)
	whole(t, url)
}

// testTallies calls the roll twice on one day and once on the next.
func testTallies(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	stale, kept := sampleFinding("fnd_1"), sampleFinding("fnd_2")
	stale.Kind, kept.Exception = lifecycle.FoundStale, "exc_1"
	call := func(at time.Time, open ...lifecycle.Finding) {
		t.Helper()
		must(t, db.SaveRollCall(t.Context(), rollCall(at, []lifecycle.Account{{ID: "P1"}}, open, nil)))
	}
	call(noon())
	call(noon().Add(time.Hour), stale, kept)
	call(noon().Add(30*time.Minute), stale) // of another replica, which was slower
	call(noon().Add(24*time.Hour), kept)
	day := func(at time.Time) lifecycle.Date { return lifecycle.Date(at.Format(time.DateOnly)) }
	want := []lifecycle.Tally{
		{Day: day(noon()), At: noon().Add(time.Hour), Kinds: map[lifecycle.FindingKind]int{lifecycle.FoundStale: 1}, Kept: 1, Seen: 1},
		{Day: day(noon().Add(24 * time.Hour)), At: noon().Add(24 * time.Hour), Kinds: map[lifecycle.FindingKind]int{}, Kept: 1, Seen: 1},
	}
	if diff := cmp.Diff(want, get[[]lifecycle.Tally](t)(db.Tallies(t.Context(), day(noon())))); diff != "" {
		t.Errorf("the last roll call of each day (-want +got):\n%s", diff)
	}
	if got := get[[]lifecycle.Tally](t)(db.Tallies(t.Context(), day(noon().Add(24*time.Hour)))); len(got) != 1 {
		t.Errorf("from the second day on: %+v", got)
	}
	whole(t, url)
}

func testGranted(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	granted := func(at time.Time) []lifecycle.Request {
		return get[[]lifecycle.Request](t)(db.Granted(t.Context(), at))
	}
	r := sampleRequest("req_for_a_day")
	r.Until = noon().Add(24 * time.Hour)
	save := func(r lifecycle.Request) {
		t.Helper()
		must(t, db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, string(r.ID))))
	}
	save(r)
	if got := granted(noon()); len(got) != 0 {
		t.Errorf("before it is done: %+v", got)
	}
	r.Revision, r.State = 2, lifecycle.Done
	save(r)
	for at, want := range map[time.Duration]int{0: 1, 24*time.Hour - time.Microsecond: 1, 24 * time.Hour: 0} {
		if got := granted(noon().Add(at)); len(got) != want {
			t.Errorf("after %s %d are granted, want %d", at, len(got), want)
		}
	}
	r.Revision, r.Until = 3, r.Until.Add(time.Hour)
	save(r)
	if got := granted(noon().Add(24 * time.Hour)); len(got) != 1 || !got[0].Until.Equal(r.Until) {
		t.Errorf("once it ends later: %+v", got)
	}
	returned := r
	returned.Revision, returned.GivenBack = 4, noon()
	save(returned)
	if got := granted(noon()); len(got) != 0 {
		t.Errorf("once it is given back: %+v", got)
	}
	r.Revision, r.EndedBy = 5, "req_end"
	save(r)
	if got := granted(noon()); len(got) != 0 {
		t.Errorf("once it is ended: %+v", got)
	}
	whole(t, url)
	r.Revision, r.EndedBy, r.Until = 6, "", time.Time{}
	save(r)
	if got := granted(noon()); len(got) != 0 {
		t.Errorf("what does not end is no grant that does: %+v", got)
	}
	whole(t, url)
}

func testTeamManagers(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	on := func(id, email, team string, role lifecycle.TeamRole) lifecycle.Account {
		return lifecycle.Account{ID: lifecycle.AccountID(id), Email: email, Name: `"role":"manager"`, Teams: []lifecycle.Membership{{Team: lifecycle.Team{ID: lifecycle.TeamID(team)}, Role: role}}}
	}
	ana, bo, cleo, dan := on("P1", "ana@acme.test", "PT1", lifecycle.TeamManager), on("P2", "bo@acme.test", "PT2", lifecycle.TeamManager), on("P3", "cleo@acme.test", "PT1", lifecycle.TeamResponder), on("P4", "a.dan@acme.test", "PT1", lifecycle.TeamManager)
	must(t, db.SaveRollCall(t.Context(), rollCall(noon(), []lifecycle.Account{ana, bo, cleo, dan}, nil, nil)))
	of := func(team lifecycle.TeamID) (ids []lifecycle.AccountID) {
		for _, a := range get[[]lifecycle.Account](t)(db.TeamManagers(t.Context(), team)) {
			ids = append(ids, a.ID)
		}
		return ids
	}
	if diff := cmp.Diff([]lifecycle.AccountID{"P4", "P1"}, of("PT1")); diff != "" {
		t.Errorf("by address (-want +got):\n%s", diff)
	}
	stepped := on("P4", "a.dan@acme.test", "PT1", lifecycle.TeamObserver)
	r := sampleRequest("req_1")
	must(t, db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, "")))
	r.Revision = 2
	must(t, db.SaveEffect(t.Context(), r, lifecycle.Effect{Account: "P4", Held: &stepped}, event(lifecycle.EventChangeVerified, "")))
	must(t, db.SaveRollCall(t.Context(), rollCall(noon().Add(time.Hour), []lifecycle.Account{bo, cleo, stepped}, nil, nil)))
	if got := of("PT1"); len(got) != 0 {
		t.Errorf("one is gone and one has stepped down, and there are still %v", got)
	}
	g := lifecycle.Glance{Until: noon().Add(2 * time.Hour), Gone: []lifecycle.AccountID{"P2"}, Events: []lifecycle.AuditEvent{event(lifecycle.EventGlanceDone, "")}}
	cleo.Teams = append(cleo.Teams[:0:0], bo.Teams[0], ana.Teams[0], bo.Teams[0])
	g.Accounts = []lifecycle.Account{cleo}
	must(t, db.SaveGlance(t.Context(), g))
	for _, team := range []lifecycle.TeamID{"PT1", "PT2"} {
		if diff := cmp.Diff([]lifecycle.AccountID{"P3"}, of(team)); diff != "" {
			t.Errorf("of %s, after a glance (-want +got):\n%s", team, diff)
		}
	}
	if got := of("PNONE"); len(got) != 0 {
		t.Errorf("a team that nobody knows is managed by %v", got)
	}
	whole(t, url)
}
