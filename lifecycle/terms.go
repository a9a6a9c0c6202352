package lifecycle

import (
	"context"
	"fmt"
	"time"
)

// TermStore is where it is looked up what was granted for a time.
type TermStore interface {
	// Granted returns the requests whose effect ends after t and stands until then, the oldest first.
	Granted(ctx context.Context, t time.Time) ([]Request, error)
}

// Terms is the policy in force together with what people were granted for a time:
// until that ends it is an exception like those that the file names. Every flow
// goes by it, so that no roll call takes for drift what somebody has approved.
type Terms struct {
	policies PolicySource
	store    TermStore
	now      func() time.Time
}

// NewTerms returns the terms over a policy.
func NewTerms(policies PolicySource, store TermStore, now func() time.Time) *Terms {
	return &Terms{policies: policies, store: store, now: now}
}

// Current returns the policy with what runs now.
func (t *Terms) Current(ctx context.Context) (Policy, error) {
	p, err := t.policies.Current(ctx)
	if err != nil {
		return p, err
	}
	granted, err := t.store.Granted(ctx, t.now())
	if err != nil {
		return p, fmt.Errorf("list what was granted for a time: %w", err)
	}
	return p.granting(granted), nil
}

// granting returns the policy with an exception for each thing that was granted.
func (p Policy) granting(granted []Request) Policy {
	if len(granted) == 0 {
		return p
	}
	all := make([]PolicyException, len(p.Exceptions), len(p.Exceptions)+len(granted))
	copy(all, p.Exceptions)
	for _, r := range granted {
		for _, c := range r.Changes {
			x := PolicyException{Who: FoldEmail(r.Subject.Email), Why: r.Asked, Ends: r.Until, Request: r.ID}
			switch {
			case c.Entitlement.Kind == KindTeamRole:
				x.Team, x.Role = string(c.Entitlement.Team.ID), TeamRole(c.To)
			default:
				x.BaseRole = BaseRole(c.To)
			}
			all = append(all, x)
		}
	}
	p.Exceptions = all
	return p
}
