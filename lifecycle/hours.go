package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Hours are when people work, where they are: durations of an approval count
// only then, and nobody is reminded outside them. The zero Hours are all hours.
type Hours struct {
	Days []time.Weekday `json:"days"` // Sunday is 0
	From time.Duration  `json:"from"` // of the day, from midnight
	To   time.Duration  `json:"to"`   // after From
}

// mostWaited bounds what is counted day by day. Nothing waits that long.
const mostWaited = 5 * 365 * 24 * time.Hour

// Always reports whether all hours are working hours.
func (h Hours) Always() bool { return len(h.Days) == 0 || h.To <= h.From }

// Open reports whether t is in working hours where zone is. The moment at which
// a day ends is not.
func (h Hours) Open(t time.Time, zone *time.Location) bool { return h.Next(t, zone).Equal(t) }

// Next returns t where it is in working hours, else when the next ones begin.
func (h Hours) Next(t time.Time, zone *time.Location) time.Time {
	if h.Always() {
		return t
	}
	next, _ := h.spell(t, zone)
	return next
}

// Add returns when d of working time will have passed since t where zone is. It
// is over with the end of a day and not on the next morning, and is the elapsed
// time also on a day on which clocks change. What is longer than five years is
// counted in all hours.
func (h Hours) Add(t time.Time, d time.Duration, zone *time.Location) time.Time {
	if h.Always() || d <= 0 || d > mostWaited {
		return t.Add(d)
	}
	for {
		from, to := h.spell(t, zone)
		if left := to.Sub(from); d > left {
			t, d = to, d-left
			continue
		}
		return from.Add(d)
	}
}

// Between returns how much working time passes from one time to another where
// zone is.
func (h Hours) Between(from, to time.Time, zone *time.Location) time.Duration {
	if h.Always() {
		return to.Sub(from)
	}
	worked := time.Duration(0)
	for from.Before(to) {
		begins, ends := h.spell(from, zone)
		if ends.After(to) {
			ends = to
		}
		worked += max(ends.Sub(begins), 0)
		from = ends
	}
	return worked
}

// spell returns the working time that t is in, from t on, or else the next one.
// It goes by dates and not by 24 hours: a zone may skip a day altogether.
func (h Hours) spell(t time.Time, zone *time.Location) (from, to time.Time) {
	y, m, d := t.In(zone).Date()
	for date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC); ; date = date.AddDate(0, 0, 1) {
		if !slices.Contains(h.Days, date.Weekday()) {
			continue
		}
		from, to = clockAt(date, h.From, zone), clockAt(date, h.To, zone)
		if from.Before(t) {
			from = t
		}
		if from.Before(to) {
			return from, to
		}
	}
}

// clockAt returns when the clocks of zone show that time of the date: the first
// time where they show it twice, and where they are put past it, when that happens.
func clockAt(date time.Time, of time.Duration, zone *time.Location) time.Time {
	shown := date.Add(of)
	y, m, d := shown.Date()
	t := time.Date(y, m, d, shown.Hour(), shown.Minute(), shown.Second(), 0, zone)
	_, offset := t.Zone()
	before, after := t.ZoneBounds()
	switch is := t.Add(time.Duration(offset) * time.Second); {
	case is.After(shown):
		return before
	case is.Before(shown):
		return after
	}
	_, offset = before.Add(-1).Zone() // as it was until the clocks were last put
	if first := shown.Add(-time.Duration(offset) * time.Second); !before.IsZero() && first.Before(before) {
		return first.In(zone)
	}
	return t
}

// String says the hours for people: "Monday to Friday, 09:00–17:30".
func (h Hours) String() string {
	if h.Always() {
		return "all hours"
	}
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute) }
	return h.daysInWords() + ", " + clock(h.From) + "–" + clock(h.To)
}

func (h Hours) daysInWords() string {
	var days []string
	first, last := -1, -1
	for k := range 7 {
		day := time.Weekday((k + 1) % 7) // the week begins on Monday
		if !slices.Contains(h.Days, day) {
			continue
		}
		if first < 0 {
			first = k
		}
		last = k
		days = append(days, day.String())
	}
	switch {
	case len(days) == 7:
		return "every day"
	case len(days) > 2 && last-first == len(days)-1:
		return days[0] + " to " + days[len(days)-1]
	default:
		return strings.Join(days, ", ")
	}
}
