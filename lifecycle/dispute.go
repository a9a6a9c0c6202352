package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// unclaimed takes from what may be somebody's the accounts that only another
// address speaks for and that are linked to somebody else already.
func (p *Planner) unclaimed(ctx context.Context, i Identity, link Link) (Link, error) {
	var left []Account
	for _, a := range link.Maybe {
		_, err := p.store.IdentityByAccount(ctx, a.ID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return link, fmt.Errorf("look up whose account %s is: %w", a.ID, err)
		}
		if errors.Is(err, ErrNotFound) || FoldEmail(a.Email) == i.Person.Email() {
			left = append(left, a)
		}
	}
	if len(left) == 0 {
		return Link{State: Unmatched, Reason: "no PagerDuty account has this address"}, nil
	}
	link.Maybe = left
	return link, nil
}

// askAccount opens the case that asks Security which account is theirs, and holds
// the draft: nothing is planned before somebody has said so.
func (p *Planner) askAccount(ctx context.Context, c planning, d *draft) error {
	d.plan = Plan{Held: c.link.Reason}
	if c.identity.ID == "" || len(c.link.Maybe) == 0 {
		return nil
	}
	doubt := accountDoubt(c)
	doubt.OpenedAt, doubt.Fact = p.now(), d.notice
	ask, err := p.unasked(ctx, &doubt, c.identity)
	if err != nil {
		return err
	}
	d.quiet = true // the card of the case tells it
	if !ask {
		return nil
	}
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventCaseOpened, Ref: string(doubt.ID), Detail: map[string]string{
		"kind": string(doubt.Kind), "identity": string(doubt.Identity), "why": doubt.Why,
	}}
	if err := p.store.SaveCase(ctx, doubt, e, showCase(doubt.ID)); err != nil && !errors.Is(err, ErrDuplicate) {
		return fmt.Errorf("open case %s: %w", doubt.ID, err)
	}
	return nil
}

// unasked reports whether the doubt is still to be asked, in a new round where
// it was answered and has come up again since.
func (p *Planner) unasked(ctx context.Context, doubt *Case, who Identity) (bool, error) {
	first := doubt.ID
	for k := 2; ; k++ {
		stands, err := p.store.Case(ctx, doubt.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("load case %s: %w", doubt.ID, err)
		case stands.Open(), !stands.taken(who):
			return false, nil
		}
		doubt.ID = CaseIDFor(doubt.Kind, string(first), strconv.Itoa(k))
	}
}

// taken reports whether the answer about the account has taken effect.
func (c Case) taken(who Identity) bool {
	switch c.Answer {
	case AnswerMoot:
		return true
	case AnswerNone:
		return !slices.ContainsFunc(c.Options, func(o CaseOption) bool {
			return o.Answer != AnswerNone && !slices.Contains(who.Not, AccountID(o.Answer))
		})
	default:
		return who.Account != ""
	}
}

func accountDoubt(c planning) Case {
	what := []string{string(c.identity.ID)}
	doubt := Case{Kind: CaseAccount, Revision: 1, Identity: c.identity.ID, Label: c.identity.described()}
	who := c.identity.Person.Label()
	for _, a := range c.link.Maybe {
		what = append(what, string(a.ID))
		doubt.Options = append(doubt.Options, CaseOption{
			Answer: string(a.ID), Label: fmt.Sprintf("%s, %s, %s", a.ID, FoldEmail(a.Email), a.BaseRole),
			Effect: fmt.Sprintf("The account is linked to %s, and to nobody else. What the sources said of them is planned for it.", who),
		})
	}
	slices.Sort(what[1:])
	doubt.Options = append(doubt.Options, CaseOption{
		Answer: AnswerNone, Label: "None of these", Effect: fmt.Sprintf("%s is planned for as somebody who has no account yet.", who),
	})
	doubt.ID = CaseIDFor(CaseAccount, what...)
	doubt.Why = fmt.Sprintf("It cannot be told which PagerDuty account is %s's: %s. Nothing follows until somebody says so.", who, c.link.Reason)
	return doubt
}

// pinned settles the cases that ask for the account that was just pinned.
func (p *Planner) pinned(ctx context.Context, is Identity) ([]Case, []AuditEvent, []Job, error) {
	open, err := p.store.CasesAbout(ctx, is.ID, "", "")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("list cases about identity %s: %w", is.ID, err)
	}
	var settled []Case
	for _, c := range open {
		if c.Kind == CaseAccount {
			settled = append(settled, c.settledItself(fmt.Sprintf("The account %s is theirs.", is.Account), p.now()))
		}
	}
	lines, jobs := caseLines(settled, System, p.now())
	return settled, lines, jobs, nil
}
