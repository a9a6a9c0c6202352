package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

const (
	openedSession = "opened a session on the web or the mobile app, which may have been in use since"
	acknowledged  = "acknowledged an incident that is still open"
	onCallNow     = "is on call now; nothing that PagerDuty shows tells when it was last used"
	untold        = "nothing that PagerDuty shows tells when it was last used"
	unasked       = "PagerDuty could not be asked when it was last used"
)

// errSilent is a source that says nothing of the account.
var errSilent = errors.New("it does not say")

// lastUse returns the best sign there is of when the account was last used: a sign-in by the analytics, else a session,
// else an acknowledgement, else that it is on call. It says which of them it is, and without a time when there is none.
func (c *Client) lastUse(ctx context.Context, id lifecycle.AccountID) lifecycle.Signal {
	never, failed := lifecycle.Signal{}, false
	for _, look := range []func(context.Context, lifecycle.AccountID) (lifecycle.Signal, error){
		c.signIn, c.newestSession, c.newestAcknowledgement, c.onDutyNow,
	} {
		switch s, err := look(ctx, id); {
		case err == nil && s.Proxy == neverSigned:
			never = s // until a session says otherwise: the analytics may be a day old
		case err == nil && (never.Proxy == "" || !s.At.IsZero()):
			return s
		case err != nil && !errors.Is(err, errSilent) && lifecycle.ReasonOf(err) == "":
			failed = true
		}
	}
	switch {
	case never.Proxy != "":
		return never
	case failed:
		return lifecycle.Signal{Proxy: unasked}
	default:
		return lifecycle.Signal{Proxy: untold}
	}
}

// signIn does not ask again for a while where there were no analytics.
func (c *Client) signIn(ctx context.Context, id lifecycle.AccountID) (lifecycle.Signal, error) {
	if c.absent.now(c.now()) {
		return lifecycle.Signal{}, errSilent
	}
	signals, err := c.analytics(ctx, c.prompt, []lifecycle.AccountID{id})
	if err != nil {
		return lifecycle.Signal{}, err
	}
	s, is := signals[id]
	if !is {
		return lifecycle.Signal{}, errSilent
	}
	return s, nil
}

func (c *Client) newestSession(ctx context.Context, id lifecycle.AccountID) (lifecycle.Signal, error) {
	all, err := c.delegations(ctx, c.prompt, id, "issued", "revoked")
	if err != nil {
		return lifecycle.Signal{}, err
	}
	times := make([]time.Time, len(all))
	for i, d := range all {
		times[i] = d.CreatedAt
	}
	return newestOf(times, openedSession)
}

func (c *Client) newestAcknowledgement(ctx context.Context, id lifecycle.AccountID) (lifecycle.Signal, error) {
	resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListIncidentsResponse, error) {
		return library.ListIncidentsWithContext(ctx, pd.ListIncidentsOptions{
			UserIDs: []string{string(id)}, Statuses: []string{"acknowledged"}, DateRange: "all", SortBy: "created_at:desc", Limit: pageSize,
		})
	})
	if err != nil {
		return lifecycle.Signal{}, fmt.Errorf("list incidents of user %s: %w", id, explain(err))
	}
	var times []time.Time
	for _, i := range resp.Incidents {
		for _, k := range i.Acknowledgements {
			if at, err := time.Parse(time.RFC3339, k.At); err == nil && k.Acknowledger.ID == string(id) {
				times = append(times, at)
			}
		}
	}
	return newestOf(times, acknowledged)
}

func (c *Client) onDutyNow(ctx context.Context, id lifecycle.AccountID) (lifecycle.Signal, error) {
	resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListOnCallsResponse, error) {
		return library.ListOnCallsWithContext(ctx, pd.ListOnCallOptions{UserIDs: []string{string(id)}, Limit: 1})
	})
	switch {
	case err != nil:
		return lifecycle.Signal{}, fmt.Errorf("list on-calls of user %s: %w", id, explain(err))
	case len(resp.OnCalls) == 0:
		return lifecycle.Signal{}, errSilent
	default:
		return lifecycle.Signal{Proxy: onCallNow}, nil
	}
}

func newestOf(times []time.Time, proxy string) (lifecycle.Signal, error) {
	var s lifecycle.Signal
	for _, at := range times {
		if at.After(s.At) {
			s = lifecycle.Signal{At: at.UTC(), Proxy: proxy}
		}
	}
	if s.At.IsZero() {
		return s, errSilent
	}
	return s, nil
}
