package pagerduty

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

// Ping makes a harmless read that any working key may make.
func (c *Client) Ping(ctx context.Context) error {
	_, _, err := c.abilities(ctx)
	return err
}

func (c *Client) abilities(ctx context.Context) ([]string, http.Header, error) {
	x := &exchange{api: c.prompt}
	library := pd.NewClient("", pd.WithAPIEndpoint(x.base))
	library.HTTPClient = x
	resp, err := library.ListAbilitiesWithContext(ctx)
	if x.err != nil {
		err = x.err
	}
	if err != nil {
		return nil, x.header, fmt.Errorf("ask PagerDuty for the account's abilities: %w", explain(err))
	}
	return resp.Abilities, x.header, nil
}

// A Check is one fact about what the key can do, in words.
type Check struct {
	Name     string `json:"name"`
	OK       bool   `json:"ok"`
	Optional bool   `json:"optional,omitempty"` // everything else works when it is not OK
	Detail   string `json:"detail"`             // what is so, and when it is not OK what to do about it
}

// Capabilities is what the credential and the account can do, as far as PagerDuty tells.
type Capabilities struct {
	Abilities []string      `json:"abilities"`  // of the account's plan
	ClockSkew time.Duration `json:"clock_skew"` // PagerDuty's clock minus ours, to a second or so
	Lacking   []string      `json:"lacking"`    // scopes that the app was not granted
	Key       string        `json:"key"`        // the last four characters of the key, or of the app's token of today
	Checks    []Check       `json:"checks"`
}

// Capabilities asks for everything that can be asked without changing anything. It is an error only when PagerDuty cannot
// be reached or does not accept the key; what the key may not do is a check that is not OK.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	abilities, header, err := c.abilities(ctx)
	if err != nil && lifecycle.ReasonOf(err) == "" {
		return Capabilities{}, err
	}
	got := Capabilities{Abilities: abilities}
	got.add("abilities", err, fmt.Sprintf("the plan has %d abilities", len(abilities)))
	got.Checks = append(got.Checks, planCheck(abilities))
	got.clock(header, c.now())
	for _, r := range c.reads() {
		got.add(r.name, r.ask(ctx), "the key may read them")
	}
	got.Checks = append(got.Checks, c.fromCheck(ctx))
	got.Lacking, got.Key = c.lacking(), c.marks.newest()
	got.Checks = append(got.Checks, c.writeCheck(got.Lacking))
	got.Checks = append(got.Checks, c.optional(ctx)...)
	return got, ctx.Err()
}

func (got *Capabilities) add(name string, err error, fine string) {
	switch reason := lifecycle.ReasonOf(err); {
	case err == nil:
		got.Checks = append(got.Checks, Check{Name: name, OK: true, Detail: fine})
	case reason != "":
		got.Checks = append(got.Checks, Check{Name: name, OK: false, Detail: reason})
	default:
		got.Checks = append(got.Checks, Check{Name: name, OK: false, Detail: clean(err.Error(), 300)})
	}
}

func planCheck(abilities []string) Check {
	if slices.Contains(abilities, "teams") {
		return Check{Name: "plan", OK: true, Detail: "the plan has teams"}
	}
	return Check{Name: "plan", OK: false, Detail: "the plan has no teams, or does not say so: team roles cannot be governed"}
}

func (got *Capabilities) clock(header http.Header, now time.Time) {
	const most = 30 * time.Second
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		got.Checks = append(got.Checks, Check{Name: "clock", OK: false, Detail: "PagerDuty's answer had no date to compare the clock with"})
		return
	}
	got.ClockSkew = date.Sub(now).Round(time.Second)
	check := Check{Name: "clock", OK: got.ClockSkew.Abs() <= most, Detail: fmt.Sprintf("%s from PagerDuty's", got.ClockSkew)}
	if !check.OK {
		check.Detail += ": set this machine's clock"
	}
	got.Checks = append(got.Checks, check)
}

type reading struct {
	name string
	ask  func(context.Context) error
}

// reads are the smallest reads of each kind that rolecall needs.
func (c *Client) reads() []reading {
	one := func(ctx context.Context, call func(context.Context, *pd.Client) error) error {
		return explain(tell(ctx, c.prompt, call))
	}
	return []reading{
		{"users", func(ctx context.Context) error {
			return one(ctx, func(ctx context.Context, l *pd.Client) error {
				_, err := l.ListUsersWithContext(ctx, pd.ListUsersOptions{Limit: 1})
				return err
			})
		}},
		{"teams", func(ctx context.Context) error {
			return one(ctx, func(ctx context.Context, l *pd.Client) error {
				_, err := l.ListTeamsWithContext(ctx, pd.ListTeamOptions{Limit: 1})
				return err
			})
		}},
		{"escalation policies", func(ctx context.Context) error {
			return one(ctx, func(ctx context.Context, l *pd.Client) error {
				_, err := l.ListEscalationPoliciesWithContext(ctx, pd.ListEscalationPoliciesOptions{Limit: 1})
				return err
			})
		}},
		{"schedules", func(ctx context.Context) error {
			return one(ctx, func(ctx context.Context, l *pd.Client) error {
				_, err := l.ListSchedulesWithContext(ctx, pd.ListSchedulesOptions{Limit: 1})
				return err
			})
		}},
		{"open incidents", func(ctx context.Context) error {
			return one(ctx, func(ctx context.Context, l *pd.Client) error {
				_, err := l.ListIncidentsWithContext(ctx, pd.ListIncidentsOptions{Limit: 1, Statuses: []string{"triggered"}, DateRange: "all"})
				return err
			})
		}},
	}
}

func (c *Client) fromCheck(ctx context.Context) Check {
	const name = "from"
	if c.cfg.From == "" {
		return Check{Name: name, OK: false, Detail: "no accounts can be created: set ROLECALL_PAGERDUTY_FROM to the address of a PagerDuty user"}
	}
	switch found, err := c.usersByEmail(ctx, c.cfg.From); {
	case err != nil:
		return Check{Name: name, OK: false, Detail: "could not be looked for: " + clean(err.Error(), 200)}
	case len(found) == 0:
		return Check{Name: name, OK: false, Detail: "PagerDuty has no user " + c.cfg.From + ": set ROLECALL_PAGERDUTY_FROM to the address of one"}
	default:
		return Check{Name: name, OK: true, Detail: "accounts are created as " + c.cfg.From}
	}
}

// writeCheck says what is known without writing. PagerDuty shows nobody whether a key is read-only.
func (c *Client) writeCheck(lacking []string) Check {
	const name = "changes"
	switch {
	case c.oauth == nil:
		return Check{Name: name, OK: true, Detail: "PagerDuty does not tell whether a key is read-only: the first change will show"}
	case lack(lacking, false) != "":
		return Check{Name: name, OK: false, Detail: lack(lacking, false) + giveScopes}
	default:
		return Check{Name: name, OK: true, Detail: "the app has every scope it needs"}
	}
}
