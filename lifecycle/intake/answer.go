package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"rolecall/lifecycle"
)

// An answer is what a request gets.
type answer struct {
	status int
	header map[string]string
	body   any
}

// kept says that something is kept under an id.
type kept struct {
	ID        string `json:"id"`
	Duplicate bool   `json:"duplicate"`
}

// answer is 202 for something new and 200 for a repeat.
func (k kept) answer() answer {
	if k.Duplicate {
		return answer{status: http.StatusOK, body: k}
	}
	return answer{status: http.StatusAccepted, body: k}
}

// A problem is why something was not kept.
type problem struct {
	Kind   string                 `json:"kind"`
	Reason string                 `json:"reason"`
	Fields []lifecycle.FieldError `json:"fields,omitempty"`
}

type failure struct {
	Error problem `json:"error"`
}

// A rejection is a request that is turned away by the rules of HTTP and of
// signing. Why is for the trail, where the sender does not read it; a
// rejection without it leaves no line.
type rejection struct {
	status int
	header map[string]string
	problem
	why string
}

func (r *rejection) Error() string { return fmt.Sprintf("%s: %s", r.Kind, r.why) }

func (r *rejection) answer() answer {
	return answer{status: r.status, header: r.header, body: failure{r.problem}}
}

// unauthenticated is one answer for every fault of a signature: a stranger
// learns nothing from it.
func unauthenticated(why error) error {
	return &rejection{status: http.StatusUnauthorized, why: why.Error(), problem: problem{
		Kind: "unauthenticated", Reason: "the request must be signed as Standard Webhooks v1 asks, within 5 minutes, with a secret that is in use",
	}}
}

func tooLarge() error {
	const reason = "a message is at most 1 MiB"
	return &rejection{status: http.StatusRequestEntityTooLarge, why: reason, problem: problem{Kind: "too_large", Reason: reason}}
}

func unsupported(reason string) error {
	return &rejection{status: http.StatusUnsupportedMediaType, why: reason, problem: problem{Kind: "unsupported", Reason: reason}}
}

func notAllowed() error {
	return &rejection{status: http.StatusMethodNotAllowed, header: map[string]string{"Allow": http.MethodPost}, problem: problem{
		Kind: "method", Reason: "only POST is answered here",
	}}
}

func notFound(reason string) error {
	return &rejection{status: http.StatusNotFound, problem: problem{Kind: "not_found", Reason: reason}}
}

// unavailable is the answer to every fault of ours: whatever was sent may be
// sent again, a repeat is harmless.
func unavailable() answer {
	return answer{
		status: http.StatusServiceUnavailable, header: map[string]string{"Retry-After": "5"},
		body: failure{problem{Kind: "unavailable", Reason: "nothing can be kept at the moment; send it again"}},
	}
}

// statusOf is the one table from a Refusal to HTTP.
func statusOf(r *lifecycle.Refusal) (status int, kind string) {
	switch {
	case errors.Is(r.Kind, errMalformed):
		return http.StatusBadRequest, lifecycle.ErrInvalid.Error()
	case errors.Is(r.Kind, lifecycle.ErrForbidden):
		return http.StatusForbidden, lifecycle.ErrForbidden.Error()
	case errors.Is(r.Kind, lifecycle.ErrConflict), errors.Is(r.Kind, lifecycle.ErrDuplicate):
		return http.StatusConflict, lifecycle.ErrConflict.Error()
	default:
		return http.StatusUnprocessableEntity, lifecycle.ErrInvalid.Error()
	}
}

func problemOf(r *lifecycle.Refusal) problem {
	_, kind := statusOf(r)
	return problem{Kind: kind, Reason: r.Reason, Fields: r.Fields}
}

func refusalAnswer(r *lifecycle.Refusal) answer {
	status, _ := statusOf(r)
	return answer{status: status, body: failure{problemOf(r)}}
}

const mostMistakes = 100

// refuseFields returns a Refusal of everything that is wrong, or nil.
func refuseFields(wrong []lifecycle.FieldError) error {
	if len(wrong) == 0 {
		return nil
	}
	reason := wrong[0].Path + " " + wrong[0].Message
	if n := len(wrong) - 1; n > 0 {
		reason = fmt.Sprintf("%s; and %d more", reason, n)
	}
	return &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: reason, Fields: wrong[:min(len(wrong), mostMistakes)]}
}

func (a answer) write(w http.ResponseWriter) error {
	body, err := json.Marshal(a.body)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	for name, value := range a.header {
		h.Set(name, value)
	}
	w.WriteHeader(a.status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}
