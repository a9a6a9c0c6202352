package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

// text returns the scalar as it is written, so that 1.10, NO and 0123 stay
// what they are, or "" after saying what is wrong with it.
func (v value) text() string {
	if v.sketchText(someText) || !v.is(yaml.ScalarNode) || v.doc.refused[v.node] {
		return ""
	}
	s := v.node.Value
	switch i := strings.IndexFunc(s, func(r rune) bool { return hidden(r) && r != '\n' }); {
	case strings.TrimSpace(s) == "":
		v.wrong("wants text, but this is empty")
		return ""
	case i >= 0:
		v.wrong("holds a character that cannot be seen for what it is; take it out")
		return ""
	}
	return strings.TrimSuffix(s, "\n")
}

// name returns a text of one line without surrounding space.
func (v value) name() string {
	s := v.text()
	v.shape.set("pattern", oneLine)
	if strings.ContainsAny(s, "\n\t") || strings.TrimSpace(s) != s {
		v.wrong("must be one line without space around it")
		return ""
	}
	return s
}

// whole returns the number, which must be at least least.
func (v value) whole(least int) int {
	s := v.text()
	v.sketchNumber("integer", aNumber, map[string]any{"minimum": least})
	if s == "" {
		return least
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		v.wrong("wants a whole number, but this is %s", v.words())
		return least
	}
	if n < least {
		v.wrong("must be at least %d", least)
		return least
	}
	return n
}

// percent returns a number from 0 to 100.
func (v value) percent() float64 {
	s := v.text()
	v.sketchNumber("number", aPercentage, map[string]any{"minimum": 0, "maximum": 100})
	if s == "" {
		return 0
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		v.wrong("wants a number such as 2 or 2.5, without a %% sign, but this is %s", v.words())
	case !(f >= 0 && f <= 100): // a NaN is neither
		v.wrong("must be from 0 to 100")
	default:
		return f
	}
	return 0
}

// duration returns a Go duration that is not negative.
func (v value) duration() time.Duration {
	s := v.text()
	v.sketchNumber("integer", aDuration, map[string]any{"minimum": 0, "maximum": 0})
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		v.wrong("%s", durationHint(s))
	case d < 0:
		v.wrong("%s is negative; a duration is 0 or more", s)
	default:
		return d
	}
	return 0
}

// positive returns a duration above zero.
func (v value) positive() time.Duration {
	before := len(v.doc.mistakes)
	d := v.duration()
	v.shape.set("type", "string")
	v.shape.set("allOf", []shape{{"pattern": "[1-9]"}})
	if d == 0 && len(v.doc.mistakes) == before && !v.doc.refused[v.node] {
		v.wrong("must be more than 0")
	}
	return d
}

// durationHint says how to write s: Go has no unit above the hour, because a
// day is not always 24 of them.
func durationHint(s string) string {
	for suffix, hours := range map[string]int{"d": 24, "w": 7 * 24} {
		if n, err := strconv.Atoi(strings.TrimSuffix(s, suffix)); err == nil && strings.HasSuffix(s, suffix) && n > 0 && n < 36500 {
			return fmt.Sprintf("%q is not a duration: days and weeks are written in hours (did you mean %dh?)", s, n*hours)
		}
	}
	if _, err := strconv.Atoi(s); err == nil {
		return fmt.Sprintf("%q is not a duration: it needs a unit, such as %ss, %sm or %sh", clip(s), clip(s), clip(s), clip(s))
	}
	return fmt.Sprintf("%q is not a duration such as 10m, 4h or 336h", clip(s))
}

// boolean returns what is written as true or false.
func (v value) boolean() bool {
	s := choose(v, "true", "false")
	sketchChoice[any](v, true, false, "true", "false")
	return s == "true"
}

// day returns a calendar day, YYYY-MM-DD.
func (v value) day() lifecycle.Date {
	s := v.text()
	v.shape.set("type", "string")
	v.shape.set("pattern", aDay)
	d, err := lifecycle.ParseDate(s)
	if err != nil {
		v.wrong("%q is not a day such as 2026-12-31", clip(s))
	}
	return d
}

// choose returns the one of allowed that is written, or "" after saying which there are.
func choose[T ~string](v value, allowed ...T) T {
	s := v.text()
	sketchChoice(v, allowed...)
	if s == "" || slices.Contains(allowed, T(s)) {
		return T(s)
	}
	names := words(allowed)
	if len(names) == 1 {
		v.wrong("can only be %s", names[0])
		return ""
	}
	v.wrong("%q is not one of %s%s", clip(s), strings.Join(names, ", "), didYouMean(s, names))
	return ""
}

func words[T ~string](list []T) []string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = string(a)
	}
	return names
}
