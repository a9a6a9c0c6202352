package bot

import (
	"context"
	"fmt"

	"rolecall/lifecycle"
)

// reconcile asks for a roll call, for owners and Security.
func (b *Bot) reconcile(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return message{}, fmt.Errorf("read the policy in force: %w", err)
	}
	if !ownsAny(policy, who) && !isSecurity(policy, who) {
		return message{}, lifecycle.Refuse(lifecycle.ErrForbidden, "Only owners of teams and Security can call the roll.")
	}
	if err := b.cfg.RollCall(ctx, lifecycle.ByIdentity(who.ID)); err != nil {
		return message{}, fmt.Errorf("ask for a roll call: %w", err)
	}
	return message{Text: fmt.Sprintf("The roll is being called since %s. What an owner must decide comes as cards; the rest is in `%s findings` and in the next digest.", moment(b.cfg.Now(), b.cfg.Location), Command)}, nil
}
