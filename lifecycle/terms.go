package lifecycle

import (
	"context"
	"time"
)

// TermStore is where it is looked up what changes between two policies.
type TermStore interface {
	// Groups is GroupStore's.
	Groups(ctx context.Context) ([]Group, error)
	// Granted returns the requests whose effect ends after t and stands until then, the oldest first.
	Granted(ctx context.Context, t time.Time) ([]Request, error)
}
