package bot

import (
	"context"
	"fmt"

	"rolecall/lifecycle"
)

// digest shows today's digest of whoever asks, now. It does not count as the
// one that is sent in the morning.
func (b *Bot) digest(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	d, err := b.cfg.Digests.Compose(ctx, who.Person.Email())
	if err != nil {
		return message{}, err
	}
	v, err := b.digestView(ctx, d)
	if err != nil {
		return message{}, err
	}
	if v.empty() {
		return message{Text: "Nothing to tell today: nothing waits for you, and nothing is off."}, nil
	}
	return v.message(), nil
}

func (b *Bot) digestView(ctx context.Context, d lifecycle.Digest) (digestView, error) {
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return digestView{}, fmt.Errorf("read the policy in force: %w", err)
	}
	names, err := b.jobs.names(ctx, approversOf(d.Waiting)...)
	if err != nil {
		return digestView{}, err
	}
	return digestView{frame{policy, b.cfg.Mode, d.At, b.cfg.Location, names}, d}, nil
}
