package main

import (
	"fmt"
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// startPagerDuty fills the account as policy wants it, but for a few people:
// a roll call that finds nothing would show nothing.
func (w *world) startPagerDuty() (string, error) {
	w.pd = pagerdutytest.New(pagerdutytest.Config{Token: demoToken})
	w.pd.AddUser(pagerdutytest.User{Name: "Break Glass", Email: "breakglass@acme.test", Role: "owner"})
	w.pd.AddUser(pagerdutytest.User{Name: "rolecall", Email: demoFrom, Role: "admin"})
	for _, t := range w.company.teams {
		w.pd.AddTeam(pagerdutytest.Team{ID: t.id, Name: t.name})
	}
	for _, p := range w.company.people {
		w.addHolder(p)
	}
	w.addPhones()
	w.addOnCall()
	if err := w.strays(); err != nil {
		return "", err
	}
	base, err := w.pd.Start()
	if err != nil {
		return "", fmt.Errorf("start the demo's PagerDuty: %w", err)
	}
	w.cleanup = append(w.cleanup, w.pd.Close)
	return base, nil
}

// unusedTeam is a team most of whose people have not looked at PagerDuty for months.
const unusedTeam = "Partner API"

// lastSignIn is a few days ago; of somebody in Checkout, and of most of one team,
// it is many months.
func (w *world) lastSignIn(p demoPerson) time.Time {
	switch {
	case p.email == "kofi@acme.test":
		return w.started.AddDate(0, -7, 0)
	case p.department == unusedTeam && p.title != "Engineering Manager":
		return w.started.AddDate(0, -4-len(p.first)%4, 0)
	}
	return w.started.AddDate(0, 0, -1-len(p.email)%9)
}

// strays are what somebody did in the web app, long before anybody asked.
func (w *world) strays() error {
	jo, err := w.pd.CreateUserAs("sam@acme.test", pagerdutytest.User{Name: "Jo Temp", Email: "jo.temp@contractors.example", Role: "limited_user", JobTitle: "Contractor"})
	if err != nil {
		return fmt.Errorf("make the demo's contractor: %w", err)
	}
	if err := w.pd.SetMemberAs("sam@acme.test", w.teamID("Fraud"), jo, "responder"); err != nil {
		return fmt.Errorf("put the demo's contractor on a team: %w", err)
	}
	if err := w.pd.SetMemberAs("sam@acme.test", w.teamID("Billing"), w.userID("kofi@acme.test"), "manager"); err != nil {
		return fmt.Errorf("make Kofi a manager of another team: %w", err)
	}
	return nil
}

func (w *world) addHolder(p demoPerson) {
	team, carriesPager := w.company.team(p.department)
	role := "limited_user"
	switch {
	case p.department == "Information Technology":
		role = "admin"
	case p.department == "Security":
		role = "observer"
	case !carriesPager:
		return
	}
	u := w.pd.AddUser(pagerdutytest.User{
		Name: p.name(), Email: p.email, Role: role, JobTitle: p.title, CreatedAt: w.started.AddDate(-1, 0, 0), LastSignInAt: w.lastSignIn(p),
	})
	if !carriesPager {
		return
	}
	if p.title == "Engineering Manager" {
		w.pd.AddMember(team.id, u.ID, "manager")
	} else {
		w.pd.AddMember(team.id, u.ID, "responder")
	}
}
