package pagerduty

import (
	"context"
	"net/url"
	"strconv"
	"sync"

	"rolecall/lifecycle"
)

// A pointer is a reference of PagerDuty's. A user who was deleted stays one where they had a place; that it then has
// deleted_at was seen by users of the API (app-sre/qontract-reconcile, pull request 2074) and is not documented.
type pointer struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Summary string `json:"summary"`
	Name    string `json:"name"` // where it is the thing itself
	URL     string `json:"html_url"`
	Deleted string `json:"deleted_at"`
}

func (p pointer) name() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Summary
}

func (p pointer) object() lifecycle.Object {
	return lifecycle.Object{ID: p.ID, Name: clean(p.name(), 120), URL: p.URL}
}

// A personRow is a user in a listing.
type personRow struct {
	ID       string    `json:"id"`
	Email    string    `json:"email"`
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	Invited  bool      `json:"invitation_sent"`
	URL      string    `json:"html_url"`
	Teams    []pointer `json:"teams"`
	Contacts []pointer `json:"contact_methods"`
}

// account returns the user with their teams, whose roles it does not tell.
func (p personRow) account(teams *teamNames) (lifecycle.Account, error) {
	role, err := baseRoleOf(p.ID, p.Role)
	if err != nil {
		return lifecycle.Account{}, err
	}
	a := lifecycle.Account{ID: lifecycle.AccountID(p.ID), Email: p.Email, Name: p.Name, BaseRole: role, Invited: p.Invited, URL: p.URL}
	a.Teams = make([]lifecycle.Membership, len(p.Teams))
	for i, t := range p.Teams {
		a.Teams[i].Team = teams.of(t)
	}
	return a, nil
}

// teamNames keeps one copy of what each team is called, however many people say it.
type teamNames struct {
	mu    sync.Mutex
	known map[lifecycle.TeamID]lifecycle.Team
}

func (n *teamNames) of(p pointer) lifecycle.Team {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := lifecycle.TeamID(p.ID)
	t, is := n.known[id]
	if !is {
		if n.known == nil {
			n.known = map[lifecycle.TeamID]lifecycle.Team{}
		}
		t = lifecycle.Team{ID: id, Name: p.name()}
		n.known[id] = t
	}
	return t
}

// A filter narrows a listing of users: to those on any of the teams, and to those whose name or address has the query in
// it. Source: OpenAPI operation listUsers; that the query looks at addresses too is what PagerDuty's scripts rely on.
type filter struct {
	teams []lifecycle.TeamID
	query string
}

func (f filter) values() url.Values {
	v := url.Values{}
	for _, t := range f.teams {
		v.Add("team_ids[]", string(t))
	}
	if f.query != "" {
		v.Set("query", f.query)
	}
	return v
}

// listPeople lists users as of makes them of what PagerDuty tells.
func listPeople[T any](c *Client, a api, f filter, id func(T) string, of func(personRow) (T, error)) listing[T] {
	return listing[T]{
		what: "users", overlap: true, parallel: c.cfg.Concurrency, id: id,
		fetch: func(ctx context.Context, offset, limit uint, total bool) (page[T], error) {
			var got struct {
				Users []personRow `json:"users"`
				More  bool        `json:"more"`
				Total int         `json:"total"`
			}
			if err := a.get(ctx, "/users", paging(f.values(), offset, limit, total), &got); err != nil {
				return page[T]{}, err
			}
			p := page[T]{rows: make([]T, len(got.Users)), more: got.More, total: got.Total}
			for i, u := range got.Users {
				var err error
				if p.rows[i], err = of(u); err != nil {
					return page[T]{}, err
				}
			}
			return p, nil
		},
	}
}

func (c *Client) listAccounts(a api, f filter, teams *teamNames) listing[lifecycle.Account] {
	return listPeople(c, a, f, func(a lifecycle.Account) string { return string(a.ID) },
		func(p personRow) (lifecycle.Account, error) { return p.account(teams) })
}

// paging adds to a query which page of a classic listing is wanted.
func paging(v url.Values, offset, limit uint, total bool) url.Values {
	v.Set("limit", strconv.FormatUint(uint64(limit), 10))
	if offset > 0 {
		v.Set("offset", strconv.FormatUint(uint64(offset), 10))
	}
	if total {
		v.Set("total", "true")
	}
	return v
}
