package pagerdutytest

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// A Disaster is what can befall one write.
type Disaster struct {
	Name string
	Kind Kind
	Done bool // it took effect all the same
}

// Disasters returns, in order, every way in which a write fails for its client while it did or did not take effect. A
// refusal that PagerDuty means is none.
func Disasters() []Disaster {
	fault := Status(http.StatusInternalServerError, `{"error":{"message":"Internal Server Error","code":2000}}`)
	return []Disaster{
		{"a reset before it took effect", ConnectionReset(), false},
		{"a server that goes away before it took effect", ServerGone(), false},
		{"a fault before it took effect", fault, false},
		{"a gateway's page before it took effect", HTML(http.StatusBadGateway), false},
		{"a fault after it took effect", Late(fault), true},
		{"a gateway's page after it took effect", Late(HTML(http.StatusGatewayTimeout)), true},
		{"a lost answer", LostAnswer(), true},
		{"an answer that broke off", CutAnswer(), true},
	}
}

// FailWrite lets k befall the nth write from now, counted from 1, whatever it writes. When Armed is empty afterwards there
// was such a write; a test that fails every step in turn goes on until there is none.
func (a *Account) FailWrite(nth int, k Kind) { a.Fail(Fault{Nth: nth, Writes: true, Kind: k}) }

// writes reports whether the call is meant to change something.
func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.URL.Path != "/oauth/token" && r.URL.Path != "/analytics/raw/users"
}

// Late performs the call and then answers as k does, which must be a kind that answers or cuts without performing anything.
func Late(k Kind) Kind {
	if k.instead == nil {
		panic("pagerdutytest: " + k.name + " cannot come late")
	}
	return Kind{name: "late " + k.name, spoil: func(a *Account, w http.ResponseWriter, r *http.Request, _ *reply) bool {
		return k.instead(a, w, r)
	}}
}

// ServerGone closes the connection politely without an answer, as PagerDuty does with HTTP/2's GOAWAY, and performs nothing.
func ServerGone() Kind {
	return Kind{name: "server gone", instead: func(_ *Account, w http.ResponseWriter, _ *http.Request) bool {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler) // the connection cannot be had: let the server drop it
		}
		_ = conn.Close() // nobody is left to tell
		return true
	}}
}

// CutAnswer performs the call and cuts the connection in the middle of the answer, whose headers promise all of it.
func CutAnswer() Kind {
	return Kind{name: "cut answer", spoil: func(_ *Account, w http.ResponseWriter, _ *http.Request, rep *reply) bool {
		b, err := json.Marshal(rep.body)
		if err != nil || rep.body == nil || len(b) < 2 {
			cut(w) // there is no middle
			return true
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		w.WriteHeader(rep.status)
		_, _ = w.Write(b[:len(b)/2])              // a client that has gone reads nothing
		_ = http.NewResponseController(w).Flush() // so that the client sees the half
		panic(http.ErrAbortHandler)               // the server drops the connection
	}}
}
