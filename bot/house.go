package bot

import (
	"context"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// homeSecurity is what the Home tab of somebody of Security says of the house.
type homeSecurity struct {
	in securityInbox
}

// homeSecurity returns what the Home tab says of the house, or nil to whoever is
// not of Security.
func (b *Bot) homeSecurity(ctx context.Context, p lifecycle.Policy, who lifecycle.Identity) (*homeSecurity, error) {
	if !isSecurity(p, who) {
		return nil, nil
	}
	in, err := b.cfg.securityInbox(ctx)
	return &homeSecurity{in}, err
}

func (s homeSecurity) blocks(f frame) []slack.Block {
	blocks := []slack.Block{header("Security")}
	if s.in.empty() {
		return append(blocks, section("Nothing is stopped, and no question about people waits."))
	}
	return append(blocks, s.in.blocks(f)...)
}
