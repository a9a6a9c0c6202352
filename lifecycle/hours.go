package lifecycle

import "time"

// Hours are when people work, where they are: durations of an approval count
// only then, and nobody is reminded outside them. The zero Hours are all hours.
type Hours struct {
	Days     []time.Weekday
	From, To time.Duration // of the day, from midnight; To is after From
}

// Always reports whether all hours are working hours.
func (h Hours) Always() bool { return len(h.Days) == 0 || h.To <= h.From }
