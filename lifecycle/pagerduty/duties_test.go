package pagerduty_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// A clock is one for both sides, which a test may move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 4, 10, 30, 0, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// watch is an account in which Ann has one of every duty, and Cy could take any of them.
type watch struct {
	company
	*clock
	ctx    context.Context
	fake   *pagerdutytest.Account
	client *pagerduty.Client

	cy, dan  pagerdutytest.User
	weekly   pagerdutytest.Schedule      // two layers with Ann, and overrides: hers to come and running, Bo's
	shifts   pagerdutytest.ShiftSchedule // events with Ann: running, to come, and one in which all are on call
	incident pagerdutytest.Incident
}

func onWatch(t testing.TB, fake pagerdutytest.Config, change ...func(*pagerduty.Config)) *watch {
	t.Helper()
	w := &watch{clock: newClock(), ctx: t.Context()}
	fake.Now = w.time
	w.fake, w.client = start(t, fake, append([]func(*pagerduty.Config){func(cfg *pagerduty.Config) { cfg.Now = w.time }}, change...)...)
	w.company = populate(w.fake)
	w.cy = w.fake.AddUser(pagerdutytest.User{Name: "Cy Cedar", Email: "cy@example.com"})
	w.dan = w.fake.AddUser(pagerdutytest.User{Name: "Dan Dogwood", Email: "dan@example.com"})
	w.addLayers()
	w.addShifts()
	w.policy = w.fake.AddEscalationPolicy(pagerdutytest.EscalationPolicy{
		Name: "Core <Crit> & more", NumLoops: 2, TeamIDs: []string{w.core.ID}, Rules: []pagerdutytest.Rule{
			{DelayMinutes: 5, Strategy: "round_robin", Targets: []pagerdutytest.Target{
				pagerdutytest.ScheduleTarget(w.weekly.ID), pagerdutytest.UserTarget(w.ann.ID), pagerdutytest.UserTarget(w.bo.ID),
			}},
			{DelayMinutes: 17, Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.ann.ID)}},
			{DelayMinutes: 30, Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.cy.ID), pagerdutytest.UserTarget(w.ann.ID), pagerdutytest.ShiftScheduleTarget(w.shifts.ID)}},
		},
	})
	service := w.fake.AddService(pagerdutytest.Service{Name: "API", EscalationPolicyID: w.policy.ID})
	w.incident = w.fake.AddIncident(pagerdutytest.Incident{
		Title: "Checkout is down", ServiceID: service.ID, EscalationPolicyID: w.policy.ID, AssigneeIDs: []string{w.bo.ID, w.ann.ID},
	})
	w.fake.AddSession(w.ann.ID, "web")
	w.fake.AddSession(w.ann.ID, "mobile")
	w.fake.AddSession(w.ann.ID, "integration")
	return w
}

func (w *watch) addLayers() {
	now := w.time()
	w.weekly = w.fake.AddSchedule(pagerdutytest.Schedule{
		Name: "Core weekly", TimeZone: "America/New_York", TeamIDs: []string{w.core.ID}, Layers: []pagerdutytest.Layer{
			{Name: "Over", UserIDs: []string{w.ann.ID}, Start: now.Add(-60 * 24 * time.Hour), End: now.Add(-31 * 24 * time.Hour)},
			{Name: "Everybody", UserIDs: []string{w.bo.ID, w.ann.ID, w.dan.ID}, Start: now.Add(-30 * 24 * time.Hour).Add(17 * time.Minute)},
			{Name: "Nights", UserIDs: []string{w.ann.ID, w.ada.ID}, Start: now.Truncate(24 * time.Hour).Add(-7 * time.Hour), Turn: 24 * time.Hour, Restrictions: []pagerdutytest.Restriction{{From: 22 * time.Hour, Length: 8 * time.Hour}}},
		},
		Overrides: []pagerdutytest.Override{
			{ID: "QCOMING", UserID: w.ann.ID, Start: now.Add(48 * time.Hour), End: now.Add(60 * time.Hour)},
			{ID: "QRUNNING", UserID: w.ann.ID, Start: now.Add(-time.Hour), End: now.Add(5 * time.Hour)},
			{ID: "QBO", UserID: w.bo.ID, Start: now.Add(100 * time.Hour), End: now.Add(130 * time.Hour)},
		},
	})
}

func (w *watch) addShifts() {
	now := w.time()
	w.shifts = w.fake.AddShiftSchedule(pagerdutytest.ShiftSchedule{
		Name: "Core shifts", TimeZone: "Europe/Berlin", TeamIDs: []string{w.core.ID}, Rotations: []pagerdutytest.Rotation{
			{ID: "ROTATION1", Events: []pagerdutytest.Event{
				{ID: "RUNNING", Name: "Weekly", Start: now.Add(-20 * 24 * time.Hour), Members: []string{w.bo.ID, w.ann.ID, w.dan.ID}, Until: now.Add(60 * 24 * time.Hour)},
				{ID: "COMING", Name: "Later", Start: now.Add(60 * 24 * time.Hour), Members: []string{w.ann.ID, w.ada.ID}},
			}},
			{ID: "ROTATION2", Events: []pagerdutytest.Event{
				{ID: "TOGETHER", Name: "All", EveryMember: true, Members: []string{w.ada.ID, w.ann.ID}},
			}},
		},
		CustomShifts: []pagerdutytest.CustomShift{
			{ID: "EXTRACOMING", UserID: w.ann.ID, Start: now.Add(30 * time.Hour), End: now.Add(34 * time.Hour)},
			{ID: "EXTRARUNNING", UserID: w.ann.ID, Start: now.Add(-time.Hour), End: now.Add(4 * time.Hour)},
		},
		Overrides: []pagerdutytest.ShiftOverride{
			{ID: "COVERED", RotationID: "ROTATION1", Overridden: w.ann.ID, Overriding: w.bo.ID, Start: now.Add(9 * 24 * time.Hour), End: now.Add(10 * 24 * time.Hour)},
			{ID: "TAKEN", RotationID: "ROTATION1", Overridden: w.bo.ID, Overriding: w.ann.ID, Start: now.Add(24 * 24 * time.Hour), End: now.Add(25 * 24 * time.Hour)},
		},
	})
}

// handover is the order to give one of Ann's duties to somebody.
func (w *watch) handover(e lifecycle.Entitlement, to pagerdutytest.User) lifecycle.Order {
	o := order(w.ann, lifecycle.OpHandover, e, w.ann.ID, to.ID)
	o.Change.Successor = lifecycle.AccountCard{ID: lifecycle.AccountID(to.ID), Name: to.Name, Email: to.Email}
	return o
}

func (w *watch) level(n int) lifecycle.Entitlement {
	return lifecycle.Entitlement{Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: w.policy.ID, Name: w.policy.Name}, Level: n}
}

func (w *watch) seat(override string) lifecycle.Entitlement {
	return lifecycle.Entitlement{Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: w.weekly.ID, Name: w.weekly.Name}, Override: override}
}

func (w *watch) shiftSeat(override string) lifecycle.Entitlement {
	return lifecycle.Entitlement{Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: w.shifts.ID, Name: w.shifts.Name}, Override: override}
}

func (w *watch) onIncident() lifecycle.Entitlement {
	return lifecycle.Entitlement{Kind: lifecycle.KindIncident, Object: lifecycle.Object{ID: w.incident.ID, Name: "#1 Checkout is down"}}
}

// A deed is one kind of change that the account does not show, and how many writes it takes.
type deed struct {
	writes int
	order  func(*watch) lifecycle.Order
}

// deeds returns every kind there is.
func deeds() map[string]deed {
	session := func(role string) func(*watch) lifecycle.Order {
		return func(w *watch) lifecycle.Order {
			from := "open"
			if role == lifecycle.SessionCalendar {
				from = w.calendar()
			}
			return order(w.ann, lifecycle.OpContain, lifecycle.Entitlement{Kind: lifecycle.KindSession, Role: role}, from, "")
		}
	}
	all := handovers()
	all["sessions"] = deed{1, session(lifecycle.SessionSignIns)}
	all["the calendar"] = deed{1, session(lifecycle.SessionCalendar)}
	return all
}

// handovers returns the kinds that can be taken back: what is ended stays ended.
func handovers() map[string]deed {
	return map[string]deed{
		"a level":                {1, func(w *watch) lifecycle.Order { return w.handover(w.level(2), w.cy) }},
		"a level among others":   {1, func(w *watch) lifecycle.Order { return w.handover(w.level(1), w.cy) }},
		"a level that they have": {1, func(w *watch) lifecycle.Order { return w.handover(w.level(3), w.cy) }},
		"a level to nobody": {1, func(w *watch) lifecycle.Order {
			return w.handover(w.level(1), pagerdutytest.User{ID: lifecycle.NoSuccessor})
		}},
		"a seat in layers":             {1, func(w *watch) lifecycle.Order { return w.handover(w.seat(""), w.cy) }},
		"a seat beside their own":      {1, func(w *watch) lifecycle.Order { return w.handover(w.seat(""), w.dan) }},
		"a seat in shifts":             {6, func(w *watch) lifecycle.Order { return w.handover(w.shiftSeat(""), w.cy) }},
		"a seat beside ones in shifts": {6, func(w *watch) lifecycle.Order { return w.handover(w.shiftSeat(""), w.ada) }},
		"an override to come":          {2, func(w *watch) lifecycle.Order { return w.handover(w.seat("QCOMING"), w.cy) }},
		"an override that runs":        {2, func(w *watch) lifecycle.Order { return w.handover(w.seat("QRUNNING"), w.cy) }},
		"an override of shifts":        {1, func(w *watch) lifecycle.Order { return w.handover(w.shiftSeat("TAKEN"), w.cy) }},
		"a custom shift to come":       {1, func(w *watch) lifecycle.Order { return w.handover(w.shiftSeat("EXTRACOMING"), w.cy) }},
		"a custom shift that runs":     {2, func(w *watch) lifecycle.Order { return w.handover(w.shiftSeat("EXTRARUNNING"), w.cy) }},
		"an incident":                  {1, func(w *watch) lifecycle.Order { return w.handover(w.onIncident(), w.cy) }},
		"an incident that they have":   {1, func(w *watch) lifecycle.Order { return w.handover(w.onIncident(), w.bo) }},
		"an incident to nobody": {1, func(w *watch) lifecycle.Order {
			return w.handover(w.onIncident(), pagerdutytest.User{ID: lifecycle.NoSuccessor})
		}},
	}
}

// calendar returns the fingerprint of Ann's calendar.
func (w *watch) calendar() string {
	h, err := w.client.Holdings(w.ctx, lifecycle.AccountID(w.ann.ID))
	must(err)
	return h.Calendar
}

// A keeper keeps originals as storage does: the first of a change stays.
type keeper struct {
	kept  map[lifecycle.ChangeID]lifecycle.Original
	calls int
	fail  error
}

func (k *keeper) keep(o *lifecycle.Order) {
	if k.kept == nil {
		k.kept = map[lifecycle.ChangeID]lifecycle.Original{}
	}
	id := o.Change.ID
	o.Keep = func(_ context.Context, was lifecycle.Original) error {
		k.calls++
		if _, had := k.kept[id]; !had && k.fail == nil {
			k.kept[id] = was
		}
		return k.fail
	}
	o.Original = nil
	if was, had := k.kept[id]; had {
		o.Original = &was
	}
}

// undo is the order that takes o back.
func (k *keeper) undo(o lifecycle.Order) lifecycle.Order {
	was := k.kept[o.Change.ID]
	back := o
	back.Change.ID, back.Change.Restores = o.Change.ID+"back", o.Change.ID
	back.Change.From, back.Change.To, back.Change.Successor = o.Change.To, o.Change.From, lifecycle.AccountCard{}
	k.keep(&back)
	back.Original = &was
	return back
}

// others returns when everybody but those named is on call in both schedules, for four weeks from a moment on.
func (w *watch) others(from time.Time, apart ...string) map[string][]pagerdutytest.Shift {
	all := map[string][]pagerdutytest.Shift{}
	for _, id := range []string{w.weekly.ID, w.shifts.ID} {
		for _, s := range w.fake.Shifts(id, from, from.Add(28*24*time.Hour)) {
			if !slices.Contains(apart, s.UserID) {
				all[id] = append(all[id], s)
			}
		}
	}
	return all
}

// covered fails the test if anything was left to nobody, or somebody else has other shifts than before.
func (w *watch) covered(t *testing.T, from time.Time, before map[string][]pagerdutytest.Shift, apart ...string) {
	t.Helper()
	if gaps := w.fake.GapsSeen(); len(gaps) > 0 {
		t.Errorf("gaps: %v", gaps)
	}
	if diff := cmp.Diff(before, w.others(from, apart...)); diff != "" {
		t.Errorf("others' shifts (-before +after):\n%s", diff)
	}
}

func same(t *testing.T, was, is any) {
	t.Helper()
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("state (-before +after):\n%s", diff)
	}
}

// state is everything that handovers write to and that has no new ids after it was put back.
func (w *watch) state() any {
	type seat struct {
		rotation  string
		members   []string
		recurs    []string
		start     time.Time
		ends      time.Time
		turn      int
		everybody bool
	}
	now := w.time().Add(soonOver)
	var seats []seat
	for _, s := range w.fake.ShiftSchedules() {
		for _, r := range s.Rotations {
			for _, e := range r.Events {
				if e.Until.IsZero() || e.Until.After(now) {
					seats = append(seats, seat{r.ID, e.Members, e.Recurrence, e.Start, e.Until, e.ShiftsPerMember, e.EveryMember})
				}
			}
		}
	}
	slices.SortStableFunc(seats, func(a, b seat) int { return a.start.Compare(b.start) })
	var layers [][]pagerdutytest.Layer
	for _, s := range w.fake.Schedules() {
		layers = append(layers, s.Layers)
	}
	assigned := slices.Sorted(slices.Values(w.fake.Incidents()[0].AssigneeIDs))
	return []any{w.fake.EscalationPolicies(), layers, fmt.Sprintf("%+v", seats), assigned}
}
