package pagerdutytest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"
)

func (o ShiftOverride) draw(s *ShiftSchedule, zone *time.Location) obj {
	out := obj{
		"id": o.ID, "type": "override_shift", "start_time": stampIn(o.Start, zone), "end_time": stampIn(o.End, zone),
		"overridden_member": drawMember(o.Overridden), "overriding_member": drawMember(o.Overriding),
		"self": apiBase + "/v3/schedules/" + s.ID + "/overrides/" + o.ID,
	}
	if o.RotationID != "" {
		out["rotation_id"] = o.RotationID
	}
	if o.CustomShiftID != "" {
		out["custom_shift_id"] = o.CustomShiftID
	}
	return out
}

// during is what the lists of overrides and custom shifts ask for: since and until are required.
func (c *call) during(s *ShiftSchedule) (sheet, *reply) {
	over, bad := c.bounds(invalidField)
	if bad != nil {
		return sheet{}, bad
	}
	sh, bad := c.sheet(s.TimeZone)
	if bad != nil {
		return sh, new(invalidField("time_zone", "must be a time zone"))
	}
	sh.over = over
	return sh, nil
}

// ends cuts a span at the ends of what was asked for, unless overflow was.
func (sh sheet) ends(from, to time.Time) (time.Time, time.Time) {
	if sh.overflow {
		return from, to
	}
	return later(from, sh.over.from), earlier(to, sh.over.to)
}

func listShiftOverrides(c *call) reply {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return *bad
	}
	sh, bad := c.during(s)
	if bad != nil {
		return *bad
	}
	all := slices.DeleteFunc(slices.Clone(s.Overrides), func(o ShiftOverride) bool { return !span{o.Start, o.End}.overlaps(sh.over) })
	return listShifts(c, "overrides", defaultLimit, maxLimit, all, func(o ShiftOverride) obj {
		o.Start, o.End = sh.ends(o.Start, o.End)
		return o.draw(s, sh.zone)
	})
}

// shiftOverride finds the override of the call in a copy of its schedule.
func (c *call) shiftOverride() (ShiftSchedule, int, *reply) {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return ShiftSchedule{}, 0, bad
	}
	i := slices.IndexFunc(s.Overrides, func(o ShiftOverride) bool { return o.ID == c.r.PathValue("override_id") })
	if i < 0 {
		return ShiftSchedule{}, 0, new(notFound())
	}
	return s.clone(), i, nil
}

func getShiftOverride(c *call) reply {
	s, i, bad := c.shiftOverride()
	if bad != nil {
		return *bad
	}
	return ok(obj{"override": s.Overrides[i].draw(&s, zoneOf(s.TimeZone))})
}

type shiftOverridePatch struct {
	Type        string       `json:"type"`
	Rotation    string       `json:"rotation_id"`
	CustomShift string       `json:"custom_shift_id"`
	Start       *string      `json:"start_time"`
	End         *string      `json:"end_time"`
	Overridden  *memberPatch `json:"overridden_member"`
	Overriding  *memberPatch `json:"overriding_member"`
}

// createShiftOverrides makes all overrides of the body, or none.
func createShiftOverrides(c *call) reply {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return *bad
	}
	var body struct {
		Overrides []shiftOverridePatch `json:"overrides"`
	}
	if bad := c.decode(&body); bad != nil || len(body.Overrides) == 0 {
		return invalidField("overrides", "must not be empty")
	}
	is, rows := s.clone(), []obj{}
	for _, b := range body.Overrides {
		o := ShiftOverride{ID: rand.Text(), RotationID: b.Rotation, CustomShiftID: b.CustomShift}
		if bad := c.writeShiftOverride(&o, b, is); bad != nil {
			return *bad
		}
		is.Overrides = append(is.Overrides, o)
		rows = append(rows, o.draw(&is, zoneOf(is.TimeZone)))
	}
	c.changeShifts(c.author(), is)
	return reply{status: http.StatusCreated, body: obj{"overrides": rows}}
}

func (c *call) writeShiftOverride(o *ShiftOverride, b shiftOverridePatch, s ShiftSchedule) *reply {
	switch {
	case b.Type != "override_shift":
		return new(invalidField("override.type", "must be override_shift"))
	case (b.Rotation == "") == (b.CustomShift == ""):
		return new(invalidField("override", "Exactly one of rotation_id and custom_shift_id must be given"))
	case b.Rotation != "" && s.rotation(b.Rotation) == nil:
		return new(invalidField("override.rotation_id", "Rotation does not exist"))
	case b.CustomShift != "" && !slices.ContainsFunc(s.CustomShifts, func(x CustomShift) bool { return x.ID == b.CustomShift }):
		return new(invalidField("override.custom_shift_id", "Custom shift does not exist"))
	case b.Overridden == nil || b.Overriding == nil:
		return new(invalidField("override.overridden_member", "must not be null"))
	}
	o.Overridden = b.Overridden.User // may be somebody deleted, whose seat is still there
	if bad := c.patchShiftOverride(o, b); bad != nil {
		return bad
	}
	return s.checkOverridden(*o)
}

// checkOverridden refuses an override of somebody who has no such shift then: it would do nothing. Whether PagerDuty
// refuses it is not documented.
func (s ShiftSchedule) checkOverridden(o ShiftOverride) *reply {
	if slices.ContainsFunc(s.compute(span{o.Start, o.End}), o.meant) {
		return nil
	}
	return new(invalidField("override.overridden_member", "is not assigned in the time range"))
}

// patchShiftOverride writes the times and who takes over, as far as they are sent.
func (c *call) patchShiftOverride(o *ShiftOverride, b shiftOverridePatch) *reply {
	if bad := patchTimes("override", b.Start, b.End, &o.Start, &o.End); bad != nil {
		return bad
	}
	if b.Overriding == nil {
		return nil
	}
	user, bad := c.member("override.overriding_member", *b.Overriding)
	o.Overriding = user
	return bad
}

// patchTimes writes a beginning and an end that are sent, and refuses an end that is not after its beginning.
func patchTimes(what string, start, end *string, from, to *time.Time) *reply {
	var bad *reply
	if start != nil || from.IsZero() {
		if *from, bad = parseTime(what+".start_time", start); bad != nil {
			return bad
		}
	}
	if end != nil || to.IsZero() {
		if *to, bad = parseTime(what+".end_time", end); bad != nil {
			return bad
		}
	}
	if !from.Before(*to) {
		return new(invalidField(what+".end_time", "must be after start_time"))
	}
	return nil
}

func updateShiftOverride(c *call) reply {
	s, i, bad := c.shiftOverride()
	if bad != nil {
		return *bad
	}
	var body struct {
		Override *shiftOverridePatch `json:"override"`
	}
	if bad := c.decode(&body); bad != nil || body.Override == nil {
		return invalidField("override", "must not be null")
	}
	o := &s.Overrides[i]
	if bad := c.patchShiftOverride(o, *body.Override); bad != nil {
		return *bad
	}
	if bad := s.checkOverridden(*o); bad != nil {
		return *bad
	}
	c.changeShifts(c.author(), s)
	return ok(obj{"override": o.draw(&s, zoneOf(s.TimeZone))})
}

func deleteShiftOverride(c *call) reply {
	s, i, bad := c.shiftOverride()
	if bad != nil {
		return *bad
	}
	s.Overrides = slices.Delete(s.Overrides, i, i+1)
	c.changeShifts(c.author(), s)
	return noContent()
}
