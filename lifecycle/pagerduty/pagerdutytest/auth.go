package pagerdutytest

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// A credential is what a call was made with.
type credential struct {
	key      string // the secret itself, which the rate limit is counted by
	method   string // of audit records: api_token or oauth
	actor    Ref    // for audit records
	readOnly bool
	scoped   bool
	scopes   []string
	userID   string // whose it is, when it is a user's
}

func (c credential) tail() string {
	if len(c.key) <= 4 {
		return c.key
	}
	return c.key[len(c.key)-4:]
}

// SetToken replaces the account key, as when it is rotated: the old one is worthless at once. An empty key is nobody's.
func (a *Account) SetToken(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cfg.Token = key
}

// authenticate finds out who calls. An account without any credential lets nobody in.
func (a *Account) authenticate(r *http.Request, at time.Time) (credential, bool) {
	h := r.Header.Get("Authorization")
	if key, is := strings.CutPrefix(h, "Token token="); is {
		return a.byKey(key)
	}
	if key, is := strings.CutPrefix(h, "Bearer "); is {
		return a.byBearer(key, at)
	}
	return credential{}, false
}

func (a *Account) byKey(key string) (credential, bool) {
	c := credential{key: key, method: "api_token"}
	c.actor = Ref{ID: "PAPIKEY", Type: "api_key_reference", Summary: "account key ending in " + c.tail()}
	switch {
	case same(key, a.cfg.Token):
		return c, true
	case same(key, a.cfg.ReadOnlyToken):
		c.readOnly = true
		return c, true
	}
	for have, id := range a.cfg.UserTokens {
		if u := a.live(id); u != nil && same(key, have) {
			c.userID, c.actor = id, Ref{ID: id, Type: "user_reference", Summary: u.Name}
			return c, true
		}
	}
	return credential{}, false
}

func (a *Account) byBearer(key string, at time.Time) (credential, bool) {
	t, known := a.tokens[key]
	if !known || !at.Before(t.expires) {
		return credential{}, false
	}
	return credential{
		key: key, method: "oauth", scoped: true, scopes: t.scopes,
		actor: Ref{ID: "PAPP" + strings.ToUpper(a.cfg.OAuth.ID), Type: "app_reference", Summary: a.cfg.OAuth.ID},
	}, true
}

// same compares secrets; an empty one is never anybody's.
func same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
