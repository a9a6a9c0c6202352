package secevent

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// The error codes. Source: RFC 8935, 2.4.
const (
	errRequest        = "invalid_request"
	errKey            = "invalid_key"
	errIssuer         = "invalid_issuer"
	errAudience       = "invalid_audience"
	errAuthentication = "authentication_failed"
)

// A refusal is a request that is turned away. One without a code is turned away
// by the rules of HTTP, and leaves no line.
type refusal struct {
	status      int
	code        string
	description string
	header      map[string]string
}

func (r *refusal) Error() string { return r.code + ": " + r.description }

// refuse turns a token away: it is not sent again as it is.
func refuse(code, format string, args ...any) error {
	return &refusal{status: http.StatusBadRequest, code: code, description: fmt.Sprintf(format, args...)}
}

func unavailable() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, description: "nothing can be kept at the moment; send it again", header: map[string]string{"Retry-After": "30"}}
}

func notHere(status int, description string, header map[string]string) error {
	return &refusal{status: status, description: description, header: header}
}

// write answers with what is wrong, as RFC 8935, 2.3, has it.
func (r *refusal) write(w http.ResponseWriter) error {
	said := map[string]string{"description": r.description}
	if r.code != "" {
		said["err"] = r.code
	}
	body, err := json.Marshal(said)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Language", "en")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	for name, value := range r.header {
		h.Set(name, value)
	}
	w.WriteHeader(r.status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}
