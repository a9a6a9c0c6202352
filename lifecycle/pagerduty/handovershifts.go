package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// lead is how far ahead a running event is ended, so that the one that follows is there before that: also after a crash
// in between, which is repeated within a minute or two.
const lead = 5 * time.Minute

// swap returns the seat that changes hands. The leaver is the one who had it first, also when it is given back.
func (h *handover) swap(back bool) swap {
	now := h.now().UTC()
	s := swap{from: h.Change.From, to: h.Change.To, back: back, at: now, cut: now.Add(h.cfg.Lead).Truncate(time.Second)}
	if back {
		s.from, s.to = s.to, s.from
	}
	return s
}

func (h *handover) handShifts(ctx context.Context, was, is schedule) (sight, error) {
	s := h.swap(false)
	before, now, err := eventsOfBoth(was, is)
	if err != nil {
		return sight{}, err
	}
	left, err := h.shiftWrites(ctx, s, was, before, now)
	switch {
	case errors.Is(err, errMovedOn):
		return sight{}, h.moved()
	case err != nil:
		return sight{}, err
	case len(left.left) > 0:
		left.body = is.body
		return left, nil
	case seatedAfter(now, s.from, s.cut):
		return sight{}, h.moved() // a seat that came since
	default:
		return h.settled(seatedAfter(now, s.to, s.at), nil)
	}
}

func (h *handover) returnShifts(ctx context.Context, was, is schedule) (sight, error) {
	s := h.swap(true)
	before, now, err := eventsOfBoth(was, is)
	if err != nil {
		return sight{}, err
	}
	left, err := h.shiftWrites(ctx, s, was, before, now)
	if errors.Is(err, errMovedOn) || s.foreign(before, now) {
		return sight{}, h.changed([]string{"events"})
	}
	left.body = is.body
	return left, err
}

func eventsOfBoth(was, is schedule) (before, now []event, err error) {
	if before, err = eventsOf(was.object); err != nil {
		return nil, nil, err
	}
	now, err = eventsOf(is.object)
	return before, now, err
}

// seatedAfter reports whether the user has a seat in an event that is not over by then.
func seatedAfter(events []event, user string, t time.Time) bool {
	return slices.ContainsFunc(events, func(e event) bool { return e.heldBy(user) && !e.endsBy(t) })
}

// foreign reports whether somebody else has changed the events since: one that was not ours to change is not as it was,
// or there is one that is none of ours.
func (s swap) foreign(was, is []event) bool {
	var ours []string
	for _, e := range was {
		for _, x := range chainOf(e, e.handed(s.from, s.to), was, is) {
			if e.heldBy(s.from) {
				ours = append(ours, x.id)
			}
		}
	}
	return altered(was, slices.DeleteFunc(slices.Clone(is), func(x event) bool { return x.endsBy(s.at) }), ours)
}

// altered reports whether an event is there that was not, or is not as it was, apart from some.
func altered(was, is []event, apart []string) bool {
	return slices.ContainsFunc(is, func(x event) bool {
		i := slices.IndexFunc(was, func(w event) bool { return w.id == x.id })
		return !slices.Contains(apart, x.id) && (i < 0 || len(differing(was[i].object, x.object)) > 0)
	})
}

// shiftWrites returns what is to be written, with what holds it to how it was. Once some of it was made there is no telling
// any more who was on call when before.
func (h *handover) shiftWrites(ctx context.Context, s swap, was schedule, before, now []event) (sight, error) {
	left, err := s.turnovers(before, now)
	if err != nil {
		return sight{}, err
	}
	resumed := !s.back && altered(before, now, nil) || slices.ContainsFunc(left, turnover.begun)
	drawn := &drawing{handover: h, done: resumed || h.back}
	is := sight{check: func(ctx context.Context) error { return h.checkShifts(ctx, was, drawn) }}
	for _, t := range left {
		is.left = append(is.left, h.writesOf(was, t, drawn)...)
	}
	covers, err := h.covers(ctx, s, before)
	for _, w := range covers {
		w.failed = func(ctx context.Context, no error) error { return h.takeBack(ctx, was, no) }
		is.left = append(is.left, w)
	}
	return is, err
}

// writesOf returns the calls that a turnover takes.
func (h *handover) writesOf(was schedule, t turnover, drawn *drawing) []write {
	one := func(name string, do func(context.Context) error) write {
		return write{name: name + " " + t.was.id, do: func(ctx context.Context) error {
			if err := drawn.before(ctx, t.since); err != nil {
				return err
			}
			return do(ctx)
		}, failed: func(ctx context.Context, no error) error { return h.takeBack(ctx, was, no) }}
	}
	end := func(e event, until time.Time) func(context.Context) error {
		return func(ctx context.Context) error {
			o := object{}.with("effective_until", t.was.moment("effective_until", t.was.until, until))
			return h.event(ctx, http.MethodPut, e.rotation, e.id, o)
		}
	}
	follow := one(string(stepFollow), func(ctx context.Context) error {
		return h.event(ctx, http.MethodPost, t.was.rotation, "", t.was.sent(t.members, t.since, t.until))
	})
	switch t.step {
	case stepEnd:
		return []write{one(string(stepEnd), end(t.last, t.since)), follow}
	case stepFollow:
		return []write{follow}
	case stepDrop:
		return []write{one(string(stepDrop), func(ctx context.Context) error {
			return h.event(ctx, http.MethodDelete, t.last.rotation, t.last.id, object{})
		}), one(string(stepExtend), end(t.prior, t.was.until))}
	case stepExtend:
		return []write{one(string(stepExtend), end(t.last, t.was.until))}
	case stepRewrite:
		return []write{one(string(stepRewrite), func(ctx context.Context) error {
			return h.event(ctx, http.MethodPut, t.last.rotation, t.last.id, t.last.sent(t.members, t.last.since, t.last.until))
		})}
	default:
		return nil
	}
}

// event makes one write to the events of a rotation.
func (h *handover) event(ctx context.Context, method, rotation, id string, o object) error {
	place := fmt.Sprintf("/v3/schedules/%s/rotations/%s/events", h.Change.Entitlement.Object.ID, rotation)
	if id != "" {
		place += "/" + id
	}
	if method == http.MethodDelete {
		return h.prompt.erase(ctx, place)
	}
	return h.prompt.send(ctx, method, place, "", object{}.with("event", o), nil)
}

// A drawing is who is on call by the schedule from a moment on, as it was before anything was written.
type drawing struct {
	*handover
	done bool
	over url.Values
	all  timetable
}

// before draws the schedule once.
func (d *drawing) before(ctx context.Context, from time.Time) (err error) {
	if d.done {
		return nil
	}
	d.over = url.Values{
		"include[]": {"final_schedule"}, "since": {from.UTC().Format(time.RFC3339)}, "until": {from.Add(ahead).UTC().Format(time.RFC3339)},
	}
	d.all, err = d.draw(ctx)
	d.done = err == nil
	return err
}

func (d *drawing) draw(ctx context.Context) (timetable, error) {
	body, err := d.fetch(ctx, "/v3/schedules/"+d.Change.Entitlement.Object.ID, d.over)
	if err != nil {
		return nil, err
	}
	s, err := inner(body, "schedule")
	if err != nil {
		return nil, err
	}
	all, err := renderedShifts(s)
	return all.handed(d.Change.From, d.Change.To), err
}

// checkShifts holds the schedule to how it was. While nothing that was written has begun, all of it can be taken back.
func (h *handover) checkShifts(ctx context.Context, was schedule, drawn *drawing) error {
	if drawn.over == nil {
		return nil // there was nothing to draw
	}
	var moved []string
	err := h.until(ctx, h.cfg.Patience, func() (bool, error) {
		s, err := h.deed(ctx)
		if err != nil || len(s.left) > 0 {
			return false, nil //nolint:nilerr // PagerDuty shows late what was written
		}
		is, err := drawn.draw(ctx)
		moved = drawn.all.moved(is)
		return err == nil && len(moved) == 0, err
	})
	if err != nil || len(moved) == 0 {
		return err
	}
	return h.takeBack(ctx, was, h.wouldMove(ctx, moved))
}
