package pagerdutytest

import (
	"slices"
	"time"
)

// A ShiftSchedule is a shift-based (v3) schedule. Whatever its rotations and custom shifts name at a moment is on call
// together.
type ShiftSchedule struct {
	ID, Name, Description, TimeZone string
	TeamIDs                         []string
	Rotations                       []Rotation
	CustomShifts                    []CustomShift
	Overrides                       []ShiftOverride
}

// A Rotation is a place for events, of which one at most makes a shift at a time.
type Rotation struct {
	ID     string
	Events []Event
}

// EmptyMember is the member of an event, a custom shift or an override who is nobody.
const EmptyMember = ""

// An Event makes shifts from Since to Until: the first is from Start to End, the others follow by recurrence on the clocks
// of TimeZone. Members take turns, counted from Start, so that an event which replaces another with the same Start goes on
// where that stopped.
type Event struct {
	ID, Name        string
	Start, End      time.Time
	TimeZone        string
	Since           time.Time
	Until           time.Time // zero: it never ends
	Recurrence      []string  // one RRULE, any number of EXDATE and RDATE
	ShiftsPerMember int
	EveryMember     bool // all members are on call in every shift
	Members         []string
}

// A CustomShift is a shift of its own, beside the rotations.
type CustomShift struct {
	ID, AssignmentID, UserID string
	Start, End               time.Time
}

// A ShiftOverride puts Overriding in the place of Overridden in the shifts of one rotation, or in one custom shift.
type ShiftOverride struct {
	ID, RotationID, CustomShiftID string
	Overridden, Overriding        string
	Start, End                    time.Time
}

func (s ShiftSchedule) clone() ShiftSchedule {
	s.TeamIDs, s.CustomShifts, s.Overrides = slices.Clone(s.TeamIDs), slices.Clone(s.CustomShifts), slices.Clone(s.Overrides)
	s.Rotations = slices.Clone(s.Rotations)
	for i, r := range s.Rotations {
		r.Events = slices.Clone(r.Events)
		for j := range r.Events {
			r.Events[j] = r.Events[j].clone()
		}
		s.Rotations[i] = r
	}
	return s
}

func (e Event) clone() Event {
	e.Recurrence, e.Members = slices.Clone(e.Recurrence), slices.Clone(e.Members)
	return e
}

func (e Event) past(at time.Time) bool { return !e.Until.IsZero() && !at.Before(e.Until) }

func (e Event) future(at time.Time) bool { return at.Before(e.Since) }

// seated returns who is a member of an event that is not over, each once.
func (s ShiftSchedule) seated(at time.Time) []string {
	var out []string
	for _, r := range s.Rotations {
		for _, e := range r.Events {
			if e.past(at) {
				continue
			}
			for _, u := range e.Members {
				if u != EmptyMember && !slices.Contains(out, u) {
					out = append(out, u)
				}
			}
		}
	}
	return out
}

func (s ShiftSchedule) seats(user string, at time.Time) bool {
	return slices.Contains(s.seated(at), user)
}

// rotation returns the rotation with the id, or nil.
func (s *ShiftSchedule) rotation(id string) *Rotation {
	i := slices.IndexFunc(s.Rotations, func(r Rotation) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Rotations[i]
}

func (r *Rotation) event(id string) *Event {
	i := slices.IndexFunc(r.Events, func(e Event) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Events[i]
}
