package lifecycle

import (
	"context"
	"time"
)

// A Glance is what a look at a few accounts, between two whole roll calls, has
// concluded about them.
type Glance struct {
	Accounts []Account   // as they were read, to take the place of what the baseline has of them
	Gone     []AccountID // that PagerDuty said do not exist any more
	Open     []Finding   // of those accounts, that stand now
	Cleared  []Finding   // of those accounts, that stood before and do not any more
	Events   []AuditEvent
	Until    time.Time // the moment that the look was at; all of the above was read after it
}

// GlanceStore is where a glance begins and where its result is kept.
type GlanceStore interface {
	// LastRollCall returns when the last whole roll call was, or the zero time.
	LastRollCall(ctx context.Context) (time.Time, error)
	// Glanced returns Until of the last glance that was stored, or the zero time.
	Glanced(ctx context.Context) (time.Time, error)
	// SaveGlance stores the findings, what the accounts held, and Until, in one
	// transaction; accounts that are not named stay as they are. An account of
	// which something newer than Until is known keeps that. It returns ErrConflict
	// and stores nothing when a whole roll call later than Until is stored already.
	SaveGlance(ctx context.Context, g Glance, next ...Job) error
}
