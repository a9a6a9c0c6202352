package pagerduty

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A rotation of events as PagerDuty keeps it: what a turnover writes is written to it.
type rotation struct {
	t      *testing.T
	events []event
	made   int
}

func (x *rotation) add(o object, since, until time.Time) {
	x.made++
	o = o.with("id", fmt.Sprintf("E%d", x.made)).with("effective_since", since.Format(time.RFC3339)).with("effective_until", nil)
	if !until.IsZero() {
		o = o.with("effective_until", until.Format(time.RFC3339))
	}
	e, err := readEvent("ROTATION", o)
	if err != nil {
		x.t.Fatal(err)
	}
	x.events = append(x.events, e)
}

func (x *rotation) end(id string, until time.Time) {
	i := slices.IndexFunc(x.events, func(e event) bool { return e.id == id })
	e := x.events[i]
	e.until = until
	e.object = e.with("effective_until", nil)
	if !until.IsZero() {
		e.object = e.with("effective_until", until.Format(time.RFC3339))
	}
	x.events[i] = e
}

// write makes the next write of a turnover. Of an ending the follower comes at the next look, as after a crash.
func (x *rotation) write(u turnover, at time.Time) {
	x.t.Helper()
	switch u.step {
	case stepEnd:
		x.end(u.last.id, u.since)
	case stepFollow:
		x.add(u.was.sent(u.members, u.since, u.until), later(u.since, at), u.until)
	case stepRewrite:
		i := slices.IndexFunc(x.events, func(e event) bool { return e.id == u.last.id })
		is, err := readEvent("ROTATION", u.last.sent(u.members, u.last.since, u.last.until).with("id", u.last.id))
		if err != nil {
			x.t.Fatal(err)
		}
		x.events[i] = is
	case stepDrop:
		x.events = slices.DeleteFunc(x.events, func(e event) bool { return e.id == u.last.id })
	case stepExtend:
		x.end(u.last.id, u.was.until)
	default:
		x.t.Fatalf("unknown step %q", u.step)
	}
}

// seats returns who has the seats at a moment; nil when no event runs, and an error when two do.
func (x *rotation) seats(at time.Time) []string {
	var all []string
	for _, e := range x.events {
		if at.Before(e.since) || e.endsBy(at) {
			continue
		}
		if all != nil {
			x.t.Fatalf("two events run at %s", at)
		}
		for _, m := range e.members {
			all = append(all, memberSpot().user(m))
		}
	}
	return all
}

func anyRotation(t *testing.T, r *rand.Rand) *rotation {
	t.Helper()
	x := &rotation{t: t}
	since := tick.Add(-time.Duration(r.IntN(500)) * time.Hour)
	for i := range 1 + r.IntN(3) {
		var members []string
		for _, u := range people(r, 1+r.IntN(4)) {
			members = append(members, fmt.Sprintf(`{"type":"user_member","user_id":%q}`, u))
		}
		members = append(members, `{"type":"empty_member"}`)
		until := since.Add(time.Hour + time.Duration(r.IntN(1000))*time.Hour)
		start := since.Format(time.RFC3339)
		x.add(parsed(t, fmt.Sprintf(`{"name":"N","start_time":{"date_time":%q},"end_time":{"date_time":%q},"recurrence":["RRULE:FREQ=WEEKLY","%d"],"assignment_strategy":{"type":"rotating_member_assignment_strategy","shifts_per_member":1,"members":[%s]}}`, start, start, i, strings.Join(members, ","))), since, until)
		since = until
	}
	return x
}

// carry looks and writes one thing at a time, with a while in between, until nothing is left.
func (x *rotation) carry(r *rand.Rand, s swap, was []event) time.Time {
	x.t.Helper()
	for range 40 {
		left, err := s.turnovers(was, x.events)
		if err != nil {
			x.t.Fatal(err)
		}
		if len(left) == 0 {
			return s.at
		}
		before := x.running(s.at)
		x.write(left[0], s.at)
		if now := x.running(s.at); !now && before {
			x.t.Errorf("the rotation has nobody at %s", s.at)
		}
		s.at = s.at.Add(time.Duration(r.IntN(30)) * time.Second)
		s.cut = s.at.Add(lead)
	}
	x.t.Error("there is no end to it")
	return s.at
}

func (x *rotation) running(at time.Time) bool { return x.seats(at) != nil }

// Whatever the events, and wherever a process dies in between: the seat is never empty, never two events run, everybody
// keeps their turns, and back again, at once or later, everybody has what they had.
func TestTurnoversAnyRotation(t *testing.T) {
	t.Parallel()
	byChance(t, func(t *testing.T, r *rand.Rand) {
		x := anyRotation(t, r)
		was := slices.Clone(x.events)
		origin := &rotation{t: t, events: was}
		s := swap{from: "PLEAVER", to: "PNEW", at: tick, cut: tick.Add(lead)}
		now := x.carry(r, s, was)
		x.same(origin, now.Add(lead), "PNEW")
		s.back, s.at = true, now.Add(time.Duration(r.IntN(3))*time.Hour)
		s.cut = s.at.Add(lead)
		now = x.carry(r, s, was)
		x.same(origin, now.Add(lead), "PLEAVER")
	})
}

// same holds the seats from a moment on to what they were, with the seat in question somebody's.
func (x *rotation) same(origin *rotation, from time.Time, user string) {
	x.t.Helper()
	moments := []time.Time{from} // and those in which who has the seats may change
	for _, e := range slices.Concat(origin.events, x.events) {
		for _, t := range []time.Time{e.since, e.until} {
			moments = append(moments, t.Add(-time.Second), t)
		}
	}
	for _, at := range moments {
		if at.Before(from) {
			continue
		}
		want := slices.Clone(origin.seats(at))
		for i := range want {
			if want[i] == "PLEAVER" {
				want[i] = user
			}
		}
		if got := x.seats(at); !slices.Equal(got, want) {
			x.t.Errorf("at %s the seats are %v, want %v", at, got, want)
			return
		}
	}
}
