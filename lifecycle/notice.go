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
	At       time.Time  `json:"at"`
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
