package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rolecall/lifecycle"
)

// Slack's tiers, in calls a minute for each method (docs.slack.dev, rate limits).
const (
	tier2       = 20
	tier3       = 50
	tier4       = 100
	tierSpecial = 300 // "several hundred a minute"
)

// A pacing is how fast Slack lets itself be called.
type pacing struct {
	perMinute    map[string]int // by method; 0 is no limit
	channel      rate.Limit     // messages a second to one channel
	channelBurst int
}

// slackPacing keeps within Slack's published limits. A short burst of messages
// to one channel is tolerated; everything else is spread.
func slackPacing() pacing {
	return pacing{
		perMinute: map[string]int{
			"auth.test": tierSpecial, "chat.postMessage": tierSpecial, "chat.postEphemeral": tier4, "chat.update": tier3,
			"conversations.history": tier3, "conversations.replies": tier3, "conversations.open": tier3,
			"users.info": tier4, "users.lookupByEmail": tier3, "users.list": tier2,
			"files.getUploadURLExternal": tier4, "files.completeUploadExternal": tier4,
			"views.open": tier4, "views.publish": tier4, "response_url": tierSpecial,
		},
		channel: 1, channelBurst: 3,
	}
}

// limiter returns a bucket that never lets more than perMinute through in any
// minute: what it holds at once and what flows in add up to that.
func limiter(perMinute int) *rate.Limiter {
	if perMinute == 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	burst := max(1, perMinute/5)
	return rate.NewLimiter(rate.Limit(perMinute-burst)/60, burst)
}

// A gate lets the calls of one method through: at its tier's pace, and not at
// all while Slack has said to stay away.
type gate struct {
	limit *rate.Limiter
	mu    sync.Mutex
	until time.Time
}

// pass waits for its turn. When that would come too late for ctx it does not
// wait at all, and returns a lifecycle.RetryAfter.
func (g *gate) pass(ctx context.Context) error {
	for {
		g.mu.Lock()
		until := g.until
		g.mu.Unlock()
		closed := time.Until(until)
		if closed <= 0 {
			return turn(ctx, g.limit)
		}
		if err := waitFor(ctx, closed); err != nil {
			return err
		}
	}
}

// closeFor keeps everybody out for d.
func (g *gate) closeFor(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
	}
}

// turn takes one token of the bucket, waiting for it as waitFor does.
func turn(ctx context.Context, l *rate.Limiter) error {
	r := l.Reserve()
	if err := waitFor(ctx, r.Delay()); err != nil {
		r.Cancel()
		return err
	}
	return nil
}

var errTooSoon = errors.New("slack lets nothing more through for now")

// waitFor waits for d, or returns a lifecycle.RetryAfter when ctx ends before that.
func waitFor(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return lifecycle.RetryAfter(errTooSoon, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return lifecycle.RetryAfter(fmt.Errorf("wait for slack: %w", ctx.Err()), d)
	}
}

// A lane keeps what is written to one channel in order, and at its pace.
// Waiters on a channel are served first come, first served.
type lane struct {
	turn  chan struct{}
	limit *rate.Limiter
}

func newLane(p pacing) *lane {
	return &lane{turn: make(chan struct{}, 1), limit: rate.NewLimiter(p.channel, max(1, p.channelBurst))}
}

// enter returns when everybody before is done; leave must follow.
func (l *lane) enter(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return lifecycle.RetryAfter(fmt.Errorf("wait for the channel: %w", ctx.Err()), time.Second)
	}
}

func (l *lane) leave() { <-l.turn }
