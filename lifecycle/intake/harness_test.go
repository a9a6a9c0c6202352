package intake

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// store is a lifecycle.FactStore in memory: it knows a repeat, keeps the
// trail, and can be out of order.
type store struct {
	mu       sync.Mutex
	broken   error
	facts    []lifecycle.Fact
	findings []lifecycle.Finding
	trail    []lifecycle.AuditEvent
	jobs     []lifecycle.Job
	accounts []lifecycle.Account
}

func (s *store) Record(ctx context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(ctx, e, next)
}

func (s *store) commit(ctx context.Context, e lifecycle.AuditEvent, next []lifecycle.Job) error {
	if err := cmp.Or(s.broken, ctx.Err()); err != nil {
		return err
	}
	s.trail, s.jobs = append(s.trail, e), append(s.jobs, next...)
	return nil
}

func (s *store) SaveFact(ctx context.Context, f lifecycle.Fact, e lifecycle.AuditEvent, next ...lifecycle.Job) (lifecycle.NoticeID, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.facts {
		if known.Source == f.Source && known.EventID == f.EventID {
			return known.ID, true, s.broken
		}
	}
	if err := s.commit(ctx, e, next); err != nil {
		return "", false, err
	}
	s.facts = append(s.facts, f)
	return f.ID, false, nil
}

func (s *store) SaveFinding(ctx context.Context, f lifecycle.Finding, e lifecycle.AuditEvent, next ...lifecycle.Job) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.findings {
		if known.ID == f.ID {
			return true, s.broken
		}
	}
	if err := s.commit(ctx, e, next); err != nil {
		return false, err
	}
	s.findings = append(s.findings, f)
	return false, nil
}

func (s *store) BaselineByEmail(_ context.Context, email string) ([]lifecycle.Account, error) {
	var found []lifecycle.Account
	for _, a := range s.accounts {
		if lifecycle.FoldEmail(a.Email) == email {
			found = append(found, a)
		}
	}
	return found, s.broken
}

func (s *store) IdentitiesByEmail(context.Context, string) ([]lifecycle.Identity, error) {
	return nil, s.broken
}

// refusals returns source and reason of each refusal on the trail.
func (s *store) refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, e := range s.trail {
		if e.Kind == lifecycle.EventNoticeRefused {
			lines = append(lines, e.Ref+" | "+e.Detail["why"])
		}
	}
	return lines
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

// house is a handler with its surroundings.
type house struct {
	*Handler
	store   *store
	clock   *clock
	secrets []Secret
	log     *bytes.Buffer
	heard   heard
}

// heard are the sources that were heard, in order.
type heard struct {
	mu    sync.Mutex
	names []string
}

// Hear notes the source; that none of them syncs is a part of the name.
func (h *heard) Hear(_ context.Context, name string, syncs bool) (lifecycle.Source, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if syncs {
		name += " syncs"
	}
	h.names = append(h.names, name)
	return lifecycle.Source{Name: name}, nil
}

const (
	secretA = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	secretB = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="
	secretC = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
)

func newHouse(tb testing.TB) *house {
	tb.Helper()
	h := &house{
		store: &store{accounts: []lifecycle.Account{{
			ID: "PMINA", Email: "mina.ito@acme.test", Name: "Mina Ito", BaseRole: lifecycle.RoleManager,
			Teams: []lifecycle.Membership{{Team: lifecycle.Team{ID: "PPAY", Name: "Payments"}, Role: lifecycle.TeamManager}},
		}}},
		clock:   &clock{at: time.Date(2026, 5, 31, 9, 0, 0, 0, time.UTC)},
		secrets: secretsOf(tb, secretA),
		log:     &bytes.Buffer{},
	}
	h.Handler = New(Config{
		Inbox:   lifecycle.NewInbox(h.store, h.clock.now),
		Sources: &h.heard,
		Secrets: func() ([]Secret, error) { return h.secrets, nil },
		Now:     h.clock.now,
		Log:     slog.New(slog.NewTextHandler(h.log, nil)),
	})
	return h
}

func secretsOf(tb testing.TB, text string) []Secret {
	tb.Helper()
	secrets, err := ParseSecrets(text)
	if err != nil {
		tb.Fatal(err)
	}
	return secrets
}

// signed returns a request that is as it should be.
func (h *house) signed(path, media, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.77:4711"
	maps.Copy(r.Header, Sign(h.secrets[0], "msg_1", h.clock.now(), []byte(body)))
	r.Header.Set("Content-Type", media)
	return r
}

func (h *house) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (h *house) post(path, media, body string) *httptest.ResponseRecorder {
	return h.send(h.signed(path, media, body))
}

// failureOf returns the problem in an answer.
func failureOf(t *testing.T, w *httptest.ResponseRecorder) problem {
	t.Helper()
	var f failure
	if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
		t.Fatalf("answer %q: %v", w.Body, err)
	}
	return f.Error
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, want int) {
	t.Helper()
	if w.Code != want {
		t.Fatalf("status %d, want %d: %s", w.Code, want, w.Body)
	}
}

const minaMoves = `{
  "specversion": "1.0", "id": "evt_1", "source": "hris/bamboo", "type": "rolecall.identity.v1", "time": "2026-05-31T08:59:00Z",
  "subject": "E1042", "traceparent": "00-ab-cd-01",
  "data": {
    "employee_id": "E1042", "status": "active", "emails": ["mina.ito@acme.test", "mina@acme.test"], "name": "Mina Ito",
    "department": "Payments", "location": "Tokyo", "country": "JP", "title": "SRE II", "employment": "employee",
    "manager_id": "E0007", "groups": ["oncall-payments"], "start_date": "2024-04-01", "end_date": null,
    "effective_at": "2026-12-01T00:00:00+09:00", "urgent": true, "version": 318
  }
}`

// with returns minaMoves with old replaced by new, which must be in it.
func with(t *testing.T, pairs ...string) string {
	t.Helper()
	body := minaMoves
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(body, pairs[i]) {
			t.Fatalf("%q is not in the message", pairs[i])
		}
		body = strings.Replace(body, pairs[i], pairs[i+1], 1)
	}
	return body
}
