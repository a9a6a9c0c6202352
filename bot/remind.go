package bot

import (
	"context"
	"errors"
	"fmt"

	"rolecall/lifecycle"
)

func remindKey(id lifecycle.RequestID, email string) string {
	return "remind/" + string(id) + "/" + email
}

// remind reminds, once, those who may decide a request that still waits and
// have not decided: under their copy of the card, so that it is at hand. Ref: RequestID.
func (o *outbound) remind(ctx context.Context, a lifecycle.Attempt) error {
	id := lifecycle.RequestID(a.Ref)
	release, err := o.locks.take(ctx, a.Ref)
	if err != nil {
		return err
	}
	defer release()
	r, err := o.Store.Request(ctx, id)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return lifecycle.Permanent(fmt.Errorf("load request %s: %w", id, err))
	}
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	if r.State != lifecycle.Pending {
		return nil
	}
	s, err := o.scene(ctx, r, false)
	if err != nil {
		return err
	}
	var failed []error
	for _, email := range s.asks() {
		m := cardMaker{frame: s.frame, r: s.r, v: viewer{Email: email}}
		if !m.decidedAlready() {
			text := "Still waiting for you: " + fullStop(m.title()) + " " + m.asks() + " " + m.deadline()
			failed = append(failed, o.tellUnder(ctx, s, email, remindKey(id, email), text))
		}
	}
	return errors.Join(failed...)
}
