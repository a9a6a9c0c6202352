package pagerduty_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func app(scopes ...string) pagerdutytest.OAuthClient {
	return pagerdutytest.OAuthClient{ID: "app-1", Secret: "s3cret-of-the-app", Scopes: scopes}
}

// asApp makes the client that of an OAuth app.
func asApp(secret func() (string, error)) func(*pagerduty.Config) {
	return func(cfg *pagerduty.Config) {
		cfg.Token, cfg.ClientID, cfg.ClientSecret, cfg.Subdomain = nil, "app-1", secret, "acme"
		cfg.TokenURL = cfg.APIURL + "/oauth/token"
	}
}

func TestOAuthApp(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{OAuth: app(pagerduty.Scopes()...)}, asApp(always("s3cret-of-the-app")))
	w := populate(a)
	applied(t, a, c, baseRole(w.ann, lifecycle.RoleObserver))
	if _, err := c.Snapshot(t.Context()); err != nil {
		t.Errorf("snapshot: %v", err)
	}
	if n := a.Calls()["POST /oauth/token"]; n != 1 {
		t.Errorf("%d tokens were asked for, want 1", n)
	}
	a.RevokeTokens()
	w.ann.Role = pagerdutytest.Observer
	if _, err := c.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleRestricted)); err != nil {
		t.Errorf("apply after the tokens were revoked: %v", err)
	}
	if n := a.Calls()["POST /oauth/token"]; n != 2 {
		t.Errorf("%d tokens were asked for, want 2", n)
	}
}

func TestOAuthTroubleWithTheToken(t *testing.T) {
	t.Parallel()
	for how, kind := range faults() {
		if how == "a redirect" || strings.HasPrefix(how, "a gateway's page with 4") || how == "a locked account" {
			continue // a 4xx of the token endpoint is its last word
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{OAuth: app(pagerduty.Scopes()...)}, asApp(always("s3cret-of-the-app")), quick)
			w := populate(a)
			a.Fail(pagerdutytest.Fault{Path: "/oauth/token", Kind: kind})
			if _, err := c.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleObserver)); err != nil || len(a.Effects()) != 1 {
				t.Errorf("apply: %v and effects %+v", err, a.Effects())
			}
		})
	}
}

func TestOAuthAppThatLacksScopes(t *testing.T) {
	t.Parallel()
	granted := slices.DeleteFunc(pagerduty.Scopes(), func(s string) bool { return s == "escalation_policies.read" || s == "teams.write" })
	a, c := start(t, pagerdutytest.Config{OAuth: app(granted...)}, asApp(always("s3cret-of-the-app")))
	w := populate(a)
	if _, err := duties(t.Context(), c, lifecycle.AccountID(w.ann.ID)); !strings.Contains(lifecycle.ReasonOf(err), "lacks the scope escalation_policies.read") {
		t.Errorf("duties: %v", err)
	}
	if _, err := c.Apply(t.Context(), teamRole(w.ann, w.web, "", lifecycle.TeamResponder)); !strings.Contains(lifecycle.ReasonOf(err), "lacks the scope teams.write") {
		t.Errorf("apply: %v", err)
	}
	got, err := c.Capabilities(t.Context())
	if err != nil || !slices.Equal(got.Lacking, []string{"escalation_policies.read", "teams.write"}) {
		t.Errorf("capabilities: %+v, %v", got, err)
	}
	if check := named(got, "changes"); check.OK || !strings.Contains(check.Detail, "teams.write") {
		t.Errorf("check of changes is %+v", check)
	}
}

// A key that is replaced where it is kept is taken up without a restart.
func TestKeyThatChanges(t *testing.T) {
	t.Parallel()
	var now atomic.Value
	now.Store("old-and-revoked")
	a, c := start(t, pagerdutytest.Config{OAuth: app(pagerduty.Scopes()...)}, func(cfg *pagerduty.Config) {
		cfg.Token = func() (string, error) { return now.Load().(string), nil }
	})
	w := populate(a)
	if _, err := c.Account(t.Context(), lifecycle.AccountID(w.ann.ID)); err == nil || lifecycle.ReasonOf(err) != "" || !strings.Contains(err.Error(), "401") {
		t.Errorf("with a revoked key: %v, want a fault that says 401", err)
	}
	now.Store(key + "\n")
	if _, err := c.Account(t.Context(), lifecycle.AccountID(w.ann.ID)); err != nil {
		t.Errorf("with the new key: %v", err)
	}
	now.Store("")
	if err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "the PagerDuty token is empty") {
		t.Errorf("without a key: %v", err)
	}
}

// echo is a proxy that shows in its refusals what it was sent.
type echo struct{}

func (echo) RoundTrip(r *http.Request) (*http.Response, error) {
	b := []byte{}
	if r.Body != nil {
		b, _ = io.ReadAll(r.Body)
	}
	text := fmt.Sprintf(`{"error":%q,"error_description":%q}`, r.Header.Get("Authorization")+string(b), string(b))
	return &http.Response{StatusCode: 418, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// broken is a network whose errors show what was sent.
type broken struct{}

func (broken) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("cannot send to %s", r.URL)
}

func TestSecretsStayIn(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-of-the-app"
	for name, tt := range map[string]struct {
		over http.RoundTripper
		cred func(*pagerduty.Config)
	}{
		"a key, echoed":        {echo{}, func(cfg *pagerduty.Config) { cfg.Token = always(secret) }},
		"an app, echoed":       {echo{}, asApp(always(secret))},
		"a key, no network":    {broken{}, func(cfg *pagerduty.Config) { cfg.Token = always(secret) }},
		"a key that is broken": {echo{}, func(cfg *pagerduty.Config) { cfg.Token = always(secret + "\nX-Evil: yes") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			cfg := pagerduty.Config{
				Transport: tt.over, APIURL: "https://pagerduty.example", From: "o@example.com", Backoff: 1, Settle: 1, Patience: 1,
				Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			}
			tt.cred(&cfg)
			c, err := pagerduty.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			_, err1 := c.Snapshot(t.Context())
			_, err2 := c.Apply(t.Context(), creation("cy@example.com", "Cy", lifecycle.RoleObserver))
			_, err3 := c.Capabilities(t.Context())
			_, err4 := c.AccountsByEmail(t.Context(), "cy@example.com")
			all := fmt.Sprintf("%+v %s", errors.Join(err1, err2, err4, err3, c.Ping(t.Context())), log.String())
			if err1 == nil || err2 == nil || strings.Contains(all, secret) {
				t.Errorf("this was said or logged:\n%s", all)
			}
		})
	}
}

func TestConfigMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := pagerduty.New(pagerduty.Config{
		Token: always("x"), ClientID: "y", Region: "mars", APIURL: "ftp://x", TokenURL: "https://u:p@x/", From: "Olga <o@example.com>",
		Concurrency: 99, PerMinute: 5, Timeout: -1,
	})
	for _, want := range []string{
		"two credentials", "both its client id and its client secret", "subdomain", "mars", "API URL", "token URL must have no user", "bare e-mail address",
		"concurrency 99", "5 calls a minute", "negative", "no clock", "no log",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error does not tell of %q: %v", want, err)
		}
	}
	if _, err := pagerduty.New(pagerduty.Config{Now: time.Now, Log: slog.Default()}); err == nil || !strings.Contains(err.Error(), "no credential") {
		t.Errorf("without a credential: %v", err)
	}
	if _, err := pagerduty.New(pagerduty.Config{Token: always("x"), Region: "eu", Now: time.Now, Log: slog.Default()}); err != nil {
		t.Errorf("a token alone: %v", err)
	}
}
