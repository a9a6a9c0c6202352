package bot

import (
	"context"

	"rolecall/lifecycle"
)

// digest shows today's digest of whoever asks, now. It does not count as the
// one that is sent in the morning.
func (b *Bot) digest(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	v, err := b.jobs.composed(ctx, who.Person.Email(), b.cfg.Location)
	if err != nil {
		return message{}, err
	}
	if v.empty() {
		return message{Text: "Nothing to tell today: nothing waits for you, and nothing is off."}, nil
	}
	return v.message(), nil
}
