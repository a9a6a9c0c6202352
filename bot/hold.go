package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// heldNow is a hold and all that it has ever stopped.
type heldNow struct {
	h   lifecycle.Hold
	all []lifecycle.Removal
}

func (n heldNow) maker(f frame) holdMaker {
	return holdMaker{frame: f, h: n.h, all: n.all, waiting: inState(n.all, lifecycle.RemovalHeld)}
}

func inState(all []lifecycle.Removal, s lifecycle.RemovalState) []lifecycle.Removal {
	some := make([]lifecycle.Removal, 0, len(all))
	for i := range all {
		if all[i].State == s {
			some = append(some, all[i])
		}
	}
	return some
}

func (c Config) heldNow(ctx context.Context, id lifecycle.HoldID) (heldNow, error) {
	h, err := c.Store.Hold(ctx, id)
	if err != nil {
		return heldNow{}, fmt.Errorf("load hold %s: %w", id, err)
	}
	all, err := c.Store.RemovalsOf(ctx, id)
	if err != nil {
		return heldNow{}, fmt.Errorf("list what hold %s stops: %w", id, err)
	}
	return heldNow{h, all}, nil
}

func countState(all []lifecycle.Removal, s lifecycle.RemovalState) int {
	n := 0
	for i := range all {
		if all[i].State == s {
			n++
		}
	}
	return n
}

// showHold brings the card of a hold to the truth. It may be repeated and
// interrupted anywhere. Ref: HoldID.
func (o *outbound) showHold(ctx context.Context, a lifecycle.Attempt) error {
	load := func(ctx context.Context) (heldNow, string, error) {
		now, err := o.heldNow(ctx, lifecycle.HoldID(a.Ref))
		return now, mark(now.h.Revision, len(now.all), countState(now.all, lifecycle.RemovalHeld)), err
	}
	return followed(ctx, o, "hold", a.Ref, load, func(ctx context.Context, now heldNow, force bool) error {
		f, err := o.securityFrame(ctx, decidersOf(now.h)...)
		if err != nil {
			return err
		}
		h := now.h
		return o.putUp(ctx, f.p, bill{key: holdKey(h.ID), about: a.Ref, revision: h.Revision, open: h.Open(), force: force, message: now.maker(f).message()})
	})
}

func decidersOf(h lifecycle.Hold) []string {
	var emails []string
	for _, d := range h.Decisions {
		emails = append(emails, d.By)
	}
	return emails
}

// pressForSecurity turns a button on a case or a hold into one call of the domain.
func (b *Bot) pressForSecurity(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	if a.ActionID == ActionAnswer {
		return b.pressCase(ctx, in, a, by)
	}
	id, seen, err := decodeHold(a.chosen())
	if err != nil {
		return err
	}
	want := lifecycle.Release{Hold: id, Seen: seen, By: by, Via: lifecycle.ViaSlack}
	h, asked, err := b.actOnHold(ctx, in, a, want)
	if err != nil || asked {
		return goneHold(err)
	}
	b.settledHold(ctx, in.where(), in.Container.MessageTS, by, h)
	return nil
}

// actOnHold makes the one call that the button is for, or opens the modal that
// asks for the rest; it reports which. The domain is asked before any modal
// opens: of whoever may not decide it asks for nothing.
func (b *Bot) actOnHold(ctx context.Context, in interaction, a action, want lifecycle.Release) (h lifecycle.Hold, asked bool, err error) {
	switch a.ActionID {
	case ActionStart:
		h, err = b.start(ctx, want)
		return h, false, err
	case ActionConfirm:
		h, err = b.confirm(ctx, want)
		return h, false, err
	case ActionRefuse:
		h, err = b.cfg.Brakes.Refuse(ctx, want)
	default:
		h, err = b.cfg.Brakes.Propose(ctx, want)
	}
	if !errors.Is(err, lifecycle.ErrInvalid) {
		return h, false, err
	}
	return h, true, b.askRelease(ctx, in, a, want.Hold)
}

// start lets a source that has just been connected be acted on.
func (b *Bot) start(ctx context.Context, want lifecycle.Release) (lifecycle.Hold, error) {
	h, err := b.cfg.Store.Hold(ctx, want.Hold)
	if err != nil {
		return h, fmt.Errorf("load hold %s: %w", want.Hold, err)
	}
	if err := b.cfg.Sources.Start(ctx, h.Source, want.By, want.Via); err != nil {
		return h, err
	}
	if h, err = b.cfg.Store.Hold(ctx, want.Hold); err != nil {
		return h, fmt.Errorf("load hold %s: %w", want.Hold, err)
	}
	return h, nil
}

// confirm proposes exactly what stands proposed on the card that was pressed.
func (b *Bot) confirm(ctx context.Context, want lifecycle.Release) (lifecycle.Hold, error) {
	h, err := b.cfg.Store.Hold(ctx, want.Hold)
	if err != nil {
		return h, fmt.Errorf("load hold %s: %w", want.Hold, err)
	}
	if h.Open() && (h.Proposal == nil || h.Proposal.Made > want.Seen) {
		return h, lifecycle.Refuse(lifecycle.ErrConflict, "What is proposed has changed since this card was drawn, and nothing was released. Look at it again: `%s inbox`.", Command)
	}
	if h.Proposal != nil {
		want.All, want.Only = h.Proposal.All, h.Proposal.Only
	}
	h, err = b.cfg.Brakes.Propose(ctx, want)
	if errors.Is(err, lifecycle.ErrInvalid) { // it would be a proposal of their own
		err = lifecycle.Refuse(lifecycle.ErrConflict, "What was proposed does not count any more, and nothing was released: say yourself what to release, with *Propose otherwise…*.")
	}
	return h, err
}

// askRelease opens the modal in which somebody says what to release, or why not.
func (b *Bot) askRelease(ctx context.Context, in interaction, a action, id lifecycle.HoldID) error {
	now, err := b.cfg.heldNow(ctx, id)
	if err != nil {
		return err
	}
	f, err := b.jobs.securityFrame(ctx)
	if err != nil {
		return err
	}
	m := now.maker(f)
	meta := encodeMeta(encodeHold(now.h), place{Channel: in.where().channel, TS: in.Container.MessageTS})
	var v slack.ModalViewRequest
	if a.ActionID == ActionRefuse {
		v = m.refuseModal(meta)
	} else {
		v = m.releaseModal(meta)
	}
	return b.openModal(ctx, in.TriggerID, v)
}

func (b *Bot) settledHold(ctx context.Context, at where, ts string, by lifecycle.Identity, h lifecycle.Hold) {
	m := heldNow{h: h}.maker(frame{now: b.cfg.Now(), loc: b.cfg.Location})
	show := func(ctx context.Context) error { return b.jobs.showHold(ctx, lifecycle.Attempt{Ref: string(h.ID)}) }
	b.posted(ctx, at, ts, holdKey(h.ID), by, show, "Noted. "+fullStop(m.title())+" "+m.status())
}

func goneHold(err error) error {
	if errors.Is(err, lifecycle.ErrNotFound) && lifecycle.ReasonOf(err) == "" {
		return lifecycle.Refuse(lifecycle.ErrNotFound, "rolecall does not know any more what this stopped. What waits for you: `%s inbox`.", Command)
	}
	return err
}
