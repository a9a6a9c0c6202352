package pagerdutytest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"
)

// UpgradeSchedule turns a layer-based schedule into a shift-based one, which keeps its id and is then found in the other
// API only: each layer becomes a rotation with the same people at the same times. Policies go on calling it. It panics when
// there is no such schedule, or when a layer's restrictions and turns cannot be said in shifts.
func (a *Account) UpgradeSchedule(id string) ShiftSchedule {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.schedules.get(id)
	a.must(was != nil, "upgrade schedule %q: no such layer-based schedule", id)
	is := ShiftSchedule{ID: id, Name: was.Name, Description: was.Description, TimeZone: was.TimeZone, TeamIDs: slices.Clone(was.TeamIDs)}
	for _, l := range was.Layers {
		is.Rotations = append(is.Rotations, Rotation{ID: rand.Text(), Events: a.eventsOf(*was, l)})
	}
	for _, o := range was.Overrides {
		is.take(o)
	}
	a.schedules.drop(id)
	a.shifts.put(id, is)
	for _, p := range a.policies.all() {
		for i := range p.Rules {
			for j, t := range p.Rules[i].Targets {
				if t.ID == id {
					p.Rules[i].Targets[j].Type = shiftReference
				}
			}
		}
	}
	a.settle()
	return is.clone()
}

// eventsOf says a layer as events: one, or one for each time of day that its restrictions have.
func (a *Account) eventsOf(s Schedule, l Layer) []Event {
	whole := Event{
		ID: rand.Text(), Name: l.Name, Start: l.VirtualStart, End: l.VirtualStart.Add(l.Turn), TimeZone: s.TimeZone,
		Since: later(l.Start, l.VirtualStart), Until: l.End, ShiftsPerMember: 1, Members: slices.Clone(l.UserIDs),
	}
	if len(l.Restrictions) == 0 {
		a.must(l.Turn%time.Hour == 0, "upgrade schedule %q: layer %q cannot be said in shifts", s.ID, l.Name)
		whole.Recurrence = []string{everyTurn(l.Turn)}
		return []Event{whole}
	}
	byClock := map[Restriction][]int{}
	var clocks []Restriction
	for _, r := range l.Restrictions {
		clock := Restriction{From: r.From, Length: r.Length}
		if byClock[clock] == nil {
			clocks = append(clocks, clock)
		}
		byClock[clock] = append(byClock[clock], r.Weekday)
	}
	var out []Event
	for _, clock := range clocks {
		e := whole
		e.ID, e.Members = rand.Text(), slices.Clone(l.UserIDs)
		a.restrict(&e, s, l, clock, byClock[clock])
		out = append(out, e)
	}
	return out
}

func everyTurn(turn time.Duration) string {
	for _, unit := range []struct {
		freq string
		long time.Duration
	}{{"WEEKLY", week}, {"DAILY", 24 * time.Hour}} {
		if turn%unit.long == 0 {
			return fmt.Sprintf("RRULE:FREQ=%s;INTERVAL=%d", unit.freq, turn/unit.long)
		}
	}
	return fmt.Sprintf("RRULE:FREQ=HOURLY;INTERVAL=%d", turn/time.Hour)
}

// restrict makes shifts of one time of day out of an event of whole turns. Turns must begin where no shift is cut.
func (a *Account) restrict(e *Event, s Schedule, l Layer, clock Restriction, days []int) {
	first := firstWindow(l, clock, days, s.zone())
	e.Start, e.End = first.from, first.to
	unit, each := 24*time.Hour, 1
	e.Recurrence = []string{"RRULE:FREQ=DAILY"}
	if !slices.Contains(days, 0) {
		unit, each = week, len(days)
		e.Recurrence = []string{"RRULE:FREQ=WEEKLY;BYDAY=" + codes(days)}
	}
	e.ShiftsPerMember = int(l.Turn/unit) * each
	cut := slices.ContainsFunc(clock.on(days).windowsOf(l.VirtualStart, s.zone()), func(w span) bool {
		return w.from.Before(l.VirtualStart) && l.VirtualStart.Before(w.to)
	})
	a.must(l.Turn%unit == 0 && !cut, "upgrade schedule %q: layer %q cannot be said in shifts", s.ID, l.Name)
}

func codes(days []int) string {
	var out []string
	for _, d := range days {
		out = append(out, []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}[d-1])
	}
	return strings.Join(out, ",")
}

// restrictions are one time of day on several days.
type restrictions []Restriction

func (r Restriction) on(days []int) restrictions {
	var out restrictions
	for _, d := range days {
		out = append(out, Restriction{Weekday: d, From: r.From, Length: r.Length})
	}
	return out
}

func (rs restrictions) windowsOf(at time.Time, zone *time.Location) []span {
	var out []span
	for _, r := range rs {
		out = append(out, r.windows(span{at, at.Add(week)}, zone)...)
	}
	slices.SortFunc(out, func(x, y span) int { return x.from.Compare(y.from) })
	return out
}

func firstWindow(l Layer, clock Restriction, days []int, zone *time.Location) span {
	all := clock.on(days).windowsOf(l.VirtualStart, zone)
	i := slices.IndexFunc(all, func(w span) bool { return !w.from.Before(l.VirtualStart) })
	return all[i]
}

// take keeps what an override of layers meant: it takes over whoever has a shift then, or is a custom shift where nobody has.
func (s *ShiftSchedule) take(o Override) {
	taken := false
	for _, x := range s.compute(span{o.Start, o.End}) {
		if x.source != fromRotation {
			continue
		}
		taken = true
		s.Overrides = append(s.Overrides, ShiftOverride{
			ID: rand.Text(), RotationID: x.rotation, Overridden: x.base, Overriding: o.UserID, Start: x.from, End: x.to,
		})
	}
	if !taken {
		s.CustomShifts = append(s.CustomShifts, CustomShift{
			ID: rand.Text(), AssignmentID: rand.Text(), UserID: o.UserID, Start: o.Start, End: o.End,
		})
	}
}
