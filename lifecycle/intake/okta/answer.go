package okta

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// An answer is what a request gets.
type answer struct {
	status int
	header map[string]string
	body   any // nil for none
}

// A rejection is a request that is turned away. Why is for the trail; a rejection
// without it leaves no line.
type rejection struct {
	status   int
	reason   string
	allow    string
	why      string
	stranger bool
}

func (r *rejection) Error() string { return fmt.Sprintf("%d: %s", r.status, r.reason) }

// refuse turns away what somebody sent who has a secret.
func refuse(status int, reason string) error {
	return &rejection{status: status, reason: reason, why: reason}
}

func (r *rejection) answer() answer {
	a := answer{status: r.status, body: problem(r.reason)}
	if r.allow != "" {
		a.header = map[string]string{"Allow": r.allow}
	}
	return a
}

// unavailable makes Okta try once more.
func unavailable() answer {
	return answer{
		status: http.StatusServiceUnavailable, header: map[string]string{"Retry-After": "5"},
		body: problem("nothing can be kept at the moment; send it again"),
	}
}

func problem(reason string) any {
	return map[string]any{"error": map[string]string{"reason": reason}}
}

func (a answer) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return nil
	}
	body, err := json.Marshal(a.body)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}
