package pagerdutytest

import (
	"slices"
	"time"
)

// A span is the time from its start up to, and without, its end.
type span struct{ from, to time.Time }

// A shift is one person on call for a span.
type shift struct {
	user string
	span
}

// span reads since and until. The third result refuses what is not a time or not an order.
func (c *call) span(from, to time.Time) (span, *reply) {
	q := c.r.URL.Query()
	s := span{from, to}
	for key, at := range map[string]*time.Time{"since": &s.from, "until": &s.to} {
		if q.Get(key) == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, q.Get(key))
		if err != nil {
			return s, new(invalid(key + " must be a time such as 2026-01-31T12:00:00Z"))
		}
		*at = t.UTC()
	}
	if s.to.Before(s.from) {
		return s, new(invalid("until must not be before since"))
	}
	return s, nil
}

// ahead reads since and until as a span that has the length: from since, up to until when only that is given, or from now.
func (c *call) ahead(length time.Duration) (span, *reply) {
	q, from := c.r.URL.Query(), c.at
	if t, err := time.Parse(time.RFC3339, q.Get("since")); err == nil {
		from = t.UTC()
	} else if t, err := time.Parse(time.RFC3339, q.Get("until")); err == nil && q.Get("since") == "" && length > 0 {
		from = t.UTC().Add(-length)
	}
	return c.span(from, from.Add(length)) // refuses a since that is no time
}

// bounds reads since and until where both are required.
func (c *call) bounds(refusal func(field, why string) reply) (span, *reply) {
	q := c.r.URL.Query()
	var s span
	for _, x := range []struct {
		key string
		at  *time.Time
	}{{"since", &s.from}, {"until", &s.to}} {
		t, err := time.Parse(time.RFC3339, q.Get(x.key))
		if err != nil {
			return s, new(refusal(x.key, x.key+" is required, as a time such as 2026-01-31T12:00:00Z"))
		}
		*x.at = t.UTC()
	}
	if !s.from.Before(s.to) {
		return s, new(refusal("until", "until must be after since"))
	}
	return s, nil
}

// draw says who is on call when, given who is at each moment and all moments at which that may change.
func draw(edges []time.Time, over span, who func(time.Time) string) []shift {
	edges = append(edges, over.from, over.to)
	edges = slices.DeleteFunc(edges, func(t time.Time) bool { return t.Before(over.from) || t.After(over.to) })
	slices.SortFunc(edges, time.Time.Compare)
	var out []shift
	for i := 1; i < len(edges); i++ {
		from, to := edges[i-1], edges[i]
		if !from.Before(to) {
			continue
		}
		if user := who(from); user != "" {
			out = joined(out, shift{user: user, span: span{from, to}})
		}
	}
	return out
}

// joined adds a shift, as one with the last when that is the same user's and ends where it begins.
func joined(out []shift, s shift) []shift {
	if n := len(out); n > 0 && out[n-1].user == s.user && out[n-1].to.Equal(s.from) {
		out[n-1].to = s.to
		return out
	}
	return append(out, s)
}

// within cuts the shifts at the ends of a span and drops those outside.
func within(all []shift, over span) []shift {
	var out []shift
	for _, s := range all {
		if s.overlaps(over) {
			s.from, s.to = later(s.from, over.from), earlier(s.to, over.to)
			out = append(out, s)
		}
	}
	return out
}

// overlaps reports whether the spans have a moment in common. A span without length is its moment.
func (s span) overlaps(o span) bool {
	return s.to.After(o.from) && (s.from.Before(o.to) || !s.from.After(o.from))
}

func (s span) wider(by time.Duration) span { return span{s.from.Add(-by), s.to.Add(by)} }

func later(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

func earlier(x, y time.Time) time.Time {
	if x.Before(y) {
		return x
	}
	return y
}

// coverage is the share of the span that somebody is on call for, in percent, however many at once.
func coverage(shifts []shift, over span) float64 {
	shifts = slices.Clone(shifts)
	slices.SortFunc(shifts, func(x, y shift) int { return x.from.Compare(y.from) })
	var held time.Duration
	upTo := over.from
	for _, s := range shifts {
		from := later(s.from, upTo)
		if s.user != "" && s.to.After(from) {
			held += s.to.Sub(from)
			upTo = s.to
		}
	}
	if whole := over.to.Sub(over.from); whole > 0 {
		return 100 * float64(held) / float64(whole)
	}
	return 0
}
