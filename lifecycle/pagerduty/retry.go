package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

const maxBackoff = 8 * time.Second

// A lostError is a write of which nobody knows whether it was made.
type lostError struct{ cause error }

func (e *lostError) Error() string {
	return "the write may or may not have been made: " + e.cause.Error()
}
func (e *lostError) Unwrap() error { return e.cause }

func lost(err error) bool {
	_, is := errors.AsType[*lostError](err)
	return is
}

// retry sends a read again after any trouble that may pass, and a write only when its answer proves that nothing was
// done: anything else is for the caller to look into, by reading. The body is sent whole every time.
type retry struct {
	next    http.RoundTripper
	backoff time.Duration
	tries   int
	log     *slog.Logger
}

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		fresh, err := again(req)
		if err != nil {
			return nil, err
		}
		resp, what, err := r.once(fresh)
		if err == nil && what != limited && what != locked {
			return resp, nil
		}
		if try == r.tries || !repeatable(req, what, err) {
			return resp, settled(req, err)
		}
		r.log.WarnContext(req.Context(), "PagerDuty is asked again", slog.String("method", req.Method),
			slog.String("path", req.URL.Path), slog.Int("try", try), slog.String("why", reasonAgain(what, err)))
		if what == limited {
			continue // everybody pauses together where calls are paced
		}
		if err := pause(req.Context(), r.backoff<<(try-1)); err != nil {
			return nil, err
		}
	}
}

// reasonAgain says why a call is made again.
func reasonAgain(what outcome, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case what == limited:
		return "too many calls in a minute"
	default:
		return "the account is locked by another write"
	}
}

// once returns an answer that proves something, or an error.
func (r *retry) once(req *http.Request) (*http.Response, outcome, error) {
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, broken, err
	}
	what, err := judge(req, resp)
	if err != nil {
		return nil, what, err
	}
	return resp, what, nil
}

func repeatable(req *http.Request, what outcome, err error) bool {
	if req.Context().Err() != nil {
		return false
	}
	unsent, is := errors.AsType[*unsentError](err)
	switch {
	case is:
		return unsent.passing
	case what == limited || what == locked:
		return true
	default:
		return req.Method == http.MethodGet
	}
}

func settled(req *http.Request, err error) error {
	if _, unsent := errors.AsType[*unsentError](err); err == nil || unsent || req.Method == http.MethodGet {
		return err
	}
	return &lostError{err}
}

// pause waits for about d, a random part of it, so that those who wait do not return together.
func pause(ctx context.Context, d time.Duration) error {
	d = min(d, maxBackoff)
	return wait(ctx, d/2+rand.N(d/2+1))
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait for another try: %w", ctx.Err())
	case <-t.C:
		return nil
	}
}
