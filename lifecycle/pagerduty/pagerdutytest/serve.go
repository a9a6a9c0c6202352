package pagerdutytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const maxBody = 1 << 20

// A route is one operation of the API.
type route struct {
	method, path string
	scope        string   // what a scoped token needs; empty when any credential will do
	params       []string // query parameters that it knows; PagerDuty ignores all others
	reads        bool     // changes nothing, although its method is not GET
	userWrite    bool     // takes the account's lock on users
	duty         bool     // may leave a level or a schedule without anybody
	do           func(*call) reply
}

// A call is one request on its way through the fake.
type call struct {
	*Account
	r     *http.Request
	route route
	body  []byte
	who   credential
	at    time.Time
	id    string // of the request
	view  *view
}

func (a *Account) mux() http.Handler {
	m := http.NewServeMux()
	for _, rt := range routes() {
		m.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, rt) })
	}
	m.HandleFunc("POST /oauth/token", a.serveToken)
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.serve(w, r, route{method: r.Method, path: "unknown", do: func(c *call) reply {
			c.violate("no such operation")
			return reply{status: http.StatusNotFound, text: "404 page not found", refusal: "no such operation"}
		}})
	})
	return m
}

// serve takes a request through faults, the rate limit and the door, performs it, and writes the answer.
func (a *Account) serve(w http.ResponseWriter, r *http.Request, rt route) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			write(w, refuse(http.StatusRequestEntityTooLarge, 2001, "Request Entity Too Large"))
		}
		return // the client gave up while sending
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := &call{Account: a, r: r, route: rt, body: body}
	overlaps := a.enter(c)
	defer a.leave(rt)
	a.throughFaults(w, r, func() reply { return a.answer(c, w.Header(), overlaps) })
}

// throughFaults performs a call, and answers it, as far as the faults that it is struck by let it come.
func (a *Account) throughFaults(w http.ResponseWriter, r *http.Request, perform func() reply) {
	kinds := a.strike(r)
	if a.wait(r) != nil {
		return
	}
	for _, k := range kinds {
		if k.before != nil {
			k.before()
		}
		if k.instead != nil && k.instead(a, w, r) {
			return
		}
	}
	rep := perform()
	for _, k := range kinds {
		if k.after != nil {
			k.after()
		}
		if k.spoil != nil && k.spoil(a, w, r, &rep) {
			return
		}
	}
	write(w, rep)
}

// enter counts the call. It reports whether another write to users is under way.
func (a *Account) enter(c *call) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c.at, c.id = a.now(), fmt.Sprintf("req-%06d", a.requests+1)
	a.count(c.route.method + " " + c.route.path)
	overlaps := c.route.userWrite && a.inUser > 0
	if c.route.userWrite {
		a.inUser++
	}
	return overlaps
}

func (a *Account) leave(rt route) {
	if !rt.userWrite {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inUser--
}

func (a *Account) wait(r *http.Request) error {
	if a.cfg.Latency <= 0 {
		return nil
	}
	t := time.NewTimer(a.cfg.Latency)
	defer t.Stop()
	select {
	case <-r.Context().Done():
		return r.Context().Err()
	case <-t.C:
		return nil
	}
}

// answer performs the call under the lock and notes what came of it.
func (a *Account) answer(c *call, h http.Header, overlaps bool) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.version
	a.lookBefore(c)
	c.view = a.newView()
	rep := a.admit(c, h, overlaps)
	if rep == nil {
		r := c.route.do(c)
		rep = &r
	}
	c.view.seen()
	a.lookAfter(c, a.version != before)
	if c.route.method != http.MethodGet && !c.route.reads {
		a.noteWrite(c, *rep, a.version != before)
	}
	return *rep
}

// admit lets the call in by returning nil, or says why not.
func (a *Account) admit(c *call, h http.Header, overlaps bool) *reply {
	who, known := a.authenticate(c.r, c.at)
	if !known {
		return new(unauthorized())
	}
	c.who = who
	switch {
	case !a.spend(c.who.key, c.route.method+" "+c.route.path, c.at, h):
		return new(rateLimited())
	case who.readOnly && c.r.Method != http.MethodGet:
		return new(forbidden())
	case who.scoped && c.route.scope != "" && !slices.Contains(who.scopes, c.route.scope):
		if a.cfg.OAuth.ScopesAsText {
			return new(outOfScopeText(c.route.scope, who.scopes))
		}
		return new(outOfScope(c.route.scope, who.scopes))
	case overlaps && a.cfg.AccountLock:
		return new(notLocked())
	}
	c.checkParams()
	return c.checkHeaders()
}

// checkParams notes parameters that PagerDuty would ignore without a word.
func (c *call) checkParams() {
	for key := range c.r.URL.Query() {
		if !slices.Contains(c.route.params, key) {
			c.violate("query parameter %q does nothing here", key)
		}
	}
}

// checkHeaders refuses what is not JSON. The statuses are the fake's own choice.
func (c *call) checkHeaders() *reply {
	accept := c.r.Header.Get("Accept")
	if !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*") {
		c.violate("Accept %q does not take JSON", accept)
		return new(refuse(http.StatusNotAcceptable, 2001, "Not Acceptable"))
	}
	if len(c.body) > 0 && !strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/json") {
		c.violate("Content-Type %q is not JSON", c.r.Header.Get("Content-Type"))
		return new(refuse(http.StatusUnsupportedMediaType, 2001, "Unsupported Media Type"))
	}
	return nil
}

// decode reads the body's one JSON object, or refuses it.
func (c *call) decode(into any) *reply {
	d := json.NewDecoder(bytes.NewReader(c.body))
	if err := d.Decode(into); err != nil {
		return new(invalid("The request body is not the JSON that was expected: " + err.Error()))
	}
	if d.More() {
		return new(invalid("The request body goes on after its JSON"))
	}
	return nil
}

// from finds the user whose address is in the From header. The second result refuses when there is none.
func (c *call) from() (*User, *reply) {
	addr := c.r.Header.Get("From")
	if addr == "" {
		return nil, new(missingFrom())
	}
	u := c.byEmail(addr)
	if u == nil {
		return nil, new(unknownFrom())
	}
	return u, nil
}

func write(w http.ResponseWriter, r reply) {
	switch {
	case r.text != "":
		http.Error(w, r.text, r.status)
	case r.body == nil:
		w.WriteHeader(r.status)
	default:
		b, err := json.Marshal(r.body)
		if err != nil {
			panic(fmt.Sprintf("pagerdutytest: an answer cannot be written as JSON: %v", err))
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(r.status)
		_, _ = w.Write(b) // a client that has gone reads nothing
	}
}
