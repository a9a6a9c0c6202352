package storage

import (
	"context"
	"fmt"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// saveTally counts what the roll call has found, for its day.
func (t *tx) saveTally(ctx context.Context, r lifecycle.RollResult, taken time.Time) error {
	row, err := tallyRow(lifecycle.TallyOf(r, taken))
	if err != nil {
		return err
	}
	if err := t.q.SaveTally(ctx, q.SaveTallyParams(row)); err != nil {
		return fmt.Errorf("save the tally of %s: %w", row.Day, err)
	}
	t.wrote.add("tally", row.Day, row.Body)
	return nil
}

func tallyRow(t lifecycle.Tally) (q.Tally, error) {
	body, err := encode(t)
	return q.Tally{Day: string(t.Day), Body: body}, err
}

// Tallies returns the tallies of the days from since on, the oldest first.
func (db *DB) Tallies(ctx context.Context, since lifecycle.Date) ([]lifecycle.Tally, error) {
	return loadAll[lifecycle.Tally](db.read.TalliesSince(ctx, string(since)))
}
