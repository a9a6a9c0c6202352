package pagerduty

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rolecall/lifecycle"
)

// A limiter keeps all calls with one key under PagerDuty's limit. As long as answers tell what is left of the window, that
// is what may be spent, at any speed; before the first answer and after a window has ended, calls drip. Source: PagerDuty's
// page on rate limits, by which ratelimit-reset counts seconds, and a 429 may come without headers.
type limiter struct {
	perMinute int
	bare      time.Duration // the first pause after a 429 that does not say how long
	drip      *rate.Limiter

	mu     sync.Mutex
	known  bool // what follows tells of a window that has not ended
	limit  int
	left   int
	ends   time.Time
	paused time.Time
	bares  int // 429s without headers in a row
	flying int // calls that are under way
}

const (
	burst    = 60 // with 900 a minute that is 960 in the worst minute
	maxPause = 2 * time.Minute
)

// newLimiter keeps its own time: pauses are real, whatever clock the house runs by.
func newLimiter(perMinute int, bare time.Duration) *limiter {
	return &limiter{perMinute: perMinute, bare: bare, drip: rate.NewLimiter(rate.Limit(float64(perMinute)/60), min(burst, perMinute))}
}

// wait returns when a call may be made. A sweep leaves some of each window to calls that somebody waits for. Where that is
// later than ctx lasts, it does not wait at all: the error says when to come back, and costs a job none of its tries.
func (l *limiter) wait(ctx context.Context, sweeping bool) error {
	for {
		until, drip := l.take(sweeping)
		switch {
		case drip:
			return l.drip.Wait(ctx)
		case until.IsZero():
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
			return lifecycle.RetryAfter(errPaused, time.Until(until))
		}
		if err := wait(ctx, time.Until(until)); err != nil {
			return err
		}
	}
}

var errPaused = errors.New("PagerDuty lets no more calls through for now")

// take spends one call, or says until when there is none. Drip asks for one from the bucket.
func (l *limiter) take(sweeping bool) (until time.Time, drip bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.paused) {
		return l.paused, false
	}
	if l.known && !now.Before(l.ends) {
		l.known = false
	}
	if !l.known {
		return time.Time{}, true
	}
	if l.left <= l.reserve(sweeping) {
		return l.ends, false
	}
	l.left--
	return time.Time{}, false
}

func (l *limiter) reserve(sweeping bool) int {
	if !sweeping {
		return 0
	}
	return max(0, l.limit-l.perMinute) + min(l.limit, l.perMinute)/20
}

// note learns from an answer.
func (l *limiter) note(resp *http.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	limit, left, reset, told := limits(resp.Header)
	if told {
		l.learn(limit, left, now.Add(reset))
	}
	switch {
	case resp.StatusCode != http.StatusTooManyRequests:
		l.bares = 0
		return
	case told:
		l.pauseUntil(now.Add(reset))
	default:
		l.bares++
		l.pauseUntil(now.Add(l.bare << min(l.bares-1, 6)))
	}
}

// learn keeps the lower of two counts of one window, since calls under way are in ours and not yet in PagerDuty's. So they
// are taken off the first count of a new window, which was begun by them. Some operations have a smaller limit of their
// own, which their answers tell of instead: that one must not slow all others.
func (l *limiter) learn(limit, left int, ends time.Time) {
	const same = 2 * time.Second // resets are told in whole seconds
	current := l.known && time.Now().Before(l.ends)
	switch {
	case current && limit < l.limit:
		return
	case current && limit == l.limit && ends.Sub(l.ends) < same:
		left = min(left, l.left)
	default:
		left = min(left, limit-l.flying)
	}
	l.known, l.limit, l.left, l.ends = true, limit, left, ends
}

func (l *limiter) pauseUntil(t time.Time) {
	if t.After(l.paused) {
		l.paused = t
	}
}

func limits(h http.Header) (limit, left int, reset time.Duration, told bool) {
	var n [3]int
	for i, key := range []string{"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} {
		v, err := strconv.Atoi(h.Get(key))
		if err != nil || v < 0 {
			return 0, 0, 0, false
		}
		n[i] = v
	}
	return n[0], n[1], min(time.Duration(n[2])*time.Second, maxPause), true
}

// pace lets calls through as the limiter allows.
type pace struct {
	next     http.RoundTripper
	limit    *limiter
	sweeping bool
}

func (p *pace) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := p.limit.wait(req.Context(), p.sweeping); err != nil {
		return nil, &unsentError{cause: err}
	}
	p.limit.fly(1)
	defer p.limit.fly(-1)
	resp, err := p.next.RoundTrip(req)
	if err == nil {
		p.limit.note(resp)
	}
	return resp, err
}

func (l *limiter) fly(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying += n
}
