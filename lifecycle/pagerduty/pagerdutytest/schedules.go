package pagerdutytest

import (
	"slices"
	"time"
)

// scheduleHorizon is how far schedules are drawn when a call does not say.
const scheduleHorizon = 14 * 24 * time.Hour

func listSchedules(c *call) reply {
	with, bad := includes(c, "schedule_layers", "overrides_subschedule", "final_schedule")
	if bad != nil {
		return *bad
	}
	span, bad := c.ahead(scheduleHorizon)
	if bad != nil {
		return *bad
	}
	q := c.r.URL.Query()
	all := c.schedules.find(func(s *Schedule) bool {
		return fuzzy(q.Get("query"), s.Name) && anyOf(q["team_ids[]"], func(t string) bool { return slices.Contains(s.TeamIDs, t) })
	})
	return list(c, "schedules", all, func(s *Schedule) obj {
		o := c.drawSchedule(s)
		if with["schedule_layers"] {
			o["schedule_layers"] = c.drawLayers(s, nil)
		}
		if with["final_schedule"] {
			o["final_schedule"] = c.drawFinal(s, span)
		}
		if with["overrides_subschedule"] {
			o["overrides_subschedule"] = obj{"name": "Overrides", "rendered_schedule_entries": []obj{}, "rendered_coverage_percentage": 0.0}
		}
		return o
	})
}

func getSchedule(c *call) reply {
	s := c.schedules.get(c.r.PathValue("id"))
	if s == nil {
		return notFound()
	}
	q := c.r.URL.Query()
	o := c.drawSchedule(s)
	o["schedule_layers"] = c.drawLayers(s, nil)
	if q.Get("since") != "" || q.Get("until") != "" {
		span, bad := c.ahead(scheduleHorizon)
		if bad != nil {
			return *bad
		}
		o["schedule_layers"], o["final_schedule"] = c.drawLayers(s, &span), c.drawFinal(s, span)
		o["overrides_subschedule"] = obj{"name": "Overrides", "rendered_schedule_entries": []obj{}, "rendered_coverage_percentage": 0.0}
	}
	return ok(obj{"schedule": o})
}

func (c *call) drawSchedule(s *Schedule) obj {
	o := c.head("schedule", s.ID, s.Name)
	o["name"], o["description"], o["time_zone"] = s.Name, s.Description, s.TimeZone
	var users []string
	for _, l := range s.Layers {
		for _, u := range l.UserIDs {
			if !slices.Contains(users, u) {
				users = append(users, u)
			}
		}
	}
	o["users"] = each(users, c.userRef)
	o["teams"] = each(s.TeamIDs, c.teamRef)
	o["escalation_policies"] = each(c.policies.find(func(p *EscalationPolicy) bool { return p.calls(s.ID) }),
		func(p *EscalationPolicy) obj { return c.policyRef(p.ID) })
	return o
}

// drawLayers draws the layers as GET gives them: the last one, which wins, comes first. PUT expects the opposite order.
func (c *call) drawLayers(s *Schedule, over *span) []obj {
	out := each(s.Layers, func(l Layer) obj {
		o := obj{
			"id": l.ID, "name": l.Name, "start": stamp(l.Start), "end": stampOrNull(l.End),
			"rotation_virtual_start": stamp(l.VirtualStart), "rotation_turn_length_seconds": int(l.Turn / time.Second),
			"users": each(l.UserIDs, func(id string) obj { return obj{"user": c.userRef(id)} }), "restrictions": []obj{},
		}
		if over != nil {
			o["rendered_schedule_entries"] = each(render([]Layer{l}, *over), c.drawShift)
			o["rendered_coverage_percentage"] = coverage(render([]Layer{l}, *over), *over)
		}
		return o
	})
	slices.Reverse(out)
	return out
}

func (c *call) drawFinal(s *Schedule, over span) obj {
	shifts := render(s.Layers, over)
	return obj{
		"name": "Final Schedule", "rendered_schedule_entries": each(shifts, c.drawShift),
		"rendered_coverage_percentage": coverage(shifts, over),
	}
}

func (c *call) drawShift(s shift) obj {
	return obj{"user": c.userRef(s.user), "start": stamp(s.from), "end": stamp(s.to)}
}
