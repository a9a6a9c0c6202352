package pagerduty

import (
	"context"
	"fmt"
	"sync"
)

// turns lets one at a time have a thing.
type turns struct {
	mu   sync.Mutex
	held map[string]*turn
}

type turn struct {
	busy    chan struct{}
	waiting int
}

func newTurns() *turns { return &turns{held: map[string]*turn{}} }

// take waits for key and returns how to let go of it, or an error when ctx ends first.
func (t *turns) take(ctx context.Context, key string) (func(), error) {
	t.mu.Lock()
	mine := t.held[key]
	if mine == nil {
		mine = &turn{busy: make(chan struct{}, 1)}
		t.held[key] = mine
	}
	mine.waiting++
	t.mu.Unlock()
	select {
	case mine.busy <- struct{}{}:
		return func() { <-mine.busy; t.leave(key, mine) }, nil
	case <-ctx.Done():
		t.leave(key, mine)
		return nil, fmt.Errorf("wait for another change to %s: %w", key, ctx.Err())
	}
}

func (t *turns) leave(key string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.waiting--; mine.waiting == 0 {
		delete(t.held, key)
	}
}
