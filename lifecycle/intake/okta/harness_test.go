package okta

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake/okta/oktatest"
)

// store is what the inbox, the sources and the cursors are kept in: it knows a
// repeat, keeps the trail, and can be out of order or slow.
type store struct {
	mu      sync.Mutex
	broken  error
	after   int           // facts that are kept before it is broken; 0: none
	stuck   chan struct{} // a write waits until it is closed, or nobody waits for the answer any more
	facts   []lifecycle.Fact
	trail   []lifecycle.AuditEvent
	jobs    []lifecycle.Job
	cursors map[string]string
	heard   int
}

func (s *store) wait(ctx context.Context) error {
	s.mu.Lock()
	stuck := s.stuck
	s.mu.Unlock()
	if stuck == nil {
		return ctx.Err()
	}
	select {
	case <-stuck:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *store) Record(ctx context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.trail, s.jobs = append(s.trail, e), append(s.jobs, next...)
	return nil
}

func (s *store) SaveFact(ctx context.Context, f lifecycle.Fact, e lifecycle.AuditEvent, next ...lifecycle.Job) (lifecycle.NoticeID, bool, error) {
	if err := s.wait(ctx); err != nil {
		return "", false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.facts {
		if known.Source == f.Source && known.EventID == f.EventID {
			return known.ID, true, nil
		}
	}
	if s.broken != nil && len(s.facts) >= s.after {
		return "", false, s.broken
	}
	s.facts, s.trail, s.jobs = append(s.facts, f), append(s.trail, e), append(s.jobs, next...)
	return f.ID, false, nil
}

func (s *store) SaveFinding(context.Context, lifecycle.Finding, lifecycle.AuditEvent, ...lifecycle.Job) (bool, error) {
	return false, errors.New("nobody reports a finding here")
}

func (s *store) BaselineByEmail(context.Context, string) ([]lifecycle.Account, error) {
	return nil, errors.New("nobody asks for an account here")
}

func (s *store) IdentitiesByEmail(context.Context, string) ([]lifecycle.Identity, error) {
	return nil, errors.New("nobody asks for an identity here")
}

func (s *store) Cursor(_ context.Context, name string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursors[name], nil
}

func (s *store) SaveCursor(_ context.Context, name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.cursors[name] = value
	return nil
}

func (s *store) Hear(_ context.Context, name string, syncs bool) (lifecycle.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != Source || syncs {
		return lifecycle.Source{}, fmt.Errorf("heard %s, %t", name, syncs)
	}
	s.heard++
	return lifecycle.Source{Name: name}, s.broken
}

// lines returns who said what of each line of the kind.
func (s *store) lines(kind lifecycle.EventKind) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.trail {
		if e.Kind == kind {
			all = append(all, e.Ref+" | "+e.Detail["why"])
		}
	}
	return all
}

func (s *store) steps(kind lifecycle.JobKind) []lifecycle.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.jobs), func(j lifecycle.Job) bool { return j.Kind != kind })
}

// said returns each fact in a line: what, of whom, when, and what of them.
func (s *store) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, f := range s.facts {
		all = append(all, fmt.Sprintf("%s %s %s %s %s/%s/%s %v", cmp.Or(string(f.Kind), "state"), f.Key, f.Person.Status,
			f.ObservedAt.Format("15:04:05.000"), f.Person.Department, f.Person.Title, f.Person.EmployeeID, f.Person.Groups))
	}
	return all
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var morning = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

const (
	secretA = "an-okta-hook-secret-of-40-characters-aaa"
	secretB = "an-okta-hook-secret-of-40-characters-bbb"
	token   = "00readOnlyTokenOfTheAdministrator"
)

// house is a hook and a resync beside the org that they hear.
type house struct {
	*Hook
	store   *store
	clock   *clock
	secrets []string
	log     *bytes.Buffer
	org     *oktatest.Org
	url     string // of the org
	resync  *Resync
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	h := &house{
		store: &store{cursors: map[string]string{}}, clock: &clock{at: morning}, secrets: []string{secretA}, log: &bytes.Buffer{},
	}
	h.Hook = NewHook(Config{
		Inbox: lifecycle.NewInbox(h.store, h.clock.now), Sources: h.store, Secrets: func() ([]string, error) { return h.secrets, nil },
		ResyncAfter: time.Minute, Now: h.clock.now, Log: slog.New(slog.NewTextHandler(h.log, nil)),
	})
	return h
}

// withOrg gives the house an org whose log it reads.
func (h *house) withOrg(tb testing.TB, cfg oktatest.Config) *house {
	tb.Helper()
	cfg.Now, cfg.Token = h.clock.now, token
	h.org = oktatest.New(cfg)
	url, err := h.org.Start()
	if err != nil {
		tb.Fatal(err)
	}
	h.url = url
	tb.Cleanup(func() {
		if err := h.org.Close(); err != nil {
			tb.Error(err)
		}
		if broken := h.org.Violations(); len(broken) > 0 {
			tb.Errorf("Okta was used wrongly: %q", broken)
		}
	})
	h.resync = h.newResync(tb, false)
	return h
}

func (h *house) newResync(tb testing.TB, groups bool) *Resync {
	tb.Helper()
	r, err := NewResync(ResyncConfig{
		Inbox: lifecycle.NewInbox(h.store, h.clock.now), Sources: h.store, Cursors: h.store, URL: h.url,
		Token: func() (string, error) { return token, nil }, Client: http.DefaultClient, Groups: groups, Now: h.clock.now,
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// hooked registers the hook with the org.
func (h *house) hooked(tb testing.TB) {
	tb.Helper()
	server := httptest.NewServer(h)
	tb.Cleanup(server.Close)
	h.org.Register(oktatest.Hook{URL: server.URL + "/hooks/okta", Secret: secretA, Types: EventTypes()})
	if err := h.org.Verify(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

func (h *house) deliver(tb testing.TB) []oktatest.Delivery {
	tb.Helper()
	all, err := h.org.Deliver(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// signed returns a delivery that is as it should be.
func (h *house) signed(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hooks/okta", strings.NewReader(body))
	r.RemoteAddr = "203.0.113.77:4711"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", secretA)
	return r
}

func (h *house) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// reasonOf returns the reason in an answer.
func reasonOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var said struct {
		Error struct {
			Reason string `json:"reason"`
		} `json:"error"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return said.Error.Reason
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// envelopeOf returns a delivery of events, each as its type, its uuid, its second and whom it is about.
func envelopeOf(events ...string) string {
	return `{"eventType":"com.okta.event_hook","eventTypeVersion":"1.0","cloudEventsVersion":"0.1","eventId":"e1",` +
		`"source":"https://acme.okta.com/api/v1/eventHooks/who1","data":{"events":[` + strings.Join(events, ",") + `]}}`
}

func eventOf(eventType, uuid string, second int, who string) string {
	return fmt.Sprintf(`{"uuid":%q,"published":"2026-11-23T08:59:%02d.101Z","eventType":%q,"outcome":{"result":"SUCCESS"},"actor":{"id":"00uADM","type":"User"},`+
		`"target":[{"id":%q,"type":"User","alternateId":"%s@acme.test","displayName":"Mina Ito"}]}`, uuid, second, eventType, who, strings.ToLower(who))
}
