package secevent

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

const (
	deactivate = "urn:ietf:params:scim:event:prov:deactivate"
	disabled   = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
	revoked    = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
)

type m = map[string]any

func TestATokenSaysWhatItSays(t *testing.T) {
	t.Parallel()
	const at = " at 2026-11-23T09:00:01Z"
	for name, tt := range map[string]struct {
		changes m
		said    []string
		heard   string
	}{
		"a deactivation of RFC 9967":               {nil, []string{`set:idp.acme.test: disabled suspended "E1042" []` + at}, ""},
		"in capitals, as drafts had it":            {m{"events": m{"urn:ietf:params:SCIM:event:prov:deactivate": m{}}}, []string{`set:idp.acme.test: disabled suspended "E1042" []` + at}, ""},
		"without an external id":                   {m{"sub_id": m{"format": "scim", "uri": "/Users/2b2f"}}, []string{`set:idp.acme.test: disabled suspended "/Users/2b2f" []` + at}, ""},
		"RISC, with an address":                    {m{"sub_id": m{"format": "email", "email": "mina@acme.test"}, "events": m{disabled: m{"reason": "hijacking"}}}, []string{`set:idp.acme.test: disabled suspended "" ["mina@acme.test"]` + at}, ""},
		"with a subject of the issuer":             {m{"sub_id": m{"format": "iss_sub", "iss": idp, "sub": "00u7"}, "events": m{disabled: m{}}}, []string{`set:idp.acme.test: disabled suspended "00u7" []` + at}, ""},
		"with an opaque subject":                   {m{"sub_id": m{"format": "opaque", "id": "x1"}, "events": m{disabled: m{}}}, []string{`set:idp.acme.test: disabled suspended "x1" []` + at}, ""},
		"with an acct URI":                         {m{"sub_id": m{"format": "account", "uri": "acct:mina@acme.test"}, "events": m{disabled: m{}}}, []string{`set:idp.acme.test: disabled suspended "" ["mina@acme.test"]` + at}, ""},
		"with aliases":                             {m{"sub_id": m{"format": "aliases", "identifiers": []any{m{"format": "email", "email": "mina@acme.test"}, m{"format": "opaque", "id": "x1"}, m{"format": "opaque", "id": "x2"}}}}, []string{`set:idp.acme.test: disabled suspended "x1" ["mina@acme.test"]` + at}, ""},
		"the subject in the event, as Okta has it": {m{"sub_id": nil, "events": m{disabled: m{"event_timestamp": 1795424400123, "subject": m{"user": m{"format": "iss_sub", "iss": idp, "sub": "00u7"}}}}}, []string{`set:idp.acme.test: disabled suspended "00u7" [] at 2026-11-23T09:00:00.123Z`}, ""},
		"in the words of Google":                   {m{"sub_id": nil, "events": m{disabled: m{"subject": m{"subject_type": "iss-sub", "iss": idp, "sub": "7", "email": "mina@acme.test"}}}}, []string{`set:idp.acme.test: disabled suspended "7" ["mina@acme.test"]` + at}, ""},
		"a time in seconds":                        {m{"events": m{disabled: m{"event_timestamp": 1795424000}}}, []string{`set:idp.acme.test: disabled suspended "E1042" [] at 2026-11-23T08:53:20Z`}, ""},
		"a time of the token":                      {m{"toe": 1795424100}, []string{`set:idp.acme.test: disabled suspended "E1042" [] at 2026-11-23T08:55:00Z`}, ""},
		"both events are one fact":                 {m{"events": m{disabled: m{}, deactivate: m{}}}, []string{`set:idp.acme.test: disabled suspended "E1042" []` + at}, ""},
		"a session that ended is no leaver":        {m{"events": m{revoked: m{}}}, nil, "set:idp.acme.test | a security event that has no effect: " + revoked + " about E1042"},
		"nor is an account that was purged":        {m{"events": m{strings.Replace(disabled, "disabled", "purged", 1): m{}}}, nil, "set:idp.acme.test | a security event that has no effect: " + strings.Replace(disabled, "disabled", "purged", 1) + " about E1042"},
		"an event that nobody knows":               {m{"events": m{"urn:x": "y"}, "sub_id": nil}, nil, "set:idp.acme.test | a security event that has no effect: urn:x about nobody that it names in a way that is known here"},
		"a subject that is only a device":          {m{"sub_id": m{"device": m{"format": "opaque", "id": "d"}}}, nil, "set:idp.acme.test | a security event that has no effect: " + deactivate + " about nobody that it names in a way that is known here"},
		"one of each":                              {m{"events": m{deactivate: m{}, revoked: m{}}}, []string{`set:idp.acme.test: disabled suspended "E1042" []` + at}, "set:idp.acme.test | a security event that has no effect: " + revoked + " about E1042"},
		"an audience that is one text":             {m{"aud": audience}, []string{`set:idp.acme.test: disabled suspended "E1042" []` + at}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.post(h.token(t, tt.changes))
			if w.Code != http.StatusAccepted || w.Body.Len() != 0 {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(tt.said, h.store.said()); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if got := strings.Join(h.store.lines(lifecycle.EventNoticeIgnored), "\n"); got != tt.heard {
				t.Errorf("heard %q, want %q", got, tt.heard)
			}
			if diff := cmp.Diff([]string{"set:idp.acme.test"}, h.store.heard); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryAlgorithmThatIsAllowed(t *testing.T) {
	t.Parallel()
	k := signersOf(t)
	for alg, by := range map[jose.SignatureAlgorithm]struct {
		key any
		kid string
	}{jose.RS256: {k.rsa, "rsa"}, jose.PS256: {k.rsa, "rsa"}, jose.ES256: {k.ec, "ec"}, jose.EdDSA: {k.ed, "ed"}} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if w := h.post(sign(t, alg, by.key, by.kid, "application/SECEVENT+jwt", claimsWith(nil))); w.Code != http.StatusAccepted {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
}

// forged returns a token that is signed by nobody, or with a public key.
func forged(t *testing.T, alg string, claims m) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(`{"alg":"`+alg+`","kid":"ec","typ":"secevent+jwt"}`)) + "." + b64(text) + "."
}

func TestWhatIsRefusedSaysWhyAndIsOnTheRecord(t *testing.T) {
	t.Parallel()
	k := signersOf(t)
	pub, err := json.Marshal(jose.JSONWebKey{Key: k.ec.Public(), KeyID: "ec"})
	if err != nil {
		t.Fatal(err)
	}
	good := func(changes m) func(*testing.T) string {
		return func(t *testing.T) string { return sign(t, jose.ES256, k.ec, "ec", "secevent+jwt", claimsWith(changes)) }
	}
	as := func(alg jose.SignatureAlgorithm, key any, kid, typ string, claims any) func(*testing.T) string {
		return func(t *testing.T) string { return sign(t, alg, key, kid, typ, claims) }
	}
	const stranger, known = "unverified", "set:idp.acme.test"
	for name, tt := range map[string]struct {
		token func(*testing.T) string
		err   string
		says  string
		by    string
	}{
		"no token":                        {func(*testing.T) string { return "x" }, errRequest, "it is no signed token in compact form", stranger},
		"nothing":                         {func(*testing.T) string { return "" }, errRequest, "it is no signed token in compact form", stranger},
		"signed by nobody":                {func(t *testing.T) string { return forged(t, "none", claimsWith(nil)) }, errRequest, `the algorithm "none" is none of RS256, PS256, ES256, EdDSA`, stranger},
		"signed with the public key":      {as(jose.HS256, pub, "ec", "secevent+jwt", claimsWith(nil)), errRequest, `the algorithm "HS256" is none of RS256, PS256, ES256, EdDSA`, stranger},
		"an algorithm that is not agreed": {as(jose.RS512, k.rsa, "rsa", "secevent+jwt", claimsWith(nil)), errRequest, `the algorithm "RS512" is none of RS256, PS256, ES256, EdDSA`, stranger},
		"the claim of a signature":        {func(t *testing.T) string { return forged(t, "ES256", claimsWith(nil)) }, errAuthentication, "the signature is not of the issuer's key", stranger},
		"another's key, by its kid":       {as(jose.EdDSA, k.ed, "ec", "secevent+jwt", claimsWith(nil)), errAuthentication, "the signature is not of the issuer's key", stranger},
		"a key that is not there":         {as(jose.ES256, k.ec, "gone", "secevent+jwt", claimsWith(nil)), errKey, "no key of the issuer has this kid and algorithm", stranger},
		"the key of another issuer":       {as(jose.EdDSA, k.ed, "other", "secevent+jwt", claimsWith(nil)), errKey, "no key of the issuer has this kid and algorithm", stranger},
		"in the name of another issuer":   {as(jose.ES256, k.ec, "ec", "secevent+jwt", claimsWith(m{"iss": "https://other.test/"})), errKey, "no key of the issuer has this kid and algorithm", stranger},
		"a changed token": {func(t *testing.T) string {
			parts := strings.Split(good(nil)(t), ".")
			return strings.Join([]string{parts[0], strings.Split(good(m{"jti": "other"})(t), ".")[1], parts[2]}, ".")
		}, errAuthentication, "the signature is not of the issuer's key", stranger},
		"an access token":               {as(jose.ES256, k.ec, "ec", "at+jwt", claimsWith(nil)), errRequest, "its typ must be secevent+jwt", stranger},
		"no typ":                        {as(jose.ES256, k.ec, "ec", "", claimsWith(nil)), errRequest, "its typ must be secevent+jwt", stranger},
		"an issuer that nobody knows":   {good(m{"iss": "https://evil.test"}), errIssuer, "the issuer is none that may send here", stranger},
		"no issuer":                     {good(m{"iss": nil}), errIssuer, "the issuer is none that may send here", stranger},
		"claims that are no object":     {as(jose.ES256, k.ec, "ec", "secevent+jwt", "[]"), errRequest, "the claims are no object", stranger},
		"claims that are no JSON":       {as(jose.ES256, k.ec, "ec", "secevent+jwt", "{"), errRequest, "the claims are no JSON: line 1, column 1: unexpected end of JSON input", stranger},
		"an issuer that is there twice": {as(jose.ES256, k.ec, "ec", "secevent+jwt", `{"iss":"x","iss":"`+idp+`"}`), errRequest, `the claims are no JSON: line 1, column 12: the name "iss" is given twice`, stranger},
		"for somebody else":             {good(m{"aud": "https://else.test"}), errAudience, "its aud does not have the audience that is agreed", known},
		"for nobody":                    {good(m{"aud": nil}), errAudience, "its aud does not have the audience that is agreed", known},
		"with an end":                   {good(m{"exp": issued + 60}), errRequest, "exp must not be in the token of an event: it would pass for another kind of token", known},
		"with a sub":                    {good(m{"sub": "E1042"}), errRequest, "sub must not be in the token of an event: it would pass for another kind of token", known},
		"with a sub that is null":       {as(jose.ES256, k.ec, "ec", "secevent+jwt", `{"iss":"`+idp+`","aud":"`+audience+`","sub":null}`), errRequest, "sub must not be in the token of an event: it would pass for another kind of token", known},
		"without an id":                 {good(m{"jti": nil}), errRequest, "jti must name the token, with at most 256 characters", known},
		"with a long id":                {good(m{"jti": strings.Repeat("x", 257)}), errRequest, "jti must name the token, with at most 256 characters", known},
		"with a txn that is none":       {good(m{"txn": 4}), errRequest, "txn must be text of at most 256 characters", known},
		"without a time":                {good(m{"iat": nil}), errRequest, "iat must say when the token was made, in seconds", known},
		"from the future":               {good(m{"iat": issued + 3600}), errRequest, "iat is in the future; check the sender's clock", known},
		"about the future":              {good(m{"events": m{disabled: m{"event_timestamp": (issued + 3600) * 1000}}}), errRequest, "time is in the future; check the sender's clock", known},
		"with a time that is none":      {good(m{"events": m{disabled: m{"event_timestamp": "now"}}}), errRequest, "event_timestamp must say when the event was, in seconds or milliseconds", known},
		"with a toe that is none":       {good(m{"toe": -1}), errRequest, "toe must say when the events were, in seconds", known},
		"without events":                {good(m{"events": m{}}), errRequest, "events must have an event", known},
		"with events that are a list":   {good(m{"events": []any{deactivate}}), errRequest, "events must have an event", known},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.post(tt.token(t))
			var said struct{ Err, Description string }
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != http.StatusBadRequest {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if said.Err != tt.err || said.Description != tt.says || w.Header().Get("Content-Language") == "" {
				t.Errorf("got %s, %q; want %s, %q", said.Err, said.Description, tt.err, tt.says)
			}
			line := tt.by + " | POST /v1/security-events: " + tt.err + ": " + tt.says
			if tt.by == stranger {
				line += ", from 203.0.113.0/24"
			}
			if got := strings.Join(h.store.lines(lifecycle.EventNoticeRefused), "\n"); got != line {
				t.Errorf("trail %q, want %q", got, line)
			}
			if len(h.store.said()) != 0 {
				t.Errorf("facts %q", h.store.said())
			}
		})
	}
}

func TestTheRulesOfHTTP(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*http.Request)
		off    bool
		status int
		lines  int
	}{
		"another method":     {func(q *http.Request) { q.Method = http.MethodGet }, false, http.StatusMethodNotAllowed, 0},
		"another media type": {func(q *http.Request) { q.Header.Set("Content-Type", "application/jwt") }, false, http.StatusBadRequest, 1},
		"packed":             {func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }, false, http.StatusBadRequest, 1},
		"too long": {func(q *http.Request) {
			q.Body, q.ContentLength = http.NoBody, longestToken+1
		}, false, http.StatusRequestEntityTooLarge, 1},
		"nobody may send any": {func(*http.Request) {}, true, http.StatusNotFound, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if tt.off {
				h.config.Issuers = nil
			}
			q := httptest.NewRequest(http.MethodPost, Route, strings.NewReader(h.token(t, nil)))
			q.Header.Set("Content-Type", "application/secevent+jwt")
			tt.change(q)
			if w := h.send(q); w.Code != tt.status || len(h.store.said()) != 0 || len(h.store.lines(lifecycle.EventNoticeRefused)) != tt.lines {
				t.Errorf("status %d, trail %q", w.Code, h.store.lines(lifecycle.EventNoticeRefused))
			}
		})
	}
}

func TestARepeatIsHarmless(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	sub := func(id string) m { return m{"format": "scim", "externalId": id} }
	for _, changes := range []m{
		{},
		{}, // the same token again, signed anew
		{"jti": "s-2", "txn": "t-1", "sub_id": sub("E2")},
		{"jti": "s-3", "txn": "t-1", "sub_id": sub("E2")}, // sent again: another jti, the same txn
		{"jti": "s-4", "txn": "t-1", "sub_id": sub("E3")}, // somebody else, of the same transaction
		{"jti": "s-5", "txn": "t-2", "sub_id": sub("E2")}, // and once more, later
	} {
		if w := h.post(h.token(t, changes)); w.Code != http.StatusAccepted {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	var who []string
	for _, f := range h.store.facts {
		who = append(who, f.Key)
	}
	if diff := cmp.Diff([]string{"E1042", "E2", "E3", "E2"}, who); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestTwoIssuersWithTheSameIdSayTwoThings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post(h.token(t, nil))
	w := h.post(sign(t, jose.EdDSA, h.keys.ed, "other", "secevent+jwt", claimsWith(m{"iss": "https://other.test/"})))
	want := []string{`set:idp.acme.test: disabled suspended "E1042" [] at 2026-11-23T09:00:01Z`, `scim:okta: disabled suspended "E1042" [] at 2026-11-23T09:00:01Z`}
	if diff := cmp.Diff(want, h.store.said()); diff != "" || w.Code != http.StatusAccepted {
		t.Errorf("status %d, facts (-want +got):\n%s", w.Code, diff)
	}
	if diff := cmp.Diff([]string{"set:idp.acme.test", "set:other.test"}, h.store.heard); diff != "" {
		t.Errorf("a token must not pass for the first sync of a SCIM client (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeKeptIsSentAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.broken = errors.New("disk full")
	for name, changes := range map[string]m{"a fact": nil, "a line": {"events": m{revoked: m{}}}} {
		w := h.post(h.token(t, changes))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(h.log.String(), "disk full") {
			t.Errorf("%s: status %d, log %q", name, w.Code, h.log)
		}
	}
	h.store.broken = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q := httptest.NewRequestWithContext(ctx, http.MethodPost, Route, strings.NewReader(h.token(t, nil)))
	q.Header.Set("Content-Type", "application/secevent+jwt")
	if w := h.send(q); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
}

func TestAFloodOfForgeriesIsCounted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 500 {
		h.post("forged")
	}
	h.Flush(t.Context())
	got := h.store.lines(lifecycle.EventNoticeRefused)
	if len(got) > 30 || !strings.Contains(got[len(got)-1], "more were refused") {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

// Whatever the claims of a known issuer: 202 with what it says kept, or 400 with a line.
func FuzzClaims(f *testing.F) {
	for _, changes := range []m{nil, {"sub_id": m{"user": m{"user": m{}}}}, {"toe": 1e300}, {"events": m{disabled: []any{1}}}} {
		text, err := json.Marshal(claimsWith(changes))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"iss":"` + idp + `","aud":[null],"iat":1e99}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		h := newHouse(t)
		w := h.post(sign(t, jose.ES256, h.keys.ec, "ec", "secevent+jwt", string(payload)))
		facts, heard, refused := len(h.store.facts), len(h.store.lines(lifecycle.EventNoticeIgnored)), len(h.store.lines(lifecycle.EventNoticeRefused))
		switch w.Code {
		case http.StatusAccepted:
			if facts+heard == 0 || refused != 0 || !json.Valid(payload) {
				t.Errorf("202 with %d facts, %d heard, %d refused", facts, heard, refused)
			}
		case http.StatusBadRequest:
			if facts != 0 || refused != 1 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("400 with %d facts, %d refused", facts, refused)
			}
		case http.StatusRequestEntityTooLarge:
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

// Nothing that is not signed by a key of the issuer has an effect.
func FuzzToken(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		h := newHouse(t)
		w := h.post(token)
		if w.Code == http.StatusAccepted || len(h.store.facts) != 0 {
			t.Errorf("%q is let in", token)
		}
	})
}
