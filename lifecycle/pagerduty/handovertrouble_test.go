package pagerduty_test

import (
	"context"
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

// While PagerDuty is away between the end of an event and what follows it, it is asked again and again soon, whatever that
// does to a job's pauses; and when it is back, it goes on.
func TestHalfAHandoverIsTriedAgainSoon(t *testing.T) {
	t.Parallel()
	const no = `{"error":{"message":"Invalid Request","code":2001,"errors":["no"]}}`
	for name, tt := range map[string]struct {
		fault  pagerdutytest.Fault // that lasts
		once   *pagerdutytest.Fault
		reason string // of the try after that
	}{
		"what follows is not answered": {fault: pagerdutytest.Fault{Method: "POST", Times: -1, Kind: pagerdutytest.Status(503, "")}},
		"what is taken back is not": {
			fault:  pagerdutytest.Fault{Method: "POST", Kind: pagerdutytest.Status(400, no)},
			once:   &pagerdutytest.Fault{Method: "PUT", Times: -1, Kind: pagerdutytest.Status(503, "")},
			reason: "Nothing stands changed.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{}, quick, func(cfg *pagerduty.Config) { cfg.Patience = 10 * time.Millisecond })
			o := w.handover(w.shiftSeat(""), w.cy)
			var k keeper
			k.keep(&o)
			was := w.state()
			if tt.once != nil {
				w.fake.Fail(pagerdutytest.Fault{Method: "POST", Kind: pagerdutytest.Before(func() { w.fake.Fail(*tt.once) })})
			}
			w.fake.Fail(tt.fault)
			for range 2 {
				_, err := w.client.Apply(t.Context(), o)
				if waits, is := errors.AsType[*lifecycle.JobError](err); !is || waits.RetryAfter <= 0 || waits.RetryAfter > time.Minute || lifecycle.ReasonOf(err) != "" {
					t.Fatalf("apply: %v, want it to be tried again soon", err)
				}
				k.keep(&o)
				o.Original.KeptAt = w.time()
			}
			o.Original.KeptAt = w.time().Add(-2 * time.Hour)
			if _, err := w.client.Apply(t.Context(), o); err == nil || errors.As(err, new(*lifecycle.JobError)) {
				t.Errorf("apply after hours: %v, want it to be tried as often as anything", err)
			}
			w.fake.Heal()
			if tt.reason == "" {
				w.done(t, o, 6)
				return
			}
			w.fake.Fail(pagerdutytest.Fault{Method: "POST", Kind: pagerdutytest.Status(400, no)})
			if _, err := w.client.Apply(t.Context(), o); !strings.Contains(lifecycle.ReasonOf(err), tt.reason) {
				t.Errorf("apply: %v, want %q", err, tt.reason)
			}
			same(t, was, w.state())
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
	t.Run("without teams", func(t *testing.T) {
		t.Parallel()
		a, c := start(t, pagerdutytest.Config{Abilities: []string{pagerdutytest.AbilityStakeholders}})
		ann := a.AddUser(pagerdutytest.User{Name: "Ann", Email: "ann@example.com"})
		bo := a.AddUser(pagerdutytest.User{Name: "Bo", Email: "bo@example.com"})
		p := a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "All", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(ann.ID)}}}})
		e := lifecycle.Entitlement{Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: p.ID, Name: p.Name}, Level: 1}
		if _, err := c.Apply(t.Context(), order(ann, lifecycle.OpHandover, e, ann.ID, bo.ID)); err != nil || strings.Contains(a.Writes()[0].Body, "teams") {
			t.Errorf("apply: %v after %+v, which must not name teams", err, a.Writes())
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

// Of the two writes of an override the second may be refused, and the words say which stands.
func TestOverrideThatCannotBeTakenAway(t *testing.T) {
	t.Parallel()
	no := pagerdutytest.Status(400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Overrides are frozen"]}}`)
	w := onWatch(t, pagerdutytest.Config{})
	w.fake.Fail(pagerdutytest.Fault{Method: "DELETE", Kind: no})
	o := w.handover(w.seat("QCOMING"), w.cy)
	const want = "PagerDuty refused (400): “Overrides are frozen”. What Cy Cedar has in its place stands; that of Ann Ash is still there."
	if _, err := w.client.Apply(t.Context(), o); lifecycle.ReasonOf(err) != want {
		t.Errorf("apply: %v, want %q", err, want)
	}
	w.done(t, o, 2)

	w = onWatch(t, pagerdutytest.Config{})
	w.fake.Fail(pagerdutytest.Fault{Method: "POST", Kind: pagerdutytest.Status(201, `[{"status":400,"errors":["Override must end after its start"],"override":{}}]`)})
	o = w.handover(w.seat("QCOMING"), w.cy)
	if _, err := w.client.Apply(t.Context(), o); lifecycle.ReasonOf(err) != "PagerDuty refused (400): “Override must end after its start”." || len(w.fake.Effects()) > 0 {
		t.Errorf("apply: %v after %+v", err, w.fake.Effects())
	}
}

// Where sign-ins cannot be seen, PagerDuty's word that they were ended is enough; where they can, it is not.
func TestSignInsThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	no := pagerdutytest.Status(403, `{"error":{"message":"Access Denied","code":2010}}`)
	w := onWatch(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Patience = time.Millisecond })
	w.fake.Fail(pagerdutytest.Fault{Method: "GET", Path: "/users/*/oauth_delegations", Times: -1, Kind: no})
	o := deeds()["sessions"].order(w)
	w.done(t, o, 1)
	w.fake.Heal()
	w.done(t, o, 1)
	if _, err := w.fake.SignIn(w.ann.ID, "web"); err != nil {
		t.Fatal(err)
	}
	if now, err := w.client.ReadBack(t.Context(), o); err == nil || lifecycle.ReasonOf(err) != "" {
		t.Errorf("read back: %+v, %v; want it not to be seen", now, err)
	}
}

// A seat in shifts that somebody else has given away, or taken away with its event, is not written over.
func TestShiftsThatHaveMoved(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*watch, *pagerdutytest.ShiftSchedule){
		"to somebody else": func(w *watch, s *pagerdutytest.ShiftSchedule) {
			for i := range s.Rotations {
				for j := range s.Rotations[i].Events {
					s.Rotations[i].Events[j].Members = []string{w.dan.ID}
				}
			}
		},
		"with all events": func(w *watch, s *pagerdutytest.ShiftSchedule) {
			for i := range s.Rotations {
				s.Rotations[i].Events = []pagerdutytest.Event{{ID: s.Rotations[i].ID + "NEW", Members: []string{w.dan.ID}}}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			o := w.handover(w.shiftSeat(""), w.cy)
			var k keeper
			k.keep(&o)
			ctx, die := context.WithCancel(t.Context())
			w.fake.FailWrite(1, pagerdutytest.Before(die))
			if _, err := w.client.Apply(ctx, o); err == nil {
				t.Fatal("it was applied by a process that is dead")
			}
			s := w.fake.ShiftSchedules()[0]
			change(w, &s)
			must(w.fake.SetShiftScheduleAs(olga, s))
			writes := len(w.fake.Writes())
			for range 2 { // as it was begun, and as if it never had been
				_, err := w.client.Apply(t.Context(), o)
				if !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), "neither Ann Ash nor Cy Cedar on a seat in Core shifts") || len(w.fake.Writes()) > writes {
					t.Errorf("apply: %v", err)
				}
				k.keep(&o)
			}
		})
	}
}

// An incident of which nothing was kept is given back as it was taken.
func TestIncidentOfWhichNothingWasKept(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	o := w.handover(w.onIncident(), w.cy)
	w.done(t, o, 1)
	back := o
	back.Change.ID, back.Change.Restores, back.Change.From, back.Change.To = "chg_2", o.Change.ID, o.Change.To, o.Change.From
	w.done(t, back, 2)
	if got := w.fake.Incidents()[0].AssigneeIDs; !slices.Contains(got, w.ann.ID) || slices.Contains(got, w.cy.ID) {
		t.Errorf("assigned are %v, want Ann and not Cy", got)
	}
}
