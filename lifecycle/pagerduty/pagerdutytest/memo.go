package pagerdutytest

import "time"

// A memo keeps what follows from the account's state until that changes, since one sweep asks for it thousands of times.
type memo struct {
	version uint64
	callers map[string][]string // ids of policies by what they call
	shifts  map[string]drawn    // by schedule
}

// drawn is the shifts around every moment of a span.
type drawn struct {
	during span
	shifts []shift
}

// drawAhead is how much more than asked for is drawn, so that the next page, a moment later, finds it.
const drawAhead = time.Hour

func (a *Account) remembered() *memo {
	if a.memo.callers == nil || a.memo.version != a.version {
		a.memo = memo{version: a.version, callers: map[string][]string{}, shifts: map[string]drawn{}}
		for _, p := range a.policies.all() {
			a.memo.note(p)
		}
	}
	return &a.memo
}

// note files a policy under each of its targets, once.
func (m *memo) note(p *EscalationPolicy) {
	for _, r := range p.Rules {
		for _, t := range r.Targets {
			if ids := m.callers[t.ID]; len(ids) == 0 || ids[len(ids)-1] != p.ID {
				m.callers[t.ID] = append(ids, p.ID)
			}
		}
	}
}

// callersOf returns the policies that call a user or a schedule directly, in the order they were made.
func (a *Account) callersOf(id string) []string { return a.remembered().callers[id] }

// around returns the shifts that have a moment in a span, drawn by render as far as reach each way.
func (a *Account) around(schedule string, over span, reach time.Duration, render func(span) []shift) []shift {
	m := a.remembered()
	d, has := m.shifts[schedule]
	if !has || over.from.Before(d.during.from) || over.to.After(d.during.to) {
		d.during = span{over.from, over.to.Add(drawAhead)}
		d.shifts = render(d.during.wider(reach))
		m.shifts[schedule] = d
	}
	var out []shift
	for _, s := range d.shifts {
		if s.overlaps(over) {
			out = append(out, s)
		}
	}
	return out
}
