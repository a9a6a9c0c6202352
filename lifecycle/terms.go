package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// TermStore is where it is looked up what was granted for a time, and who is in a group.
type TermStore interface {
	// Granted returns the requests whose effect ends after t and stands until then, the oldest first.
	Granted(ctx context.Context, t time.Time) ([]Request, error)
	// Groups is GroupStore's.
	Groups(ctx context.Context) ([]Group, error)
}

// Terms is the policy in force together with what people were granted for a time
// and who is in the groups that it names. Until it ends, a grant is an exception
// like those that the file names; who is in a group is an owner, or of Security,
// like those whom the file names. Every flow goes by it, so that no roll call takes
// for drift what somebody has approved.
type Terms struct {
	policies PolicySource
	store    TermStore
	now      func() time.Time

	mu   sync.Mutex
	mark string // of what last was made from
	from *index // of the policy that it was made from
	last Policy
}

// NewTerms returns the terms over a policy.
func NewTerms(policies PolicySource, store TermStore, now func() time.Time) *Terms {
	return &Terms{policies: policies, store: store, now: now}
}

// Current returns the policy with what runs now.
func (t *Terms) Current(ctx context.Context) (Policy, error) {
	p, err := t.policies.Current(ctx)
	if err != nil {
		return p, err
	}
	granted, err := t.store.Granted(ctx, t.now())
	if err != nil {
		return p, fmt.Errorf("list what was granted for a time: %w", err)
	}
	members, err := t.members(ctx, p)
	if err != nil || len(granted)+len(members) == 0 {
		return p, err
	}
	return t.remade(p, granted, members), nil
}

// members returns the groups that the policy names and that count now.
func (t *Terms) members(ctx context.Context, p Policy) ([]Group, error) {
	named := p.groups()
	if len(named) == 0 {
		return nil, nil
	}
	all, err := t.store.Groups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	now := t.now()
	return slices.DeleteFunc(all, func(g Group) bool { return !g.Fresh(now) || !slices.Contains(named, g.ID) }), nil
}

// remade returns the policy with what was granted and who is in groups. It is made
// again only when something of that has changed: a press asks for it several times.
func (t *Terms) remade(p Policy, granted []Request, groups []Group) Policy {
	mark := markOf(p, granted, groups)
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.index == nil || t.from != p.index || t.mark != mark {
		t.from, t.mark, t.last = p.index, mark, p.granting(granted).with(groups)
		if p.index != nil {
			t.last = t.last.Indexed()
		}
	}
	return t.last
}

func markOf(p Policy, granted []Request, groups []Group) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d", p.SHA256, p.now.UnixNano())
	for _, r := range granted {
		fmt.Fprintf(&b, " %s/%d", r.ID, r.Revision)
	}
	for _, g := range groups {
		fmt.Fprintf(&b, " %s/%d", g.ID, g.Revision)
	}
	return b.String()
}

// with returns the policy with who is in each group: who owns a team by it, and
// who is of Security.
func (p Policy) with(groups []Group) Policy {
	in := make(map[GroupID][]string, len(groups))
	for _, g := range groups {
		in[g.ID] = g.Emails
	}
	p.Teams = slices.Clone(p.Teams)
	for i := range p.Teams {
		t := &p.Teams[i]
		t.Owners, t.Through = joined(t.Owners, in, t.Groups...)
	}
	p.Security.Members, p.Security.Through = joined(p.Security.Members, in, p.Security.Group)
	return p
}

// joined returns the addresses and those of the groups, each once, and by which
// group those are in it who are not named themselves.
func joined(named []string, in map[GroupID][]string, groups ...GroupID) ([]string, map[string]GroupID) {
	all, through := slices.Clone(named), map[string]GroupID{}
	for _, g := range groups {
		for _, email := range in[g] {
			if _, there := through[email]; !there && !slices.Contains(named, email) {
				all, through[email] = append(all, email), g
			}
		}
	}
	return all, through
}

// granting returns the policy with an exception for each thing that was granted.
func (p Policy) granting(granted []Request) Policy {
	if len(granted) == 0 {
		return p
	}
	all := make([]PolicyException, len(p.Exceptions), len(p.Exceptions)+len(granted))
	copy(all, p.Exceptions)
	for _, r := range granted {
		for _, c := range r.Changes {
			x := PolicyException{Who: FoldEmail(r.Subject.Email), Why: r.Asked, Ends: r.Until, Request: r.ID}
			switch {
			case c.Entitlement.Kind == KindTeamRole:
				x.Team, x.Role = string(c.Entitlement.Team.ID), TeamRole(c.To)
			default:
				x.BaseRole = BaseRole(c.To)
			}
			all = append(all, x)
		}
	}
	p.Exceptions = all
	return p
}
