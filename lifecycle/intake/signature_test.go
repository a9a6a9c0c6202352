package intake

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The reference implementation's own example: secret, id, second, body, signature.
// Source: github.com/standard-webhooks/standard-webhooks, libraries/go/webhook_test.go.
func TestSignIsWhatStandardWebhooksSays(t *testing.T) {
	t.Parallel()
	secret := secretsOf(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")[0]
	got := Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got.Get("webhook-signature") != want {
		t.Errorf("signature %s, want %s", got.Get("webhook-signature"), want)
	}
	if got.Get("webhook-id") != "msg_p5jXN8AQM9LWM0D4loKWxJek" || got.Get("webhook-timestamp") != "1614265330" {
		t.Errorf("headers %v", got)
	}
}

func TestTheZeroSecretSignsAndVerifiesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.secrets = []Secret{{}}
	wantStatus(t, h.post(RouteLifecycle, mediaEvent, minaMoves), http.StatusUnauthorized)
	r := h.signed(RouteLifecycle, mediaEvent, minaMoves)
	r.Header.Set(headerSignature, "v1,"+strings.Repeat("A", 43)+"=")
	wantStatus(t, h.send(r), http.StatusUnauthorized)
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const sameForAll = `{"error":{"kind":"unauthenticated","reason":"the request must be signed as Standard Webhooks v1 asks, within 5 minutes, with a secret that is in use"}}` + "\n"
	other := func(h *house, secret string) string {
		return Sign(secretsOf(t, secret)[0], "msg_1", h.clock.now(), []byte(minaMoves)).Get(headerSignature)
	}
	for name, tt := range map[string]struct {
		change func(h *house, r *http.Request)
		why    string // on the trail; "": it is let in
	}{
		"signed as it should be":               {change: func(*house, *http.Request) {}},
		"five minutes old":                     {change: func(h *house, _ *http.Request) { h.clock.advance(5 * time.Minute) }},
		"five minutes ahead":                   {change: func(h *house, _ *http.Request) { h.clock.advance(-5 * time.Minute) }},
		"with the old secret while it rotates": {change: func(h *house, _ *http.Request) { h.secrets = secretsOf(t, secretB+" "+secretA) }},
		"with both secrets": {change: func(h *house, r *http.Request) {
			r.Header.Set(headerSignature, other(h, secretB)+" "+other(h, secretA))
		}},
		"beside a signature of another version": {change: func(h *house, r *http.Request) {
			r.Header.Set(headerSignature, "v1a,AAAA v2,BBBB "+other(h, secretA))
		}},
		"with its signatures in two headers": {change: func(h *house, r *http.Request) {
			r.Header[headerSignature] = []string{other(h, secretB), other(h, secretA)}
		}},
		"older than five minutes":   {change: func(h *house, _ *http.Request) { h.clock.advance(5*time.Minute + time.Second) }, why: errStale.Error()},
		"from the future":           {change: func(h *house, _ *http.Request) { h.clock.advance(-5*time.Minute - time.Second) }, why: errStale.Error()},
		"without an id":             {change: func(_ *house, r *http.Request) { r.Header.Del(headerID) }, why: errNoID.Error()},
		"with an empty id":          {change: func(_ *house, r *http.Request) { r.Header.Set(headerID, "") }, why: errNoID.Error()},
		"with two ids":              {change: func(_ *house, r *http.Request) { r.Header.Add(headerID, "msg_1") }, why: errNoID.Error()},
		"with a huge id":            {change: func(_ *house, r *http.Request) { r.Header.Set(headerID, strings.Repeat("x", 300)) }, why: errNoID.Error()},
		"with an id not its own":    {change: func(_ *house, r *http.Request) { r.Header.Set(headerID, "msg_2") }, why: errBadSignature.Error()},
		"without a time":            {change: func(_ *house, r *http.Request) { r.Header.Del(headerTimestamp) }, why: errNoTimestamp.Error()},
		"with two times":            {change: func(_ *house, r *http.Request) { r.Header.Add(headerTimestamp, "1") }, why: errNoTimestamp.Error()},
		"with a time in words":      {change: func(_ *house, r *http.Request) { r.Header.Set(headerTimestamp, "now") }, why: errNoTimestamp.Error()},
		"with a signed time":        {change: func(_ *house, r *http.Request) { r.Header.Set(headerTimestamp, "+1780218000") }, why: errNoTimestamp.Error()},
		"with a time past all ends": {change: func(_ *house, r *http.Request) { r.Header.Set(headerTimestamp, "18446744073709551615") }, why: errNoTimestamp.Error()},
		"with a far time":           {change: func(_ *house, r *http.Request) { r.Header.Set(headerTimestamp, "4398046511103") }, why: errStale.Error()},
		"with a time not its own":   {change: func(_ *house, r *http.Request) { r.Header.Set(headerTimestamp, "1780218001") }, why: errBadSignature.Error()},
		"without a signature":       {change: func(_ *house, r *http.Request) { r.Header.Del(headerSignature) }, why: errNoSignature.Error()},
		"with one that is no base64": {change: func(_ *house, r *http.Request) {
			r.Header.Set(headerSignature, "v1,!!!!")
		}, why: errNoSignature.Error()},
		"with one that is cut short": {change: func(h *house, r *http.Request) {
			r.Header.Set(headerSignature, other(h, secretA)[:20])
		}, why: errNoSignature.Error()},
		"with its signature under another version": {change: func(h *house, r *http.Request) {
			r.Header.Set(headerSignature, strings.Replace(other(h, secretA), "v1,", "v1a,", 1))
		}, why: errNoSignature.Error()},
		"with the signature behind too many": {change: func(h *house, r *http.Request) {
			r.Header.Set(headerSignature, strings.Repeat(other(h, secretB)+" ", mostSignatures)+other(h, secretA))
		}, why: errBadSignature.Error()},
		"with a secret that is not in use": {change: func(h *house, r *http.Request) {
			r.Header.Set(headerSignature, other(h, secretC))
		}, why: errBadSignature.Error()},
		"with a secret that has been rotated out": {change: func(h *house, _ *http.Request) { h.secrets = secretsOf(t, secretB) }, why: errBadSignature.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			r := h.signed(RouteLifecycle, mediaEvent, minaMoves)
			tt.change(h, r)
			w := h.send(r)
			if tt.why == "" {
				wantStatus(t, w, http.StatusAccepted)
				return
			}
			wantStatus(t, w, http.StatusUnauthorized)
			if got := w.Body.String(); got != sameForAll {
				t.Errorf("a stranger is told %s", got)
			}
			want := []string{"unverified | POST /v1/lifecycle: " + tt.why + ", from 203.0.113.0/24"}
			if diff := cmp.Diff(want, h.store.refusals()); diff != "" {
				t.Errorf("trail (-want +got):\n%s", diff)
			}
			if len(h.store.facts) != 0 {
				t.Error("it was kept")
			}
		})
	}
}
