package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// choose offers to say who takes over, as long as that is open: loudly, while
// nothing can be approved before it.
func (m cardMaker) choose() []cardButton {
	failed := m.r.State == lifecycle.Failed
	if !m.r.HandsOver() || failed && (m.r.Needed > 1 || len(choosable(m.r)) == 0) {
		return nil
	}
	return []cardButton{{Action: ActionChoose, Label: "Choose replacement…", Loud: unchosen(m.r) > 0}}
}

// chooseModal makes what was chosen in a modal the plan.
func (b *Bot) chooseModal(ctx context.Context, in interaction) error {
	about := decodeChoosing(in.View.Metadata)
	successors, err := chosenIn(in.View, about)
	if err != nil {
		return err
	}
	p, from, err := b.pressed(ctx, in)
	if err != nil {
		return err
	}
	if err := b.stillAsked(ctx, p.Request, about); err != nil {
		return gone(err)
	}
	r, err := b.cfg.Approvals.Choose(ctx, lifecycle.Choice{Request: p.Request, Seen: p.Seen, By: p.By, Successors: successors, Via: p.Via})
	if err != nil {
		return gone(underBlocks(err, about))
	}
	b.settled(ctx, in.origin(), from.TS, p.By, r)
	return nil
}

// chosenIn returns who was chosen for what, or a Refusal that names each input
// that is empty.
func chosenIn(v view, about []asked) (map[lifecycle.ChangeID]lifecycle.AccountID, error) {
	chosen := make(map[lifecycle.ChangeID]lifecycle.AccountID, len(about))
	var wrong []lifecycle.FieldError
	for i, a := range about {
		to := v.entered(replacementBlock(i))
		if to == "" {
			wrong = append(wrong, lifecycle.FieldError{Path: replacementBlock(i), Message: "Choose who takes over."})
		}
		chosen[a.Change] = lifecycle.AccountID(to)
	}
	if len(wrong) > 0 {
		return nil, &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: wrong[0].Message, Fields: wrong}
	}
	return chosen, nil
}

// stillAsked returns nil while what the modal asks about stands as it did when
// the modal was opened, else a Refusal that says what moved: what somebody else
// has chosen meanwhile is not overruled unseen.
func (b *Bot) stillAsked(ctx context.Context, id lifecycle.RequestID, about []asked) error {
	r, err := b.cfg.Store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	if moved := movedSince(r, about); len(moved) > 0 {
		return lifecycle.Refuse(lifecycle.ErrConflict, "Since you opened this: %s. Nothing of what you chose was kept. Press *Choose replacement…* again to see how it stands.", strings.Join(moved, "; "))
	}
	return nil
}

func movedSince(r lifecycle.Request, about []asked) []string {
	var moved []string
	for _, a := range about {
		k := slices.IndexFunc(r.Changes, func(c lifecycle.Change) bool { return c.ID == a.Change })
		switch {
		case k < 0:
			return []string{"what is to be handed over has changed"}
		case r.Changes[k].To != a.To:
			moved = append(moved, goesTo(r.Changes[k]))
		}
	}
	return moved
}

// goesTo says in plain text who has a duty next.
func goesTo(c lifecycle.Change) string {
	switch c.To {
	case "":
		return fmt.Sprintf("%s has nobody now", c.Entitlement)
	case lifecycle.NoSuccessor:
		return fmt.Sprintf("%s goes to nobody now", c.Entitlement)
	default:
		return fmt.Sprintf("%s goes to %s now", c.Entitlement, cmp.Or(c.Successor.Name, c.Successor.Email, c.To))
	}
}

// underBlocks returns err with what it says of changes put under the inputs that
// asked about them.
func underBlocks(err error, about []asked) error {
	refusal, ok := errors.AsType[*lifecycle.Refusal](err)
	if !ok {
		return err
	}
	is := *refusal
	is.Fields = nil
	for _, f := range refusal.Fields {
		block := InputReplacement
		if k := slices.IndexFunc(about, func(a asked) bool { return string(a.Change) == f.Path }); k >= 0 {
			block = replacementBlock(k)
		}
		is.Fields = append(is.Fields, lifecycle.FieldError{Path: block, Message: fullStop(f.Message)})
	}
	return &is
}
