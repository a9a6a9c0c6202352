package okta

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestADeliveryIsKeptAsWhatItSays(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event string
		said  []string
		reads bool
	}{
		"a deactivation ends":              {event: "user.lifecycle.deactivate", said: []string{"status 00uMINA ended 08:59:01.101 // []"}},
		"a deletion ends":                  {event: "user.lifecycle.delete.initiated", said: []string{"status 00uMINA ended 08:59:01.101 // []"}},
		"a suspension suspends":            {event: "user.lifecycle.suspend", said: []string{"status 00uMINA suspended 08:59:01.101 // []"}},
		"its end makes active":             {event: "user.lifecycle.unsuspend", said: []string{"status 00uMINA active 08:59:01.101 // []"}},
		"a reactivation makes active":      {event: "user.lifecycle.reactivate", said: []string{"status 00uMINA active 08:59:01.101 // []"}},
		"an activation makes active":       {event: "user.lifecycle.activate", said: []string{"status 00uMINA active 08:59:01.101 // []"}},
		"a profile has to be read":         {event: "user.account.update_profile", reads: true},
		"a new user has to be read":        {event: "user.lifecycle.create", reads: true},
		"a group has to be read":           {event: "group.user_membership.add", reads: true},
		"an application has to be read":    {event: "application.user_membership.remove", reads: true},
		"another event says nothing":       {event: "user.session.end"},
		"the end of a deletion is no word": {event: "user.lifecycle.delete.completed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.send(h.signed(envelopeOf(eventOf(tt.event, "u1", 1, "00uMINA"))))
			if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(tt.said, h.store.said()); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if got := len(h.store.steps(lifecycle.JobResync)); got != 0 != tt.reads {
				t.Errorf("%d readings follow", got)
			}
			if h.store.heard != 1 {
				t.Errorf("Okta was heard %d times", h.store.heard)
			}
		})
	}
}

func TestAFactHasAllThatTheEventSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.send(h.signed(envelopeOf(eventOf("user.lifecycle.deactivate", "u1", 1, "00uMINA"))))
	got := h.store.facts[0]
	want := lifecycle.Fact{
		ID: got.ID, Source: "okta", EventID: "u1", Kind: lifecycle.FactStatus, Key: "00uMINA",
		Person:     lifecycle.Person{Status: lifecycle.StatusEnded, Emails: []string{"00umina@acme.test"}, Name: "Mina Ito"},
		ObservedAt: time.Date(2026, 11, 23, 8, 59, 1, 101e6, time.UTC), ReceivedAt: morning, SHA256: got.SHA256,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.SHA256) != 64 {
		t.Errorf("fact (-want +got):\n%s", diff)
	}
}

func TestALoginThatIsNoAddressIsNoneToMatchBy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.send(h.signed(strings.Replace(envelopeOf(eventOf("user.lifecycle.suspend", "u1", 1, "00uMINA")), "00umina@acme.test", "mina", 1)))
	if got := h.store.facts[0].Person.Emails; got != nil {
		t.Errorf("addresses %q", got)
	}
}

func TestWhatDidNotComeOffSaysNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, result := range []string{"FAILURE", "SKIPPED", "ALLOW", "success", ""} {
		body := strings.Replace(envelopeOf(eventOf("user.lifecycle.deactivate", fmt.Sprint("u", i), 1, "00uMINA")), "SUCCESS", result, 1)
		if w := h.send(h.signed(body)); w.Code != http.StatusNoContent || len(h.store.said()) != 0 {
			t.Errorf("%q: status %d, facts %q", result, w.Code, h.store.said())
		}
	}
}

func TestAnEnvelopeIsKeptInTheOrderInWhichItWasSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body := envelopeOf(eventOf("user.lifecycle.unsuspend", "u3", 3, "00uMINA"), eventOf("user.lifecycle.deactivate", "u1", 1, "00uMINA"), eventOf("user.lifecycle.suspend", "u2", 2, "00uBEN"))
	for range 2 { // once more, as Okta may
		if w := h.send(h.signed(body)); w.Code != http.StatusNoContent {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	want := []string{"status 00uMINA ended 08:59:01.101 // []", "status 00uBEN suspended 08:59:02.101 // []", "status 00uMINA active 08:59:03.101 // []"}
	if diff := cmp.Diff(want, h.store.said()); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestManyEventsWithoutValuesLeadToOneReading(t *testing.T) {
	t.Parallel()
	body := envelopeOf(eventOf("user.account.update_profile", "u1", 1, "00uMINA"), eventOf("group.user_membership.add", "u2", 1, "00uMINA"), eventOf("user.account.update_profile", "u3", 1, "00uBEN"))
	for name, tt := range map[string]struct {
		after time.Duration
		line  string
		steps []lifecycle.Job
	}{
		"where Okta is read": {
			time.Minute, "okta | events that carry no values: 1 × group.user_membership.add, 2 × user.account.update_profile. What they speak of is read",
			[]lifecycle.Job{{Kind: lifecycle.JobResync, Ref: "okta", At: morning.Add(time.Minute)}},
		},
		"where it is not": {
			0, "okta | events that carry no values: 1 × group.user_membership.add, 2 × user.account.update_profile. Nothing is read, because Okta's log is not", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.config.ResyncAfter = tt.after
			h.send(h.signed(body))
			if diff := cmp.Diff([]string{tt.line}, h.store.lines(lifecycle.EventNoticeIgnored)); diff != "" {
				t.Errorf("trail (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.steps, h.store.steps(lifecycle.JobResync)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		values []string
		off    bool
		status int
		body   string
	}{
		"is said back":             {values: []string{`a"<b>`}, status: http.StatusOK, body: `{"verification":"a\"\u003cb\u003e"}` + "\n"},
		"is not there":             {status: http.StatusBadRequest},
		"is there twice":           {values: []string{"a", "b"}, status: http.StatusBadRequest},
		"is too long":              {values: []string{strings.Repeat("a", longestChallenge+1)}, status: http.StatusBadRequest},
		"has what cannot be seen":  {values: []string{"a b"}, status: http.StatusBadRequest},
		"comes to what is off":     {values: []string{"a"}, off: true, status: http.StatusNotFound},
		"is as long as it may be ": {values: []string{strings.Repeat("a", longestChallenge)}, status: http.StatusOK, body: `{"verification":"` + strings.Repeat("a", longestChallenge) + "\"}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if tt.off {
				h.secrets = nil
			}
			r := httptest.NewRequest(http.MethodGet, "/hooks/okta", nil)
			for _, v := range tt.values {
				r.Header.Add("x-okta-verification-challenge", v)
			}
			w := h.send(r)
			if w.Code != tt.status || tt.body != "" && w.Body.String() != tt.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, tt.status, tt.body)
			}
			if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", w.Header())
			}
			if h.store.heard != 0 || len(h.store.trail) != 0 {
				t.Error("a stranger who asks was heard")
			}
		})
	}
}

func TestWhatIsRefusedIsOnTheRecord(t *testing.T) {
	t.Parallel()
	good := envelopeOf(eventOf("user.lifecycle.deactivate", "u1", 1, "00uMINA"))
	two := strings.Replace(good, `"target":[`, `"target":[{"id":"00uBEN","type":"User"},`, 1)
	const stranger = "unverified | POST /hooks/okta: the header Authorization is no secret in use, from 203.0.113.0/24"
	for name, tt := range map[string]struct {
		body   string
		change func(*http.Request)
		status int
		line   string
	}{
		"no secret":         {good, func(r *http.Request) { r.Header.Del("Authorization") }, 401, stranger},
		"another's secret":  {good, func(r *http.Request) { r.Header.Set("Authorization", secretB) }, 401, stranger},
		"two secrets":       {good, func(r *http.Request) { r.Header.Add("Authorization", secretA) }, 401, stranger},
		"too much":          {`"` + strings.Repeat("x", longestBody) + `"`, nil, 413, "okta | POST /hooks/okta: a delivery is at most 1 MiB"},
		"a form":            {good, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415, "okta | POST /hooks/okta: an event hook is application/json, in UTF-8 and as it is"},
		"packed":            {good, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415, "okta | POST /hooks/okta: an event hook is application/json, in UTF-8 and as it is"},
		"no JSON":           {good[1:], nil, 422, "okta | POST /hooks/okta: line 1, column 12: invalid character ':' after top-level value"},
		"two texts":         {good + good, nil, 422, fmt.Sprintf("okta | POST /hooks/okta: line 1, column %d: invalid character '{' after top-level value", len(good)+1)},
		"another envelope":  {strings.Replace(good, "com.okta.event_hook", "com.okta.token_hook", 1), nil, 422, "okta | POST /hooks/okta: eventType must be com.okta.event_hook, and data.events must have an event"},
		"nothing in it":     {envelopeOf(), nil, 422, "okta | POST /hooks/okta: eventType must be com.okta.event_hook, and data.events must have an event"},
		"a CloudEvent":      {`{"specversion":"1.0","id":"1","source":"x","type":"rolecall.identity.v1","data":{}}`, nil, 422, "okta | POST /hooks/okta: eventType must be com.okta.event_hook, and data.events must have an event"},
		"a list of it":      {"[" + good + "]", nil, 422, "okta | POST /hooks/okta: this is no delivery of an event hook: it is array"},
		"data that is text": {strings.Replace(good, `"data":{`, `"data":"x","date":{`, 1), nil, 422, "okta | POST /hooks/okta: this is no delivery of an event hook: data is string"},
		"no uuid":           {strings.Replace(good, `"u1"`, `""`, 1), nil, 422, "okta | POST /hooks/okta: 1 of the events cannot be kept: data.events[0]: an event has no uuid by which a repeat would be known"},
		"no time":           {strings.Replace(good, "published", "publish", 1), nil, 422, "okta | POST /hooks/okta: 1 of the events cannot be kept: data.events[0]: event u1 does not say when it was published"},
		"nobody":            {strings.Replace(good, `"type":"User","alternateId"`, `"type":"AppUser","alternateId"`, 1), nil, 422, "okta | POST /hooks/okta: 1 of the events cannot be kept: data.events[0]: event u1 (user.lifecycle.deactivate) must be about one user, with an id"},
		"two people":        {two, nil, 422, "okta | POST /hooks/okta: 1 of the events cannot be kept: data.events[0]: event u1 (user.lifecycle.deactivate) must be about one user, with an id"},
		"a way out":         {strings.Replace(good, `"00uMINA"`, `"../logs"`, 1), nil, 422, "okta | POST /hooks/okta: 1 of the events cannot be kept: data.events[0]: event u1 (user.lifecycle.deactivate) must be about one user, with an id"},
		"the future":        {strings.Replace(good, "08:59", "09:59", 1), nil, 422, "okta | POST /hooks/okta: 1 of the events cannot be kept: event u1: time is in the future; check the sender's clock"},
		"another method":    {good, func(r *http.Request) { r.Method = http.MethodPut }, 405, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			r := h.signed(tt.body)
			if tt.change != nil {
				tt.change(r)
			}
			w := h.send(r)
			if w.Code != tt.status || reasonOf(t, w) == "" {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if got := strings.Join(h.store.lines(lifecycle.EventNoticeRefused), "\n"); got != tt.line {
				t.Errorf("trail %q, want %q", got, tt.line)
			}
			if len(h.store.said()) != 0 || len(h.store.steps(lifecycle.JobRegister)) != 0 {
				t.Errorf("facts %q", h.store.said())
			}
		})
	}
}

func TestOneEventThatCannotBeKeptKeepsNoOtherOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	bad := strings.Replace(eventOf("user.lifecycle.suspend", "u1", 1, "00uBEN"), `"User","alternateId"`, `"AppUser","alternateId"`, 1)
	w := h.send(h.signed(envelopeOf(bad, eventOf("user.lifecycle.deactivate", "u2", 2, "00uMINA"))))
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("status %d: what is not kept must not look kept", w.Code)
	}
	if diff := cmp.Diff([]string{"status 00uMINA ended 08:59:02.101 // []"}, h.store.said()); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestTwoSecretsAreTakenWhileOneReplacesTheOther(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.secrets = []string{secretA, secretB}
	for i, secret := range h.secrets {
		r := h.signed(envelopeOf(eventOf("user.lifecycle.deactivate", fmt.Sprint("u", i), 1, "00uMINA")))
		r.Header.Set("Authorization", secret)
		if w := h.send(r); w.Code != http.StatusNoContent {
			t.Errorf("secret %d: status %d", i, w.Code)
		}
	}
}

func TestNobodyIsLetInUnchecked(t *testing.T) {
	t.Parallel()
	good := envelopeOf(eventOf("user.lifecycle.deactivate", "u1", 1, "00uMINA"))
	for name, tt := range map[string]struct {
		secrets func() ([]string, error)
		offered string
		status  int
	}{
		"without secrets the intake is off": {func() ([]string, error) { return nil, nil }, "", http.StatusNotFound},
		"a file of secrets with a mistake in it": {func() ([]string, error) {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "secret 1 has 3 characters")
		}, secretA, http.StatusServiceUnavailable},
		"a file of secrets that cannot be read":        {func() ([]string, error) { return nil, errors.New("no such file") }, secretA, http.StatusServiceUnavailable},
		"a secret that is short enough to be guessed":  {func() ([]string, error) { return []string{"short"}, nil }, "short", http.StatusUnauthorized},
		"a secret that is empty is not nobody's":       {func() ([]string, error) { return []string{""}, nil }, "", http.StatusUnauthorized},
		"a Bearer in front of it makes it another one": {func() ([]string, error) { return []string{secretA}, nil }, "Bearer " + secretA, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.config.Secrets = tt.secrets
			r := h.signed(good)
			r.Header.Set("Authorization", tt.offered)
			if w := h.send(r); w.Code != tt.status || len(h.store.said()) != 0 {
				t.Errorf("status %d, want %d; facts %q", w.Code, tt.status, h.store.said())
			}
		})
	}
}

func TestOktaIsAskedToTryAgainWhatIsNotKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.broken, h.store.after = errors.New("disk full"), 1
	body := envelopeOf(eventOf("user.lifecycle.suspend", "u1", 1, "00uBEN"), eventOf("user.lifecycle.deactivate", "u2", 2, "00uMINA"))
	w := h.send(h.signed(body))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(h.log.String(), "disk full") {
		t.Errorf("status %d, log %q", w.Code, h.log)
	}
	h.store.broken = nil
	if w := h.send(h.signed(body)); w.Code != http.StatusNoContent || len(h.store.said()) != 2 {
		t.Errorf("status %d, facts %q", w.Code, h.store.said())
	}
}

func TestAStoreThatIsTooSlowIsAnsweredForInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.store.stuck = make(chan struct{})
		began := time.Now()
		w := h.send(h.signed(envelopeOf(eventOf("user.lifecycle.deactivate", "u1", 1, "00uMINA"))))
		if took := time.Since(began); w.Code != http.StatusServiceUnavailable || took >= 3*time.Second {
			t.Errorf("status %d after %s: Okta waits for 3 s", w.Code, took)
		}
	})
}

func TestAFloodOfForgeriesIsCounted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 1000 {
		r := h.signed("{}")
		r.Header.Set("Authorization", "guess")
		h.send(r)
	}
	h.Flush(t.Context())
	got := h.store.lines(lifecycle.EventNoticeRefused)
	if len(got) > 30 || !strings.Contains(got[len(got)-1], "more were refused") {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
	if strings.Contains(strings.Join(got, ""), "guess") {
		t.Error("what was offered is on the record")
	}
}

func TestEveryTypeThatIsSubscribedToSaysSomething(t *testing.T) {
	t.Parallel()
	for _, name := range EventTypes() {
		if meaningOf(name) == (meaning{}) {
			t.Errorf("%s says nothing", name)
		}
	}
}
