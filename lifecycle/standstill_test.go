package lifecycle_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

func TestWhatSecurityIsToldOfTheHouse(t *testing.T) {
	t.Parallel()
	h := twelve(t)
	h.hear(t, ended(first(staff(20)))) // joins
	h.store.events++
	_, _, err := h.inbox().Receive(t.Context(), lifecycle.Fact{Source: "okta", EventID: "urgent", Person: ended(first(staff(21))), Urgent: true, ObservedAt: h.now(), SHA256: "00"})
	must(t, err)
	h.work(t)
	must(t, second(h.sources().Hear(t.Context(), "hr", false)))
	h.pass(time.Minute) // of two of the same moment either is the first
	must(t, second(h.brakes().HoldPolicy(t.Context(), written("another"), "40 people would lose something.", 10, 500)))
	p := written("in force")
	p.At = h.now()
	must(t, h.store.EnforcePolicy(t.Context(), p, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventPolicyLoaded, Ref: p.SHA256}))
	h.pass(time.Hour)

	got, err := h.desk().House(t.Context())
	must(t, err)
	open, err := h.brakes().Open(t.Context())
	must(t, err)
	if len(open) != 2 {
		t.Fatalf("%d holds stand", len(open))
	}
	want := lifecycle.House{
		At: h.now(), Policy: lifecycle.PolicyText{SHA256: p.SHA256, At: p.At}, Waits: &open[1], Population: 25,
		Breaker: []lifecycle.Gauge{
			{Kind: lifecycle.Leaver, People: 1, Limit: 5, Window: day},
			{Kind: lifecycle.Leaver, Source: "okta", People: 1, Limit: 5, Window: day},
			{Kind: lifecycle.Mover, Limit: 10, Window: day},
		},
		Holds: []lifecycle.Standstill{
			{Hold: open[0], Waiting: 13, Relocations: []lifecycle.Relocation{{From: "Payments", People: 13}}},
			{Hold: open[1]},
		},
		Sources: []lifecycle.Source{h.source(t, "hr")}, Record: h.head(t),
	}
	if got.RollCall.IsZero() {
		t.Error("the last roll call is not told")
	}
	if diff := cmp.Diff(want, got, equateEmpty, cmpopts.IgnoreFields(lifecycle.House{}, "RollCall")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (h *house) head(t *testing.T) (r lifecycle.RecordHead) {
	t.Helper()
	var err error
	r.Seq, r.Hash, err = h.store.Head(t.Context())
	must(t, err)
	return r
}

func TestItIsToldSinceWhenPressesAreLost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, want := range []time.Time{h.now(), {}} {
		m, err := h.store.Message(t.Context(), lifecycle.GhostsKey)
		if err != nil && !errors.Is(err, lifecycle.ErrNotFound) {
			t.Fatal(err)
		}
		is := lifecycle.Message{Key: lifecycle.GhostsKey, Revision: m.Revision + 1, Intended: h.now()}
		must(t, h.store.SaveMessage(t.Context(), is, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventSlackGhost, Ref: is.Key}))
		got, err := h.desk().House(t.Context())
		must(t, err)
		if !got.Ghosts.Equal(want) {
			t.Errorf("since %s, want %s", got.Ghosts, want)
		}
	}
}

func TestAHouseInWhichNothingHasHappened(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	got, err := h.desk().House(t.Context())
	must(t, err)
	want := lifecycle.House{At: h.now(), Breaker: []lifecycle.Gauge{{Kind: lifecycle.Leaver, Limit: 5, Window: day}, {Kind: lifecycle.Mover, Limit: 10, Window: day}}, Record: h.head(t)}
	if diff := cmp.Diff(want, got, equateEmpty); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhileRemovalsGatherTheRollCallConcludesNothingAboutThem(t *testing.T) {
	t.Parallel()
	h := company(t, 25)
	for i := range 12 {
		h.receive(t, "hr", ended(first(staff(i))), h.now(), time.Time{})
	}
	h.work(t)
	result := h.call(t)
	if len(result.Open) > 0 || len(result.Blind) == 0 {
		t.Errorf("found %d, and is blind for %q", len(result.Open), result.Blind)
	}
	if got, err := h.desk().House(t.Context()); err != nil || got.Gathering != 12 {
		t.Errorf("%d gather: %v", got.Gathering, err)
	}
	h.later(t, 5*time.Minute)
	o, _ := h.held(t)
	must(t, second(h.brakes().Refuse(t.Context(), h.release(t, "lee", o))))
	if result := h.call(t); len(result.Open) != 0 { // Security has said that they have not left
		t.Errorf("found %d once it was refused", len(result.Open))
	}
	if h.contained() != 0 {
		t.Errorf("%d are contained", h.contained())
	}
}

func TestAFindingAboutWhoIsHeldNeitherClearsNorIsAskedAnew(t *testing.T) {
	t.Parallel()
	h := company(t, 25)
	p, a := staff(3)
	a.BaseRole = lifecycle.RoleAdmin
	h.pager.put(a)
	if result := h.call(t); len(result.Open) != 1 {
		t.Fatalf("found %+v", result.Open)
	}
	asked := len(h.requests(t))
	for i := range 12 {
		h.receive(t, "hr", ended(first(staff(i))), h.now(), time.Time{})
	}
	atRest(t, h)
	if _, waiting := h.held(t); len(waiting) != 12 {
		t.Fatalf("%d wait", len(waiting))
	}
	a.BaseRole = lifecycle.RoleResponder // it would clear
	h.pager.put(a)
	result := h.call(t)
	if len(result.Open) != 1 || len(result.Cleared) != 0 || result.Open[0].Account.Email != p.Emails[0] || len(h.requests(t)) != asked {
		t.Errorf("%d stand, %d have cleared, %d are asked about", len(result.Open), len(result.Cleared), len(h.requests(t))-asked)
	}
}
