package pagerdutytest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"reflect"
	"slices"
)

// A place is where in the account an event is, or is to be.
type place struct {
	schedule ShiftSchedule // a copy, to be written back
	rotation *Rotation     // of schedule
	event    *Event        // of rotation; nil when the call names none
}

// place finds the schedule, the rotation and the event of the call.
func (c *call) place() (place, *reply) {
	s, bad := c.shiftSchedule()
	if bad != nil {
		return place{}, bad
	}
	p := place{schedule: s.clone()}
	if p.rotation = p.schedule.rotation(c.r.PathValue("rotation_id")); p.rotation == nil {
		return p, new(notFound())
	}
	if id := c.r.PathValue("event_id"); id != "" {
		if p.event = p.rotation.event(id); p.event == nil {
			return p, new(notFound())
		}
	}
	return p, nil
}

func listEvents(c *call) reply {
	p, bad := c.place()
	if bad != nil {
		return *bad
	}
	return listShifts(c, "events", defaultLimit, maxLimit, inOrder(p.rotation.Events),
		func(e Event) obj { return drawEvent(&p.schedule, *p.rotation, e) })
}

func (p place) draw(status int, e Event) reply {
	return reply{status: status, body: obj{"event": drawEvent(&p.schedule, *p.rotation, e)}}
}

func getEvent(c *call) reply {
	p, bad := c.place()
	if bad != nil {
		return *bad
	}
	return p.draw(http.StatusOK, *p.event)
}

// createEvent adds an event. Whether ended events count towards the most that a rotation may have is not documented: here
// they do not, since they cannot be removed.
func createEvent(c *call) reply {
	p, bad := c.place()
	if bad != nil {
		return *bad
	}
	by, bad := eventPatchOf(c)
	if bad != nil {
		return *bad
	}
	e := Event{ID: rand.Text()}
	if bad := c.writeEvent(&e, by); bad != nil {
		return *bad
	}
	running := slices.DeleteFunc(slices.Clone(p.rotation.Events), func(e Event) bool { return e.past(c.at) })
	if len(running) >= maxEvents {
		return invalidField("rotation.events", fmt.Sprintf("A rotation cannot have more than %d events", maxEvents))
	}
	if bad := p.checkOverlap(e); bad != nil {
		return *bad
	}
	p.rotation.Events = append(p.rotation.Events, e)
	c.changeShifts(c.author(), p.schedule)
	return p.draw(http.StatusCreated, e)
}

// updateEvent changes an event: all of one to come, which must be sent whole; only the end of one that is active; nothing
// of one that is over.
func updateEvent(c *call) reply {
	p, bad := c.place()
	if bad != nil {
		return *bad
	}
	by, bad := eventPatchOf(c)
	if bad != nil {
		return *bad
	}
	is := p.event.clone()
	switch {
	case is.past(c.at):
		return invalidField("event", "Past events cannot be modified")
	case is.future(c.at):
		bad = c.writeEvent(&is, by)
	default:
		bad = c.endEvent(&is, by)
	}
	if bad != nil {
		return *bad
	}
	if bad := p.checkOverlap(is); bad != nil {
		return *bad
	}
	*p.event = is
	c.changeShifts(c.author(), p.schedule)
	return p.draw(http.StatusOK, is)
}

// deleteEvent removes an event to come and ends an active one, which stays with the shifts that it made. One that is over
// is not there to be deleted: the document knows no better status.
func deleteEvent(c *call) reply {
	p, bad := c.place()
	if bad != nil {
		return *bad
	}
	switch {
	case p.event.past(c.at):
		return notFound()
	case p.event.future(c.at) || p.event.Since.Equal(c.at):
		id := p.event.ID
		p.rotation.Events = slices.DeleteFunc(p.rotation.Events, func(e Event) bool { return e.ID == id })
	default:
		p.event.Until = c.at
	}
	c.changeShifts(c.author(), p.schedule)
	return noContent()
}

// checkOverlap refuses an event whose shifts meet those of another of the rotation within five weeks of when both run.
func (p place) checkOverlap(e Event) *reply {
	for _, x := range p.rotation.Events {
		from := later(x.Since, e.Since)
		over := span{from, from.Add(5 * week)}
		if x.ID == e.ID || !meet(x.shifts(over), e.shifts(over)) {
			continue
		}
		return new(invalidField("rotation.events", "Events within a rotation cannot overlap"))
	}
	return nil
}

func meet(xs, ys []shift) bool {
	return slices.ContainsFunc(xs, func(x shift) bool {
		return slices.ContainsFunc(ys, func(y shift) bool { return x.overlaps(y.span) })
	})
}

// changeShifts writes a shift-based schedule. One that is as it was is left alone.
func (a *Account) changeShifts(by author, is ShiftSchedule) {
	if reflect.DeepEqual(*a.shifts.get(is.ID), is) {
		return
	}
	a.rememberDuty(shiftKind, is.ID, a.shifts.get(is.ID))
	a.shifts.put(is.ID, is)
	a.record(by, AuditRecord{Root: Ref{ID: is.ID, Type: shiftReference, Summary: is.Name}, Action: "update"})
	a.bump()
}
