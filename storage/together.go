package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Facts, and changes of what is provisioned, come many at once, and a commit
// costs more than what is in it. So whoever saves one queues up, and whoever then
// gets the turn to write writes for all that wait. Nothing runs in the
// background, and one that is alone waits for nobody.

const (
	mostTogether = 128 // savings a commit, so that nobody else who writes waits long

	// togetherTimeout bounds a commit that no longer hears its caller's context:
	// it is as long as SQLite waits for another process to let go of the file.
	togetherTimeout = 10 * time.Second
)

// gathering is who waits to be written.
type gathering struct {
	turn    chan struct{} // has room for the one who writes
	mu      sync.Mutex
	waiting []*saving
}

func newGathering() *gathering { return &gathering{turn: make(chan struct{}, 1)} }

// saving is something on its way into the database.
type saving struct {
	what    savable
	settled chan struct{}
	kept    bool // may be read once settled is closed
}

// savable is what may share a commit.
type savable interface {
	// key orders those who share a commit: two replicas that insert the same rows
	// must not wait for one another.
	key() string
	// save writes, and leaves its lines and its jobs in t. It may be called again
	// after a transaction that was rolled back.
	save(ctx context.Context, t *tx) error
}

// saveTogether returns once what is committed, by this caller or by another. One
// whose commit failed is tried again alone, under its own ctx: whoever made the
// commit fail has the error to himself.
func (db *DB) saveTogether(ctx context.Context, what savable) error {
	s := &saving{what: what, settled: make(chan struct{})}
	db.together.join(s)
	for !s.isSettled() {
		select {
		case <-ctx.Done():
			db.together.leave(s)
			return fmt.Errorf("wait to be written: %w", ctx.Err())
		case db.together.turn <- struct{}{}:
			db.takeTurn(ctx)
		case <-s.settled:
		}
	}
	if s.kept {
		return nil
	}
	return db.saveAll(ctx, func() []*saving { return []*saving{s} })
}

func (s *saving) isSettled() bool {
	select {
	case <-s.settled:
		return true
	default:
		return false
	}
}

// takeTurn writes those who wait. It calls them once the transaction has begun,
// for until then more may join. The end of one caller's ctx is not the others'.
func (db *DB) takeTurn(ctx context.Context) {
	defer func() { <-db.together.turn }()
	if db.together.empty() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), togetherTimeout)
	defer cancel()
	var called []*saving
	kept := false
	defer func() {
		for _, s := range called {
			s.kept = kept
			close(s.settled)
		}
	}()
	err := db.saveAll(ctx, func() []*saving {
		called = db.together.call()
		return called
	})
	if kept = err == nil; called == nil { // it could not begin; each finds out by itself
		called = db.together.call()
	}
}

// saveAll saves whom call returns in one commit. One fact may be there twice:
// the second finds that the first stands.
func (db *DB) saveAll(ctx context.Context, call func() []*saving) error {
	err := db.inTx(ctx, func(t *tx) error {
		for _, s := range call() {
			if err := s.what.save(ctx, t); err != nil {
				return err
			}
		}
		if len(t.lines) == 0 {
			return errUnchanged
		}
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

func (g *gathering) join(s *saving) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, s)
}

func (g *gathering) leave(s *saving) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(w *saving) bool { return w == s })
}

func (g *gathering) empty() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) == 0
}

// call returns those who have waited longest, in the order of their keys.
func (g *gathering) call() []*saving {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), mostTogether)
	called := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	slices.SortStableFunc(called, func(a, b *saving) int {
		return cmp.Compare(a.what.key(), b.what.key())
	})
	return called
}
