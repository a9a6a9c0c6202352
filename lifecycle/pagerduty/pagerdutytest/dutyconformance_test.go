package pagerdutytest_test

import (
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// dutyAllowances are those of schedules and policies.
func dutyAllowances() []allowance {
	const (
		unset    = "a description that is not set comes as null, which go-pagerduty then drops"
	)
	return []allowance{
		{"GET /escalation_policies 200", "escalation_policies/*/description", unset},
		{"* /escalation_policies/{id} 200", "escalation_policy/description", unset},
		{"GET /v3/schedules/{id} 400", "", "the upgrade guide tells a layer-based schedule by this status; the document does not list it"},
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
	for _, target := range []string{
		"/schedules?include[]=schedule_layers&include[]=final_schedule&include[]=overrides_subschedule&" + period,
		"/schedules/" + d.layers.ID + "?overflow=true&include_next_oncall_for_user=" + d.ids[0] + "&" + period, "/schedules/" + d.shifts.ID,
		"/v3/schedules", "/v3/schedules?limit=x", "/v3/schedules?limit=1001", one, one + "?include[]=final_schedule&" + period,
		"/v3/schedules/" + d.layers.ID, "/v3/schedules/PNOBODY", rotations, rotations + "/" + d.rotation, rotations + "/NONE",
		"/escalation_policies", "/escalation_policies/" + d.policy.ID, "/oncalls",
	} {
		r.call("GET", target, "")
	}
	return r.exchanges
}
