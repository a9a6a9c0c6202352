package policy

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

// shortestDay is the least that may be worked in a day: with less, a deadline of
// some hours would be months away.
const shortestDay = time.Hour

// hours returns when people work. The days are Monday to Friday where none are
// written.
func (v value) hours() lifecycle.Hours {
	h := lifecycle.Hours{Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}}
	before := len(v.doc.mistakes)
	var from, to value
	v.object([]field{
		{"days", "The days on which people work. Without it Monday to Friday.", func(v value) { h.Days = v.weekdays() }},
		{"from", "When the day begins, such as 09:00, in each team's time zone.", func(v value) { h.From, from = v.clock(), v }},
		{"to", "When the day ends, at most 24:00.", func(v value) { h.To, to = v.clock(), v }},
	}, "from", "to")
	switch {
	case len(v.doc.mistakes) > before || v.node.Kind != yaml.MappingNode:
	case h.To <= h.From:
		to.wrong("is not after %s; hours begin and end on the same day", from.node.Value)
	case h.To-h.From < shortestDay:
		to.wrong("leaves less than an hour a day; what is waited for would take months")
	}
	return h
}

// weekdays returns the days that are written, Monday first.
func (v value) weekdays() []time.Weekday {
	names := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	written := map[string]bool{}
	v.oneOrMore(func(v value) {
		s := choose(v, names...)
		if written[s] && s != "" {
			v.wrong("%s is named twice", s)
		}
		written[s] = true
	})
	v.shape.unique()
	var days []time.Weekday
	for i, name := range names {
		if written[name] {
			days = append(days, time.Weekday((i+1)%len(names)))
		}
	}
	return slices.Clip(days)
}

// clock returns the time of day, from midnight.
func (v value) clock() time.Duration {
	s := v.text()
	v.shape.set("type", "string")
	v.shape.set("pattern", anHour)
	if s == "24:00" {
		return 24 * time.Hour
	}
	at, err := time.Parse("15:04", s)
	if s != "" && (err != nil || len(s) != len("15:04")) {
		v.wrong("%q is not a time of day such as 09:00 or 17:30", clip(s))
		return 0
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
}
