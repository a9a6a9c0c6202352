package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"rolecall/lifecycle"
)

// known reports whether the action is one that this version acts on. Messages
// of others, older and newer, stand in Slack as well.
func (a action) known() bool {
	return a.forSecurity() || slices.Contains([]string{ActionApprove, ActionRevoke, ActionDeny, ActionKeep, ActionUndo, ActionRetry, ActionChoose, ActionHistory, ActionBack, ActionReduce, ActionReview, ActionNudge, ActionCancel, ActionEnd, ActionWish, ActionAsk, ActionReply, ActionMore}, a.ActionID)
}

// onFinding reports whether the button is a finding's own: those that keep and
// revoke stand on cards of requests too.
func (a action) onFinding() bool {
	return slices.Contains([]string{ActionKeep, ActionReduce, ActionRevoke}, a.ActionID) && isFindingID(a.Value)
}

// forSecurity reports whether the action is on what only Security decides.
func (a action) forSecurity() bool {
	return slices.Contains([]string{ActionAnswer, ActionRelease, ActionConfirm, ActionRefuse, ActionStart}, a.ActionID)
}

// gone makes a refusal of a request that is not stored any more; every other
// error stays as it is.
func gone(err error) error {
	if errors.Is(err, lifecycle.ErrNotFound) && lifecycle.ReasonOf(err) == "" {
		return lifecycle.Refuse(lifecycle.ErrNotFound, "rolecall does not know this request any more. What waits for you: `%s inbox`.", Command)
	}
	return err
}

// press turns a button into one call of the domain. Of all that Slack sent
// only who pressed, the request and the revision they saw are carried over.
func (b *Bot) press(ctx context.Context, in interaction, a action) error {
	if a.ActionID == ActionPick {
		return nil // the button beside the menu says that it is meant
	}
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return err
	}
	if !a.known() {
		return lifecycle.Refuse(lifecycle.ErrInvalid, "This button is of another version of rolecall, and nothing was changed. What waits for you: `%s inbox`.", Command)
	}
	if a.ActionID == ActionBack {
		return b.pressBack(ctx, in, a, by)
	}
	if slices.Contains([]string{ActionNudge, ActionCancel, ActionEnd, ActionWish}, a.ActionID) {
		return b.pressOwn(ctx, in, a, by)
	}
	if a.forSecurity() {
		return b.pressForSecurity(ctx, in, a, by)
	}
	if a.ActionID == ActionReview {
		return b.pressReview(ctx, in, a, by)
	}
	if a.onFinding() {
		return b.pressFinding(ctx, in, a, by)
	}
	switch a.ActionID {
	case ActionMore:
		return b.pressMore(ctx, in, a, by)
	case ActionReply:
		return b.pressReply(ctx, in, a, by)
	}
	id, seen, err := decodeValue(a.chosen())
	if err != nil {
		return err
	}
	switch a.ActionID {
	case ActionHistory:
		return b.openHistory(ctx, in.TriggerID, id, by)
	case ActionAsk:
		return gone(b.pressAsk(ctx, in, a.chosen(), lifecycle.Press{Request: id, Seen: seen, By: by, Via: lifecycle.ViaSlack}))
	}
	r, asked, err := b.act(ctx, in, a, lifecycle.Press{Request: id, Seen: seen, By: by, Verdict: verdictOf(a.ActionID), Via: lifecycle.ViaSlack})
	if err != nil || asked {
		return gone(err)
	}
	b.settled(ctx, in.where(), in.Container.MessageTS, by, r)
	return nil
}

// act makes the one call of the domain that the button is for, where one click
// is enough, or opens the modal that asks for the rest; it reports which. The
// domain is asked in either case, before any modal opens: whoever may not decide
// is refused, and is on the record for having tried; of whoever may, it asks for
// the reason, or the choice, that the modal then takes.
func (b *Bot) act(ctx context.Context, in interaction, a action, p lifecycle.Press) (r lifecycle.Request, asked bool, err error) {
	switch a.ActionID {
	case ActionRetry:
		r, err = b.cfg.Approvals.Retry(ctx, p.Request, p.By)
	case ActionUndo:
		r, err = b.cfg.Approvals.Undo(ctx, p)
	case ActionChoose:
		r, err = b.cfg.Approvals.Choose(ctx, lifecycle.Choice{Request: p.Request, Seen: p.Seen, By: p.By, Via: p.Via})
	default:
		r, err = b.cfg.Approvals.Decide(ctx, p)
	}
	if !errors.Is(err, lifecycle.ErrInvalid) {
		return r, false, err
	}
	if r, err = b.cfg.Store.Request(ctx, p.Request); err != nil {
		return r, false, fmt.Errorf("load request %s: %w", p.Request, err)
	}
	return r, true, b.askReason(ctx, in, a, r)
}

// settled lets somebody see what came of their decision: the card that they
// pressed and the Home tab are drawn anew. A digest or a private list shows what
// it showed, so there a line says it. The decision stands whatever becomes of that.
func (b *Bot) settled(ctx context.Context, at where, ts string, by lifecycle.Identity, r lifecycle.Request) {
	if at.channel == "" {
		b.refresh(ctx, by)
		return
	}
	sent, err := b.cfg.Store.Messages(ctx, r.ID)
	if err != nil {
		b.log.WarnContext(ctx, "look up cards after a decision", slog.String("request", string(r.ID)), slog.Any("err", err))
		return
	}
	i := slices.IndexFunc(sent, func(m lifecycle.Message) bool { return m.Channel == at.channel && m.TS == ts })
	if i < 0 {
		b.say(ctx, at, "Noted. "+requestLine(r)+" · "+b.stateWords(r))
		return
	}
	b.redraw(ctx, sent[i])
}

// redraw shows on the pressed card at once what came of it.
func (b *Bot) redraw(ctx context.Context, pressed lifecycle.Message) {
	b.drawSoon(ctx, slog.String("request", string(pressed.Request)), func(ctx context.Context) error { return b.jobs.redraw(ctx, pressed) })
}

// drawSoon draws what was pressed. When too many are pressed at once for that,
// it has its turn in the queue.
func (b *Bot) drawSoon(ctx context.Context, about slog.Attr, draw func(context.Context) error) {
	ctx = context.WithoutCancel(ctx)
	b.drawing.try(func() {
		ctx, cancel := context.WithTimeout(ctx, drawTime)
		defer cancel()
		if err := draw(ctx); err != nil {
			b.log.InfoContext(ctx, "card left to its turn", about, slog.Any("err", err))
		}
	})
}

func verdictOf(action string) lifecycle.Verdict {
	if action == ActionApprove || action == ActionRevoke {
		return lifecycle.Approve
	}
	return lifecycle.Deny
}
