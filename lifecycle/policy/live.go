package policy

import (
	"context"
	"fmt"
	"sync/atomic"

	"rolecall/lifecycle"
)

// Live is the policy in force for a running service. It may be used from many
// goroutines at once.
type Live struct {
	force atomic.Pointer[inForce]
	teams func(context.Context) ([]lifecycle.Team, error)
	turn  chan struct{} // held while asking; a channel, because waiting for it must end with the context
}

// inForce is one policy, and the same with its teams once they are found.
type inForce struct {
	written  lifecycle.Policy
	resolved *lifecycle.Policy
}

// NewLive returns p, in force once its teams are found among those that teams
// lists. A listing has to be whole or an error.
func NewLive(p lifecycle.Policy, teams func(context.Context) ([]lifecycle.Team, error)) *Live {
	l := &Live{teams: teams, turn: make(chan struct{}, 1)}
	l.force.Store(&inForce{written: p})
	return l
}

// Current returns the policy with every team bound to PagerDuty's. It is
// resolved once; until that succeeds every call tries again and returns the
// error of the listing, of ctx, or the Refusal that names the team which
// PagerDuty does not have exactly once.
func (l *Live) Current(ctx context.Context) (lifecycle.Policy, error) {
	if p := l.force.Load().resolved; p != nil {
		return *p, nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return lifecycle.Policy{}, fmt.Errorf("resolve policy: %w", context.Cause(ctx))
	}
	is := l.force.Load()
	if is.resolved != nil { // by whoever had the turn before
		return *is.resolved, nil
	}
	return l.resolve(ctx, is)
}

// Written returns the policy in force as it is written.
func (l *Live) Written() lifecycle.Policy { return l.force.Load().written }

// Adopt puts another policy in force, from the next call on. Resolved is the same
// as written, with its teams bound.
func (l *Live) Adopt(written, resolved lifecycle.Policy) {
	l.force.Store(&inForce{written: written, resolved: &resolved})
}

func (l *Live) resolve(ctx context.Context, is *inForce) (lifecycle.Policy, error) {
	teams, err := l.teams(ctx)
	if err != nil {
		return lifecycle.Policy{}, fmt.Errorf("resolve policy: %w", err)
	}
	p, err := is.written.Resolve(teams)
	if err != nil {
		return lifecycle.Policy{}, fmt.Errorf("resolve policy: %w", err)
	}
	l.force.CompareAndSwap(is, &inForce{written: is.written, resolved: &p}) // unless another came into force meanwhile
	return p, nil
}
