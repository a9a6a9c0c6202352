package pagerduty

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"
)

// An event makes shifts in a rotation of a shift-based schedule, from since up to until; zero until is for good.
type event struct {
	object
	id, rotation string
	since, until time.Time
	members      []object
}

// eventsOf returns every event of every rotation of a shift-based schedule.
func eventsOf(schedule object) ([]event, error) {
	rotations, err := schedule.list("rotations")
	if err != nil {
		return nil, err
	}
	var all []event
	for _, r := range rotations {
		events, err := r.list("events")
		if err != nil {
			return nil, err
		}
		for _, o := range events {
			e, err := readEvent(r.text("id"), o)
			if err != nil {
				return nil, fmt.Errorf("read event %s: %w", clean(o.text("id"), 40), err)
			}
			all = append(all, e)
		}
	}
	return all, nil
}

func readEvent(rotation string, o object) (event, error) {
	e := event{object: o, id: o.text("id"), rotation: rotation}
	var err error
	if e.since, err = time.Parse(time.RFC3339, o.text("effective_since")); err != nil {
		return e, fmt.Errorf("read when it begins: %w", err)
	}
	if o.has("effective_until") {
		if e.until, err = time.Parse(time.RFC3339, o.text("effective_until")); err != nil {
			return e, fmt.Errorf("read when it ends: %w", err)
		}
	}
	strategy, err := o.child("assignment_strategy")
	if err != nil {
		return e, err
	}
	e.members, err = strategy.list("members")
	return e, err
}

func (e event) heldBy(user string) bool { return memberSpot().holds(e.members, user) }

func (e event) endsBy(t time.Time) bool { return !e.until.IsZero() && !e.until.After(t) }

// handed returns the members of the event with a user's seat another's. Where all are on call together nobody is twice.
func (e event) handed(from, to string) []object {
	strategy, err := e.child("assignment_strategy")
	if err == nil && strategy.text("type") == "every_member_assignment_strategy" {
		return memberSpot().once(e.members, from, to)
	}
	return memberSpot().turns(e.members, from, to)
}

// sent returns the event as it is sent with other members and another time. The rest is as it was, so that everybody
// keeps the turns that they have.
func (e event) sent(members []object, since, until time.Time) object {
	strategy, err := e.child("assignment_strategy")
	if err != nil {
		strategy = object{} // readEvent has read it
	}
	return e.without("id", "type", "self", "html_url").with("assignment_strategy", strategy.with("members", members)).
		with("effective_since", e.moment("effective_since", e.since, since)).with("effective_until", e.moment("effective_until", e.until, until))
}

// moment says a time as PagerDuty has said it, if it is the same.
func (e event) moment(key string, was, is time.Time) any {
	switch {
	case is.IsZero():
		return nil
	case is.Equal(was):
		return e.fields[key]
	default:
		return is.UTC().Format(time.RFC3339)
	}
}

// alike reports whether two events make shifts at the same times, whoever has them.
func (e event) alike(o event) bool {
	return e.rotation == o.rotation && slices.EqualFunc([]string{"start_time", "end_time", "recurrence"}, []string{"start_time", "end_time", "recurrence"},
		func(k, _ string) bool { return bytes.Equal(plain(e.fields[k]), plain(o.fields[k])) })
}

func sameMembers(a, b []object) bool {
	return slices.EqualFunc(a, b, func(x, y object) bool {
		return x.text("type") == y.text("type") && memberSpot().user(x) == memberSpot().user(y)
	})
}

// A turnover is what becomes of one event when a seat in it changes hands. PagerDuty lets nobody change the members of an
// event that has begun, and no two events of a rotation overlap. So one that has begun is given an end a while ahead, and
// one that follows from that moment is made meanwhile: at no moment has the seat nobody.
type turnover struct {
	was     event     // as it was before anything was done
	last    event     // the one that holds the seat now, or did last
	prior   event     // the one before it, of stepDrop
	members []object  // who should be in it
	since   time.Time // when those are to begin
	until   time.Time // and to end
	step    turnStep
}

type turnStep string

const (
	stepRewrite turnStep = "rewrite" // the last one has not begun: its members are replaced
	stepEnd     turnStep = "end"     // it has begun: it gets an end, and then another follows
	stepFollow  turnStep = "follow"  // it has its end, and nothing follows yet
	stepDrop    turnStep = "drop"    // it was made by a turnover and has not begun: it goes, and the one before it goes on
	stepExtend  turnStep = "extend"  // it was given an end that it has not reached: it goes on
)

// errSoon is an event that begins at any moment: what may be written to it changes with that.
var errSoon = errors.New("an event of the schedule begins in a moment: it must be looked at after that")

const soon = 20 * time.Second

// begun reports whether half of it is made.
func (t turnover) begun() bool { return t.step == stepFollow || t.step == stepExtend }

// A swap is a seat that changes hands: in all events that hold it, was is how they were before anything was done, and
// back says that a swap is taken back.
type swap struct {
	from, to string
	back     bool
	at, cut  time.Time // now, and when what has begun is to end
}

// turnovers returns what is left to do. Without any, every event has the members that it should have.
func (s swap) turnovers(was, is []event) ([]turnover, error) {
	var left []turnover
	for _, e := range was {
		if !e.heldBy(s.from) || e.endsBy(s.at) {
			continue
		}
		t, needed, err := s.turnover(e, was, is)
		if err != nil {
			return nil, err
		}
		if needed {
			left = append(left, t)
		}
	}
	return left, nil
}

// turnover looks at the event and at those that were made after it in its place.
func (s swap) turnover(e event, was, is []event) (turnover, bool, error) {
	handed := e.handed(s.from, s.to)
	t := turnover{was: e, members: handed, since: s.cut, until: e.until}
	if s.back {
		t.members = e.members
	}
	chain := chainOf(e, handed, was, is)
	if len(chain) == 0 {
		return t, false, errMovedOn
	}
	t.last = chain[len(chain)-1]
	right, cut := sameMembers(t.last.members, t.members), t.last.endsBy(s.cut) && !t.last.until.Equal(e.until)
	switch {
	case right && !cut:
		return t, false, nil
	case right && s.at.Before(t.last.until):
		t.step = stepExtend
	case right || cut:
		t.step, t.since = stepFollow, later(s.at, t.last.until)
	case t.last.endsBy(s.cut):
		return t, false, nil // it is over by itself before anything could follow
	case s.at.Before(t.last.since):
		if t.last.since.Sub(s.at) < soon {
			return t, false, errSoon
		}
		t.step = stepRewrite
		if len(chain) > 1 && sameMembers(chain[len(chain)-2].members, t.members) {
			t.step, t.prior = stepDrop, chain[len(chain)-2]
		}
	default:
		t.step, t.until = stepEnd, t.last.until
	}
	return t, true, nil
}

// chainOf returns the event as it is now, and after it those that were made in its place, as they begin.
func chainOf(e event, handed []object, was, is []event) []event {
	var chain []event
	for _, x := range is {
		own := x.id == e.id
		made := !slices.ContainsFunc(was, func(w event) bool { return w.id == x.id })
		if (own || made && x.alike(e)) && (sameMembers(x.members, e.members) || sameMembers(x.members, handed)) {
			chain = append(chain, x)
		}
	}
	slices.SortStableFunc(chain, func(a, b event) int { return a.since.Compare(b.since) })
	return chain
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
