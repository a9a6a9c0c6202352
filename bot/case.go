package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rolecall/lifecycle"
)

// showCase brings the card of a case to the truth. It may be repeated and
// interrupted anywhere. Ref: CaseID.
func (o *outbound) showCase(ctx context.Context, a lifecycle.Attempt) error {
	load := func(ctx context.Context) (lifecycle.Case, string, error) {
		c, err := o.Matcher.Case(ctx, lifecycle.CaseID(a.Ref))
		return c, mark(c.Revision), err
	}
	return followed(ctx, o, "case", a.Ref, load, func(ctx context.Context, c lifecycle.Case, force bool) error {
		f, err := o.securityFrame(ctx, c.By)
		if err != nil {
			return err
		}
		return o.putUp(ctx, f.p, bill{key: caseKey(c.ID), about: a.Ref, revision: c.Revision, open: c.Open(), force: force, message: caseMessage(c, f)})
	})
}

// securityFrame is what is drawn for Security: it names them, and those who have
// decided.
func (o *outbound) securityFrame(ctx context.Context, deciders ...string) (frame, error) {
	f := frame{mode: o.Mode, now: o.Now(), loc: o.Location}
	var err error
	if f.p, err = o.Policies.Current(ctx); err != nil {
		return f, fmt.Errorf("read the policy in force: %w", err)
	}
	f.names, err = o.names(ctx, slices.Concat(f.p.Security.Members, deciders)...)
	return f, err
}

// pressCase answers a case in one click, or opens the modal that asks for the
// reason.
func (b *Bot) pressCase(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	id, seen, answer, err := decodeAnswer(a.Value)
	if err != nil {
		return err
	}
	if answer == "" {
		answer = in.picked(a, ActionPick)
	}
	c, err := b.cfg.Matcher.Case(ctx, id)
	if err != nil {
		return err
	}
	given := lifecycle.CaseAnswer{Case: id, Seen: seen, By: by, Answer: answer, Via: lifecycle.ViaSlack}
	if answer == "" || c.AsksReason(answer) {
		return b.askAnswer(ctx, in, c, given)
	}
	if c, err = b.cfg.Matcher.Answer(ctx, given); err != nil {
		return err
	}
	b.settledCase(ctx, in.where(), in.Container.MessageTS, by, c)
	return nil
}

// askAnswer opens the modal that asks for the reason of an answer. The domain is
// asked before, with no answer: whoever may not give one is refused, and is on the
// record for having tried; of whoever may, it asks for one.
func (b *Bot) askAnswer(ctx context.Context, in interaction, c lifecycle.Case, given lifecycle.CaseAnswer) error {
	none := given
	none.Answer = ""
	if _, err := b.cfg.Matcher.Answer(ctx, none); !errors.Is(err, lifecycle.ErrInvalid) {
		return err
	}
	i := slices.IndexFunc(c.Options, func(o lifecycle.CaseOption) bool { return o.Answer == given.Answer })
	if i < 0 {
		return lifecycle.Refuse(lifecycle.ErrInvalid, "Pick an answer in the menu first. Nothing was changed.")
	}
	f, err := b.jobs.securityFrame(ctx)
	if err != nil {
		return err
	}
	at := place{Channel: in.where().channel, TS: in.Container.MessageTS}
	seen := c
	seen.Revision = given.Seen
	return b.openModal(ctx, in.TriggerID, answerModal(c, c.Options[i], f, encodeMeta(encodeAnswer(seen, given.Answer), at)))
}

// answerModal answers with what was filled in.
func (b *Bot) answerModal(ctx context.Context, in interaction) error {
	reason, _, err := b.filledIn(in.View)
	if err != nil {
		return err
	}
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return err
	}
	value, from := decodeMeta(in.View.Metadata)
	id, seen, answer, err := decodeAnswer(value)
	if err != nil {
		return err
	}
	c, err := b.cfg.Matcher.Answer(ctx, lifecycle.CaseAnswer{Case: id, Seen: seen, By: by, Answer: answer, Reason: reason, Via: lifecycle.ViaSlack})
	if err != nil {
		return err
	}
	b.settledCase(ctx, in.origin(), from.TS, by, c)
	return nil
}

func (b *Bot) settledCase(ctx context.Context, at where, ts string, by lifecycle.Identity, c lifecycle.Case) {
	m := caseMaker{frame{now: b.cfg.Now(), loc: b.cfg.Location}, c}
	show := func(ctx context.Context) error { return b.jobs.showCase(ctx, lifecycle.Attempt{Ref: string(c.ID)}) }
	b.posted(ctx, at, ts, caseKey(c.ID), by, show, "Noted. "+m.title()+" "+m.status())
}
