package bot

import (
	"context"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// inboxBlocks is how many blocks an answer may have before requests are only
// counted: Slack takes 50 in a message.
const inboxBlocks = maxBlocks - 6

// inbox shows what waits for whoever asks, decidable in place: what Security has
// to look at, and then requests, the oldest first.
func (b *Bot) inbox(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	waiting, err := b.cfg.Desk.Inbox(ctx, who)
	if err != nil {
		return message{}, err
	}
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return message{}, fmt.Errorf("read the policy in force: %w", err)
	}
	of, err := b.cfg.securityInboxFor(ctx, policy, who)
	if err != nil {
		return message{}, err
	}
	if len(waiting) == 0 && of.empty() {
		return message{Text: "Nothing waits for you."}, nil
	}
	m := message{Text: inboxWords(len(waiting), of)}
	if !of.empty() {
		f, err := b.jobs.securityFrame(ctx, of.deciders()...)
		if err != nil {
			return message{}, err
		}
		m.Blocks = append([]slack.Block{section("*For Security*")}, of.blocks(f)...)
	}
	requests, err := b.waitingBlocks(ctx, who, waiting, inboxBlocks-len(m.Blocks))
	if err != nil {
		return message{}, err
	}
	m.Blocks = append(m.Blocks, requests...)
	m.Blocks = withBlockIDs(m.Blocks, m.digest()[:12])
	return m, nil
}

func inboxWords(requests int, of securityInbox) string {
	var parts []string
	if n := len(of.holds); n > 0 {
		parts = append(parts, count(n, "thing was stopped and waits", "things were stopped and wait"))
	}
	if n := len(of.cases); n > 0 {
		parts = append(parts, count(n, "question about people waits", "questions about people wait"))
	}
	if requests > 0 {
		parts = append(parts, count(requests, "request waits", "requests wait"))
	}
	return strings.Join(parts, ", ") + " for you."
}

// waitingBlocks draws as many requests as room has blocks for, two for each, and
// lists the others.
func (b *Bot) waitingBlocks(ctx context.Context, who lifecycle.Identity, waiting []lifecycle.Request, room int) ([]slack.Block, error) {
	if len(waiting) == 0 {
		return nil, nil
	}
	n := min(len(waiting), digestWaiting, max(room/2, 1))
	v, err := b.jobs.digestView(ctx, lifecycle.Digest{For: who, At: b.cfg.Now(), Waiting: waiting[:n]}, b.cfg.Location)
	if err != nil {
		return nil, err
	}
	blocks := v.waiting(maxBlocks)
	if rest := waiting[n:]; len(rest) > 0 {
		all := make([]string, len(rest))
		for i, r := range rest {
			all[i] = "• " + requestLine(r) + " · " + b.stateWords(r)
		}
		blocks = append(blocks, lines(fmt.Sprintf("*Then* (%d)", len(rest)), all, "They come up once these are decided.").Blocks...)
	}
	return blocks, nil
}
