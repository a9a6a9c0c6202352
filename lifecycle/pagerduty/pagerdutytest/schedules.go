package pagerdutytest

import (
	"slices"
	"time"
)

// scheduleHorizon is how far schedules are drawn when a call does not say.
const scheduleHorizon = 14 * 24 * time.Hour

// nextHorizon is how far a user's next shift is looked for. PagerDuty does not say how far it looks.
const nextHorizon = 90 * 24 * time.Hour

// A sheet is how a call wants a schedule drawn.
type sheet struct {
	zone     *time.Location
	over     span
	rendered bool // since or until were given: entries are drawn
	overflow bool // entries are not cut at the ends of over
}

// sheet reads time_zone, since, until and overflow.
func (c *call) sheet(zone string) (sheet, *reply) {
	q := c.r.URL.Query()
	sh := sheet{rendered: q.Get("since") != "" || q.Get("until") != "", overflow: q.Get("overflow") == "true"}
	var bad *reply
	if sh.over, bad = c.ahead(scheduleHorizon); bad != nil {
		return sh, bad
	}
	if asked := q.Get("time_zone"); asked != "" {
		if _, err := time.LoadLocation(asked); err != nil {
			return sh, new(invalid("Time zone is invalid"))
		}
		zone = asked
	}
	sh.zone = zoneOf(zone)
	return sh, nil
}

func listSchedules(c *call) reply {
	with, bad := includes(c, "schedule_layers", "overrides_subschedule", "final_schedule")
	if bad != nil {
		return *bad
	}
	sh, bad := c.sheet(accountZone)
	if bad != nil {
		return *bad
	}
	q := c.r.URL.Query()
	all := seenAll(c.view, layerKind, &c.schedules, func(s *Schedule) bool {
		return fuzzy(q.Get("query"), s.Name) && anyOf(q["team_ids[]"], func(t string) bool { return slices.Contains(s.TeamIDs, t) })
	})
	return list(c, "schedules", all, func(s *Schedule) obj {
		o := c.drawSchedule(s)
		if with["schedule_layers"] {
			o["schedule_layers"] = c.drawLayers(s, sh)
		}
		if with["final_schedule"] {
			o["final_schedule"] = c.drawFinal(s, sh)
		}
		if with["overrides_subschedule"] {
			o["overrides_subschedule"] = c.drawOverridden(s, sh)
		}
		return o
	})
}

func getSchedule(c *call) reply {
	s := seenOne(c.view, layerKind, &c.schedules, c.r.PathValue("id"))
	if s == nil {
		return notFound() // one of shifts is not here either
	}
	sh, bad := c.sheet(s.TimeZone)
	if bad != nil {
		return *bad
	}
	return ok(obj{"schedule": c.drawWhole(s, sh)})
}

// drawWhole draws all of a schedule.
func (c *call) drawWhole(s *Schedule, sh sheet) obj {
	o := c.drawSchedule(s)
	o["schedule_layers"], o["final_schedule"], o["overrides_subschedule"] = c.drawLayers(s, sh), c.drawFinal(s, sh), c.drawOverridden(s, sh)
	return o
}

// drawSchedule draws what every schedule has. Its users are those with a place in a layer that has not ended: whether
// PagerDuty counts ended layers is not documented, but its own offboarding script relies on their not holding anybody.
func (c *call) drawSchedule(s *Schedule) obj {
	o := c.head("schedule", s.ID, s.Name)
	o["name"], o["description"], o["time_zone"] = s.Name, s.Description, s.TimeZone
	o["users"] = each(s.seated(c.at), c.userRef)
	o["teams"] = each(s.TeamIDs, c.teamRef)
	o["escalation_policies"] = each(c.callersOf(s.ID), c.policyRef)
	if user := c.r.URL.Query().Get("include_next_oncall_for_user"); user != "" {
		c.drawNext(o, s, user)
	}
	return o
}

func (c *call) drawNext(o obj, s *Schedule, user string) {
	for _, sh := range s.render(span{c.at, c.at.Add(nextHorizon)}) {
		if sh.user == user {
			o["next_oncall_for_user"] = c.drawShift(sh, s.zone())
			return
		}
	}
}

// drawLayers draws the layers as GET gives them: the last one, which wins, comes first. PUT expects the opposite order.
func (c *call) drawLayers(s *Schedule, sh sheet) []obj {
	out := each(s.Layers, func(l Layer) obj {
		o := obj{
			"name": l.Name, "start": stampIn(l.Start, sh.zone), "end": nil,
			"rotation_virtual_start":       stampIn(l.VirtualStart, sh.zone),
			"rotation_turn_length_seconds": int(l.Turn / time.Second),
			"users":                        each(l.UserIDs, func(id string) obj { return obj{"user": c.userRef(id)} }),
			"restrictions":                 each(l.Restrictions, drawRestriction),
		}
		if l.ID != "" {
			o["id"] = l.ID
		}
		if !l.End.IsZero() {
			o["end"] = stampIn(l.End, sh.zone)
		}
		c.drawEntries(o, sh, s.reach(), func(over span) []shift { return l.render(over, s.zone()) })
		return o
	})
	slices.Reverse(out)
	return out
}

func drawRestriction(r Restriction) obj {
	o := obj{
		"type": "daily_restriction", "start_time_of_day": time.Time{}.Add(r.From).Format(time.TimeOnly),
		"duration_seconds": int(r.Length / time.Second),
	}
	if r.Weekday > 0 {
		o["type"], o["start_day_of_week"] = "weekly_restriction", r.Weekday
	}
	return o
}

func (c *call) drawFinal(s *Schedule, sh sheet) obj {
	o := obj{"name": "Final Schedule"}
	c.drawEntries(o, sh, s.reach(), s.render)
	return o
}

func (c *call) drawOverridden(s *Schedule, sh sheet) obj {
	o := obj{"name": "Overrides"}
	c.drawEntries(o, sh, s.reach(), func(over span) []shift { return renderOverrides(s.Overrides, over) })
	return o
}

// drawEntries adds who is on call when, and for how much of the time; without since and until the list is empty.
func (c *call) drawEntries(o obj, sh sheet, reach time.Duration, render func(span) []shift) {
	o["rendered_schedule_entries"] = []obj{}
	if !sh.rendered {
		return
	}
	shifts := render(sh.over)
	o["rendered_coverage_percentage"] = coverage(shifts, sh.over)
	if sh.overflow {
		shifts = slices.DeleteFunc(render(sh.over.wider(reach)), func(s shift) bool { return !s.overlaps(sh.over) })
	}
	o["rendered_schedule_entries"] = each(shifts, func(s shift) obj { return c.drawShift(s, sh.zone) })
}

func (c *call) drawShift(s shift, zone *time.Location) obj {
	return obj{"user": c.userRef(s.user), "start": stampIn(s.from, zone), "end": stampIn(s.to, zone)}
}

func stampIn(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.RFC3339) }
