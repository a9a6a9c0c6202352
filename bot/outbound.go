package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rolecall/lifecycle"
)

const (
	namesKept = 10 * time.Minute
	namesMost = 10_000
)

// An outbound does the steps of the flow that say something in Slack.
type outbound struct {
	Config
	box     *outbox
	locks   *locks
	turns   *turns
	members memberList

	mu      sync.Mutex
	known   map[string]knownName // by folded address
	intents map[string]struct{}  // keys of messages that this process is about to send
	self    string               // our own Slack user id, once Slack has said it
}

type knownName struct {
	id lifecycle.SlackID
	at time.Time
}

// newOutbound returns an outbound that speaks through box.
func newOutbound(cfg Config, box *outbox) *outbound {
	return &outbound{Config: cfg, box: box, locks: newLocks(), turns: newTurns(), known: map[string]knownName{}, intents: map[string]struct{}{}}
}

// handlers returns what does each step. Digests come round again by themselves.
func (o *outbound) handlers() map[lifecycle.JobKind]func(context.Context, lifecycle.Attempt) error {
	return map[lifecycle.JobKind]func(context.Context, lifecycle.Attempt) error{
		lifecycle.JobShow:    o.untilSaid(o.show),
		lifecycle.JobRemind:  o.untilSaid(o.remind),
		lifecycle.JobAlert:   o.untilSaid(o.alert),
		lifecycle.JobDigests: o.digests,
		lifecycle.JobCase:    o.untilSaid(o.showCase),
		lifecycle.JobHold:    o.untilSaid(o.showHold),
		lifecycle.JobEnding:  o.untilSaid(o.ending),
		lifecycle.JobGroups:  o.readGroups,
	}
}

const lastResort = 30 * time.Minute

// untilSaid has a step that has used up its tries tried on, every half hour:
// Slack can be down for longer than any queue is patient, and a card that was
// given up would be wrong for ever.
func (o *outbound) untilSaid(step func(context.Context, lifecycle.Attempt) error) func(context.Context, lifecycle.Attempt) error {
	return func(ctx context.Context, a lifecycle.Attempt) error {
		err := step(ctx, a)
		if _, told := errors.AsType[*lifecycle.JobError](err); err == nil || told || !a.Last {
			return err
		}
		// The queue will take this for waiting, and say no more of it than that.
		o.Log.ErrorContext(ctx, "slack is not told the truth yet", slog.String("ref", a.Ref), slog.Duration("again_in", lastResort), slog.Any("err", err))
		return lifecycle.RetryAfter(err, lastResort)
	}
}

// slackID returns the Slack user of the address: the pinned one, else the
// active member with exactly that address; "" when there is none.
func (o *outbound) slackID(ctx context.Context, email string) (lifecycle.SlackID, error) {
	email = lifecycle.FoldEmail(email)
	if email == "" {
		return "", nil
	}
	if id, ok := o.remembered(email); ok {
		return id, nil
	}
	id, err := o.lookUp(ctx, email)
	if err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.known) >= namesMost {
		clear(o.known)
	}
	o.known[email] = knownName{id, o.Now()}
	return id, nil
}

func (o *outbound) remembered(email string) (lifecycle.SlackID, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k, ok := o.known[email]
	return k.id, ok && o.Now().Sub(k.at) < namesKept
}

func (o *outbound) lookUp(ctx context.Context, email string) (lifecycle.SlackID, error) {
	switch i, err := o.Directory.Find(ctx, email); {
	case err == nil && i.Slack != "":
		return i.Slack, nil
	case err != nil && lifecycle.ReasonOf(err) == "":
		return "", fmt.Errorf("look up the Slack user of an address: %w", err)
	}
	if id := o.listed(email); id != "" {
		return id, nil
	}
	u, err := o.box.userByEmail(ctx, email)
	switch {
	case isCode(err, "users_not_found"):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look up the Slack user of an address: %w", err)
	case u.Deleted || u.IsBot || u.IsStranger:
		return "", nil
	}
	return lifecycle.SlackID(u.ID), nil
}

// left reports whether whoever has the address has left.
func (o *outbound) left(ctx context.Context, email string) (bool, error) {
	i, err := o.Directory.Find(ctx, email)
	if err != nil && lifecycle.ReasonOf(err) == "" {
		return false, fmt.Errorf("look up whether somebody has left: %w", err)
	}
	return err == nil && i.StatusAt(o.Now()) == lifecycle.StatusEnded, nil
}

// names returns the Slack users of the addresses that have one.
func (o *outbound) names(ctx context.Context, emails ...string) (map[string]lifecycle.SlackID, error) {
	names := make(map[string]lifecycle.SlackID, len(emails))
	for _, email := range emails {
		id, err := o.slackID(ctx, email)
		if err != nil {
			return nil, err
		}
		if id != "" {
			names[lifecycle.FoldEmail(email)] = id
		}
	}
	return names, nil
}

// whoWeAre returns our own Slack user id.
func (o *outbound) whoWeAre(ctx context.Context) (string, error) {
	o.mu.Lock()
	self := o.self
	o.mu.Unlock()
	if self != "" {
		return self, nil
	}
	us, err := o.box.authTest(ctx)
	if err != nil {
		return "", fmt.Errorf("ask Slack who we are: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.self = us.UserID
	return us.UserID, nil
}

// locks lets one worker at a time draw what one key names.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	turn    chan struct{}
	waiting int
}

func newLocks() *locks { return &locks{held: map[string]*lock{}} }

// take returns once nobody else holds the key; release must follow. It returns
// a lifecycle.RetryAfter when ctx ends before that.
func (l *locks) take(ctx context.Context, key string) (release func(), err error) {
	l.mu.Lock()
	k, ok := l.held[key]
	if !ok {
		k = &lock{turn: make(chan struct{}, 1)}
		l.held[key] = k
	}
	k.waiting++
	l.mu.Unlock()
	done := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.waiting--; k.waiting == 0 {
			delete(l.held, key)
		}
	}
	select {
	case k.turn <- struct{}{}:
		return func() { <-k.turn; done() }, nil
	case <-ctx.Done():
		done()
		return nil, lifecycle.RetryAfter(fmt.Errorf("wait for the card: %w", ctx.Err()), time.Second)
	}
}
