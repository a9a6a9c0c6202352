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

// ahead reads since and until as a span that begins now and has the length, unless they say otherwise.
func (c *call) ahead(length time.Duration) (span, *reply) {
	from := c.at
	if t, err := time.Parse(time.RFC3339, c.r.URL.Query().Get("since")); err == nil {
		from = t.UTC()
	}
	return c.span(from, from.Add(length)) // refuses a since that is no time
}

// render says who is on call when: at each moment the last layer that has somebody wins.
func render(layers []Layer, over span) []shift {
	edges := []time.Time{over.from, over.to}
	for _, l := range layers {
		edges = append(edges, l.edges(over)...)
	}
	slices.SortFunc(edges, time.Time.Compare)
	var out []shift
	for i := 1; i < len(edges); i++ {
		from, to := edges[i-1], edges[i]
		user := onCall(layers, from)
		if user == "" || !from.Before(to) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].user == user && out[n-1].to.Equal(from) {
			out[n-1].to = to
			continue
		}
		out = append(out, shift{user: user, span: span{from, to}})
	}
	return out
}

func onCall(layers []Layer, at time.Time) string {
	for _, l := range slices.Backward(layers) {
		if u := l.onCall(at); u != "" {
			return u
		}
	}
	return ""
}

// onCall returns whose turn it is in the layer, or nobody.
func (l Layer) onCall(at time.Time) string {
	if len(l.UserIDs) == 0 || at.Before(l.Start) || (!l.End.IsZero() && !at.Before(l.End)) {
		return ""
	}
	turns := int(at.Sub(l.VirtualStart) / l.Turn)
	if at.Before(l.VirtualStart) {
		return ""
	}
	return l.UserIDs[turns%len(l.UserIDs)]
}

// edges are the moments within over at which the layer may change hands.
func (l Layer) edges(over span) []time.Time {
	var out []time.Time
	keep := func(t time.Time) {
		if t.After(over.from) && t.Before(over.to) {
			out = append(out, t)
		}
	}
	keep(l.Start)
	keep(l.End)
	t := l.VirtualStart
	if over.from.After(t) {
		t = t.Add(over.from.Sub(t) / l.Turn * l.Turn)
	}
	for ; t.Before(over.to); t = t.Add(l.Turn) {
		keep(t)
	}
	return out
}

// turnAt returns the whole shift around a moment, looking no further than a rotation and a bit each way.
func turnAt(layers []Layer, at time.Time) (shift, bool) {
	reach := 24 * time.Hour
	for _, l := range layers {
		reach = max(reach, time.Duration(len(l.UserIDs)+1)*l.Turn)
	}
	for _, s := range render(layers, span{at.Add(-reach), at.Add(reach)}) {
		if !at.Before(s.from) && at.Before(s.to) {
			return s, true
		}
	}
	return shift{}, false
}

// coverage is the share of the span that somebody is on call for, in percent.
func coverage(shifts []shift, over span) float64 {
	var held time.Duration
	for _, s := range shifts {
		held += s.to.Sub(s.from)
	}
	if whole := over.to.Sub(over.from); whole > 0 {
		return 100 * float64(held) / float64(whole)
	}
	return 0
}
