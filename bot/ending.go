package bot

import (
	"context"
	"errors"
	"fmt"

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
	text := "This ends " + moment(r.Until, o.Location) + ": " + fullStop(m.what()) + " Then what you held before is put back. If you need it longer, ask again then with `" + Command + " request`."
	_, err = o.deliver(ctx, parcel{Key: key, Request: r.ID, Channel: channel, Revision: r.Revision, Message: message{Text: text}}, was)
	return err
}
