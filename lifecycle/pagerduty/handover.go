package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"rolecall/lifecycle"
)

// A deed is a change that the account does not show. It looks at what does show it, and returns what is left to write:
// nothing when all is as wanted. What is neither as before nor as wanted is a Refusal.
type deed func(ctx context.Context) (sight, error)

// A sight is what a deed saw.
type sight struct {
	body  []byte // as PagerDuty gave it, to be kept; nil when it cannot be given back
	left  []write
	blind bool                        // PagerDuty does not let it be seen: its word is all there is
	check func(context.Context) error // holds what was written to what was there before; nil when there is nothing to hold
}

// A write is one call that changes something.
type write struct {
	name   string // the same after another look
	do     func(context.Context) error
	failed func(ctx context.Context, no error) error // says what stands after PagerDuty's no; nil: nothing was written before
}

func (s sight) find(name string) int {
	return slices.IndexFunc(s.left, func(w write) bool { return w.name == name })
}

// errMovedOn is something that is neither as before nor as wanted.
var errMovedOn = errors.New("it has moved on")

// applyDeed makes a change that the account does not show.
func (c *Client) applyDeed(ctx context.Context, o lifecycle.Order) (lifecycle.AccountID, error) {
	h, err := c.handover(o)
	if err != nil {
		return "", err
	}
	release, err := c.turns.take(ctx, h.key())
	if err != nil {
		return "", err
	}
	defer release()
	if err := h.carry(ctx); err != nil {
		return "", h.insist(fmt.Errorf("change %s: %w", o.Change.ID, err))
	}
	return o.Account, nil
}

const (
	insisting = time.Hour        // how long what may stand half-way is tried again soon
	sooner    = 15 * time.Second // which is how soon
)

// insist has what may stand half-way tried again soon, and not in the ever longer pauses that a job makes: somebody's shifts
// may end in the meantime, and nobody follow yet.
func (h *handover) insist(err error) error {
	began := h.began
	if h.Original != nil && h.Change.Restores == "" {
		began = h.Original.KeptAt
	}
	if lifecycle.ReasonOf(err) != "" || began.IsZero() || h.now().Sub(began) > insisting {
		return err
	}
	return lifecycle.RetryAfter(err, sooner)
}

// A handover is a change to something that hangs on an account.
type handover struct {
	*Client
	lifecycle.Order
	deed  deed
	made  []string  // the writes that were made by now
	began time.Time // when what was there before was kept, and so the first of them may have been made
	back  bool      // it is being taken back half-way
}

// key names what one change at a time may write to.
func (h *handover) key() string {
	if e := h.Change.Entitlement; e.Kind != lifecycle.KindSession {
		return "object " + e.Object.ID
	}
	return "account " + string(h.Order.Account)
}

// carry looks, keeps the object as it is, and writes what is left, step by step.
func (h *handover) carry(ctx context.Context) error {
	s, err := h.deed(ctx)
	if err != nil || len(s.left) == 0 {
		return err
	}
	if err := h.checkTaker(ctx); err != nil {
		return err
	}
	if err := h.keep(ctx, s.body); err != nil {
		return err
	}
	check := s.check
	for len(s.left) > 0 {
		if s, err = h.take(ctx, s); err != nil {
			return err
		}
	}
	if check != nil {
		return check(ctx)
	}
	return nil
}

// keep hands over the object as it was before the first write. After a crash it was kept already.
func (h *handover) keep(ctx context.Context, body []byte) error {
	resumed := h.Change.Restores == "" && h.Original != nil
	if body == nil || h.Keep == nil || resumed {
		return nil
	}
	e := h.Change.Entitlement
	body, err := withoutSecrets(body)
	if err == nil {
		err = h.Keep(ctx, lifecycle.Original{Kind: e.Kind, Object: e.Object, Body: body})
	}
	if err != nil {
		return fmt.Errorf("keep %s %s as it was: %w", e.Kind, e.Object.ID, err)
	}
	if h.Change.Restores == "" { // of one that gives back it is not known later when it began
		h.began = h.now()
	}
	return nil
}

// take makes the first write that is left, and returns what is left after it. After a lost answer it looks, then decides:
// what is still left after a while is written once more, and never again.
func (h *handover) take(ctx context.Context, s sight) (sight, error) {
	w := s.left[0]
	for try := 1; ; try++ {
		err := w.do(ctx)
		if err == nil {
			h.made = append(h.made, w.name)
			s.left = s.left[1:]
			return s, nil
		}
		if try == 1 && !lost(err) && !overtaken(err) {
			return s, h.refusal(ctx, w, err)
		}
		now, trouble := h.settle(ctx, w.name, err)
		if trouble != nil {
			return s, trouble
		}
		i := now.find(w.name)
		switch {
		case i < 0:
			h.made = append(h.made, w.name)
			return now, nil
		case try == 2: // the first may be why the second was refused, and be seen later
			return s, fmt.Errorf("%s was written twice and is not to be seen: %w", w.name, err)
		case !lost(err):
			return s, h.refusal(ctx, w, err)
		}
		s = now
		s.left = s.left[i:]
		w = s.left[0]
	}
}

// settle looks until a write is not left any more, or time is up, and returns what it saw last. A sight in which something
// is left that was made is older than that, and says nothing.
func (h *handover) settle(ctx context.Context, name string, cause error) (sight, error) {
	h.log.WarnContext(ctx, "what became of a change is looked for in PagerDuty", slog.String("change", string(h.Change.ID)),
		slog.String("write", name), slog.Any("err", cause))
	var now sight
	saw := errors.New("never looked")
	err := h.until(ctx, h.cfg.Settle, func() (bool, error) {
		if now, saw = h.deed(ctx); saw == nil && h.old(now) {
			saw = errors.New("PagerDuty does not show yet what was made before")
		}
		return saw == nil && now.find(name) < 0, nil
	})
	switch {
	case err != nil:
		return now, err
	case saw != nil && lifecycle.ReasonOf(saw) != "":
		return now, saw
	case saw != nil:
		return now, fmt.Errorf("%s may or may not have been written (%w), and looking failed: %w", name, cause, saw)
	default:
		return now, nil
	}
}

// old reports whether the sight is from before something that was made.
func (h *handover) old(s sight) bool {
	return slices.ContainsFunc(h.made, func(name string) bool { return s.find(name) >= 0 })
}

// refusal says PagerDuty's no in the words of the order, with what stands.
func (h *handover) refusal(ctx context.Context, w write, err error) error {
	no := h.explain(err)
	if w.failed != nil && lifecycle.ReasonOf(no) != "" {
		return w.failed(ctx, no)
	}
	return no
}

// readBackDeed returns the account as it is once what the change was about shows it.
func (c *Client) readBackDeed(ctx context.Context, o lifecycle.Order) (*lifecycle.Account, error) {
	h, err := c.handover(o)
	if err != nil {
		return nil, err
	}
	var trouble error
	err = c.until(ctx, c.cfg.Patience, func() (bool, error) {
		s, err := h.deed(ctx)
		switch trouble = err; {
		case err == nil && (len(s.left) == 0 || s.blind):
			return true, nil
		case err == nil:
			trouble = fmt.Errorf("change %s is not to be seen in PagerDuty after %s", o.Change.ID, c.cfg.Patience)
		case lifecycle.ReasonOf(err) != "" && !errors.Is(err, lifecycle.ErrConflict): // a conflict may be a sight that is late
			return false, err
		}
		return false, nil
	})
	switch {
	case err != nil:
		return nil, err
	case trouble != nil:
		return nil, fmt.Errorf("read back change %s: %w", o.Change.ID, trouble)
	default:
		return c.whole(ctx, o)
	}
}
