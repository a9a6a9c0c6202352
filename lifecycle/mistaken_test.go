package lifecycle_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// oktaSays is what Okta says of the status of whom it knows by the key.
func oktaSays(key string, s lifecycle.Status, email string) lifecycle.Fact {
	return lifecycle.Fact{Source: "okta", Kind: lifecycle.FactStatus, Key: key, Person: lifecycle.Person{Status: s, Emails: []string{email}}}
}

func TestAnotherRecordWithTheSameAddressEndsNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, from("hr"))
	h.pass(time.Hour)
	late := oktaSays("00uOLD", lifecycle.StatusEnded, "ben@acme.test")
	late.ObservedAt = h.now()
	h.pass(time.Hour)
	h.say(t, oktaSays("00uNEW", lifecycle.StatusActive, "ben@acme.test"))
	h.pass(time.Hour)
	h.say(t, late)
	h.say(t, oktaSays("00uOLD", lifecycle.StatusEnded, "ben@acme.test"))
	ben := h.who(t, "ben")
	if ben.Keys["okta"] != "00uNEW" || ben.Person.Status != lifecycle.StatusActive {
		t.Errorf("Ben is %s by %v", ben.Person.Status, ben.Keys)
	}
	c := h.onlyCase(t)
	if diff := cmp.Diff([]string{string(ben.ID), lifecycle.AnswerNone}, offers(c)); diff != "" {
		t.Errorf("offered (-want +got):\n%s", diff)
	}
	h.answer(t, c, string(ben.ID))
	if got := h.who(t, "ben"); got.Keys["okta"] != "00uOLD" || got.Person.Status != lifecycle.StatusEnded {
		t.Errorf("Ben is %s by %v, although a person has said that it is he", got.Person.Status, got.Keys)
	}
}

func TestWhoIsContainedWhileTheyMoveIsGivenBack(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]lifecycle.Fact{
		"to the same work": piece(), "to other work": piece(in("Platform")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			linkedBen(t, h)
			h.say(t, piece(in("Platform")))
			h.later(t, 10*time.Second)
			h.say(t, disabled())
			if h.contained() != 1 {
				t.Fatal("not contained")
			}
			h.later(t, 10*time.Second)
			h.say(t, back)
			h.later(t, 10*time.Second)
			h.say(t, enabled())
			h.later(t, time.Hour)
			for _, r := range h.requests(t, lifecycle.Pending) {
				h.approve(t, r, "marco")
			}
			if a, _ := h.pager.see("PBEN"); a.BaseRole != lifecycle.RoleResponder {
				t.Errorf("holds %s: %v", a.BaseRole, h.story(t))
			}
		})
	}
}

func TestTwoLeaversWhoAreOneAreContained(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Reserve = 365 * day
	h.say(t, from("hr"))
	h.say(t, kimOf("scim"))
	h.drain(t)
	h.pass(time.Hour)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.pinTo(t, "ben", "PBEN")
	h.policy.Leaver.AskToContain = true // so that nothing came of it yet
	h.say(t, from("hr", as("ended")))
	h.say(t, kimOf("scim", as("ended")))
	h.policy.Leaver.AskToContain = false
	h.pass(time.Hour)
	gone := h.who(t, "ben").ID
	_, err := h.matcher().Merge(t.Context(), lifecycle.MergeOrder{By: h.who(t, "priya"), Keep: h.who(t, "kim").ID, Gone: gone, Reason: "one person", Via: lifecycle.ViaCLI})
	must(t, err)
	h.later(t, time.Hour)
	if h.contained() != 1 {
		t.Errorf("not contained: %v", h.story(t))
	}
	for _, r := range h.requests(t, lifecycle.Pending) {
		if r.Subject.ID == gone {
			t.Errorf("%s is still asked of who is no more", r.Kind)
		}
	}
}

func TestWhatWasAskedOfWhoIsNoMoreIsAskedNoMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Reserve = 365 * day
	linkedBen(t, h)
	h.say(t, kimOf("hr"))
	h.pass(time.Hour)
	h.say(t, piece(as("suspended")))
	c := h.onlyCase(t)
	_, err := h.matcher().Merge(t.Context(), lifecycle.MergeOrder{By: h.who(t, "priya"), Keep: h.who(t, "kim").ID, Gone: h.who(t, "ben").ID, Reason: "one person", Via: lifecycle.ViaCLI})
	must(t, err)
	h.work(t)
	_, err = h.matcher().Answer(t.Context(), lifecycle.CaseAnswer{Case: c.ID, Seen: c.Revision, By: h.who(t, "priya"), Answer: lifecycle.AnswerLeft, Via: lifecycle.ViaSlack})
	if !errors.Is(err, lifecycle.ErrConflict) || h.trail(lifecycle.EventCaseAnswered) != 1 {
		t.Errorf("what was asked of the one was answered of the other: %v", err)
	}
	if got := h.told(t); len(got) != 0 {
		t.Errorf("still asked: %v", got)
	}
}

func TestAnAccountOfSomebodyWhoIsHereIsNoLeavers(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*testing.T, *house){
		"linked to them": linkedBen,
		"with their address": func(t *testing.T, h *house) {
			h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
			h.known(t, person("Payments"))
			h.call(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			begin(t, h)
			h.say(t, kimOf("hr"))
			h.pass(time.Hour)
			h.say(t, kimOf("hr", as("ended")))
			_, err := h.matcher().Link(t.Context(), lifecycle.LinkOrder{By: h.who(t, "priya"), Identity: h.who(t, "kim").ID, Account: "PBEN", Reason: "an old name", Via: lifecycle.ViaCLI})
			if !errors.Is(err, lifecycle.ErrConflict) || lifecycle.ReasonOf(err) == "" {
				t.Errorf("got %v", err)
			}
			h.later(t, time.Hour)
			if h.contained() != 0 {
				t.Errorf("contained: %v", h.story(t))
			}
		})
	}
}
