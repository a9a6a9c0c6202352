package lifecycle

import "context"

// OriginalStore keeps objects as they were before a change.
type OriginalStore interface {
	// KeepOriginal stores o. What is kept for its change already stays as it is,
	// which is no error: a repeated step must not take its own effect for the original.
	KeepOriginal(ctx context.Context, o Original, e AuditEvent) error
	// Original returns what was kept for the change, or ErrNotFound.
	Original(ctx context.Context, id ChangeID) (Original, error)
}
