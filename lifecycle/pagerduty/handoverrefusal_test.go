package pagerduty_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const olga = "olga@example.com"

// What cannot be handed over is refused in words that a person can act on, and nothing is written.
func TestHandoverRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		given  func(*watch)
		order  func(*watch) lifecycle.Order
		kind   error
		reason string
	}{
		"to nobody chosen yet": {
			order: func(w *watch) lifecycle.Order { return w.handover(w.level(1), pagerdutytest.User{}) },
			kind:  lifecycle.ErrInvalid, reason: "Nobody has been chosen yet to take over level 1 of Core <Crit> & more.",
		},
		"to the one who goes": {
			order: func(w *watch) lifecycle.Order { return w.handover(w.level(1), w.ann) },
			kind:  lifecycle.ErrInvalid, reason: "Ann Ash cannot take over level 1 of Core <Crit> & more from themselves.",
		},
		"to a stakeholder": {
			order: func(w *watch) lifecycle.Order { return w.handover(w.seat(""), w.sue) },
			kind:  lifecycle.ErrConflict, reason: "Sue Stake is Stakeholder (read_only_user), whom PagerDuty lets not be on call. Choose somebody else",
		},
		"to somebody who is gone": {
			given: func(w *watch) { must(w.fake.DeleteUserAs(olga, w.dan.ID)) },
			order: func(w *watch) lifecycle.Order { return w.handover(w.level(2), w.dan) },
			kind:  lifecycle.ErrNotFound, reason: "Dan Dogwood has no PagerDuty account any more, and cannot take over level 2 of Core <Crit> & more. Choose somebody else.",
		},
		"a level to nobody": {
			order: func(w *watch) lifecycle.Order {
				return w.handover(w.level(2), pagerdutytest.User{ID: lifecycle.NoSuccessor})
			},
			kind: lifecycle.ErrConflict, reason: "Nobody but Ann Ash is on level 2 of Core <Crit> & more now: somebody must take over.",
		},
		"a seat to nobody": {
			order: func(w *watch) lifecycle.Order {
				return w.handover(w.seat(""), pagerdutytest.User{ID: lifecycle.NoSuccessor})
			},
			kind: lifecycle.ErrInvalid, reason: "Somebody must take over a seat in Core weekly",
		},
		"an incident to nobody": {
			given: func(w *watch) { w.only(w.ann) },
			order: func(w *watch) lifecycle.Order {
				return w.handover(w.onIncident(), pagerdutytest.User{ID: lifecycle.NoSuccessor})
			},
			kind: lifecycle.ErrConflict, reason: "Nobody but Ann Ash is on incident #1 Checkout is down now",
		},
		"a level that somebody else has given away": {
			given: func(w *watch) { w.setLevel(1, pagerdutytest.UserTarget(w.dan.ID)) },
			order: func(w *watch) lifecycle.Order { return w.handover(w.level(2), w.cy) },
			kind:  lifecycle.ErrConflict, reason: "PagerDuty shows neither Ann Ash nor Cy Cedar on level 2 of Core <Crit> & more now. Somebody else has changed that",
		},
		"a level that is gone": {
			order: func(w *watch) lifecycle.Order { return w.handover(w.level(7), w.cy) },
			kind:  lifecycle.ErrConflict, reason: "neither Ann Ash nor Cy Cedar on level 7",
		},
		"a seat that somebody else has given away": {
			given: func(w *watch) {
				s := w.weekly
				s.Layers[1].UserIDs, s.Layers[2].UserIDs = []string{w.bo.ID}, []string{w.bo.ID}
				must(w.fake.SetScheduleAs(olga, s))
			},
			order: func(w *watch) lifecycle.Order { return w.handover(w.seat(""), w.cy) },
			kind:  lifecycle.ErrConflict, reason: "neither Ann Ash nor Cy Cedar on a seat in Core weekly",
		},
		"an override that is gone": {
			order: func(w *watch) lifecycle.Order { return w.handover(w.seat("QNEVER"), w.cy) },
			kind:  lifecycle.ErrConflict, reason: "neither Ann Ash nor Cy Cedar on an override in Core weekly",
		},
		"an override of somebody else's": {
			order: func(w *watch) lifecycle.Order { return w.handover(w.seat("QBO"), w.cy) },
			kind:  lifecycle.ErrConflict, reason: "neither Ann Ash nor Cy Cedar on an override in Core weekly",
		},
		"an incident that somebody else has": {
			given: func(w *watch) { w.only(w.dan) },
			order: func(w *watch) lifecycle.Order { return w.handover(w.onIncident(), w.cy) },
			kind:  lifecycle.ErrConflict, reason: "neither Ann Ash nor Cy Cedar on incident #1",
		},
		"a policy that is gone": {
			order: func(w *watch) lifecycle.Order {
				e := w.level(1)
				e.Object = lifecycle.Object{ID: "PGONE", Name: "Refunds"}
				return w.handover(e, w.cy)
			},
			kind: lifecycle.ErrNotFound, reason: "PagerDuty no longer has the escalation policy Refunds.",
		},
		"a schedule that is gone": {
			order: func(w *watch) lifecycle.Order {
				e := w.seat("")
				e.Object = lifecycle.Object{ID: "PGONE", Name: "Refunds weekly"}
				return w.handover(e, w.cy)
			},
			kind: lifecycle.ErrNotFound, reason: "PagerDuty no longer has the schedule Refunds weekly.",
		},
		"an id that is none": {
			order: func(w *watch) lifecycle.Order {
				e := w.level(1)
				e.Object.ID = "../users"
				return w.handover(e, w.cy)
			},
			kind: lifecycle.ErrInvalid, reason: `"../users" is no PagerDuty id.`,
		},
		"giving back what was not kept": {
			order: func(w *watch) lifecycle.Order {
				o := w.handover(w.level(1), w.cy)
				o.Change.Restores = "chg_0"
				return o
			},
			kind: lifecycle.ErrNotFound, reason: "What the escalation policy Core <Crit> & more was before is not on record",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			if tt.given != nil {
				tt.given(w)
			}
			_, err := w.client.Apply(t.Context(), tt.order(w))
			if !errors.Is(err, tt.kind) || !strings.Contains(lifecycle.ReasonOf(err), tt.reason) {
				t.Errorf("error is %v with reason %q;\nwant %v with %q", err, lifecycle.ReasonOf(err), tt.kind, tt.reason)
			}
			if got := w.fake.Writes(); len(got) > 0 {
				t.Errorf("writes are %+v, want none", got)
			}
		})
	}
}

// Whatever write PagerDuty says no to, and in whatever form: the words say why, nobody is left without an answer, and what
// was before stands, or is said not to.
func TestEveryWriteRefusedInEveryShape(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		calls := d.writes
		if name == "a seat in layers" || name == "a seat beside their own" {
			calls++ // layers are looked at in a preview first
		}
		for nth := 1; nth <= calls; nth++ {
			for _, shape := range pagerdutytest.Shapes() {
				t.Run(fmt.Sprintf("%s, write %d, %s", name, nth, shape), func(t *testing.T) {
					t.Parallel()
					w := onWatch(t, pagerdutytest.Config{})
					o := d.order(w)
					status, text := 400, "moon phase"
					if shape == pagerdutytest.ScopeText {
						status, text = 403, "moon.write"
					}
					was, kept := w.state(), keeper{}
					kept.keep(&o)
					w.fake.FailWrite(nth, pagerdutytest.Refuses(status, 2001, text, shape))
					_, err := w.client.Apply(t.Context(), o)
					reason := lifecycle.ReasonOf(err)
					switch {
					case shape == pagerdutytest.Page && err != nil: // it proves nothing, and passes
						t.Errorf("apply: %v", err)
					case shape == pagerdutytest.Page:
						return
					case shape == pagerdutytest.Nothing && !strings.Contains(reason, "it does not say why"), shape != pagerdutytest.Nothing && !strings.Contains(reason, text):
						t.Errorf("apply: %v with reason %q, want it to say %q", err, reason, text)
					}
					if gaps := w.fake.GapsSeen(); len(gaps) > 0 {
						t.Errorf("gaps: %v", gaps)
					}
					if !strings.Contains(reason, "stands; that of") {
						same(t, was, w.state())
					}
				})
			}
		}
	}
}

// only leaves the incident to one person.
func (w *watch) only(u pagerdutytest.User) {
	i := w.fake.AddIncident(pagerdutytest.Incident{
		Title: "Checkout is down", ServiceID: w.incident.ServiceID, EscalationPolicyID: w.policy.ID, AssigneeIDs: []string{u.ID},
	})
	w.incident = i
}

// setLevel has somebody change whom a level, counted from 0, calls.
func (w *watch) setLevel(n int, targets ...pagerdutytest.Target) {
	p := w.policyNow()
	p.Rules[n].Targets = targets
	must(w.fake.SetPolicyAs(olga, p))
}

func (w *watch) policyNow() pagerdutytest.EscalationPolicy {
	all := w.fake.EscalationPolicies()
	return all[slices.IndexFunc(all, func(p pagerdutytest.EscalationPolicy) bool { return p.ID == w.policy.ID })]
}

// What was changed since a handover is not written over, and what it was is said.
func TestUndoOfWhatWasChangedSince(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*watch)
		reason string
	}{
		"a level": {
			change: func(w *watch) { w.setLevel(1, pagerdutytest.UserTarget(w.dan.ID)) },
			reason: "The escalation policy Core <Crit> & more was changed in PagerDuty since (its levels), so what it was before is not written over that.",
		},
		"a seat in layers": {
			change: func(w *watch) {
				s := w.fake.Schedules()[0]
				s.Layers[1].UserIDs = []string{w.dan.ID, w.cy.ID}
				must(w.fake.SetScheduleAs(olga, s))
			},
			reason: "The schedule Core weekly was changed in PagerDuty since (its layers)",
		},
		"a seat in shifts": {
			change: func(w *watch) {
				s := w.fake.ShiftSchedules()[0]
				s.Rotations[1].Events = append(s.Rotations[1].Events, pagerdutytest.Event{
					Name: "New", Since: w.time().Add(400 * 24 * time.Hour), Start: w.time().Add(400 * 24 * time.Hour), Members: []string{w.dan.ID},
				})
				must(w.fake.SetShiftScheduleAs(olga, s))
			},
			reason: "The schedule Core shifts was changed in PagerDuty since (its shifts)",
		},
		"an incident": {
			change: func(w *watch) { w.reassign(w.dan) },
			reason: "The incident #1 Checkout is down was changed in PagerDuty since (its assignments)",
		},
		"an override to come": {
			change: func(w *watch) {
				s := w.fake.Schedules()[0]
				s.Overrides = slices.DeleteFunc(s.Overrides, func(o pagerdutytest.Override) bool { return o.UserID == w.cy.ID })
				must(w.fake.SetScheduleAs(olga, s))
			},
			reason: "PagerDuty shows neither whoever took over nor Ann Ash on an override in Core weekly now.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			o := deeds()[name].order(w)
			var k keeper
			k.keep(&o)
			w.done(t, o, deeds()[name].writes)
			tt.change(w)
			writes := len(w.fake.Effects())
			_, err := w.client.Apply(t.Context(), k.undo(o))
			if !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), tt.reason) {
				t.Errorf("undo: %v,\nwant %q", err, tt.reason)
			}
			if got := w.fake.Effects()[writes:]; len(got) > 0 {
				t.Errorf("effects of the undo are %+v, want none", got)
			}
		})
	}
}

// reassign has another client give the incident to somebody.
func (w *watch) reassign(to pagerdutytest.User) {
	e := w.onIncident()
	o := order(w.cy, lifecycle.OpHandover, e, w.cy.ID, to.ID)
	_, err := w.client.Apply(w.ctx, o)
	must(err)
}
