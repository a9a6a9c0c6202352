package lifecycle

import "time"

// A Fact is what a source said, append-only: (Source, EventID) is unique and
// a repeat changes nothing. A notice that follows from a fact carries its id.
type Fact struct {
	ID          NoticeID  `json:"id"`
	Source      string    `json:"source"`
	EventID     string    `json:"event_id"`
	Person      Person    `json:"person"`
	Urgent      bool      `json:"urgent,omitempty"`
	Version     string    `json:"version,omitempty"` // the source's own counter, when it has one
	ObservedAt  time.Time `json:"observed_at"`
	EffectiveAt time.Time `json:"effective_at,omitzero"` // zero: at once
	ReceivedAt  time.Time `json:"received_at"`
	SHA256      string    `json:"sha256"` // of the body as it was received
}

// DueAt returns when the fact is to count: not before it takes effect, and
// for somebody who has not started yet not before the first day.
func (f Fact) DueAt() time.Time {
	due := f.EffectiveAt
	if start := f.Person.StartDate.Start(); f.Person.Status == StatusActive && start.After(due) {
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
