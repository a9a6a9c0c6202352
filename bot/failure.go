package bot

import (
	"context"
	"errors"
	"fmt"

	"rolecall/lifecycle"
)

// tellFailure tells whoever approved what failed: it waits for them, and an
// edit of their card rings no phone. What policy approved, security is told of.
func (o *outbound) tellFailure(ctx context.Context, s scene) error {
	if s.r.State != lifecycle.Failed {
		return nil
	}
	m := cardMaker{frame: s.frame, r: s.r}
	key := noteKey(s.r.ID, fmt.Sprintf("failed-%d/", s.r.Revision)) // of each try that failed
	text := " approved is not done: " + fullStop(m.title()) + " " + m.stands()
	byPolicy := true
	var failed []error
	for _, d := range s.r.Decisions {
		if d.Verdict == lifecycle.Approve && d.Via != lifecycle.ViaPolicy {
			byPolicy = false
			failed = append(failed, o.tellUnder(ctx, s, d.By, key+d.By, "What you"+text))
		}
	}
	if channel := s.p.Security.Channel; byPolicy && channel != "" {
		err := o.once(ctx, parcel{Key: key + "security", Request: s.r.ID, Channel: channel, Revision: s.r.Revision, Message: message{Text: "What the policy" + text}})
		if !unreachable(err) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// tellUnder tells somebody a line, once, under their copy of the card. That they
// cannot be reached is no error: the card's thread says so.
func (o *outbound) tellUnder(ctx context.Context, s scene, email, key, text string) error {
	channel, err := o.dmTo(ctx, email)
	if err == nil {
		p := parcel{Key: key, Request: s.r.ID, Channel: channel, Thread: s.known(copyKey(s.r.ID, email)).TS, Revision: s.r.Revision, Message: message{Text: text}}
		if err = o.once(ctx, p); orphaned(err) { // their copy was deleted
			p.Thread = ""
			err = o.once(ctx, p)
		}
	}
	if errors.Is(err, errNotInSlack) || unreachable(err) {
		return nil
	}
	return err
}
