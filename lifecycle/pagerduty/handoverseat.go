package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"rolecall/lifecycle"
)

// A schedule is one of either kind, as PagerDuty gave it.
type schedule struct {
	body   []byte
	object object
	shifts bool // it is shift-based; else it has layers
}

// schedule reads the schedule, of whichever kind it is now: one that is upgraded keeps its id. Source of asking the newer
// API first: PagerDuty's guide to the upgrade.
func (h *handover) schedule(ctx context.Context) (schedule, error) {
	id := h.Change.Entitlement.Object.ID
	body, err := h.fetch(ctx, "/v3/schedules/"+id, nil)
	if err == nil {
		o, err := inner(body, "schedule")
		return schedule{body, o, true}, err
	}
	if e, is := asAnswer(err); !is || e.status == http.StatusUnauthorized || e.status == http.StatusTooManyRequests {
		return schedule{}, err
	}
	body, err = h.fetch(ctx, "/schedules/"+id, nil)
	if err != nil {
		return schedule{}, h.unread(err)
	}
	o, err := inner(body, "schedule")
	return schedule{body, o, false}, err
}

// handSeat gives every turn in a schedule to another: in the layers where they are, in shifts by events that follow.
func (h *handover) handSeat() deed {
	var first *schedule
	return func(ctx context.Context) (sight, error) {
		s, err := h.schedule(ctx)
		if err == nil && (first == nil || first.shifts != s.shifts) {
			first, err = h.kept(s)
		}
		switch {
		case err != nil:
			return sight{}, err
		case s.shifts:
			return h.handShifts(ctx, *first, s)
		default:
			return h.handTurns(*first, s)
		}
	}
}

// kept returns the schedule as it was before an earlier try, if there was one and it was of this kind; else as it is.
func (h *handover) kept(is schedule) (*schedule, error) {
	if h.Original == nil || h.Change.Restores != "" {
		return &is, nil
	}
	was, err := h.original()
	if err != nil || was.shifts != is.shifts {
		return &is, err
	}
	return &was, nil
}

// original returns the schedule as it was kept.
func (h *handover) original() (schedule, error) {
	o, err := inner(h.Original.Body, "schedule")
	if err != nil {
		return schedule{}, fmt.Errorf("read what was kept: %w", err)
	}
	return schedule{h.Original.Body, o, o.has("rotations")}, nil
}

// returnSeat writes back what the schedule was, if it still is what was made of it.
func (h *handover) returnSeat() deed {
	return func(ctx context.Context) (sight, error) {
		was, err := h.original()
		if err != nil {
			return sight{}, err
		}
		is, err := h.schedule(ctx)
		switch {
		case err != nil:
			return sight{}, err
		case was.shifts != is.shifts:
			return sight{}, lifecycle.Refuse(lifecycle.ErrConflict, "%s was upgraded to shifts since, so its layers cannot be given back. Change it in PagerDuty by hand.", upper(h.object()))
		case is.shifts:
			return h.returnShifts(ctx, was, is)
		default:
			return h.returnTurns(was, is)
		}
	}
}

func (h *handover) handTurns(first, s schedule) (sight, error) {
	now, change := h.now(), h.Change
	seated, err := seatedInLayers(s.object, change.From, now)
	if err != nil {
		return sight{}, err
	}
	if !seated {
		found, err := h.settled(seatedInLayers(s.object, change.To, now))
		if err != nil {
			return found, err
		}
		return h.inOrder(first, s)
	}
	is, err := handLayers(s.object, change.From, change.To, now)
	return sight{body: s.body, left: []write{h.putLayers(is)}, check: h.checkLayers}, err
}

// inOrder returns what is left when all turns are as they should be.
func (h *handover) inOrder(was, is schedule) (sight, error) {
	round, err := turnedRound(was.object, is.object, h.now())
	if err != nil || !round {
		return sight{}, err
	}
	w, err := h.putOrder(is)
	return sight{left: []write{w}}, err
}

// settled is when the one who had it has it no more: well if the other has it, else a Refusal.
func (h *handover) settled(taken bool, err error) (sight, error) {
	if err == nil && !taken {
		err = h.moved()
	}
	return sight{}, err
}

func (h *handover) returnTurns(was, is schedule) (sight, error) {
	now := h.now()
	handed, err := handLayers(was.object, h.Change.To, h.Change.From, now)
	if err != nil {
		return sight{}, err
	}
	back, err := turned(was.object, now)
	if err != nil {
		return sight{}, err
	}
	var sent [4]object
	for i, o := range []object{is.object, was.object, handed, back} {
		if sent[i], err = sentSchedule(o, true, now); err != nil {
			return sight{}, err
		}
	}
	if len(differing(sent[0], sent[1])) == 0 {
		return sight{}, nil
	}
	if len(differing(sent[0], sent[3])) == 0 {
		return h.inOrder(was, is)
	}
	if other := differing(sent[0], sent[2]); len(other) > 0 {
		return sight{}, h.changed(other)
	}
	return sight{body: is.body, left: []write{h.putLayers(was.object)}, check: h.checkLayers}, nil
}

const ahead = 4 * 7 * 24 * time.Hour // how far others' shifts are held to what they were

// putLayers writes a layer-based schedule in the order of layers that leaves everybody else's shifts as they are, by
// PagerDuty's own preview. If neither does, nothing is written.
func (h *handover) putLayers(want object) write {
	place := "/schedules/" + h.Change.Entitlement.Object.ID
	return write{name: "schedule", do: func(ctx context.Context) error {
		now := h.now()
		over := url.Values{"since": {now.UTC().Format(time.RFC3339)}, "until": {now.Add(ahead).UTC().Format(time.RFC3339)}}
		body, err := h.fetch(ctx, place, over)
		if err != nil {
			return err
		}
		before, err := inner(body, "schedule")
		if err != nil {
			return err
		}
		var moved []string
		for _, turned := range []bool{true, false} {
			sent, err := sentSchedule(want, turned, now)
			if err != nil {
				return err
			}
			others, err := h.preview(ctx, over, before, sent)
			switch {
			case err != nil:
				return err
			case len(others) == 0:
				return h.prompt.send(ctx, http.MethodPut, place, "", object{}.with("schedule", sent), nil)
			case turned:
				moved = others
			}
		}
		return h.wouldMove(ctx, moved)
	}}
}

// wouldMove is a change that would give somebody who has nothing to do with it other shifts.
func (h *handover) wouldMove(ctx context.Context, users []string) error {
	var names []string
	for _, id := range users {
		if id == h.Change.From || id == h.Change.To {
			continue
		}
		name := clean(id, 40)
		if u, err := h.user(ctx, h.prompt, lifecycle.AccountID(id)); err == nil { // else the id is what is left to say
			name = clean(u.Name, 80)
		}
		names = append(names, name)
	}
	others := "the shifts that are theirs"
	if len(names) > 0 {
		others = "the shifts of " + join(names)
	}
	return lifecycle.Refuse(lifecycle.ErrConflict, "Handing over %s would also move %s, as PagerDuty draws it, so it was left as it was. Change it in PagerDuty by hand.", h.thing(), others)
}

// preview returns whose shifts would not be what they are, apart from those that change hands.
func (h *handover) preview(ctx context.Context, over url.Values, before, sent object) ([]string, error) {
	body, err := h.post(ctx, "/schedules/preview?"+over.Encode(), object{}.with("schedule", sent))
	if err != nil {
		return nil, err
	}
	after, err := inner(body, "schedule")
	if err != nil {
		return nil, err
	}
	apart, err := overridden(before)
	if err != nil {
		return nil, err
	}
	var drawn [2]timetable
	for i, o := range []object{before, after} {
		r, err := renderedLayers(o, apart)
		if err != nil {
			return nil, err
		}
		drawn[i] = r.handed(h.Change.From, h.Change.To)
	}
	return drawn[0].moved(drawn[1]), nil
}

// post asks for what changes nothing, and so may be asked again.
func (h *handover) post(ctx context.Context, path string, body object) ([]byte, error) {
	for try := 1; ; try++ {
		var answer object
		err := h.prompt.send(ctx, http.MethodPost, path, "", body, &answer)
		if err == nil {
			return encode(answer), nil
		}
		gone, is := errors.AsType[*lostError](err)
		switch {
		case !is:
			return nil, err
		case try == sweeps:
			return nil, gone.cause
		}
		if err := pause(ctx, h.cfg.Backoff<<(try-1)); err != nil {
			return nil, err
		}
	}
}
