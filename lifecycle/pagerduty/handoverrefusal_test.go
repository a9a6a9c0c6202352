package pagerduty_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
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

// Two people's duties in one policy, and two in one schedule, are handed over at the same moment: neither is lost.
func TestHandoversOfOneObjectTakeTurns(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{Latency: 1e6})
	orders := []lifecycle.Order{
		w.handover(w.level(1), w.cy), w.handover(w.level(2), w.dan), w.handover(w.level(3), w.cy),
		w.handover(w.seat(""), w.cy), w.handover(w.seat("QCOMING"), w.dan), w.handover(w.seat("QRUNNING"), w.cy),
	}
	var wg sync.WaitGroup
	for i, o := range orders {
		o.Change.ID = lifecycle.ChangeID(strings.Repeat("x", i+1))
		wg.Go(func() {
			if _, err := w.client.Apply(t.Context(), o); err != nil {
				t.Errorf("apply: %v", err)
			}
		})
	}
	wg.Wait()
	for _, o := range orders {
		w.done(t, o, 8)
	}
}

// A schedule that was upgraded between plan and apply is followed by its id while the seat is there.
func TestHandoverFollowsAnUpgrade(t *testing.T) {
	t.Parallel()
	t.Run("the seat is there", func(t *testing.T) {
		t.Parallel()
		w := onWatch(t, pagerdutytest.Config{})
		o := w.handover(w.seat(""), w.cy)
		var k keeper
		k.keep(&o)
		w.fake.UpgradeSchedule(w.weekly.ID)
		from := w.time().Add(soonOver)
		before := w.others(from, w.ann.ID, w.cy.ID)
		w.done(t, o, 5) // one more for whoever covers for Ann
		w.covered(t, from, before, w.ann.ID, w.cy.ID)
	})
	t.Run("the layers are not given back", func(t *testing.T) {
		t.Parallel()
		w := onWatch(t, pagerdutytest.Config{})
		o := w.handover(w.seat(""), w.cy)
		var k keeper
		k.keep(&o)
		w.done(t, o, 1)
		w.fake.UpgradeSchedule(w.weekly.ID)
		_, err := w.client.Apply(t.Context(), k.undo(o))
		if !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), "The schedule Core weekly was upgraded to shifts since") {
			t.Errorf("undo: %v", err)
		}
	})
}

// When PagerDuty will not make what is to follow, what was ended goes on, and the words say what stands.
func TestHandoverTakesBack(t *testing.T) {
	t.Parallel()
	const no = `{"error":{"message":"Invalid Request","code":2001,"errors":{"rotation.events":["A rotation cannot have more than 5 events"]}}}`
	for name, tt := range map[string]struct {
		given  func(*watch)
		reason string
		writes int // that PagerDuty made of all that was tried
	}{
		"a refusal of what follows": {
			given:  func(w *watch) { w.fake.Fail(pagerdutytest.Fault{Method: "POST", Kind: pagerdutytest.Status(400, no)}) },
			reason: "PagerDuty refused (400): “rotation.events A rotation cannot have more than 5 events”. Nothing stands changed.", writes: 2,
		},
		"a refusal of the last": {
			given: func(w *watch) {
				w.fake.Fail(pagerdutytest.Fault{Method: "POST", Path: "/v3/schedules/*/overrides", Kind: pagerdutytest.Status(400, no)})
			},
			reason: "Nothing stands changed.", writes: 10,
		},
		"others' shifts that move meanwhile": {
			given: func(w *watch) {
				w.fake.Fail(pagerdutytest.Fault{Method: "POST", Path: "/v3/schedules/*/overrides", Kind: pagerdutytest.After(func() {
					s := w.fake.ShiftSchedules()[0]
					s.CustomShifts = append(s.CustomShifts, pagerdutytest.CustomShift{ID: "NEW", UserID: w.dan.ID, Start: w.time().Add(72 * time.Hour), End: w.time().Add(75 * time.Hour)})
					must(w.fake.SetShiftScheduleAs(olga, s))
				})})
			},
			reason: "Handing over a seat in Core shifts would also move the shifts of Dan Dogwood, as PagerDuty draws it, so it was left as it was. Change it in PagerDuty by hand. Nothing stands changed.", writes: 12,
		},
		"a refusal, and then nothing works any more": {
			given: func(w *watch) {
				w.fake.Fail(pagerdutytest.Fault{Method: "POST", Kind: pagerdutytest.Before(func() {
					w.fake.Fail(pagerdutytest.Fault{Method: "PUT", Times: -1, Kind: pagerdutytest.Status(400, no)})
				})})
				w.fake.Fail(pagerdutytest.Fault{Method: "POST", Kind: pagerdutytest.Status(400, no)})
			},
			reason: "What was done before that could not be taken back: some shifts of the schedule Core shifts end within minutes, and nobody follows. Mend it in PagerDuty now.", writes: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			tt.given(w)
			o := w.handover(w.shiftSeat(""), w.cy)
			var k keeper
			k.keep(&o)
			was := w.state()
			_, err := w.client.Apply(t.Context(), o)
			if lifecycle.ReasonOf(err) == "" || !strings.Contains(lifecycle.ReasonOf(err), tt.reason) {
				t.Errorf("apply: %v,\nwant %q", err, tt.reason)
			}
			if got := w.fake.Effects(); len(got) != tt.writes {
				t.Errorf("%d effects, want %d: %+v", len(got), tt.writes, got)
			}
			if tt.writes > 1 {
				same(t, was, w.state())
			}
			if gaps := w.fake.GapsSeen(); len(gaps) > 0 {
				t.Errorf("gaps: %v", gaps)
			}
		})
	}
}

// Plans that lack something are no hindrance where it is not needed, and are named where it is.
func TestHandoverOnSmallPlans(t *testing.T) {
	t.Parallel()
	t.Run("without round robin", func(t *testing.T) {
		t.Parallel()
		a, c := start(t, pagerdutytest.Config{NoRoundRobin: true})
		w := populate(a)
		e := lifecycle.Entitlement{Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: w.policy.ID, Name: "Core-Crit"}, Level: 2}
		o := order(w.ann, lifecycle.OpHandover, e, w.ann.ID, w.bo.ID)
		if _, err := c.Apply(t.Context(), o); err != nil || len(a.Effects()) != 1 {
			t.Errorf("apply: %v after %+v", err, a.Effects())
		}
	})
	t.Run("nobody to act as", func(t *testing.T) {
		t.Parallel()
		w := onWatch(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.From = "" })
		_, err := w.client.Apply(t.Context(), w.handover(w.onIncident(), w.cy))
		if !strings.Contains(lifecycle.ReasonOf(err), "as whom incidents are reassigned. Set ROLECALL_PAGERDUTY_FROM") || len(w.fake.Writes()) > 0 {
			t.Errorf("apply: %v", err)
		}
	})
}

// A loss waits until all that on-call needs the person for is somebody else's, and is then made.
func TestLossesWaitForHandovers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		loss   func(*watch) lifecycle.Order
		reason string
	}{
		"off the team": {
			loss:   func(w *watch) lifecycle.Order { return teamRole(w.ann, w.core, lifecycle.TeamResponder, "") },
			reason: "Ann Ash cannot be taken off Core while still on level 2 of Core-Crit, level 1 of Core <Crit> & more, level 2 of Core <Crit> & more, level 3 of Core <Crit> & more, a seat in Core",
		},
		"down to stakeholder": {
			loss:   func(w *watch) lifecycle.Order { return baseRole(w.ann, lifecycle.RoleStakeholder) },
			reason: "A stakeholder cannot be on call, and Ann Ash is still on level 2 of Core-Crit",
		},
		"away": {loss: func(w *watch) lifecycle.Order { return deletion(w.ann) }, reason: "Ann Ash cannot be deleted while still on level 2 of Core-Crit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			_, err := w.client.Apply(t.Context(), tt.loss(w))
			if !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), tt.reason) || len(w.fake.Writes()) > 0 {
				t.Fatalf("apply: %v,\nwant %q", err, tt.reason)
			}
			w.handAllOver(t)
			if name == "away" {
				w.waits(t, tt.loss(w))
			}
			if _, err := w.client.Apply(t.Context(), tt.loss(w)); err != nil {
				t.Errorf("apply after the handovers: %v", err)
			}
			if gaps := w.fake.GapsSeen(); len(gaps) > 0 {
				t.Errorf("gaps: %v", gaps)
			}
		})
	}
}

// waits holds a deletion to waiting for the end of shifts that were just handed over.
func (w *watch) waits(t *testing.T, o lifecycle.Order) {
	t.Helper()
	writes := len(w.fake.Writes())
	_, err := w.client.Apply(t.Context(), o)
	passes, is := errors.AsType[*lifecycle.JobError](err)
	if !is || passes.RetryAfter <= 0 || passes.RetryAfter > soonOver || len(w.fake.Writes()) > writes {
		t.Errorf("apply: %v, want it to wait for minutes", err)
	}
	w.pass(soonOver)
}

// handAllOver gives everything that Ann has to Cy.
func (w *watch) handAllOver(t *testing.T) {
	t.Helper()
	h, err := w.client.Holdings(t.Context(), lifecycle.AccountID(w.ann.ID))
	if err != nil {
		t.Fatal(err)
	}
	entitlements := []lifecycle.Entitlement{w.onIncident()}
	for _, d := range h.Duties {
		entitlements = append(entitlements, d.Entitlement())
	}
	for i, e := range entitlements {
		o := w.handover(e, w.cy)
		o.Change.ID = lifecycle.ChangeID(strings.Repeat("x", i+1))
		if _, err := w.client.Apply(t.Context(), o); err != nil {
			t.Fatalf("hand over %s: %v", e, err)
		}
	}
	if h, err = w.client.Holdings(t.Context(), lifecycle.AccountID(w.ann.ID)); err != nil || len(h.Duties) > 0 {
		t.Fatalf("still has %+v, %v", h.Duties, err)
	}
}
