package bot

import (
	"sync"

	"golang.org/x/sync/errgroup"
)

// A pool runs work on a bounded number of goroutines, and knows when they are done.
type pool struct {
	mu     sync.Mutex
	closed bool
	group  errgroup.Group
}

func newPool(limit int) *pool {
	p := &pool{}
	p.group.SetLimit(limit)
	return p
}

// try starts f, or returns false when every goroutine is taken or the pool is closed.
func (p *pool) try(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.closed && p.group.TryGo(func() error { f(); return nil })
}

// close lets no more work in, and waits for what is running.
func (p *pool) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	return p.group.Wait()
}
