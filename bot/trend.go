package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

const trendDays = 90

// A trendLine is one line of the picture: what is counted together, in words.
type trendLine struct {
	name  string
	kinds []lifecycle.FindingKind
}

// trendLines are what Security follows: the lines that should go down.
func trendLines() []trendLine {
	return []trendLine{
		{"Stale access", []lifecycle.FindingKind{lifecycle.FoundStale}},
		{"More than policy says", []lifecycle.FindingKind{lifecycle.FoundExcess, lifecycle.FoundDrift, lifecycle.FoundOrphan}},
		{"Leavers still present", []lifecycle.FindingKind{lifecycle.FoundLeaverPresent}},
	}
}

func (l trendLine) of(t lifecycle.Tally) int {
	n := 0
	for _, k := range l.kinds {
		n += t.Kinds[k]
	}
	return n
}

// A trend is what roll calls found on the days up to one.
type trend struct {
	first time.Time                  // of the days, in UTC
	days  [trendDays + 1]*trendPoint // nil: no roll call saw the whole of PagerDuty that day
}

type trendPoint struct {
	day    time.Time
	counts []int // by line
}

// trendOf returns the trend of the days up to the one of now.
func trendOf(tallies []lifecycle.Tally, now time.Time) trend {
	today := now.UTC().Truncate(24 * time.Hour)
	t := trend{first: today.AddDate(0, 0, -trendDays)}
	for _, one := range tallies {
		day := one.Day.Start(time.UTC)
		i := int(day.Sub(t.first) / (24 * time.Hour))
		if day.Before(t.first) || i > trendDays {
			continue
		}
		p := &trendPoint{day: day}
		for _, l := range trendLines() {
			p.counts = append(p.counts, l.of(one))
		}
		t.days[i] = p
	}
	return t
}

// counted returns the days that were counted, the oldest first.
func (t trend) counted() []*trendPoint {
	return slices.DeleteFunc(slices.Clone(t.days[:]), func(p *trendPoint) bool { return p == nil })
}

// drawable reports whether there is a line to draw: one day is none.
func (t trend) drawable() bool { return len(t.counted()) > 1 }

// words tells the numbers of the picture to who cannot see it, or "" where
// nothing was counted.
func (t trend) words() string {
	counted := t.counted()
	if len(counted) == 0 {
		return ""
	}
	first, last := counted[0], counted[len(counted)-1]
	parts := make([]string, len(trendLines()))
	for i, l := range trendLines() {
		parts[i] = fmt.Sprintf("%s: %s", l.name, since(first.counts[i], last.counts[i]))
	}
	if first == last {
		return fmt.Sprintf("Counted for the first time on %s. %s.", last.day.Format("2 January 2006"), strings.Join(parts, ", "))
	}
	return fmt.Sprintf("From %s to %s. %s.%s", first.day.Format("2 January"), last.day.Format("2 January 2006"), strings.Join(parts, "; "), t.gaps())
}

// gaps says on how many of the days between the first and the last nothing was counted.
func (t trend) gaps() string {
	counted := t.counted()
	between := int(counted[len(counted)-1].day.Sub(counted[0].day)/(24*time.Hour)) + 1
	missing := between - len(counted)
	if missing == 0 {
		return ""
	}
	return fmt.Sprintf(" %s in between had no whole roll call: there the lines break off.", count(missing, "day", "days"))
}

// since says how a number came to be what it is.
func since(was, is int) string {
	switch {
	case is > was:
		return fmt.Sprintf("%d, up from %d", is, was)
	case is < was:
		return fmt.Sprintf("%d, down from %d", is, was)
	default:
		return fmt.Sprintf("%d, as at the beginning", is)
	}
}
