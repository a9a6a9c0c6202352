package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// TimeStore is where time passes over requests.
type TimeStore interface {
	RequestStore
	RouteStore
}

// A Timekeeper lets time pass over requests that nobody decides. Each step
// looks at the request first and does nothing when it has moved on.
type Timekeeper struct {
	store    TimeStore
	policies PolicySource
	router   *Router
	now      func() time.Time
}

// NewTimekeeper returns a timekeeper over store.
func NewTimekeeper(store TimeStore, policies PolicySource, now func() time.Time) *Timekeeper {
	return &Timekeeper{store: store, policies: policies, router: NewRouter(store, policies, now), now: now}
}

// Escalate asks security too.
func (t *Timekeeper) Escalate(ctx context.Context, id RequestID) error {
	return t.pass(ctx, id, func(r Request, _ Policy) (Request, EventKind, []Job, error) {
		if r.Escalated {
			return r, "", nil, nil
		}
		return r.escalate(t.now()), EventRequestEscalated, nil, nil
	})
}

// Expire lets silence have the outcome that the card has said from the start.
// Called too early, by a queue whose clock is ahead, it asks to be called again.
func (t *Timekeeper) Expire(ctx context.Context, id RequestID) error {
	return t.pass(ctx, id, func(r Request, p Policy) (Request, EventKind, []Job, error) {
		switch now := t.now(); {
		case r.DecideBy.IsZero():
			return r, "", nil, nil
		case now.Before(r.DecideBy):
			return r, "", nil, RetryAfter(fmt.Errorf("request %s may be decided until %s", id, r.DecideBy), r.DecideBy.Sub(now))
		}
		return t.outcome(r, p)
	})
}

// passing is what the passing of time makes of a request; "" is nothing.
type passing func(Request, Policy) (Request, EventKind, []Job, error)

func (t *Timekeeper) outcome(r Request, p Policy) (Request, EventKind, []Job, error) {
	now := t.now()
	switch {
	case r.Silence == SilenceEscalate && !r.Escalated:
		as := r.Hours.Between(r.OpenedAt, r.DecideBy, zoneOf(r.Zone)) // security has as long as the owners had
		r = r.escalate(now)
		r.DecideBy = r.Hours.Add(now, as, zoneOf(r.Zone))
		return r, EventRequestEscalated, []Job{{Kind: JobExpire, Ref: string(r.ID), At: r.DecideBy}}, nil
	case r.Silence == SilenceRevoke && r.Removes() && r.Risk() != Destructive && !p.IsProtected(r.Subject.Email):
		d := Decision{By: "policy", Verdict: Approve, Reason: "Nobody decided in time, and the policy revokes then.", At: now, Via: ViaPolicy, Seen: r.Revision}
		r.Decisions = append(slices.Clone(r.Decisions), d)
		r, next := settle(p, r.to(Approved, "", now), now)
		return r, EventRequestApproved, next, nil
	default:
		is, err := r.Expire(now)
		return is, EventRequestExpired, nil, err
	}
}

// pass loads, lets time pass and saves; again when somebody was faster, for one
// approval of two is no reason to let a request live for ever.
func (t *Timekeeper) pass(ctx context.Context, id RequestID, f passing) error {
	for range decideTries {
		was, err := t.store.Request(ctx, id)
		if err != nil {
			return fmt.Errorf("load request %s: %w", id, err)
		}
		if was.State != Pending {
			return nil
		}
		policy, err := t.policies.Current(ctx)
		if err != nil {
			return fmt.Errorf("read the policy in force: %w", err)
		}
		is, kind, next, err := f(was, policy)
		if err != nil || kind == "" {
			return err
		}
		who, err := t.router.route(ctx, is, policy)
		if err != nil {
			return err
		}
		is.Approvers = who.Emails()
		e := AuditEvent{At: t.now(), Actor: ByPolicy(policy.SHA256), Kind: kind, Ref: string(id), Detail: map[string]string{"silence": string(was.Silence)}}
		switch err := t.store.SaveRequest(ctx, is, e, append(next, show(id))...); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrConflict):
			return fmt.Errorf("save request %s: %w", id, err)
		}
	}
	return fmt.Errorf("let time pass over request %s: %w", id, ErrConflict)
}

func (r Request) escalate(now time.Time) Request {
	r.Escalated, r.UpdatedAt = true, now
	r.Revision++
	return r
}
