package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// ending tells somebody, once, that what they were given for a time is over soon.
// Ref: RequestID.
func (o *outbound) ending(ctx context.Context, a lifecycle.Attempt) error {
	r, err := o.Store.Request(ctx, lifecycle.RequestID(a.Ref))
	if err != nil {
		return fmt.Errorf("load request %s: %w", a.Ref, err)
	}
	if !r.Runs(o.Now()) {
		return nil
	}
	channel, err := o.dmTo(ctx, r.Subject.Email)
	if errors.Is(err, errNotInSlack) || unreachable(err) {
		return nil
	}
	if err != nil {
		return err
	}
	key := subjectKey(r.ID, "ending")
	was, err := o.message(ctx, key)
	if err != nil || was.TS != "" {
		return err
	}
	m := cardMaker{frame: frame{now: o.Now(), loc: o.Location}, r: r}
	_, err = o.deliver(ctx, parcel{Key: key, Request: r.ID, Channel: channel, Revision: r.Revision, Message: m.endsSoon()}, was)
	return err
}

// endsSoon says that something ends, what then, and what can be done about it.
func (m cardMaker) endsSoon() message {
	text := "This ends on " + moment(m.r.Until, m.loc) + ": " + fullStop(m.what()) + " Then, by itself: " + m.backTo() + ". If you need it longer, ask for that before."
	value := encodeValue(m.r.ID, m.r.Revision)
	return message{Text: text, Blocks: withBlockIDs([]slack.Block{
		section(text), slack.NewActionBlock("", askButton(value, "Ask for longer…"), button(ActionEnd, value, "Give back")),
	}, string(m.r.ID))}
}
