package bot

import (
	"context"
	"errors"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const maxHanding = 300 // characters; the domain takes no more

// pressAssign opens the modal in which a request is handed on, for whoever may.
func (b *Bot) pressAssign(ctx context.Context, in interaction, value string, p lifecycle.Press) error {
	r, err := b.cfg.Approvals.Assign(ctx, lifecycle.Handing{Request: p.Request, Seen: p.Seen, By: p.By, Via: p.Via})
	if !errors.Is(err, lifecycle.ErrInvalid) {
		return err
	}
	f, err := b.frameOf(ctx)
	if err != nil {
		return err
	}
	return b.openModal(ctx, in.TriggerID, assignModal(r, f, encodeMeta(value, place{Channel: in.where().channel, TS: in.Container.MessageTS})))
}

// assignModal asks who is to decide, and why.
func assignModal(r lifecycle.Request, f frame, meta string) slack.ModalViewRequest {
	m := cardMaker{frame: f, r: r}
	to := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, plainText("Pick somebody", maxOption), InputTo)
	return threadModal(ModalAssign, "Reassign", "Reassign", meta, m,
		section("They get this card and can decide it for you. You still can: whoever of you comes first counts, and the record says for whom. "+m.deadline()),
		slack.NewInputBlock(InputTo, plainText("Who is to decide this", maxButton), plainText("Anybody active whom the policy lets decide, but never whom it is about.", maxHint), to),
		textInput(InputReason, "Why them?", "It goes on the record and into the card's thread.", maxHanding))
}

// assignedModal hands the request to whoever was picked.
func (b *Bot) assignedModal(ctx context.Context, in interaction) error {
	p, from, err := b.pressed(ctx, in)
	if err != nil {
		return err
	}
	to, err := b.person(ctx, "<@"+in.View.entered(InputTo)+">")
	if reason := lifecycle.ReasonOf(err); reason != "" {
		return underInput(InputTo, reason)
	}
	if err != nil {
		return err
	}
	r, err := b.cfg.Approvals.Assign(ctx, lifecycle.Handing{Request: p.Request, Seen: p.Seen, By: p.By, To: to.Person.Email(), Reason: in.View.entered(InputReason), Via: p.Via})
	if err != nil {
		return gone(err)
	}
	b.settled(ctx, in.origin(), from.TS, p.By, r)
	return nil
}

// handed says who has handed the request to whom.
func (m cardMaker) handed(a lifecycle.Assignment) string {
	return fullStop(m.person(a.From) + " handed this to " + m.person(a.To) + ", who can decide it for them, " + saidAt(a.At, a.Via, m.loc) + ": " + foreign(a.Reason, maxPhrase))
}
