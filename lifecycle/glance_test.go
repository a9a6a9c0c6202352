package lifecycle_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

// quiet is a house whose roll has been called, and where nothing was found.
func quiet(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	if result := h.call(t); len(result.Open) != 0 {
		t.Fatalf("found %v", result.Open)
	}
	h.pass(time.Hour)
	return h
}

// raised makes Ben an admin, of which PagerDuty's records tell.
func (h *house) raised() {
	h.setBase(lifecycle.RoleAdmin)
	h.pager.traces = append(h.pager.traces, risen(h.now().Add(-time.Minute), lifecycle.RoleAdmin))
}

// glance looks, and works what follows.
func (h *house) glance(t *testing.T) lifecycle.RollResult {
	t.Helper()
	result, err := h.rollCall().Glance(t.Context(), lifecycle.System)
	must(t, err)
	h.work(t)
	return result
}

// writes returns how many lines the trail has.
func (h *house) writes() int {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	return len(h.store.lines)
}

func TestAGlanceFindsNamesAndAsksWithinMinutes(t *testing.T) {
	t.Parallel()
	h := quiet(t)
	h.raised()
	result := h.glance(t)
	r := h.only(t, lifecycle.Pending)
	if len(result.Open) != 1 || result.Open[0].MadeBy != "Sam Ito in the web app at 09:59 UTC on 4 May" || result.Open[0].Severity != lifecycle.SeverityHigh {
		t.Fatalf("found %+v", result.Open)
	}
	f, err := h.store.Finding(t.Context(), result.Open[0].ID)
	must(t, err)
	if f.Request != r.ID || f.Kind != lifecycle.FoundDrift {
		t.Errorf("stored as %+v, asked by %s", f, r.ID)
	}
	h.pass(3 * time.Hour)
	if again := h.found(t); again.ID != f.ID || again.MadeBy != f.MadeBy || again.Kind != f.Kind || again.Request != f.Request {
		t.Errorf("the whole roll call after it: %+v\nwant %+v", again, f)
	}
	h.setBase(lifecycle.RoleResponder)
	back := risen(h.now(), lifecycle.RoleResponder)
	h.pager.traces = append(h.pager.traces, back)
	h.pass(time.Minute)
	if result := h.glance(t); len(result.Cleared) != 1 || len(result.Open) != 0 || h.request(t, r.ID).State != lifecycle.Withdrawn {
		t.Errorf("taken back in PagerDuty: %+v, the request is %s", result, h.request(t, r.ID).State)
	}
}

func TestAGlanceConcludesOnlyWhatItSaw(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*testing.T, *house)
		open   []string
		clears int
	}{
		"somebody new, whom nobody knows": {func(_ *testing.T, h *house) {
			h.pager.put(lifecycle.Account{ID: "PEVE", Email: "eve@acme.test", Name: "Eve", BaseRole: lifecycle.RoleAdmin})
			made := risen(h.now(), lifecycle.RoleAdmin)
			made.Op, made.Account, made.Entitlement.Kind = lifecycle.OpCreate, "PEVE", lifecycle.KindAccount
			h.pager.traces = append(h.pager.traces, made)
		}, []string{"orphan PEVE Sam Ito in the web app at 10:00 UTC on 4 May"}, 0},
		"a team that was deleted": {func(_ *testing.T, h *house) {
			h.pager.put(account(lifecycle.RoleResponder))
			h.pager.traces = append(h.pager.traces, lifecycle.Trace{ID: "PDAR3", At: h.now(), Op: lifecycle.OpDelete, Entitlement: lifecycle.OnTeam(payments, ""), By: "PSAM", ByName: "Sam Ito", Way: lifecycle.WayBrowser})
		}, []string{"missing PBEN "}, 0},
		"another account that has changed too, and is not named": {func(t *testing.T, h *house) {
			h.pager.put(lifecycle.Account{ID: "PEVE", Email: "eve@acme.test", Name: "Eve", BaseRole: lifecycle.RoleAdmin})
			h.raised()
		}, []string{"drift PBEN Sam Ito in the web app at 09:59 UTC on 4 May"}, 0},
		"an account that was deleted, and what was found of it": {func(t *testing.T, h *house) {
			h.setBase(lifecycle.RoleAdmin)
			h.call(t)
			h.pass(time.Hour)
			h.pager.drop("PBEN")
			gone := risen(h.now(), "")
			gone.Op, gone.Entitlement.Kind = lifecycle.OpDelete, lifecycle.KindAccount
			h.pager.traces = append(h.pager.traces, gone)
		}, nil, 1},
		"what was found of others stays": {func(t *testing.T, h *house) {
			h.pager.put(lifecycle.Account{ID: "PEVE", Email: "eve@acme.test", Name: "Eve", BaseRole: lifecycle.RoleAdmin})
			h.call(t)
			h.pass(time.Hour)
			h.raised()
		}, []string{"drift PBEN Sam Ito in the web app at 10:59 UTC on 4 May"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := quiet(t)
			tt.change(t, h)
			before, _, err := h.store.Findings(t.Context(), h.now())
			must(t, err)
			result := h.glance(t)
			var got []string
			for _, f := range result.Open {
				got = append(got, fmt.Sprintf("%s %s %s", f.Kind, f.Account.ID, f.MadeBy))
			}
			if diff := cmp.Diff(tt.open, got); diff != "" || len(result.Cleared) != tt.clears {
				t.Errorf("cleared %v; open (-want +got):\n%s", result.Cleared, diff)
			}
			after, _, err := h.store.Findings(t.Context(), h.now())
			must(t, err)
			if want := len(before) + len(result.Open) - len(result.Cleared); len(after) != want {
				t.Errorf("%d findings stand, want %d", len(after), want)
			}
			h.pager.traces = nil
			h.pass(time.Minute)
			writes := h.writes()
			if again := h.glance(t); len(again.Open)+len(again.Cleared) != 0 || h.writes() != writes {
				t.Errorf("the next glance has %+v", again)
			}
		})
	}
}

func TestARecordThatAppearsLateIsSeenByTheNextGlance(t *testing.T) {
	t.Parallel()
	h := quiet(t)
	h.call(t)
	h.setBase(lifecycle.RoleAdmin)
	h.pager.traces = []lifecycle.Trace{risen(h.now().Add(-4*time.Minute), lifecycle.RoleAdmin)} // and nothing told of it at the roll call
	h.pass(time.Minute)
	if result := h.glance(t); len(result.Open) != 1 {
		t.Errorf("found %v", result.Open)
	}
}

func TestAGlanceKeepsWhatOnlyAWholeRollCallTells(t *testing.T) {
	t.Parallel()
	h := idle(t)
	a := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	a.Invited = true
	h.pager.put(a)
	h.pager.coverage.Policies[0].Levels[0].Accounts = []lifecycle.AccountID{"PBEN"}
	h.call(t)
	before, err := h.store.Baseline(t.Context())
	must(t, err)
	h.pass(time.Hour)
	h.raised()
	h.glance(t)
	after, err := h.store.Baseline(t.Context())
	must(t, err)
	for i := range before {
		before[i].BaseRole = after[i].BaseRole
	}
	if diff := cmp.Diff(before, after); diff != "" || len(after[0].Duties) != 1 || after[0].InvitedAt.IsZero() {
		t.Errorf("what is known of accounts (-before +after):\n%s", diff)
	}
}

func TestAStaleAccountThatIsGivenMoreIsStaleStill(t *testing.T) {
	t.Parallel()
	h := idle(t)
	stale := h.found(t)
	h.pass(time.Hour)
	h.raised()
	if result := h.glance(t); len(result.Cleared) != 0 || len(result.Open) != 2 || !slices.ContainsFunc(result.Open, func(f lifecycle.Finding) bool { return f.ID == stale.ID }) {
		t.Errorf("a glance cannot see whether it is used: %+v", result)
	}
}

func TestAGlanceAtNothingNewWritesNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*testing.T, *house)
		calls  int // to the store and to PagerDuty
		blind  []string
	}{
		"before the first roll call":       {func(t *testing.T, h *house) { *h = *newHouse(t) }, 1, nil},
		"nothing has changed":              {func(*testing.T, *house) {}, 3, nil},
		"what has changed was seen before": {func(t *testing.T, h *house) { h.raised(); h.pass(10 * time.Minute); h.call(t); h.pass(time.Hour) }, 3, nil},
		"PagerDuty does not show its audit records": {func(_ *testing.T, h *house) {
			h.raised()
			h.pager.noTraces = lifecycle.Refuse(lifecycle.ErrForbidden, "The plan has no audit records.")
		}, 3, []string{"The plan has no audit records."}},
		"only rolecall has changed anything": {func(t *testing.T, h *house) {
			p := person("Platform")
			h.hear(t, p)
			h.work(t)
			for _, c := range h.requests(t)[0].Changes {
				op := c.Op
				h.pager.traces = append(h.pager.traces, lifecycle.Trace{ID: string(c.ID), At: h.now(), Op: op, Account: "PBEN", Entitlement: c.Entitlement, From: c.From, To: c.To, Way: lifecycle.WayKey, Key: "9f2c", Ours: true})
			}
			h.approve(t, h.only(t, lifecycle.Pending), "marco")
			if len(h.pager.traces) == 0 {
				t.Fatal("rolecall has changed nothing")
			}
		}, 4, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := quiet(t)
			tt.change(t, h)
			writes := h.writes()
			h.faults.hit(0, dead)
			result := h.glance(t)
			if diff := cmp.Diff(lifecycle.RollResult{Blind: tt.blind}, result, cmpopts.IgnoreUnexported(lifecycle.RollResult{})); diff != "" || h.writes() != writes || h.faults.calls != tt.calls || len(h.alerts) != 0 {
				t.Errorf("%d calls, want %d; %d lines; alerts %q; result (-want +got):\n%s", h.faults.calls, tt.calls, h.writes()-writes, h.alerts, diff)
			}
		})
	}
}

func TestAGlanceLeavesMuchToTheWholeRollCall(t *testing.T) {
	t.Parallel()
	h := quiet(t)
	for i := range 51 {
		tr := risen(h.now(), lifecycle.RoleAdmin)
		tr.Account = lifecycle.AccountID(fmt.Sprintf("P%d", i))
		h.pager.traces = append(h.pager.traces, tr)
	}
	_, err := h.rollCall().Glance(t.Context(), lifecycle.System)
	must(t, err)
	if h.store.waiting(lifecycle.JobRollCall) != 1 || h.trail(lifecycle.EventGlanceDone) != 1 {
		t.Errorf("%d roll calls wait, with %d lines", h.store.waiting(lifecycle.JobRollCall), h.trail(lifecycle.EventGlanceDone))
	}
}

func TestSomebodyElseWithOurKeyIsToldOfAtOnce(t *testing.T) {
	t.Parallel()
	h := quiet(t)
	h.raised()
	h.pager.traces[0].Way, h.pager.traces[0].Key, h.pager.traces[0].Ours = lifecycle.WayKey, "9f2c", true
	result := h.glance(t)
	want := []string{"A change was made with rolecall's own key …9f2c at 09:59:00 UTC on 4 May 2026 that rolecall has no record of: account PBEN went from Responder (limited_user) to Global Admin (admin). Treat the key as leaked: stop its use, and look at what else it did."}
	if diff := cmp.Diff(want, h.alerts); diff != "" || !result.Open[0].Foreign || result.Open[0].Severity != lifecycle.SeverityHigh {
		t.Errorf("found %+v; alerts (-want +got):\n%s", result.Open[0], diff)
	}
	h.pass(3 * time.Hour)
	if f := h.found(t); !f.Foreign || f.Severity != lifecycle.SeverityHigh || len(h.alerts) != 1 {
		t.Errorf("the whole roll call after it: %+v, %q", f, h.alerts)
	}
}

func TestAGlanceDoesNotOverwriteALaterRollCall(t *testing.T) {
	t.Parallel()
	h := quiet(t)
	h.raised()
	early := h.rollCall()
	looked := h.now()
	h.pass(time.Minute)
	f := h.found(t) // a whole roll call, later than the look
	err := h.store.SaveGlance(t.Context(), lifecycle.Glance{Until: looked, Cleared: []lifecycle.Finding{f}, Events: []lifecycle.AuditEvent{{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventGlanceDone, Ref: "glance"}}})
	if !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("stored over it: %v", err)
	}
	if _, err := early.Glance(t.Context(), lifecycle.System); err != nil {
		t.Errorf("the next glance: %v", err)
	}
	if got := h.only(t, lifecycle.Pending); got.ID != f.Request {
		t.Errorf("asked by %s, want %s", got.ID, f.Request)
	}
}

// A snapshot of a large account takes minutes, and does not know what a glance has seen since it began.
func TestARollCallClearsNothingThatAGlanceHasFoundMeanwhile(t *testing.T) {
	t.Parallel()
	h := quiet(t)
	h.pager.meanwhile = func() {
		h.pager.meanwhile = nil
		h.pass(10 * time.Minute)
		h.raised()
		h.glance(t)
	}
	result := h.call(t)
	if len(result.Cleared) != 0 || len(result.Open) != 1 {
		t.Errorf("open %v, cleared %v", result.Open, result.Cleared)
	}
	r := h.only(t, lifecycle.Pending)
	h.pass(4 * time.Hour)
	if f := h.found(t); f.Request != r.ID || f.Kind != lifecycle.FoundDrift {
		t.Errorf("the next roll call: %+v", f)
	}
	baseline, err := h.store.Baseline(t.Context())
	must(t, err)
	if baseline[0].BaseRole != lifecycle.RoleAdmin {
		t.Errorf("the baseline has Ben as %s", baseline[0].BaseRole)
	}
}

func TestAGlanceThatCrashesAnywhereAsksOnce(t *testing.T) {
	t.Parallel()
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := quiet(t)
			h.raised()
			h.faults.hit(at, how)
			_, err := h.rollCall().Glance(t.Context(), lifecycle.System)
			h.faults.hit(0, how)
			h.work(t)
			h.pass(time.Minute)
			h.glance(t)
			h.pass(3 * time.Hour)
			f := h.found(t)
			if r := h.only(t, lifecycle.Pending); r.ID != f.Request || f.MadeBy == "" || f.Kind != lifecycle.FoundDrift {
				t.Fatalf("call %d, fault %d: found %+v", at, how, f)
			}
			if err == nil {
				break
			}
		}
	}
}

func TestWhoWasNotListedIsAskedFor(t *testing.T) {
	t.Parallel()
	h, f := drifted(t)
	h.pager.unlisted = map[lifecycle.AccountID]bool{"PBEN": true} // a page has shifted while it was read
	h.pass(4 * time.Hour)
	if again := h.found(t); again.ID != f.ID || again.Request != f.Request {
		t.Errorf("found %+v, want %+v", again, f)
	}
	h.pager.drop("PBEN")
	h.pass(4 * time.Hour)
	if result := h.call(t); len(result.Cleared) != 1 {
		t.Errorf("once PagerDuty says that the account is gone: %+v", result)
	}
}

func TestWhatCouldNotBeSeenIsSaid(t *testing.T) {
	t.Parallel()
	h := watched(t)
	h.pager.blind = []string{"The key may not read licences."}
	h.call(t)
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	last := h.store.lines[slices.IndexFunc(h.store.lines, func(e lifecycle.AuditEvent) bool { return e.Kind == lifecycle.EventRollCallDone })]
	if last.Detail["blind"] != "The key may not read licences." {
		t.Errorf("the record says %v", last.Detail)
	}
}
