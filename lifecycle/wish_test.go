package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// wishing is a house in which Ben is an observer of Payments, as policy has it.
func wishing(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamObserver)))
	p := person("Elsewhere")
	h.hear(t, p)
	return h
}

func (h *house) wish(t *testing.T, role string, lasts time.Duration) (lifecycle.Request, error) {
	t.Helper()
	w := lifecycle.Wish{By: h.who(t, "ben"), Team: "Payments", Role: role, Until: h.now().Add(lasts), Why: "Q1 is on fire", Incident: "INC-7", Via: lifecycle.ViaSlack}
	r, err := h.planner().Wish(t.Context(), w)
	if err == nil {
		h.work(t)
	}
	return r, err
}

func (h *house) wished(t *testing.T, role string, lasts time.Duration) lifecycle.Request {
	t.Helper()
	r, err := h.wish(t, role, lasts)
	must(t, err)
	return r
}

// role is what Ben holds on Payments now, in PagerDuty.
func (h *house) role(t *testing.T) lifecycle.TeamRole {
	t.Helper()
	a, err := h.pager.Account(t.Context(), "PBEN")
	must(t, err)
	return a.On(payments.ID)
}

func (h *house) holds(t *testing.T, want lifecycle.TeamRole) {
	t.Helper()
	if got := h.role(t); got != want {
		t.Fatalf("Ben is %q on Payments, want %q\n%s", got, want, h.story(t))
	}
}

func TestAWishEndsInThePreviousRole(t *testing.T) {
	t.Parallel()
	h := wishing(t)
	r := h.wished(t, "responder", 8*time.Hour)
	h.holds(t, lifecycle.TeamObserver)
	h.approve(t, r, "marco")
	h.holds(t, lifecycle.TeamResponder)
	h.pass(time.Hour)
	_, err := h.rollCall().Run(t.Context(), "schedule")
	must(t, err)
	h.work(t)
	found, _, err := h.store.Findings(t.Context(), h.now())
	must(t, err)
	for _, f := range found {
		if f.Entitlement.Role == string(lifecycle.TeamResponder) {
			t.Errorf("the roll call takes for drift what was approved: %s", f.Sentence())
		}
	}
	h.holds(t, lifecycle.TeamResponder)
	h.pass(7 * time.Hour)
	h.work(t)
	h.holds(t, lifecycle.TeamObserver)
	h.work(t)
	h.holds(t, lifecycle.TeamObserver)
}

func TestWhatHappensWhileAGrantRuns(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(*testing.T, *house, lifecycle.Request)
		want      lifecycle.TeamRole
	}{
		"its holder gives it back": {func(t *testing.T, h *house, r lifecycle.Request) {
			_, err := h.approvals().GiveBack(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaSlack)
			must(t, err)
			h.work(t)
			h.holds(t, lifecycle.TeamObserver)
			if _, err := h.approvals().GiveBack(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrConflict) {
				t.Errorf("given back twice: %v", err)
			}
		}, lifecycle.TeamObserver},
		"somebody makes them a manager by hand, which is not taken": {func(_ *testing.T, h *house, _ lifecycle.Request) {
			h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamManager)))
		}, lifecycle.TeamManager},
		"somebody takes them off the team, and they are not put back": {func(_ *testing.T, h *house, _ lifecycle.Request) {
			h.pager.put(account(lifecycle.RoleResponder))
		}, ""},
		"they are given more, for longer": {func(t *testing.T, h *house, _ lifecycle.Request) {
			more := h.wished(t, "manager", 16*time.Hour)
			h.approve(t, more, "marco")
			h.pass(9 * time.Hour)
			h.work(t)
			h.holds(t, lifecycle.TeamManager)
			h.pass(8 * time.Hour)
			h.work(t)
		}, lifecycle.TeamObserver},
		"they are given more, for less long": {func(t *testing.T, h *house, _ lifecycle.Request) {
			more := h.wished(t, "manager", 2*time.Hour)
			h.approve(t, more, "marco")
			h.pass(3 * time.Hour)
			h.work(t)
			h.holds(t, lifecycle.TeamResponder)
		}, lifecycle.TeamObserver},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := wishing(t)
			r := h.wished(t, "responder", 8*time.Hour)
			h.approve(t, r, "marco")
			h.holds(t, lifecycle.TeamResponder)
			tt.meanwhile(t, h, r)
			h.pass(9 * time.Hour)
			h.work(t)
			h.holds(t, tt.want)
		})
	}
}

func TestWhatCannotBeWished(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*testing.T, *house, *lifecycle.Wish)
		kind   error
		field  string
	}{
		"without a reason":    {func(_ *testing.T, _ *house, w *lifecycle.Wish) { w.Why = " " }, lifecycle.ErrInvalid, "reason"},
		"for ever":            {func(_ *testing.T, h *house, w *lifecycle.Wish) { w.Until = h.now().Add(1000 * time.Hour) }, lifecycle.ErrInvalid, "until"},
		"until yesterday":     {func(_ *testing.T, h *house, w *lifecycle.Wish) { w.Until = h.now().Add(-time.Hour) }, lifecycle.ErrInvalid, "until"},
		"a team there is not": {func(_ *testing.T, _ *house, w *lifecycle.Wish) { w.Team = "Paymints" }, lifecycle.ErrInvalid, "team"},
		"a role there is not": {func(_ *testing.T, _ *house, w *lifecycle.Wish) { w.Role = "boss" }, lifecycle.ErrInvalid, "role"},
		"the account itself":  {func(_ *testing.T, _ *house, w *lifecycle.Wish) { w.Team, w.Role = "", "owner" }, lifecycle.ErrInvalid, "role"},
		"what they hold":      {func(_ *testing.T, _ *house, w *lifecycle.Wish) { w.Role = "observer" }, lifecycle.ErrInvalid, "role"},
		"who has left": {func(t *testing.T, h *house, _ *lifecycle.Wish) {
			p := person("Elsewhere")
			p.Status = lifecycle.StatusEnded
			h.pass(time.Second)
			h.hear(t, p)
		}, lifecycle.ErrForbidden, ""},
		"where nobody may ask": {func(_ *testing.T, h *house, _ *lifecycle.Wish) { h.policy.Defaults.Ask.Off = true }, lifecycle.ErrForbidden, ""},
		"who is protected":     {func(_ *testing.T, h *house, _ *lifecycle.Wish) { h.policy.Protected = []string{"ben@acme.test"} }, lifecycle.ErrForbidden, ""},
		"with a novel":         {func(_ *testing.T, _ *house, w *lifecycle.Wish) { w.Why = strings.Repeat("é", 2001) }, lifecycle.ErrInvalid, "reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := wishing(t)
			w := lifecycle.Wish{By: h.who(t, "ben"), Team: "Payments", Role: "responder", Until: h.now().Add(time.Hour), Why: "Q1", Via: lifecycle.ViaCLI}
			tt.change(t, h, &w)
			_, err := h.planner().Wish(t.Context(), w)
			refusal, ok := errors.AsType[*lifecycle.Refusal](err)
			if !ok || !errors.Is(err, tt.kind) || tt.field != "" && (len(refusal.Fields) != 1 || refusal.Fields[0].Path != tt.field) {
				t.Errorf("it is %v, want a refusal that is %v about %q", err, tt.kind, tt.field)
			}
		})
	}
}

func TestAWishIsOneWish(t *testing.T) {
	t.Parallel()
	h := wishing(t)
	r := h.wished(t, "responder", 8*time.Hour)
	if _, err := h.wish(t, "responder", 8*time.Hour); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("asked twice: %v", err)
	}
	if _, err := h.press(t, r, "ben", lifecycle.Approve, ""); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("he gives it to himself: %v", err)
	}
	if _, err := h.approvals().Cancel(t.Context(), r.ID, h.who(t, "marco"), lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("somebody else cancels it: %v", err)
	}
	_, err := h.approvals().Nudge(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaSlack)
	must(t, err)
	if _, err := h.approvals().Nudge(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("reminded twice in a minute: %v", err)
	}
	_, err = h.approvals().Cancel(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaSlack)
	must(t, err)
	h.only(t, lifecycle.Withdrawn)
	h.wished(t, "responder", 8*time.Hour) // and may be asked for again
}

// What is approved after its end is given to nobody.
func TestAWishThatIsApprovedTooLate(t *testing.T) {
	t.Parallel()
	h := wishing(t)
	r := h.wished(t, "responder", time.Hour)
	h.pass(2 * time.Hour)
	if _, err := h.press(t, r, "marco", lifecycle.Approve, ""); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("approved after its end: %v", err)
	}
	h.holds(t, lifecycle.TeamObserver)
}
