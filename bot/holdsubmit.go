package bot

import (
	"context"
	"errors"
	"fmt"

	"rolecall/lifecycle"
)

// releaseModal proposes what was chosen.
func (b *Bot) releaseModal(ctx context.Context, in interaction) error {
	reason, _, err := b.filledIn(in.View)
	picked, pickErr := pickedIn(in.View)
	if err = bothWrong(err, pickErr); err != nil {
		return err
	}
	want, from, err := b.releasing(ctx, in)
	if err != nil {
		return err
	}
	all, err := b.cfg.Store.RemovalsOf(ctx, want.Hold)
	if err != nil {
		return fmt.Errorf("list what hold %s stops: %w", want.Hold, err)
	}
	want.All, want.Reason = picked.all, reason
	if want.Only, err = picked.notices(inState(all, lifecycle.RemovalHeld)); err != nil {
		return err
	}
	h, err := b.cfg.Brakes.Propose(ctx, want)
	if err != nil {
		return goneHold(err)
	}
	b.settledHold(ctx, in.origin(), from.TS, want.By, h)
	return nil
}

// refuseModal refuses all of it.
func (b *Bot) refuseModal(ctx context.Context, in interaction) error {
	reason, _, err := b.filledIn(in.View)
	if err != nil {
		return err
	}
	want, from, err := b.releasing(ctx, in)
	if err != nil {
		return err
	}
	want.Reason = reason
	h, err := b.cfg.Brakes.Refuse(ctx, want)
	if err != nil {
		return goneHold(err)
	}
	b.settledHold(ctx, in.origin(), from.TS, want.By, h)
	return nil
}

// releasing returns who filled in the modal, and of which hold.
func (b *Bot) releasing(ctx context.Context, in interaction) (lifecycle.Release, place, error) {
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return lifecycle.Release{}, place{}, err
	}
	value, from := decodeMeta(in.View.Metadata)
	id, seen, err := decodeHold(value)
	return lifecycle.Release{Hold: id, Seen: seen, By: by, Via: lifecycle.ViaSlack}, from, err
}

// bothWrong returns what is wrong with either, so that a modal shows all of it at
// once; a fault comes before what is only filled in wrongly.
func bothWrong(a, b error) error {
	first, ok := errors.AsType[*lifecycle.Refusal](a)
	second, also := errors.AsType[*lifecycle.Refusal](b)
	switch {
	case a == nil || b != nil && !also:
		return b
	case b == nil || !ok:
		return a
	}
	both := *first
	both.Fields = append(append([]lifecycle.FieldError{}, first.Fields...), second.Fields...)
	return &both
}
