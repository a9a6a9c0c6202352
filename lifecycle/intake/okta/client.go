package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/lifecycle"
)

const (
	longestAnswer = 16 << 20         // bytes
	callTimeout   = 10 * time.Second // of one call, unless the client has one
	longestWait   = 15 * time.Minute // for a rate limit to end
	shortestWait  = time.Second
	unknownWait   = time.Minute // where Okta does not say how long: its windows are of a minute
)

// A client makes Okta's calls, GET alone.
type client struct {
	base  *url.URL
	token func() (string, error)
	http  *http.Client
	now   func() time.Time
}

// parseBase returns the org's URL, or what is wrong with it.
func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("the URL of the Okta org is none; it is like https://acme.okta.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, errors.New("the URL of the Okta org must begin with https://, or the token could be read on the way")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, errors.New("the URL of the Okta org must have no user, path, query or fragment")
	default:
		return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}, nil
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// withoutRedirects returns a copy of c that follows none: the token would go along.
func withoutRedirects(c *http.Client) *http.Client {
	is := *c
	is.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if is.Timeout == 0 {
		is.Timeout = callTimeout
	}
	return &is
}

// A reply is the answer to a call, whole.
type reply struct {
	body []byte
	next *url.URL // the next page; nil on the last
}

// A statusError is an answer other than 200.
type statusError struct {
	path   string
	status int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("GET %s: Okta answered %d", e.path, e.status)
}

func isStatus(err error, statuses ...int) bool {
	e, ok := errors.AsType[*statusError](err)
	return ok && slices.Contains(statuses, e.status)
}

// get returns the whole answer to GET u. A rate limit is a JobError that says
// when it ends; any status but 200 is a *statusError.
func (c *client) get(ctx context.Context, u *url.URL) (reply, error) {
	token, err := c.token()
	if err != nil {
		return reply{}, fmt.Errorf("read the Okta token: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return reply{}, fmt.Errorf("GET %s: %w", u.Path, err)
	}
	req.Header.Set("Authorization", "SSWS "+token)
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return reply{}, fmt.Errorf("GET %s: %w", u.Path, err)
	}
	defer res.Body.Close()
	if err := c.refused(u.Path, res); err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, longestAnswer+1))
	switch {
	case err != nil:
		return reply{}, fmt.Errorf("GET %s: the answer broke off: %w", u.Path, err)
	case len(body) > longestAnswer:
		return reply{}, fmt.Errorf("GET %s: the answer is longer than %d MiB", u.Path, longestAnswer>>20)
	}
	next, err := c.next(u, res.Header)
	return reply{body: body, next: next}, err
}

func (c *client) refused(path string, res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	err := &statusError{path: path, status: res.StatusCode}
	if res.StatusCode != http.StatusTooManyRequests {
		return err
	}
	return lifecycle.WaitFor("Okta's rate limit is used up", err, c.untilReset(res.Header))
}

// untilReset returns how long the rate limit lasts, by Okta's clock. Source:
// Okta, "Rate limits", X-Rate-Limit-Reset.
func (c *client) untilReset(h http.Header) time.Duration {
	seconds, err := strconv.ParseInt(h.Get("X-Rate-Limit-Reset"), 10, 42)
	if err != nil {
		return unknownWait
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = c.now()
	}
	return min(max(time.Unix(seconds, 0).Sub(now), shortestWait), longestWait)
}

// next returns the next page. One elsewhere is an error: the token goes nowhere
// but to the org.
func (c *client) next(page *url.URL, h http.Header) (*url.URL, error) {
	for _, links := range h.Values("Link") {
		for links != "" {
			var where, params string
			_, links, _ = strings.Cut(links, "<")
			where, links, _ = strings.Cut(links, ">")
			params, _, _ = strings.Cut(links, "<")
			if strings.Contains(params, `rel="next"`) {
				return c.sameCall(page.Path, where)
			}
		}
	}
	return nil, nil
}

// sameCall returns the URL that s is, which must be of the same call to the org.
func (c *client) sameCall(path, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != c.base.Scheme || !strings.EqualFold(u.Host, c.base.Host) || u.Path != path || u.User != nil {
		return nil, fmt.Errorf("GET %s: the next page is not of the org", path)
	}
	return u, nil
}

// list reads every page of a listing and hands over its items, or an error.
func list[T any](ctx context.Context, c *client, u *url.URL, mostPages int) ([]T, error) {
	var all []T
	for page := 0; u != nil; page++ {
		if page == mostPages {
			return nil, fmt.Errorf("GET %s: there are more than %d pages", u.Path, mostPages)
		}
		answer, err := c.get(ctx, u)
		if err != nil {
			return nil, err
		}
		var items []T
		if err := json.Unmarshal(answer.body, &items); err != nil {
			return nil, fmt.Errorf("GET %s: %w", u.Path, err)
		}
		all, u = append(all, items...), answer.next
	}
	return all, nil
}
