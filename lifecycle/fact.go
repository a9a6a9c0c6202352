package lifecycle

import (
	"strconv"
	"time"
)

// FactKind is how much a fact says.
type FactKind string

// The kinds of fact. A part of the state never stands for the whole of it.
const (
	FactState    FactKind = ""         // the whole state of somebody
	FactStatus   FactKind = "status"   // their status alone, of somebody who is known already
	FactDisabled FactKind = "disabled" // their account at the source was disabled: they are contained, and nothing else follows
	FactAbsent   FactKind = "absent"   // a whole snapshot of the source did not have them
)

// A Fact is what a source said, append-only: (Source, EventID) is unique and
// a repeat changes nothing. A notice that follows from a fact carries its id.
type Fact struct {
	ID          NoticeID  `json:"id"`
	Source      string    `json:"source"`
	EventID     string    `json:"event_id"`
	Kind        FactKind  `json:"kind,omitempty"`
	Key         string    `json:"key,omitempty"` // what the source knows them by, for ever; empty: their employee id
	Person      Person    `json:"person"`
	Urgent      bool      `json:"urgent,omitempty"`
	Piecemeal   bool      `json:"piecemeal,omitempty"` // the source sends one change in several facts: wait until it has settled
	Version     string    `json:"version,omitempty"`   // the source's own counter, when it has one
	ObservedAt  time.Time `json:"observed_at"`
	EffectiveAt time.Time `json:"effective_at,omitzero"` // zero: at once
	ReceivedAt  time.Time `json:"received_at"`
	SHA256      string    `json:"sha256"` // of the body as it was received
}

// DueAt returns when the fact is to count: not before it takes effect, and
// for somebody who has not started yet not before the first day.
func (f Fact) DueAt() time.Time {
	due := f.EffectiveAt
	if f.Kind != FactState || f.Person.Status != StatusActive || f.Person.StartDate == "" {
		return due
	}
	if start := f.Person.StartDate.Start(f.Person.Zone()); start.After(due) {
		due = start
	}
	return due
}

// Stamp orders facts about one person: a fact counts from when it takes
// effect, so that a move announced in advance is not undone by a title
// corrected in between.
func (f Fact) Stamp() time.Time {
	if due := f.DueAt(); due.After(f.ObservedAt) {
		return due
	}
	return f.ObservedAt
}

// newerThan reports whether the fact is not older than one with that stamp: of
// two of one moment the source's own counter decides, then which came later.
func (f Fact) newerThan(at time.Time, version string, heard time.Time) bool {
	if c := f.Stamp().Compare(at); c != 0 {
		return c > 0
	}
	a, err := strconv.ParseInt(f.Version, 10, 64)
	b, wrong := strconv.ParseInt(version, 10, 64)
	if err == nil && wrong == nil && a != b {
		return a > b
	}
	return !f.ReceivedAt.Before(heard)
}

// SourceKey returns what the source knows the person by, or "".
func (f Fact) SourceKey() string {
	if f.Key != "" {
		return f.Key
	}
	return f.Person.EmployeeID
}
