package pagerdutytest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// shifty is an account with a shift-based schedule of three people in daily turns; three more are on none.
func shifty(t *testing.T) (*pagerdutytest.Account, *clock, []string, pagerdutytest.ShiftSchedule, string) {
	t.Helper()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
	ids := populate(a, 6)
	s := a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "Daily", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{
		{Name: "Turns", Start: c.now(), End: c.now().Add(day), Recurrence: []string{"RRULE:FREQ=DAILY"}, Members: ids[:3]},
	}}}})
	return a, c, ids, s, "/v3/schedules/" + s.ID + "/rotations/" + s.Rotations[0].ID + "/events"
}

// PagerDuty's own recipe: the active event is deleted and its successor has an empty seat. Nobody else moves, and what was
// before stays.
func TestAnEmptySeatMovesNobody(t *testing.T) {
	t.Parallel()
	a, c, ids, s, events := shifty(t)
	c.pass(4 * day)
	e := s.Rotations[0].Events[0]
	successor := eventBody(e, func(e *pagerdutytest.Event) { e.Members = []string{ids[0], pagerdutytest.EmptyMember, ids[2]} })
	var got []int
	got = append(got, ask(t, a, "POST", events, successor).Code) // too early: the shifts would overlap
	got = append(got, ask(t, a, "DELETE", events+"/"+e.ID, "").Code, ask(t, a, "POST", events, successor).Code)
	if diff := cmp.Diff([]int{400, 204, 201}, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if got := rota(a, s.ID, ids, c.now().Add(-4*day), day, 9); got != "abca-ca-c" {
		t.Errorf("on call is %s, want abca-ca-c", got)
	}
	page := into[struct {
		Schedule struct {
			Final struct {
				Coverage float64                                  `json:"rendered_coverage_percentage"`
				Shifts   []struct{ Member struct{ Type string } } `json:"computed_shift_assignments"`
			} `json:"final_schedule"`
		}
	}](t, a, fmt.Sprintf("/v3/schedules/%s?include[]=final_schedule&since=%s&until=%s", s.ID, stamp(c.now()), stamp(c.now().Add(2*day))))
	if f := page.Schedule.Final; f.Coverage != 50 || len(f.Shifts) != 2 || f.Shifts[0].Member.Type != "empty_member" {
		t.Errorf("final schedule is %+v, want an empty shift and then one that is not", f)
	}
}

// The careful road: the end is set first, the successor begins there, and the schedule is never without anybody.
func TestAHandoverWithoutAGap(t *testing.T) {
	t.Parallel()
	a, c, ids, s, events := shifty(t)
	c.pass(time.Hour)
	e, cut := s.Rotations[0].Events[0], c.now().Add(10*time.Minute)
	put(t, a, events+"/"+e.ID, `{"event":{"effective_until":"`+stamp(cut)+`"}}`)
	w := ask(t, a, "POST", events, eventBody(e, func(e *pagerdutytest.Event) {
		e.Since, e.Members = cut, []string{ids[3], ids[1], ids[2]}
	}))
	if w.Code != 201 {
		t.Fatalf("POST answers %d %s", w.Code, w.Body)
	}
	if got := rota(a, s.ID, ids, c.now(), day, 6); got != "abcdbc" {
		t.Errorf("on call is %s, want abcdbc", got)
	}
	c.pass(time.Hour)
	if got := a.GapsSeen(); len(got) > 0 {
		t.Errorf("gaps: %v", got)
	}
}

func TestShiftRefusals(t *testing.T) {
	t.Parallel()
	past := func(e *pagerdutytest.Event) { e.Until = e.Since.Add(time.Hour) }
	future := func(e *pagerdutytest.Event) { e.Since = e.Since.AddDate(0, 1, 0) }
	for name, tt := range map[string]struct {
		have         func(*pagerdutytest.Event) // how the event is before
		method, path string                     // path after the rotation's events
		change       func(*pagerdutytest.Event) // what is sent of it
		body         string                     // instead of change
		want         string
	}{
		"new members of an active event": {
			method: "PUT", path: "/{event}", change: func(e *pagerdutytest.Event) { e.Members = e.Members[:2] },
			want: "400 event.assignment_strategy: Only effective_until can be updated on an active event",
		},
		"another name of an active event": {
			method: "PUT", path: "/{event}", body: `{"event":{"name":"Other"}}`,
			want: "400 event.name: Only effective_until can be updated on an active event",
		},
		"an end in the past":        {method: "PUT", path: "/{event}", body: `{"event":{"effective_until":"2026-01-01T00:00:00Z"}}`, want: "400 event.effective_until: must not be in the past"},
		"an event that is over":     {have: past, method: "PUT", path: "/{event}", body: `{"event":{}}`, want: "400 event: Past events cannot be modified"},
		"deleting what is over":     {have: past, method: "DELETE", path: "/{event}", want: "404 Not Found"},
		"half of a future event":    {have: future, method: "PUT", path: "/{event}", body: `{"event":{"name":"Other"}}`, want: "400 event.start_time: must not be null"},
		"too far away":              {have: past, method: "POST", change: func(e *pagerdutytest.Event) { e.Since = e.Since.AddDate(2, 0, 0) }, want: "400 event.effective_since: Date cannot be more than 12 months in the future"},
		"an event over another":     {method: "POST", change: func(*pagerdutytest.Event) {}, want: "400 rotation.events: Events within a rotation cannot overlap"},
		"nobody at all":             {have: past, method: "POST", change: func(e *pagerdutytest.Event) { e.Until, e.Members = time.Time{}, nil }, want: "400 event.assignment_strategy.members: size must be between 1 and 20"},
		"somebody who is not there": {have: past, method: "POST", change: func(e *pagerdutytest.Event) { e.Until, e.Members = time.Time{}, []string{"PNONE"} }, want: "400 event.assignment_strategy.members: User PNONE does not exist"},
		"two rules": {have: past, method: "POST", change: func(e *pagerdutytest.Event) {
			e.Until, e.Recurrence = time.Time{}, append(e.Recurrence, e.Recurrence...)
		}, want: "400 event.recurrence: there must be exactly one RRULE, not 2"},
		"another rotation": {method: "POST", path: "/../../NONE/events", body: `{"event":{}}`, want: "404 Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
			e := pagerdutytest.Event{Start: c.now(), End: c.now().Add(day), Since: c.now(), Recurrence: []string{"RRULE:FREQ=DAILY"}, Members: populate(a, 3)}
			if tt.have != nil {
				tt.have(&e)
			}
			s := a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "S", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{e}}}})
			c.pass(2 * time.Hour)
			e = s.Rotations[0].Events[0]
			if tt.change != nil {
				tt.body = eventBody(e, tt.change)
			}
			path := "/v3/schedules/" + s.ID + "/rotations/" + s.Rotations[0].ID + "/events"
			if rest, other := strings.CutPrefix(tt.path, "/../../NONE"); other {
				path = "/v3/schedules/" + s.ID + "/rotations/NONE" + rest
			} else {
				path += strings.ReplaceAll(tt.path, "{event}", e.ID)
			}
			before := a.Version()
			if got := saidOfShifts(t, a, tt.method, path, tt.body); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if a.Version() != before {
				t.Error("it was refused and changed something")
			}
		})
	}
}

// saidOfShifts makes a call and returns the status with the first error, whose list is by field in these operations.
func saidOfShifts(t *testing.T, a *pagerdutytest.Account, method, path, body string) string {
	t.Helper()
	w := ask(t, a, method, path, body)
	var e struct {
		Error struct {
			Message string
			Errors  map[string][]string
		}
	}
	if w.Body.Len() > 0 {
		unmarshal(t, w.Body.Bytes(), &e)
	}
	for field, all := range e.Error.Errors {
		return fmt.Sprintf("%d %s: %s", w.Code, field, all[0])
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", w.Code, e.Error.Message))
}

func TestARotationHasFiveEventsAtMost(t *testing.T) {
	t.Parallel()
	a, c, _, s, events := shifty(t)
	e := s.Rotations[0].Events[0]
	put(t, a, events+"/"+e.ID, `{"event":{"effective_until":"`+stamp(c.now().Add(day))+`"}}`)
	var got []int
	for i := 1; i <= 5; i++ {
		got = append(got, ask(t, a, "POST", events, eventBody(e, func(e *pagerdutytest.Event) {
			e.Since, e.Until = c.now().Add(time.Duration(i)*day), c.now().Add(time.Duration(i+1)*day)
		})).Code)
	}
	if diff := cmp.Diff([]int{201, 201, 201, 201, 400}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An override replaces one member of one source; a custom shift adds somebody.
func TestOverridesAndCustomShifts(t *testing.T) {
	t.Parallel()
	a, c, ids, s, _ := shifty(t)
	one := "/v3/schedules/" + s.ID
	override := func(whom, by string) string {
		return fmt.Sprintf(`{"overrides":[{"type":"override_shift","rotation_id":%q,"start_time":%q,"end_time":%q,
			"overridden_member":{"type":"user_member","user_id":%q},"overriding_member":{"type":"user_member","user_id":%q}}]}`,
			s.Rotations[0].ID, stamp(c.now().Add(12*time.Hour)), stamp(c.now().Add(60*time.Hour)), whom, by)
	}
	var got []string
	got = append(got, saidOfShifts(t, a, "POST", one+"/overrides", override(ids[4], ids[3])), // who has no shift then
		saidOfShifts(t, a, "POST", one+"/overrides", override(ids[1], "PNONE")),
		saidOfShifts(t, a, "POST", one+"/overrides", override(ids[1], ids[3])))
	if diff := cmp.Diff([]string{
		"400 override.overridden_member: is not assigned in the time range", "400 override.overriding_member: User PNONE does not exist", "201",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := rota(a, s.ID, ids, c.now(), day, 5); got != "adcab" {
		t.Errorf("on call is %s, want adcab", got)
	}
	shift := fmt.Sprintf(`{"custom_shifts":[{"type":"custom_shift","start_time":%q,"end_time":%q,
		"assignments":[{"type":"shift_assignment","member":{"type":"user_member","user_id":%q}}]}]}`, stamp(c.now()), stamp(c.now().Add(day)), ids[5])
	if got := ask(t, a, "POST", one+"/custom_shifts", shift).Code; got != 201 {
		t.Fatalf("POST of a custom shift answers %d", got)
	}
	if got := a.Shifts(s.ID, c.now(), c.now().Add(time.Hour)); len(got) != 2 {
		t.Errorf("on call are %v, want two at once", got)
	}
	made := one + "/custom_shifts/" + a.ShiftSchedules()[0].CustomShifts[0].ID
	c.pass(time.Hour)
	got = []string{
		saidOfShifts(t, a, "PUT", made, `{"custom_shift":{"start_time":"`+stamp(c.now())+`"}}`),
		saidOfShifts(t, a, "PUT", made, `{"custom_shift":{"end_time":"`+stamp(c.now().Add(2*day))+`"}}`),
		saidOfShifts(t, a, "DELETE", made, ""), saidOfShifts(t, a, "DELETE", made, ""),
	}
	if diff := cmp.Diff([]string{
		"400 custom_shift: Only end_time can be updated on a shift that has started", "200", "204", "400 custom_shift: Shift has already ended",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An upgraded schedule keeps its id, its people and their times, and changes where it is found.
func TestAnUpgradeKeepsEverybodyWhereTheyAre(t *testing.T) {
	t.Parallel()
	for name, layer := range map[string]pagerdutytest.Layer{
		"daily turns":       {Turn: day},
		"turns of 12 hours": {Turn: 12 * time.Hour},
		"weekly turns":      {Turn: 7 * day},
		"office hours":      {Turn: 7 * day, Restrictions: []pagerdutytest.Restriction{{From: 9 * time.Hour, Length: 8 * time.Hour}}},
		"Mondays and Fridays": {Turn: 14 * day, Restrictions: []pagerdutytest.Restriction{
			{Weekday: 1, From: 9 * time.Hour, Length: 8 * time.Hour}, {Weekday: 5, From: 9 * time.Hour, Length: 8 * time.Hour},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
			layer.UserIDs, layer.Start = populate(a, 3), c.now().Add(-3*day)
			s := a.AddSchedule(pagerdutytest.Schedule{Name: "S", Layers: []pagerdutytest.Layer{layer}, Overrides: []pagerdutytest.Override{
				{UserID: layer.UserIDs[2], Start: c.now().Add(3 * day), End: c.now().Add(10 * day)},
			}})
			p := a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "P", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(s.ID)}}}})
			before := a.Shifts(s.ID, c.now(), c.now().Add(60*day))
			a.UpgradeSchedule(s.ID)
			after := a.Shifts(s.ID, c.now(), c.now().Add(60*day))
			if len(layer.Restrictions) > 0 { // an override of layers covers the nights too, one of shifts only shifts
				before, after = trimTo(before, c.now().Add(10*day)), trimTo(after, c.now().Add(10*day))
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("on call (-before +after):\n%s", diff)
			}
			var got []int
			for _, path := range []string{"/schedules/", "/v3/schedules/"} {
				got = append(got, ask(t, a, "GET", path+s.ID, "").Code)
			}
			if diff := cmp.Diff([]int{404, 200}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if body := ask(t, a, "GET", "/escalation_policies/"+p.ID, "").Body.String(); !strings.Contains(body, `"type":"schedule_v3_reference"`) {
				t.Errorf("the policy does not call it by its new kind: %s", body)
			}
		})
	}
}

// trimTo drops the shifts that begin before a moment.
func trimTo(all []pagerdutytest.Shift, from time.Time) []pagerdutytest.Shift {
	for len(all) > 0 && all[0].From.Before(from) {
		all = all[1:]
	}
	return all
}
