package lifecycle

import (
	"context"
	"time"
)

// A Tally counts the findings that stood after the last roll call of a day, for
// the trend. Kept findings count apart: somebody has looked at them.
type Tally struct {
	Day   Date                `json:"day"` // in UTC
	At    time.Time           `json:"at"`  // of that roll call
	Kinds map[FindingKind]int `json:"kinds"`
	Kept  int                 `json:"kept"`
	Seen  int                 `json:"seen"` // accounts
}

// TallyStore keeps the trend. A roll call's tally is stored with its result.
type TallyStore interface {
	// Tallies returns the tallies of the days from since on, the oldest first. A day
	// without a whole roll call has none.
	Tallies(ctx context.Context, since Date) ([]Tally, error)
}

// TallyOf counts what the roll call has found, for the day on which it looked.
func TallyOf(r RollResult, looked time.Time) Tally {
	t := Tally{Day: Date(looked.UTC().Format(time.DateOnly)), At: looked, Kinds: map[FindingKind]int{}, Seen: len(r.Snapshot.Accounts)}
	for _, f := range r.Open {
		if f.Exception != "" {
			t.Kept++
			continue
		}
		t.Kinds[f.Kind]++
	}
	return t
}
