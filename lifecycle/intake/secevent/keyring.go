package secevent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	longestSet  = 1 << 20 // bytes
	fetchWithin = 5 * time.Second
	// minRefresh keeps a stranger, who may name any key, from making us ask.
	minRefresh = 5 * time.Minute
	retryAfter = 30 * time.Second // the keys could not be read
	maxAge     = time.Hour        // after it a key that was taken back is asked for
	mostAge    = 24 * time.Hour   // for so long the keys count that were read last
)

var (
	errNoKey    = errors.New("no key of the issuer has this kid and algorithm")
	errKeysLate = errors.New("the issuer's keys cannot be read now")
)

// A keyring has an issuer's keys: those that it was given, or those that it reads
// now and then from where they are.
type keyring struct {
	url  *url.URL
	http *http.Client
	now  func() time.Time
	log  *slog.Logger

	mu    sync.Mutex
	keys  []jose.JSONWebKey
	read  time.Time // when they were; zero: never
	again time.Time // not before then are they read again
}

func newKeyring(is Issuer, client *http.Client, now func() time.Time, log *slog.Logger) *keyring {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &keyring{url: is.keysURL, keys: is.keys, http: &c, now: now, log: log}
}

// find returns the key that a token with the kid and the algorithm was signed
// with. It returns errNoKey when there is none, and errKeysLate when that cannot
// be said yet.
func (k *keyring) find(ctx context.Context, kid, alg string) (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.url == nil {
		return known(pick(k.keys, kid, alg))
	}
	if _, ok := pick(k.keys, kid, alg); ok && k.now().Sub(k.read) < maxAge {
		return known(pick(k.keys, kid, alg))
	}
	late := k.refresh(ctx)
	if k.now().Sub(k.read) < mostAge {
		if key, ok := pick(k.keys, kid, alg); ok {
			return key, nil
		}
	}
	if late {
		return jose.JSONWebKey{}, errKeysLate
	}
	return jose.JSONWebKey{}, errNoKey
}

func known(key jose.JSONWebKey, ok bool) (jose.JSONWebKey, error) {
	if !ok {
		return jose.JSONWebKey{}, errNoKey
	}
	return key, nil
}

// refresh reads the keys, and reports whether they may be other ones by now than
// those that are known: it was too soon to ask, or no answer came.
func (k *keyring) refresh(ctx context.Context) (late bool) {
	if k.now().Before(k.again) {
		return true
	}
	keys, err := k.fetch(ctx)
	if err != nil {
		k.again = k.now().Add(retryAfter)
		k.log.ErrorContext(ctx, "read the keys of an issuer", slog.Any("err", err))
		return true
	}
	k.keys, k.read, k.again = keys, k.now(), k.now().Add(minRefresh)
	return false
}

// fetch asks for the keys, whether or not whoever sent the token waits for it.
func (k *keyring) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", k.url.Redacted(), err)
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := k.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", k.url.Redacted(), err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, longestSet+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("GET %s: %w", k.url.Redacted(), err)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("GET %s: answered %d", k.url.Redacted(), res.StatusCode)
	case len(body) > longestSet:
		return nil, fmt.Errorf("GET %s: the answer is longer than 1 MiB", k.url.Redacted())
	}
	keys, wrong := readKeys(body) // a set may have keys that are not for us
	if len(keys) == 0 {
		return nil, fmt.Errorf("GET %s: there is no key that a token can be checked with: %w", k.url.Redacted(), errors.Join(wrong...))
	}
	return keys, nil
}
