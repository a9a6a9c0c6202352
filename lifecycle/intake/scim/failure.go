package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"rolecall/lifecycle"
)

// The keywords of RFC 7644, table 9, that are used.
const (
	invalidFilter = "invalidFilter"
	invalidPath   = "invalidPath"
	invalidSyntax = "invalidSyntax"
	invalidValue  = "invalidValue"
	mutability    = "mutability"
	noTarget      = "noTarget"
	uniqueness    = "uniqueness"
)

// A failure is why a request gets no answer of its own. Detail says where the
// mistake is and what to do; why, where it is more, is for the trail alone.
type failure struct {
	status int
	kind   string // scimType, "" where none fits
	detail string
	header map[string]string
	why    string
}

func (f *failure) Error() string { return strconv.Itoa(f.status) + ": " + f.detail }

func (f *failure) reason() string {
	if f.why != "" {
		return f.why
	}
	return f.detail
}

// fail returns the failure that the client's own words are.
func fail(kind, format string, args ...any) error {
	return &failure{status: http.StatusBadRequest, kind: kind, detail: fmt.Sprintf(format, args...)}
}

func failStatus(status int, format string, args ...any) error {
	return &failure{status: status, detail: fmt.Sprintf(format, args...)}
}

// unauthenticated is one answer for every fault of a token: a stranger learns
// nothing from it.
func unauthenticated(why string) error {
	return &failure{
		status: http.StatusUnauthorized, detail: "send the token of this client as Authorization: Bearer TOKEN", why: why,
		header: map[string]string{"WWW-Authenticate": `Bearer realm="rolecall"`},
	}
}

func notAllowed(allow string) error {
	return &failure{status: http.StatusMethodNotAllowed, detail: "only " + allow + " is answered here", header: map[string]string{"Allow": allow}}
}

// later is the answer to every fault of ours, and to a storm: whatever was sent
// may be sent again.
func later(seconds int, detail string) *failure {
	return &failure{status: http.StatusServiceUnavailable, detail: detail, header: map[string]string{"Retry-After": strconv.Itoa(seconds)}}
}

// failureOf is the one table from an error to HTTP. A fault is nil.
func failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	r, ok := errors.AsType[*lifecycle.Refusal](err)
	if !ok {
		return nil
	}
	f := &failure{status: http.StatusBadRequest, kind: invalidValue, detail: r.Reason}
	switch {
	case errors.Is(r.Kind, lifecycle.ErrNotFound):
		f.status, f.kind = http.StatusNotFound, ""
	case errors.Is(r.Kind, lifecycle.ErrDuplicate):
		f.status, f.kind = http.StatusConflict, uniqueness
	case errors.Is(r.Kind, lifecycle.ErrConflict):
		f.status, f.kind = http.StatusPreconditionFailed, ""
	case errors.Is(r.Kind, lifecycle.ErrForbidden):
		f.status, f.kind = http.StatusForbidden, ""
	}
	return f
}

// body returns the failure in the form of RFC 7644, 3.12.
func (f *failure) body() map[string]any {
	b := map[string]any{"schemas": []string{urnError}, "status": strconv.Itoa(f.status), "detail": f.detail}
	if f.kind != "" {
		b["scimType"] = f.kind
	}
	return b
}
