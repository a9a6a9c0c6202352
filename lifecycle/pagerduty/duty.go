package pagerduty

import (
	"context"
	"fmt"
	"slices"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

// Holdings returns the levels of escalation policies that point at the account directly, whether or not it is on call now.
// Schedules that lead to it are not among them. A key that may not read policies is a Refusal that says so.
func (c *Client) Holdings(ctx context.Context, id lifecycle.AccountID) (lifecycle.Holdings, error) {
	duties, err := c.duties(ctx, id)
	return lifecycle.Holdings{Duties: duties, OtherAdmins: -1}, err
}

// Candidates returns nobody.
func (c *Client) Candidates(context.Context, []lifecycle.TeamID) ([]lifecycle.Candidate, error) {
	return nil, nil
}

func (c *Client) duties(ctx context.Context, id lifecycle.AccountID) ([]lifecycle.Duty, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	policies, err := c.listPolicies(id).all(ctx)
	if err != nil {
		return nil, explain(err)
	}
	var duties []lifecycle.Duty
	for _, p := range policies {
		duties = append(duties, dutiesIn(p, string(id))...)
	}
	return duties, nil
}

func (c *Client) listPolicies(user lifecycle.AccountID) listing[pd.EscalationPolicy] {
	return listing[pd.EscalationPolicy]{
		what: "escalation policies", overlap: true, id: func(p pd.EscalationPolicy) string { return p.ID },
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[pd.EscalationPolicy], error) {
			resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListEscalationPoliciesResponse, error) {
				return library.ListEscalationPoliciesWithContext(ctx, pd.ListEscalationPoliciesOptions{UserIDs: []string{string(user)}, Offset: offset, Limit: limit})
			})
			if err != nil {
				return page[pd.EscalationPolicy]{}, err
			}
			return page[pd.EscalationPolicy]{rows: resp.EscalationPolicies, more: resp.More}, nil
		},
	}
}

// dutiesIn looks at the targets itself: whether PagerDuty's filter finds only direct targets is not documented.
func dutiesIn(p pd.EscalationPolicy, user string) []lifecycle.Duty {
	var duties []lifecycle.Duty
	for i, rule := range p.EscalationRules {
		if !slices.ContainsFunc(rule.Targets, func(t pd.APIObject) bool { return t.ID == user }) {
			continue
		}
		d := lifecycle.Duty{Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: p.ID, Name: p.Name, URL: p.HTMLURL}, Level: i + 1}
		if len(p.Teams) > 0 { // PagerDuty allows at most one
			d.Team = lifecycle.TeamID(p.Teams[0].ID)
		}
		duties = append(duties, d)
	}
	return duties
}

// holds returns what on-call asks of the account, in words: levels of policies, and schedules of either kind. A deletion
// must look for itself: on plans with PagerDuty's offboarding it goes through, and leaves a hole where the person was.
func (c *Client) holds(ctx context.Context, id lifecycle.AccountID) ([]string, error) {
	duties, err := c.duties(ctx, id)
	if err != nil {
		return nil, err
	}
	var held []string
	for _, d := range duties {
		held = append(held, d.String())
	}
	schedules, err := c.schedules(ctx, id)
	return append(held, schedules...), err
}

// schedules names the schedules the account is on. Layer-based ones list their users. Shift-based ones are another API
// with a call for each, so they are found through who is on call in the next 90 days, which is as far as PagerDuty looks.
func (c *Client) schedules(ctx context.Context, id lifecycle.AccountID) ([]string, error) {
	layered, err := c.listSchedules().all(ctx)
	if err != nil {
		return nil, explain(err)
	}
	names := map[string]string{}
	for _, s := range layered {
		if slices.ContainsFunc(s.Users, func(u pd.APIObject) bool { return u.ID == string(id) }) {
			names[s.ID] = s.Name
		}
	}
	shifts, err := c.listOnCalls(id).all(ctx)
	if err != nil {
		return nil, explain(err)
	}
	for _, shift := range shifts {
		if shift.Schedule.ID != "" && names[shift.Schedule.ID] == "" {
			names[shift.Schedule.ID] = shift.Schedule.Summary
		}
	}
	var held []string
	for _, id := range sortedKeys(names) {
		held = append(held, "the schedule "+clean(names[id], 80))
	}
	return held, nil
}

func (c *Client) listSchedules() listing[pd.Schedule] {
	return listing[pd.Schedule]{
		what: "schedules", overlap: true, id: func(s pd.Schedule) string { return s.ID },
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[pd.Schedule], error) {
			resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListSchedulesResponse, error) {
				return library.ListSchedulesWithContext(ctx, pd.ListSchedulesOptions{Offset: offset, Limit: limit})
			})
			if err != nil {
				return page[pd.Schedule]{}, err
			}
			return page[pd.Schedule]{rows: resp.Schedules, more: resp.More}, nil
		},
	}
}

func (c *Client) listOnCalls(user lifecycle.AccountID) listing[pd.OnCall] {
	from := c.now().UTC()
	return listing[pd.OnCall]{
		what: "on-call shifts",
		id: func(o pd.OnCall) string {
			return fmt.Sprint(o.EscalationPolicy.ID, " ", o.EscalationLevel, " ", o.Schedule.ID, " ", o.Start)
		},
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[pd.OnCall], error) {
			resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListOnCallsResponse, error) {
				return library.ListOnCallsWithContext(ctx, pd.ListOnCallOptions{
					UserIDs: []string{string(user)}, Offset: offset, Limit: limit,
					Since: from.Format(time.RFC3339), Until: from.AddDate(0, 0, 89).Format(time.RFC3339),
				})
			})
			if err != nil {
				return page[pd.OnCall]{}, err
			}
			return page[pd.OnCall]{rows: resp.OnCalls, more: resp.More}, nil
		},
	}
}

// openIncidents names the open incidents that are assigned to the account; after three it counts.
func (c *Client) openIncidents(ctx context.Context, id lifecycle.AccountID) ([]string, error) {
	const shown = 3
	resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListIncidentsResponse, error) {
		return library.ListIncidentsWithContext(ctx, pd.ListIncidentsOptions{
			UserIDs: []string{string(id)}, Statuses: []string{"triggered", "acknowledged"}, DateRange: "all", Limit: pageSize,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list incidents of user %s: %w", id, explain(err))
	}
	var open []string
	for i, in := range resp.Incidents {
		if i == shown && len(resp.Incidents) > shown+1 {
			return append(open, "other open incidents"), nil
		}
		open = append(open, fmt.Sprintf("open incident #%d (%s)", in.IncidentNumber, clean(in.Title, 60)))
	}
	return open, nil
}
