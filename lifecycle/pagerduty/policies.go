package pagerduty

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"rolecall/lifecycle"
)

// A policyRow is an escalation policy in a listing.
type policyRow struct {
	pointer
	Teams []pointer `json:"teams"`
	Rules []ruleRow `json:"escalation_rules"`
}

type ruleRow struct {
	ID      string    `json:"id"`
	Delay   int       `json:"escalation_delay_in_minutes"`
	Targets []pointer `json:"targets"`
}

// The kinds of target, as references and as the things themselves. Source: OpenAPI schema EscalationTargetReference.
func (p pointer) calls() (account, rota bool) {
	switch p.Type {
	case "user_reference", "user":
		return true, false
	case "schedule_reference", "schedule", "schedule_v3_reference", "schedule_v3":
		return false, true
	default:
		return false, false
	}
}

// pin tells how the level assigns: whom it calls, and after how long. A schedule that was upgraded keeps its id.
func (r ruleRow) pin() string {
	parts := []string{r.ID, strconv.Itoa(r.Delay)}
	for _, t := range r.Targets {
		parts = append(parts, t.ID)
	}
	slices.Sort(parts[2:])
	return pin(parts...)
}

func (c *Client) listPolicies(a api) listing[policyRow] {
	return listing[policyRow]{
		what: "escalation policies", overlap: true, parallel: c.cfg.Concurrency, id: func(p policyRow) string { return p.ID },
		fetch: func(ctx context.Context, offset, limit uint, total bool) (page[policyRow], error) {
			var got struct {
				Rows  []policyRow `json:"escalation_policies"`
				More  bool        `json:"more"`
				Total int         `json:"total"`
			}
			err := a.get(ctx, "/escalation_policies", paging(url.Values{}, offset, limit, total), &got)
			return page[policyRow]{rows: got.Rows, more: got.More, total: got.Total}, err
		},
	}
}

// escalation puts the policy into the domain's words.
func (p policyRow) escalation(gone goneNames) lifecycle.Escalation {
	e := lifecycle.Escalation{Object: p.object(), Levels: make([]lifecycle.Level, len(p.Rules))}
	if len(p.Teams) > 0 { // PagerDuty allows one at the most
		e.Team = lifecycle.TeamID(p.Teams[0].ID)
	}
	for i, r := range p.Rules {
		l := &e.Levels[i]
		for _, t := range r.Targets {
			account, rota := t.calls()
			name, dead := gone[t.ID]
			switch {
			case account && dead:
				l.Gone = append(l.Gone, name)
			case account:
				l.Accounts = append(l.Accounts, lifecycle.AccountID(t.ID))
			case rota:
				l.Rotas = append(l.Rotas, t.ID)
			}
		}
	}
	return e
}
