package storage

import (
	"context"
	"fmt"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// saveTally counts what the roll call has found, for its day, unless a later one
// has done so: of two replicas the slower one may be the one that looked first.
func (t *tx) saveTally(ctx context.Context, r lifecycle.RollResult, taken time.Time) error {
	row, err := tallyRow(lifecycle.TallyOf(r, taken))
	if err != nil {
		return err
	}
	n, err := t.q.SaveTally(ctx, q.SaveTallyParams(row))
	if err != nil {
		return fmt.Errorf("save the tally of %s: %w", row.Day, err)
	}
	if n > 0 {
		t.wrote.add("tally", row.Day, row.Body)
	}
	return nil
}

func tallyRow(t lifecycle.Tally) (q.Tally, error) {
	body, err := encode(t)
	return q.Tally{Day: text(t.Day), At: micros(t.At), Body: body}, err
}

// Tallies returns the tallies of the days from since on, the oldest first. A
// day without a whole roll call has none.
func (db *DB) Tallies(ctx context.Context, since lifecycle.Date) ([]lifecycle.Tally, error) {
	return loadAll[lifecycle.Tally](db.read.TalliesSince(ctx, text(since)))
}
