package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/bot/sandbox"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// panelOnCall is who is called now, level by level, what is open, and what has nobody.
func (w *world) panelOnCall() sandbox.PanelOnCall {
	on := sandbox.PanelOnCall{Gaps: w.pd.Gaps()}
	rotas := w.rotas()
	for _, p := range w.pd.EscalationPolicies() {
		for i, r := range p.Rules {
			on.Levels = append(on.Levels, sandbox.PanelLevel{Policy: p.Name, N: i + 1, Answers: w.answers(r, rotas)})
		}
	}
	for _, i := range w.pd.Incidents() {
		if i.Status != "resolved" {
			on.Incidents = append(on.Incidents, sandbox.PanelIncident{Name: fmt.Sprintf("#%d %s", i.Number, i.Title), Assigned: strings.Join(w.names(i.AssigneeIDs), ", ")})
		}
	}
	return on
}

// answers are those of a level who exist; a schedule in which nobody has a seat is no answer.
func (w *world) answers(r pagerdutytest.Rule, rotas map[string]rota) []sandbox.PanelAnswer {
	var all []sandbox.PanelAnswer
	for _, t := range r.Targets {
		if u, ok := w.pd.User(t.ID); ok {
			all = append(all, sandbox.PanelAnswer{Who: u.Name})
			continue
		}
		if s := rotas[t.ID]; len(s.seats) > 0 {
			now := w.onShift(t.ID)
			line := slices.DeleteFunc(w.names(s.seats), func(name string) bool { return name == now })
			all = append(all, sandbox.PanelAnswer{Who: now, Through: s.name, Line: strings.Join(line, ", ")})
		}
	}
	return all
}

// rota is a schedule of either kind: what it is called, and who has a seat in it.
type rota struct {
	name  string
	seats []string
}

func (w *world) rotas() map[string]rota {
	all := map[string]rota{}
	now := time.Now()
	for _, s := range w.pd.Schedules() {
		r := rota{name: s.Name}
		for _, l := range s.Layers {
			if l.End.IsZero() || l.End.After(now) {
				r.seats = append(r.seats, l.UserIDs...)
			}
		}
		all[s.ID] = r
	}
	for _, s := range w.pd.ShiftSchedules() {
		r := rota{name: s.Name}
		for _, rotation := range s.Rotations {
			for _, e := range rotation.Events {
				if e.Until.IsZero() || e.Until.After(now) {
					r.seats = append(r.seats, e.Members...)
				}
			}
		}
		all[s.ID] = r
	}
	return all
}

// onShift returns the names of those whose shift it is, "" for nobody.
func (w *world) onShift(schedule string) string {
	now := time.Now()
	var ids []string
	for _, s := range w.pd.Shifts(schedule, now, now.Add(time.Second)) {
		if !slices.Contains(ids, s.UserID) {
			ids = append(ids, s.UserID)
		}
	}
	return strings.Join(w.names(ids), " and ")
}

// name returns what the user is called, "" for nobody.
func (w *world) name(id string) string {
	u, _ := w.pd.User(id)
	return u.Name
}

// names returns what the users who exist are called, each once.
func (w *world) names(ids []string) []string {
	var names []string
	for _, id := range ids {
		if u, ok := w.pd.User(id); ok && !slices.Contains(names, u.Name) {
			names = append(names, u.Name)
		}
	}
	return names
}
