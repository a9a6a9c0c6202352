package slacktest

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Fault is how a Web API method misbehaves. Set one of Error, Status, RetryAfter, LostAnswer, LostRequest, Hang and Gate.
type Fault struct {
	Error       string          // answer ok:false with this code
	Status      int             // answer with this HTTP status and no JSON
	RetryAfter  time.Duration   // answer 429 with this Retry-After, in whole seconds
	LostAnswer  bool            // do what was asked, then cut the connection
	LostRequest bool            // cut the connection without doing it
	Hang        bool            // do nothing until the caller gives up or the workspace closes
	Gate        <-chan struct{} // wait until it is closed (or the caller gives up), then answer as usual

	Nth     int    // begin with the nth matching call; 0 and 1 mean the first
	Times   int    // how many calls it hits; 0 means every one until ClearFaults
	Channel string // only calls whose channel argument is this
	User    string // only calls whose user, user_id or users argument is this
}

type armedFault struct {
	Fault
	method string
	seen   int
}

// Fail arms a fault for a method, or for every method with "*". Of several that match a call the oldest one decides.
func (w *Workspace) Fail(method string, f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, &armedFault{Fault: f, method: method})
}

// ClearFaults disarms every fault.
func (w *Workspace) ClearFaults() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// matchFault returns the fault that decides this call, if any.
func (w *Workspace) matchFault(c *call) (Fault, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		if f.matches(c) && f.hits() {
			return f.Fault, true
		}
	}
	return Fault{}, false
}

func (f *armedFault) matches(c *call) bool {
	return (f.method == "*" || f.method == c.method) &&
		(f.Channel == "" || f.Channel == c.args["channel"]) &&
		(f.User == "" || f.User == c.args["user"] || f.User == c.args["user_id"] || f.User == c.args["users"])
}

func (f *armedFault) hits() bool {
	f.seen++
	nth := f.seen - max(f.Nth, 1)
	return nth >= 0 && (f.Times == 0 || nth < f.Times)
}

// beforeFault applies the fault armed for this call. It reports whether the call should go on as usual.
func (w *Workspace) beforeFault(rw http.ResponseWriter, r *http.Request, c *call) bool {
	f, armed := w.matchFault(c)
	switch {
	case !armed:
		return true
	case f.Gate != nil:
		return w.await(r, c, f.Gate)
	case f.Hang:
		return w.await(r, c, nil)
	case f.LostRequest:
		w.recordFault(c, 0, "")
		panic(http.ErrAbortHandler)
	case f.LostAnswer:
		if _, err := w.perform(c); err != nil {
			w.record(c, 0, err)
		} else {
			w.recordFault(c, 0, "")
		}
		panic(http.ErrAbortHandler) // the way net/http offers to cut a connection
	default:
		w.answerFault(rw, c, f)
		return false
	}
}

// await holds the call until open is closed; it cuts the connection when the caller gave up or the workspace closed first.
func (w *Workspace) await(r *http.Request, c *call, open <-chan struct{}) bool {
	select {
	case <-open:
		return true
	case <-r.Context().Done():
	case <-w.life.Done():
	}
	w.recordFault(c, 0, "")
	panic(http.ErrAbortHandler) // an answer now would be one that nobody waits for
}

func (w *Workspace) answerFault(rw http.ResponseWriter, c *call, f Fault) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	status, code := f.Status, f.Error
	if status == 0 {
		status = http.StatusOK
	}
	if f.RetryAfter > 0 {
		status, code = http.StatusTooManyRequests, "ratelimited"
		rw.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(f.RetryAfter)))
	}
	w.recordFault(c, status, code)
	if code == "" {
		http.Error(rw, http.StatusText(status), status)
		return
	}
	rw.WriteHeader(status)
	if _, err := rw.Write(encode(object{"ok": false, "error": code})); err != nil {
		w.cfg.Log.Debug("answer slack call", slog.String("method", c.method), slog.Any("err", err))
	}
}

func (w *Workspace) recordFault(c *call, status int, code string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls.add(Call{Method: c.method, At: w.cfg.Now(), Args: c.args, Status: status, Error: code, Fault: true})
	w.bump()
}
