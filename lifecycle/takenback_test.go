package lifecycle_test

import (
	"slices"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// leavers returns how many of the first n have left, by what is known of them.
func (h *house) leavers(t testing.TB, n int) int {
	t.Helper()
	gone := 0
	for i := range n {
		p, _ := staff(i)
		found, err := h.store.IdentitiesByEmail(t.Context(), p.Email())
		must(t, err)
		if len(found) == 1 && found[0].StatusAt(h.now()) == lifecycle.StatusEnded {
			gone++
		}
	}
	return gone
}

// presences returns how many leavers' accounts the next roll call finds.
func (h *house) presences(t testing.TB) int {
	t.Helper()
	return len(slices.DeleteFunc(h.call(t).Open, func(f lifecycle.Finding) bool { return f.Kind != lifecycle.FoundLeaverPresent }))
}

func TestAFeedThatTakesItsWordBackIsBelievedOfWhomNothingHasComeYet(t *testing.T) {
	t.Parallel()
	h := many140(t)
	for i := range 140 {
		h.receive(t, "hr", first(staff(i)), h.now(), time.Time{})
	}
	h.work(t)
	passed := h.contained()
	if got := h.leavers(t, 140); got != passed || passed > 3 {
		t.Errorf("%d have left and %d are contained: of whom nothing has come nobody has", got, passed)
	}
	cases, err := h.matcher().Open(t.Context())
	must(t, err)
	if len(cases) != passed {
		t.Errorf("%d questions are asked whether somebody is back, want one of each who was contained, %d", len(cases), passed)
	}
	if open, err := h.brakes().Open(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("with nobody left in it the hold stands still: %+v, %v", open, err)
	}
	if got := h.presences(t); got != 0 && got != passed {
		t.Errorf("the roll call finds %d leavers", got)
	}
}

func TestLeaversWhoAreRefusedHaveNotLeft(t *testing.T) {
	t.Parallel()
	h := many140(t)
	o, waiting := h.held(t)
	_, err := h.brakes().Refuse(t.Context(), h.release(t, "priya", o))
	must(t, err)
	h.work(t)
	passed := h.contained()
	if got := h.leavers(t, 140); got != 140-len(waiting) {
		t.Errorf("%d have left, want the %d who were let pass", got, 140-len(waiting))
	}
	if got := h.presences(t); got > passed {
		t.Errorf("the roll call asks about %d leavers, of whom %d have left", got, passed)
	}
	must(t, h.brakes().Take(t.Context(), o.ID))
	h.work(t)
	if got := h.leavers(t, 140); got != 140-len(waiting) {
		t.Errorf("taken twice, %d have left", got)
	}

	h.pass(48 * time.Hour)
	for range 2 {
		h.hear(t, ended(first(staff(100)))) // the feed goes on saying so: it, or the person, is wrong
	}
	cases, err := h.matcher().Open(t.Context())
	must(t, err)
	if len(cases) != 1 || cases[0].Kind != lifecycle.CaseSuspended || cases[0].Label == "" {
		t.Fatalf("a source that contradicts a person leads to %+v, want one question", cases)
	}
	_, err = h.matcher().Answer(t.Context(), lifecycle.CaseAnswer{Case: cases[0].ID, Seen: cases[0].Revision, By: h.who(t, "lee"), Answer: lifecycle.AnswerLeft, Reason: "HR confirms", Via: lifecycle.ViaSlack})
	must(t, err)
	h.work(t)
	if got := h.leavers(t, 140); got != 141-len(waiting) || h.contained() != passed+1 {
		t.Errorf("once they are said to have left, %d have, and %d are contained", got, h.contained())
	}
}

// A roll call may run while the word that they have not left is still on its way.
func TestARollCallAsksNothingAboutWhomSecurityHasJustRefused(t *testing.T) {
	t.Parallel()
	h := many140(t)
	o, waiting := h.held(t)
	_, err := h.brakes().Refuse(t.Context(), h.release(t, "priya", o))
	must(t, err)
	told, passed := h.trail(lifecycle.EventRequestOpened), h.contained()
	if got := h.presences(t); got > passed {
		t.Errorf("the roll call finds %d leavers, and %d have left", got, passed)
	}
	if got := h.trail(lifecycle.EventRequestOpened); got != told {
		t.Errorf("%d requests were opened", got-told)
	}
	if n := h.alarms(t, "Is back since"); n > 0 {
		t.Errorf("Security is told %d times that somebody is back", n)
	}
	if got := h.leavers(t, 140); got != 140-len(waiting) {
		t.Errorf("%d have left, want the %d who were let pass", got, 140-len(waiting))
	}
}
