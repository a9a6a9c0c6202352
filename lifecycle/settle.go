package lifecycle

import "time"

// settleMost is how many times as long as a change is waited for that goes on
// being said piece by piece.
const settleMost = 5

// due reports whether the fact was brought back because a change has settled.
func (r registering) due() bool {
	return r.was.Moving != nil && !r.now.Before(r.was.Moving.Settled)
}

// lasted reports whether the change has been waited for as long as any is.
func (r registering) lasted(settle time.Duration) bool {
	m := r.was.Moving
	return settle <= 0 || m != nil && r.was.Person.Status == StatusActive && !r.now.Before(m.Since.Add(settleMost*settle))
}

// notice returns what the change means, if anything, and the steps that follow.
// An end date ahead brings the fact back when it has passed. Nothing follows from
// the first sync of a source. A move that a source sends piece by piece is told
// once it has settled: nobody waits for a joiner, a leaver or what is urgent.
func (g *Registrar) notice(r *registering) (*Notice, []Job) {
	var next []Job
	if end := r.is.Person.lastDay(); r.is.Person.Status != StatusEnded && end.After(r.now) {
		next = append(next, Job{Kind: JobRegister, Ref: string(r.fact.ID), At: end})
	}
	if r.source.Observes(r.fact, r.countsAt()) {
		return nil, next
	}
	before := r.before()
	kind, ok := Classify(before, r.is.Person)
	switch {
	case r.is.disabled() && !r.was.disabled() && r.is.Person.Status == StatusSuspended:
		return g.say(r, Leaver, before, true), next
	case !ok:
		if r.is.Person.Status == StatusActive { // it is as it was before it began to move
			r.is.Moving = nil
		}
		return nil, next
	case kind == Mover && r.fact.Piecemeal && !r.fact.Urgent && !(r.again && r.due()) && !r.lasted(g.settle):
		r.is.Moving = r.moving(before, g.settle)
		return nil, append(next, Job{Kind: JobRegister, Ref: string(r.fact.ID), At: r.is.Moving.Settled})
	default:
		r.is.Moving = nil
		return g.say(r, kind, before, false), next
	}
}

// before returns who they were when the last notice about them was told.
func (r registering) before() Person {
	switch {
	case !r.was.Sourced(): // known from the policy alone: who they are is news
		return Person{}
	case r.was.Moving != nil:
		before := r.was.Moving.Before
		if s := r.was.Person.Status; s != StatusActive { // they were stopped while they moved, and are given back what that took
			before.Status = s
		}
		return before
	default:
		return r.was.Person
	}
}

func (r registering) moving(before Person, settle time.Duration) *Moving {
	m := Moving{Before: before, Since: r.now, Settled: r.now.Add(settle)}
	if r.was.Moving != nil && r.was.Person.Status == StatusActive {
		m.Since = r.was.Moving.Since
	}
	if latest := m.Since.Add(settleMost * settle); m.Settled.After(latest) {
		m.Settled = latest
	}
	return &m
}

// countsAt returns when what the fact says now was to count.
func (r registering) countsAt() time.Time {
	if end := r.is.Person.lastDay(); r.again && !end.IsZero() && !end.After(r.now) {
		return end
	}
	return r.fact.DueAt()
}

func (g *Registrar) say(r *registering, kind NoticeKind, before Person, contain bool) *Notice {
	n := &Notice{
		ID: r.fact.ID, Kind: kind, Identity: r.is.ID, Source: r.fact.Source, Before: before, After: r.is.Person,
		Urgent: r.fact.Urgent, Contain: contain, At: r.now,
	}
	if r.again {
		moment := "end of " + string(r.is.Person.EndDate)
		if r.was.Moving != nil {
			moment = "settled " + r.was.Moving.Since.UTC().Format(time.RFC3339Nano)
		}
		n.ID = NoticeIDFor(r.fact.ID, moment)
	}
	return n
}

// ends brings back what said their last day once that has passed.
func (i Identity) ends(now time.Time) []Job {
	end, said := i.Person.lastDay(), i.Says[i.From[attrEnd]].Fact
	if said == "" || i.Person.Status == StatusEnded || !end.After(now) {
		return nil
	}
	return []Job{{Kind: JobRegister, Ref: string(said), At: end}}
}
