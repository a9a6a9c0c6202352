package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rolecall/lifecycle"
)

// pressed returns the first of the actions that is ours. Links are pressed too,
// and ask nothing of us.
func (in interaction) pressed() (action, bool) {
	ours := []string{ActionApprove, ActionRevoke, ActionDeny, ActionKeep, ActionUndo, ActionRetry, ActionHistory}
	i := slices.IndexFunc(in.Actions, func(a action) bool { return slices.Contains(ours, a.ActionID) })
	if i < 0 {
		return action{}, false
	}
	return in.Actions[i], true
}

// press turns a button into one call of the domain. Of all that Slack sent
// only who pressed, the request and the revision they saw are carried over.
func (b *Bot) press(ctx context.Context, in interaction, a action) error {
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return err
	}
	id, seen, err := decodeValue(a.chosen())
	if err != nil {
		return err
	}
	switch a.ActionID {
	case ActionHistory:
		return b.openHistory(ctx, in.TriggerID, id, by)
	case ActionUndo:
		_, err = b.cfg.Approvals.Undo(ctx, id, by)
	case ActionRetry:
		_, err = b.cfg.Approvals.Retry(ctx, id, by)
	default:
		err = b.decide(ctx, in, a, lifecycle.Press{Request: id, Seen: seen, By: by, Verdict: verdictOf(a.ActionID), Via: lifecycle.ViaSlack})
	}
	if err != nil {
		return err
	}
	b.refresh(ctx, in.Container.ViewID != "", by)
	return nil
}

func verdictOf(action string) lifecycle.Verdict {
	if action == ActionApprove || action == ActionRevoke {
		return lifecycle.Approve
	}
	return lifecycle.Deny
}

// decide decides at once, where one click is enough, or opens the modal that
// asks for a reason. The domain is asked in either case, before any modal
// opens: whoever may not decide is refused, and is on the record for having
// tried; of whoever may, it asks for the reason that the modal then takes.
func (b *Bot) decide(ctx context.Context, in interaction, a action, p lifecycle.Press) error {
	_, err := b.cfg.Approvals.Decide(ctx, p)
	if !errors.Is(err, lifecycle.ErrInvalid) {
		return err
	}
	r, err := b.cfg.Store.Request(ctx, p.Request)
	if err != nil {
		return fmt.Errorf("load request %s: %w", p.Request, err)
	}
	return b.askReason(ctx, in, a, r)
}
