package pagerdutytest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// headers makes one call and returns the status and the three headers of the rate limit.
func headers(a *pagerdutytest.Account, auth string) []string {
	req := httptest.NewRequest("GET", "/abilities", nil)
	req.Header.Set("Authorization", auth)
	req.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, req)
	h := w.Header()
	return []string{http.StatusText(w.Code), h.Get("ratelimit-limit"), h.Get("ratelimit-remaining"), h.Get("ratelimit-reset")}
}

func TestRateLimitIsCountedByCredentialAndMinute(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key, ReadOnlyToken: "other-key", RateLimit: 2})
	mine, other := "Token token="+key, "Token token=other-key"
	var got [][]string
	got = append(got, headers(a, mine))
	c.pass(20 * time.Second)
	got = append(got, headers(a, mine), headers(a, mine), headers(a, other))
	c.pass(40 * time.Second)
	got = append(got, headers(a, mine))
	want := [][]string{
		{"OK", "2", "1", "60"}, {"OK", "2", "0", "40"}, {"Too Many Requests", "2", "0", "40"}, {"OK", "2", "1", "60"}, {"OK", "2", "1", "60"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An operation may have a limit of its own; the headers are about the limit that is nearer.
func TestOperationsHaveLimitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key, RateLimit: 3, OpLimits: map[string]int{"GET /abilities": 1}})
	auth := "Token token=" + key
	got := [][]string{headers(a, auth), headers(a, auth)}
	want := [][]string{{"OK", "1", "0", "60"}, {"Too Many Requests", "1", "0", "60"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := ask(t, a, "GET", "/users", "").Code; got != 200 {
		t.Errorf("another operation answers %d, want 200", got)
	}
}

func TestNoRateLimitHasNoHeaders(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, RateLimit: pagerdutytest.NoRateLimit})
	if got := headers(a, "Token token="+key); !cmp.Equal(got, []string{"OK", "", "", ""}) {
		t.Errorf("got %v, want no headers", got)
	}
}

// A grant is what the token endpoint says.
type grant struct {
	Token     string `json:"access_token"`
	Scope     string `json:"scope"`
	Type      string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Error     string `json:"error"`
}

func askToken(t *testing.T, a *pagerdutytest.Account, form url.Values) (int, grant) {
	t.Helper()
	req := httptest.NewRequest("POST", "/oauth/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, req)
	var g grant
	if err := json.Unmarshal(w.Body.Bytes(), &g); err != nil {
		t.Fatalf("token answer %q: %v", w.Body, err)
	}
	return w.Code, g
}

func app() pagerdutytest.OAuthClient {
	return pagerdutytest.OAuthClient{ID: "app", Secret: "app-secret", Scopes: []string{"users.read", "teams.read"}}
}

func form(more ...string) url.Values {
	f := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"app-secret"},
		"scope": {"as_account-us.acme users.read users.write nonsense"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func TestScopedTokens(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, OAuth: app()})
	w := world(a)
	status, g := askToken(t, a, form())
	if status != 200 || g.Scope != "as_account-us.acme users.read" || g.Type != "bearer" || g.ExpiresIn != 86400 {
		t.Fatalf("token is %d %+v, want users.read alone for a day", status, g)
	}
	bearer := []string{"Authorization", "Bearer " + g.Token}
	if got := ask(t, a, "GET", "/users", "", bearer...).Code; got != 200 {
		t.Errorf("reading within the scope answers %d, want 200", got)
	}
	var body struct {
		Error struct {
			Message  string   `json:"message"`
			Required []string `json:"required_scopes"`
			Have     []string `json:"token_scopes"`
		} `json:"error"`
	}
	refused := ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`, bearer...)
	if err := json.Unmarshal(refused.Body.Bytes(), &body); err != nil || refused.Code != 403 ||
		!cmp.Equal(body.Error.Required, []string{"users.write"}) || !cmp.Equal(body.Error.Have, []string{"users.read"}) {
		t.Errorf("writing without the scope answers %d %s (%v), want 403 with both lists of scopes", refused.Code, refused.Body, err)
	}
	c.pass(pagerdutytest.TokenLife)
	if got := ask(t, a, "GET", "/users", "", bearer...).Code; got != 401 {
		t.Errorf("an expired token answers %d, want 401", got)
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		err    string
	}{
		"another grant":           {form("grant_type", "password"), 400, "unsupported_grant_type"},
		"a wrong secret":          {form("client_secret", "x"), 401, "invalid_client"},
		"another region":          {form("scope", "as_account-eu.acme users.read"), 400, "invalid_scope"},
		"no account among scopes": {form("scope", "users.read"), 400, "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{OAuth: app()})
			if status, g := askToken(t, a, tt.form); status != tt.status || g.Error != tt.err || g.Token != "" {
				t.Errorf("got %d %+v, want %d %s", status, g, tt.status, tt.err)
			}
		})
	}
	t.Run("an account without an app gives nobody a token", func(t *testing.T) {
		t.Parallel()
		a := pagerdutytest.New(pagerdutytest.Config{})
		if status, g := askToken(t, a, form("client_id", "", "client_secret", "")); status != 401 || g.Token != "" {
			t.Errorf("got %d %+v, want 401", status, g)
		}
	})
}

func TestRevokedTokensAreWorthless(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{OAuth: app()})
	_, g := askToken(t, a, form())
	a.RevokeTokens()
	if got := ask(t, a, "GET", "/users", "", "Authorization", "Bearer "+g.Token).Code; got != 401 {
		t.Errorf("a revoked token answers %d, want 401", got)
	}
}
