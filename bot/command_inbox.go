package bot

import (
	"context"
	"fmt"

	"rolecall/lifecycle"
)

// inbox shows what waits for whoever asks, oldest first, decidable in place.
func (b *Bot) inbox(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	waiting, err := b.cfg.Desk.Inbox(ctx, who)
	if err != nil {
		return message{}, err
	}
	if len(waiting) == 0 {
		return message{Text: "Nothing waits for you."}, nil
	}
	first, rest := waiting[:min(len(waiting), digestWaiting)], waiting[min(len(waiting), digestWaiting):]
	v, err := b.digestView(ctx, lifecycle.Digest{For: who, At: b.cfg.Now(), Waiting: first})
	if err != nil {
		return message{}, err
	}
	m := message{Text: count(len(waiting), "request waits", "requests wait") + " for you.", Blocks: v.waiting()}
	if len(rest) > 0 {
		all := make([]string, len(rest))
		for i, r := range rest {
			all[i] = "• " + requestLine(r) + " · " + b.stateWords(r)
		}
		then := lines(fmt.Sprintf("*Then* (%d)", len(rest)), all, "They come up once these are decided.")
		m.Blocks = append(m.Blocks, then.Blocks...)
	}
	m.Blocks = withBlockIDs(m.Blocks, m.digest()[:12])
	return m, nil
}
