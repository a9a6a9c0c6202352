package pagerduty

import (
	"context"
	"errors"
	"fmt"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

// ReadBack returns the whole account once PagerDuty shows the change (nil: PagerDuty says itself that there is none). It
// looks for up to Config.Patience, since PagerDuty shows changes late; when it has not seen it by then, that is an error.
// When it sees something that is neither as before nor as wanted, somebody else has been there, which is a Refusal. What
// the account does not show is looked at where it is to be seen, and the account is returned as it is.
func (c *Client) ReadBack(ctx context.Context, o lifecycle.Order) (*lifecycle.Account, error) {
	if o.Account == "" && o.Change.Op != lifecycle.OpCreate {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "%s has no PagerDuty account to read back.", who(o))
	}
	if !o.Change.OnAccount() {
		return c.readBackDeed(ctx, o)
	}
	var now *lifecycle.Account
	seen, trouble := false, error(nil)
	err := c.until(ctx, c.cfg.Patience, func() (bool, error) {
		now, seen, trouble = c.readOnce(ctx, o)
		if lifecycle.ReasonOf(trouble) != "" {
			return false, trouble
		}
		return seen, nil
	})
	switch {
	case err != nil:
		return nil, err
	case trouble != nil:
		return nil, fmt.Errorf("change %s cannot be read back: %w", o.Change.ID, trouble)
	case seen:
		return now, nil
	case !o.Change.Done(now) && !o.Change.Untouched(now):
		return nil, act{Order: o}.moved(now)
	default:
		return nil, fmt.Errorf("change %s is not to be seen in PagerDuty after %s", o.Change.ID, c.cfg.Patience)
	}
}

// readOnce reports whether the account shows the change wherever PagerDuty would show it.
func (c *Client) readOnce(ctx context.Context, o lifecycle.Order) (*lifecycle.Account, bool, error) {
	now, err := c.whole(ctx, o)
	if err != nil || !o.Change.Done(now) {
		return now, false, err
	}
	e := o.Change.Entitlement
	if now == nil || e.Kind != lifecycle.KindTeamRole || o.Change.To != "" {
		return now, true, nil // what an account says of a team to be on, the team's list has confirmed
	}
	role, err := c.roleOn(ctx, c.prompt, e.Team.ID, pd.User{APIObject: pd.APIObject{ID: string(now.ID)}, Role: string(now.BaseRole)})
	if errors.Is(err, errTeamGone) {
		return now, true, nil
	}
	return now, role == "" && err == nil, explain(err)
}

// whole returns the account with all it holds, or nil.
func (c *Client) whole(ctx context.Context, o lifecycle.Order) (*lifecycle.Account, error) {
	u, err := c.find(ctx, o)
	if err != nil || u == nil {
		return nil, explain(err)
	}
	a, err := c.Account(ctx, lifecycle.AccountID(u.ID))
	if errors.Is(err, lifecycle.ErrNotFound) {
		return nil, nil
	}
	return &a, err
}
