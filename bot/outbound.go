package bot

import (
	"context"
	"sync"

	"rolecall/lifecycle"
)

// An outbound does the steps of the flow that say something in Slack.
type outbound struct {
	Config
	box *outbox

	mu sync.Mutex
}

// newOutbound returns an outbound that speaks through box.
func newOutbound(cfg Config, box *outbox) *outbound {
	return &outbound{Config: cfg, box: box}
}

// slackID returns the Slack user of the address: the pinned one, else the
// active member with exactly that address; "" when there is none.
func (o *outbound) slackID(ctx context.Context, email string) (lifecycle.SlackID, error) {
	return "", nil
}

// names returns the Slack users of the addresses that have one.
func (o *outbound) names(ctx context.Context, emails ...string) (map[string]lifecycle.SlackID, error) {
	return nil, nil
}

// show brings every copy of a request's card to the truth. Ref: RequestID.
func (o *outbound) show(ctx context.Context, a lifecycle.Attempt) error { return nil }

// remind reminds those who may decide a request that still waits. Ref: RequestID.
func (o *outbound) remind(ctx context.Context, a lifecycle.Attempt) error { return nil }

// alert tells the security channel a sentence, once a day. Ref: the sentence.
func (o *outbound) alert(ctx context.Context, a lifecycle.Attempt) error { return nil }

// digests sends every digest that is due. Ref: "".
func (o *outbound) digests(ctx context.Context, a lifecycle.Attempt) error { return nil }

// digest sends one owner's digest. Ref: their address.
func (o *outbound) digest(ctx context.Context, a lifecycle.Attempt) error { return nil }
