package bot

import (
	"context"

	"rolecall/lifecycle"
)

// inbox lists what waits for whoever asks, oldest first.
func (b *Bot) inbox(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	waiting, err := b.cfg.Desk.Inbox(ctx, who)
	if err != nil {
		return message{}, err
	}
	if len(waiting) == 0 {
		return message{Text: "Nothing waits for you."}, nil
	}
	var all []string
	for _, r := range waiting {
		all = append(all, "• "+requestLine(r)+" · "+b.stateWords(r))
	}
	m := lines("*"+count(len(waiting), "request waits", "requests wait")+" for you*, oldest first", all, "The Home tab has the rest once these are decided.")
	m.Blocks = append(m.Blocks, contextLine("Decide on the card in your direct messages with me, or on my Home tab."))
	return m, nil
}
