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

// spend counts a call against the credential's minute and writes the ratelimit headers. It reports whether the call is
// within the limit.
func (a *Account) spend(key string, at time.Time, h http.Header) bool {
	if a.cfg.RateLimit < 0 {
		return true
	}
	w := a.limits[key]
	if w == nil || !at.Before(w.ends) {
		w = &window{ends: at.Add(time.Minute)}
		a.limits[key] = w
	}
	w.used++
	setLimit(h, a.cfg.RateLimit, a.cfg.RateLimit-w.used, w.ends.Sub(at))
	return w.used <= a.cfg.RateLimit
}

// setLimit writes the headers; reset is in whole seconds from now, not a time of day.
func setLimit(h http.Header, limit, left int, reset time.Duration) {
	h.Set("ratelimit-limit", strconv.Itoa(limit))
	h.Set("ratelimit-remaining", strconv.Itoa(max(left, 0)))
	h.Set("ratelimit-reset", strconv.Itoa(int(math.Ceil(reset.Seconds()))))
}
