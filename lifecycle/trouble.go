package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// refuse puts on the request that PagerDuty will not make its i-th change.
func (v *Provisioner) refuse(ctx context.Context, r Request, i int, cause error) (Request, error) {
	c := r.Changes[i]
	c.State, c.Error = ChangeFailed, ReasonOf(cause)
	r = r.WithChange(i, c, v.now())
	detail := changeDetail(c)
	detail["why"] = c.Error
	return r, v.save(ctx, r, EventChangeFailed, detail)
}

// changeError says at which change things went wrong.
type changeError struct {
	index int
	err   error
}

func (e *changeError) Error() string { return e.err.Error() }

func (e *changeError) Unwrap() error { return e.err }

// trouble leaves the request in a state that says what happened: a refusal, or
// the last of all tries, fails it; anything else waits for the next try.
func (v *Provisioner) trouble(ctx context.Context, r Request, cause error, last bool) error {
	stored, err := v.store.Request(ctx, r.ID)
	if err != nil {
		return errors.Join(cause, fmt.Errorf("load request %s: %w", r.ID, err))
	}
	reason := ReasonOf(cause)
	if stored.State != Approved && stored.State != Holding && stored.State != Applying {
		return nil // undone or withdrawn while we looked: nothing comes of it any more
	}
	if waits, is := errors.AsType[*JobError](cause); reason == "" && (!last || is && waits.RetryAfter > 0) {
		return v.wait(ctx, stored, cause)
	}
	if reason == "" {
		reason = "PagerDuty could not be reached, and no more tries are left."
	}
	failed, kind := stored, EventRequestFailed
	if at, ok := errors.AsType[*changeError](cause); ok {
		c := stored.Changes[at.index]
		c.State, c.Error = ChangeFailed, reason
		failed = failed.WithChange(at.index, c, v.now())
		failed.Revision-- // one save, one revision
		kind = EventChangeFailed
	}
	failed = failed.to(Failed, reason, v.now())
	if err := v.save(ctx, failed, kind, map[string]string{"why": reason}, v.goOn(failed)...); err != nil {
		return errors.Join(cause, err)
	}
	return Permanent(cause)
}

// goOn returns the step that plans a leaver's next stage although the containment
// failed: sessions that cannot be ended are no reason to leave on-call with them.
func (v *Provisioner) goOn(r Request) []Job {
	stuck := slices.ContainsFunc(r.Changes, func(c Change) bool {
		return c.State != ChangeVerified && c.Entitlement.Kind != KindSession
	})
	if !r.Contains() || r.Why.Notice == "" || stuck {
		return nil
	}
	return []Job{{Kind: JobPlan, Ref: string(r.Why.Notice)}}
}

// wait says on the card that PagerDuty does not answer, or what else is waited
// for, once, and asks for another try.
func (v *Provisioner) wait(ctx context.Context, r Request, cause error) error {
	note := "PagerDuty is not answering. It will be tried again."
	if told, ok := errors.AsType[*JobError](cause); ok && told.Why != "" {
		note = told.Why
	}
	if r.Note == note {
		return cause
	}
	r.Note, r.UpdatedAt = note, v.now()
	r.Revision++
	if err := v.save(ctx, r, EventRequestWaiting, map[string]string{"why": cause.Error()}); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}
