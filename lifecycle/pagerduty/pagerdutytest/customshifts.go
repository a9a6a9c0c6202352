package pagerdutytest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"
)

func (x CustomShift) draw(s *ShiftSchedule, zone *time.Location) obj {
	return obj{
		"id": x.ID, "type": fromCustom, "start_time": stampIn(x.Start, zone), "end_time": stampIn(x.End, zone),
		"assignments": []obj{{"id": x.AssignmentID, "type": "shift_assignment", "member": drawMember(x.UserID)}},
		"self":        apiBase + "/v3/schedules/" + s.ID + "/custom_shifts/" + x.ID,
	}
}

func listCustomShifts(c *call) reply {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return *bad
	}
	sh, bad := c.during(s)
	if bad != nil {
		return *bad
	}
	all := slices.DeleteFunc(slices.Clone(s.CustomShifts), func(x CustomShift) bool { return !span{x.Start, x.End}.overlaps(sh.over) })
	return listShifts(c, "custom_shifts", defaultLimit, maxLimit, all, func(x CustomShift) obj {
		x.Start, x.End = sh.ends(x.Start, x.End)
		return x.draw(s, sh.zone)
	})
}

// customShift finds the custom shift of the call in a copy of its schedule.
func (c *call) customShift() (ShiftSchedule, int, *reply) {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return ShiftSchedule{}, 0, bad
	}
	i := slices.IndexFunc(s.CustomShifts, func(x CustomShift) bool { return x.ID == c.r.PathValue("custom_shift_id") })
	if i < 0 {
		return ShiftSchedule{}, 0, new(notFound())
	}
	return s.clone(), i, nil
}

func getCustomShift(c *call) reply {
	s, i, bad := c.customShift()
	if bad != nil {
		return *bad
	}
	return ok(obj{"custom_shift": s.CustomShifts[i].draw(&s, zoneOf(s.TimeZone))})
}

type customShiftPatch struct {
	Type        string             `json:"type"`
	Start       *string            `json:"start_time"`
	End         *string            `json:"end_time"`
	Assignments *[]assignmentPatch `json:"assignments"`
}

type assignmentPatch struct {
	Type   string      `json:"type"`
	Member memberPatch `json:"member"`
}

// createCustomShifts makes all custom shifts of the body, or none.
func createCustomShifts(c *call) reply {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return *bad
	}
	var body struct {
		Shifts []customShiftPatch `json:"custom_shifts"`
	}
	if bad := c.decode(&body); bad != nil || len(body.Shifts) == 0 {
		return invalidField("custom_shifts", "must not be empty")
	}
	is, rows := s.clone(), []obj{}
	for _, b := range body.Shifts {
		x := CustomShift{ID: rand.Text(), AssignmentID: rand.Text()}
		if b.Type != fromCustom || b.Assignments == nil {
			return invalidField("custom_shift.type", "must be custom_shift, with assignments")
		}
		if bad := c.patchCustomShift(&x, b); bad != nil {
			return *bad
		}
		is.CustomShifts = append(is.CustomShifts, x)
		rows = append(rows, x.draw(&is, zoneOf(is.TimeZone)))
	}
	c.changeShifts(c.author(), is)
	return reply{status: http.StatusCreated, body: obj{"custom_shifts": rows}}
}

func (c *call) patchCustomShift(x *CustomShift, b customShiftPatch) *reply {
	if bad := patchTimes(fromCustom, b.Start, b.End, &x.Start, &x.End); bad != nil {
		return bad
	}
	if b.Assignments == nil {
		return nil
	}
	if len(*b.Assignments) != 1 || (*b.Assignments)[0].Type != "shift_assignment" {
		return new(invalidField("custom_shift.assignments", "size must be between 1 and 1"))
	}
	user, bad := c.member("custom_shift.assignments.member", (*b.Assignments)[0].Member)
	x.UserID = user
	return bad
}

// updateCustomShift changes a custom shift; of one that has begun only the end.
func updateCustomShift(c *call) reply {
	s, i, bad := c.customShift()
	if bad != nil {
		return *bad
	}
	var body struct {
		Shift *customShiftPatch `json:"custom_shift"`
	}
	if bad := c.decode(&body); bad != nil || body.Shift == nil {
		return invalidField(fromCustom, "must not be null")
	}
	x := &s.CustomShifts[i]
	was := *x
	if bad := c.patchCustomShift(x, *body.Shift); bad != nil {
		return *bad
	}
	if begun := !c.at.Before(was.Start); begun && (!x.Start.Equal(was.Start) || x.UserID != was.UserID) {
		return invalidField(fromCustom, "Only end_time can be updated on a shift that has started")
	}
	c.changeShifts(c.author(), s)
	return ok(obj{"custom_shift": x.draw(&s, zoneOf(s.TimeZone))})
}

// deleteCustomShift removes a shift to come and ends one that has begun; one that is over is refused.
func deleteCustomShift(c *call) reply {
	s, i, bad := c.customShift()
	if bad != nil {
		return *bad
	}
	x := &s.CustomShifts[i]
	switch {
	case !c.at.Before(x.End):
		return invalidField(fromCustom, "Shift has already ended")
	case c.at.After(x.Start):
		x.End = c.at
	default:
		id := x.ID
		s.CustomShifts = slices.Delete(s.CustomShifts, i, i+1)
		s.Overrides = slices.DeleteFunc(s.Overrides, func(o ShiftOverride) bool { return o.CustomShiftID == id })
	}
	c.changeShifts(c.author(), s)
	return noContent()
}
