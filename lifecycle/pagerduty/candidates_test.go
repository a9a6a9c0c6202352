package pagerduty_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestCandidates(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	w.fake.AddMember(w.core.ID, w.sue.ID, pagerdutytest.TeamObserver)
	w.fake.AddMember(w.web.ID, w.cy.ID, pagerdutytest.TeamResponder)
	w.fake.AddContactMethod(w.cy.ID, pagerdutytest.ContactMethod{Type: "phone_contact_method", Address: "5550100"})
	w.fake.AddContactMethod(w.bo.ID, pagerdutytest.ContactMethod{Type: "push_notification_contact_method", Address: "phone"})
	teams := []lifecycle.TeamID{lifecycle.TeamID(w.core.ID), lifecycle.TeamID(w.web.ID)}
	got, err := w.client.Candidates(t.Context(), teams)
	if err != nil {
		t.Fatal(err)
	}
	type seen struct {
		Name      string
		Teams     int
		Load      int
		Reachable bool
	}
	var have []seen
	for _, c := range got {
		have = append(have, seen{c.Name, len(c.Teams), c.Load, c.Reachable})
		if len(c.Duties) != c.Load {
			t.Errorf("%s has duties %v and load %d", c.Name, c.Duties, c.Load)
		}
	}
	want := []seen{
		{"Ann Ash", 1, 6, false},
		{"Bo Birch", 1, 4, false}, // the invitation is not accepted
		{"Cy Cedar", 2, 1, true},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
	all, err := w.client.Candidates(t.Context(), nil)
	if err != nil || len(all) != 6 || slices.ContainsFunc(all, func(c lifecycle.Candidate) bool { return c.Name == "Sue Stake" }) {
		t.Errorf("of no team there are %d candidates, %v; want everybody but the stakeholder", len(all), err)
	}
	if !slices.IsSortedFunc(all, func(a, b lifecycle.Candidate) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("candidates do not come by name")
	}
}

// Right after the holdings were read, candidates need only the listing of users.
func TestCandidatesAfterHoldingsAreCheap(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	holdings(t, w.client, w.ann.ID)
	before := w.fake.TotalCalls()
	if _, err := w.client.Candidates(t.Context(), []lifecycle.TeamID{lifecycle.TeamID(w.core.ID)}); err != nil {
		t.Fatal(err)
	}
	if n := w.fake.TotalCalls() - before; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	w.pass(2 * time.Minute)
	if _, err := w.client.Candidates(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if n := w.fake.TotalCalls() - before; n < 4 {
		t.Errorf("%d calls in all, want on-call read anew after a while", n)
	}
}
