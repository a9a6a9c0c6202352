package pagerdutytest

import (
	"cmp"
	"crypto/rand"
	"fmt"
)

// SetScheduleAs replaces a layer-based schedule, whatever it was like. It returns an error when there is none, or when it
// names somebody who cannot be on one.
func (a *Account) SetScheduleAs(actor string, s Schedule) error {
	return a.as(actor, func(by author) error {
		if !a.schedules.has(s.ID) {
			return fmt.Errorf("set schedule %s: no such layer-based schedule", s.ID)
		}
		s = s.clone()
		for i, l := range s.Layers {
			s.Layers[i].ID = cmp.Or(l.ID, a.newID())
			if err := a.seatAll(s.ID, l.UserIDs); err != nil {
				return err
			}
		}
		a.changeSchedule(by, s)
		return nil
	})
}

// SetShiftScheduleAs replaces a shift-based schedule, whatever it was like. It returns an error when there is none, or when
// it names somebody who cannot be on one.
func (a *Account) SetShiftScheduleAs(actor string, s ShiftSchedule) error {
	return a.as(actor, func(by author) error {
		if !a.shifts.has(s.ID) {
			return fmt.Errorf("set schedule %s: no such shift-based schedule", s.ID)
		}
		s = s.clone()
		for i := range s.Rotations {
			s.Rotations[i].ID = cmp.Or(s.Rotations[i].ID, rand.Text())
			for j, e := range s.Rotations[i].Events {
				if err := a.seatAll(s.ID, e.Members); err != nil {
					return err
				}
				e = finishEvent(a.yesterday(), s.TimeZone, e)
				if _, err := parseRecurrence(e.Recurrence); err != nil {
					return fmt.Errorf("set schedule %s: event %q: %w", s.ID, e.Name, err)
				}
				s.Rotations[i].Events[j] = e
			}
		}
		a.changeShifts(by, s)
		return nil
	})
}

// seatAll returns an error when there is no member, or one is somebody who never was, or a stakeholder. Placeholders may stay.
func (a *Account) seatAll(schedule string, members []string) error {
	if len(members) == 0 {
		return fmt.Errorf("set schedule %s: a layer or an event has nobody", schedule)
	}
	for _, id := range members {
		if why := a.seatable(id); id != EmptyMember && why != "" && (a.users[id] == nil || why == noStakeholders) {
			return fmt.Errorf("set schedule %s: %s", schedule, why)
		}
	}
	return nil
}
