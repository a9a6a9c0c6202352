package pagerduty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// An unsentError is trouble before a call was sent: nothing was done. Passing trouble is worth another try.
type unsentError struct {
	cause   error
	passing bool
}

func (e *unsentError) Error() string { return e.cause.Error() }
func (e *unsentError) Unwrap() error { return e.cause }

// A credential is what calls are authorised with.
type credential interface {
	// header returns the Authorization header, and the secret in it.
	header(ctx context.Context) (header, secret string, err error)
	// reject tells that PagerDuty did not take the secret, and reports whether asking again may give another.
	reject(secret string) bool
}

// authorise signs calls. A 401 is proof that nothing was done, so the call is made once more if the secret has changed.
type authorise struct {
	next       http.RoundTripper
	credential credential
	marks      *marks
}

func (a *authorise) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, secret, err := a.once(req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && a.credential.reject(secret) {
		resp, secret, err = a.once(req)
	}
	if err == nil && resp.StatusCode >= 300 { // a proxy may echo what it was sent
		setBody(resp, bytes.ReplaceAll(bodyOf(resp), []byte(secret), []byte("••••")))
	}
	return resp, err
}

func (a *authorise) once(req *http.Request) (*http.Response, string, error) {
	fresh, err := again(req)
	if err != nil {
		return nil, "", &unsentError{cause: err}
	}
	header, secret, err := a.credential.header(req.Context())
	if err != nil {
		return nil, "", err
	}
	a.marks.used(secret)
	fresh.Header.Set("Authorization", header)
	fresh.Header.Set("User-Agent", "rolecall")
	resp, err := a.next.RoundTrip(fresh)
	return resp, secret, err
}

// keyCredential is an account key.
type keyCredential struct{ token func() (string, error) }

func (k *keyCredential) header(context.Context) (string, string, error) {
	secret, err := readSecret("PagerDuty token", k.token)
	return "Token token=" + secret, secret, err
}

func (k *keyCredential) reject(secret string) bool {
	now, err := readSecret("PagerDuty token", k.token)
	return err == nil && now != secret
}

func readSecret(what string, read func() (string, error)) (string, error) {
	s, err := read()
	s = strings.TrimSpace(s)
	switch {
	case err != nil:
		return "", &unsentError{cause: fmt.Errorf("read the %s: %w", what, err)}
	case s == "":
		return "", &unsentError{cause: fmt.Errorf("the %s is empty", what)}
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", &unsentError{cause: fmt.Errorf("the %s contains a character that no %s has", what, what)}
	default:
		return s, nil
	}
}

// oauthCredential is a scoped OAuth app. PagerDuty gives no refresh tokens: a new one is asked for before the old one's
// day is over, and when PagerDuty does not take it any more. Asking for a scope that the app lacks does not fail, it
// silently yields fewer, so what was granted is compared with what was asked.
type oauthCredential struct {
	config clientcredentials.Config
	secret func() (string, error)
	http   *http.Client
	log    *slog.Logger

	mu    sync.Mutex
	token *oauth2.Token
	lacks []string
}

func newOAuthCredential(cfg Config, next http.RoundTripper) *oauthCredential {
	account := fmt.Sprintf("as_account-%s.%s", cfg.Region, cfg.Subdomain)
	return &oauthCredential{
		config: clientcredentials.Config{
			ClientID: cfg.ClientID, TokenURL: cfg.TokenURL, AuthStyle: oauth2.AuthStyleInParams,
			Scopes: append([]string{account}, Scopes()...),
		},
		secret: cfg.ClientSecret, http: &http.Client{Transport: next}, log: cfg.Log,
	}
}

func (o *oauthCredential) header(ctx context.Context) (string, string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.token.Valid() || !o.token.Expiry.IsZero() && time.Until(o.token.Expiry) < renewal {
		if err := o.fetch(ctx); err != nil {
			return "", "", err
		}
	}
	return "Bearer " + o.token.AccessToken, o.token.AccessToken, nil
}

// renewal is how long before a token's end a new one is asked for, so that no call is on its way when it ends.
const renewal = 5 * time.Minute

func (o *oauthCredential) fetch(ctx context.Context) error {
	secret, err := readSecret("PagerDuty client secret", o.secret)
	if err != nil {
		return err
	}
	config := clientcredentials.Config{ClientID: o.config.ClientID, ClientSecret: secret, TokenURL: o.config.TokenURL, AuthStyle: o.config.AuthStyle, Scopes: o.config.Scopes}
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, o.http))
	if err != nil {
		return tokenError(err, secret)
	}
	o.token, o.lacks = token, nil
	if granted, told := token.Extra("scope").(string); told { // who is told nothing has all that was asked for: RFC 6749, 5.1
		o.lacks = missing(Scopes(), strings.Fields(granted))
	}
	if len(o.lacks) > 0 {
		o.log.WarnContext(ctx, "the PagerDuty app lacks scopes", slog.Any("scopes", o.lacks))
	}
	return nil
}

// tokenError says what the token endpoint said, without the secret that was sent there.
func tokenError(err error, secret string) error {
	answer, is := errors.AsType[*oauth2.RetrieveError](err)
	if !is {
		return &unsentError{cause: fmt.Errorf("ask for a PagerDuty token: %s", hide(err.Error(), secret)), passing: true}
	}
	status := answer.Response.StatusCode
	said := clean(hide(answer.ErrorCode+" "+answer.ErrorDescription, secret), 200)
	passing := status >= 500 || status == http.StatusTooManyRequests
	return &unsentError{cause: fmt.Errorf("ask for a PagerDuty token: %d %s", status, said), passing: passing}
}

func hide(s, secret string) string { return strings.ReplaceAll(s, secret, "••••") }

func (o *oauthCredential) reject(secret string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.token != nil && o.token.AccessToken == secret {
		o.token = nil
	}
	return true
}

// lacking returns the scopes that the app was not granted: of a key, none.
func (c *Client) lacking() []string {
	if c.oauth == nil {
		return nil
	}
	return c.oauth.lacking()
}

// lacking returns the scopes that the newest token lacks.
func (o *oauthCredential) lacking() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lacks)
}
