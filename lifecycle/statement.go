package lifecycle

import "time"

// A Statement is the last that one source has said of somebody.
type Statement struct {
	Person     Person    `json:"person"`
	StatusOnly bool      `json:"status_only,omitempty"` // it has never said more than their status
	Disabled   bool      `json:"disabled,omitempty"`    // it has said that their account there was disabled, and nothing newer
	At         time.Time `json:"at"`                    // the stamp of the fact
	Fact       NoticeID  `json:"fact"`
	Absent     int       `json:"absent,omitempty"` // whole snapshots of the source since, in a row, that did not have them
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
