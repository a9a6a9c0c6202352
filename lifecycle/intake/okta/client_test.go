package okta

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake/okta/oktatest"
)

func TestARateLimitIsWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{RateLimit: 10})
	for i := range 25 {
		p := mina()
		p["login"], p["email"] = fmt.Sprintf("u%d@acme.test", i), fmt.Sprintf("u%d@acme.test", i)
		h.org.AddUser(p)
	}
	h.clock.advance(15 * time.Second)
	waits := 0
	for err := h.resync.Run(t.Context()); err != nil; err = h.resync.Run(t.Context()) {
		job, ok := errors.AsType[*lifecycle.JobError](err)
		if !ok || job.Why == "" || job.RetryAfter < time.Second || job.RetryAfter > time.Minute {
			t.Fatalf("got %v after %s", err, job.RetryAfter)
		}
		waits++
		h.clock.advance(job.RetryAfter)
	}
	if len(h.store.said()) != 50 || waits != 2 {
		t.Errorf("%d facts after %d waits, want 50 after 2: nobody is read twice", len(h.store.said()), waits)
	}
}

func TestHowLongARateLimitLastsIsOktasWord(t *testing.T) {
	t.Parallel()
	c := &client{now: func() time.Time { return morning }}
	for name, tt := range map[string]struct {
		reset, date string
		want        time.Duration
	}{
		"by its own clock":         {fmt.Sprint(morning.Add(90 * time.Second).Unix()), morning.Add(time.Minute).Format(http.TimeFormat), 30 * time.Second},
		"by ours where it has not": {fmt.Sprint(morning.Add(90 * time.Second).Unix()), "", 90 * time.Second},
		"it is over already":       {fmt.Sprint(morning.Add(-time.Hour).Unix()), "", shortestWait},
		"it is for ever":           {fmt.Sprint(morning.AddDate(1, 0, 0).Unix()), "", longestWait},
		"it does not say":          {"soon", "", unknownWait},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.untilReset(http.Header{"X-Rate-Limit-Reset": {tt.reset}, "Date": {tt.date}}); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestABrokenReadConcludesNothingAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		faults []oktatest.Fault
		kept   int
		says   string
	}{
		"the log breaks off":      {[]oktatest.Fault{oktatest.Cut}, 0, "GET /api/v1/logs: the answer broke off: unexpected EOF"},
		"the log has a bad day":   {[]oktatest.Fault{http.StatusInternalServerError}, 0, "GET /api/v1/logs: Okta answered 500"},
		"the log is elsewhere":    {[]oktatest.Fault{http.StatusFound}, 0, "GET /api/v1/logs: Okta answered 302"},
		"the log is no list":      {[]oktatest.Fault{http.StatusOK}, 0, "GET /api/v1/logs: json: cannot unmarshal object into Go value of type []json.RawMessage"},
		"the user has a bad day":  {[]oktatest.Fault{oktatest.Pass, http.StatusBadGateway}, 0, "GET /api/v1/users/ID: Okta answered 502"},
		"the user cannot be read": {[]oktatest.Fault{oktatest.Pass, oktatest.Cut}, 0, "GET /api/v1/users/ID: the answer broke off: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t).withOrg(t, oktatest.Config{})
			id := h.org.AddUser(mina())
			h.org.Fail(tt.faults...)
			err := h.resync.Run(t.Context())
			if err == nil || err.Error() != strings.ReplaceAll(tt.says, "ID", id) {
				t.Errorf("got %v, want %s", err, tt.says)
			}
			if len(h.store.said()) != tt.kept || len(h.store.cursors) != 0 {
				t.Errorf("facts %q, cursors %q", h.store.said(), h.store.cursors)
			}
			must(t, h.resync.Run(t.Context()))
			if len(h.store.said()) != 2 {
				t.Errorf("facts %q", h.store.said())
			}
		})
	}
}

func TestSecurityIsToldOnceThatTheTokenIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.resync.client.token = func() (string, error) { return "revoked", nil }
	for range 3 {
		if err := h.resync.Run(t.Context()); !isStatus(err, http.StatusUnauthorized) {
			t.Fatalf("got %v", err)
		}
	}
	if got := len(h.store.steps(lifecycle.JobAlert)); got != 1 {
		t.Errorf("told %d times", got)
	}
	h.resync.client.token = h.resync.config.Token
	must(t, h.resync.Run(t.Context()))
	h.resync.client.token = func() (string, error) { return "revoked again", nil }
	if err := h.resync.Run(t.Context()); err == nil || len(h.store.steps(lifecycle.JobAlert)) != 2 {
		t.Errorf("got %v, told %d times", err, len(h.store.steps(lifecycle.JobAlert)))
	}
}

func TestTheTokenGoesNowhereElse(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, with %q", r.URL, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"a next page on another host": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Link", "<"+elsewhere.URL+`/api/v1/logs?after=1>; rel="next"`)
			fmt.Fprint(w, "[]")
		},
		"a next page of another call": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Link", "<http://"+r.Host+`/api/v1/users?after=1>; rel="next"`)
			fmt.Fprint(w, "[]")
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls++; calls > 1 {
					t.Errorf("asked again: %s", r.URL)
				}
				answer(w, r)
			}))
			defer server.Close()
			h := newHouse(t)
			h.url = server.URL
			if err := h.newResync(t, false).Run(t.Context()); err == nil {
				t.Error("it went on")
			}
		})
	}
}

func TestALinkIsFoundAmongOthers(t *testing.T) {
	t.Parallel()
	base, err := parseBase("https://acme.okta.com/")
	must(t, err)
	c := &client{base: base}
	const next = `https://acme.okta.com/api/v1/logs?after=1,2&q=a%3Cb`
	for name, tt := range map[string]struct {
		links []string
		want  string
	}{
		"each in its own header": {[]string{`<https://acme.okta.com/api/v1/logs?self>; rel="self"`, `<` + next + `>; rel="next"`}, next},
		"all in one":             {[]string{`<https://acme.okta.com/api/v1/logs?self>; rel="self", <` + next + `>; rel="next"`}, next},
		"next comes first":       {[]string{`<` + next + `>; rel="next", <https://acme.okta.com/api/v1/logs?self>; rel="self"`}, next},
		"there is none":          {[]string{`<https://acme.okta.com/api/v1/logs?self>; rel="self"`}, ""},
		"it is a mess":           {[]string{`rel="next"`, `<`, `>;`, ``}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := c.next(base.JoinPath("api", "v1", "logs"), http.Header{"Link": tt.links})
			if got := fmt.Sprint(u); err != nil || got != tt.want && (u != nil || tt.want != "") {
				t.Errorf("got %s, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestEveryMistakeOfASetUpIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	_, err := NewResync(ResyncConfig{URL: "http://acme.okta.com", Lookback: -1})
	const want = "set up the reading of Okta's log: the URL of the Okta org must begin with https://, or the token could be read on the way\n" +
		"no inbox\nno sources\nno cursors\nno token\nno client\nno clock\nno log\nthe first run looks into the future"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for url, ok := range map[string]bool{
		"https://acme.okta.com": true, "https://acme.okta.com/": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:1": true,
		"": false, "acme.okta.com": false, "ftp://acme.okta.com": false, "https://u:p@acme.okta.com": false, "https://acme.okta.com/api": false,
		"https://acme.okta.com?x": false, "http://127.0.0.1.acme.test": false, "://": false,
	} {
		if _, err := parseBase(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}
