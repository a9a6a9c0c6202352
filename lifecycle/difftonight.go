package lifecycle

import (
	"slices"
	"time"
)

// tonight is how far ahead it is looked who of the losers is on call.
const tonight = 24 * time.Hour

// LosersOnCall returns the accounts of those who would lose something and whom
// on-call expects: whose shifts are worth asking PagerDuty for.
func (d PolicyDiff) LosersOnCall() []AccountID {
	var ids []AccountID
	for _, p := range d.Moves {
		if len(p.Loses) > 0 && len(p.OnCall) > 0 && p.Account != "" {
			ids = append(ids, p.Account)
		}
	}
	return ids
}

// WithShifts returns the diff with who of the losers is on call within a day of t,
// and by what, as their duties tell it.
func (d PolicyDiff) WithShifts(duties map[AccountID][]Duty, t time.Time) PolicyDiff {
	d.Moves, d.Tonight, d.Shifts = slices.Clone(d.Moves), 0, true
	for i, p := range d.Moves {
		var words []string
		for _, duty := range duties[p.Account] {
			if duty.within(t, t.Add(tonight)) {
				words = append(words, duty.String())
			}
		}
		if d.Moves[i].Tonight = words; len(words) > 0 && len(p.Loses) > 0 {
			d.Tonight++
		}
	}
	return d
}

// within reports whether the duty calls the account at some time from one moment up to another.
func (d Duty) within(from, until time.Time) bool {
	return slices.ContainsFunc(d.Shifts, func(s Shift) bool {
		return s.From.Before(until) && (s.Until.IsZero() || s.Until.After(from))
	})
}
