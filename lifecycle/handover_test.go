package lifecycle_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// seat is a seat in Payments' schedule.
func seat(next time.Time) lifecycle.Duty {
	return lifecycle.Duty{
		Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: "SPAY", Name: "Payments-Primary"}, Team: payments.ID,
		Others: []lifecycle.AccountID{"PINES"}, Shifts: []lifecycle.Shift{{From: next, Until: next.Add(24 * time.Hour)}}, Pin: "a",
	}
}

func candidate(id lifecycle.AccountID, name string, load int, phone bool, teams ...lifecycle.TeamID) lifecycle.Candidate {
	return lifecycle.Candidate{AccountCard: lifecycle.AccountCard{ID: id, Name: name, Email: strings.ToLower(name) + "@acme.test", BaseRole: lifecycle.RoleResponder}, Load: load, Reachable: phone, Teams: teams}
}

// What is written when that Ben leaves, and when somebody follows him.
var (
	contained = []string{
		"contain session sign-ins: open → ", "contain session calendar: 9f3a → ", "contain base_role: user → restricted_access",
		"contain Payments: manager → observer", "contain Platform: responder → ",
	}
	handedOver = []string{"handover level 2 of Payments-Crit: PBEN → PKIM", "handover a seat in Payments-Primary: PBEN → PKIM", "contain Payments: observer → "}
)

// onCall is Ben of Payments with a level, a seat and sessions, whom two could follow.
func onCall(t *testing.T, h *house) {
	t.Helper()
	h.pager.put(account(lifecycle.RoleManager, on(payments, lifecycle.TeamManager), on(platform, lifecycle.TeamResponder)))
	h.pager.duties["PBEN"] = []lifecycle.Duty{seat(h.now()), level(payments.ID, 2)}
	h.pager.sessions["PBEN"], h.pager.calendars["PBEN"] = 2, "9f3a"
	h.pager.stand = []lifecycle.Candidate{candidate("PBEN", "Ben", 0, true, payments.ID), candidate("PINES", "Ines", 3, true, payments.ID), candidate("PKIM", "Kim", 1, true, payments.ID)}
	h.known(t, person("Payments"))
}

func TestALeaverIsContainedHandedOverAndDeleted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	h.hear(t, ended(person("Payments")))
	if diff := cmp.Diff([]string{fmt.Sprint("leaver done ", contained), fmt.Sprint("leaver pending ", handedOver)}, h.story(t)); diff != "" {
		t.Fatalf("after the notice (-want +got):\n%s", diff)
	}
	r := h.only(t, lifecycle.Pending)
	if diff := cmp.Diff([]string{"Nobody else is in level 2 of Payments-Crit.", "Is on call now, by a seat in Payments-Primary."}, r.Effects, sorted()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	if got := r.Changes[0].Successor.Name; got != "Kim" {
		t.Errorf("proposed %q, want Kim, who carries less than Ines", got)
	}
	r, err := h.approvals().Choose(t.Context(), lifecycle.Choice{
		Request: r.ID, Seen: r.Revision, By: h.who(t, "marco"), Via: lifecycle.ViaSlack,
		Successors: map[lifecycle.ChangeID]lifecycle.AccountID{r.Changes[0].ID: "PINES"},
	})
	must(t, err)
	h.approve(t, r, "marco")
	if len(h.pager.duties["PBEN"]) != 0 || len(h.pager.duties["PINES"]) != 1 || len(h.pager.duties["PKIM"]) != 1 {
		t.Errorf("duties: %+v", h.pager.duties)
	}
	deletion := h.only(t, lifecycle.Pending)
	if diff := cmp.Diff([]string{"delete account: restricted_access → "}, say(deletion.Changes)); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
	if !deletion.NotBefore.Equal(monday.Add(14 * day)) {
		t.Errorf("deleted not before %s", deletion.NotBefore)
	}
}

func TestNobodyIsChosenForWhatNobodyCanTake(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	h.pager.stand = []lifecycle.Candidate{candidate("PKIM", "Kim", 1, false, payments.ID), candidate("PLA", "Lars", 0, true, platform.ID)}
	h.hear(t, ended(person("Payments")))
	r := h.only(t, lifecycle.Pending)
	if !r.Changes[0].Unchosen() || !r.Changes[1].Unchosen() {
		t.Fatalf("proposed %v: somebody who cannot be woken, or of another team", say(r.Changes))
	}
	if _, err := h.press(t, r, "marco", lifecycle.Approve, "go"); !strings.Contains(lifecycle.ReasonOf(err), "level 2 of Payments-Crit") {
		t.Errorf("approved with nobody chosen: %v", err)
	}
	for name, tt := range map[string]struct {
		who   string
		to    lifecycle.AccountID
		kind  error
		words string
	}{
		"an owner of another team chooses nothing":  {"omar", "PKIM", lifecycle.ErrForbidden, ""},
		"the subject chooses nothing":               {"ben", "PKIM", lifecycle.ErrForbidden, ""},
		"a stranger cannot be chosen":               {"marco", "PSTRANGER", lifecycle.ErrInvalid, "could take over"},
		"the leaver cannot follow themselves":       {"marco", "PBEN", lifecycle.ErrInvalid, "themselves"},
		"nobody is not enough where nobody else is": {"marco", lifecycle.NoSuccessor, lifecycle.ErrInvalid, "Somebody must take over level 2"},
	} {
		c := lifecycle.Choice{Request: r.ID, Seen: r.Revision, By: h.who(t, tt.who), Successors: map[lifecycle.ChangeID]lifecycle.AccountID{r.Changes[0].ID: tt.to}}
		if _, err := h.approvals().Choose(t.Context(), c); !errors.Is(err, tt.kind) || !strings.Contains(lifecycle.ReasonOf(err), tt.words) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := h.request(t, r.ID); got.Revision != r.Revision {
		t.Errorf("a refused choice left revision %d of %d", got.Revision, r.Revision)
	}
}

func TestWhatMovedAfterTheHandoverWasApprovedIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		move func(h *house)
		note string
	}{
		"another seat":                {func(h *house) { h.pager.duties["PBEN"] = append(h.pager.duties["PBEN"], level(payments.ID, 1)) }, "has level 1 of Payments-Crit since"},
		"the schedule was rearranged": {func(h *house) { h.pager.duties["PBEN"][0].Pin = "b" }, "Payments-Primary was changed"},
		"somebody took the level":     {func(h *house) { h.pager.duties["PBEN"] = h.pager.duties["PBEN"][:1] }, "does not have level 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			onCall(t, h)
			h.hear(t, ended(person("Payments")))
			r := h.only(t, lifecycle.Pending)
			tt.move(h)
			r = h.approve(t, r, "marco")
			if r.State != lifecycle.Blocked || !strings.Contains(r.Note, tt.note) {
				t.Fatalf("is %s: %q", r.State, r.Note)
			}
			again := h.only(t, lifecycle.Pending)
			if again.Replaces != r.ID || len(again.Duties) != len(h.pager.duties["PBEN"]) {
				t.Errorf("asked again: %v about %v", say(again.Changes), again.Duties)
			}
		})
	}
}

func TestAMoverHandsOverBeforeTheyLeaveTheTeam(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	h.hear(t, person("Platform"))
	r := h.only(t, lifecycle.Pending)
	want := []string{"handover level 2 of Payments-Crit: PBEN → PKIM", "handover a seat in Payments-Primary: PBEN → PKIM", "revoke Payments: manager → "}
	if diff := cmp.Diff(want, say(r.Changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestUndoOfALeaverRestoresExactlyWhatWasThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	before, _ := h.pager.see("PBEN")
	leaver := h.hear(t, ended(person("Payments")))
	h.approve(t, h.only(t, lifecycle.Pending), "marco") // the handover
	deletion := h.approve(t, h.only(t, lifecycle.Pending), "marco")
	undo := func(who string, contains bool) {
		for _, r := range h.requests(t, lifecycle.Done) {
			if r.Undoes == "" && r.Contains() == contains {
				_, err := h.approvals().Undo(t.Context(), lifecycle.Press{Request: r.ID, By: h.who(t, who), Reason: "the feed was wrong", Via: lifecycle.ViaCLI})
				must(t, err)
			}
		}
		h.later(t, time.Hour)
	}
	undo("marco", false)
	undo("priya", true)
	after, _ := h.pager.see("PBEN")
	if diff := cmp.Diff(before, after, sorted()); diff != "" {
		t.Errorf("the account (-before +after):\n%s\n%s", diff, strings.Join(h.story(t), "\n"))
	}
	if len(h.pager.duties["PBEN"]) != 2 || len(h.pager.duties["PKIM"]) != 0 {
		t.Errorf("duties: %+v", h.pager.duties)
	}
	if got := h.request(t, deletion.ID).State; got != lifecycle.Withdrawn {
		t.Errorf("the deletion is %s after the undo", got)
	}
	must(t, h.planner().Plan(t.Context(), leaver))
	h.later(t, 30*day)
	if now, there := h.pager.see("PBEN"); !there || now.BaseRole != lifecycle.RoleManager {
		t.Errorf("contained again after the undo: %+v", now)
	}
}

func TestUndoIsForWhoMayGiveItBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	h.hear(t, ended(person("Payments")))
	contained := h.only(t, lifecycle.Done)
	undo := func(who, reason string) (lifecycle.Request, error) {
		return h.approvals().Undo(t.Context(), lifecycle.Press{Request: contained.ID, By: h.who(t, who), Reason: reason})
	}
	if _, err := undo("ben", "it is me"); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("the leaver undid it: %v", err)
	}
	if _, err := undo("marco", " "); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	r, err := undo("marco", "a mistake")
	must(t, err)
	if r.State != lifecycle.Pending || len(r.Decisions) != 0 {
		t.Errorf("an owner gave Manager back alone: %s, %v; that is security's to give", r.State, r.Decisions)
	}
	if _, err := undo("priya", "a mistake"); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("a second undo: %v", err)
	}
	h.approve(t, r, "priya")
	h.later(t, time.Hour)
	if now, _ := h.pager.see("PBEN"); now.BaseRole != lifecycle.RoleManager {
		t.Errorf("after security agreed: %+v", now)
	}
}

func TestWhoIsBackToTheSameWorkIsGivenBackWhatWasTaken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		to   string
		want []string
	}{
		"the same work": {"Payments", []string{"replace Payments: observer → manager", "grant Platform:  → responder", "replace base_role: restricted_access → user"}},
		"other work":    {"Platform", []string{"replace base_role: restricted_access → limited_user", "grant Platform:  → responder"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			onCall(t, h)
			h.hear(t, ended(person("Payments")))
			h.later(t, day)
			p := back()
			p.Department = tt.to
			h.hear(t, p)
			var got []string
			for _, r := range h.requests(t) {
				if r.Kind == lifecycle.RequestJoiner {
					got = say(r.Changes)
				}
			}
			if diff := cmp.Diff(tt.want, got, sorted()); diff != "" {
				t.Errorf("given back (-want +got):\n%s\n%s", diff, strings.Join(h.story(t), "\n"))
			}
		})
	}
}
