package lifecycle

import (
	"slices"
	"time"
)

// A Statement is the last that one source has said of somebody: their state, and
// how they stand with the company, which it may say alone and later.
type Statement struct {
	Person  Person      `json:"person"` // the last whole state; zero: it has never sent one
	At      time.Time   `json:"at,omitzero"`
	Version string      `json:"version,omitempty"`
	Heard   time.Time   `json:"heard,omitzero"` // when the fact was received
	Fact    NoticeID    `json:"fact,omitempty"`
	Status  StatusWord  `json:"status"`
	Began   Date        `json:"began,omitempty"`   // the latest first day that it has given of somebody who was there
	Over    Spell       `json:"over,omitzero"`     // the last spell that it has said to be over and does not say so of any more
	Missing []time.Time `json:"missing,omitempty"` // whole snapshots since that did not have them, the oldest first
}

// A StatusWord is how somebody stands with the company, as a source said it last.
type StatusWord struct {
	Status   Status    `json:"status,omitempty"`
	Disabled bool      `json:"disabled,omitempty"` // their account there was disabled, and nothing newer is known
	At       time.Time `json:"at,omitzero"`
	Version  string    `json:"version,omitempty"`
	Heard    time.Time `json:"heard,omitzero"`
	Fact     NoticeID  `json:"fact,omitempty"`
	Over     Spell     `json:"over,omitzero"`   // what has ended, where the status is ended
	Dated    bool      `json:"dated,omitempty"` // Over ends with the last day that the source gave
	Begins   time.Time `json:"begins,omitzero"` // a spell that a person said to begin then
}

// A Spell is one time that somebody was with the company. Coming back begins
// another, which restores nothing.
type Spell struct {
	Start Date      `json:"start,omitempty"`
	Ended time.Time `json:"ended"`
}

// A SourceKey is what one source knows somebody by.
type SourceKey struct {
	Source string `json:"source"`
	Key    string `json:"key"`
}

// A FormerAddress is one that somebody had, and that may be somebody else's by now.
type FormerAddress struct {
	Email string    `json:"email"` // folded
	Until time.Time `json:"until"`
}

// Moving is a change of a source that sends it piece by piece: what it means is
// told once, when it has settled.
type Moving struct {
	Before  Person    `json:"before"` // who they were when it began
	Since   time.Time `json:"since"`
	Settled time.Time `json:"settled"` // unless something more is said before
}

// A SourceOrder says whose word counts where sources disagree: by attribute, and
// for all others. A source that it does not name counts after those it does, the
// newest word first. For a status without an order the strictest counts, so that
// no feed brings back whom another has ended or suspended.
type SourceOrder struct {
	Default []string
	By      map[Attribute][]string
}

// For returns the order of sources for the attribute.
func (o SourceOrder) For(a Attribute) []string {
	if by, ok := o.By[a]; ok {
		return by
	}
	return o.Default
}

// Absent returns how many whole snapshots of the source in a row did not have them.
func (s Statement) Absent() int { return len(s.Missing) }

// manyMissing is how many snapshots without somebody are remembered.
const manyMissing = 8

// hear returns the statement once the fact was heard, and whether that says
// anything: a fact that was heard already, or is older than what the source has
// said since, says nothing, except that a spell was over.
func (s Statement) hear(f Fact) (Statement, bool) {
	switch f.Kind {
	case FactAbsent:
		return s.missing(f)
	case FactStatus, FactDisabled:
		return s.stand(f)
	case FactState:
	}
	is, news := s.stand(f)
	if f.Person.Status != StatusEnded && f.Person.StartDate > is.Began {
		is.Began, news = f.Person.StartDate, true
	}
	if s.Fact == f.ID || !f.newerThan(s.At, s.Version, s.Heard) {
		return is, news
	}
	is.Person, is.At, is.Version, is.Heard, is.Fact = f.Person, f.Stamp(), f.Version, f.ReceivedAt, f.ID
	is.Missing = slices.DeleteFunc(slices.Clone(s.Missing), func(t time.Time) bool { return !t.After(is.At) })
	return is, true
}

func (s Statement) missing(f Fact) (Statement, bool) {
	at := f.Stamp()
	k, known := slices.BinarySearchFunc(s.Missing, at, time.Time.Compare)
	if known || !at.After(s.At) {
		return s, false
	}
	s.Missing = slices.Insert(slices.Clone(s.Missing), k, at)
	s.Missing = s.Missing[max(0, len(s.Missing)-manyMissing):]
	return s, true
}

// stand hears what the fact says of their status.
func (s Statement) stand(f Fact) (Statement, bool) {
	w := s.word(f)
	switch was := s.Status; {
	case was.Fact == f.ID:
		return s, false
	case !f.newerThan(was.At, was.Version, was.Heard):
		return s.late(w)
	case was.Status == StatusEnded && w.Status == StatusEnded && !w.Dated: // said once more
		w.Over, w.Dated = was.Over, was.Dated
	case was.Status == StatusEnded && w.Status != StatusEnded:
		s.Over = later(s.Over, was.Over)
	case w.Status != StatusEnded:
		s.Over = later(s.Over, s.lapsed(w.At))
	}
	s.Status = w
	return s, true
}

// late hears a word on their status that is older than the newest. What was over
// then stays so, whatever the order in which it is heard.
func (s Statement) late(w StatusWord) (Statement, bool) {
	is := s
	switch now := s.Status; {
	case w.Status == StatusEnded && now.Status == StatusEnded:
		if !now.Dated && w.Over.Ended.Before(now.Over.Ended) {
			is.Status.Over = w.Over
		}
	case w.Status == StatusEnded:
		is.Over = later(s.Over, w.Over)
	case now.Status == StatusEnded && !now.Dated && w.At.After(now.Over.Ended): // they were back in between
		is.Over, is.Status.Over.Ended = later(s.Over, now.Over), now.At
	}
	return is, is.Over != s.Over || is.Status.Over != s.Status.Over
}

// lapsed returns the spell whose last day had passed at t, if any.
func (s Statement) lapsed(t time.Time) Spell {
	if end := s.Person.lastDay(); !end.IsZero() && !end.After(t) && s.Status.Status != StatusEnded {
		return Spell{Start: s.Person.StartDate, Ended: end}
	}
	return Spell{}
}

func (s Statement) word(f Fact) StatusWord {
	w := StatusWord{Status: f.Person.Status, Disabled: f.Kind == FactDisabled, At: f.Stamp(), Version: f.Version, Heard: f.ReceivedAt, Fact: f.ID}
	switch {
	case w.Disabled:
		w.Status = StatusSuspended
	case w.Status == StatusEnded:
		w.Over = Spell{Start: f.Person.StartDate, Ended: w.At}
		if end := f.Person.lastDay(); !end.IsZero() && end.Before(w.At) {
			w.Over.Ended, w.Dated = end, true
		}
	case f.Source == SourcePeople && w.Status == StatusActive:
		w.Begins = w.At
	}
	return w
}

func later(a, b Spell) Spell {
	if b.Ended.After(a.Ended) {
		return b
	}
	return a
}
