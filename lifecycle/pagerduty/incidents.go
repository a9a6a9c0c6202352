package pagerduty

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"rolecall/lifecycle"
)

// An incidentRow is an incident in a listing.
type incidentRow struct {
	ID          string    `json:"id"`
	Number      int       `json:"incident_number"`
	Title       string    `json:"title"`
	URL         string    `json:"html_url"`
	Teams       []pointer `json:"teams"`
	Assignments []struct {
		Assignee pointer `json:"assignee"`
	} `json:"assignments"`
}

// incidents returns the open incidents that are assigned to the account, by number.
func (c *Client) incidents(ctx context.Context, id lifecycle.AccountID) ([]lifecycle.Duty, error) {
	rows, err := c.incidentRows(ctx, id)
	duties := make([]lifecycle.Duty, len(rows))
	for i, r := range rows {
		duties[i] = r.duty(id)
	}
	return duties, err
}

func (c *Client) incidentRows(ctx context.Context, id lifecycle.AccountID) ([]incidentRow, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	rows, err := c.listIncidents(id).all(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for incidents of user %s: %w", id, explain(err))
	}
	slices.SortFunc(rows, func(a, b incidentRow) int { return a.Number - b.Number })
	return rows, nil
}

func (r incidentRow) duty(id lifecycle.AccountID) lifecycle.Duty {
	d := lifecycle.Duty{
		Kind:   lifecycle.KindIncident,
		Object: lifecycle.Object{ID: r.ID, Name: fmt.Sprintf("#%d %s", r.Number, clean(r.Title, 80)), URL: r.URL},
	}
	if len(r.Teams) > 0 {
		d.Team = lifecycle.TeamID(r.Teams[0].ID)
	}
	var assigned []string
	for _, a := range r.Assignments {
		assigned = append(assigned, a.Assignee.ID)
		if other := lifecycle.AccountID(a.Assignee.ID); other != id && a.Assignee.Deleted == "" {
			d.Others = append(d.Others, other)
		}
	}
	slices.Sort(assigned)
	d.Pin = pin(assigned...)
	return d
}

func (c *Client) listIncidents(id lifecycle.AccountID) listing[incidentRow] {
	return listing[incidentRow]{
		what: "incidents", overlap: true, id: func(r incidentRow) string { return r.ID },
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[incidentRow], error) {
			var got struct {
				Rows []incidentRow `json:"incidents"`
				More bool          `json:"more"`
			}
			query := url.Values{"user_ids[]": {string(id)}, "statuses[]": {"triggered", "acknowledged"}, "date_range": {"all"}}
			err := c.prompt.get(ctx, "/incidents", paging(query, offset, limit, false), &got)
			return page[incidentRow]{rows: got.Rows, more: got.More}, err
		},
	}
}

// openIncidents names the open incidents that are assigned to the account; after three it counts.
func (c *Client) openIncidents(ctx context.Context, id lifecycle.AccountID) ([]string, error) {
	const shown = 3
	rows, err := c.incidentRows(ctx, id)
	var open []string
	for i, r := range rows {
		if i == shown && len(rows) > shown+1 {
			return append(open, "other open incidents"), nil
		}
		open = append(open, fmt.Sprintf("open incident #%d (%s)", r.Number, clean(r.Title, 60)))
	}
	return open, err
}
