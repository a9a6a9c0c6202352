package secevent

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rolecall/lifecycle"
)

// store is what the inbox and the sources are kept in.
type store struct {
	mu     sync.Mutex
	broken error
	facts  []lifecycle.Fact
	trail  []lifecycle.AuditEvent
	heard  []string
}

func (s *store) Record(ctx context.Context, e lifecycle.AuditEvent, _ ...lifecycle.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.trail = append(s.trail, e)
	return ctx.Err()
}

func (s *store) SaveFact(ctx context.Context, f lifecycle.Fact, e lifecycle.AuditEvent, _ ...lifecycle.Job) (lifecycle.NoticeID, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return "", false, s.broken
	}
	for _, known := range s.facts {
		if known.Source == f.Source && known.EventID == f.EventID {
			return known.ID, true, nil
		}
	}
	s.facts, s.trail = append(s.facts, f), append(s.trail, e)
	return f.ID, false, ctx.Err()
}

func (s *store) SaveFinding(context.Context, lifecycle.Finding, lifecycle.AuditEvent, ...lifecycle.Job) (bool, error) {
	return false, errors.New("nobody reports a finding here")
}

func (s *store) BaselineByEmail(context.Context, string) ([]lifecycle.Account, error) {
	return nil, errors.New("nobody asks for an account here")
}

func (s *store) IdentitiesByEmail(context.Context, string) ([]lifecycle.Identity, error) {
	return nil, errors.New("nobody asks for an identity here")
}

func (s *store) Hear(_ context.Context, name string, syncs bool) (lifecycle.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if syncs {
		return lifecycle.Source{}, errors.New("a security event syncs nobody")
	}
	s.heard = append(s.heard, name)
	return lifecycle.Source{Name: name}, s.broken
}

// lines returns who said what of each line of the kind.
func (s *store) lines(kind lifecycle.EventKind) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, e := range s.trail {
		if e.Kind == kind {
			all = append(all, e.Ref+" | "+e.Detail["why"])
		}
	}
	return all
}

// said returns each fact in a line.
func (s *store) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, f := range s.facts {
		all = append(all, fmt.Sprintf("%s: %s %s %q %q at %s", f.Source, f.Kind, f.Person.Status, f.Key, f.Person.Emails, f.ObservedAt.Format(time.RFC3339Nano)))
	}
	return all
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const (
	idp      = "https://idp.acme.test"
	audience = "https://rolecall.acme.test/events"
	issued   = 1795424401 // seconds; 2026-11-23T09:00:01Z
)

// signers are made once: an RSA key takes long to find.
type signers struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

var newSigners = sync.OnceValues(func() (signers, error) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	e, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, d, err3 := ed25519.GenerateKey(rand.Reader)
	return signers{rsa: r, ec: e, ed: d}, errors.Join(err, err2, err3)
})

func signersOf(tb testing.TB) signers {
	tb.Helper()
	s, err := newSigners()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// setOf returns a key set of public keys, each under its kid.
func setOf(tb testing.TB, keys map[string]crypto.PublicKey) string {
	tb.Helper()
	var set jose.JSONWebKeySet
	for kid, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: kid, Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// house is a receiver with one issuer, whose keys are given.
type house struct {
	*Receiver
	store *store
	clock *clock
	log   *bytes.Buffer
	keys  signers
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	k := signersOf(tb)
	set := setOf(tb, map[string]crypto.PublicKey{"ec": k.ec.Public(), "rsa": k.rsa.Public(), "ed": k.ed.Public()})
	return houseOf(tb, `[{"issuer":"`+idp+`","audience":"`+audience+`","jwks":`+set+`},`+
		`{"issuer":"https://other.test/","audience":"`+audience+`","source":"scim:okta","jwks":`+setOf(tb, map[string]crypto.PublicKey{"other": k.ed.Public()})+`}]`)
}

func houseOf(tb testing.TB, issuers string) *house {
	tb.Helper()
	list, err := ParseIssuers([]byte(issuers))
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{store: &store{}, clock: &clock{at: time.Unix(issued+59, 0).UTC()}, log: &bytes.Buffer{}, keys: signersOf(tb)}
	h.Receiver = New(Config{
		Inbox: lifecycle.NewInbox(h.store, h.clock.now), Sources: h.store, Issuers: list, Client: http.DefaultClient,
		Now: h.clock.now, Log: slog.New(slog.NewTextHandler(h.log, nil)),
	})
	return h
}

// claimsWith returns the claims of a token that is as it should be, with changes;
// nil takes a claim away.
func claimsWith(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": idp, "aud": []string{audience}, "iat": issued, "jti": "s-81f0",
		"sub_id": map[string]any{"format": "scim", "uri": "/Users/2b2f", "externalId": "E1042"},
		"events": map[string]any{"urn:ietf:params:scim:event:prov:deactivate": map[string]any{}},
	}
	for name, v := range changes {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

// sign returns the token of the claims, signed with the key.
func sign(tb testing.TB, alg jose.SignatureAlgorithm, key any, kid, typ string, claims any) string {
	tb.Helper()
	o := (&jose.SignerOptions{}).WithHeader("kid", kid)
	if typ != "" {
		o = o.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		tb.Fatal(err)
	}
	payload, ok := claims.(string)
	if !ok {
		text, err := json.Marshal(claims)
		if err != nil {
			tb.Fatal(err)
		}
		payload = string(text)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		tb.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// token returns one that is as it should be, with changed claims.
func (h *house) token(tb testing.TB, changes map[string]any) string {
	tb.Helper()
	return sign(tb, jose.ES256, h.keys.ec, "ec", "secevent+jwt", claimsWith(changes))
}

func (h *house) post(token string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodPost, Route, strings.NewReader(token))
	q.RemoteAddr = "203.0.113.77:4711"
	q.Header.Set("Content-Type", "application/secevent+jwt")
	return h.send(q)
}

func (h *house) send(q *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w
}
