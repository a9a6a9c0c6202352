package scim

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	sum := func(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }
	for name, tt := range map[string]struct {
		change func(h *house, r *http.Request)
		status int
		why    string // on the trail
	}{
		"with the token of a client":    {change: func(*house, *http.Request) {}, status: http.StatusOK},
		"with the scheme in small type": {change: func(_ *house, r *http.Request) { r.Header.Set("Authorization", "bearer "+tokenOf("okta")) }, status: http.StatusOK},
		"with the old token while it rotates": {change: func(h *house, _ *http.Request) {
			h.clients[0].TokenSHA256 = append([][sha256.Size]byte{sum("the next token")}, h.clients[0].TokenSHA256...)
		}, status: http.StatusOK},
		"with the new token while it rotates": {change: func(h *house, r *http.Request) {
			h.clients[0].TokenSHA256 = append(h.clients[0].TokenSHA256, sum("the next token"))
			r.Header.Set("Authorization", "Bearer the next token")
		}, status: http.StatusOK},
		"with a token that was rotated out": {change: func(h *house, _ *http.Request) { h.clients[0].TokenSHA256[0] = sum("the next token") }, status: http.StatusUnauthorized, why: "the token is of no client"},
		"without a token":                   {change: func(_ *house, r *http.Request) { r.Header.Del("Authorization") }, status: http.StatusUnauthorized, why: "0 Authorization headers, not one"},
		"with an empty token":               {change: func(_ *house, r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, status: http.StatusUnauthorized, why: "the Authorization header is no bearer token"},
		"with a password":                   {change: func(_ *house, r *http.Request) { r.SetBasicAuth("okta", tokenOf("okta")) }, status: http.StatusUnauthorized, why: "the Authorization header is no bearer token"},
		"with two tokens":                   {change: func(_ *house, r *http.Request) { r.Header.Add("Authorization", "Bearer x") }, status: http.StatusUnauthorized, why: "2 Authorization headers, not one"},
		"with a token of nobody":            {change: func(_ *house, r *http.Request) { r.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 99)) }, status: http.StatusUnauthorized, why: "the token is of no client"},
		"with a client that has no token": {change: func(h *house, r *http.Request) {
			h.clients[0].TokenSHA256 = nil
			r.Header.Set("Authorization", "Bearer ")
		}, status: http.StatusUnauthorized, why: "the Authorization header is no bearer token"},
		"when two clients have one token": {change: func(h *house, _ *http.Request) { h.clients[1].TokenSHA256 = h.clients[0].TokenSHA256 }, status: http.StatusServiceUnavailable},
		"when a name would be a path":     {change: func(h *house, _ *http.Request) { h.clients[1].Name = "a/b" }, status: http.StatusServiceUnavailable},
		"when there is no client":         {change: func(h *house, _ *http.Request) { h.clients = nil }, status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			r := request("okta", http.MethodGet, "/Users", "")
			tt.change(h, r)
			w := h.send(r)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if heard := len(h.sources.times) > 0; heard != (tt.status == http.StatusOK) {
				t.Errorf("the source was heard: %v", heard)
			}
			var want []string
			if tt.why != "" {
				want = []string{"unverified | GET /scim/v2/Users: " + tt.why + ", from 203.0.113.0/24"}
			}
			if diff := cmp.Diff(want, h.refusals()); diff != "" {
				t.Errorf("trail (-want +got):\n%s", diff)
			}
			if tt.status == http.StatusUnauthorized && w.Body.String() != strangersAnswer {
				t.Errorf("a stranger is told %s", w.Body)
			}
		})
	}
}

const strangersAnswer = `{"detail":"send the token of this client as Authorization: Bearer TOKEN","schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401"}` + "\n"

// refusals returns source and reason of each refusal on the trail.
func (h *house) refusals() []string {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	var lines []string
	for _, e := range h.store.trail {
		if e.Kind == lifecycle.EventNoticeRefused {
			lines = append(lines, e.Ref+" | "+e.Detail["why"])
		}
	}
	return lines
}

func TestAFloodOfRefusalsIsCounted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 50 {
		h.must(t, http.StatusBadRequest, http.MethodPost, "/Users", `{}`)
	}
	h.must(t, http.StatusNotFound, http.MethodGet, "/Users/usr_nobody", "") // is no refusal
	h.clock.advance(time.Minute)
	h.must(t, http.StatusOK, http.MethodGet, "/Users", "")
	lines := h.refusals()
	want := "scim:okta | POST /scim/v2/Users: 30 more were refused since 2026-05-31T09:00:00Z and are not listed one by one"
	if len(lines) != 21 || lines[20] != want {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	h.must(t, http.StatusBadRequest, http.MethodPost, "/Users", `{}`)
	h.Flush(t.Context())
	if got := len(h.refusals()); got != 22 {
		t.Errorf("%d lines, want 22", got)
	}
}

// Whatever a stranger makes up, a minute has no more lines for it than for anything else.
func TestMadeUpRequestsFillNoTrail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 50 {
		for _, path := range []string{"/Users", "/Nothing/" + strconv.Itoa(i), []string{"/Me", "/mE"}[i%2]} {
			r := httptest.NewRequest("MADE"+strconv.Itoa(i), "/scim/v2"+path, http.NoBody)
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	if got := len(h.refusals()); got != 3*20 {
		t.Errorf("%d lines, want 20 for each of the three routes", got)
	}
}

func TestEachClientSeesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mina := h.user(t, "mina@acme.test")
	group, _ := h.must(t, http.StatusCreated, http.MethodPost, "/Groups", groupBody("sre", mina))["id"].(string)
	for _, r := range []*http.Request{
		request("entra", http.MethodGet, "/Users/"+mina, ""),
		request("entra", http.MethodPut, "/Users/"+mina, userBody("x@acme.test")),
		request("entra", http.MethodPatch, "/Users/"+mina, patchBody(`{"op":"replace","value":{"active":false}}`)),
		request("entra", http.MethodDelete, "/Users/"+mina, ""),
		request("entra", http.MethodGet, "/Groups/"+group, ""),
		request("entra", http.MethodPatch, "/Groups/"+group, patchBody(`{"op":"remove","path":"members"}`)),
		request("entra", http.MethodDelete, "/Groups/"+group, ""),
	} {
		if w := h.send(r); w.Code != http.StatusNotFound {
			t.Errorf("%s %s: status %d: %s", r.Method, r.URL, w.Code, w.Body)
		}
	}
	if w := h.call("entra", http.MethodPost, "/Groups", groupBody("sre", mina)); w.Code != http.StatusBadRequest {
		t.Errorf("another client's user became a member: %d %s", w.Code, w.Body)
	}
	if w := h.call("entra", http.MethodGet, "/Groups?filter=members%20eq%20%22"+mina+"%22", ""); !strings.Contains(w.Body.String(), `"totalResults":0`) {
		t.Errorf("another client's group is found: %s", w.Body)
	}
	if got := h.must(t, http.StatusOK, http.MethodGet, "/Users/"+mina, ""); got["active"] != true {
		t.Errorf("%v", got)
	}
	for _, f := range h.store.facts {
		if f.Source != "scim:okta" {
			t.Errorf("a fact of %s", f.Source)
		}
	}
}

func TestWhatCannotBeKeptIsToBeSentAgain(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(h *house, err error){
		"when the store is out of order":  func(h *house, err error) { h.store.broken = err },
		"when the source cannot be noted": func(h *house, err error) { h.sources.broken = err },
		"when the clients have a mistake": func(h *house, err error) {
			h.config.Clients = func() ([]Client, error) { return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "token 1: %v", err) }
		},
		"when the clients cannot be read":       func(h *house, err error) { h.config.Clients = func() ([]Client, error) { return nil, err } },
		"when the change itself cannot be kept": func(h *house, err error) { h.store.before = func(lifecycle.Provision) { h.store.broken = err } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			mina := h.user(t, "mina@acme.test")
			was := h.store.snapshot()
			breaks(h, errors.New("the disk is full"))
			for _, r := range []*http.Request{
				request("okta", http.MethodPost, "/Users", userBody("bo@acme.test")),
				request("okta", http.MethodPatch, "/Users/"+mina, patchBody(`{"op":"replace","value":{"active":false}}`)),
				request("okta", http.MethodPut, "/Users/"+mina, userBody("other@acme.test")),
				request("okta", http.MethodDelete, "/Users/"+mina, ""),
			} {
				w := h.send(r)
				if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"status":"503"`) {
					t.Errorf("%s: status %d, %v: %s", r.Method, w.Code, w.Header(), w.Body)
				}
				if strings.Contains(w.Body.String(), "disk") {
					t.Errorf("the client is told of our fault: %s", w.Body)
				}
			}
			if diff := cmp.Diff(was, h.store.snapshot()); diff != "" {
				t.Errorf("kept (-before +after):\n%s", diff)
			}
			if !strings.Contains(h.log.String(), "the disk is full") {
				t.Error("nobody was told")
			}
		})
	}
}

func TestWhoeverFallsOverAnswersStill(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.before = func(lifecycle.Provision) { panic("of the kind that libraries have") }
	w := h.call("okta", http.MethodPost, "/Users", userBody("bo@acme.test"))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"status":"500"`) || !strings.Contains(h.log.String(), "panic in SCIM") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "libraries") {
		t.Errorf("the client is told of our fault: %s", w.Body)
	}
	h.store.before = nil
	h.user(t, "bo@acme.test")
}

func TestABodyIsAtMostOneMiB(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	long := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x@acme.test","about":"` + strings.Repeat("x", longestBody) + `"}`
	got := h.must(t, http.StatusRequestEntityTooLarge, http.MethodPost, "/Users", long)
	if got["status"] != "413" {
		t.Errorf("%v", got)
	}
	// What fits is taken, however long a value is that is not kept.
	h.must(t, http.StatusCreated, http.MethodPost, "/Users", strings.Replace(long, strings.Repeat("x", 1000), "", 1))
	h.must(t, http.StatusBadRequest, http.MethodPost, "/Users", strings.Replace(userBody("y@acme.test"), `"active":true`, `"title":"`+strings.Repeat("x", longestText+1)+`"`, 1))
	r := request("okta", http.MethodPost, "/Users", userBody("z@acme.test"))
	r.Body = brokenBody{}
	if w := h.send(r); w.Code != http.StatusBadRequest {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("the line broke") }
func (brokenBody) Close() error             { return nil }
