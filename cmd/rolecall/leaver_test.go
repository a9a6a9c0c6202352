package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// TestALeaverIsReplacedBeforeTheyGo is the whole way of somebody whom the page
// wakes, on either database: contained, handed over, off the team, deleted, and
// at no moment is a level or a schedule without anybody.
func TestALeaverIsReplacedBeforeTheyGo(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(*testing.T) string{
		"on SQLite":     func(*testing.T) string { return "" },
		"on PostgreSQL": func(t *testing.T) string { return postgres.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newLeaverHouse(t, database(t), "0s")
			h.employed()
			h.goes()
			h.whole()
			if left := h.coverage(); strings.Contains(left, h.ids["Ana"]) || strings.Contains(left, "Ana") {
				t.Errorf("Ana still has a place:\n%s", left)
			}
			var ops []lifecycle.Op
			for _, r := range h.requests() {
				for _, c := range r.Changes {
					if c.State != lifecycle.ChangeVerified {
						t.Errorf("%s is %s", changeInWords(r, c), c.State)
					}
					if !slices.Contains(ops, c.Op) {
						ops = append(ops, c.Op)
					}
				}
			}
			if want := []lifecycle.Op{lifecycle.OpContain, lifecycle.OpHandover, lifecycle.OpDelete}; !slices.Equal(ops, want) {
				t.Errorf("the stages were %v, want %v", ops, want)
			}
			if sessions := h.pd.Sessions(h.ids["Ana"]); slices.ContainsFunc(sessions, func(s pagerdutytest.Session) bool { return !s.Revoked }) {
				t.Errorf("she is still signed in: %v", sessions)
			}
		})
	}
}

// TestALeaverIsReplacedWhateverFails lets every write in turn fail in every way
// that PagerDuty's writes fail. It either completes or stops where people see
// it and goes on when they say so; it ends as it does undisturbed, each thing
// done once, and nobody is without an answer in between.
func TestALeaverIsReplacedWhateverFails(t *testing.T) {
	t.Parallel()
	undisturbed := newLeaverHouse(t, "", "0s")
	undisturbed.employed()
	undisturbed.goes()
	writes := len(undisturbed.pd.Writes())
	want := undisturbed.coverage() + undisturbed.roles()
	if writes < 12 {
		t.Fatalf("it took %d writes; it cannot have gone all the way:\n%s", writes, undisturbed.story())
	}
	for k, disaster := range pagerdutytest.Disasters() {
		for nth := 1; nth <= writes; nth++ {
			if !looked(k + nth) {
				continue
			}
			t.Run(fmt.Sprintf("write %d: %s", nth, disaster.Name), func(t *testing.T) {
				t.Parallel()
				h := newLeaverHouse(t, "", "0s")
				h.employed()
				h.pd.FailWrite(nth, disaster.Kind)
				h.goes()
				h.whole()
				if armed := h.pd.Armed(); len(armed) > 0 {
					t.Errorf("never struck: %v", armed)
				}
				if diff := cmp.Diff(want, h.coverage()+h.roles()); diff != "" {
					t.Errorf("it ends otherwise than undisturbed (-want +got):\n%s\n%s", diff, h.story())
				}
			})
		}
	}
}

// TestUndoGivesBackExactlyWhatWasTaken takes back the containment of somebody
// who has not left after all, and then a handover.
func TestUndoGivesBackExactlyWhatWasTaken(t *testing.T) {
	t.Parallel()
	t.Run("a containment", func(t *testing.T) {
		t.Parallel()
		h := newLeaverHouse(t, "", "336h")
		h.employed()
		roles, on := h.roles(), h.coverage()
		h.hears(lifecycle.StatusEnded)
		contain := h.await("the containment", func(r lifecycle.Request) bool { return r.Contains() && r.State == lifecycle.Done })
		ask := h.await("the handover", handsOver)
		if h.roles() == roles {
			t.Fatalf("nothing was contained:\n%s", roles)
		}
		h.undoes(contain.ID)
		if diff := cmp.Diff(roles+on, h.roles()+h.coverage()); diff != "" {
			t.Errorf("what she held is not given back (-was +is):\n%s\n%s", diff, h.story())
		}
		h.until("nothing more to be asked of it", func() bool {
			r, err := h.db.Request(t.Context(), ask.ID)
			return err == nil && r.State == lifecycle.Withdrawn
		})
		h.whole()
	})
	t.Run("a handover", func(t *testing.T) {
		t.Parallel()
		h := newLeaverHouse(t, "", "336h")
		h.employed()
		h.hears(lifecycle.StatusEnded)
		ask := h.await("the handover", func(r lifecycle.Request) bool { return r.HandsOver() && r.State == lifecycle.Pending })
		roles, on, policies, schedules := h.roles(), h.coverage(), h.pd.EscalationPolicies(), h.pd.Schedules()
		h.approves(ask)
		h.await("its end", func(r lifecycle.Request) bool { return r.ID == ask.ID && r.State == lifecycle.Done })
		if strings.Contains(h.coverage(), "Ana") {
			t.Fatalf("nothing was handed over:\n%s", h.coverage())
		}
		h.undoes(ask.ID)
		if diff := cmp.Diff(roles+on, h.roles()+h.coverage()); diff != "" {
			t.Errorf("what she had is not given back (-was +is):\n%s\n%s", diff, h.story())
		}
		if diff := cmp.Diff(policies, h.pd.EscalationPolicies()); diff != "" {
			t.Errorf("the policies are not as they were (-was +is):\n%s", diff)
		}
		if diff := cmp.Diff(layersOf(schedules), layersOf(h.pd.Schedules())); diff != "" {
			t.Errorf("the layers are not as they were (-was +is):\n%s", diff)
		}
		h.whole()
	})
}

func layersOf(schedules []pagerdutytest.Schedule) [][]pagerdutytest.Layer {
	var all [][]pagerdutytest.Layer
	for _, s := range schedules {
		all = append(all, s.Layers)
	}
	return all
}

// undoes has Marco take the request back, and waits until that is done.
func (h *leaverHouse) undoes(id lifecycle.RequestID) {
	h.t.Helper()
	undo, err := h.flows.approvals.Undo(h.t.Context(), lifecycle.Press{Request: id, By: h.person("marco@acme.test"), Verdict: lifecycle.Approve, Reason: "HR ended the wrong Ana.", Via: lifecycle.ViaCLI})
	h.must(err)
	if undo.State == lifecycle.Pending {
		h.t.Fatalf("the owner's word does not count: %s waits for %v", undo.ID, undo.Approvers)
	}
	h.await("the undo", func(r lifecycle.Request) bool {
		if r.ID == undo.ID && r.State == lifecycle.Failed {
			h.t.Fatalf("it failed:\n%s", h.story())
		}
		return r.ID == undo.ID && r.State == lifecycle.Done
	})
}

// TestDriftNamesWhoMadeItSo tells what a person did in the web app from what
// somebody did with rolecall's own key, and both from what rolecall did.
func TestDriftNamesWhoMadeItSo(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(*leaverHouse) error{
		"in a roll call": func(h *leaverHouse) error {
			_, err := h.flows.rollCall.Run(context.WithoutCancel(h.t.Context()), "test")
			return err
		},
		"in a glance": func(h *leaverHouse) error {
			_, err := h.flows.rollCall.Glance(context.WithoutCancel(h.t.Context()), "test")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newLeaverHouse(t, "", "336h")
			for _, known := range []string{"Ana", "Ben", "Cho", "Dan"} {
				p := ana(lifecycle.StatusActive)
				p.EmployeeID, p.Name, p.Emails = "E"+known, known, []string{strings.ToLower(known) + "@acme.test"}
				h.knows(p)
			}
			_, err := h.flows.rollCall.Run(t.Context(), "test")
			h.must(err)
			h.must(h.pd.SetRoleAs("sam@acme.test", h.ids["Ben"], "admin"))
			h.must(h.pd.SetRoleAs(pagerdutytest.OwnKey, h.ids["Cho"], "admin"))
			h.must(look(h))

			found, _, err := h.db.Findings(t.Context(), now())
			h.must(err)
			by := map[string]lifecycle.Finding{}
			for _, f := range found {
				if f.Kind == lifecycle.FoundDrift {
					by[f.Account.Name] = f
				}
			}
			if f := by["Ben"]; !strings.Contains(f.MadeBy, "Sam Ito in the web app at ") || f.Foreign {
				t.Errorf("of what Sam did it says %q, foreign %v", f.MadeBy, f.Foreign)
			}
			if f := by["Cho"]; !strings.Contains(f.MadeBy, "rolecall's own key …") || !strings.Contains(f.MadeBy, "no such change on record") || !f.Foreign || f.Severity != lifecycle.SeverityHigh {
				t.Errorf("of what was done with our key it says %q, foreign %v, %s", f.MadeBy, f.Foreign, f.Severity)
			}
			h.until("Security to be told of the key", func() bool { return h.alarmed("own key") })

			ask := h.await("Ben's drift to be asked about", func(r lifecycle.Request) bool {
				return r.IsFinding() && r.Subject.Name == "Ben" && r.State == lifecycle.Pending
			})
			h.approves(ask)
			h.await("its revocation", func(r lifecycle.Request) bool { return r.ID == ask.ID && r.State == lifecycle.Done })
			told := len(h.alerts)
			h.must(look(h))
			h.must(h.db.Idle(t.Context()))
			if len(h.alerts) != told {
				t.Errorf("what rolecall did itself raises the alarm: %v", h.alerts[told:])
			}
			h.whole()
		})
	}
}

func (h *leaverHouse) knows(p lifecycle.Person) {
	h.t.Helper()
	_, _, err := h.flows.inbox.Receive(h.t.Context(), lifecycle.Fact{Source: "hr/acme", EventID: p.EmployeeID, Person: p, ObservedAt: now(), ReceivedAt: now(), SHA256: strings.Repeat("0", 64)})
	h.must(err)
	h.must(h.db.Idle(h.t.Context()))
}
