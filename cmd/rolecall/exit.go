package main

import (
	"errors"
	"strings"

	"rolecall/lifecycle"
)

// The exit codes that programs rely on.
const (
	exitFault    = 1
	exitUsage    = 2
	exitRefused  = 3
	exitConflict = 4
	exitPartial  = 5
	exitBroken   = 6
	exitUnwell   = 7
)

// codedError is an error with the exit code that it calls for.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func coded(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code, err}
}

// exit is the one table from an error to a code and the words for a person.
func exit(err error) (code int, words string) {
	words = "rolecall: " + strings.TrimSpace(err.Error())
	if reason := lifecycle.ReasonOf(err); reason != "" {
		words = "rolecall: " + reason
	}
	if c, ok := errors.AsType[*codedError](err); ok {
		return c.code, words
	}
	switch {
	case errors.Is(err, lifecycle.ErrForbidden):
		return exitRefused, words
	case errors.Is(err, lifecycle.ErrConflict), errors.Is(err, lifecycle.ErrDuplicate):
		return exitConflict, words
	case errors.Is(err, lifecycle.ErrInvalid), errors.Is(err, lifecycle.ErrNotFound):
		return exitUsage, words
	default:
		return exitFault, words
	}
}
