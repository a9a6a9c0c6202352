package pagerdutytest_test

import (
	"fmt"
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// dutyAllowances are those of schedules and policies.
func dutyAllowances() []allowance {
	const (
		prose = "PagerDuty answers so by its own prose; the document does not list the status"
		unset = "a description that is not set comes as null, which go-pagerduty then drops"
	)
	return []allowance{
		{"GET /escalation_policies 200", "escalation_policies/*/description", unset},
		{"* /escalation_policies/{id} 200", "escalation_policy/description", unset},
		{"GET /v3/schedules/{id} 400", "", "the upgrade guide tells a layer-based schedule by this status; the document does not list it"},
		{"DELETE /schedules/{id}/overrides/{override_id} 400", "", prose},
		{"POST /schedules/preview 200", "schedule/schedule_layers/*/end", "a layer without an end has null there"},
		{"PUT /schedules/{id} 200", "schedule/schedule_layers/*/end", "a layer without an end has null there"},
	}
}

// duty is an account with a schedule of each kind, and a policy that calls both.
type duty struct {
	a             *pagerdutytest.Account
	ids           []string
	layers        pagerdutytest.Schedule
	shifts        pagerdutytest.ShiftSchedule
	policy        pagerdutytest.EscalationPolicy
	rotation      string
	event, future string
}

func newDuty(cfg pagerdutytest.Config) duty {
	cfg.Token = key
	d := duty{a: pagerdutytest.New(cfg)}
	now := d.a.AddUser(pagerdutytest.User{Name: "Olga Owner", Email: "olga@example.com", Role: pagerdutytest.Owner}).CreatedAt
	d.ids = populate(d.a, 5)
	d.layers = d.a.AddSchedule(pagerdutytest.Schedule{Name: "Layers", Layers: []pagerdutytest.Layer{
		{UserIDs: d.ids[:3]},
		{UserIDs: d.ids[3:4], Restrictions: []pagerdutytest.Restriction{
			{Weekday: 6, Length: 48 * time.Hour}, {From: 9 * time.Hour, Length: time.Hour},
		}},
	}})
	d.shifts = d.a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "Shifts", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{
		{Members: []string{d.ids[0], pagerdutytest.EmptyMember, d.ids[1]}, Until: now.AddDate(0, 2, 0)},
		{Members: d.ids[:2], Since: now.AddDate(0, 2, 0)},
	}}}})
	r := d.shifts.Rotations[0]
	d.rotation, d.event, d.future = r.ID, r.Events[0].ID, r.Events[1].ID
	d.policy = d.a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "Both", Rules: []pagerdutytest.Rule{
		{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(d.layers.ID)}},
		{Targets: []pagerdutytest.Target{pagerdutytest.ShiftScheduleTarget(d.shifts.ID)}, Strategy: "round_robin"},
	}})
	return d
}

// dutyTour calls every operation of schedules of both kinds, with what it accepts and with what it refuses.
func dutyTour() []exchange {
	d := newDuty(pagerdutytest.Config{RateLimit: pagerdutytest.NoRateLimit})
	r := &recorder{next: d.a.Handler()}
	const period = "since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z"
	one, rotations := "/v3/schedules/"+d.shifts.ID, "/v3/schedules/"+d.shifts.ID+"/rotations"
	event := rotations + "/" + d.rotation + "/events/" + d.event
	for _, target := range []string{
		"/schedules?include[]=schedule_layers&include[]=final_schedule&include[]=overrides_subschedule&" + period,
		"/schedules/" + d.layers.ID + "?overflow=true&include_next_oncall_for_user=" + d.ids[0] + "&" + period, "/schedules/" + d.shifts.ID,
		"/schedules/" + d.layers.ID + "?time_zone=nowhere", "/schedules/" + d.layers.ID + "/overrides",
		"/schedules/" + d.layers.ID + "/overrides?" + period, "/schedules/" + d.shifts.ID + "/overrides?" + period,
		"/v3/schedules", "/v3/schedules?limit=x", "/v3/schedules?limit=1001", one, one + "?include[]=final_schedule&" + period,
		"/v3/schedules/" + d.layers.ID, "/v3/schedules/PNOBODY", rotations, rotations + "/" + d.rotation, rotations + "/NONE",
		rotations + "/" + d.rotation + "/events", event, event + "NONE", one + "/overrides", one + "/overrides?" + period,
		one + "/overrides/NONE", one + "/custom_shifts", one + "/custom_shifts?" + period, one + "/custom_shifts/NONE",
		"/escalation_policies", "/escalation_policies/" + d.policy.ID, "/oncalls", "/oncalls?include[]=schedules",
	} {
		r.call("GET", target, "")
	}
	d.layerWrites(r)
	d.shiftWrites(r)
	return r.exchanges
}

// at is a time from now as bodies have it.
func at(d time.Duration) string { return time.Now().UTC().Add(d).Format(time.RFC3339) }

func (d duty) layerWrites(r *recorder) {
	one := "/schedules/" + d.layers.ID
	good := scheduleBody(d.layers, nil)
	for _, body := range []string{good, "{}", `{"schedule":{"type":"schedule"}}`, scheduleBody(d.layers, func(s *pagerdutytest.Schedule) { s.Layers = s.Layers[1:] })} {
		r.call("PUT", one, body)
		r.call("POST", "/schedules/preview?since="+at(0)+"&until="+at(48*time.Hour), body)
	}
	r.call("PUT", "/schedules/PNOBODY", good)
	r.call("POST", one+"/overrides", fmt.Sprintf(`{"overrides":[
		{"start":%q,"end":%q,"user":{"id":%[3]q,"type":"user_reference"}},
		{"start":%[4]q,"end":%[5]q,"user":{"id":%[3]q,"type":"user_reference"}},
		{"start":%[5]q,"end":%[4]q,"user":{"id":%[3]q,"type":"user_reference"}}]}`,
		at(-time.Hour), at(time.Hour), d.ids[4], at(time.Hour), at(2*time.Hour)))
	r.call("POST", one+"/overrides", `{"overrides":[]}`)
	r.call("POST", "/schedules/PNOBODY/overrides", `{"overrides":[]}`)
	r.call("GET", one+"/overrides?editable=true&overflow=true&since="+at(0)+"&until="+at(48*time.Hour), "")
	for _, o := range d.a.Schedules()[0].Overrides {
		r.call("DELETE", one+"/overrides/"+o.ID, "")
		r.call("DELETE", one+"/overrides/"+o.ID, "")
	}
	r.call("DELETE", "/schedules/PNOBODY/overrides/Q", "")
}

func (d duty) shiftWrites(r *recorder) {
	one := "/v3/schedules/" + d.shifts.ID
	events := one + "/rotations/" + d.rotation + "/events"
	next := eventBody(d.shifts.Rotations[0].Events[1], func(e *pagerdutytest.Event) { e.Members = d.ids[:3] })
	r.call("PUT", events+"/"+d.event, next)
	r.call("PUT", events+"/"+d.event, `{"event":{"effective_until":"`+at(time.Hour)+`"}}`)
	r.call("PUT", events+"/"+d.future, next)
	r.call("PUT", events+"/"+d.future, `{"event":{"name":"Half"}}`)
	r.call("POST", events, next)
	r.call("DELETE", events+"/"+d.future, "")
	r.call("POST", events, next)
	r.call("POST", one+"/rotations/NONE/events", next)
	r.call("DELETE", events+"/"+d.event, "")
	r.call("DELETE", events+"/"+d.event, "")
	shift := `{"custom_shifts":[{"type":"custom_shift","start_time":"` + at(time.Hour) + `","end_time":"` + at(2*time.Hour) +
		`","assignments":[{"type":"shift_assignment","member":{"type":"user_member","user_id":"` + d.ids[4] + `"}}]}]}`
	r.call("POST", one+"/custom_shifts", shift)
	r.call("POST", one+"/custom_shifts", `{"custom_shifts":[]}`)
	made := d.a.ShiftSchedules()[0].CustomShifts[0].ID
	r.call("GET", one+"/custom_shifts/"+made, "")
	r.call("PUT", one+"/custom_shifts/"+made, `{"custom_shift":{"end_time":"`+at(3*time.Hour)+`"}}`)
	r.call("PUT", one+"/custom_shifts/"+made, `{}`)
	r.call("POST", one+"/overrides", `{"overrides":[{"type":"override_shift","custom_shift_id":"`+made+`","start_time":"`+at(90*time.Minute)+
		`","end_time":"`+at(2*time.Hour)+`","overridden_member":{"type":"user_member","user_id":"`+d.ids[4]+
		`"},"overriding_member":{"type":"user_member","user_id":"`+d.ids[0]+`"}}]}`)
	r.call("POST", one+"/overrides", `{"overrides":[{}]}`)
	over := one + "/overrides/" + d.a.ShiftSchedules()[0].Overrides[0].ID
	r.call("GET", over, "")
	r.call("GET", one+"?include[]=final_schedule&since="+at(0)+"&until="+at(48*time.Hour), "")
	r.call("GET", one+"/overrides?since="+at(0)+"&until="+at(48*time.Hour), "")
	r.call("GET", one+"/custom_shifts?since="+at(0)+"&until="+at(48*time.Hour), "")
	r.call("PUT", over, `{"override":{"end_time":"`+at(100*time.Minute)+`"}}`)
	r.call("PUT", over, `{}`)
	r.call("DELETE", over, "")
	r.call("DELETE", over, "")
	r.call("DELETE", one+"/custom_shifts/"+made, "")
	r.call("DELETE", one+"/custom_shifts/"+made, "")
}
