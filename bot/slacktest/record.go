package slacktest

import (
	"slices"
	"time"
)

// Call is one request of the app to the Web API or to a response URL, and what it was answered.
type Call struct {
	Method string // such as "chat.postMessage", or "response_url"
	At     time.Time
	Args   map[string]string // as sent, without the token; nested JSON as text
	Status int               // HTTP status; 0 when the answer was withheld or cut off
	Error  string            // Slack's error code; "" when ok
	Fault  bool              // a Fault decided the answer
}

// Violation is something the app did that Slack refuses or that loses data: worth failing a test for.
type Violation struct {
	Method string // a Web API method, "response_url", "socket", "command", "view_submission"…
	At     time.Time
	Code   string   // Slack's error code, or one word of ours
	Detail []string // where and why, such as "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
	Args   map[string]string
}

// Calls returns the remembered calls of a method, oldest first; of every method when method is "".
func (w *Workspace) Calls(method string) []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(w.calls.all(), func(c Call) bool { return method != "" && c.Method != method })
}

// Violations returns what the app did wrong, oldest first. It leaves out two refusals that a correct app cannot
// avoid, users_not_found of users.lookupByEmail and hash_conflict, and everything that a Fault answered.
func (w *Workspace) Violations() []Violation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.violations.all()
}

// violate records a violation. The caller holds mu.
func (w *Workspace) violate(method, code string, args map[string]string, detail ...string) {
	w.violations.add(Violation{Method: method, At: w.cfg.Now(), Code: code, Detail: detail, Args: args})
	w.bump()
}

// unavoidable reports whether a correct app can meet this refusal.
func unavoidable(code string) bool {
	return code == "users_not_found" || code == "hash_conflict"
}
