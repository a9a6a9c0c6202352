package secevent

import (
	"crypto"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rolecall/lifecycle"
)

// shop serves a key set, as whoever holds it wants.
type shop struct {
	mu     sync.Mutex
	set    string
	status int
	asked  int
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.status == http.StatusFound {
		http.Redirect(w, r, "/elsewhere", s.status)
		return
	}
	w.WriteHeader(s.status)
	fmt.Fprint(w, s.set)
}

func (s *shop) put(set string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set, s.status = set, status
}

func (s *shop) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// shopping is a house whose one issuer has its keys in a shop: at first the key ec.
func shopping(t *testing.T) (*house, *shop) {
	t.Helper()
	s := &shop{status: http.StatusOK, set: setOf(t, map[string]crypto.PublicKey{"ec": signersOf(t).ec.Public()})}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return houseOf(t, `[{"issuer":"`+idp+`","audience":"`+audience+`","jwks_url":"`+server.URL+`/keys"}]`), s
}

// sends posts a token of the key ec or ed and compares the status.
func (h *house) sends(t *testing.T, kid string, want int) {
	t.Helper()
	alg, key := jose.ES256, any(h.keys.ec)
	if kid == "ed" {
		alg, key = jose.EdDSA, h.keys.ed
	}
	if w := h.post(sign(t, alg, key, kid, "secevent+jwt", claimsWith(nil))); w.Code != want {
		t.Fatalf("%s: status %d, want %d: %s", kid, w.Code, want, w.Body)
	}
}

func TestKeysAreReadOnceAndAgainWhenTheyChange(t *testing.T) {
	t.Parallel()
	h, s := shopping(t)
	for range 5 {
		h.sends(t, "ec", http.StatusAccepted)
	}
	if s.times() != 1 {
		t.Errorf("asked %d times", s.times())
	}
	s.put(setOf(t, map[string]crypto.PublicKey{"ec": h.keys.ec.Public(), "ed": h.keys.ed.Public()}), http.StatusOK)
	h.sends(t, "ed", http.StatusServiceUnavailable) // it may be new: too soon to ask
	h.clock.advance(minRefresh)
	h.sends(t, "ed", http.StatusAccepted)
	if s.times() != 2 {
		t.Errorf("asked %d times", s.times())
	}
}

func TestAStrangerDoesNotMakeUsAsk(t *testing.T) {
	t.Parallel()
	h, s := shopping(t)
	h.sends(t, "ec", http.StatusAccepted)
	for range 100 {
		h.sends(t, "made-up", http.StatusServiceUnavailable)
	}
	if s.times() != 1 {
		t.Errorf("asked %d times", s.times())
	}
	if strings.Contains(h.log.String(), "ERROR") {
		t.Errorf("log %q", h.log)
	}
	h.clock.advance(minRefresh)
	h.sends(t, "made-up", http.StatusBadRequest)
	if got := h.store.lines(lifecycle.EventNoticeRefused); s.times() != 2 || !strings.Contains(got[len(got)-1], "invalid_key") {
		t.Errorf("asked %d times, trail %q", s.times(), got)
	}
}

func TestAKeyThatWasTakenBackCountsNoMore(t *testing.T) {
	t.Parallel()
	h, s := shopping(t)
	h.sends(t, "ec", http.StatusAccepted)
	s.put(setOf(t, map[string]crypto.PublicKey{"ed": h.keys.ed.Public()}), http.StatusOK)
	h.sends(t, "ec", http.StatusAccepted)
	h.clock.advance(maxAge)
	h.sends(t, "ec", http.StatusBadRequest)
	h.sends(t, "ed", http.StatusAccepted)
}

func TestKeysThatCannotBeReadAreWaitedFor(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		set    string
		status int
	}{
		"a bad day":                  {"", http.StatusBadGateway},
		"a redirect":                 {"", http.StatusFound},
		"a page":                     {"<html>", http.StatusOK},
		"a set of nothing":           {`{"keys":[]}`, http.StatusOK},
		"a set of what we cannot do": {`{"keys":[{"kty":"XYZ"}]}`, http.StatusOK},
		"a set without end":          {`{"keys":["` + strings.Repeat("x", longestSet) + `"]}`, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := shopping(t)
			good := s.set
			s.put(bad.set, bad.status)
			h.sends(t, "ec", http.StatusServiceUnavailable)
			h.sends(t, "ec", http.StatusServiceUnavailable)
			if s.times() != 1 || !strings.Contains(h.log.String(), "read the keys of an issuer") {
				t.Errorf("asked %d times, log %q", s.times(), h.log)
			}
			s.put(good, http.StatusOK)
			h.clock.advance(retryAfter)
			h.sends(t, "ec", http.StatusAccepted)
			s.put(bad.set, bad.status)
			h.clock.advance(maxAge + time.Minute)
			h.sends(t, "ec", http.StatusAccepted) // those that were read last still count
			h.clock.advance(mostAge)
			h.sends(t, "ec", http.StatusServiceUnavailable) // but not for ever
		})
	}
}

func TestASetMayHaveKeysThatAreNotForUs(t *testing.T) {
	t.Parallel()
	h, s := shopping(t)
	s.put(strings.Replace(s.set, `{"keys":[`, `{"keys":[{"kty":"XYZ"},{"kty":"oct","k":"AAAA","kid":"ec2"},`, 1), http.StatusOK)
	h.sends(t, "ec", http.StatusAccepted)
}

func TestATokenThatNamesNoKeyMayBeOfTheOnlyOne(t *testing.T) {
	t.Parallel()
	k := signersOf(t)
	ec := jose.JSONWebKey{Key: k.ec.Public(), KeyID: "ec"}
	rs := jose.JSONWebKey{Key: k.rsa.Public(), KeyID: "rsa", Algorithm: "RS256"}
	for name, tt := range map[string]struct {
		keys     []jose.JSONWebKey
		kid, alg string
		want     string
	}{
		"the only one":                    {[]jose.JSONWebKey{ec}, "", "ES256", "ec"},
		"one of two":                      {[]jose.JSONWebKey{ec, rs}, "", "RS256", ""},
		"the only one for the algorithm":  {[]jose.JSONWebKey{ec, rs}, "", "ES256", "ec"},
		"one for another algorithm":       {[]jose.JSONWebKey{rs}, "rsa", "PS256", ""},
		"two of the same name are nobody": {[]jose.JSONWebKey{ec, ec}, "ec", "ES256", ""},
		"another's name":                  {[]jose.JSONWebKey{ec}, "EC", "ES256", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := pick(tt.keys, tt.kid, tt.alg); got.KeyID != tt.want {
				t.Errorf("got %q, want %q", got.KeyID, tt.want)
			}
		})
	}
}
