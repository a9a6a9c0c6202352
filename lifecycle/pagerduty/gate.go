package pagerduty

import (
	"fmt"
	"net/http"
)

// A gate lets so many calls be under way at a time, whoever makes them.
type gate struct {
	next  http.RoundTripper
	slots chan struct{}
}

func newGate(next http.RoundTripper, slots int) *gate {
	return &gate{next: next, slots: make(chan struct{}, slots)}
}

func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
		return g.next.RoundTrip(req)
	case <-req.Context().Done():
		return nil, &unsentError{cause: fmt.Errorf("wait for other calls: %w", req.Context().Err())}
	}
}

// A tally is told of every call that was made.
type tally struct {
	next http.RoundTripper
	made func()
}

func (t *tally) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	t.made()
	return resp, err
}

// telling returns the same way to PagerDuty, of which made is told after every call.
func (a api) telling(made func()) api {
	client := *a.http
	client.Transport = &tally{next: client.Transport, made: made}
	return api{base: a.base, http: &client}
}
