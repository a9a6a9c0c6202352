package oktatest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Fault is how the next call goes wrong.
type Fault int

// Cut breaks the answer off in the middle, Pass lets the call through; any other Fault is the status that the answer has.
const (
	Cut  Fault = 0
	Pass Fault = -1
)

// Fail makes the next calls go wrong, each as one of the faults says.
func (o *Org) Fail(faults ...Fault) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.faults = append(o.faults, faults...)
}

// window counts the calls to one endpoint in the minute that ends at reset.
type window struct {
	left  int
	reset time.Time
}

// An answer is what a call gets.
type answer struct {
	status int
	body   any
	links  []string
}

func failure(status int, code, summary string) answer {
	return answer{status: status, body: map[string]any{
		"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "oae" + code, "errorCauses": []any{},
	}}
}

func (o *Org) mux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /api/v1/logs", o.serve("/api/v1/logs", o.logs))
	m.HandleFunc("GET /api/v1/users/{id}", o.serve("/api/v1/users/{id}", o.user))
	m.HandleFunc("GET /api/v1/users/{id}/groups", o.serve("/api/v1/users/{id}/groups", o.userGroups))
	m.HandleFunc("/", o.serve("other", func(r *http.Request) answer {
		o.violate("no such operation: %s %s", r.Method, r.URL.Path)
		return failure(http.StatusNotFound, "E0000022", "The endpoint does not support the provided HTTP method")
	}))
	return m
}

// serve takes a call through the rate limit, the door and the faults. The lock is held throughout: an org answers one call
// after another.
func (o *Org) serve(endpoint string, do func(*http.Request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.calls = append(o.calls, r.Method+" "+r.URL.Path)
		within := o.count(w, endpoint)
		var a answer
		switch fault, hit := o.fault(); {
		case hit && fault == Cut:
			o.cut(w, do(r))
			return
		case hit:
			a = failure(int(fault), "E0000009", "Internal Server Error")
		case !within:
			a = failure(http.StatusTooManyRequests, "E0000047", "API call exceeded rate limit due to too many requests.")
		case o.cfg.Token == "" || r.Header.Get("Authorization") != "SSWS "+o.cfg.Token:
			a = failure(http.StatusUnauthorized, "E0000011", "Invalid token provided")
		default:
			a = do(r)
		}
		o.send(w, a)
	}
}

func (o *Org) fault() (Fault, bool) {
	if len(o.faults) == 0 {
		return 0, false
	}
	f := o.faults[0]
	o.faults = o.faults[1:]
	return f, f != Pass
}

// count counts the call and says so in the headers that Okta has for it. It returns false when it is one too many.
func (o *Org) count(w http.ResponseWriter, endpoint string) bool {
	w.Header().Set("Date", o.now().Format(http.TimeFormat))
	if o.cfg.RateLimit == 0 {
		return true
	}
	n := o.windows[endpoint]
	if n == nil || !o.now().Before(n.reset) {
		n = &window{left: o.cfg.RateLimit, reset: o.now().Truncate(time.Second).Add(time.Minute)}
		o.windows[endpoint] = n
	}
	ok := n.left > 0
	n.left = max(0, n.left-1)
	w.Header().Set("X-Rate-Limit-Limit", strconv.Itoa(o.cfg.RateLimit))
	w.Header().Set("X-Rate-Limit-Remaining", strconv.Itoa(n.left))
	w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(n.reset.Unix(), 10))
	return ok
}

func (o *Org) send(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	for _, l := range a.links {
		w.Header().Add("Link", l)
	}
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) //nolint:errcheck // whoever hung up does not want it
}

// cut sends half of what it promises.
func (o *Org) cut(w http.ResponseWriter, a answer) {
	whole, err := json.Marshal(a.body)
	if err != nil {
		panic("oktatest: " + err.Error())
	}
	for _, l := range a.links {
		w.Header().Add("Link", l)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
	w.WriteHeader(a.status)
	_, _ = w.Write(whole[:len(whole)/2]) //nolint:errcheck // it is to fail
}

// link returns a Link header to the call that r is, with one parameter changed.
func link(r *http.Request, rel, name, value string) string {
	q := r.URL.Query()
	if name != "" {
		q.Set(name, value)
		q.Del("since") // the cursor stands for where it begins
	}
	return "<http://" + r.Host + r.URL.Path + "?" + q.Encode() + `>; rel="` + strings.TrimSpace(rel) + `"`
}
