package pagerdutytest

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A recurrence is the part of RFC 5545 that the schedule editor can load: a frequency, an interval, days of the week, an
// end, and days left out or added. Parts beyond that are refused rather than guessed.
type recurrence struct {
	freq     string
	interval int
	days     []time.Weekday // none: the day of the first shift
	count    int            // 0: no end
	until    time.Time      // zero: no end
	left     []time.Time
	added    []time.Time
}

const icalTime = "20060102T150405Z"

// parseRecurrence reads exactly one RRULE, and any EXDATE and RDATE.
func parseRecurrence(lines []string) (recurrence, error) {
	r := recurrence{interval: 1}
	rules := 0
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		var err error
		switch name {
		case "RRULE":
			rules++
			err = r.rule(value)
		case "EXDATE":
			r.left, err = icalTimes(r.left, value)
		case "RDATE":
			r.added, err = icalTimes(r.added, value)
		default:
			err = fmt.Errorf("%q is not RRULE, EXDATE or RDATE", name)
		}
		if err != nil {
			return r, err
		}
	}
	if rules != 1 {
		return r, fmt.Errorf("there must be exactly one RRULE, not %d", rules)
	}
	return r, nil
}

func (r *recurrence) rule(text string) error {
	for part := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "FREQ":
			r.freq = value
		case "INTERVAL":
			r.interval, err = strconv.Atoi(value)
		case "COUNT":
			r.count, err = strconv.Atoi(value)
		case "UNTIL":
			r.until, err = time.Parse(icalTime, value)
		case "BYDAY":
			r.days, err = weekdays(value)
		case "WKST":
			if value != "MO" {
				err = fmt.Errorf("weeks that begin on %s are not supported", value)
			}
		default:
			err = fmt.Errorf("the part %q is not supported", key)
		}
		if err != nil {
			return fmt.Errorf("RRULE: %w", err)
		}
	}
	switch {
	case !slices.Contains([]string{"HOURLY", "DAILY", "WEEKLY", "MONTHLY"}, r.freq):
		return fmt.Errorf("RRULE: FREQ %q is not HOURLY, DAILY, WEEKLY or MONTHLY", r.freq)
	case r.interval < 1 || r.count < 0:
		return fmt.Errorf("RRULE: INTERVAL and COUNT must be positive")
	case r.freq == "MONTHLY" && len(r.days) > 0:
		return fmt.Errorf("RRULE: BYDAY is not supported with MONTHLY")
	}
	return nil
}

func weekdays(text string) ([]time.Weekday, error) {
	var out []time.Weekday
	for code := range strings.SplitSeq(text, ",") {
		i := slices.Index([]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}, code)
		if i < 0 {
			return nil, fmt.Errorf("BYDAY %q is not a day of the week", code)
		}
		out = append(out, time.Weekday(i))
	}
	return out, nil
}

func icalTimes(to []time.Time, text string) ([]time.Time, error) {
	for one := range strings.SplitSeq(text, ",") {
		t, err := time.Parse(icalTime, one)
		if err != nil {
			return nil, fmt.Errorf("%q is not a time such as 20260131T120000Z", one)
		}
		to = append(to, t)
	}
	return to, nil
}

// occurrences yields the first span and what follows from it by the rule, in order, as long as it begins before the end.
// Days, weeks and months are those of the zone; hours are hours.
func (r recurrence) occurrences(first span, zone *time.Location, end time.Time) iter.Seq[span] {
	return func(yield func(span) bool) {
		for begin := range r.begins(first.from.In(zone), end) {
			if !yield(span{begin.UTC(), endOf(first, begin, zone, r.freq == "HOURLY")}) {
				return
			}
		}
	}
}

// endOf keeps the end on the clock, as the beginning is, unless the shifts are counted in hours.
func endOf(first span, begin time.Time, zone *time.Location, hours bool) time.Time {
	if hours {
		return begin.Add(first.to.Sub(first.from)).UTC()
	}
	long := onAClock(first.to.In(zone)).Sub(onAClock(first.from.In(zone)))
	y, m, d := begin.Date()
	h, mi, sec := begin.Clock()
	return time.Date(y, m, d, h, mi, sec+int(long/time.Second), 0, zone).UTC()
}

// onAClock is what a clock shows, in a zone whose days are all of one length.
func onAClock(t time.Time) time.Time {
	y, m, d := t.Date()
	h, mi, s := t.Clock()
	return time.Date(y, m, d, h, mi, s, 0, time.UTC)
}

func (r recurrence) begins(first, end time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		added := slices.SortedFunc(slices.Values(r.added), time.Time.Compare)
		n := 0
		for t := range r.ruled(first, end) {
			for len(added) > 0 && added[0].Before(t) && added[0].Before(end) {
				if !yield(added[0].In(first.Location())) {
					return
				}
				added = added[1:]
			}
			if n++; (r.count > 0 && n > r.count) || (!r.until.IsZero() && t.After(r.until)) {
				break
			}
			if slices.ContainsFunc(r.left, t.Equal) {
				continue
			}
			if !yield(t) {
				return
			}
		}
		for _, t := range added {
			if !t.Before(end) || !yield(t.In(first.Location())) {
				return
			}
		}
	}
}

// ruled yields the times of the RRULE alone, without an end of its own.
func (r recurrence) ruled(first, end time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for n := 0; ; n++ {
			t := r.step(first, n)
			if !t.Before(end) {
				return
			}
			if !t.Before(first) && r.falls(t, first) && !yield(t) {
				return
			}
		}
	}
}

// step returns the nth time to look at: each day of the weeks that count, or the nth hour, day or month.
func (r recurrence) step(first time.Time, n int) time.Time {
	y, m, d := first.Date()
	h, mi, s := first.Clock()
	switch r.freq {
	case "HOURLY":
		return first.Add(time.Duration(n*r.interval) * time.Hour)
	case "WEEKLY":
		monday := d - (isoWeekday(first) - 1)
		return time.Date(y, m, monday+n/7*7*r.interval+n%7, h, mi, s, 0, first.Location())
	case "MONTHLY":
		return time.Date(y, m+time.Month(n*r.interval), d, h, mi, s, 0, first.Location())
	default:
		return time.Date(y, m, d+n*r.interval, h, mi, s, 0, first.Location())
	}
}

// falls reports whether a time that was stepped on is one of the rule's. A month without the day has none.
func (r recurrence) falls(t, first time.Time) bool {
	switch {
	case r.freq == "MONTHLY":
		return t.Day() == first.Day()
	case len(r.days) > 0:
		return slices.Contains(r.days, t.Weekday())
	case r.freq == "WEEKLY":
		return t.Weekday() == first.Weekday()
	default:
		return true
	}
}
