package storage

import (
	"context"
	"fmt"

	"rolecall/lifecycle"
)

// Enqueue asks for steps that follow from no row: a roll call that somebody
// wants now, a digest that is due. Everything else is enqueued by the write
// that it follows from.
func (db *DB) Enqueue(ctx context.Context, jobs ...lifecycle.Job) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing once committed
	if err := db.enqueue(ctx, tx, jobs, nil); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
