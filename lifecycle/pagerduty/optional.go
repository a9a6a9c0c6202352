package pagerduty

import (
	"context"
	"errors"
	"net/url"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

const giveScopes = ". Give them to the app in PagerDuty, under Integrations, App Registration"

// A probe is the smallest read that tells whether a feature is to be had.
type probe struct {
	name string
	feature
	fine string // what it is good for, when it is
	ask  func() error
}

// optional looks at what rolecall can do without, with reads only, and says what is missing without each.
func (c *Client) optional(ctx context.Context) []Check {
	var checks []Check
	for _, p := range c.probes(ctx) {
		check := Check{Name: p.name, OK: true, Optional: true, Detail: p.fine}
		if err := p.explain(p.ask(), c.lacking()); err != nil {
			check.OK, check.Detail = false, lifecycle.ReasonOf(err)
			if check.Detail == "" {
				check.Detail = clean(err.Error(), 300) + ": " + p.without
			}
		}
		checks = append(checks, check)
	}
	if c.oauth == nil {
		return checks
	}
	scopes := Check{Name: "optional scopes", OK: true, Optional: true, Detail: "the app has each of them"}
	if words := lack(c.lacking(), true); words != "" {
		scopes.OK, scopes.Detail = false, words+giveScopes
	}
	return append(checks, scopes)
}

func (c *Client) probes(ctx context.Context) []probe {
	get := func(path string) func() error {
		return func() error {
			var ignored struct{}
			return c.prompt.get(ctx, path, url.Values{"limit": {"1"}}, &ignored)
		}
	}
	id, err := c.anybody(ctx)
	about := func(ask func(context.Context, lifecycle.AccountID) error) func() error {
		return func() error {
			if err != nil {
				return err
			}
			return ask(ctx, id)
		}
	}
	return []probe{
		{"audit records", featureAudit(), "who made a change can be told", get("/audit/records")},
		{"analytics", featureAnalytics(), "when somebody last signed in can be told", about(c.probeAnalytics)},
		{"shift-based schedules", featureShifts(), "the key may read them", get("/v3/schedules")},
		{"sessions", featureSessions(), "whether a leaver is still signed in can be seen", about(c.probeSessions)},
		{"calendar feeds", featureCalendars(), "whether a leaver's calendar feed was renewed can be seen", about(c.probeCalendar)},
		{"licences", featureLicences(), "how many seats are free can be told", func() error { return c.probeLicences(ctx) }},
		{"on-calls", featureOnCalls(), "when somebody is on call next can be told", get("/oncalls")},
	}
}

// anybody returns some account to ask about.
func (c *Client) anybody(ctx context.Context) (lifecycle.AccountID, error) {
	resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListUsersResponse, error) {
		return library.ListUsersWithContext(ctx, pd.ListUsersOptions{Limit: 1})
	})
	switch {
	case err != nil:
		return "", err
	case len(resp.Users) == 0:
		return "", errors.New("there is no user to ask about")
	default:
		return lifecycle.AccountID(resp.Users[0].ID), nil
	}
}

// probeAnalytics asks about one user. It is a POST, and reads.
func (c *Client) probeAnalytics(ctx context.Context, id lifecycle.AccountID) error {
	_, err := c.analyticsAfter(ctx, c.prompt, []lifecycle.AccountID{id}, "")
	return err
}

func (c *Client) probeSessions(ctx context.Context, id lifecycle.AccountID) error {
	_, err := c.delegations(ctx, c.prompt, id, "issued")
	return err
}

// probeCalendar sees whether there is an address and lets go of it: whoever has it reads the calendar.
func (c *Client) probeCalendar(ctx context.Context, id lifecycle.AccountID) error {
	var answer struct {
		User struct {
			Address string `json:"http_cal_url"`
		} `json:"user"`
	}
	err := c.prompt.get(ctx, "/users/"+string(id), url.Values{"include[]": {"calendar_urls"}}, &answer)
	if err == nil && answer.User.Address == "" {
		err = errors.New("PagerDuty shows no address of a calendar feed")
	}
	return err
}

func (c *Client) probeLicences(ctx context.Context) error {
	var answer struct {
		Licences *[]struct{} `json:"licenses"`
	}
	err := c.prompt.get(ctx, "/licenses", nil, &answer)
	if err == nil && answer.Licences == nil {
		err = errors.New("PagerDuty's answer has no licences")
	}
	return err
}
