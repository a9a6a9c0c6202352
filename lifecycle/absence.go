package lifecycle

import (
	"context"
	"time"
)

// An Absence is a time in which somebody does not decide, and who decides what
// is theirs instead. It ends by itself.
type Absence struct {
	ID       AbsenceID  `json:"id"`
	Revision int        `json:"revision"`
	Identity IdentityID `json:"identity"`
	Email    string     `json:"email"`              // theirs, folded
	Delegate string     `json:"delegate,omitempty"` // who decides instead, folded; "" is nobody: whoever else may, does
	From     time.Time  `json:"from"`
	Until    time.Time  `json:"until"`
	Reason   string     `json:"reason,omitempty"`
	OpenedAt time.Time  `json:"opened_at"`
	By       string     `json:"by"`                // who said so: themselves, or one of Security
	Ended    time.Time  `json:"ended_at,omitzero"` // they were back before Until, or planned otherwise
	Via      Via        `json:"via"`
}

// At reports whether they are away at t.
func (a Absence) At(t time.Time) bool {
	return a.Ended.IsZero() && !t.Before(a.From) && t.Before(a.Until)
}

// AbsenceStore keeps who is away.
type AbsenceStore interface {
	// Absence returns the absence, or ErrNotFound.
	Absence(ctx context.Context, id AbsenceID) (Absence, error)
	// Absences returns the absences that are in force at t, the earliest first.
	Absences(ctx context.Context, t time.Time) ([]Absence, error)
	// AbsencesOf returns the absences of the identity that have not ended at t, also
	// those that have not begun, the earliest first.
	AbsencesOf(ctx context.Context, who IdentityID, t time.Time) ([]Absence, error)
	// SaveAbsence stores a. A first revision that is already stored is
	// ErrDuplicate; a later one that does not follow the stored revision is ErrConflict.
	SaveAbsence(ctx context.Context, a Absence, e AuditEvent, next ...Job) error
}

// Over returns when they are back, planned or not.
func (a Absence) Over() time.Time {
	if !a.Ended.IsZero() && a.Ended.Before(a.Until) {
		return a.Ended
	}
	return a.Until
}
