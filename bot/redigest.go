package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"rolecall/lifecycle"
)

// turns spares drawings that nobody would see: of many who ask for the same one
// while it waits, the first draws for all.
type turns struct {
	mu            sync.Mutex
	asked, served map[string]int
}

func newTurns() *turns { return &turns{asked: map[string]int{}, served: map[string]int{}} }

func (t *turns) ask(key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked[key]++
	return t.asked[key]
}

// begin returns what the drawing that begins now serves, and false when the nth
// has been served by another.
func (t *turns) begin(key string, n int) (serves int, needed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked[key], t.served[key] < n
}

func (t *turns) serve(key string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.served[key] = max(t.served[key], n)
}

// redigest brings today's digests to the truth that show what the requests are
// about. Whoever has none today is left alone.
func (o *outbound) redigest(ctx context.Context, rs []lifecycle.Request) error {
	p, err := o.Policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	var failed []error
	for _, email := range p.People() {
		if slices.ContainsFunc(rs, func(r lifecycle.Request) bool { return p.Stands(r, email) != "" }) {
			failed = append(failed, o.redrawDigest(ctx, email))
		}
	}
	return errors.Join(failed...)
}

// redrawDigest edits the digest that somebody was sent today.
func (o *outbound) redrawDigest(ctx context.Context, email string) error {
	email = lifecycle.FoldEmail(email)
	n := o.turns.ask(email)
	release, err := o.locks.take(ctx, "digest/"+email)
	if err != nil {
		return err
	}
	defer release()
	serves, needed := o.turns.begin(email, n)
	if !needed {
		return nil
	}
	id, err := o.slackID(ctx, email)
	if err != nil || id == "" {
		return err
	}
	loc, err := o.zoneOf(ctx, string(id))
	if err != nil {
		return err
	}
	key := digestKey(email, o.Now().In(loc))
	was, err := o.message(ctx, key)
	if err != nil || was.TS == "" {
		return err
	}
	v, err := o.composed(ctx, email, loc)
	if err != nil {
		return err
	}
	if _, err := o.deliver(ctx, parcel{Key: key, Channel: was.Channel, Message: v.message()}, was); err != nil {
		return fmt.Errorf("edit digest: %w", err)
	}
	o.turns.serve(email, serves)
	return nil
}
