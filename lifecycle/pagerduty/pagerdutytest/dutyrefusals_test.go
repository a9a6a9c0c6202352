package pagerdutytest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestSchedulesThatAreRefused(t *testing.T) {
	t.Parallel()
	type change = func(*pagerdutytest.Schedule)
	for name, tt := range map[string]struct {
		change change
		body   string
		want   answer
	}{
		"without the object": {body: `{}`, want: answer{400, 2001, "The schedule object is missing"}},
		"without a zone":     {body: `{"schedule":{"type":"schedule"}}`, want: answer{400, 2001, "Time zone can't be blank"}},
		"in no such zone":    {change: func(s *pagerdutytest.Schedule) { s.TimeZone = "Mars/Olympus" }, want: answer{400, 2001, "Time zone is invalid"}},
		"without a name":     {change: func(s *pagerdutytest.Schedule) { s.Name = " " }, want: answer{400, 2001, "Name can't be blank"}},
		"without a layer":    {change: func(s *pagerdutytest.Schedule) { s.Layers = s.Layers[:0] }, want: answer{400, 2001, "Schedule layer PLAYER cannot be removed, only ended"}},
		"with a layer twice": {change: func(s *pagerdutytest.Schedule) { s.Layers = append(s.Layers, s.Layers...) }, want: answer{400, 2001, "Schedule layer PLAYER is given twice"}},
		"with another's layer": {
			change: func(s *pagerdutytest.Schedule) {
				l := s.Layers[0]
				l.ID = "POTHER"
				s.Layers = append(s.Layers, l)
			},
			want: answer{400, 2001, "Schedule layer POTHER does not exist"},
		},
		"with an empty layer":    {change: func(s *pagerdutytest.Schedule) { s.Layers[0].UserIDs = nil }, want: answer{400, 2001, "Schedule layer users can't be blank"}},
		"with a stakeholder":     {change: func(s *pagerdutytest.Schedule) { s.Layers[0].UserIDs = []string{"PSTAKE"} }, want: answer{400, 2001, "Stakeholders cannot be added to schedules"}},
		"with somebody unknown":  {change: func(s *pagerdutytest.Schedule) { s.Layers[0].UserIDs = []string{"PNONE"} }, want: answer{400, 2001, "User PNONE does not exist"}},
		"with somebody deleted":  {change: func(s *pagerdutytest.Schedule) { s.Layers[0].UserIDs = []string{"PGONE"} }, want: answer{400, 2001, "User PGONE does not exist"}},
		"with turns of no time":  {change: func(s *pagerdutytest.Schedule) { s.Layers[0].Turn = 0 }, want: answer{400, 2001, "Schedule layer start, rotation virtual start and rotation turn length seconds can't be blank"}},
		"with an end before all": {change: func(s *pagerdutytest.Schedule) { s.Layers[0].End = s.Layers[0].Start }, want: answer{400, 2001, "Schedule layer must end after its start"}},
		"restricted to a day that is none": {
			change: func(s *pagerdutytest.Schedule) {
				s.Layers[0].Restrictions = []pagerdutytest.Restriction{{Weekday: 8, Length: day}}
			},
			want: answer{400, 2001, "Restriction start day of week must be between 1 and 7"},
		},
		"restricted to no time": {change: func(s *pagerdutytest.Schedule) { s.Layers[0].Restrictions = []pagerdutytest.Restriction{{}} }, want: answer{400, 2001, "Restriction duration seconds is out of range"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{Token: key})
			a.AddUser(pagerdutytest.User{ID: "PBO", Name: "Bo", Email: "bo@example.com"})
			a.AddUser(pagerdutytest.User{ID: "PSTAKE", Name: "Sue", Email: "sue@example.com", Role: pagerdutytest.Stakeholder})
			a.AddUser(pagerdutytest.User{ID: "PGONE", Name: "Gus", Email: "gus@example.com"})
			ask(t, a, "DELETE", "/users/PGONE", "")
			s := a.AddSchedule(pagerdutytest.Schedule{Name: "S", Layers: []pagerdutytest.Layer{{ID: "PLAYER", UserIDs: []string{"PBO"}}}})
			body := tt.body
			if tt.change != nil {
				body = scheduleBody(s, tt.change)
			}
			before := a.Version()
			if got := said(t, ask(t, a, "PUT", "/schedules/"+s.ID, body)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if diff := cmp.Diff([]pagerdutytest.Schedule{s}, a.Schedules()); diff != "" || a.Version() != before {
				t.Errorf("the refused schedule changed (-was +is):\n%s", diff)
			}
		})
	}
}

// A preview answers what a PUT would lead to, and keeps nothing.
func TestAPreviewKeepsNothing(t *testing.T) {
	t.Parallel()
	a, c, ids, s := daily(t)
	w := ask(t, a, "POST", "/schedules/preview?since="+stamp(c.now())+"&until="+stamp(c.now().Add(2*day)),
		scheduleBody(s, func(s *pagerdutytest.Schedule) { s.Layers[0].UserIDs = ids[4:] }))
	var got struct {
		Schedule struct {
			Final struct {
				Entries []struct{ User struct{ ID string } } `json:"rendered_schedule_entries"`
			} `json:"final_schedule"`
		}
	}
	unmarshal(t, w.Body.Bytes(), &got)
	if e := got.Schedule.Final.Entries; len(e) != 2 || e[0].User.ID != ids[4] || e[1].User.ID != ids[5] {
		t.Errorf("preview is %d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff([]pagerdutytest.Schedule{s}, a.Schedules()); diff != "" || len(a.Effects()) > 0 {
		t.Errorf("the preview changed something (-was +is):\n%s", diff)
	}
}

// What a policy has comes back as it was when a client sends it back; what it leaves out of a rule does not.
func TestAPolicyComesBackAsItWas(t *testing.T) {
	t.Parallel()
	d := newDuty(pagerdutytest.Config{})
	const whole = "?include[]=escalation_rule_assignment_strategies"
	policy := func(query string) map[string]any {
		return into[struct {
			Policy map[string]any `json:"escalation_policy"`
		}](t, d.a, "/escalation_policies/"+d.policy.ID+query).Policy
	}
	was := policy(whole)
	put(t, d.a, "/escalation_policies/"+d.policy.ID, text(map[string]any{"escalation_policy": was}))
	if n := len(d.a.Effects()) + len(d.a.Violations()); n > 0 {
		t.Errorf("what was sent back as it came had %d effects and violations: %v", n, d.a.Violations())
	}
	change := `{"escalation_policy":{"description":"For now","num_loops":0,"on_call_handoff_notifications":"always"}}`
	put(t, d.a, "/escalation_policies/"+d.policy.ID, change)
	put(t, d.a, "/escalation_policies/"+d.policy.ID, `{"escalation_policy":{"description":null}}`)
	is := policy(whole)
	was["on_call_handoff_notifications"] = "always"
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(text(policy("")), "escalation_rule_assignment_strategy") {
		t.Error("the strategy is there without being asked for")
	}
	rules := fmt.Sprintf(`{"escalation_policy":{"escalation_rules":[{"id":%q,"escalation_delay_in_minutes":5,
		"escalation_rule_assignment_strategy":{"type":"round_robin"},"targets":[{"id":%q,"type":"user_reference"}]}]}}`, d.policy.Rules[1].ID, d.ids[4])
	put(t, d.a, "/escalation_policies/"+d.policy.ID, rules)
	want := []pagerdutytest.Rule{{ID: d.policy.Rules[1].ID, DelayMinutes: 5, Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(d.ids[4])}, Strategy: "round_robin"}}
	if diff := cmp.Diff(want, d.a.EscalationPolicies()[0].Rules); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStrategiesNeedThePlan(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, NoRoundRobin: true})
	w := world(a)
	one := "/escalation_policies/" + w.policy.ID
	var got []int
	for _, x := range [][3]string{
		{"GET", one + "?include[]=escalation_rule_assignment_strategies", ""},
		{"GET", "/escalation_policies?include[]=escalation_rule_assignment_strategies", ""},
		{"PUT", one, `{"escalation_policy":{"escalation_rules":[{"escalation_delay_in_minutes":5,"escalation_rule_assignment_strategy":"round_robin",
			"targets":[{"id":"PANN","type":"user_reference"}]}]}}`},
		{"GET", one, ""},
	} {
		got = append(got, ask(t, a, x[0], x[1], x[2]).Code)
	}
	if diff := cmp.Diff([]int{403, 403, 403, 200}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A policy is found by whom it calls directly, not by whoever its schedules name.
func TestPoliciesAreFoundByDirectTargets(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	var got []int
	for _, id := range []string{w.ann.ID, w.bo.ID, w.schedule.ID} {
		got = append(got, len(into[struct {
			Policies []struct{} `json:"escalation_policies"`
		}](t, a, "/escalation_policies?user_ids[]="+id).Policies))
	}
	if diff := cmp.Diff([]int{1, 0, 0}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A target must be there, as what it is said to be. A placeholder may stay where it is.
func TestTargetsMustExist(t *testing.T) {
	t.Parallel()
	w := newWatched()
	ask(t, w.a, "DELETE", "/users/"+w.ids[0], "")
	ask(t, w.a, "DELETE", "/users/"+w.ids[4], "")
	for name, tt := range map[string]struct {
		id, kind string
		want     int
	}{
		"a user":                       {w.ids[3], "user_reference", 200},
		"a placeholder that was there": {w.ids[0], "user_reference", 200},
		"a deleted user":               {w.ids[4], "user_reference", 400},
		"layers":                       {"PLAYERS", "schedule_reference", 200},
		"shifts as layers":             {"PSHIFTS", "schedule_reference", 400},
		"shifts":                       {"PSHIFTS", "schedule_v3_reference", 200},
		"layers as shifts":             {"PLAYERS", "schedule_v3_reference", 400},
		"a team":                       {"PTEAM", "team_reference", 400},
	} {
		rule := fmt.Sprintf(`{"escalation_delay_in_minutes":5,"targets":[{"id":%q,"type":%q},{"id":%q,"type":"user_reference"}]}`, tt.id, tt.kind, w.ids[0])
		body := `{"escalation_policy":{"escalation_rules":[` + rule + `]}}`
		if got := ask(t, w.a, "PUT", "/escalation_policies/PPOLICY", body).Code; got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
