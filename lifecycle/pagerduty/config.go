package pagerduty

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A Config says how to reach a PagerDuty account. Either Token, or ClientID with ClientSecret and Subdomain, is needed,
// and Now and Log; the rest has defaults.
type Config struct {
	Token        func() (string, error) // an account key; asked before every call, so that one that changes is taken up
	ClientID     string                 // of a scoped OAuth app
	ClientSecret func() (string, error) // asked whenever a new token is needed
	Subdomain    string                 // of the account, as in https://acme.pagerduty.com

	Region   string // "us" (when empty) or "eu"
	APIURL   string // instead of the region's
	TokenURL string // instead of PagerDuty's
	From     string // the address of the PagerDuty user as whom accounts are created

	Concurrency int           // calls at a time of a sweep, and of all else together; 4 when 0: PagerDuty asks for calls one after another
	PerMinute   int           // calls a minute that a sweep may use up; 900 of PagerDuty's 960 when 0
	Timeout     time.Duration // of one call; 10 s when 0
	Backoff     time.Duration // before the second try of anything, doubling from there; 250 ms when 0
	Settle      time.Duration // how long a change is looked for after its answer was lost; 5 s when 0
	Lead        time.Duration // how far ahead a seat of a shift-based schedule changes hands; 5 min when 0
	Patience    time.Duration // how long ReadBack looks for a change; 20 s when 0

	Progress  func(done, total int) // told of a sweep's calls, those known so far; may be nil
	Transport http.RoundTripper     // instead of one of net/http's own
	Now       func() time.Time
	Log       *slog.Logger
}

const identityURL = "https://identity.pagerduty.com/oauth/token"

var subdomain = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// withDefaults returns the config completed, or every mistake in it at once.
func (cfg Config) withDefaults() (Config, error) {
	var mistakes []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	oauth := cfg.ClientID != "" || cfg.ClientSecret != nil
	wrong(cfg.Token == nil && !oauth, "no credential: give a token, or the client id, client secret and subdomain of a scoped OAuth app")
	wrong(cfg.Token != nil && oauth, "two credentials: give either a token or an OAuth app, not both")
	wrong(oauth && (cfg.ClientID == "" || cfg.ClientSecret == nil), "an OAuth app needs both its client id and its client secret")
	wrong(oauth && !subdomain.MatchString(cfg.Subdomain), "an OAuth app needs the account's subdomain in lower case, such as acme; it is %q", cfg.Subdomain)
	cfg.Region = cmp.Or(cfg.Region, "us")
	wrong(cfg.Region != "us" && cfg.Region != "eu", "region %q is neither us nor eu", cfg.Region)
	if cfg.APIURL == "" {
		cfg.APIURL = map[string]string{"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}[cfg.Region]
	}
	cfg.APIURL, cfg.TokenURL = strings.TrimRight(cfg.APIURL, "/"), cmp.Or(cfg.TokenURL, identityURL)
	mistakes = append(mistakes, checkURL("API URL", cfg.APIURL), checkURL("token URL", cfg.TokenURL), checkFrom(cfg.From))
	cfg.Concurrency, cfg.PerMinute = cmp.Or(cfg.Concurrency, 4), cmp.Or(cfg.PerMinute, 900)
	wrong(cfg.Concurrency < 1 || cfg.Concurrency > 32, "concurrency %d is not from 1 to 32", cfg.Concurrency)
	wrong(cfg.PerMinute < 60 || cfg.PerMinute > 960, "%d calls a minute is not from 60 to 960, which is what PagerDuty allows", cfg.PerMinute)
	cfg.Timeout, cfg.Backoff = cmp.Or(cfg.Timeout, 10*time.Second), cmp.Or(cfg.Backoff, 250*time.Millisecond)
	cfg.Settle, cfg.Patience = cmp.Or(cfg.Settle, 5*time.Second), cmp.Or(cfg.Patience, 20*time.Second)
	cfg.Lead = cmp.Or(cfg.Lead, lead)
	wrong(min(cfg.Timeout, cfg.Backoff, cfg.Settle, cfg.Patience, cfg.Lead) < 0, "a duration is negative")
	wrong(cfg.Now == nil, "no clock")
	wrong(cfg.Log == nil, "no log")
	if cfg.Progress == nil {
		cfg.Progress = func(int, int) {}
	}
	return cfg, errors.Join(mistakes...)
}

func checkURL(what, s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a URL", what) // the parser would quote it, with whatever secret is in it
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("%s must begin with https:// and a host", what)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s must have no user, query or fragment", what)
	default:
		return nil
	}
}

func checkFrom(s string) error {
	if s == "" {
		return nil
	}
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return fmt.Errorf("from %q is not the bare e-mail address of a PagerDuty user", s)
	}
	return nil
}
