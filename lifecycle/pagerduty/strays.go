package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"slices"

	pd "github.com/PagerDuty/go-pagerduty"
	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// strays finds members who do not say to be on the team, or are not among the users at all. Owner and admins are left
// alone: whether lists of members name them without their having joined is not documented.
func (r *roll) strays(accounts []lifecycle.Account, place map[string]int, known map[lifecycle.TeamID]lifecycle.Team, odd map[string][]lifecycle.Membership) {
	for team, roles := range r.took {
		for user, role := range roles {
			i, listed := place[user]
			if listed && (accounts[i].On(team) != "" || accounts[i].BaseRole.Rank() >= lifecycle.RoleAdmin.Rank()) {
				continue
			}
			odd[user] = append(odd[user], lifecycle.Membership{Team: known[team], Role: role})
		}
	}
}

// reread replaces the odd ones by what PagerDuty says of them now. Those of whom it says 404 are gone; placeholders of
// people who were deleted go the same way.
func (r *roll) reread(ctx context.Context, accounts []lifecycle.Account, place map[string]int, odd map[string][]lifecycle.Membership) ([]lifecycle.Account, error) {
	if len(odd) > 20+len(accounts)/50 {
		return nil, fmt.Errorf("%d users do not agree with their teams: %w", len(odd), errMoved)
	}
	ids := sortedKeys(odd)
	now := make([]*lifecycle.Account, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.cfg.Concurrency)
	for i, id := range ids {
		g.Go(func() (err error) {
			now[i], err = r.resolve(ctx, lifecycle.AccountID(id), odd[id])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, id := range ids {
		at, listed := place[id]
		switch {
		case now[i] != nil && listed:
			accounts[at] = *now[i]
		case now[i] != nil:
			accounts = append(accounts, *now[i])
		case listed:
			accounts[at].ID = ""
		}
	}
	return slices.DeleteFunc(accounts, func(a lifecycle.Account) bool { return a.ID == "" }), nil
}

// resolve reads one account again (nil: it is gone). What only a team's list tells of is kept if that still does: a
// snapshot rather shows too much power than too little.
func (r *roll) resolve(ctx context.Context, id lifecycle.AccountID, stray []lifecycle.Membership) (*lifecycle.Account, error) {
	a, err := r.account(ctx, r.api, id)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, m := range stray {
		if a.On(m.Team.ID) != "" {
			continue
		}
		role, err := r.roleOn(ctx, r.api, m.Team.ID, pd.User{APIObject: pd.APIObject{ID: string(id)}, Role: string(a.BaseRole)})
		if err != nil && !errors.Is(err, errTeamGone) {
			return nil, err
		}
		if role != "" {
			a.Teams = append(a.Teams, lifecycle.Membership{Team: m.Team, Role: role})
		}
	}
	sortTeams(a.Teams)
	return &a, nil
}
