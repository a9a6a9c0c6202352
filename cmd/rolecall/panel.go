package main

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/bot/sandbox"
	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// panelWrites is how many of the latest changes the page lists.
const panelWrites = 12

// panel is PagerDuty as it is now, the teams of the story first.
func (w *world) panel() sandbox.Panel {
	users := w.pd.Users()
	panel := sandbox.Panel{
		Counts: []sandbox.PanelCount{{Label: "accounts", N: len(users)}, {Label: "admins", N: countRole(users, "admin")}, {Label: "teams", N: len(w.company.teams)}},
		OnCall: w.panelOnCall(),
		Writes: w.latestChanges(),
	}
	for _, t := range w.company.teams {
		panel.Teams = append(panel.Teams, w.panelTeam(t))
	}
	return panel
}

func (w *world) panelTeam(t demoTeam) sandbox.PanelTeam {
	team := sandbox.PanelTeam{Name: t.name}
	for _, m := range w.pd.Members(t.id) {
		if u, ok := w.pd.User(m.UserID); ok {
			team.Members = append(team.Members, sandbox.PanelMember{
				Name: u.Name, Email: u.Email, TeamRole: m.Role, BaseRole: lifecycle.BaseRole(u.Role).String(), Contained: u.Role == pagerdutytest.Restricted,
			})
		}
	}
	return team
}

func countRole(users []pagerdutytest.User, role string) int {
	n := 0
	for _, u := range users {
		if u.Role == role {
			n++
		}
	}
	return n
}

// latestChanges is what PagerDuty's own audit says was done, newest first.
func (w *world) latestChanges() []sandbox.PanelWrite {
	var writes []sandbox.PanelWrite
	records := w.pd.AuditRecords()
	slices.SortFunc(records, func(a, b pagerdutytest.AuditRecord) int { return b.Seq - a.Seq })
	for _, r := range records[:min(panelWrites, len(records))] {
		writes = append(writes, sandbox.PanelWrite{At: r.At, Sentence: changeSentence(r)})
	}
	return writes
}

// changeSentence says one audit record: what, and who did it by which way.
func changeSentence(r pagerdutytest.AuditRecord) string {
	var what []string
	fields := r.Fields
	if r.Action == "create" { // what was not there had no other name, address or role before
		what, fields = []string{"account made"}, nil
	}
	for _, f := range fields {
		what = append(what, fmt.Sprintf("%s %s → %s", strings.ReplaceAll(f.Name, "_", " "), orNone(f.Before), orNone(f.Value)))
	}
	for _, ref := range r.References {
		for _, added := range ref.Added {
			what = append(what, "added "+added.Summary)
		}
		for _, removed := range ref.Removed {
			what = append(what, "removed "+removed.Summary)
		}
	}
	if len(what) == 0 {
		what = []string{r.Action + "d"}
	}
	by := "rolecall, by its key"
	if r.Method == "browser" {
		by = r.Actor.Summary + ", in the web app"
	}
	about := r.Root.Summary
	if r.Resource.Summary != "" && r.Resource.Summary != about {
		about += ", " + r.Resource.Summary
	}
	return fmt.Sprintf("%s: %s (%s)", about, strings.Join(what, ", "), by)
}
