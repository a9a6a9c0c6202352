package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// found is a finding about Ben's admin role, as a roll call has it.
func found() lifecycle.Finding {
	return lifecycle.Finding{
		ID: "fnd_1", Kind: lifecycle.FoundDrift, Severity: lifecycle.SeverityMedium, Source: "roll call", Since: monday,
		Account: lifecycle.AccountCard{ID: "PBEN", Name: "Ben Ode"}, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "admin"},
		From: "admin", To: "limited_user", Note: "Before.",
	}
}

// wrote is a request of ours that made Ben an admin at that time.
func wrote(at time.Time) lifecycle.Request {
	return lifecycle.Request{
		ID: "req_1", Kind: lifecycle.RequestSelf, State: lifecycle.Done, Account: lifecycle.AccountRef{ID: "PBEN"}, OpenedAt: at.Add(-2 * time.Hour), UpdatedAt: at,
		Decisions: []lifecycle.Decision{{By: "priya@acme.test", Verdict: lifecycle.Approve, At: at.Add(-time.Hour)}},
		Changes: []lifecycle.Change{{
			ID: "chg_1", Op: lifecycle.OpReplace, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "admin"},
			From: "limited_user", To: "admin", State: lifecycle.ChangeVerified, VerifiedAt: at,
		}},
	}
}

func TestWhoMadeItSo(t *testing.T) {
	t.Parallel()
	at := monday.Add(-7 * time.Hour)
	by := func(change func(*lifecycle.Trace)) lifecycle.Trace {
		tr := risen(at, lifecycle.RoleAdmin)
		change(&tr)
		return tr
	}
	ours := func(tr *lifecycle.Trace) {
		tr.Way, tr.Key, tr.Ours, tr.By, tr.ByName = lifecycle.WayKey, "9f2c", true, "", ""
	}
	const (
		untold  = "Before. PagerDuty's audit records do not tell who made it so."
		nobodys = "rolecall's own key …9f2c at 02:00 UTC on 4 May, but rolecall has no such change on record"
	)
	for name, tt := range map[string]struct {
		traces   []lifecycle.Trace
		requests []lifecycle.Request
		by, note string
		foreign  bool
	}{
		"a person in the web app": {[]lifecycle.Trace{risen(at, lifecycle.RoleAdmin)}, nil, "Sam Ito in the web app at 02:00 UTC on 4 May", "Before.", false},
		"a person with a key":     {[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.Way, tr.Key = lifecycle.WayKey, "77aa" })}, nil, "Sam Ito with API key …77aa at 02:00 UTC on 4 May", "Before.", false},
		"a key of the account": {
			[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.Way, tr.Key, tr.By, tr.ByName = lifecycle.WayKey, "77aa", "", "" })},
			nil, "API key …77aa, which is not rolecall's, at 02:00 UTC on 4 May", "Before.", false,
		},
		"an app":                      {[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.Way, tr.By, tr.ByName = lifecycle.WayApp, "", "Terraform" })}, nil, "an app Terraform at 02:00 UTC on 4 May", "Before.", false},
		"the identity provider":       {[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.Way, tr.By, tr.ByName = lifecycle.WayIdentity, "", "" })}, nil, "single sign-on provisioning at 02:00 UTC on 4 May", "Before.", false},
		"nobody that is named":        {[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.Way, tr.By, tr.ByName = lifecycle.WayOther, "", "" })}, nil, "somebody whom PagerDuty does not name at 02:00 UTC on 4 May", "Before.", false},
		"in another year":             {[]lifecycle.Trace{risen(at.AddDate(-1, 0, 0), lifecycle.RoleAdmin)}, nil, "Sam Ito in the web app at 02:00 UTC on 4 May 2025", "Before.", false},
		"no record":                   {nil, nil, "", untold, false},
		"a record of somebody else's": {[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.Account = "PSAM" })}, nil, "", untold, false},
		"a record of another role, after which none of this one is": {
			[]lifecycle.Trace{risen(at, lifecycle.RoleAdmin), by(func(tr *lifecycle.Trace) { tr.At, tr.To = at.Add(time.Hour), "observer" })}, nil, "", untold, false,
		},
		"the newest of two, in whatever order": {
			[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.At, tr.ByName = at.Add(time.Hour), "Bo Lind" }), risen(at, lifecycle.RoleAdmin)},
			nil, "Bo Lind in the web app at 03:00 UTC on 4 May", "Before.", false,
		},
		"whoever made the account, with that role": {
			[]lifecycle.Trace{by(func(tr *lifecycle.Trace) {
				tr.Op, tr.Entitlement.Kind, tr.From = lifecycle.OpCreate, lifecycle.KindAccount, ""
			})},
			nil, "Sam Ito in the web app at 02:00 UTC on 4 May", "Before.", false,
		},
		"rolecall, as was asked":                       {[]lifecycle.Trace{by(ours)}, []lifecycle.Request{wrote(at)}, "rolecall at 02:00 UTC on 4 May, as request req_1 asked", "Before.", false},
		"rolecall's key, long after what rolecall did": {[]lifecycle.Trace{by(ours)}, []lifecycle.Request{wrote(at.Add(-time.Hour))}, nobodys, "Before.", true},
		"rolecall's key, while what was approved still held": {[]lifecycle.Trace{by(ours)}, []lifecycle.Request{func() lifecycle.Request {
			r := wrote(at.Add(31 * time.Minute))
			r.Decisions[0].At, r.HoldUntil = at.Add(-time.Hour), at.Add(30*time.Minute)
			return r
		}()}, nobodys, "Before.", true},
		"rolecall's key, before anybody had decided": {[]lifecycle.Trace{by(ours)}, []lifecycle.Request{wrote(at.Add(3 * time.Hour))}, nobodys, "Before.", true},
		"rolecall's key, and nothing on record":      {[]lifecycle.Trace{by(ours)}, nil, nobodys, "Before.", true},
		"rolecall's app, of which no key is shown": {
			[]lifecycle.Trace{by(func(tr *lifecycle.Trace) { tr.Way, tr.Ours = lifecycle.WayApp, true })},
			nil,
			"rolecall's own key at 02:00 UTC on 4 May, but rolecall has no such change on record", "Before.", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := []lifecycle.Finding{found()}
			got := lifecycle.Explain(given, tt.traces, tt.requests)[0]
			want := found()
			want.MadeBy, want.Note, want.Foreign = tt.by, tt.note, tt.foreign
			if tt.foreign {
				want.Severity = lifecycle.SeverityHigh
			}
			if diff := cmp.Diff(want, got); diff != "" || cmp.Diff(found(), given[0]) != "" {
				t.Errorf("finding (-want +got), given %+v:\n%s", given[0], diff)
			}
		})
	}
}

// What PagerDuty does by itself with what we write is ours too.
func TestWhatIsOursAlthoughNoChangeNamesIt(t *testing.T) {
	t.Parallel()
	joined := lifecycle.Trace{
		ID: "PDAR2", At: monday, Op: lifecycle.OpGrant, Account: "PSAM", Entitlement: lifecycle.OnTeam(payments, ""), Way: lifecycle.WayKey, Key: "9f2c", Ours: true,
	}
	made := joined
	made.Op, made.Entitlement = lifecycle.OpCreate, lifecycle.Entitlement{Kind: lifecycle.KindAccount}
	left := joined
	left.Op = lifecycle.OpRevoke
	handover := wrote(monday)
	handover.Changes = []lifecycle.Change{{Op: lifecycle.OpHandover, Entitlement: level(payments.ID, 1).Entitlement(), From: "PBEN", To: "PSAM", State: lifecycle.ChangeApplied}}
	create := wrote(monday)
	create.Account.ID = "PSAM"
	create.Changes = []lifecycle.Change{{Op: lifecycle.OpCreate, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}, To: "observer", State: lifecycle.ChangeVerified, VerifiedAt: monday}}
	revoke := wrote(monday)
	revoke.Account.ID, revoke.State = "PSAM", lifecycle.Applying
	revoke.Changes = []lifecycle.Change{{Op: lifecycle.OpRevoke, Entitlement: lifecycle.OnTeam(payments, lifecycle.TeamResponder), From: "responder", State: lifecycle.ChangePlanned}}
	held := revoke
	held.State = lifecycle.Holding
	for name, tt := range map[string]struct {
		trace lifecycle.Trace
		r     lifecycle.Request
		ours  bool
	}{
		"who takes over a level is put on its team":           {joined, handover, true},
		"nobody is taken off a team by it":                    {left, handover, false},
		"a new account comes with its role":                   {made, create, true},
		"a new account is put on no team by that":             {joined, create, false},
		"a write of which the answer may be on the way":       {left, revoke, true},
		"what waits has not been written":                     {left, held, false},
		"what is being written says who is meant":             {func() lifecycle.Trace { t := left; t.Account = "PBEN"; return t }(), revoke, false},
		"what is being written says which team is meant":      {func() lifecycle.Trace { t := left; t.Entitlement.Team = platform; return t }(), revoke, false},
		"what is being written says that it takes, not gives": {joined, revoke, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.call(t)
			h.pass(time.Hour)
			tt.trace.At = h.now()
			tt.r.UpdatedAt, tt.r.Revision, tt.r.Changes[0].VerifiedAt = h.now(), 1, h.now()
			must(t, h.store.SaveRequest(t.Context(), tt.r, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventRequestOpened, Ref: "req_1"}))
			h.pager.traces = []lifecycle.Trace{tt.trace}
			_, err := h.rollCall().Glance(t.Context(), lifecycle.System)
			must(t, err)
			h.work(t)
			if (len(h.alerts) == 0) != tt.ours {
				t.Errorf("alerts: %q, want none: %t", h.alerts, tt.ours)
			}
		})
	}
}

func TestARollCallNamesWhoMadeWhatIsNewAndAsksOnlyThen(t *testing.T) {
	t.Parallel()
	h, f := drifted(t) // of which PagerDuty's records told nothing
	if f.MadeBy != "" || f.Note != "At the last roll call it was Responder (limited_user). PagerDuty's audit records do not tell who made it so." {
		t.Errorf("without a record: %+v", f)
	}
	if diff := cmp.Diff([]time.Time{monday.Add(-time.Hour)}, h.pager.asked); diff != "" {
		t.Errorf("asked since (-want +got):\n%s", diff)
	}
	h.pager.traces = []lifecycle.Trace{risen(h.now(), lifecycle.RoleManager)}
	h.setBase(lifecycle.RoleManager)
	h.pass(4 * time.Hour)
	f = h.found(t)
	if f.MadeBy != "Sam Ito in the web app at 13:00 UTC on 4 May" || f.Kind != lifecycle.FoundDrift {
		t.Errorf("it has become another role: %+v", f)
	}
	h.pass(4 * time.Hour)
	if again := h.found(t); again.MadeBy != f.MadeBy || again.Note != f.Note || len(h.pager.asked) != 2 {
		t.Errorf("nothing is new: asked %d times, %+v", len(h.pager.asked), again)
	}
	h.setBase(lifecycle.RoleAdmin) // by somebody of whom there is no record
	h.pass(4 * time.Hour)
	if f = h.found(t); f.MadeBy != "" || f.Note != "At the last roll call it was Manager (user). PagerDuty's audit records do not tell who made it so." {
		t.Errorf("it has become another role, and Sam is blamed: %+v", f)
	}
}

func TestTheCardSaysWhoMadeItSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.call(t)
	h.setBase(lifecycle.RoleAdmin)
	h.pager.traces = []lifecycle.Trace{risen(h.now().Add(time.Hour), lifecycle.RoleAdmin)}
	h.pass(4 * time.Hour)
	h.found(t)
	want := "Ben Ode was given Global Admin (admin) with no decision on file; policy says Responder (limited_user). At the last roll call it was Responder (limited_user). Made so by Sam Ito in the web app at 10:00 UTC on 4 May."
	if got := h.only(t, lifecycle.Pending).Why.Event; got != want {
		t.Errorf("the card says %q\nwant %q", got, want)
	}
}

func TestARollCallGoesOnWhenNobodyCanBeNamed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		says string
	}{
		"the plan has no audit records": {lifecycle.Refuse(lifecycle.ErrForbidden, "PagerDuty's plan has no audit records."), "PagerDuty's plan has no audit records."},
		"the records cannot be read":    {errors.New("502"), "PagerDuty's audit records could not be read, so nobody is named: 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pager.noTraces = tt.err
			h.pager.put(account(lifecycle.RoleAdmin, on(payments, lifecycle.TeamResponder)))
			h.known(t, person("Payments"))
			result := h.call(t)
			if diff := cmp.Diff([]time.Time{monday.Add(-365 * day)}, h.pager.asked); diff != "" {
				t.Errorf("the first roll call asks for what PagerDuty remembers (-want +got):\n%s", diff)
			}
			if len(result.Open) != 1 || result.Open[0].Note != tt.says || !strings.Contains(strings.Join(result.Blind, " "), tt.says) {
				t.Errorf("found %+v, blind %q", result.Open, result.Blind)
			}
			h.only(t, lifecycle.Pending)
		})
	}
}

func TestWhatALeaverIsGivenBackIsDriftAndStaysTheSameFinding(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	h.approve(t, h.only(t, lifecycle.Pending), "marco") // the deletion, which holds
	h.pass(4 * time.Hour)
	h.call(t)
	a, _ := h.pager.see("PBEN")
	a.BaseRole, a.Teams = lifecycle.RoleManager, []lifecycle.Membership{on(payments, lifecycle.TeamManager)}
	h.pager.put(a)
	h.pager.traces = []lifecycle.Trace{risen(h.now(), lifecycle.RoleManager)}
	h.pass(4 * time.Hour)
	f := h.found(t)
	want := "Ben Ode has left, and was given back Manager (user) and Payments: manager with no decision on file. Made so by Sam Ito in the web app at 13:00 UTC on 4 May."
	if f.Kind != lifecycle.FoundDrift || f.Severity != lifecycle.SeverityHigh || f.Story() != want {
		t.Errorf("found %s %s: %s\nwant %s", f.Kind, f.Severity, f.Story(), want)
	}
	h.pass(4 * time.Hour)
	if again := h.found(t); again.ID != f.ID || again.Story() != want || again.Request != f.Request {
		t.Errorf("the next roll call: %+v", again)
	}
	h.approve(t, h.only(t, lifecycle.Pending), "priya")
	if a, _ := h.pager.see("PBEN"); !a.Contained() {
		t.Errorf("Ben still holds %+v", a)
	}
}

func TestWhoIsBackIsNotContainedForWhatTheyWereGivenBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	h.approve(t, h.only(t, lifecycle.Pending), "marco")
	h.pass(4 * time.Hour)
	h.call(t)
	h.setBase(lifecycle.RoleManager)
	h.pass(4 * time.Hour)
	result, err := h.rollCall().Run(t.Context(), lifecycle.System)
	must(t, err)
	i := h.who(t, "ben")
	i.Person.Status = lifecycle.StatusActive
	i.Revision++
	must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID)}))
	h.work(t)
	for _, r := range h.requests(t, lifecycle.Pending) {
		if r.Why.Find == result.Open[0].ID {
			t.Errorf("asked: %v", h.story(t))
		}
	}
}
