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
	written  lifecycle.Policy
	teams    func(context.Context) ([]lifecycle.Team, error)
	resolved atomic.Pointer[lifecycle.Policy]
	turn     chan struct{} // held while asking; a channel, because waiting for it must end with the context
}

// NewLive returns p, in force once its teams are found among those that teams
// lists. A listing has to be whole or an error.
func NewLive(p lifecycle.Policy, teams func(context.Context) ([]lifecycle.Team, error)) *Live {
	return &Live{written: p, teams: teams, turn: make(chan struct{}, 1)}
}

// Current returns the policy with every team bound to PagerDuty's. It is
// resolved once; until that succeeds every call tries again and returns the
// error of the listing, of ctx, or the Refusal that names the team which
// PagerDuty does not have exactly once.
func (l *Live) Current(ctx context.Context) (lifecycle.Policy, error) {
	if p := l.resolved.Load(); p != nil {
		return *p, nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return lifecycle.Policy{}, fmt.Errorf("resolve policy: %w", context.Cause(ctx))
	}
	if p := l.resolved.Load(); p != nil { // by whoever had the turn before
		return *p, nil
	}
	return l.resolve(ctx)
}

// Written returns the policy in force as it is written.
func (l *Live) Written() lifecycle.Policy { return l.written }

func (l *Live) resolve(ctx context.Context) (lifecycle.Policy, error) {
	teams, err := l.teams(ctx)
	if err != nil {
		return lifecycle.Policy{}, fmt.Errorf("resolve policy: %w", err)
	}
	p, err := l.written.Resolve(teams)
	if err != nil {
		return lifecycle.Policy{}, fmt.Errorf("resolve policy: %w", err)
	}
	l.resolved.Store(&p)
	return p, nil
}
