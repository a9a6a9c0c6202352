package scim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/lifecycle"
)

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

// heard is a Sources that notes whom it was told of.
type heard struct {
	mu     sync.Mutex
	broken error
	times  map[string]int
}

func (s *heard) Hear(_ context.Context, name string, syncs bool) (lifecycle.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !syncs {
		return lifecycle.Source{}, errors.New("a SCIM client sends everybody")
	}
	s.times[name]++
	return lifecycle.Source{Name: name}, s.broken
}

// house is a handler with its surroundings: clients okta and entra, whose tokens
// are those of tokenOf.
type house struct {
	*Handler
	store   *store
	clock   *clock
	sources *heard
	flow    *lifecycle.Provisioning
	clients []Client
	log     *bytes.Buffer
}

func tokenOf(client string) string { return client + "-token-0123456789abcdefghijkl" }

func newHouse(tb testing.TB) *house {
	tb.Helper()
	s := newStore()
	return houseOver(tb, s, s)
}

// houseOver returns a house that keeps what is provisioned in resources, and the
// rest in s.
func houseOver(tb testing.TB, resources lifecycle.ResourceStore, s *store) *house {
	tb.Helper()
	h := &house{store: s, clock: &clock{at: time.Date(2026, 5, 31, 9, 0, 0, 0, time.UTC)}, sources: &heard{times: map[string]int{}}, log: &bytes.Buffer{}}
	for _, name := range []string{"okta", "entra"} {
		h.clients = append(h.clients, Client{Name: name, TokenSHA256: [][sha256.Size]byte{sha256.Sum256([]byte(tokenOf(name)))}})
	}
	h.flow = lifecycle.NewProvisioning(resources, h.clock.now)
	h.Handler = New(Config{
		Provisioning: h.flow, Store: resources, Inbox: lifecycle.NewInbox(h.store, h.clock.now),
		Clients: func() ([]Client, error) { return h.clients, nil },
		Sources: h.sources, Now: h.clock.now, Log: slog.New(slog.NewTextHandler(h.log, nil)),
	})
	return h
}

// request returns one of a client's requests, as it should be.
func request(client, method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "/scim/v2"+path, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.77:4711"
	r.Header.Set("Authorization", "Bearer "+tokenOf(client))
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	return r
}

func (h *house) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (h *house) call(client, method, path, body string) *httptest.ResponseRecorder {
	return h.send(request(client, method, path, body))
}

// must calls and fails the test unless the answer has the status.
func (h *house) must(tb testing.TB, status int, method, path, body string) map[string]any {
	tb.Helper()
	w := h.call("okta", method, path, body)
	if w.Code != status {
		tb.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	return decoded(tb, w.Body.Bytes())
}

func decoded(tb testing.TB, body []byte) map[string]any {
	tb.Helper()
	if len(body) == 0 {
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		tb.Fatalf("answer %q: %v", body, err)
	}
	return m
}

// user creates a user and returns the id.
func (h *house) user(tb testing.TB, name string) string {
	tb.Helper()
	id, _ := h.must(tb, http.StatusCreated, http.MethodPost, "/Users", userBody(name))["id"].(string)
	return id
}

func userBody(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"active":true,"emails":[{"primary":true,"value":%q,"type":"work"}]}`, name, name)
}

func groupBody(name string, members ...string) string {
	var list []string
	for _, id := range members {
		list = append(list, fmt.Sprintf(`{"value":%q}`, id))
	}
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q,"members":[%s]}`, name, strings.Join(list, ","))
}

func patchBody(operations string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operations + `]}`
}

// settle does the jobs of the kind that the domain answers here.
func (h *house) settle(tb testing.TB) {
	tb.Helper()
	for {
		h.store.mu.Lock()
		jobs := h.store.jobs
		h.store.jobs = nil
		h.store.mu.Unlock()
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			if j.Kind != lifecycle.JobRestate {
				continue
			}
			if err := h.flow.Restate(tb.Context(), j.Ref); err != nil {
				tb.Fatalf("restate %s: %v", j.Ref, err)
			}
		}
	}
}

// say returns what a fact says, on one line.
func say(f lifecycle.Fact) string {
	p := f.Person
	words := []string{string(p.Status)}
	if f.Kind != lifecycle.FactState {
		words = []string{string(f.Kind), string(p.Status)}
	}
	for _, w := range []struct{ name, value string }{
		{"emails", strings.Join(p.Emails, ",")},
		{"name", p.Name},
		{"employee", p.EmployeeID},
		{"title", p.Title},
		{"department", p.Department},
		{"location", p.Location},
		{"country", p.Country},
		{"employment", string(p.Employment)},
		{"manager", p.ManagerID},
		{"groups", strings.Join(p.Groups, ",")},
		{"timezone", p.Timezone},
	} {
		if w.value != "" {
			words = append(words, w.name+"="+w.value)
		}
	}
	return strings.Join(words, " ")
}
