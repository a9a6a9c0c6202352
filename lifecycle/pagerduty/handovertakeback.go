package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"rolecall/lifecycle"
)

// takeBack undoes what was written before PagerDuty's no, so that nobody is left without an answer.
func (h *handover) takeBack(ctx context.Context, was schedule, no error) error {
	s := h.swap(h.Change.Restores != "")
	s.back = !s.back
	err := h.undo(ctx, was, s)
	e, _ := errors.AsType[*lifecycle.Refusal](no)
	switch {
	case e == nil:
		return errors.Join(no, err)
	case err != nil && !final(err):
		return fmt.Errorf("change %s was refused (%s), and what was made of it before is not taken back yet: %w", h.Change.ID, no.Error(), err) // not wrapped: a refusal would be for good
	case err != nil:
		h.log.ErrorContext(ctx, "take back half of a handover", slog.String("change", string(h.Change.ID)), slog.Any("err", err))
		return lifecycle.Refuse(e.Kind, "%s What was done before that could not be taken back: some shifts of %s end within minutes, and nobody follows. Mend it in PagerDuty now.", e.Reason, h.object())
	default:
		return lifecycle.Refuse(e.Kind, "%s Nothing stands changed.", e.Reason)
	}
}

// final reports whether err is PagerDuty's no, and nothing that may pass.
func final(err error) bool {
	e, is := asAnswer(err)
	return lifecycle.ReasonOf(explain(err)) != "" || is && e.status == http.StatusNotFound
}

// undo writes until the events have the members that they had before. It begins once PagerDuty shows what was made: before
// that it would seem that there is nothing to take back.
func (h *handover) undo(ctx context.Context, was schedule, s swap) error {
	if err := h.seenMade(ctx); err != nil {
		return err
	}
	h.back = true
	for range 4 * maxEvents {
		left, err := h.toUndo(ctx, was, s)
		if err != nil || len(left) == 0 {
			return err
		}
		w := left[0]
		if err := w.do(ctx); err != nil && !lost(err) && !overtaken(err) {
			return err
		}
		err = h.until(ctx, h.cfg.Settle, func() (bool, error) {
			now, err := h.toUndo(ctx, was, s)
			return err == nil && (len(now) == 0 || now[0].name != w.name), nil
		})
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("change %s is not seen to be taken back", h.Change.ID)
}

const maxEvents = 5 // of a rotation, says OpenAPI operation createEvent; each takes two writes at the most

func (h *handover) toUndo(ctx context.Context, was schedule, s swap) ([]write, error) {
	is, err := h.schedule(ctx)
	if err != nil {
		return nil, err
	}
	before, now, err := eventsOfBoth(was, is)
	if err != nil {
		return nil, err
	}
	left, err := h.shiftWrites(ctx, s, was, before, now)
	return left.left, err
}

// seenMade waits until what was made is to be seen.
func (h *handover) seenMade(ctx context.Context) error {
	seen := false
	err := h.until(ctx, h.cfg.Patience, func() (bool, error) {
		s, err := h.deed(ctx)
		seen = err == nil && !h.old(s)
		return seen, nil
	})
	if err == nil && !seen {
		err = fmt.Errorf("what was made of change %s is not to be seen", h.Change.ID)
	}
	return err
}
