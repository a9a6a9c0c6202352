package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

// create makes a user. The role is always sent: PagerDuty's own default is not documented, and has been Manager. The
// licence never is: PagerDuty finds the right one.
func (c *Client) create(ctx context.Context, o lifecycle.Order) (lifecycle.AccountID, error) {
	var made struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	user := map[string]string{"type": "user", "name": clean(o.Subject.Label(), 100), "email": lifecycle.FoldEmail(o.Subject.Email), "role": o.Change.To}
	err := c.prompt.send(ctx, http.MethodPost, "/users", c.cfg.From, map[string]any{"user": user}, &made)
	if err == nil && checkID(lifecycle.AccountID(made.User.ID)) != nil {
		err = &lostError{errors.New("POST /users: the answer names no user")}
	}
	return lifecycle.AccountID(made.User.ID), err
}

// setBaseRole sends nothing but the role; the library would blank the name and the address with it.
func (c *Client) setBaseRole(ctx context.Context, o lifecycle.Order) error {
	user := map[string]string{"type": "user", "role": o.Change.To}
	return c.prompt.send(ctx, http.MethodPut, "/users/"+string(o.Account), "", map[string]any{"user": user}, nil)
}

// setTeamRole adds to a team, or changes the role there: it is one call. Without a role PagerDuty would choose one.
func (c *Client) setTeamRole(ctx context.Context, o lifecycle.Order) error {
	path := fmt.Sprintf("/teams/%s/users/%s", o.Change.Entitlement.Team.ID, o.Account)
	return c.prompt.send(ctx, http.MethodPut, path, "", map[string]string{"role": o.Change.To}, nil)
}

func (c *Client) leaveTeam(ctx context.Context, o lifecycle.Order) error {
	return tell(ctx, c.prompt, func(ctx context.Context, library *pd.Client) error {
		return library.RemoveUserFromTeamWithContext(ctx, string(o.Change.Entitlement.Team.ID), string(o.Account))
	})
}

func (c *Client) remove(ctx context.Context, o lifecycle.Order) error {
	return tell(ctx, c.prompt, func(ctx context.Context, library *pd.Client) error {
		return library.DeleteUserWithContext(ctx, string(o.Account))
	})
}

// make writes, and after a lost answer reads, then decides: what is seen to be made was made; what is still as before
// after a while is written once more, and never again.
func (c *Client) make(ctx context.Context, a act) (lifecycle.AccountID, error) {
	id, err := a.write(ctx)
	if err == nil {
		return id, nil
	}
	if !lost(err) && !overtaken(err) {
		return "", c.refusedBy(ctx, a.Order, err)
	}
	now, trouble := c.settle(ctx, a, err)
	switch {
	case trouble != nil:
		return "", trouble
	case a.Change.Done(now):
		return accountID(now, a.Order), nil
	case !lost(err):
		return "", c.refusedBy(ctx, a.Order, err)
	}
	id, second := a.write(ctx)
	if second == nil {
		return id, nil
	}
	// The first may have been made after all, and this one been refused, or lost, because of it.
	now, trouble = c.settle(ctx, a, second)
	switch {
	case trouble != nil:
		return "", trouble
	case a.Change.Done(now):
		return accountID(now, a.Order), nil
	case lost(second) || overtaken(second):
		return "", fmt.Errorf("change %s was written twice and is not to be seen: %w", a.Change.ID, second)
	default:
		return "", c.refusedBy(ctx, a.Order, second)
	}
}

// overtaken is PagerDuty's no to what is so already: by our own first try, or by somebody quicker.
func overtaken(err error) bool {
	e, is := asAnswer(err)
	return is && (e.gone() || e.says("Email has already been taken"))
}

// settle looks until the change is seen, or time is up. It returns what it saw last: as wanted or as before; anything else
// is a Refusal, and not having seen at all an error.
func (c *Client) settle(ctx context.Context, a act, cause error) (*lifecycle.Account, error) {
	c.log.WarnContext(ctx, "what became of a change is looked for in PagerDuty", slog.String("change", string(a.Change.ID)), slog.String("account", string(a.Account)), slog.Any("err", cause))
	var now *lifecycle.Account
	saw := errors.New("never looked")
	err := c.until(ctx, c.cfg.Settle, func() (bool, error) {
		now, saw = c.look(ctx, a.Order)
		return saw == nil && a.Change.Done(now), nil
	})
	switch {
	case err != nil:
		return nil, err
	case saw != nil:
		return nil, fmt.Errorf("change %s may or may not have been made (%w), and looking failed: %w", a.Change.ID, cause, saw)
	case !a.Change.Done(now) && !a.Change.Untouched(now):
		return nil, a.moved(now)
	default:
		return now, nil
	}
}

// until calls f at growing intervals until it is true or fails, or time is up, which is no error. It is called at least twice.
func (c *Client) until(ctx context.Context, patience time.Duration, f func() (bool, error)) error {
	const longest = 2 * time.Second
	deadline := time.Now().Add(patience)
	for n := 0; n < 2 || time.Now().Before(deadline); n++ {
		if ok, err := f(); ok || err != nil {
			return err
		}
		if err := pause(ctx, min(c.cfg.Backoff<<min(n, 10), longest)); err != nil {
			return err
		}
	}
	return nil
}

// erase makes a write that deletes, for what the library does not know.
func (a api) erase(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, a.base+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("DELETE %s: %w", path, err)
	}
	req.Header.Set("Accept", mediaType)
	x := &exchange{api: a}
	_, err = x.Do(req) //nolint:bodyclose // whole has read it and closed it
	return err
}
