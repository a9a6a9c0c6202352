package pagerdutytest_test

import (
	"fmt"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// populate adds n users and returns their ids in listing order.
func populate(a *pagerdutytest.Account, n int) []string {
	var ids []string
	for i := range n {
		u := a.AddUser(pagerdutytest.User{Name: fmt.Sprintf("User %04d", i), Email: fmt.Sprintf("user%d@example.com", i)})
		ids = append(ids, u.ID)
	}
	return ids
}

// small is an account with one of everything.
type small struct {
	owner, ann, bo pagerdutytest.User
	team           pagerdutytest.Team
	policy         pagerdutytest.EscalationPolicy
	schedule       pagerdutytest.Schedule
	incident       pagerdutytest.Incident
}

// world fills an account: Ann is called directly and has an incident; Ann and Bo take turns on the schedule.
func world(a *pagerdutytest.Account) small {
	var w small
	w.owner = a.AddUser(pagerdutytest.User{Name: "Olga Owner", Email: "olga@example.com", Role: pagerdutytest.Owner})
	w.ann = a.AddUser(pagerdutytest.User{ID: "PANN", Name: "Ann Ash", Email: "ann@example.com", Role: pagerdutytest.Manager})
	w.bo = a.AddUser(pagerdutytest.User{Name: "Bo Birch", Email: "bo@example.com"})
	w.team = a.AddTeam(pagerdutytest.Team{Name: "Core"})
	w.schedule = a.AddSchedule(pagerdutytest.Schedule{
		Name: "Core weekly", TeamIDs: []string{w.team.ID},
		Layers: []pagerdutytest.Layer{{UserIDs: []string{w.ann.ID, w.bo.ID}}},
	})
	w.policy = a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{
		Name: "Core policy", TeamIDs: []string{w.team.ID},
		Rules: []pagerdutytest.Rule{
			{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.ann.ID)}},
			{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(w.schedule.ID)}},
		},
	})
	s := a.AddService(pagerdutytest.Service{Name: "Core API", EscalationPolicyID: w.policy.ID})
	w.incident = a.AddIncident(pagerdutytest.Incident{
		Title: "It is slow", ServiceID: s.ID,
		EscalationPolicyID: w.policy.ID, AssigneeIDs: []string{w.ann.ID}, TeamIDs: []string{w.team.ID},
	})
	return w
}
