package pagerdutytest

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// TokenLife is how long a scoped OAuth token lasts.
const TokenLife = 86400 * time.Second

type token struct {
	scopes  []string
	expires time.Time
}

// AllScopes returns every scope that an operation of the fake asks for, sorted.
func AllScopes() []string {
	var all []string
	for _, rt := range routes() {
		if rt.scope != "" {
			all = append(all, rt.scope)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// serveToken is identity.pagerduty.com's POST /oauth/token for the client credentials grant. On the fake it is on the
// same host as the API.
func (a *Account) serveToken(w http.ResponseWriter, r *http.Request) {
	a.countCall("POST /oauth/token")
	err := r.ParseForm()
	w.Header().Set("Cache-Control", "no-store")
	a.throughFaults(w, r, func() reply {
		if err != nil {
			return oauthError(http.StatusBadRequest, "invalid_request", "the form cannot be read")
		}
		return a.grant(r.PostForm)
	})
}

func (a *Account) countCall(op string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count(op)
}

func (a *Account) grant(f url.Values) reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	if refusal := a.checkClient(f); refusal != nil {
		return *refusal
	}
	given := []string{a.accountScope()}
	for _, s := range strings.Fields(f.Get("scope")) {
		if slices.Contains(a.cfg.OAuth.Scopes, s) && !slices.Contains(given, s) {
			given = append(given, s)
		}
	}
	key := "pdus+_0" + rand.Text()
	a.newest = key
	a.tokens[key] = token{scopes: given[1:], expires: a.now().Add(TokenLife)}
	return ok(obj{
		"access_token": key, "client_info": "prefix_legacy_app", "id_token": nil,
		"scope": strings.Join(given, " "), "token_type": "bearer", "expires_in": int(TokenLife.Seconds()),
	})
}

// checkClient wants the secret in the form, as PagerDuty documents it, and the account named among the scopes.
func (a *Account) checkClient(f url.Values) *reply {
	switch {
	case f.Get("grant_type") != "client_credentials":
		return new(oauthError(http.StatusBadRequest, "unsupported_grant_type", "only client_credentials is served here"))
	case !same(f.Get("client_id"), a.cfg.OAuth.ID) || !same(f.Get("client_secret"), a.cfg.OAuth.Secret):
		return new(oauthError(http.StatusUnauthorized, "invalid_client", "Client authentication failed"))
	case !slices.Contains(strings.Fields(f.Get("scope")), a.accountScope()):
		return new(oauthError(http.StatusBadRequest, "invalid_scope", "the scope must name the account as "+a.accountScope()))
	}
	return nil
}

func (a *Account) accountScope() string {
	return "as_account-" + a.cfg.OAuth.Region + "." + a.cfg.Subdomain
}

// RevokeTokens makes every OAuth token that was given out worthless, as the app's page does with "Revoke All Tokens".
func (a *Account) RevokeTokens() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.tokens)
}

func oauthError(status int, code, why string) reply {
	return reply{status: status, body: obj{"error": code, "error_description": why}, refusal: why}
}
