package main

import (
	"fmt"
	"strings"
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// coverage is everything on call hangs on, as words: whom levels call, who has
// which seat, who is on shift for three weeks, and who works on what.
func (h *leaverHouse) coverage() string {
	var b strings.Builder
	for _, p := range h.pd.EscalationPolicies() {
		fmt.Fprintf(&b, "policy %s %q, %d loops, %v\n", p.Name, p.Description, p.NumLoops, p.TeamIDs)
		for i, r := range p.Rules {
			fmt.Fprintf(&b, "  level %d %s, %s, after %d min: %s\n", i+1, r.ID, r.Strategy, r.DelayMinutes, h.targets(r))
		}
	}
	for _, s := range h.pd.Schedules() {
		fmt.Fprintf(&b, "schedule %s %v\n", s.Name, s.TeamIDs)
		for _, l := range s.Layers {
			fmt.Fprintf(&b, "  layer %s %s: %s every %s from %s, %v\n", l.ID, l.Name, h.names(l.UserIDs), l.Turn, h.offset(l.VirtualStart), l.Restrictions)
		}
		for _, o := range s.Overrides {
			fmt.Fprintf(&b, "  override %s %s to %s\n", h.names([]string{o.UserID}), h.offset(o.Start), h.offset(o.End))
		}
		h.shifts(&b, s.ID)
	}
	for _, s := range h.pd.ShiftSchedules() {
		fmt.Fprintf(&b, "schedule %s %v, %d rotations\n", s.Name, s.TeamIDs, len(s.Rotations))
		h.shifts(&b, s.ID)
	}
	for _, i := range h.pd.Incidents() {
		fmt.Fprintf(&b, "incident %s: %s\n", i.Title, h.names(i.AssigneeIDs))
	}
	return b.String()
}

func (h *leaverHouse) targets(r pagerdutytest.Rule) string {
	var words []string
	for _, t := range r.Targets {
		words = append(words, h.name(t.ID))
	}
	return strings.Join(words, ", ")
}

// shifts writes who is on shift, from tomorrow on: what is before that depends on the hour.
func (h *leaverHouse) shifts(b *strings.Builder, schedule string) {
	from := h.anchor.AddDate(0, 0, 2)
	for _, s := range h.pd.Shifts(schedule, from, from.AddDate(0, 0, 21)) {
		fmt.Fprintf(b, "  %s %s to %s\n", h.name(s.UserID), h.offset(s.From), h.offset(s.To))
	}
}

func (h *leaverHouse) offset(t time.Time) string { return t.Sub(h.anchor).String() }

func (h *leaverHouse) names(ids []string) string {
	var names []string
	for _, id := range ids {
		names = append(names, h.name(id))
	}
	return strings.Join(names, ", ")
}

// name is what the id belongs to, or the id where that is an object of its own.
func (h *leaverHouse) name(id string) string {
	for name, of := range h.ids {
		if of == id {
			return name
		}
	}
	return id
}

// roles are everybody's, on the account and on the team.
func (h *leaverHouse) roles() string {
	var b strings.Builder
	for _, u := range h.pd.Users() {
		fmt.Fprintf(&b, "%s %s %s %s\n", u.Email, u.Role, u.LicenseID, h.pd.TeamRole("PPAY", u.ID))
	}
	return b.String()
}
