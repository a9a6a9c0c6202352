package pagerduty

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestTailOfASecret(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]string{"": "", "short": "", "eleven-char": "", "twelve-chars": "hars", "pdus+_0abcdefghij": "ghij"} {
		if got := tail(secret); got != want {
			t.Errorf("tail of %q is %q, want %q", secret, got, want)
		}
	}
}

// Four characters that are those of our key mean nothing on a record that shows another kind of secret.
func TestMarksTellKindsApart(t *testing.T) {
	t.Parallel()
	record := func(method, token string, actors ...auditRef) auditRecord {
		r := auditRecord{Actors: actors}
		r.Method.Type, r.Method.Token = method, token
		return r
	}
	ours, other := auditRef{ID: "PAPP", Type: refApp, Summary: "rolecall"}, auditRef{ID: "POTHER", Type: refApp}
	named, person := auditRef{ID: "PNAMED", Type: refApp, Summary: "client-1"}, auditRef{ID: "PAPP", Type: refUser, Summary: "client-1"}
	for name, tt := range map[string]struct {
		clientID string
		record   auditRecord
		want     bool
	}{
		"the key":                        {"", record("api_token", "9f2c"), true},
		"the key before it was rotated":  {"", record("api_token", "0001"), true},
		"the key, in another way":        {"", record("other", "9f2c"), true},
		"another key":                    {"", record("api_token", "9f2d"), false},
		"a record without a key":         {"", record("browser", ""), false},
		"a token with those characters":  {"", record("oauth", "9f2c"), false},
		"an app, to one that has a key":  {"", record("oauth", "zzzz", ours), false},
		"our token":                      {"client-1", record("oauth", "9f2c", other), true},
		"a key with those characters":    {"client-1", record("api_token", "9f2c", other), false},
		"a token of our app":             {"client-1", record("oauth", "zzzz", ours), true},
		"a token of another app":         {"client-1", record("oauth", "zzzz", other), false},
		"an app with our client's id":    {"client-1", record("oauth", "zzzz", named), true},
		"a person with our client's id":  {"client-1", record("oauth", "zzzz", person), false},
		"a token of ours by two at once": {"client-1", record("oauth", "zzzz", person, ours), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMarks(tt.clientID)
			m.used("a-key-that-ends-in-0001")
			m.used("a-key-that-ends-in-9f2c")
			m.learn([]auditRecord{record("oauth", "9f2c", ours), record("oauth", "9f2c", person), record("oauth", "yyyy", auditRef{ID: "PELSE", Type: refApp})})
			if tt.record.Method.Token == "9f2c" && len(tt.record.Actors) > 0 && tt.record.Actors[0] == other {
				m = newMarks(tt.clientID) // which has learned nothing
				m.used("a-key-that-ends-in-9f2c")
			}
			if got := m.made(tt.record); got != tt.want {
				t.Errorf("made by us: %t, want %t", got, tt.want)
			}
			if m.newest() != "9f2c" {
				t.Errorf("the newest is %q", m.newest())
			}
		})
	}
}

// A token is used for its day, and not to its last minutes.
func TestTokenIsRenewedBeforeItsDayIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := pagerdutytest.New(pagerdutytest.Config{OAuth: pagerdutytest.OAuthClient{ID: "app", Secret: "s", Scopes: Scopes()}})
		c, err := New(Config{
			ClientID: "app", ClientSecret: func() (string, error) { return "s", nil }, Subdomain: "acme",
			APIURL: "http://pagerduty.example", TokenURL: "http://pagerduty.example/oauth/token",
			Transport: &inProcess{Handler: a.Handler()}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		day := pagerdutytest.TokenLife
		for _, step := range []struct {
			pass   time.Duration
			tokens int
		}{{0, 1}, {time.Hour, 1}, {day - time.Hour - renewal, 1}, {time.Second, 2}, {day - renewal, 2}, {time.Second, 3}} {
			time.Sleep(step.pass)
			if err := c.Ping(t.Context()); err != nil || a.Calls()["POST /oauth/token"] != step.tokens {
				t.Errorf("after %s more: %v, and %d tokens, want %d", step.pass, err, a.Calls()["POST /oauth/token"], step.tokens)
			}
		}
		a.Fail(pagerdutytest.Fault{Path: "/abilities", Kind: pagerdutytest.Status(http.StatusUnauthorized, `{"error":{"message":"Authentication failed","code":2006}}`)})
		if err := c.Ping(t.Context()); err != nil || a.Calls()["POST /oauth/token"] != 4 {
			t.Errorf("after a 401: %v, and %d tokens, want 4", err, a.Calls()["POST /oauth/token"])
		}
	})
}

// endpoint is PagerDuty's token endpoint, which says always the same.
type endpoint string

func (s endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	_, err := w.WriteString(string(s))
	return w.Result(), err
}

// By RFC 6749, an answer without scopes grants those that were asked for.
func TestTokenThatDoesNotSayItsScopes(t *testing.T) {
	t.Parallel()
	for answer, lacks := range map[string]int{
		`{"access_token":"t","token_type":"bearer","expires_in":86400}`:                            0,
		`{"access_token":"t","token_type":"bearer","expires_in":86400,"scope":""}`:                 len(Scopes()),
		`{"access_token":"t","token_type":"bearer","expires_in":86400,"scope":"users.read x.y z"}`: len(Scopes()) - 1,
	} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			o := newOAuthCredential(Config{
				ClientID: "app", ClientSecret: func() (string, error) { return "s", nil }, TokenURL: "http://pagerduty.example/oauth/token", Log: slog.New(slog.DiscardHandler),
			}, endpoint(answer))
			if _, _, err := o.header(t.Context()); err != nil || len(o.lacking()) != lacks {
				t.Errorf("%v, and the app lacks %v, want %d scopes", err, o.lacking(), lacks)
			}
		})
	}
}
