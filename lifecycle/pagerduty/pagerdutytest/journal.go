package pagerdutytest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// keep is how many writes, violations and audit records are remembered; older ones are dropped.
const keep = 50_000

// journal is what the account noted about its callers. Its owner holds the lock.
type journal struct {
	requests   int
	calls      map[string]int
	writes     []Write
	violations []Violation
	records    []AuditRecord
	recorded   uint64
}

func newJournal() journal { return journal{calls: map[string]int{}} }

// A Write is a call other than a GET that reached the account and was performed or refused.
type Write struct {
	At        time.Time
	RequestID string
	Method    string
	Path      string
	Body      string
	From      string // the From header
	By        string // the credential: its last four characters
	Status    int
	Refusal   string // why it was refused; empty when it was performed
	Changed   bool   // the account's state is another than before
}

// A Violation is something that PagerDuty lets pass and a careful client does not do.
type Violation struct {
	At           time.Time
	Method, Path string
	Rule         string
}

func (v Violation) String() string { return v.Method + " " + v.Path + ": " + v.Rule }

// Writes returns the calls other than GETs, oldest first.
func (a *Account) Writes() []Write {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.writes)
}

// Effects returns the writes that changed something.
func (a *Account) Effects() []Write {
	return slices.DeleteFunc(a.Writes(), func(w Write) bool { return !w.Changed })
}

// Violations returns what callers did wrong without being refused, oldest first.
func (a *Account) Violations() []Violation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.violations)
}

// Calls returns how often each operation was called, by "GET /users/{id}". Calls that a fault cut short count too.
func (a *Account) Calls() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.calls)
}

// TotalCalls returns how many calls there were, those for tokens included.
func (a *Account) TotalCalls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

// Forget clears Writes, Calls, Violations and GapsSeen, so that a test can count from here.
func (a *Account) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writes, a.violations, a.calls = nil, nil, map[string]int{}
	a.cover = cover{}
}

func (j *journal) count(op string) {
	j.requests++
	j.calls[op]++
}

func (a *Account) noteWrite(c *call, r reply, changed bool) {
	a.writes = capped(append(a.writes, Write{
		At: c.at, RequestID: c.id, Method: c.r.Method, Path: c.r.URL.RequestURI(), Body: string(c.body),
		From: c.r.Header.Get("From"), By: c.who.tail(), Status: r.status, Refusal: r.refusal, Changed: changed,
	}))
}

func (c *call) violate(format string, args ...any) {
	c.violations = capped(append(c.violations, Violation{
		At: c.at, Method: c.r.Method, Path: c.r.URL.RequestURI(), Rule: fmt.Sprintf(format, args...),
	}))
}

// capped drops the oldest tenth when there are more than keep, so that dropping is rare.
func capped[T any](s []T) []T {
	if len(s) <= keep {
		return s
	}
	return slices.Clone(s[keep/10:])
}
