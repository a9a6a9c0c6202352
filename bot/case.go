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
// reason. The domain is asked in either case: whoever may not answer is refused,
// before any modal opens.
func (b *Bot) pressCase(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	id, seen, answer, err := decodeAnswer(a.Value)
	if err != nil {
		return err
	}
	value := a.Value
	if answer == "" {
		if answer = in.picked(ActionPick); answer == "" {
			return lifecycle.Refuse(lifecycle.ErrInvalid, "Pick an answer in the menu first. Nothing was changed.")
		}
		value += answer
	}
	c, err := b.cfg.Matcher.Answer(ctx, lifecycle.CaseAnswer{Case: id, Seen: seen, By: by, Answer: answer, Via: lifecycle.ViaSlack})
	if errors.Is(err, lifecycle.ErrInvalid) {
		return b.askWhyAnswer(ctx, in, id, answer, value, err)
	}
	if err != nil {
		return goneCase(err)
	}
	b.settledCase(ctx, in.where(), in.Container.MessageTS, by, c)
	return nil
}

// askWhyAnswer opens the modal that asks for the reason of an answer, where that
// is what was lacking; else it returns why.
func (b *Bot) askWhyAnswer(ctx context.Context, in interaction, id lifecycle.CaseID, answer, value string, why error) error {
	c, err := b.cfg.Matcher.Case(ctx, id)
	if err != nil {
		return fmt.Errorf("load case %s: %w", id, err)
	}
	i := slices.IndexFunc(c.Options, func(o lifecycle.CaseOption) bool { return o.Answer == answer })
	if i < 0 || !answerAsksReason(c, answer) {
		return why
	}
	f, err := b.jobs.securityFrame(ctx)
	if err != nil {
		return err
	}
	at := place{Channel: in.where().channel, TS: in.Container.MessageTS}
	return b.openModal(ctx, in.TriggerID, answerModal(c, c.Options[i], f, encodeMeta(value, at)))
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
		return goneCase(err)
	}
	b.settledCase(ctx, in.origin(), from.TS, by, c)
	return nil
}

func (b *Bot) settledCase(ctx context.Context, at where, ts string, by lifecycle.Identity, c lifecycle.Case) {
	m := caseMaker{frame{now: b.cfg.Now(), loc: b.cfg.Location}, c}
	show := func(ctx context.Context) error { return b.jobs.showCase(ctx, lifecycle.Attempt{Ref: string(c.ID)}) }
	b.posted(ctx, at, ts, caseKey(c.ID), by, show, "Noted. "+m.title()+" "+m.status())
}

func goneCase(err error) error {
	if errors.Is(err, lifecycle.ErrNotFound) && lifecycle.ReasonOf(err) == "" {
		return lifecycle.Refuse(lifecycle.ErrNotFound, "rolecall does not know this question any more. What waits for you: `%s inbox`.", Command)
	}
	return err
}
