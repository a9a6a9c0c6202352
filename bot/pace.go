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
	perMinute    map[string]int  // by method; 0 is no limit
	kept         map[string]bool // methods of which a part is kept for what somebody waits for
	channel      rate.Limit      // messages a second to one channel
	channelBurst int
}

// slackPacing keeps within Slack's published limits: of each method all that
// Slack gives, in any minute, and as soon as somebody has use for it; messages and
// edits that nobody waits for are spread over the minute, but for the first few.
func slackPacing() pacing {
	return pacing{
		perMinute: map[string]int{
			"auth.test": tierSpecial, "chat.postMessage": tierSpecial, "chat.postEphemeral": tier4, "chat.update": tier3,
			"conversations.history": tier3, "conversations.replies": tier3, "conversations.open": tier3,
			"users.info": tier4, "users.lookupByEmail": tier3, "users.list": tier2,
			"files.getUploadURLExternal": tier4, "files.completeUploadExternal": tier4,
			"views.open": tier4, "views.publish": tier4, "response_url": tierSpecial,
		},
		kept:    map[string]bool{"chat.postMessage": true, "chat.update": true},
		channel: 1, channelBurst: 3,
	}
}

// A rank is who goes first where not all can.
type rank bool

const (
	patient rank = false
	awaited rank = true // somebody looks at the screen for it
)

// A method's minute is a little longer than Slack's: a call that was a second
// on its way must not meet one that was not.
const ourMinute = time.Minute + time.Second

// A window lets so many calls through in any minute, the first of them at once:
// a call's turn comes a minute after that of the call so many before it.
type window struct {
	turns []time.Time // of the last calls; empty: no limit
	next  int         // the oldest of them, which the next call follows by a minute
	burst int         // so many at once, and the others spread over the minute; 0: all at once
}

func newWindow(perMinute int) *window { return &window{turns: make([]time.Time, perMinute)} }

// free returns when the next call may be made, at the earliest.
func (w *window) free() time.Time {
	n := len(w.turns)
	if n == 0 {
		return time.Time{}
	}
	free := w.turns[w.next].Add(ourMinute)
	if w.burst > 0 {
		before := w.turns[(w.next+n-w.burst)%n]
		if spread := before.Add(ourMinute * time.Duration(w.burst) / time.Duration(n-w.burst)); spread.After(free) {
			return spread
		}
	}
	return free
}

// take has the next call made at that time, which is not before free.
func (w *window) take(at time.Time) {
	if len(w.turns) > 0 {
		w.turns[w.next], w.next = at, (w.next+1)%len(w.turns)
	}
}

// A gate lets the calls of one method through: within its tier, and not at all
// while Slack has said to stay away. A part of the minute is kept for what
// somebody waits for, so that it never stands behind what nobody waits for.
type gate struct {
	mu    sync.Mutex
	bulk  *window
	kept  *window // for what is awaited; it may have its turn in either
	until time.Time
}

// newGate returns the gate of a method that Slack lets be called so many times
// a minute; 0 is no limit. A tenth is kept where kept says so.
func newGate(perMinute int, kept bool) *gate {
	part := 0
	if kept {
		part = perMinute / 10
	}
	g := &gate{bulk: newWindow(perMinute - part)}
	g.kept = g.bulk
	if part > 0 {
		g.kept = newWindow(part)
		g.bulk.burst = (perMinute - part) / 9 // what nobody waits for is not to use up a minute in a moment: cards would stand still
	}
	return g
}

// pass waits for its turn. When that would come too late for ctx it does not
// wait at all, and returns a lifecycle.RetryAfter.
func (g *gate) pass(ctx context.Context, r rank) error {
	for {
		g.mu.Lock()
		closed := time.Until(g.until)
		g.mu.Unlock()
		if closed <= 0 {
			return g.turn(ctx, r)
		}
		if err := waitFor(ctx, closed); err != nil {
			return err
		}
	}
}

// turn takes the next turn and waits for it; none is taken that ctx would not wait for.
func (g *gate) turn(ctx context.Context, r rank) error {
	g.mu.Lock()
	w := g.bulk
	if r == awaited && !g.kept.free().After(w.free()) {
		w = g.kept
	}
	now := time.Now()
	at := w.free()
	if at.Before(now) {
		at = now
	}
	wait := at.Sub(now)
	deadline, hurried := ctx.Deadline()
	if !hurried || !at.After(deadline) {
		w.take(at)
	}
	g.mu.Unlock()
	return waitFor(ctx, wait)
}

// closeFor keeps everybody out for d.
func (g *gate) closeFor(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
	}
}

// pace waits until the channel can take another message, as waitFor does.
func (l *lane) pace(ctx context.Context) error {
	r := l.limit.Reserve()
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

// A lane keeps what is said in one channel in order, and at its pace. Waiters
// are served first come, first served.
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
