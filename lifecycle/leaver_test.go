package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// onTwoTeams is Ben with a duty on each of his teams.
func onTwoTeams(t *testing.T, h *house) {
	t.Helper()
	onCall(t, h)
	other := level(platform.ID, 1)
	other.Object = lifecycle.Object{ID: "PCORE", Name: "Platform-Core"}
	h.pager.duties["PBEN"] = append(h.pager.duties["PBEN"], other)
	h.pager.stand = append(h.pager.stand, candidate("PLARS", "Lars", 0, true, platform.ID))
}

// Between the requests of two teams the process may die.
func TestEveryTeamIsAskedAlthoughThePlanDiedBetweenThem(t *testing.T) {
	t.Parallel()
	first := newHouse(t)
	onTwoTeams(t, first)
	n := first.receive(t, "hr", ended(person("Payments")), first.now(), first.now())
	first.until(t, lifecycle.JobApply)
	contain := first.requests(t)[0].ID
	first.store.take(lifecycle.JobApply, string(contain))
	must(t, first.provisioner().Apply(t.Context(), contain, false))
	first.store.take(lifecycle.JobPlan, string(n))
	again := first.still(t)
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := again()
			h.faults.hit(at, how)
			err := h.planner().Plan(t.Context(), n)
			h.faults.hit(0, how)
			must(t, h.planner().Plan(t.Context(), n))
			if got := h.requests(t, lifecycle.Pending); len(got) != 2 {
				t.Errorf("fault %d at call %d: %d teams are asked: %v", how, at, len(got), h.story(t))
			}
			if err == nil {
				break
			}
		}
	}
}

func TestALeaverIsNotDeletedBeforeEveryTeamHasSomebody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onTwoTeams(t, h)
	h.hear(t, ended(person("Payments")))
	var ofPayments, ofPlatform lifecycle.Request
	for _, r := range h.requests(t, lifecycle.Pending) {
		if slices.ContainsFunc(r.Teams(), func(x lifecycle.Team) bool { return x.ID == payments.ID }) {
			ofPayments = r
		} else {
			ofPlatform = r
		}
	}
	_, err := h.press(t, ofPlatform, "omar", lifecycle.Deny, "not now")
	must(t, err)
	h.approve(t, ofPayments, "marco")
	h.later(t, 30*day)
	if _, there := h.pager.see("PBEN"); !there || len(h.pager.duties["PBEN"]) != 1 {
		t.Errorf("there: %v, with %v", there, h.pager.duties["PBEN"])
	}
	if slices.ContainsFunc(h.requests(t), func(r lifecycle.Request) bool { return r.Risk() == lifecycle.Destructive }) {
		t.Errorf("a deletion is asked for: %v", h.story(t))
	}
}

func TestADutyIsHandedOverOnceWhereOnlyItIsLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleRestricted, on(payments, lifecycle.TeamObserver)))
	loose := level("", 1)
	loose.Object = lifecycle.Object{ID: "PALL", Name: "Everything"}
	h.pager.duties["PBEN"] = []lifecycle.Duty{level(payments.ID, 2), loose}
	h.pager.stand = []lifecycle.Candidate{candidate("PKIM", "Kim", 1, true, payments.ID)}
	h.known(t, ended(person("Payments")))
	h.call(t)
	want := []string{"contain Payments: observer → ", "handover level 1 of Everything: PBEN → PKIM", "handover level 2 of Payments-Crit: PBEN → PKIM"}
	if diff := cmp.Diff(want, say(h.only(t, lifecycle.Pending).Changes), sorted()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestANewDutyAfterTheDeletionWasApprovedIsHandedOverFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h)
	h.approve(t, h.only(t, lifecycle.Pending), "marco")
	h.pager.duties["PBEN"] = []lifecycle.Duty{level("", 1)}
	h.later(t, 20*day)
	if _, there := h.pager.see("PBEN"); !there {
		t.Fatalf("deleted while on call: %v", h.story(t))
	}
	again := h.only(t, lifecycle.Pending)
	if got := say(again.Changes); len(got) != 2 || got[0] != "handover level 1 of Payments-Crit: PBEN → " {
		t.Errorf("asked again: %v", got)
	}
}

func TestWhatALeaverHeldBeyondPolicyIsNotGivenBackUnasked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(platform, lifecycle.TeamManager)))
	h.known(t, person("Platform"))
	h.hear(t, ended(person("Platform")))
	h.later(t, day)
	p := back()
	p.Department = "Platform" // whose rule grants a responder's role by itself
	h.hear(t, p)
	if now, _ := h.pager.see("PBEN"); now.On(platform.ID) == lifecycle.TeamManager {
		t.Errorf("a manager's role came back with nobody asked: %v", h.story(t))
	}
	if r := h.only(t, lifecycle.Pending); fmt.Sprint(say(r.Changes)) != "[grant Platform:  → manager replace base_role: restricted_access → limited_user]" {
		t.Errorf("asked: %v", say(r.Changes))
	}
}
