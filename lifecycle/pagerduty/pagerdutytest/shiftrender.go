package pagerdutytest

import (
	"cmp"
	"slices"
	"time"
)

// The kinds of what puts somebody on call in a shift-based schedule.
const (
	fromRotation       = "schedule_rotation"
	fromCustom         = "custom_shift"
	fromRotationByOver = "schedule_rotation_override"
	fromCustomByOver   = "custom_shift_override"
)

// A computed is one shift of a shift-based schedule and where it comes from. Its user is EmptyMember where nobody is meant.
type computed struct {
	shift
	base                       string // whose it was before it was overridden
	source                     string
	rotation, custom, override string
}

// compute says who is on call when, as one entry for each member and source, in order of time.
func (s ShiftSchedule) compute(over span) []computed {
	var out []computed
	for _, r := range s.Rotations {
		out = append(out, r.compute(over)...)
	}
	for _, c := range s.CustomShifts {
		for _, sh := range within([]shift{{c.UserID, span{c.Start, c.End}}}, over) {
			out = append(out, computed{shift: sh, base: c.UserID, source: fromCustom, custom: c.ID})
		}
	}
	for _, o := range s.Overrides {
		out = o.over(out)
	}
	slices.SortStableFunc(out, func(x, y computed) int { return cmp.Or(x.from.Compare(y.from), x.to.Compare(y.to)) })
	return out
}

func (r Rotation) compute(over span) []computed {
	var out []computed
	for _, e := range r.Events {
		for _, sh := range e.shifts(over) {
			out = append(out, computed{shift: sh, base: sh.user, source: fromRotation, rotation: r.ID})
		}
	}
	return out
}

// over returns the entries with those that the override is meant for cut at its ends and given to another.
func (o ShiftOverride) over(all []computed) []computed {
	var out []computed
	during := span{o.Start, o.End}
	for _, c := range all {
		if !o.meant(c) || !c.overlaps(during) {
			out = append(out, c)
			continue
		}
		before, in, after := c, c, c
		before.to, after.from = o.Start, o.End
		in.from, in.to = later(c.from, o.Start), earlier(c.to, o.End)
		in.user, in.override, in.source = o.Overriding, o.ID, fromRotationByOver
		if c.custom != "" {
			in.source = fromCustomByOver
		}
		for _, part := range []computed{before, in, after} {
			if part.from.Before(part.to) {
				out = append(out, part)
			}
		}
	}
	return out
}

func (o ShiftOverride) meant(c computed) bool {
	same := (o.RotationID != "" && o.RotationID == c.rotation) || (o.CustomShiftID != "" && o.CustomShiftID == c.custom)
	return same && c.base == o.Overridden
}

// shifts returns what the event makes within a span, cut at its ends. Empty seats are there too.
func (e Event) shifts(over span) []shift {
	rule, err := parseRecurrence(e.Recurrence)
	if err != nil {
		panic("pagerdutytest: an event was kept whose recurrence cannot be read: " + err.Error())
	}
	end := over.to
	if !e.Until.IsZero() {
		end = earlier(end, e.Until)
	}
	var out []shift
	n := 0
	for s := range rule.occurrences(span{e.Start, e.End}, zoneOf(e.TimeZone), end) {
		s.from, s.to = later(s.from, e.Since), e.cut(s.to)
		for _, u := range e.turn(n) {
			if s.from.Before(s.to) {
				out = append(out, within([]shift{{u, s}}, over)...)
			}
		}
		n++
	}
	return out
}

func (e Event) cut(t time.Time) time.Time {
	if e.Until.IsZero() {
		return t
	}
	return earlier(t, e.Until)
}

// turn returns who has the nth shift.
func (e Event) turn(n int) []string {
	if e.EveryMember {
		return e.Members
	}
	return e.Members[n/e.ShiftsPerMember%len(e.Members) : n/e.ShiftsPerMember%len(e.Members)+1]
}

// render says who is on call when, as whole shifts of one user each; those of several users lie side by side.
func (s ShiftSchedule) render(over span) []shift {
	byUser := map[string][]shift{}
	var users []string
	for _, c := range s.compute(over) {
		if c.user == EmptyMember {
			continue
		}
		if byUser[c.user] == nil {
			users = append(users, c.user)
		}
		byUser[c.user] = merged(byUser[c.user], c.shift)
	}
	var out []shift
	for _, u := range users {
		out = append(out, byUser[u]...)
	}
	slices.SortStableFunc(out, func(x, y shift) int { return x.from.Compare(y.from) })
	return out
}

// merged adds a shift that begins no earlier than the last, as one with it when they touch.
func merged(out []shift, s shift) []shift {
	if n := len(out); n > 0 && !s.from.After(out[n-1].to) {
		out[n-1].to = later(out[n-1].to, s.to)
		return out
	}
	return append(out, s)
}

// reach is how far to look each way for the beginning and the end of a shift.
func (s ShiftSchedule) reach() time.Duration {
	reach := 24 * time.Hour
	for _, r := range s.Rotations {
		for _, e := range r.Events {
			reach = max(reach, time.Duration(e.ShiftsPerMember+1)*e.End.Sub(e.Start))
		}
	}
	for _, c := range s.CustomShifts {
		reach = max(reach, c.End.Sub(c.Start))
	}
	return reach
}
