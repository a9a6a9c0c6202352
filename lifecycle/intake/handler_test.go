package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rolecall/lifecycle"
)

func TestRequestsThatAreTurnedAway(t *testing.T) {
	t.Parallel()
	padded := func(n int) string { return strings.Repeat(" ", n-len(minaMoves)) + minaMoves }
	for name, tt := range map[string]struct {
		request func(h *house) *http.Request
		status  int
		reason  string
	}{
		"another path": {func(h *house) *http.Request { return h.signed("/v1/roster", mediaEvent, minaMoves) }, 404, "there is nothing here"},
		"a path below": {func(h *house) *http.Request { return h.signed(RouteLifecycle+"/", mediaEvent, minaMoves) }, 404, "there is nothing here"},
		"another method": {func(h *house) *http.Request {
			r := h.signed(RouteLifecycle, mediaEvent, minaMoves)
			r.Method = http.MethodPut
			return r
		}, 405, "only POST"},
		"a body one byte too large": {func(h *house) *http.Request { return h.signed(RouteLifecycle, mediaEvent, padded(longestBody+1)) }, 413, "at most 1 MiB"},
		"a body that does not say that it is too large": {func(h *house) *http.Request {
			r := h.signed(RouteLifecycle, mediaEvent, padded(longestBody+1))
			r.ContentLength = -1
			return r
		}, 413, "at most 1 MiB"},
		"a body that breaks off": {func(h *house) *http.Request {
			r := h.signed(RouteLifecycle, mediaEvent, minaMoves)
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(minaMoves[:100]), broken{}))
			return r
		}, 401, "must be signed"},
		"a compressed body": {func(h *house) *http.Request {
			var body bytes.Buffer
			z := gzip.NewWriter(&body)
			if _, err := z.Write([]byte(minaMoves)); err != nil {
				t.Error(err)
			}
			if err := z.Close(); err != nil {
				t.Error(err)
			}
			r := h.signed(RouteLifecycle, mediaEvent, body.String())
			r.Header.Set("Content-Encoding", "gzip")
			return r
		}, 415, "without Content-Encoding"},
		"a form": {func(h *house) *http.Request {
			return h.signed(RouteLifecycle, "application/x-www-form-urlencoded", minaMoves)
		}, 415, "must be application/cloudevents+json"},
		"no media type":         {func(h *house) *http.Request { return h.signed(RouteLifecycle, "", minaMoves) }, 415, "must be application/cloudevents+json"},
		"another character set": {func(h *house) *http.Request { return h.signed(RouteLifecycle, mediaJSON+"; charset=latin1", minaMoves) }, 415, "in UTF-8"},
		"an event in binary mode": {func(h *house) *http.Request {
			r := h.signed(RouteLifecycle, mediaJSON, "{}")
			r.Header.Set("ce-specversion", "1.0")
			return r
		}, 415, "headers are not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.send(tt.request(h))
			wantStatus(t, w, tt.status)
			if got := failureOf(t, w).Reason; !strings.Contains(got, tt.reason) {
				t.Errorf("told %q, want %q", got, tt.reason)
			}
			if allow := w.Header().Get("Allow"); (tt.status == 405) != (allow == "POST") {
				t.Errorf("Allow is %q", allow)
			}
			if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", w.Header())
			}
			offered := tt.status != 404 && tt.status != 405
			if lines := h.store.refusals(); (len(lines) == 1) != offered || len(h.store.facts) != 0 {
				t.Errorf("%d facts, trail %q", len(h.store.facts), lines)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTheLargestBodyIsTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	wantStatus(t, h.post(RouteLifecycle, mediaEvent, strings.Repeat(" ", longestBody-len(minaMoves))+minaMoves), http.StatusAccepted)
	wantStatus(t, h.post(RouteLifecycle, "application/cloudevents+json; charset=UTF-8", minaMoves), http.StatusOK)
}

func TestNothingIsAnsweredBeforeItIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.broken = errors.New("disk full at /var/lib")
	w := h.post(RouteLifecycle, mediaEvent, minaMoves)
	wantStatus(t, w, http.StatusServiceUnavailable)
	if w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("told %v %s", w.Header(), w.Body)
	}
	if !strings.Contains(h.log.String(), "disk full") {
		t.Errorf("log %q", h.log)
	}
	h.store.broken = nil
	wantStatus(t, h.post(RouteLifecycle, mediaEvent, minaMoves), http.StatusAccepted)
}

func TestAnIntakeWithoutSecretsIsOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.signed(RouteLifecycle, mediaEvent, minaMoves)
	h.secrets = nil
	h.Handler = New(h.config)
	if !strings.Contains(h.log.String(), "the webhook intake is off") {
		t.Errorf("log %q", h.log)
	}
	wantStatus(t, h.send(r), http.StatusNotFound)
	h.secrets = secretsOf(t, secretA) // the file has one now
	wantStatus(t, h.post(RouteLifecycle, mediaEvent, minaMoves), http.StatusAccepted)
}

func TestSecretsThatCannotBeReadLetNobodyIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.config
	c.Secrets = func() ([]Secret, error) {
		return secretsOf(t, secretA), lifecycle.Refuse(lifecycle.ErrInvalid, "webhook secret 1 of 1 has 3 bytes")
	}
	h.Handler = New(c)
	w := h.post(RouteLifecycle, mediaEvent, minaMoves)
	wantStatus(t, w, http.StatusServiceUnavailable)
	if len(h.store.facts) != 0 || strings.Contains(w.Body.String(), "3 bytes") {
		t.Errorf("%d facts, told %s", len(h.store.facts), w.Body)
	}
}

func TestAPathOfNobodysIsCountedAsOther(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post("/wp-login.php", mediaEvent, minaMoves)
}

// A real server in front, to see what its own treatment of a request leaves.
func TestOverARealConnection(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	server := httptest.NewServer(h)
	defer server.Close()
	post := func(body string, change func(*http.Request)) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+RouteLifecycle, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(r.Header, Sign(h.secrets[0], "msg_1", h.clock.now(), []byte(body)))
		r.Header.Set("Content-Type", mediaEvent)
		change(r)
		w, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return w.StatusCode
	}
	if got := post(minaMoves, func(*http.Request) {}); got != http.StatusAccepted {
		t.Errorf("status %d", got)
	}
	if got := post(minaMoves, func(r *http.Request) { r.ContentLength = -1 }); got != http.StatusOK {
		t.Errorf("in chunks: status %d", got)
	}
	if got := post(minaMoves+" ", func(r *http.Request) {
		r.Header[headerSignature] = Sign(h.secrets[0], "msg_1", h.clock.now(), []byte(minaMoves))[headerSignature]
	}); got != http.StatusUnauthorized {
		t.Errorf("a changed body: status %d", got)
	}
	if lines := h.store.refusals(); len(lines) != 1 || !strings.HasSuffix(lines[0], ", from 127.0.0.0/24") {
		t.Errorf("trail %q", lines)
	}
}

func TestASenderWhoHangsUpIsOnTheRecordStill(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := h.signed(RouteLifecycle, mediaEvent, minaMoves).WithContext(ctx)
	r.Header.Del(headerSignature)
	cancel()
	h.send(r)
	if len(h.store.refusals()) != 1 {
		t.Errorf("trail %q", h.store.refusals())
	}
}

func TestEveryKindOfRefusalHasAStatus(t *testing.T) {
	t.Parallel()
	for kind, want := range map[error]int{
		errMalformed:           http.StatusBadRequest,
		lifecycle.ErrInvalid:   http.StatusUnprocessableEntity,
		lifecycle.ErrNotFound:  http.StatusUnprocessableEntity, // what the message is about, not the path
		lifecycle.ErrForbidden: http.StatusForbidden,
		lifecycle.ErrConflict:  http.StatusConflict,
		lifecycle.ErrDuplicate: http.StatusConflict,
	} {
		got := refusalAnswer(&lifecycle.Refusal{Kind: kind, Reason: "so"})
		if got.status != want {
			t.Errorf("%v is answered with %d, want %d", kind, got.status, want)
		}
	}
}
