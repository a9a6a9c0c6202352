package pagerdutytest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"time"
)

const (
	week      = 7 * 24 * time.Hour
	maxEvents = 5 // of a rotation
)

// AddSchedule adds a layer-based schedule. Of its layers the last wins. Turns are a week when not given, and begin at the
// last full hour of yesterday.
func (a *Account) AddSchedule(s Schedule) Schedule {
	a.mu.Lock()
	defer a.mu.Unlock()
	s = s.clone()
	s.ID, s.TimeZone = a.idFor(s.ID), cmp.Or(s.TimeZone, accountZone)
	a.mustZone(s.Name, s.TimeZone)
	for i, l := range s.Layers {
		l.ID, l.Name = a.idFor(l.ID), cmp.Or(l.Name, fmt.Sprintf("Layer %d", i+1))
		l.Turn = cmp.Or(l.Turn, week)
		if l.Start.IsZero() {
			l.Start = a.yesterday()
		}
		if l.VirtualStart.IsZero() {
			l.VirtualStart = l.Start
		}
		a.mustSeat(s.Name, l.UserIDs...)
		s.Layers[i] = l
	}
	for i, o := range s.Overrides {
		o.ID = a.idFor(o.ID)
		a.mustSeat(s.Name, o.UserID)
		a.must(o.Start.Before(o.End), "add schedule %q: an override must end after its start", s.Name)
		s.Overrides[i] = o
	}
	a.schedules.put(s.ID, s)
	a.settle()
	return s.clone()
}

// AddShiftSchedule adds a shift-based schedule. An event that says nothing else is weekly from the last full hour of
// yesterday, one shift for each member in turn.
func (a *Account) AddShiftSchedule(s ShiftSchedule) ShiftSchedule {
	a.mu.Lock()
	defer a.mu.Unlock()
	s = s.clone()
	s.ID, s.TimeZone = a.idFor(s.ID), cmp.Or(s.TimeZone, accountZone)
	a.mustZone(s.Name, s.TimeZone)
	a.addRotations(&s)
	for i, x := range s.CustomShifts {
		x.ID, x.AssignmentID = cmp.Or(x.ID, rand.Text()), cmp.Or(x.AssignmentID, rand.Text())
		a.mustSeat(s.Name, x.UserID)
		s.CustomShifts[i] = x
	}
	for i, o := range s.Overrides {
		o.ID = cmp.Or(o.ID, rand.Text())
		a.mustSeat(s.Name, o.Overriding)
		s.Overrides[i] = o
	}
	a.shifts.put(s.ID, s)
	a.settle()
	return s.clone()
}

func (a *Account) addRotations(s *ShiftSchedule) {
	for i, r := range s.Rotations {
		r.ID = cmp.Or(r.ID, rand.Text())
		a.must(len(r.Events) <= maxEvents, "add schedule %q: a rotation has at most %d events", s.Name, maxEvents)
		for j, e := range r.Events {
			r.Events[j] = finishEvent(a.yesterday(), s.TimeZone, e)
			_, err := parseRecurrence(r.Events[j].Recurrence)
			a.must(err == nil, "add schedule %q: event %q: %v", s.Name, r.Events[j].Name, err)
			a.must(len(e.Members) > 0, "add schedule %q: event %q has no members", s.Name, r.Events[j].Name)
			a.mustSeat(s.Name, e.Members...)
		}
		s.Rotations[i] = r
	}
}

// finishEvent says what an event leaves open.
func finishEvent(begin time.Time, zone string, e Event) Event {
	e.ID, e.Name = cmp.Or(e.ID, rand.Text()), cmp.Or(e.Name, "Weekly")
	e.TimeZone, e.ShiftsPerMember = cmp.Or(e.TimeZone, zone), cmp.Or(e.ShiftsPerMember, 1)
	if e.Start.IsZero() {
		e.Start = begin
	}
	if e.End.IsZero() {
		e.End = e.Start.Add(week)
	}
	if e.Since.IsZero() {
		e.Since = e.Start
	}
	if len(e.Recurrence) == 0 {
		e.Recurrence = []string{"RRULE:FREQ=WEEKLY"}
	}
	return e
}

func (a *Account) yesterday() time.Time { return a.now().Add(-24 * time.Hour).Truncate(time.Hour) }

func (a *Account) mustZone(name, zone string) {
	_, err := time.LoadLocation(zone)
	a.must(err == nil, "add schedule %q: %v", name, err)
}

// mustSeat panics unless all of them may be on a schedule.
func (a *Account) mustSeat(name string, users ...string) {
	for _, u := range users {
		if u == EmptyMember {
			continue
		}
		a.must(a.live(u) != nil, "add schedule %q: no user %q", name, u)
		a.must(!isStakeholder(a.users[u].Role), "add schedule %q: %s", name, noStakeholders)
	}
}

// noStakeholders is how PagerDuty says it.
const noStakeholders = "Stakeholders cannot be added to schedules"

// AddEscalationPolicy adds a policy. Users whom it calls join its team, as in PagerDuty.
func (a *Account) AddEscalationPolicy(p EscalationPolicy) EscalationPolicy {
	a.mu.Lock()
	defer a.mu.Unlock()
	p = p.clone()
	p.ID, p.Handoff = a.idFor(p.ID), cmp.Or(p.Handoff, handoffIfServices)
	a.must(len(p.Rules) > 0, "add policy %q: it has no rules", p.Name)
	a.must(len(p.TeamIDs) <= 1, "add policy %q: it may have one team", p.Name)
	for i, r := range p.Rules {
		r.ID, r.DelayMinutes = a.idFor(r.ID), cmp.Or(r.DelayMinutes, 30)
		r.Strategy = cmp.Or(r.Strategy, toEveryone)
		bad := a.checkRule(r, EscalationPolicy{})
		a.must(bad == nil, "add policy %q: rule %d: %v", p.Name, i+1, bad)
		p.Rules[i] = r
	}
	a.policies.put(p.ID, p)
	for _, team := range p.TeamIDs {
		a.must(a.teams.has(team), "add policy %q: no team %q", p.Name, team)
		for _, r := range p.Rules {
			for _, t := range r.Targets {
				if u := a.live(t.ID); u != nil && a.rosters[team].roles[u.ID] == "" {
					a.seat(team, u.ID, defaultTeamRole(u.Role))
				}
			}
		}
	}
	a.settle()
	return p.clone()
}

// ShiftSchedules returns the shift-based schedules in the order they were made or upgraded.
func (a *Account) ShiftSchedules() []ShiftSchedule {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.shifts.all(), ShiftSchedule.clone)
}

// A Shift is one user on call from From up to, and without, To.
type Shift struct {
	UserID   string
	From, To time.Time
}

// Shifts returns who is on call in a schedule of either kind, cut at since and until, in order of time. Deleted users whose
// seats nobody filled are named too; where nobody is meant there is no shift.
func (a *Account) Shifts(schedule string, since, until time.Time) []Shift {
	a.mu.Lock()
	defer a.mu.Unlock()
	over := span{since.UTC(), until.UTC()}
	var all []shift
	if s := a.schedules.get(schedule); s != nil {
		all = s.render(over)
	} else if s := a.shifts.get(schedule); s != nil {
		all = s.render(over)
	}
	out := make([]Shift, 0, len(all))
	for _, s := range all {
		out = append(out, Shift{UserID: s.user, From: s.from.UTC(), To: s.to.UTC()})
	}
	return out
}
