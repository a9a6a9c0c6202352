package storagetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testFindings(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	f := sampleFinding("fnd_1")
	f.Source = "scanner"
	save := func(f lifecycle.Finding) bool {
		duplicate, err := db.SaveFinding(t.Context(), f, event(lifecycle.EventFindingOpened, string(f.ID)), lifecycle.Job{Kind: lifecycle.JobAsk, Ref: string(f.ID)})
		must(t, err)
		return duplicate
	}
	if save(f) || !save(f) {
		t.Error("the first is no duplicate, and the second is")
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobAsk); n != 1 || j != 1 {
		t.Errorf("after a repeat there are %d lines and %d jobs, want 1 and 1", n, j)
	}
	if _, err := db.Finding(t.Context(), "fnd_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown finding: %v", err)
	}
	ask := sampleRequest("fnd_1")
	ask.Why.Find = f.ID
	must(t, db.SaveRequest(t.Context(), ask, event(lifecycle.EventRequestOpened, string(ask.ID))))
	if got := finding(t, db, f.ID); got.Request != ask.ID {
		t.Errorf("the finding is asked about by %q, want %s", got.Request, ask.ID)
	}
	kept := sampleException(f)
	must(t, db.KeepFinding(t.Context(), moved(ask, lifecycle.Denied), kept, event(lifecycle.EventRequestDenied, string(ask.ID))))
	if got := finding(t, db, f.ID); got.Exception != kept.ID || got.Request != ask.ID {
		t.Errorf("kept by %q, asked by %q; want %s and %s", got.Exception, got.Request, kept.ID, ask.ID)
	}
	if diff := cmp.Diff(kept, get[lifecycle.Exception](t)(db.Exception(t.Context(), kept.ID))); diff != "" {
		t.Errorf("the exception (-want +got):\n%s", diff)
	}
	if _, err := db.Exception(t.Context(), "exc_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown exception: %v", err)
	}
	for at, want := range map[time.Time]int{noon(): 1, kept.Until.Add(-time.Microsecond): 1, kept.Until: 0} {
		_, exceptions, err := db.Findings(t.Context(), at)
		if err != nil || len(exceptions) != want {
			t.Errorf("%d exceptions stand at %s, %v; want %d", len(exceptions), at, err, want)
		}
	}
	if err := db.KeepFinding(t.Context(), moved(ask, lifecycle.Denied), sampleException(f), event(lifecycle.EventRequestDenied, "")); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("kept by two at once: %v, want a conflict", err)
	}
	anew := sampleRequest("fnd_1_again")
	anew.Why.Find = f.ID
	must(t, db.SaveRequest(t.Context(), anew, event(lifecycle.EventRequestOpened, string(anew.ID))))
	if got := finding(t, db, f.ID); got.Exception != "" || got.Request != anew.ID {
		t.Errorf("asked anew, it is kept by %q and asked by %q; want nothing and %s", got.Exception, got.Request, anew.ID)
	}
	t.Run("one that was cleared stands again", func(t *testing.T) {
		cleared := finding(t, db, f.ID)
		cleared.ClearedAt = noon()
		must(t, db.SaveRollCall(t.Context(), rollCall(noon(), nil, nil, []lifecycle.Finding{cleared})))
		if open, _, _ := db.Findings(t.Context(), noon()); len(open) != 0 {
			t.Errorf("%d findings stand, want none", len(open))
		}
		f.Since = noon().Add(time.Hour)
		if save(f) {
			t.Error("it was taken for a duplicate")
		}
		if diff := cmp.Diff(f, finding(t, db, f.ID)); diff != "" {
			t.Errorf("it stands with traces of before:\n%s", diff)
		}
	})
	whole(t, url)
}

func finding(t *testing.T, db *storage.DB, id lifecycle.FindingID) lifecycle.Finding {
	t.Helper()
	return get[lifecycle.Finding](t)(db.Finding(t.Context(), id))
}

func testRollCalls(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	if at := get[time.Time](t)(db.LastRollCall(t.Context())); !at.IsZero() {
		t.Errorf("before the first, the last was %s", at)
	}
	accounts := []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2"), sampleAccount("P3")}
	open := []lifecycle.Finding{sampleFinding("fnd_1"), sampleFinding("fnd_2")}
	first := rollCall(noon(), accounts, open, nil)
	first.Events = append([]lifecycle.AuditEvent{event(lifecycle.EventFindingOpened, "fnd_1"), event(lifecycle.EventFindingOpened, "fnd_2")}, first.Events...)
	must(t, db.SaveRollCall(t.Context(), first, lifecycle.Job{Kind: lifecycle.JobAsk, Ref: "fnd_1"}, lifecycle.Job{Kind: lifecycle.JobAsk, Ref: "fnd_2"}))
	stands(t, db, accounts, open)
	if at := get[time.Time](t)(db.LastRollCall(t.Context())); !at.Equal(noon()) {
		t.Errorf("the last was %s, want %s", at, noon())
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobAsk); n != 3 || j != 2 {
		t.Errorf("%d lines and %d jobs, want 3 and 2", n, j)
	}
	t.Run("the next replaces it", func(t *testing.T) {
		gone := open[1]
		gone.ClearedAt = noon().Add(time.Hour)
		accounts[0].BaseRole = lifecycle.RoleObserver
		must(t, db.SaveRollCall(t.Context(), rollCall(noon().Add(time.Hour), accounts[:2], open[:1], []lifecycle.Finding{gone})))
		stands(t, db, accounts[:2], open[:1])
		if got := finding(t, db, gone.ID); !got.ClearedAt.Equal(gone.ClearedAt) {
			t.Errorf("the cleared finding says %s", got.ClearedAt)
		}
	})
	t.Run("without its audit line it is refused", func(t *testing.T) {
		if err := db.SaveRollCall(t.Context(), lifecycle.RollResult{}); err == nil {
			t.Error("it was stored")
		}
	})
	whole(t, url)
	t.Run("what happened while it looked is kept", func(t *testing.T) { testSlowRollCall(t, x) })
}

func stands(t *testing.T, db *storage.DB, accounts []lifecycle.Account, open []lifecycle.Finding) {
	t.Helper()
	if diff := cmp.Diff(accounts, get[[]lifecycle.Account](t)(db.Baseline(t.Context())), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the baseline (-want +got):\n%s", diff)
	}
	for _, a := range accounts {
		if hits := get[[]lifecycle.Account](t)(db.BaselineByEmail(t.Context(), " "+strings.ToUpper(a.Email))); !slices.ContainsFunc(hits, func(b lifecycle.Account) bool { return b.ID == a.ID }) {
			t.Errorf("account %s is not found by its address %s", a.ID, a.Email)
		}
	}
	got, _, err := db.Findings(t.Context(), noon())
	must(t, err)
	if diff := cmp.Diff(open, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the findings (-want +got):\n%s", diff)
	}
}

func testSlowRollCall(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	f := sampleFinding("fnd_1")
	must(t, db.SaveRollCall(t.Context(), rollCall(noon(), []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2")}, []lifecycle.Finding{f}, nil)))

	looked := rollCall(noon().Add(time.Minute), []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2")}, []lifecycle.Finding{f}, nil)
	ask := sampleRequest("fnd_1")
	ask.Why.Find = f.ID
	must(t, db.SaveRequest(t.Context(), ask, event(lifecycle.EventRequestOpened, string(ask.ID))))
	kept := sampleException(f)
	must(t, db.KeepFinding(t.Context(), moved(ask, lifecycle.Denied), kept, event(lifecycle.EventRequestDenied, string(ask.ID))))
	changed, doer := sampleAccount("P1"), sampleRequest("ntc_2")
	changed.BaseRole = lifecycle.RoleManager
	later := event(lifecycle.EventChangeVerified, string(doer.ID))
	later.At = noon().Add(2 * time.Minute)
	must(t, db.SaveEffect(t.Context(), doer, lifecycle.Effect{Account: "P1", Held: &changed}, later))
	deleter := sampleRequest("ntc_3")
	must(t, db.SaveEffect(t.Context(), deleter, lifecycle.Effect{Account: "P2"}, later))

	must(t, db.SaveRollCall(t.Context(), looked))
	f.Request, f.Exception = ask.ID, kept.ID
	stands(t, db, []lifecycle.Account{changed}, []lifecycle.Finding{f})

	must(t, db.SaveRollCall(t.Context(), rollCall(noon().Add(time.Hour), []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2")}, []lifecycle.Finding{f}, nil)))
	stands(t, db, []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2")}, []lifecycle.Finding{f})
	whole(t, url)
}

func testEffects(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ana := sampleIdentity("ana")
	must(t, db.SaveIdentity(t.Context(), ana, nil, event(lifecycle.EventIdentityChanged, string(ana.ID))))
	r := sampleRequest("ntc_1")
	account := sampleAccount("PANA")
	effect := func(held *lifecycle.Account, who lifecycle.IdentityID) {
		t.Helper()
		must(t, db.SaveEffect(t.Context(), r, lifecycle.Effect{Account: "PANA", Held: held, Identity: who}, event(lifecycle.EventChangeVerified, string(r.ID)), lifecycle.Job{Kind: lifecycle.JobShow, Ref: string(r.ID)}))
		r = moved(r, lifecycle.Applying)
	}
	pinned := func(who lifecycle.IdentityID, account lifecycle.AccountID, revision int) {
		t.Helper()
		if got := get[lifecycle.Identity](t)(db.Identity(t.Context(), who)); got.Account != account || got.Revision != revision {
			t.Errorf("%s is pinned to %q at revision %d, want %q at %d", got.Person.Name, got.Account, got.Revision, account, revision)
		}
	}
	effect(&account, ana.ID)
	stands(t, db, []lifecycle.Account{account}, nil)
	pinned(ana.ID, "PANA", 2)
	account.Teams = nil
	effect(&account, ana.ID)
	stands(t, db, []lifecycle.Account{account}, nil)
	pinned(ana.ID, "PANA", 2)

	bo := sampleIdentity("bo")
	must(t, db.SaveIdentity(t.Context(), bo, nil, event(lifecycle.EventIdentityChanged, string(bo.ID))))
	effect(&account, bo.ID) // is Ana's: what was done is on record, and the tie is left alone
	pinned(bo.ID, "", 1)
	effect(nil, ana.ID)
	stands(t, db, nil, nil)
	pinned(ana.ID, "", 3)
	effect(nil, "") // an orphan is nobody
	if j := jobs(t, db, lifecycle.JobShow); j != 5 {
		t.Errorf("%d jobs, want 5", j)
	}
	whole(t, url)
	t.Run("an invitation waits since it was first seen", func(t *testing.T) { testInvitation(t, x.open(t)) })
	t.Run("what only a roll call tells outlives a change", func(t *testing.T) { testCarried(t, x.open(t)) })
}

func testCarried(t *testing.T, db *storage.DB) {
	a := sampleAccount("P1")
	told := a
	told.SeenAt, told.Duties, told.Used = after(0), []string{"level 1 of Payments-Crit"}, lifecycle.Signal{At: after(0), Proxy: "signed in"}
	must(t, db.SaveRollCall(t.Context(), rollCall(after(0), []lifecycle.Account{told}, nil, nil)))
	r := sampleRequest("ntc_1")
	e := event(lifecycle.EventChangeVerified, string(r.ID))
	e.At = after(1)
	a.BaseRole = lifecycle.RoleObserver
	must(t, db.SaveEffect(t.Context(), r, lifecycle.Effect{Account: a.ID, Held: &a}, e))
	told.BaseRole = lifecycle.RoleObserver
	stands(t, db, []lifecycle.Account{told}, nil)
}

// PagerDuty does not say since when an invitation waits, so what is read back does not either.
func testInvitation(t *testing.T, db *storage.DB) {
	r, a := sampleRequest("ntc_1"), sampleAccount("P1")
	a.Invited = true
	for minutes, step := range []struct {
		invited bool
		want    time.Time
	}{{true, after(0)}, {true, after(0)}, {false, time.Time{}}, {true, after(3)}, {true, after(3)}} {
		a.Invited, a.BaseRole = step.invited, []lifecycle.BaseRole{lifecycle.RoleObserver, lifecycle.RoleResponder}[minutes%2]
		e := event(lifecycle.EventChangeVerified, string(r.ID))
		e.At = after(minutes)
		must(t, db.SaveEffect(t.Context(), r, lifecycle.Effect{Account: a.ID, Held: &a}, e))
		want := a
		want.InvitedAt = step.want
		stands(t, db, []lifecycle.Account{want}, nil)
		r = moved(r, lifecycle.Applying)
	}
	if !a.InvitedAt.IsZero() {
		t.Error("the caller's account was changed")
	}
}
