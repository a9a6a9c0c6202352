package okta

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

const (
	cursorName = Source + "/log"
	// overlap is read once more in every run: what was published before the newest
	// event that is known may have come into the log after it.
	overlap = 5 * time.Minute
)

// A cursor is how far the log has been read.
type cursor struct {
	Published time.Time `json:"published"`      // of the newest event that was taken in, or when the first run began to look
	Next      string    `json:"next,omitempty"` // where the run goes on that did not come to the end
}

// cursor returns how far the log has been read. One that is not there, or cannot
// be read, begins as long ago as the first run looks back.
func (r *Resync) cursor(ctx context.Context) (cursor, error) {
	text, err := r.config.Cursors.Cursor(ctx, cursorName)
	if err != nil {
		return cursor{}, fmt.Errorf("load how far Okta's log was read: %w", err)
	}
	var c cursor
	if text != "" {
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return cursor{}, fmt.Errorf("read how far Okta's log was read: %w", err)
		}
	}
	if c.Published.IsZero() {
		c.Published = r.config.Now().Add(-r.config.Lookback).UTC()
	}
	return c, nil
}

func (r *Resync) saveCursor(ctx context.Context, c cursor) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write how far Okta's log was read: %w", err)
	}
	if err := r.config.Cursors.SaveCursor(ctx, cursorName, string(text)); err != nil {
		return fmt.Errorf("save how far Okta's log was read: %w", err)
	}
	return nil
}
