package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Timekeeper lets time pass over requests that nobody decides. Each step
// looks at the request first and does nothing when it has moved on.
type Timekeeper struct {
	store    RequestStore
	policies PolicySource
	now      func() time.Time
}

// NewTimekeeper returns a timekeeper over store.
func NewTimekeeper(store RequestStore, policies PolicySource, now func() time.Time) *Timekeeper {
	return &Timekeeper{store: store, policies: policies, now: now}
}

// Escalate asks security too.
func (t *Timekeeper) Escalate(ctx context.Context, id RequestID) error {
	return t.pass(ctx, id, func(r Request, p Policy) (Request, EventKind, []Job) {
		if r.Escalated {
			return r, "", nil
		}
		return r.escalate(p, t.now()), EventRequestEscalated, nil
	})
}

// Expire lets silence have the outcome that the card has said from the start.
func (t *Timekeeper) Expire(ctx context.Context, id RequestID) error {
	return t.pass(ctx, id, func(r Request, p Policy) (Request, EventKind, []Job) {
		if now := t.now(); now.Before(r.DecideBy) {
			return r, "", nil
		}
		return t.outcome(r, p)
	})
}

func (t *Timekeeper) outcome(r Request, p Policy) (Request, EventKind, []Job) {
	now := t.now()
	switch {
	case r.Silence == SilenceEscalate && !r.Escalated:
		r = r.escalate(p, now)
		r.DecideBy = now.Add(p.Defaults.Approval.ExpireAfter)
		return r, EventRequestEscalated, []Job{{Kind: JobExpire, Ref: string(r.ID), At: r.DecideBy}}
	case r.Silence == SilenceRevoke && r.Removes():
		r.Decisions = append(r.Decisions, Decision{By: "policy", Verdict: Approve, Reason: "Nobody decided in time, and the policy revokes then.", At: now, Via: ViaPolicy, Seen: r.Revision})
		r = r.to(Approved, "", now)
		r, next := settle(p, r, now)
		return r, EventRequestApproved, next
	default:
		expired, err := r.Expire(now)
		if err != nil {
			return r, "", nil
		}
		return expired, EventRequestExpired, nil
	}
}

func (t *Timekeeper) pass(ctx context.Context, id RequestID, f func(Request, Policy) (Request, EventKind, []Job)) error {
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
	is, kind, next := f(was, policy)
	if kind == "" {
		return nil
	}
	e := AuditEvent{At: t.now(), Actor: ByPolicy(policy.SHA256), Kind: kind, Ref: string(id), Detail: map[string]string{"silence": string(was.Silence)}}
	if err := t.store.SaveRequest(ctx, is, e, append(next, show(id))...); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("save request %s: %w", id, err)
	}
	return nil // a conflict is somebody deciding at this moment, which is what was wanted
}

func (r Request) escalate(p Policy, now time.Time) Request {
	r.Escalated, r.UpdatedAt = true, now
	r.Revision++
	r.Approvers = p.Eligible(r, func(string) bool { return true })
	return r
}
