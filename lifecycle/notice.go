package lifecycle

import (
	"slices"
	"time"
)

// NoticeKind is what a change of identity means for access.
type NoticeKind string

// The three notices.
const (
	Joiner NoticeKind = "joiner"
	Mover  NoticeKind = "mover"
	Leaver NoticeKind = "leaver"
)

// A Notice says that somebody joined, moved or left: who they were and who
// they are now. Its ID is that of the fact it came from.
type Notice struct {
	ID       NoticeID   `json:"id"`
	Kind     NoticeKind `json:"kind"`
	Identity IdentityID `json:"identity"`
	Source   string     `json:"source"`
	Before   Person     `json:"before"`
	After    Person     `json:"after"`
	Urgent   bool       `json:"urgent,omitempty"`
	Contain  bool       `json:"contain,omitempty"` // an account at the source was disabled: contain, and conclude nothing else
	At       time.Time  `json:"at"`
}

// Removal returns the notice as the breaker counts it, and false when nobody can
// lose access by it.
func (n Notice) Removal() (Removal, bool) {
	if n.Kind != Leaver && n.Kind != Mover {
		return Removal{}, false
	}
	r := Removal{
		Notice: n.ID, Kind: n.Kind, Identity: n.Identity, Label: n.After.Label(), Department: n.Before.Department,
		Source: n.Source, At: n.At, Urgent: n.Urgent, State: RemovalQueued,
	}
	if n.Kind == Mover {
		r.Moved = n.After.Department
	}
	return r, true
}

// Classify returns the notice kind that before → after is, and false when
// nothing that bears on access changed. A name or address alone is a rename.
// Leave and suspension take nothing away.
func Classify(before, after Person) (NoticeKind, bool) {
	switch {
	case after.Status == StatusEnded:
		return Leaver, before.Status != StatusEnded
	case after.Status != StatusActive:
		return "", false
	case before.Status == "" || before.Status == StatusEnded:
		return Joiner, true
	case before.Status != StatusActive || !sameAccessAttributes(before, after):
		return Mover, true
	default:
		return "", false
	}
}

func sameAccessAttributes(a, b Person) bool {
	return a.Department == b.Department && a.Location == b.Location && a.Country == b.Country &&
		a.Title == b.Title && a.Employment == b.Employment && a.ManagerID == b.ManagerID &&
		slices.Equal(sorted(a.Groups), sorted(b.Groups))
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}
