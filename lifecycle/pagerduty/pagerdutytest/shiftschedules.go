package pagerdutytest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

const maxShiftSchedules = 1000

// invalidField is the 400 of the v3 operations: their errors are lists by the field they are about.
func invalidField(field, why string) reply {
	return reply{
		status: http.StatusBadRequest, refusal: field + ": " + why,
		body: obj{"error": obj{"message": "Invalid Request", "code": 2001, "errors": obj{field: []string{why}}}},
	}
}

// listShiftSchedules lists references. There is no total in the answer, says PagerDuty's guide, whatever is asked.
func listShiftSchedules(c *call) reply {
	q := c.r.URL.Query()
	all := seenAll(c.view, shiftKind, &c.shifts, func(s *ShiftSchedule) bool {
		return fuzzy(q.Get("query"), s.Name) && anyOf(q["team_ids[]"], func(t string) bool { return slices.Contains(s.TeamIDs, t) })
	})
	return listShifts(c, "schedules", 100, maxShiftSchedules, all, func(s *ShiftSchedule) obj { return c.scheduleRef(s.ID) })
}

// listShifts answers with one page of all as the v3 lists do.
func listShifts[T any](c *call, key string, standard, most int, all []T, draw func(T) obj) reply {
	q := c.r.URL.Query()
	limit, bad := number(q, "limit", standard)
	if bad != nil || limit < 1 {
		return invalidField("limit", "must be a number that is positive")
	}
	offset, bad := number(q, "offset", 0)
	if bad != nil {
		return invalidField("offset", "must be a number that is not negative")
	}
	if limit > most {
		return invalidField("limit", fmt.Sprintf("must be less than or equal to %d", most))
	}
	from := min(offset, len(all))
	to := min(from+limit, len(all))
	return ok(obj{key: each(all[from:to], draw), "limit": limit, "offset": offset, "more": to < len(all)})
}

// shiftSchedule finds the schedule of the call. The second result refuses: one of layers is 400 here, so that a client
// which does not know the kind tries the other API.
func (c *call) shiftSchedule() (*ShiftSchedule, *reply) {
	id, s := c.r.PathValue("id"), c.shifts.get(c.r.PathValue("id"))
	if c.route.method == http.MethodGet { // a write is made on what there is
		s = seenOne(c.view, shiftKind, &c.shifts, id)
	}
	if s != nil {
		return s, nil
	}
	if c.schedules.has(id) {
		return nil, new(invalidField("schedule.id", "Schedule is not a shift-based schedule"))
	}
	return nil, new(notFound())
}

func getShiftSchedule(c *call) reply {
	with, bad := includes(c, "final_schedule")
	if bad != nil {
		return invalidField("include", "is not one of [final_schedule]")
	}
	s, bad := c.shiftSchedule()
	if bad != nil {
		return *bad
	}
	sh, bad := c.sheet(s.TimeZone)
	if bad != nil {
		return invalidField("since", "since, until and time_zone must be times in order and a zone")
	}
	o := c.drawShiftSchedule(s)
	if with["final_schedule"] && sh.rendered {
		o["final_schedule"] = drawComputed(s, sh)
	}
	return ok(obj{"schedule": o})
}

// shiftHead begins a shift-based schedule, or a reference to one. Its page is where it was before it was upgraded.
func (a *Account) shiftHead(typ string, s *ShiftSchedule) obj {
	return obj{
		"id": s.ID, "type": typ, "summary": s.Name, "self": apiBase + "/v3/schedules/" + s.ID,
		"html_url": "https://" + a.cfg.Subdomain + ".pagerduty.com/schedules/" + s.ID,
	}
}

func (c *call) drawShiftSchedule(s *ShiftSchedule) obj {
	o := c.shiftHead("schedule_v3", s)
	delete(o, "summary")
	o["name"], o["description"], o["time_zone"] = s.Name, s.Description, s.TimeZone
	o["teams"] = each(s.TeamIDs, c.teamRef)
	o["escalation_policies"] = each(c.callersOf(s.ID), c.policyRef)
	o["rotations"] = each(s.Rotations, func(r Rotation) obj { return drawRotation(s, r) })
	return o
}

func drawRotation(s *ShiftSchedule, r Rotation) obj {
	return obj{
		"id": r.ID, "type": fromRotation, "self": apiBase + "/v3/schedules/" + s.ID + "/rotations/" + r.ID,
		"events": each(r.Events, func(e Event) obj { return drawEvent(s, r, e) }),
	}
}

func drawEvent(s *ShiftSchedule, r Rotation, e Event) obj {
	strategy := obj{"type": rotatingMembers, "shifts_per_member": e.ShiftsPerMember, "members": each(e.Members, drawMember)}
	if e.EveryMember {
		strategy = obj{"type": everyMember, "members": each(e.Members, drawMember)}
	}
	zone := zoneOf(e.TimeZone)
	return obj{
		"id": e.ID, "type": "schedule_event", "name": e.Name,
		"start_time":      obj{"date_time": stampIn(e.Start, zone), "time_zone": e.TimeZone},
		"end_time":        obj{"date_time": stampIn(e.End, zone), "time_zone": e.TimeZone},
		"effective_since": stamp(e.Since), "effective_until": stampOrNull(e.Until),
		"recurrence": e.Recurrence, "assignment_strategy": strategy,
		"self": apiBase + "/v3/schedules/" + s.ID + "/rotations/" + r.ID + "/events/" + e.ID,
	}
}

// drawMember draws a seat: a user by id alone, deleted or not, or nobody.
func drawMember(user string) obj {
	if user == EmptyMember {
		return obj{"type": emptyMember}
	}
	return obj{"type": userMember, "user_id": user}
}

// drawComputed draws who is on call when; seats that are empty are there too.
func drawComputed(s *ShiftSchedule, sh sheet) obj {
	over := sh.over
	all := s.compute(over)
	var shifts []shift
	for _, x := range all {
		shifts = append(shifts, x.shift)
	}
	if sh.overflow {
		all = slices.DeleteFunc(s.compute(over.wider(s.reach())), func(x computed) bool { return !x.overlaps(over) })
	}
	return obj{
		"type": "final_schedule", "rendered_coverage_percentage": coverage(shifts, over),
		"computed_shift_assignments": each(all, func(x computed) obj {
			source := obj{"type": x.source}
			for key, id := range map[string]string{"rotation_id": x.rotation, "shift_id": x.custom, "override_id": x.override} {
				if id != "" {
					source[key] = id
				}
			}
			return obj{
				"type": "computed_shift_assignment", "start_time": stampIn(x.from, sh.zone), "end_time": stampIn(x.to, sh.zone),
				"member": drawMember(x.user), "source": source,
			}
		}),
	}
}

const (
	rotatingMembers = "rotating_member_assignment_strategy"
	everyMember     = "every_member_assignment_strategy"
	userMember      = "user_member"
	emptyMember     = "empty_member"
)

// listRotations lists the rotations of a schedule with their events.
func listRotations(c *call) reply {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return *bad
	}
	return listShifts(c, "rotations", defaultLimit, maxLimit, s.Rotations, func(r Rotation) obj { return drawRotation(s, r) })
}

func getRotation(c *call) reply {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return *bad
	}
	r := s.rotation(c.r.PathValue("rotation_id"))
	if r == nil {
		return notFound()
	}
	return ok(obj{"rotation": drawRotation(s, *r)})
}

// inOrder returns events by when they begin.
func inOrder(events []Event) []Event {
	return slices.SortedStableFunc(slices.Values(events), func(x, y Event) int {
		return later(x.Start, x.Since).Compare(later(y.Start, y.Since))
	})
}

// parseTime reads a time of a v3 body, or refuses it.
func parseTime(field string, text *string) (time.Time, *reply) {
	if text == nil {
		return time.Time{}, new(invalidField(field, "must not be null"))
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return t, new(invalidField(field, "must be a time such as 2026-01-31T12:00:00Z"))
	}
	return t.UTC(), nil
}
