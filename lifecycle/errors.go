package lifecycle

import (
	"errors"
	"fmt"
)

// The five kinds of answer that are not a fault of ours. Edges turn them into
// a status, an exit code or a private line; everything else is a fault.
var (
	ErrNotFound  = errors.New("not found")
	ErrConflict  = errors.New("conflict")
	ErrForbidden = errors.New("forbidden")
	ErrInvalid   = errors.New("invalid")
	ErrDuplicate = errors.New("duplicate")
)

// A Refusal is an answer, not a fault: its Reason is written for the person
// who asked, and is the only text that leaves the house.
type Refusal struct {
	Kind   error
	Reason string
	Fields []FieldError // where the input is wrong, when it is the input
}

// A FieldError names one field of an input and says what to do about it.
type FieldError struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

func (r *Refusal) Error() string { return r.Kind.Error() + ": " + r.Reason }
func (r *Refusal) Unwrap() error { return r.Kind }

// Refuse returns a Refusal of one of the five kinds.
func Refuse(kind error, format string, args ...any) error {
	return &Refusal{Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// ReasonOf returns the words meant for a person, or "" when err is a fault.
func ReasonOf(err error) string {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Reason
	}
	return ""
}
