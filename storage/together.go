package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// Notices come many at once, and a commit costs more than what is in it. So
// whoever saves a fact queues up, and whoever then gets the turn to write
// writes for all that wait. Nothing runs in the background, and one that is
// alone waits for nobody.

const (
	mostTogether = 128 // facts a commit, so that nobody else who writes waits long

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

// saving is a fact on its way into the database. What is below settled may be
// read once that is closed.
type saving struct {
	row      q.Fact
	event    lifecycle.AuditEvent
	next     []lifecycle.Job
	settled  chan struct{}
	kept     bool
	standing lifecycle.NoticeID // where the source has said this before
}

// saveTogether returns once s is committed, by this caller or by another. One
// whose commit failed is tried again alone, under its own ctx: whoever made the
// commit fail has the error to himself.
func (db *DB) saveTogether(ctx context.Context, s *saving) error {
	db.facts.join(s)
	for !s.isSettled() {
		select {
		case <-ctx.Done():
			db.facts.leave(s)
			return fmt.Errorf("wait to be written: %w", ctx.Err())
		case db.facts.turn <- struct{}{}:
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
	defer func() { <-db.facts.turn }()
	if db.facts.empty() {
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
		called = db.facts.call()
		return called
	})
	if kept = err == nil; called == nil { // it could not begin; each finds out by itself
		called = db.facts.call()
	}
}

// saveAll saves whom call returns in one commit. One fact may be there twice:
// the second finds that the first stands.
func (db *DB) saveAll(ctx context.Context, call func() []*saving) error {
	err := db.inTx(ctx, func(t *tx) error {
		for _, s := range call() {
			if err := s.save(ctx, t); err != nil {
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

// call returns those who have waited longest, in the order of their keys: two
// replicas that insert the same facts must not wait for one another.
func (g *gathering) call() []*saving {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), mostTogether)
	called := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	slices.SortStableFunc(called, func(a, b *saving) int {
		return cmp.Or(cmp.Compare(a.row.Source, b.row.Source), cmp.Compare(a.row.EventID, b.row.EventID))
	})
	return called
}
