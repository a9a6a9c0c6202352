package pagerdutytest

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// A window is the minute that a credential's calls are counted in.
type window struct {
	ends time.Time
	used int
}

// spend counts a call against the credential's minute, and the operation's, and writes the ratelimit headers: they
// describe the limit that is closest to being hit. It reports whether the call is within both.
func (a *Account) spend(key, op string, at time.Time, h http.Header) bool {
	within, left := true, math.MaxInt
	count := func(bucket string, limit int) {
		w := a.limits[bucket]
		if w == nil || !at.Before(w.ends) {
			w = &window{ends: at.Add(time.Minute)}
			a.limits[bucket] = w
		}
		w.used++
		within = within && w.used <= limit
		if limit-w.used < left {
			left = limit - w.used
			setLimit(h, limit, left, w.ends.Sub(at))
		}
	}
	if a.cfg.RateLimit > 0 {
		count(key, a.cfg.RateLimit)
	}
	if limit, has := a.cfg.OpLimits[op]; has {
		count(key+" "+op, limit)
	}
	return within
}

// setLimit writes the headers; reset is in whole seconds from now, not a time of day.
func setLimit(h http.Header, limit, left int, reset time.Duration) {
	h.Set("ratelimit-limit", strconv.Itoa(limit))
	h.Set("ratelimit-remaining", strconv.Itoa(max(left, 0)))
	h.Set("ratelimit-reset", strconv.Itoa(int(math.Ceil(reset.Seconds()))))
}
