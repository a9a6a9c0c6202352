package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"rolecall/lifecycle"
)

const (
	analyticsPage = 1000      // the most rows at a time
	absentFor     = time.Hour // how long it is remembered that there are no analytics

	byAnalytics = ", by PagerDuty's analytics, which may be a day old"
	signedIn    = "signed in" + byAnalytics
	neverSigned = "has never signed in" + byAnalytics
)

// Activity returns when each account last signed in, by PagerDuty's analytics, which run up to a day late: an account
// that was made since then is not among them. Who has never signed in has a signal without a time. It is a Refusal where
// the plan has no analytics or the key may not read them.
func (c *Client) Activity(ctx context.Context) (map[lifecycle.AccountID]lifecycle.Signal, error) {
	return c.analytics(ctx, c.sweep, nil)
}

// analytics asks about the users, or about all when ids is nil, and remembers for a while when it is told no.
func (c *Client) analytics(ctx context.Context, a api, ids []lifecycle.AccountID) (map[lifecycle.AccountID]lifecycle.Signal, error) {
	signals := map[lifecycle.AccountID]lifecycle.Signal{}
	for after, seen := "", map[string]bool{}; ; {
		p, err := c.analyticsAfter(ctx, a, ids, after)
		if err != nil {
			err = featureAnalytics().explain(err, c.lacking())
			if lifecycle.ReasonOf(err) != "" {
				c.absent.note(c.now())
			}
			return nil, fmt.Errorf("read analytics of users: %w", err)
		}
		if err := p.into(signals); err != nil {
			return nil, fmt.Errorf("read analytics of users: %w", err)
		}
		switch after = p.Last; {
		case !*p.More:
			return signals, nil
		case after == "" || seen[after]:
			return nil, errors.New("read analytics of users: more is promised, and there is no new cursor to it")
		}
		seen[after] = true
	}
}

// usage is one page of raw analytics. Whether a user on several teams has one row or several is not documented, and makes
// no difference here.
type usage struct {
	Rows *[]struct {
		ID           string `json:"id"`
		LastSignInAt string `json:"last_sign_in_at"`
	} `json:"data"`
	More *bool  `json:"more"`
	Last string `json:"last"`
}

// A usageQuery is what is asked. Source: OpenAPI getAnalyticsUsers.
type usageQuery struct {
	Filters struct {
		Users []lifecycle.AccountID `json:"user_ids,omitempty"`
	} `json:"filters"`
	Zone  string `json:"time_zone"`
	Order string `json:"order"`
	By    string `json:"order_by"`
	Limit int    `json:"limit"`
	After string `json:"starting_after,omitempty"`
}

// analyticsAfter reads one page. It is a POST that changes nothing, so that it may be sent again after any trouble.
func (c *Client) analyticsAfter(ctx context.Context, a api, ids []lifecycle.AccountID, after string) (usage, error) {
	query := usageQuery{Zone: "Etc/UTC", Order: "asc", By: "user_id", Limit: analyticsPage, After: after}
	query.Filters.Users = ids
	for try := 1; ; try++ {
		var p usage
		err := a.send(ctx, http.MethodPost, "/analytics/raw/users", "", query, &p)
		if err == nil && (p.Rows == nil || p.More == nil) {
			err = &lostError{errors.New("PagerDuty's page of analytics has no data, or does not say whether more follow")}
		}
		if !lost(err) || try == sweeps {
			return p, err
		}
		if err := pause(ctx, c.cfg.Backoff<<(try-1)); err != nil {
			return usage{}, err
		}
	}
}

func (p usage) into(signals map[lifecycle.AccountID]lifecycle.Signal) error {
	for _, row := range *p.Rows {
		if row.ID == "" {
			return errors.New("a row has no id")
		}
		at, err := parseSignIn(row.LastSignInAt)
		if err != nil {
			return fmt.Errorf("user %s: %w", clean(row.ID, 40), err)
		}
		id := lifecycle.AccountID(row.ID)
		if s, is := signals[id]; is && !at.After(s.At) {
			continue
		}
		signals[id] = lifecycle.Signal{At: at, Proxy: neverSigned}
		if !at.IsZero() {
			signals[id] = lifecycle.Signal{At: at, Proxy: signedIn}
		}
	}
	return nil
}

// parseSignIn reads a time that may lack its zone, as in the document's example; then it is in the zone that was asked
// for, which is UTC. The empty text is no time.
func parseSignIn(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	t, err := time.Parse("2006-01-02T15:04:05", s)
	if err != nil {
		return time.Time{}, fmt.Errorf("last sign-in %q is no time", clean(s, 40))
	}
	return t, nil
}

// absence remembers for a while that something is not to be had.
type absence struct {
	mu    sync.Mutex
	until time.Time
}

func (a *absence) note(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.until = now.Add(absentFor)
}

func (a *absence) now(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Before(a.until)
}
