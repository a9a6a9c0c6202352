package pagerdutytest

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

const maxMembers = 20

// An eventPatch is an event as a body has it.
type eventPatch struct {
	Name       *string        `json:"name"`
	Start      *zonedPatch    `json:"start_time"`
	End        *zonedPatch    `json:"end_time"`
	Since      *string        `json:"effective_since"`
	Until      *string        `json:"effective_until"`
	Recurrence *[]string      `json:"recurrence"`
	Strategy   *strategyPatch `json:"assignment_strategy"`
}

type zonedPatch struct {
	At   *string `json:"date_time"`
	Zone *string `json:"time_zone"`
}

type strategyPatch struct {
	Type            string        `json:"type"`
	ShiftsPerMember *int          `json:"shifts_per_member"`
	Members         []memberPatch `json:"members"`
}

type memberPatch struct {
	Type string `json:"type"`
	User string `json:"user_id"`
}

func eventPatchOf(c *call) (eventPatch, *reply) {
	var body struct {
		Event *eventPatch `json:"event"`
	}
	if bad := c.decode(&body); bad != nil {
		return eventPatch{}, new(invalidField("event", bad.refusal))
	}
	if body.Event == nil {
		return eventPatch{}, new(invalidField("event", "must not be null"))
	}
	return *body.Event, nil
}

// writeEvent writes a whole event.
func (c *call) writeEvent(e *Event, by eventPatch) *reply {
	if missing := by.missing(); missing != "" {
		return new(invalidField("event."+missing, "must not be null"))
	}
	if e.Name = *by.Name; utf8.RuneCountInString(e.Name) > 255 {
		return new(invalidField("event.name", "size must be between 0 and 255"))
	}
	if bad := by.times(e); bad != nil {
		return bad
	}
	if bad := c.eventPeriod(e, by); bad != nil {
		return bad
	}
	e.Recurrence = slices.Clone(*by.Recurrence)
	if _, err := parseRecurrence(e.Recurrence); err != nil {
		return new(invalidField("event.recurrence", err.Error()))
	}
	return c.writeStrategy(e, *by.Strategy)
}

func (p eventPatch) missing() string {
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"name", p.Name == nil},
		{"start_time", p.Start == nil},
		{"end_time", p.End == nil},
		{"effective_since", p.Since == nil},
		{"recurrence", p.Recurrence == nil},
		{"assignment_strategy", p.Strategy == nil},
	} {
		if f.is {
			return f.name
		}
	}
	return ""
}

func (p eventPatch) times(e *Event) *reply {
	var bad *reply
	if e.Start, bad = parseTime("event.start_time.date_time", p.Start.At); bad != nil {
		return bad
	}
	if e.End, bad = parseTime("event.end_time.date_time", p.End.At); bad != nil {
		return bad
	}
	if p.Start.Zone == nil || p.End.Zone == nil {
		return new(invalidField("event.start_time.time_zone", "must not be null"))
	}
	if _, err := time.LoadLocation(*p.Start.Zone); err != nil || *p.Start.Zone != *p.End.Zone {
		return new(invalidField("event.start_time.time_zone", "must be a time zone, and that of end_time"))
	}
	e.TimeZone = *p.Start.Zone
	if !e.Start.Before(e.End) {
		return new(invalidField("event.end_time", "must be after start_time"))
	}
	return nil
}

// eventPeriod reads from when to when the event makes shifts. A beginning in the past becomes now.
func (c *call) eventPeriod(e *Event, by eventPatch) *reply {
	var bad *reply
	if e.Since, bad = parseTime("event.effective_since", by.Since); bad != nil {
		return bad
	}
	e.Since = later(e.Since, c.at)
	if e.Since.After(c.at.AddDate(1, 0, 0)) {
		return new(invalidField("event.effective_since", "Date cannot be more than 12 months in the future"))
	}
	e.Until = time.Time{}
	if by.Until == nil {
		return nil
	}
	if e.Until, bad = parseTime("event.effective_until", by.Until); bad != nil {
		return bad
	}
	if !e.Since.Before(e.Until) {
		return new(invalidField("event.effective_until", "must be after effective_since"))
	}
	return nil
}

func (c *call) writeStrategy(e *Event, by strategyPatch) *reply {
	const field = "event.assignment_strategy"
	e.EveryMember, e.ShiftsPerMember = by.Type == everyMember, 1
	switch {
	case by.Type != everyMember && by.Type != rotatingMembers:
		return new(invalidField(field+".type", "is not a known assignment strategy"))
	case by.Type == rotatingMembers && (by.ShiftsPerMember == nil || *by.ShiftsPerMember < 1):
		return new(invalidField(field+".shifts_per_member", "must be greater than or equal to 1"))
	case len(by.Members) < 1 || len(by.Members) > maxMembers:
		return new(invalidField(field+".members", fmt.Sprintf("size must be between 1 and %d", maxMembers)))
	}
	assign(&e.ShiftsPerMember, by.ShiftsPerMember)
	e.Members = nil
	for _, m := range by.Members {
		user, bad := c.member(field+".members", m)
		if bad != nil {
			return bad
		}
		e.Members = append(e.Members, user)
	}
	return nil
}

// member reads a member: a user who exists, or nobody.
func (c *call) member(field string, m memberPatch) (string, *reply) {
	switch m.Type {
	case emptyMember:
		return EmptyMember, nil
	case userMember:
		if why := c.seatable(m.User); why != "" {
			return "", new(invalidField(field, why))
		}
		return m.User, nil
	default:
		return "", new(invalidField(field+".type", "must be user_member or empty_member"))
	}
}

// endEvent writes when an active event ends. Whatever else is sent must be as it is.
func (c *call) endEvent(e *Event, by eventPatch) *reply {
	if field := by.differs(*e); field != "" {
		return new(invalidField("event."+field, "Only effective_until can be updated on an active event"))
	}
	if by.Until == nil {
		e.Until = time.Time{}
		return nil
	}
	until, bad := parseTime("event.effective_until", by.Until)
	if bad != nil {
		return bad
	}
	if until.Before(c.at) {
		return new(invalidField("event.effective_until", "must not be in the past"))
	}
	e.Until = until
	return nil
}

// differs names a field other than effective_until that is sent and is not as it was.
func (p eventPatch) differs(e Event) string {
	is := e.clone()
	if p.Start != nil && p.End != nil && p.times(&is) != nil {
		return "start_time"
	}
	since, bad := parseTime("", cmp.Or(p.Since, new(stamp(e.Since))))
	switch {
	case p.Name != nil && *p.Name != e.Name:
		return "name"
	case !is.Start.Equal(e.Start) || is.TimeZone != e.TimeZone:
		return "start_time"
	case !is.End.Equal(e.End):
		return "end_time"
	case bad != nil || !since.Equal(e.Since.Truncate(time.Second)):
		return "effective_since"
	case p.Recurrence != nil && !slices.Equal(*p.Recurrence, e.Recurrence):
		return "recurrence"
	case p.Strategy != nil && !p.Strategy.same(e):
		return "assignment_strategy"
	default:
		return ""
	}
}

func (p strategyPatch) same(e Event) bool {
	var members []string
	for _, m := range p.Members {
		members = append(members, m.User)
	}
	return (p.Type == everyMember) == e.EveryMember && slices.Equal(members, e.Members) &&
		(p.ShiftsPerMember == nil || *p.ShiftsPerMember == e.ShiftsPerMember)
}
