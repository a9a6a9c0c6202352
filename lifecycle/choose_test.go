package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// choose names, as that person, who takes the i-th change over.
func (h *house) choose(t testing.TB, r lifecycle.Request, name string, i int, to lifecycle.AccountID) (lifecycle.Request, error) {
	t.Helper()
	return h.approvals().Choose(t.Context(), lifecycle.Choice{
		Request: r.ID, Seen: r.Revision, By: h.who(t, name), Via: lifecycle.ViaSlack, Successors: map[lifecycle.ChangeID]lifecycle.AccountID{r.Changes[i].ID: to},
	})
}

// handover is the request by which Ben's duties go to somebody.
func handover(t *testing.T, h *house) lifecycle.Request {
	t.Helper()
	onCall(t, h)
	h.hear(t, ended(person("Payments")))
	return h.only(t, lifecycle.Pending)
}

// kim is hr's Kim of Payments.
func kim(s lifecycle.Status) lifecycle.Person {
	return lifecycle.Person{EmployeeID: "E2", Status: s, Emails: []string{"kim@acme.test"}, Name: "Kim", Department: "Payments"}
}

func TestNobodyApprovesAPlanThatTheyHaveNotSeen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	shown := handover(t, h)
	_, err := h.choose(t, shown, "ines", 0, "PINES")
	must(t, err)
	if _, err := h.press(t, shown, "marco", lifecycle.Approve, ""); !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), "ines@acme.test") {
		t.Errorf("approved what another made of it since: %v", err)
	}
	if _, err := h.choose(t, shown, "marco", 1, "PINES"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("overruled another's choice unseen: %v", err)
	}
	if r := h.approve(t, h.request(t, shown.ID), "marco"); r.State != lifecycle.Done {
		t.Errorf("it is %s: %s", r.State, r.Note)
	}
}

func TestAChoiceTakesBackWhatWasApprovedBeforeIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Defaults.Approval.N = 2
	r := handover(t, h)
	r, err := h.press(t, r, "marco", lifecycle.Approve, "")
	must(t, err)
	r, err = h.choose(t, r, "marco", 0, "PINES")
	must(t, err)
	if r = h.approve(t, r, "ines"); r.State != lifecycle.Pending || r.Approvals() != 1 {
		t.Fatalf("one approval of what was chosen since: %s, %d", r.State, r.Approvals())
	}
	if r = h.approve(t, r, "marco"); r.State != lifecycle.Done {
		t.Errorf("it is %s: %s", r.State, r.Note)
	}
}

func TestNothingIsChosenOnceItsTimeIsUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := handover(t, h)
	h.pass(73 * time.Hour)
	if _, err := h.choose(t, r, "marco", 0, "PINES"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("got %v", err)
	}
}

func TestWhoHasLeftTakesNothingOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(lifecycle.Account{ID: "PKIM", Email: "kim@acme.test", Name: "Kim", BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{on(payments, lifecycle.TeamResponder)}})
	h.known(t, kim(lifecycle.StatusActive))
	r := handover(t, h)
	h.hear(t, kim(lifecycle.StatusEnded))
	if _, err := h.press(t, r, "marco", lifecycle.Approve, ""); !strings.Contains(lifecycle.ReasonOf(err), "Kim has left") {
		t.Errorf("approved that Kim, who has left, takes over: %v", err)
	}
	if _, err := h.choose(t, r, "marco", 0, "PKIM"); !strings.Contains(lifecycle.ReasonOf(err), "Kim has left") {
		t.Errorf("chose Kim, who has left: %v", err)
	}
	if got := h.request(t, r.ID).State; got != lifecycle.Pending || len(h.pager.duties["PKIM"]) > 0 {
		t.Errorf("it is %s; Kim has %v", got, h.pager.duties["PKIM"])
	}
}

func TestWhoLeavesOnceTheyWereApprovedTakesNothingOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(lifecycle.Account{ID: "PKIM", Email: "kim@acme.test", Name: "Kim", BaseRole: lifecycle.RoleResponder})
	h.known(t, kim(lifecycle.StatusActive))
	r := handover(t, h)
	_, err := h.press(t, r, "marco", lifecycle.Approve, "")
	must(t, err)
	h.store.take(lifecycle.JobApply, string(r.ID))
	h.hear(t, kim(lifecycle.StatusEnded))
	h.pager.stand = h.pager.stand[:2] // nobody but Ines is left on the team
	h.store.enqueue(lifecycle.Job{Kind: lifecycle.JobApply, Ref: string(r.ID)})
	h.work(t)
	if r = h.request(t, r.ID); r.State != lifecycle.Blocked || !strings.Contains(r.Note, "Kim has left") {
		t.Errorf("it is %s: %s", r.State, r.Note)
	}
	for _, again := range h.requests(t, lifecycle.Pending) {
		if again.Replaces == r.ID && again.Changes[0].To != "PINES" {
			t.Errorf("asked again with %v", say(again.Changes))
		}
	}
}

func TestWhoRetriesWithAnotherSuccessorHasApprovedThem(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := handover(t, h)
	h.pager.no = func(o lifecycle.Order) error {
		if o.Change.To == "PKIM" {
			return lifecycle.Refuse(lifecycle.ErrConflict, "Kim cannot be on call.")
		}
		return nil
	}
	r = h.approve(t, r, "marco")
	if r.State != lifecycle.Failed {
		t.Fatalf("it is %s", r.State)
	}
	for i := range 2 {
		var err error
		r, err = h.choose(t, r, "ines", i, "PINES")
		must(t, err)
	}
	_, err := h.approvals().Retry(t.Context(), r.ID, h.who(t, "marco"))
	must(t, err)
	h.work(t)
	r = h.request(t, r.ID)
	if d, ok := r.DecidedBy(); r.State != lifecycle.Done || !ok || d.By != "ines@acme.test" || d.Verdict != lifecycle.Approve {
		t.Errorf("it is %s, decided by %+v", r.State, d)
	}
}

func TestNobodyIsEnoughOnlyWhileOthersAreThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	shared := level(payments.ID, 1)
	shared.Others = []lifecycle.AccountID{"PINES"} // who answers through a schedule
	h.pager.duties["PBEN"] = []lifecycle.Duty{shared}
	h.hear(t, ended(person("Payments")))
	r, err := h.choose(t, h.only(t, lifecycle.Pending), "marco", 0, lifecycle.NoSuccessor)
	must(t, err)
	h.pager.duties["PBEN"][0].Others = nil // the schedule has nobody by now
	if r = h.approve(t, r, "marco"); r.State != lifecycle.Blocked || !strings.Contains(r.Note, "nobody else") {
		t.Errorf("it is %s: %s", r.State, r.Note)
	}
	if again := h.only(t, lifecycle.Pending); again.Changes[0].To == lifecycle.NoSuccessor {
		t.Errorf("asked again with nobody: %v", say(again.Changes))
	}
}

func TestAChoiceThatCrashesAnywhereStands(t *testing.T) {
	t.Parallel()
	first := newHouse(t)
	r := handover(t, first)
	c := lifecycle.Choice{
		Request: r.ID, Seen: r.Revision, By: first.who(t, "marco"), Via: lifecycle.ViaSlack,
		Successors: map[lifecycle.ChangeID]lifecycle.AccountID{r.Changes[0].ID: "PINES"},
	}
	again := first.still(t)
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := again()
			h.faults.hit(at, how)
			_, err := h.approvals().Choose(t.Context(), c)
			h.faults.hit(0, how)
			is, repeated := h.approvals().Choose(t.Context(), c)
			must(t, repeated)
			if is.State != lifecycle.Pending || is.Changes[0].To != "PINES" || is.Changes[1].To != "PKIM" || len(is.Decisions) != 0 {
				t.Errorf("fault %d at call %d: %s %v", how, at, is.State, say(is.Changes))
			}
			if err == nil {
				break
			}
		}
	}
}

func TestWhatTwoHadToAgreeToNobodyChangesAloneOnceItHasFailed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Defaults.Approval.N = 2
	r := handover(t, h)
	h.pager.no = func(lifecycle.Order) error { return lifecycle.Refuse(lifecycle.ErrConflict, "Kim cannot be on call.") }
	h.approve(t, r, "marco")
	r = h.approve(t, h.request(t, r.ID), "ines")
	if _, err := h.choose(t, r, "ines", 0, "PINES"); r.State != lifecycle.Failed || !strings.Contains(lifecycle.ReasonOf(err), "nobody changes it alone") {
		t.Errorf("it is %s: %v", r.State, err)
	}
}
