package pagerduty

import (
	"context"
	"errors"
	"fmt"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

// An act is one change, ready to be made.
type act struct {
	lifecycle.Order
	// check refuses what PagerDuty would refuse, or would do although it should not.
	check func(ctx context.Context, now *lifecycle.Account) error
	// write makes the change once, and returns the account.
	write func(ctx context.Context) (lifecycle.AccountID, error)
}

// Apply makes the change and returns the account it was made on. It looks first: a change that is made already is not made
// again, and one whose ground has moved is a Refusal. What PagerDuty will not do is a Refusal that says what to do about
// it. A write is repeated only after reading has shown, for a while, that the first was not made.
func (c *Client) Apply(ctx context.Context, o lifecycle.Order) (lifecycle.AccountID, error) {
	if !o.Change.OnAccount() {
		return c.applyDeed(ctx, o)
	}
	a, err := c.actOf(o)
	if err != nil {
		return "", err
	}
	release, err := c.turn(ctx, o)
	if err != nil {
		return "", err
	}
	defer release()
	now, err := c.look(ctx, o)
	if err != nil {
		return "", fmt.Errorf("look before change %s: %w", o.Change.ID, err)
	}
	switch {
	case o.Change.Done(now):
		return accountID(now, o), nil
	case now == nil && o.Change.Op != lifecycle.OpCreate:
		return "", lifecycle.Refuse(lifecycle.ErrNotFound, "%s has no PagerDuty account any more.", who(o))
	case !o.Change.Untouched(now):
		return "", a.moved(now)
	}
	if err := a.check(ctx, now); err != nil {
		return "", err
	}
	return c.make(ctx, a)
}

func (c *Client) actOf(o lifecycle.Order) (act, error) {
	a := act{Order: o}
	switch e := o.Change.Entitlement; {
	case o.Change.Op == lifecycle.OpCreate:
		a.check, a.write = a.checkCreate(c.cfg.From), func(ctx context.Context) (lifecycle.AccountID, error) { return c.create(ctx, o) }
	case o.Account == "":
		return a, lifecycle.Refuse(lifecycle.ErrInvalid, "%s has no PagerDuty account to change.", who(o))
	case o.Change.Op == lifecycle.OpDelete:
		a.check, a.write = c.checkDelete(o), a.by(c.remove)
	case e.Kind == lifecycle.KindBaseRole && o.Change.To != "":
		a.check, a.write = c.checkBaseRole(o), a.by(c.setBaseRole)
	case e.Kind == lifecycle.KindTeamRole && o.Change.To != "":
		a.check, a.write = a.checkTeamRole, a.by(c.setTeamRole)
	case e.Kind == lifecycle.KindTeamRole:
		a.check, a.write = c.checkLeave(o), a.by(c.leaveTeam)
	default:
		return a, lifecycle.Refuse(lifecycle.ErrInvalid, "rolecall cannot change the %s of an account.", clean(string(e.Kind), 40))
	}
	return a, nil
}

// by is a write on an account that is there.
func (a act) by(write func(context.Context, lifecycle.Order) error) func(context.Context) (lifecycle.AccountID, error) {
	return func(ctx context.Context) (lifecycle.AccountID, error) { return a.Account, write(ctx, a.Order) }
}

func (a act) moved(now *lifecycle.Account) error {
	is, was := a.Change.Current(now), a.Change.From
	return lifecycle.Refuse(lifecycle.ErrConflict, "PagerDuty shows %s as %s now, not as %s. Somebody else has changed that.", who(a.Order), roleWords(a.Change, is), roleWords(a.Change, was))
}

// turn lets one change at a time happen to one person, and to the account's users as a whole: PagerDuty locks the account
// for those, and nobody else must lower the other admin while this one is being lowered.
func (c *Client) turn(ctx context.Context, o lifecycle.Order) (release func(), err error) {
	key := "account " + string(o.Account)
	if o.Account == "" {
		key = "the account to be"
	}
	mine, err := c.turns.take(ctx, key)
	if err != nil || o.Change.Entitlement.Kind == lifecycle.KindTeamRole {
		return mine, err
	}
	all, err := c.turns.take(ctx, "users")
	if err != nil {
		mine()
		return nil, err
	}
	return func() { all(); mine() }, nil
}

// look reads as much of the account as the change is about (nil: there is none).
func (c *Client) look(ctx context.Context, o lifecycle.Order) (now *lifecycle.Account, err error) {
	err = c.untorn(ctx, func() error {
		u, err := c.find(ctx, o)
		if err != nil || u == nil {
			now = nil
			return err
		}
		a, err := accountOf(*u)
		if err == nil && o.Change.Entitlement.Kind == lifecycle.KindTeamRole {
			a.Teams, err = c.membership(ctx, *u, o.Change.Entitlement.Team)
		}
		now = &a
		return err
	})
	return now, explain(err)
}

// find returns the user that the order is about, or nil.
func (c *Client) find(ctx context.Context, o lifecycle.Order) (*pd.User, error) {
	if o.Account != "" {
		u, err := c.user(ctx, c.prompt, o.Account)
		if errors.Is(err, lifecycle.ErrNotFound) {
			return nil, nil
		}
		return &u, err
	}
	found, err := c.usersByEmail(ctx, o.Subject.Email)
	switch {
	case err != nil || len(found) == 0:
		return nil, err
	case len(found) > 1:
		return nil, lifecycle.Refuse(lifecycle.ErrConflict, "%d PagerDuty accounts have the address %s.", len(found), o.Subject.Email)
	default:
		return &found[0], nil
	}
}

// membership returns the user's place on the team, or none; while user and team disagree about it, errTorn.
func (c *Client) membership(ctx context.Context, u pd.User, team lifecycle.Team) ([]lifecycle.Membership, error) {
	if err := checkID(lifecycle.AccountID(team.ID)); err != nil {
		return nil, err
	}
	role, err := c.roleOn(ctx, c.prompt, team.ID, u)
	if err != nil && !errors.Is(err, errTeamGone) {
		return nil, err
	}
	switch on := says(u, team.ID); {
	case role != "":
		return []lifecycle.Membership{{Team: team, Role: role}}, nil
	case on:
		return nil, fmt.Errorf("user %s on team %s: %w", u.ID, team.ID, errTorn)
	default:
		return nil, nil
	}
}

// says reports whether the user says to be on the team.
func says(u pd.User, team lifecycle.TeamID) bool {
	for _, t := range u.Teams {
		if t.ID == string(team) {
			return true
		}
	}
	return false
}

func accountID(now *lifecycle.Account, o lifecycle.Order) lifecycle.AccountID {
	if now == nil {
		return o.Account
	}
	return now.ID
}

func who(o lifecycle.Order) string { return clean(o.Subject.Label(), 80) }

func roleWords(c lifecycle.Change, role string) string {
	switch {
	case c.Entitlement.Kind == lifecycle.KindTeamRole && role == "":
		return "not on " + clean(c.Entitlement.Team.Name, 80)
	case c.Entitlement.Kind == lifecycle.KindTeamRole:
		return role + " on " + clean(c.Entitlement.Team.Name, 80)
	case role == "":
		return "no account"
	default:
		return lifecycle.BaseRole(role).String()
	}
}
