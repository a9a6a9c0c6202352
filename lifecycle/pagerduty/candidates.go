package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// onCallKeeps is how long candidates may be advised of by what was read of on-call for something else. What is decided
// upon is always read anew.
const onCallKeeps = time.Minute

// Candidates returns the members of the teams who may be on call, by name, with what they answer for already; of no team,
// all users who may (of more than 10000, the first). Stakeholders may not, and are left out. Who has not accepted their
// invitation, or has neither telephone nor app, is there and not reachable. The ways to reach them come as references in
// every listing of users (OpenAPI operation listUsers), whose types suffice: no number or address is read.
func (c *Client) Candidates(ctx context.Context, teams []lifecycle.TeamID) ([]lifecycle.Candidate, error) {
	var people []lifecycle.Candidate
	var on onCall
	g, within := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		people, err = c.members(within, teams)
		return err
	})
	g.Go(func() (err error) {
		on, err = c.recentOnCall(within)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, explain(err)
	}
	held := on.held()
	for i := range people {
		people[i].Duties = held[people[i].ID]
		people[i].Load = len(people[i].Duties)
	}
	slices.SortFunc(people, func(a, b lifecycle.Candidate) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(string(a.ID), string(b.ID)))
	})
	return people, nil
}

// held returns the keys of the levels and seats of everybody.
func (on onCall) held() map[lifecycle.AccountID][]string {
	held := map[lifecycle.AccountID][]string{}
	add := func(id string, d lifecycle.Duty) {
		held[lifecycle.AccountID(id)] = append(held[lifecycle.AccountID(id)], d.Key())
	}
	for _, p := range on.policies {
		for i, rule := range p.Rules {
			for _, t := range rule.Targets {
				add(t.ID, lifecycle.Duty{Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: p.ID}, Level: i + 1})
			}
		}
	}
	for _, r := range on.rotas {
		for _, p := range r.seated {
			add(p.ID, lifecycle.Duty{Kind: lifecycle.KindSchedule, Object: r.Object})
		}
	}
	return held
}

// members returns those on any of the teams who may be on call.
func (c *Client) members(ctx context.Context, teams []lifecycle.TeamID) ([]lifecycle.Candidate, error) {
	if len(teams) == 0 {
		return c.mayBeOnCall(ctx, nil)
	}
	var all []lifecycle.Candidate
	seen := map[lifecycle.AccountID]bool{}
	for some := range slices.Chunk(teams, teamsAtATime) {
		found, err := c.mayBeOnCall(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if !seen[p.ID] {
				seen[p.ID] = true
				all = append(all, p)
			}
		}
	}
	return all, nil
}

func (c *Client) mayBeOnCall(ctx context.Context, teams []lifecycle.TeamID) ([]lifecycle.Candidate, error) {
	l := listPeople(c, c.prompt, filter{teams: teams}, func(p lifecycle.Candidate) string { return string(p.ID) },
		func(p personRow) (lifecycle.Candidate, error) { return p.candidate(teams) })
	people, err := l.all(ctx)
	if tooLong, is := errors.AsType[*tooLongError](err); is && tooLong.total > 0 {
		l.cut = true
		people, err = l.all(ctx)
	}
	return slices.DeleteFunc(people, func(p lifecycle.Candidate) bool { return p.BaseRole.Rank() <= lifecycle.RoleStakeholder.Rank() }), err
}

func (p personRow) candidate(teams []lifecycle.TeamID) (lifecycle.Candidate, error) {
	role, err := baseRoleOf(p.ID, p.Role)
	is := lifecycle.Candidate{AccountCard: lifecycle.AccountCard{ID: lifecycle.AccountID(p.ID), Email: p.Email, Name: p.Name, BaseRole: role}}
	for _, t := range p.Teams {
		if id := lifecycle.TeamID(t.ID); slices.Contains(teams, id) {
			is.Teams = append(is.Teams, id)
		}
	}
	is.Reachable = !p.Invited && slices.ContainsFunc(p.Contacts, pointer.wakes)
	return is, err
}

// wakes reports whether a contact method, or a reference to one, is a telephone or the app. Source: OpenAPI schema
// ContactMethod.
func (p pointer) wakes() bool {
	switch strings.TrimSuffix(p.Type, "_reference") {
	case "phone_contact_method", "sms_contact_method", "push_notification_contact_method":
		return true
	default:
		return false
	}
}

// A memo is what was read last of on-call, for advice.
type memo struct {
	mu sync.Mutex
	on onCall
	at time.Time
}

func (m *memo) keep(on onCall, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on, m.at = on, at
}

// since returns what was read at t or later, if anything was.
func (m *memo) since(t time.Time) (onCall, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.on, !m.at.IsZero() && !m.at.Before(t)
}

func (c *Client) recentOnCall(ctx context.Context) (onCall, error) {
	if on, is := c.memo.since(c.now().Add(-onCallKeeps)); is {
		return on, nil
	}
	on, err := c.readOnCall(ctx, onCallReader{c, c.prompt, func(int) {}})
	if err == nil {
		err = on.closed
	}
	return on, err
}
