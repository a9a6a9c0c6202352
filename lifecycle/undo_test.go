package lifecycle_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// undo asks, as that person, for the request to be undone.
func (h *house) undo(t testing.TB, id lifecycle.RequestID, name string) (lifecycle.Request, error) {
	t.Helper()
	return h.approvals().Undo(t.Context(), lifecycle.Press{Request: id, By: h.who(t, name), Reason: "the feed was wrong", Via: lifecycle.ViaCLI})
}

func TestAnUndoThatOneOfTwoHasApprovedExpires(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Defaults.Approval.N = 2
	r := handover(t, h)
	h.approve(t, r, "marco")
	h.approve(t, h.request(t, r.ID), "ines")
	undo, err := h.undo(t, r.ID, "marco")
	must(t, err)
	if undo.State != lifecycle.Pending || undo.Approvals() != 1 {
		t.Fatalf("asked: %s, %d", undo.State, undo.Approvals())
	}
	h.later(t, 73*time.Hour)
	if got := h.request(t, undo.ID).State; got != lifecycle.Expired {
		t.Errorf("it is %s after 73 hours", got)
	}
}

func TestAnUndoStopsOnlyItsOwnCause(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleAdmin, on(platform, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.policy.Rules = h.policy.Rules[:1]
	h.call(t)
	var ofTeam, ofPower lifecycle.Request
	for _, r := range h.requests(t, lifecycle.Pending) {
		if r.Changes[0].Entitlement.Kind == lifecycle.KindTeamRole {
			ofTeam = r
		} else {
			ofPower = r
		}
	}
	h.approve(t, ofTeam, "omar")
	_, err := h.undo(t, ofTeam.ID, "omar")
	must(t, err)
	h.work(t)
	if got := h.request(t, ofPower.ID); got.State != lifecycle.Pending {
		t.Errorf("omar's undo of %v left the question about %v %s", say(ofTeam.Changes), say(ofPower.Changes), got.State)
	}
}

// A deletion that waits for PagerDuty is past being withdrawn; it must not go on
// once its leaver's containment is undone.
func TestWhatWasBegunIsNotGoneOnWithOnceItIsUndone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	contained := h.only(t, lifecycle.Done)
	deletion := h.approve(t, h.only(t, lifecycle.Pending), "marco")
	h.pass(15 * day)
	down := true
	h.pager.no = func(o lifecycle.Order) error {
		if down && o.Change.Op == lifecycle.OpDelete {
			return errors.New("no answer")
		}
		return nil
	}
	if err := h.provisioner().Apply(t.Context(), deletion.ID, false); err == nil {
		t.Fatal("deleted although PagerDuty is down")
	}
	_, err := h.undo(t, contained.ID, "marco")
	must(t, err)
	down = false
	h.work(t)
	if _, there := h.pager.see("PBEN"); !there {
		t.Fatalf("deleted after the undo: %v", h.story(t))
	}
	if got := h.request(t, deletion.ID); got.State.Open() && got.State != lifecycle.Failed {
		t.Errorf("the deletion is %s: %s", got.State, got.Note)
	}
	if now, _ := h.pager.see("PBEN"); now.BaseRole != lifecycle.RoleResponder {
		t.Errorf("given back: %+v", now)
	}
}

func TestWhatFailedHalfWayIsUndoneThoughItWasWithdrawn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	h.pager.no = func(o lifecycle.Order) error {
		if o.Change.Entitlement.Role == lifecycle.SessionSignIns {
			return lifecycle.Refuse(lifecycle.ErrForbidden, "The app lacks the scope oauth_delegations.write.")
		}
		return nil
	}
	h.hear(t, ended(person("Payments")))
	h.later(t, day)
	h.hear(t, back()) // which withdraws what failed
	var got []string
	for _, r := range h.requests(t, lifecycle.Pending) {
		if r.Kind == lifecycle.RequestJoiner {
			got = say(r.Changes)
		}
	}
	if !slices.Contains(got, "replace base_role: restricted_access → user") {
		t.Errorf("given back: %v\n%v", got, h.story(t))
	}
}

func TestAnUndoDoesNotOverwriteWhatSomebodyHasChangedSince(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	contained := h.only(t, lifecycle.Done)
	h.pager.put(account(lifecycle.RoleObserver))
	undo, err := h.undo(t, contained.ID, "marco")
	must(t, err)
	h.work(t)
	if got := h.request(t, undo.ID); got.State != lifecycle.Blocked {
		t.Errorf("it is %s: %s", got.State, got.Note)
	}
	if now, _ := h.pager.see("PBEN"); now.BaseRole != lifecycle.RoleObserver {
		t.Errorf("overwritten: %+v", now)
	}
	again := h.only(t, lifecycle.Pending)
	if again.Undoes != contained.ID {
		t.Errorf("asked again as an undo of %q", again.Undoes)
	}
	if _, err := h.undo(t, contained.ID, "marco"); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("a second undo beside the one that is asked again: %v", err)
	}
}

func TestAnUndoOfAnAccountThatIsGoneComesToNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	contained := h.only(t, lifecycle.Done)
	h.pager.drop("PBEN")
	h.pager.put(lifecycle.Account{ID: "PBEN2", Email: "ben@acme.test", Name: "Ben Ode", BaseRole: lifecycle.RoleRestricted})
	undo, err := h.undo(t, contained.ID, "marco")
	must(t, err)
	h.work(t)
	if got := h.request(t, undo.ID); got.State != lifecycle.Blocked {
		t.Errorf("it is %s: %s", got.State, got.Note)
	}
	if now, _ := h.pager.see("PBEN2"); now.BaseRole != lifecycle.RoleRestricted {
		t.Errorf("another account was given %s", now.BaseRole)
	}
}

func TestAnUndoIsDecidedAsTheRuleSaysThatGrantsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	two := h.policy.Defaults.Approval
	two.N, two.From = 2, []lifecycle.ApproverSource{lifecycle.FromSecurity}
	h.policy.Rules[0].Approval = &two
	away(t, h)
	undo, err := h.undo(t, h.only(t, lifecycle.Done).ID, "priya")
	must(t, err)
	if undo.State != lifecycle.Pending || undo.Needed != 2 {
		t.Errorf("%s with %d of %d by one person, where the rule asks for two", undo.State, undo.Approvals(), undo.Needed)
	}
}

func TestAnUndoThatCrashesAnywhereIsAskedOnce(t *testing.T) {
	t.Parallel()
	first := newHouse(t)
	away(t, first)
	press := lifecycle.Press{Request: first.only(t, lifecycle.Done).ID, By: first.who(t, "marco"), Reason: "the feed was wrong", Via: lifecycle.ViaSlack}
	again := first.still(t)
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := again()
			h.faults.hit(at, how)
			_, err := h.approvals().Undo(t.Context(), press)
			h.faults.hit(0, how)
			if _, again := h.approvals().Undo(t.Context(), press); again != nil && !errors.Is(again, lifecycle.ErrDuplicate) {
				t.Fatalf("fault %d at call %d: %v", how, at, again)
			}
			if n := h.store.waiting(lifecycle.JobApply); n != 1 || h.store.waiting(lifecycle.JobStop) != 1 {
				t.Errorf("fault %d at call %d: %d steps: %v", how, at, n, h.story(t))
			}
			h.work(t)
			if now, _ := h.pager.see("PBEN"); now.BaseRole != lifecycle.RoleResponder || len(h.requests(t, lifecycle.Withdrawn)) != 1 {
				t.Errorf("fault %d at call %d: %+v, %v", how, at, now, h.story(t))
			}
			if err == nil {
				break
			}
		}
	}
}

func TestAStopThatCrashesAnywhereWithdrawsAll(t *testing.T) {
	t.Parallel()
	first := newHouse(t)
	onTwoTeams(t, first)
	first.hear(t, ended(person("Payments")))
	undo, err := first.undo(t, first.only(t, lifecycle.Done).ID, "priya")
	must(t, err)
	again := first.still(t)
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := again()
			h.faults.hit(at, how)
			err := h.planner().Stop(t.Context(), undo.ID)
			h.faults.hit(0, how)
			must(t, h.planner().Stop(t.Context(), undo.ID))
			if got := h.requests(t, lifecycle.Withdrawn); len(got) != 2 || len(h.requests(t, lifecycle.Pending)) != 0 {
				t.Errorf("fault %d at call %d: %v", how, at, h.story(t))
			}
			if err == nil {
				break
			}
		}
	}
}

func TestWhatIsAskedToBeUndoneIsNotRetriedMeanwhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := handover(t, h)
	h.policy.Defaults.Approval.N = 2
	h.pager.no = func(o lifecycle.Order) error {
		if o.Change.Entitlement.Kind == lifecycle.KindSchedule {
			return lifecycle.Refuse(lifecycle.ErrConflict, "The schedule is locked.")
		}
		return nil
	}
	r = h.approve(t, r, "marco")
	undo, err := h.undo(t, r.ID, "marco")
	must(t, err)
	if got := say(undo.Changes); undo.State != lifecycle.Pending || len(got) != 1 {
		t.Fatalf("asked: %s %v", undo.State, got)
	}
	h.pager.no = nil
	if _, err := h.approvals().Retry(t.Context(), r.ID, h.who(t, "marco")); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("retried what is asked to be undone: %v", err)
	}
	h.approve(t, undo, "ines")
	if now := h.pager.duties["PBEN"]; len(now) != 2 {
		t.Errorf("given back: %v\n%v", now, h.story(t))
	}
}
