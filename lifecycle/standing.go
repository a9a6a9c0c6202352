package lifecycle

import "time"

// standing returns p as they stand with the company at now. What ended counts
// until a spell begins after it: ended is final, whoever says something milder
// later, but what a source says of a spell that is over is no news of the next.
func (h hearing) standing(p Person, now time.Time) Person {
	spell := newestSpell(h.says, p.Zone(), now)
	if end := p.lastDay(); !end.IsZero() && !end.After(spell) { // of a spell that is over
		p.EndDate = ""
		delete(h.from, attrEnd)
	}
	status, from := h.status(spell)
	if lapsed := p.statusAt(now); lapsed == StatusEnded && status != StatusEnded {
		status, from = StatusEnded, h.from[attrEnd]
	}
	if p.Status = status; from != "" {
		h.from[attrStatus] = from
	}
	return p
}

// newestSpell returns when the newest spell that anybody knows of began, and that
// has by now.
func newestSpell(says map[string]Statement, zone *time.Location, now time.Time) time.Time {
	var newest time.Time
	for _, s := range says {
		for _, begins := range []time.Time{s.Status.Begins, s.begins(zone)} {
			if begins.After(newest) && !begins.After(now) {
				newest = begins
			}
		}
	}
	return newest
}

// begins returns the first day of the spell that the source says has not ended.
// That it says so no more does not take it back.
func (s Statement) begins(zone *time.Location) time.Time {
	if s.Status.Status == StatusEnded || s.Began == "" {
		return time.Time{}
	}
	return s.Began.Start(zone)
}

// status returns the status that counts in the spell, and whose word it is.
// That an account was disabled, and what a person said, counts under any order.
func (h hearing) status(spell time.Time) (Status, string) {
	ranked, named := h.ranked(attrStatus)
	var strictest Status
	var from string
	take := func(source string, s Status) {
		if s.severity() > strictest.severity() {
			strictest, from = s, source
		}
	}
	for k, source := range ranked {
		said := h.says[source]
		s := said.statusIn(spell)
		switch {
		case k < named && decided(h.says, ranked[:k], spell), k >= named && decided(h.says, ranked[:named], spell):
			if said.Status.Disabled || source == SourcePeople && s == StatusEnded {
				take(source, s)
			}
		default:
			take(source, s)
		}
	}
	return strictest, from
}

// decided reports whether any of the sources says how somebody stands in the spell.
func decided(says map[string]Statement, sources []string, spell time.Time) bool {
	for _, s := range sources {
		if says[s].statusIn(spell) != "" {
			return true
		}
	}
	return false
}

// statusIn returns what the source says of the spell that began then, or "".
func (s Statement) statusIn(spell time.Time) Status {
	switch {
	case s.Status.Status == StatusEnded && s.Status.Over.Ended.After(spell), s.Over.Ended.After(spell):
		return StatusEnded
	case s.Status.Status == StatusEnded:
		return ""
	default:
		return s.Status.Status
	}
}

// severity orders what a source may say of somebody: the strictest is the highest.
func (s Status) severity() int {
	switch s {
	case StatusEnded:
		return 4
	case StatusSuspended:
		return 3
	case StatusLeave:
		return 2
	case StatusActive:
		return 1
	default:
		return 0
	}
}

// disabled reports whether a source says that their account was disabled.
func (i Identity) disabled() bool {
	for _, s := range i.Says {
		if s.Status.Disabled {
			return true
		}
	}
	return false
}

// lastSpell returns the last spell that any source says is over, and that ended
// before the one that began then.
func (i Identity) lastSpell(before time.Time) Spell {
	var last Spell
	for _, s := range i.Says {
		for _, over := range []Spell{s.Over, s.Status.Over} {
			if !over.Ended.After(before) {
				last = later(last, over)
			}
		}
	}
	return last
}
