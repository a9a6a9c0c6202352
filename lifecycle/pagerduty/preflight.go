package pagerduty

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

type check = func(ctx context.Context, now *lifecycle.Account) error

const ownerUntouchable = "%s is the Account Owner, whom PagerDuty lets nobody else change. Transfer ownership on PagerDuty's own pages first."

func (a act) checkCreate(from string) check {
	return func(context.Context, *lifecycle.Account) error {
		email, role := lifecycle.FoldEmail(a.Subject.Email), lifecycle.BaseRole(a.Change.To)
		switch {
		case from == "":
			return lifecycle.Refuse(lifecycle.ErrInvalid, "PagerDuty wants to know as whom accounts are created. Set ROLECALL_PAGERDUTY_FROM to the address of a PagerDuty user.")
		case len(email) < 6 || len(email) > 100: // the bounds of OpenAPI operation createUser
			return lifecycle.Refuse(lifecycle.ErrInvalid, "PagerDuty takes addresses of 6 to 100 characters, and %q is not one.", clean(email, 120))
		default:
			return checkRole(a.Order, role)
		}
	}
}

func checkRole(o lifecycle.Order, role lifecycle.BaseRole) error {
	if role == lifecycle.RoleOwner {
		return lifecycle.Refuse(lifecycle.ErrForbidden, "%s cannot be made Account Owner: only the owner can hand that over, on PagerDuty's own pages.", who(o))
	}
	_, err := lifecycle.ParseBaseRole(string(role))
	return err
}

func (c *Client) checkBaseRole(o lifecycle.Order) check {
	return func(ctx context.Context, now *lifecycle.Account) error {
		to := lifecycle.BaseRole(o.Change.To)
		if err := checkRole(o, to); err != nil {
			return err
		}
		if err := c.checkPower(ctx, o, now); err != nil {
			return err
		}
		if to.Rank() > lifecycle.RoleStakeholder.Rank() || now.BaseRole.Rank() <= lifecycle.RoleStakeholder.Rank() {
			return nil
		}
		held, err := c.blockers(ctx, now.ID)
		if err != nil {
			return fmt.Errorf("look for on-call duties of account %s: %w", now.ID, err)
		}
		if len(held) > 0 {
			return lifecycle.Refuse(lifecycle.ErrConflict, "A stakeholder cannot be on call, and %s is still on %s. Give that to somebody else first.", who(o), join(held))
		}
		return nil
	}
}

// checkPower keeps the owner out of reach, and somebody in charge. What PagerDuty does when the last admin goes is not
// documented, so the house looks itself.
func (c *Client) checkPower(ctx context.Context, o lifecycle.Order, now *lifecycle.Account) error {
	if now.BaseRole == lifecycle.RoleOwner {
		return lifecycle.Refuse(lifecycle.ErrForbidden, ownerUntouchable, who(o))
	}
	if now.BaseRole != lifecycle.RoleAdmin {
		return nil
	}
	users, err := c.listUsers(c.prompt, "", c.cfg.Concurrency).all(ctx)
	if err != nil {
		return explain(err)
	}
	inCharge := func(u pd.User) bool {
		role := lifecycle.BaseRole(u.Role)
		return u.ID != string(now.ID) && (role == lifecycle.RoleAdmin || role == lifecycle.RoleOwner)
	}
	if !slices.ContainsFunc(users, inCharge) {
		return lifecycle.Refuse(lifecycle.ErrForbidden, "%s is the last Global Admin: nobody would be left to run the account. Make somebody else one first.", who(o))
	}
	return nil
}

// checkTeamRole refuses what PagerDuty does not configure. Source: PagerDuty's pages on team permissions, and OpenAPI
// operation updateTeamUser.
func (a act) checkTeamRole(_ context.Context, now *lifecycle.Account) error {
	if _, err := lifecycle.ParseTeamRole(a.Change.To); err != nil {
		return err
	}
	switch now.BaseRole {
	case lifecycle.RoleOwner, lifecycle.RoleAdmin:
		return lifecycle.Refuse(lifecycle.ErrForbidden, "%s is %s, who manages every team: PagerDuty gives them no role of their own on one. Lower the base role first.", who(a.Order), now.BaseRole)
	case lifecycle.RoleStakeholder, lifecycle.RoleLimitedStakeholder:
		return lifecycle.Refuse(lifecycle.ErrForbidden, "%s is %s, whom PagerDuty lets have no role on a team. Raise the base role first.", who(a.Order), now.BaseRole)
	default:
		return nil
	}
}

// checkLeave refuses to take somebody off a team while on-call needs them there. PagerDuty itself refuses only for levels of
// its policies; of a schedule, and of an incident that nobody else has, somebody would be called who is of no team any more.
func (c *Client) checkLeave(o lifecycle.Order) check {
	return func(ctx context.Context, now *lifecycle.Account) error {
		needs, err := c.needs(ctx, now.ID, o.Change.Entitlement.Team.ID)
		if err != nil {
			return fmt.Errorf("look for what on-call needs account %s on team %s for: %w", now.ID, o.Change.Entitlement.Team.ID, err)
		}
		if len(needs) > 0 {
			return needed(o, needs)
		}
		return nil
	}
}

func needed(o lifecycle.Order, needs []string) error {
	return lifecycle.Refuse(lifecycle.ErrConflict, "%s cannot be taken off %s while still on %s. Give that to somebody else first.", who(o), clean(o.Change.Entitlement.Team.Name, 80), join(needs))
}

// needs returns what on-call needs the account on the team for, in words.
func (c *Client) needs(ctx context.Context, id lifecycle.AccountID, team lifecycle.TeamID) ([]string, error) {
	duties, err := c.duties(ctx, id)
	if err != nil {
		return nil, err
	}
	open, err := c.incidents(ctx, id)
	if err != nil {
		return nil, err
	}
	var needs []string
	for _, d := range append(duties, open...) {
		if d.Team == team && (d.Kind != lifecycle.KindIncident || d.Alone()) {
			needs = append(needs, clean(d.String(), 120))
		}
	}
	return needs, nil
}

// checkDelete refuses a deletion that would leave a hole, whether or not PagerDuty would.
func (c *Client) checkDelete(o lifecycle.Order) check {
	return func(ctx context.Context, now *lifecycle.Account) error {
		if err := c.checkPower(ctx, o, now); err != nil {
			return err
		}
		blockers, err := c.blockers(ctx, now.ID)
		if err != nil {
			return fmt.Errorf("look for what a deletion would leave behind: %w", err)
		}
		if err := deletionBlocked(o, blockers); err != nil {
			return err
		}
		return c.checkLeaving(ctx, now.ID)
	}
}

// checkLeaving waits for a seat that has been handed over and is over within minutes: until then it is theirs, and nobody
// else's. It returns an error that passes by itself.
func (c *Client) checkLeaving(ctx context.Context, id lifecycle.AccountID) error {
	on, err := c.readOnCall(ctx, onCallReader{c, c.prompt, func(int) {}})
	switch {
	case err != nil:
		return fmt.Errorf("look for seats that are over in a moment: %w", explain(err))
	case on.closed != nil:
		return on.closed
	}
	for _, r := range on.rotas {
		if slices.Contains(r.leaving, string(id)) {
			why := fmt.Sprintf("Waits until the shifts that were handed over in %s have changed hands, which takes %s at the most.", clean(r.Name, 80), c.cfg.Lead)
			return lifecycle.WaitFor(why, fmt.Errorf("delete user %s: their shifts in schedule %s are handed over and end soon", id, r.ID), c.cfg.Lead)
		}
	}
	return nil
}

func (c *Client) blockers(ctx context.Context, id lifecycle.AccountID) ([]string, error) {
	held, err := c.holds(ctx, id)
	if err != nil {
		return nil, err
	}
	open, err := c.openIncidents(ctx, id)
	return append(held, open...), err
}

func deletionBlocked(o lifecycle.Order, blockers []string) error {
	if len(blockers) == 0 {
		return nil
	}
	return lifecycle.Refuse(lifecycle.ErrConflict, "%s cannot be deleted while still on %s. Give that to somebody else first.", who(o), join(blockers))
}

// refusedBy says PagerDuty's no to a write in the words of the order.
func (c *Client) refusedBy(ctx context.Context, o lifecycle.Order, err error) error {
	e, is := asAnswer(err)
	if !is {
		return err
	}
	var named error
	switch {
	case e.status == http.StatusBadRequest && o.Change.Op == lifecycle.OpDelete:
		named = c.nameBlockers(ctx, o)
	case e.status == http.StatusBadRequest && o.Change.Entitlement.Kind == lifecycle.KindTeamRole && e.says("escalation policy on this team"):
		named = c.nameNeeds(ctx, o)
	case e.gone() && o.Change.Entitlement.Kind == lifecycle.KindTeamRole:
		named = lifecycle.Refuse(lifecycle.ErrNotFound, "PagerDuty no longer has the team %s, or %s.", clean(o.Change.Entitlement.Team.Name, 80), who(o))
	}
	if named != nil {
		return named
	}
	return explain(err)
}

// nameBlockers asks again what holds the account; nil when nothing is seen to.
func (c *Client) nameBlockers(ctx context.Context, o lifecycle.Order) error {
	blockers, err := c.blockers(ctx, o.Account)
	if err != nil {
		return nil //nolint:nilerr // PagerDuty's own words are what is left
	}
	return deletionBlocked(o, blockers)
}

func (c *Client) nameNeeds(ctx context.Context, o lifecycle.Order) error {
	if needs, err := c.needs(ctx, o.Account, o.Change.Entitlement.Team.ID); err == nil && len(needs) > 0 {
		return needed(o, needs)
	}
	return needed(o, []string{"an escalation policy of the team, as PagerDuty says"})
}
