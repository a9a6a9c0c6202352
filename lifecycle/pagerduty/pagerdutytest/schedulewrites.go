package pagerdutytest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A schedulePatch is what a body says about a layer-based schedule. Type and time_zone are required; read-only fields, such
// as users and teams, are ignored.
type schedulePatch struct {
	Type        *string         `json:"type"`
	TimeZone    *string         `json:"time_zone"`
	Name        *string         `json:"name"`
	Description json.RawMessage `json:"description"`
	Layers      *[]layerPatch   `json:"schedule_layers"`
}

// A layerPatch is one layer as PUT takes it.
type layerPatch struct {
	ID           string             `json:"id"`
	Name         *string            `json:"name"`
	Start        *string            `json:"start"`
	End          *string            `json:"end"`
	VirtualStart *string            `json:"rotation_virtual_start"`
	Turn         *int               `json:"rotation_turn_length_seconds"`
	Users        []seatPatch        `json:"users"`
	Restrictions []restrictionPatch `json:"restrictions"`
}

type seatPatch struct {
	User struct {
		ID string `json:"id"`
	} `json:"user"`
}

type restrictionPatch struct {
	Type     string `json:"type"`
	Duration int    `json:"duration_seconds"`
	Start    string `json:"start_time_of_day"`
	Day      int    `json:"start_day_of_week"`
}

func schedulePatchOf(c *call) (schedulePatch, *reply) {
	var body struct {
		Schedule *schedulePatch `json:"schedule"`
	}
	if bad := c.decode(&body); bad != nil {
		return schedulePatch{}, bad
	}
	if body.Schedule == nil {
		return schedulePatch{}, new(invalid("The schedule object is missing"))
	}
	return *body.Schedule, nil
}

func updateSchedule(c *call) reply {
	was := c.schedules.get(c.r.PathValue("id"))
	if was == nil {
		return notFound()
	}
	p, bad := schedulePatchOf(c)
	if bad != nil {
		return *bad
	}
	is, bad := c.patchSchedule(was.clone(), p)
	if bad != nil {
		return *bad
	}
	c.changeSchedule(c.author(), is)
	sh, bad := c.sheet(is.TimeZone)
	if bad != nil {
		return *bad
	}
	return ok(obj{"schedule": c.drawWhole(&is, sh)})
}

// previewSchedule answers with what a schedule would look like, and keeps nothing.
func previewSchedule(c *call) reply {
	p, bad := schedulePatchOf(c)
	if bad != nil {
		return *bad
	}
	is, bad := c.patchSchedule(Schedule{}, p)
	if bad != nil {
		return *bad
	}
	sh, bad := c.sheet(is.TimeZone)
	if bad != nil {
		return *bad
	}
	o := c.drawWhole(&is, sh)
	for _, key := range []string{"id", "self", "html_url"} {
		delete(o, key) // there is no such schedule
	}
	return ok(obj{"schedule": o})
}

// patchSchedule returns the schedule with the named fields written, or the refusal.
func (c *call) patchSchedule(s Schedule, by schedulePatch) (Schedule, *reply) {
	if problems := by.problems(); len(problems) > 0 {
		return s, new(invalid(problems...))
	}
	s.TimeZone = *by.TimeZone
	assign(&s.Name, by.Name)
	if by.Description != nil {
		s.Description = textOf(by.Description)
	}
	if by.Layers == nil {
		return s, nil
	}
	layers, bad := c.patchLayers(s, *by.Layers)
	s.Layers = layers
	return s, bad
}

func (p schedulePatch) problems() []string {
	var out []string
	if p.Type == nil || *p.Type != "schedule" {
		out = append(out, "Type must be schedule")
	}
	if p.Name != nil && strings.TrimSpace(*p.Name) == "" {
		out = append(out, "Name can't be blank")
	}
	if p.TimeZone == nil {
		return append(out, "Time zone can't be blank")
	}
	if _, err := time.LoadLocation(*p.TimeZone); err != nil {
		out = append(out, "Time zone is invalid")
	}
	return out
}

// patchLayers replaces the layers by those of the body, of which the last wins: the opposite of the order that GET gives. A
// layer cannot be removed, only ended; one that has ended may be left out, and stays.
func (c *call) patchLayers(s Schedule, by []layerPatch) ([]Layer, *reply) {
	var out []Layer
	for _, l := range s.Layers {
		if slices.ContainsFunc(by, func(b layerPatch) bool { return b.ID == l.ID }) {
			continue
		}
		if !l.ended(c.at) {
			return s.Layers, new(invalid(fmt.Sprintf("Schedule layer %s cannot be removed, only ended", l.ID)))
		}
		out = append(out, l)
	}
	for _, b := range by {
		l, bad := c.patchLayer(s, b)
		if bad != nil {
			return s.Layers, bad
		}
		if l.ID != "" && slices.ContainsFunc(out, func(x Layer) bool { return x.ID == l.ID }) {
			return s.Layers, new(invalid("Schedule layer " + l.ID + " is given twice"))
		}
		out = append(out, l)
	}
	return out, nil
}

// patchLayer reads one layer. A new one gets its id here, unless it is only looked at.
func (c *call) patchLayer(s Schedule, b layerPatch) (Layer, *reply) {
	l := Layer{ID: b.ID, Name: "Layer"}
	i := slices.IndexFunc(s.Layers, func(l Layer) bool { return l.ID == b.ID })
	switch {
	case b.ID != "" && i >= 0:
		l.Name = s.Layers[i].Name
	case b.ID != "" && s.ID != "":
		return l, new(invalid("Schedule layer " + b.ID + " does not exist"))
	case s.ID != "":
		l.ID = c.newID()
	}
	assign(&l.Name, b.Name)
	if bad := c.layerTimes(&l, b); bad != nil {
		return l, bad
	}
	if bad := c.layerUsers(&l, b); bad != nil {
		return l, bad
	}
	for _, r := range b.Restrictions {
		read, bad := r.read()
		if bad != nil {
			return l, bad
		}
		l.Restrictions = append(l.Restrictions, read)
	}
	return l, nil
}

func (c *call) layerTimes(l *Layer, b layerPatch) *reply {
	if b.Start == nil || b.VirtualStart == nil || b.Turn == nil || *b.Turn <= 0 {
		return new(invalid("Schedule layer start, rotation virtual start and rotation turn length seconds can't be blank"))
	}
	l.Turn = time.Duration(*b.Turn) * time.Second
	for _, x := range []struct {
		text *string
		at   *time.Time
	}{{b.Start, &l.Start}, {b.VirtualStart, &l.VirtualStart}, {b.End, &l.End}} {
		if x.text == nil {
			continue
		}
		t, err := time.Parse(time.RFC3339, *x.text)
		if err != nil {
			return new(invalid(fmt.Sprintf("Schedule layer time %q is invalid", *x.text)))
		}
		*x.at = t.UTC()
	}
	if !strings.HasSuffix(*b.VirtualStart, "Z") && !strings.HasSuffix(*b.VirtualStart, "+00:00") {
		c.violate("rotation_virtual_start %s is not in UTC: it drifts", *b.VirtualStart)
	}
	if !l.End.IsZero() && !l.Start.Before(l.End) {
		return new(invalid("Schedule layer must end after its start"))
	}
	return nil
}

func (c *call) layerUsers(l *Layer, b layerPatch) *reply {
	if len(b.Users) == 0 {
		return new(invalid("Schedule layer users can't be blank"))
	}
	for _, u := range b.Users {
		if bad := c.seatable(u.User.ID); bad != "" {
			return new(invalid(bad))
		}
		l.UserIDs = append(l.UserIDs, u.User.ID)
	}
	return nil
}

// seatable says why a user cannot be put on a schedule, or nothing. A placeholder of who was deleted cannot be sent back.
func (a *Account) seatable(id string) string {
	u := a.live(id)
	switch {
	case u == nil:
		return "User " + id + " does not exist"
	case isStakeholder(u.Role):
		return noStakeholders
	default:
		return ""
	}
}

func (r restrictionPatch) read() (Restriction, *reply) {
	at, err := time.Parse(time.TimeOnly, r.Start)
	longest := 24 * time.Hour
	out := Restriction{From: time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second}
	out.Length = time.Duration(r.Duration) * time.Second
	if r.Type == "weekly_restriction" {
		out.Weekday, longest = r.Day, week
	}
	switch {
	case err != nil:
		return out, new(invalid("Restriction start time of day must be in HH:mm:ss format"))
	case r.Type != "daily_restriction" && r.Type != "weekly_restriction":
		return out, new(invalid("Restriction type is not included in the list"))
	case r.Type == "weekly_restriction" && (r.Day < 1 || r.Day > 7):
		return out, new(invalid("Restriction start day of week must be between 1 and 7"))
	case out.Length <= 0 || out.Length > longest:
		return out, new(invalid("Restriction duration seconds is out of range"))
	}
	return out, nil
}

// changeSchedule writes a layer-based schedule. One that is as it was is left alone.
func (a *Account) changeSchedule(by author, is Schedule) {
	if reflect.DeepEqual(*a.schedules.get(is.ID), is) {
		return
	}
	a.rememberDuty(layerKind, is.ID, a.schedules.get(is.ID))
	a.schedules.put(is.ID, is)
	a.record(by, AuditRecord{Root: Ref{ID: is.ID, Type: scheduleReference, Summary: is.Name}, Action: "update"})
	a.bump()
}
