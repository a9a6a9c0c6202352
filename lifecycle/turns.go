package lifecycle

import (
	"context"
	"sync"
)

// turns lets those of one process who would change the same thing do so one after
// the other: of many at once all but one would have tried in vain. Other replicas
// are not waited for; the store tells of them.
type turns struct {
	mu sync.Mutex
	of map[string]*turn
}

type turn struct {
	free  chan struct{} // holds one, whoever has it is on
	wants int           // who is on or waits
}

// take waits for the turn at key and returns what ends it, or why ctx ended.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	mine := t.join(key)
	select {
	case <-mine.free:
		return func() { mine.free <- struct{}{}; t.leave(key) }, nil
	case <-ctx.Done():
		t.leave(key)
		return nil, ctx.Err()
	}
}

func (t *turns) join(key string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string]*turn{}
	}
	mine, ok := t.of[key]
	if !ok {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.of[key] = mine
	}
	mine.wants++
	return mine
}

// leave forgets a key that nobody wants any more.
func (t *turns) leave(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[key].wants--; t.of[key].wants == 0 {
		delete(t.of, key)
	}
}
