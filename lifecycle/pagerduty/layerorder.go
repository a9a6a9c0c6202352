package pagerduty

import (
	"context"
	"net/http"
	"slices"
	"time"

	"rolecall/lifecycle"
)

// PagerDuty's preview says which order of layers leaves everybody's shifts as they are; whether a write takes them in the
// same order as the preview is not documented. So the order is looked at after the write, and put right.

const nameOrder = "order" // of the write that does so

// turnedRound reports whether the layers that are not over have come out the other way round than they were.
func turnedRound(was, is object, at time.Time) (bool, error) {
	var ids [2][]string
	for i, o := range []object{was, is} {
		layers, err := layersOf(o, at)
		if err != nil {
			return false, err
		}
		for _, l := range layers {
			ids[i] = append(ids[i], l.text("id"))
		}
	}
	same := slices.Equal(ids[0], ids[1])
	slices.Reverse(ids[1])
	return !same && slices.Equal(ids[0], ids[1]), nil
}

// turned returns the schedule with its layers the other way round.
func turned(schedule object, at time.Time) (object, error) {
	layers, err := layersOf(schedule, at)
	slices.Reverse(layers)
	return schedule.with("schedule_layers", layers), err
}

// putOrder turns the layers round again, whichever way it takes.
func (h *handover) putOrder(is schedule) (write, error) {
	now := h.now()
	want, err := turned(is.object, now)
	if err != nil {
		return write{}, err
	}
	return write{name: nameOrder, do: func(ctx context.Context) error {
		for _, way := range []bool{false, true} { // the second is how they came to be turned round, as a rule
			sent, err := sentSchedule(want, way, now)
			if err != nil {
				return err
			}
			if err := h.prompt.send(ctx, http.MethodPut, "/schedules/"+h.Change.Entitlement.Object.ID, "", object{}.with("schedule", sent), nil); err != nil {
				return err
			}
			if s, err := h.look(ctx, func(s sight) bool { return len(s.left) == 0 }); err != nil || len(s.left) == 0 {
				return err
			}
		}
		return lifecycle.Refuse(lifecycle.ErrConflict, "PagerDuty has turned the layers of %s round, and does not turn them back: others may be on call than should be. Mend it in PagerDuty now.", h.object())
	}}, nil
}

// look looks until what is seen will do, or time is up, and returns what it saw last.
func (h *handover) look(ctx context.Context, does func(sight) bool) (s sight, err error) {
	var saw error
	err = h.until(ctx, h.cfg.Patience, func() (bool, error) {
		s, saw = h.deed(ctx)
		return saw == nil && does(s), nil
	})
	if err == nil {
		err = saw
	}
	return s, err
}

// checkLayers puts the layers right when they have come out the other way round.
func (h *handover) checkLayers(ctx context.Context) error {
	s, err := h.look(ctx, func(s sight) bool { return s.find("schedule") < 0 })
	if err != nil || s.find(nameOrder) < 0 {
		return err
	}
	_, err = h.take(ctx, s)
	return err
}
