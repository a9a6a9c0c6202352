package main

import (
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// The people of Payments whom the story does not name are called by their place in the team.
const (
	firstEngineer = iota
	secondEngineer
	thirdEngineer
	fourthEngineer
)

// addOnCall makes Ana what a team's second level is: called directly by two
// policies, in a schedule of either kind, on shift tonight, standing in for
// somebody next week, and with an incident in her hands.
func (w *world) addOnCall() {
	ana, ines, marco := w.userID("ana@acme.test"), w.userID("ines@acme.test"), w.userID("marco@acme.test")
	people := w.engineers("Payments")
	tonight, payments := nextHour(w.started, 18), []string{w.teamID("Payments")}
	primary := w.pd.AddSchedule(pagerdutytest.Schedule{
		Name: "Payments Primary", Description: "Around the clock, handed over at six in the evening", TeamIDs: payments,
		Layers: []pagerdutytest.Layer{{
			Name: "Day by day", Turn: 24 * time.Hour, Start: tonight.AddDate(0, 0, -2), VirtualStart: tonight.AddDate(0, 0, -2),
			UserIDs: []string{people[firstEngineer], people[secondEngineer], ana, people[thirdEngineer]},
		}},
		Overrides: []pagerdutytest.Override{{UserID: ana, Start: tonight.AddDate(0, 0, 8), End: tonight.AddDate(0, 0, 8).Add(6 * time.Hour)}},
	})
	settlements := w.pd.AddShiftSchedule(pagerdutytest.ShiftSchedule{
		Name: "Settlements", TeamIDs: payments,
		Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{{Name: "Weekly", Members: []string{people[fourthEngineer], ana, people[firstEngineer]}}}}},
	})
	crit := w.pd.AddEscalationPolicy(pagerdutytest.EscalationPolicy{
		Name: "Payments-Crit", TeamIDs: payments, NumLoops: 2, Rules: []pagerdutytest.Rule{
			{DelayMinutes: 10, Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(primary.ID)}},
			{DelayMinutes: 15, Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(ana)}},
			{DelayMinutes: 15, Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(ines), pagerdutytest.UserTarget(marco)}},
		},
	})
	w.pd.AddEscalationPolicy(pagerdutytest.EscalationPolicy{
		Name: "Refunds", TeamIDs: payments, Rules: []pagerdutytest.Rule{
			{DelayMinutes: 30, Targets: []pagerdutytest.Target{pagerdutytest.ShiftScheduleTarget(settlements.ID)}},
			{DelayMinutes: 30, Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(ana), pagerdutytest.UserTarget(people[secondEngineer])}},
		},
	})
	checkout := w.pd.AddService(pagerdutytest.Service{Name: "Checkout API", EscalationPolicyID: crit.ID})
	w.pd.AddIncident(pagerdutytest.Incident{
		Title: "Checkout is slow", Status: "acknowledged", ServiceID: checkout.ID, EscalationPolicyID: crit.ID, AssigneeIDs: []string{ana}, TeamIDs: payments,
	})
	w.pd.AddSession(ana, "web")
	w.pd.AddSession(ana, "mobile")
}

// addPhones gives everybody who carries a pager a phone, but for one: who has
// none cannot be woken, and is not proposed.
func (w *world) addPhones() {
	without := w.engineers("Payments")[fourthEngineer]
	for _, t := range w.company.teams {
		for _, m := range w.pd.Members(t.id) {
			if m.UserID != without {
				w.pd.AddContactMethod(m.UserID, pagerdutytest.ContactMethod{Type: "phone_contact_method", Label: "Mobile", Address: "5550100", CountryCode: 1})
			}
		}
	}
}

// engineers returns the PagerDuty ids of a team's people whom the story does not name.
func (w *world) engineers(team string) []string {
	var ids []string
	for _, p := range w.company.people[len(cast):] {
		if u, ok := w.pd.UserByEmail(p.email); ok && p.department == team {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// userID returns the PagerDuty id behind an address, "" for none.
func (w *world) userID(email string) string {
	u, _ := w.pd.UserByEmail(email)
	return u.ID
}

// nextHour returns when it is next that hour of the day, in UTC.
func nextHour(after time.Time, hour int) time.Time {
	y, m, d := after.UTC().Date()
	at := time.Date(y, m, d, hour, 0, 0, 0, time.UTC)
	if !at.After(after) {
		return at.AddDate(0, 0, 1)
	}
	return at
}
