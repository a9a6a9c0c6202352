package pagerdutytest

import (
	"slices"
	"time"
)

// A Schedule is a layer-based (v2) schedule. Layers are kept as the web app numbers them: the last one wins. Of overrides,
// which win over all layers, the last one made wins.
type Schedule struct {
	ID, Name, Description, TimeZone string
	TeamIDs                         []string
	Layers                          []Layer
	Overrides                       []Override
}

// A Layer is one layer of a layer-based schedule: its users take turns, counted from VirtualStart in seconds. It names
// somebody only between Start and End, and only within its restrictions when it has any.
type Layer struct {
	ID, Name     string
	Start        time.Time
	End          time.Time // zero: it never ends
	VirtualStart time.Time // Start when zero
	Turn         time.Duration
	UserIDs      []string
	Restrictions []Restriction
}

// A Restriction is a time of every day, or of one day of every week, on the clocks of the schedule's zone.
type Restriction struct {
	Weekday int           // 1 is Monday, 7 is Sunday; 0 is every day
	From    time.Duration // since midnight
	Length  time.Duration
}

// An Override puts one user on call for a while, whatever the layers say.
type Override struct {
	ID, UserID string
	Start, End time.Time
}

func (s Schedule) clone() Schedule {
	s.TeamIDs, s.Overrides = slices.Clone(s.TeamIDs), slices.Clone(s.Overrides)
	s.Layers = slices.Clone(s.Layers)
	for i := range s.Layers {
		s.Layers[i] = s.Layers[i].clone()
	}
	return s
}

func (l Layer) clone() Layer {
	l.UserIDs, l.Restrictions = slices.Clone(l.UserIDs), slices.Clone(l.Restrictions)
	return l
}

func (s Schedule) zone() *time.Location { return zoneOf(s.TimeZone) }

// zoneOf returns the zone of a name that was checked when it was stored.
func zoneOf(name string) *time.Location {
	if name == accountZone { // most are there, and a zone is read from disk
		return time.UTC
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return z
}

func (l Layer) ended(at time.Time) bool { return !l.End.IsZero() && !at.Before(l.End) }

// seats reports whether the user has a place in a layer that has not ended.
func (s Schedule) seats(user string, at time.Time) bool {
	return slices.Contains(s.seated(at), user)
}

// seated returns who has a place in layers that have not ended, each once.
func (s Schedule) seated(at time.Time) []string {
	var out []string
	for _, l := range s.Layers {
		if l.ended(at) {
			continue
		}
		for _, u := range l.UserIDs {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}

// render says who is on call when: at each moment the last override wins, then the last layer that has somebody.
func (s Schedule) render(over span) []shift {
	zone := s.zone()
	var edges []time.Time
	for _, l := range s.Layers {
		edges = append(edges, l.edges(over, zone)...)
	}
	for _, o := range s.Overrides {
		edges = append(edges, o.Start, o.End)
	}
	return draw(edges, over, func(at time.Time) string {
		if u := overriding(s.Overrides, at); u != "" {
			return u
		}
		for _, l := range slices.Backward(s.Layers) {
			if u := l.onCall(at, zone); u != "" {
				return u
			}
		}
		return ""
	})
}

func (l Layer) render(over span, zone *time.Location) []shift {
	return draw(l.edges(over, zone), over, func(at time.Time) string { return l.onCall(at, zone) })
}

func renderOverrides(all []Override, over span) []shift {
	var edges []time.Time
	for _, o := range all {
		edges = append(edges, o.Start, o.End)
	}
	return draw(edges, over, func(at time.Time) string { return overriding(all, at) })
}

func overriding(all []Override, at time.Time) string {
	for _, o := range slices.Backward(all) {
		if !at.Before(o.Start) && at.Before(o.End) {
			return o.UserID
		}
	}
	return ""
}

// onCall returns whose turn it is in the layer, or nobody. Turns are counted in seconds; whether PagerDuty moves them
// with the clocks of summer is not documented.
func (l Layer) onCall(at time.Time, zone *time.Location) string {
	if len(l.UserIDs) == 0 || at.Before(l.Start) || at.Before(l.VirtualStart) || l.ended(at) || !l.open(at, zone) {
		return ""
	}
	return l.UserIDs[int(at.Sub(l.VirtualStart)/l.Turn)%len(l.UserIDs)]
}

func (l Layer) open(at time.Time, zone *time.Location) bool {
	return len(l.Restrictions) == 0 || slices.ContainsFunc(l.Restrictions, func(r Restriction) bool {
		return slices.ContainsFunc(r.windows(span{at, at}, zone), func(w span) bool { return !at.Before(w.from) && at.Before(w.to) })
	})
}

// edges are the moments within over at which the layer may change hands.
func (l Layer) edges(over span, zone *time.Location) []time.Time {
	out := []time.Time{l.Start, l.End}
	t := l.VirtualStart
	if over.from.After(t) {
		t = t.Add(over.from.Sub(t) / l.Turn * l.Turn)
	}
	for ; t.Before(over.to); t = t.Add(l.Turn) {
		out = append(out, t)
	}
	for _, r := range l.Restrictions {
		for _, w := range r.windows(over, zone) {
			out = append(out, w.from, w.to)
		}
	}
	return out
}

// windows are the times that the restriction leaves open around a span.
func (r Restriction) windows(over span, zone *time.Location) []span {
	var out []span
	y, m, d := over.from.In(zone).Date()
	for day := -7; ; day++ {
		midnight := time.Date(y, m, d+day, 0, 0, 0, 0, zone)
		if midnight.After(over.to) {
			return out
		}
		if r.Weekday != 0 && isoWeekday(midnight) != r.Weekday {
			continue
		}
		from := onClock(midnight, r.From)
		out = append(out, span{from, from.Add(r.Length)})
	}
}

func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// onClock returns the moment of a day at which its clocks show the time since midnight.
func onClock(day time.Time, clock time.Duration) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, 0, int(clock/time.Second), 0, day.Location())
}

// reach is how far to look each way for the beginning and the end of a shift.
func (s Schedule) reach() time.Duration {
	reach := 24 * time.Hour
	for _, l := range s.Layers {
		reach = max(reach, time.Duration(len(l.UserIDs)+1)*l.Turn)
	}
	return reach
}
