package pagerdutytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path"
	"strconv"
	"time"
)

// A Fault is what goes wrong with some calls.
type Fault struct {
	Method string // any when empty
	Path   string // such as /teams/*/users/*, a star for one segment; any when empty
	Writes bool   // only calls that are meant to change something
	Nth    int    // the first matching call that it strikes, from 1; 0 is 1
	Times  int    // how many calls in a row it strikes; 0 is 1, negative is all that follow
	Kind   Kind
}

// A Kind is how a call goes wrong. Kinds are made by the functions of this file.
type Kind struct {
	name    string
	before  func()
	instead func(*Account, http.ResponseWriter, *http.Request) bool // true: the call is over and was never performed
	after   func()
	spoil   func(*Account, http.ResponseWriter, *http.Request, *reply) bool // true: the answer was sent or lost
}

type armed struct {
	Fault
	seen int
}

// Fail arms a fault. Faults that strike the same call strike in the order they were armed. It panics when the path is
// not a pattern.
func (a *Account) Fail(f Fault) {
	if _, err := path.Match(f.Path, "/"); err != nil {
		panic(fmt.Sprintf("pagerdutytest: fault path %q: %v", f.Path, err))
	}
	f.Nth = max(f.Nth, 1)
	if f.Times == 0 {
		f.Times = 1
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, &armed{Fault: f})
}

// Heal disarms all faults.
func (a *Account) Heal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// Armed describes the faults that have yet to strike for the last time. A test that ends with some did not test what it
// meant to.
func (a *Account) Armed() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, f := range a.faults {
		if f.Times > 0 && f.seen < f.Nth-1+f.Times {
			out = append(out, fmt.Sprintf("%s %s: %s, after %d matching calls", f.Method, f.Path, f.Kind.name, f.seen))
		}
	}
	return out
}

// strike returns the kinds of the faults that this call is struck by.
func (a *Account) strike(r *http.Request) []Kind {
	a.mu.Lock()
	defer a.mu.Unlock()
	var kinds []Kind
	for _, f := range a.faults {
		if !f.matches(r) {
			continue
		}
		f.seen++
		if f.seen >= f.Nth && (f.Times < 0 || f.seen < f.Nth+f.Times) {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

func (f *armed) matches(r *http.Request) bool {
	if (f.Method != "" && f.Method != r.Method) || (f.Writes && !writes(r)) {
		return false
	}
	if f.Path == "" {
		return true
	}
	hit, err := path.Match(f.Path, r.URL.Path)
	return err == nil && hit
}

// Status answers with a status and a body of JSON and performs nothing. An empty body sends none.
func Status(code int, body string) Kind {
	return answers("status", func(w http.ResponseWriter) {
		if body != "" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body)) // a client that has gone reads nothing
	})
}

// HTML answers with a page for people, as gateways do, and performs nothing.
func HTML(code int) Kind {
	return answers("html", func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(code)
		_, _ = w.Write([]byte("<html><head><title>" + http.StatusText(code) + "</title></head><body>nginx</body></html>"))
	})
}

// TooManyRequests answers 429 with headers that say when the limit is reset, and performs nothing.
func TooManyRequests(reset time.Duration) Kind {
	return answers("429", func(w http.ResponseWriter) {
		setLimit(w.Header(), DefaultRateLimit, 0, reset)
		write(w, rateLimited())
	})
}

// TooManyRequestsBare answers 429 without headers and without a body, which PagerDuty says it may do.
func TooManyRequestsBare() Kind {
	return answers("bare 429", func(w http.ResponseWriter) {
		w.Header()["Date"] = nil
		w.WriteHeader(http.StatusTooManyRequests)
	})
}

func answers(name string, f func(http.ResponseWriter)) Kind {
	return Kind{name: name, instead: func(_ *Account, w http.ResponseWriter, _ *http.Request) bool {
		f(w)
		return true
	}}
}

// ConnectionReset cuts the connection and performs nothing.
func ConnectionReset() Kind {
	return Kind{name: "reset", instead: func(_ *Account, w http.ResponseWriter, _ *http.Request) bool {
		cut(w)
		return true
	}}
}

// Hang performs nothing and answers nothing until the client gives up or the account is closed.
func Hang() Kind {
	return Kind{name: "hang", instead: func(_ *Account, w http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		cut(w)
		return true
	}}
}

// LostAnswer performs the call, then cuts the connection before the answer.
func LostAnswer() Kind {
	return Kind{name: "lost answer", spoil: func(_ *Account, w http.ResponseWriter, _ *http.Request, _ *reply) bool {
		cut(w)
		return true
	}}
}

// TruncatedJSON performs the call and sends only the first half of the answer, as if that were all.
func TruncatedJSON() Kind {
	return Kind{name: "truncated", spoil: func(_ *Account, w http.ResponseWriter, _ *http.Request, rep *reply) bool {
		b, err := json.Marshal(rep.body)
		if err != nil || len(b) < 4 {
			b = []byte(`{"er`)
		}
		b = bytes.Clone(b[:len(b)/2])
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		w.WriteHeader(rep.status)
		_, _ = w.Write(b) // a client that has gone reads nothing
		return true
	}}
}

// ShortPage breaks a listing off: this page promises more, and the next call to the same path is a 500.
func ShortPage() Kind {
	return Kind{name: "short page", spoil: func(a *Account, _ http.ResponseWriter, r *http.Request, rep *reply) bool {
		if body, is := rep.body.(obj); is {
			body["more"] = true
		}
		a.Fail(Fault{Method: r.Method, Path: r.URL.Path, Kind: Status(http.StatusInternalServerError,
			`{"error":{"message":"Internal Server Error","code":2000}}`)})
		return false
	}}
}

// Before runs f when the call has arrived and before it is performed. F may use the account.
func Before(f func()) Kind { return Kind{name: "before", before: f} }

// After runs f when the call was performed and before it is answered. F may use the account.
func After(f func()) Kind { return Kind{name: "after", after: f} }

// cut drops the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the connection cannot be had: let the server drop it
	}
	if tcp, is := conn.(*net.TCPConn); is {
		_ = tcp.SetLinger(0) // without it the connection ends politely, which is lost all the same
	}
	_ = conn.Close() // nobody is left to tell
}
