package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// moving is a house in which Ben's move from Payments to Platform is asked.
func moving(t *testing.T) (*house, lifecycle.Request) {
	t.Helper()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleObserver, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.hear(t, person("Platform"))
	return h, h.only(t, lifecycle.Pending)
}

var moves = []string{"replace base_role: observer → limited_user", "grant Platform:  → responder", "revoke Payments: responder → "}

func TestApplyMakesEveryChangeOnceAndReadsItBack(t *testing.T) {
	t.Parallel()
	h, r := moving(t)
	r = h.approve(t, r, "omar")
	if diff := cmp.Diff(moves, h.pager.made()); diff != "" || r.State != lifecycle.Done {
		t.Errorf("it is %s; writes (-want +got):\n%s", r.State, diff)
	}
	must(t, h.provisioner().Apply(t.Context(), r.ID, false))
	if got := len(h.pager.made()); got != len(moves) {
		t.Errorf("a repetition wrote again: %v", h.pager.made())
	}
	for _, c := range r.Changes {
		if c.State != lifecycle.ChangeVerified || c.VerifiedAt.IsZero() {
			t.Errorf("%s is %s", c.ID, c.State)
		}
	}
}

func TestWhatMovedAfterTheApprovalIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		moved func(*house)
		again []string // what is asked instead; nil is nothing
		state lifecycle.RequestState
	}{
		"nothing": {func(*house) {}, nil, lifecycle.Done},
		"a part is done already": {func(h *house) {
			h.pager.put(account(lifecycle.RoleObserver, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)))
		}, nil, lifecycle.Done},
		"the role to lose": {
			func(h *house) { h.pager.put(account(lifecycle.RoleObserver, on(payments, lifecycle.TeamManager))) },
			[]string{"replace base_role: observer → limited_user", "grant Platform:  → responder", "revoke Payments: manager → "},
			lifecycle.Blocked,
		},
		"the role to gain was given, and more": {func(h *house) {
			h.pager.put(account(lifecycle.RoleObserver, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamManager)))
		}, []string{"replace base_role: observer → limited_user", "revoke Payments: responder → "}, lifecycle.Blocked},
		"the base role, upwards": {
			func(h *house) { h.pager.put(account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder))) },
			[]string{"grant Platform:  → responder", "revoke Payments: responder → "},
			lifecycle.Blocked,
		},
		"the account is gone": {func(h *house) { h.pager.drop("PBEN") }, nil, lifecycle.Blocked},
		"the account is somebody else's by now": {func(h *house) {
			a := account(lifecycle.RoleObserver, on(payments, lifecycle.TeamResponder))
			a.Email = "bob@acme.test"
			h.pager.put(a)
		}, moves, lifecycle.Blocked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := moving(t)
			_, err := h.press(t, r, "omar", lifecycle.Approve, "")
			must(t, err)
			tt.moved(h)
			h.work(t)
			if got := h.request(t, r.ID); got.State != tt.state {
				t.Fatalf("it is %s (%s), want %s", got.State, got.Note, tt.state)
			}
			if tt.state != lifecycle.Blocked {
				return
			}
			if got := h.pager.made(); len(got) != 0 {
				t.Errorf("it wrote %v", got)
			}
			var again []string
			for _, r := range h.requests(t, lifecycle.Pending) {
				again = append(again, say(r.Changes)...)
			}
			if diff := cmp.Diff(tt.again, again); diff != "" {
				t.Errorf("asked again (-want +got):\n%s", diff)
			}
			must(t, h.planner().Replan(t.Context(), r.ID)) // as after a crash
			if n := len(h.requests(t)); n > 2 {
				t.Errorf("%d requests, want at most two", n)
			}
		})
	}
}

func TestAnAccountThatAppearsMeanwhileIsNotCreatedTwice(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		base  lifecycle.BaseRole
		again []string
		made  []string
	}{
		"as wanted": {lifecycle.RoleResponder, nil, []string{"grant Payments:  → responder"}},
		"with less": {lifecycle.RoleObserver, []string{"replace base_role: observer → limited_user", "grant Payments:  → responder"}, nil},
		"with more": {lifecycle.RoleAdmin, []string{"grant Payments:  → responder"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.hear(t, person("Payments"))
			r := h.only(t, lifecycle.Pending)
			h.pager.put(account(tt.base))
			h.approve(t, r, "marco")
			var again []string
			for _, r := range h.requests(t, lifecycle.Pending) {
				again = append(again, say(r.Changes)...)
			}
			if diff := cmp.Diff(tt.again, again); diff != "" {
				t.Errorf("asked again (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.made, h.pager.made(), equateEmpty); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoHasLeftIsGivenNothing(t *testing.T) {
	t.Parallel()
	h, r := moving(t)
	_, err := h.press(t, r, "omar", lifecycle.Approve, "")
	must(t, err)
	h.pass(time.Minute)
	must(t, h.registrar().Register(t.Context(), h.receive(t, "hr", ended(person("Platform")), h.now(), time.Time{})))
	must(t, h.provisioner().Apply(t.Context(), r.ID, false)) // before the leaver is planned
	if got := h.request(t, r.ID); got.State != lifecycle.Blocked || len(h.pager.made()) != 0 {
		t.Errorf("it is %s, and wrote %v", got.State, h.pager.made())
	}
	h.work(t)
	if a, _ := h.pager.see("PBEN"); !a.Contained() {
		t.Errorf("the leaver holds %+v: %v", a, h.story(t))
	}
}

func TestALeaverWhoComesBackWhileTheDeletionIsUnderWayIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	r := h.approve(t, h.only(t, lifecycle.Pending), "marco")
	h.pass(15 * day)
	h.pager.no = func(lifecycle.Order) error { return errCrash } // PagerDuty is away while it begins
	if err := h.provisioner().Apply(t.Context(), r.ID, false); err == nil {
		t.Fatal("deleted while PagerDuty is away")
	}
	h.pager.no = nil
	p := back()
	p.StartDate = "2026-05-18"
	must(t, h.registrar().Register(t.Context(), h.receive(t, "hr", p, h.now(), time.Time{})))
	must(t, h.provisioner().Apply(t.Context(), r.ID, false))
	if _, there := h.pager.see("PBEN"); !there {
		t.Error("the account was deleted")
	}
	if got := h.request(t, r.ID); got.State != lifecycle.Blocked {
		t.Errorf("it is %s", got.State)
	}
	h.work(t)
	for _, r := range h.requests(t, lifecycle.Pending) {
		if r.Kind == lifecycle.RequestLeaver {
			t.Errorf("the deletion is asked again: %s", r.Why.Event)
		}
	}
}

func TestAFailureSaysWhatStands(t *testing.T) {
	t.Parallel()
	h, r := moving(t)
	no := lifecycle.Refuse(lifecycle.ErrConflict, "PagerDuty says he is a target of policy Refunds.")
	h.pager.no = func(o lifecycle.Order) error {
		if o.Change.Op == lifecycle.OpRevoke {
			return no
		}
		return nil
	}
	r = h.approve(t, r, "omar")
	var states []string
	for _, c := range r.Changes {
		states = append(states, string(c.State)+" "+c.Error)
	}
	want := []string{"verified ", "verified ", "failed PagerDuty says he is a target of policy Refunds."}
	if diff := cmp.Diff(want, states); diff != "" || r.State != lifecycle.Failed || len(h.failed) != 1 {
		t.Fatalf("it is %s, given up %v; changes (-want +got):\n%s", r.State, h.failed, diff)
	}
	h.pager.no = nil
	if _, err := h.approvals().Retry(t.Context(), r.ID, h.who(t, "omar")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.approvals().Retry(t.Context(), r.ID, h.who(t, "omar")); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("a second press: got %v, want a conflict", err)
	}
	h.work(t)
	if diff := cmp.Diff(moves, h.pager.made()); diff != "" || h.request(t, r.ID).State != lifecycle.Done {
		t.Errorf("after Retry it is %s; writes (-want +got):\n%s", h.request(t, r.ID).State, diff)
	}
}

func TestARetryDoesNotChangeWhatMovedMeanwhile(t *testing.T) {
	t.Parallel()
	h, r := moving(t)
	h.pager.no = func(o lifecycle.Order) error {
		if o.Change.Op == lifecycle.OpRevoke {
			return lifecycle.Refuse(lifecycle.ErrConflict, "not now")
		}
		return nil
	}
	r = h.approve(t, r, "omar")
	h.pager.no = nil
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamManager), on(platform, lifecycle.TeamResponder)))
	_, err := h.approvals().Retry(t.Context(), r.ID, h.who(t, "omar"))
	must(t, err)
	h.work(t)
	if got := h.request(t, r.ID); got.State != lifecycle.Failed || !strings.Contains(got.Note, "manager") {
		t.Errorf("it is %s: %s", got.State, got.Note)
	}
	if a, _ := h.pager.see("PBEN"); a.On(payments.ID) != lifecycle.TeamManager {
		t.Error("it took what nobody approved taking")
	}
}

func TestAnOutageIsWaitedOutAndSaidOnce(t *testing.T) {
	t.Parallel()
	h, r := moving(t)
	_, err := h.press(t, r, "omar", lifecycle.Approve, "")
	must(t, err)
	h.pager.no = func(lifecycle.Order) error { return errors.New("503") }
	for range 3 {
		if err := h.provisioner().Apply(t.Context(), r.ID, false); err == nil {
			t.Fatal("no error while PagerDuty is away")
		}
	}
	if n := h.trail(lifecycle.EventRequestWaiting); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	if got := h.request(t, r.ID); got.State != lifecycle.Applying || got.Note == "" {
		t.Errorf("it is %s, %q", got.State, got.Note)
	}
	h.pager.no = func(lifecycle.Order) error { return lifecycle.RetryAfter(errors.New("half of it stands"), time.Second) }
	told, ok := errors.AsType[*lifecycle.JobError](h.provisioner().Apply(t.Context(), r.ID, true))
	if !ok || told.RetryAfter != time.Second || h.request(t, r.ID).State != lifecycle.Applying {
		t.Errorf("the last try of what asks to wait: got %+v, want it to wait", told)
	}
	h.pager.no = func(lifecycle.Order) error { return errors.New("503") }
	told, ok = errors.AsType[*lifecycle.JobError](h.provisioner().Apply(t.Context(), r.ID, true))
	if !ok || !told.Permanent {
		t.Errorf("the last try: got %v, want it given up", told)
	}
	if got := h.request(t, r.ID); got.State != lifecycle.Failed || strings.Contains(got.Note, "503") {
		t.Errorf("after the last try it is %s: %q", got.State, got.Note)
	}
}

// A lock that does not answer is no reason to leave a leaver the others.
func TestALeaverIsContainedAroundWhatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.no = func(o lifecycle.Order) error {
		if o.Change.Entitlement.Kind == lifecycle.KindBaseRole {
			return errors.New("503")
		}
		return nil
	}
	away(t, h)
	if a, _ := h.pager.see("PBEN"); len(a.Teams) > 0 || a.BaseRole != lifecycle.RoleResponder {
		t.Fatalf("holds %+v, want the team taken and the base role not", a)
	}
	if r := h.requests(t)[0]; r.Changes[0].State == lifecycle.ChangeVerified {
		t.Errorf("the base role is said to be taken: %+v", r.Changes)
	}
}

func TestNothingIsWrittenInObserveMode(t *testing.T) {
	t.Parallel()
	h, r := moving(t)
	_, err := h.press(t, r, "omar", lifecycle.Approve, "")
	must(t, err)
	h.mode = lifecycle.Observe // switched off between the approval and the step
	h.work(t)
	if got := h.pager.made(); len(got) != 0 {
		t.Fatalf("it wrote %v", got)
	}
	h.mode = lifecycle.Enforce
	h.later(t, 2*time.Hour)
	if got := h.request(t, r.ID); got.State != lifecycle.Done {
		t.Errorf("after it was switched on again it is %s", got.State)
	}
}

func TestAHoldIsWaitedOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	r := h.approve(t, h.only(t, lifecycle.Pending), "marco")
	if r.State != lifecycle.Holding || !r.HoldUntil.Equal(monday.Add(14*day)) {
		t.Fatalf("it is %s until %s", r.State, r.HoldUntil)
	}
	told, ok := errors.AsType[*lifecycle.JobError](h.provisioner().Apply(t.Context(), r.ID, true))
	if !ok || told.RetryAfter != 14*day {
		t.Errorf("too early: got %+v, want to be called in 14 days", told)
	}
	h.later(t, 14*day)
	if _, there := h.pager.see("PBEN"); there || h.request(t, r.ID).State != lifecycle.Done {
		t.Errorf("the account is there: %t, the request %s", there, h.request(t, r.ID).State)
	}
	if i := h.who(t, "ben"); i.Account != "" {
		t.Errorf("Ben is still linked to %s", i.Account)
	}
}

func TestWhatIsNotSeenYetIsNotDone(t *testing.T) {
	t.Parallel()
	h, r := moving(t)
	h.pager.unseen = 2
	_, err := h.press(t, r, "omar", lifecycle.Approve, "")
	must(t, err)
	if err := h.provisioner().Apply(t.Context(), r.ID, false); err == nil {
		t.Fatal("no error, although nothing was seen")
	}
	if got := h.request(t, r.ID); got.State != lifecycle.Applying || got.Changes[0].State != lifecycle.ChangeApplied {
		t.Errorf("it is %s, the change %s", got.State, got.Changes[0].State)
	}
	h.work(t)
	if got := h.request(t, r.ID); got.State != lifecycle.Done || len(h.pager.made()) != 3 {
		t.Errorf("it is %s after %v", got.State, h.pager.made())
	}
}
