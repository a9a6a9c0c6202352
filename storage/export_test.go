package storage

import (
	"context"
	"fmt"
	"time"
)

// HoldFacts keeps whoever saves a fact waiting until let is called.
func (db *DB) HoldFacts() (let func()) {
	db.together.turn <- struct{}{}
	return func() { <-db.together.turn }
}

// FactBeingWritten returns once somebody has the turn, and n more wait.
func (db *DB) FactBeingWritten(ctx context.Context, n int) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for len(db.together.turn) == 0 || db.together.count() < n {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %d facts wait: %w", n, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// FactsCalled returns once somebody has the turn, and has called all who waited.
func (db *DB) FactsCalled(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for len(db.together.turn) == 0 || db.together.count() > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until those who waited are called: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func (g *gathering) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

// Freeze lets nothing more be written, as a full disk does, until Thaw.
func (db *DB) Freeze(ctx context.Context) error { return db.frozen(ctx, "ON") }

// Thaw undoes Freeze.
func (db *DB) Thaw(ctx context.Context) error { return db.frozen(ctx, "OFF") }

func (db *DB) frozen(ctx context.Context, how string) error {
	_, err := db.writer.ExecContext(ctx, "PRAGMA query_only = "+how)
	return err
}

// MigrateTo makes the tables of an older rolecall, without the job queue's.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	provider, err := db.goose()
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}
