package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Take lets the answer to the case take effect. It may be repeated: what has
// taken effect does so once.
func (m *Matcher) Take(ctx context.Context, id CaseID) error {
	c, err := m.store.Case(ctx, id)
	if err != nil {
		return fmt.Errorf("load case %s: %w", id, err)
	}
	if c.Open() || c.Answer == AnswerMoot {
		return nil
	}
	switch c.Kind {
	case CasePerson: // the registrar reads the answer with the fact
		return nil
	case CaseAccount:
		return m.takeAccount(ctx, c)
	case CaseSuspended, CaseAbsent, CaseReturn:
		return m.takeStatus(ctx, c)
	default:
		return nil
	}
}

// takeStatus says what the person said of somebody as a source does: it is kept
// as a fact, and counts as one.
func (m *Matcher) takeStatus(ctx context.Context, c Case) error {
	var status Status
	switch c.Answer {
	case AnswerLeft:
		status = StatusEnded
	case AnswerBack:
		status = StatusActive
	default:
		return nil
	}
	_, _, err := m.inbox.Receive(ctx, Fact{
		Source: SourcePeople, EventID: string(c.ID), Kind: FactStatus, Key: string(c.Identity),
		Person: Person{Status: status}, ObservedAt: c.AnsweredAt,
	})
	return wrap("take the answer to case "+string(c.ID), err)
}

// takeAccount links the account that was named to the identity, or none of them,
// and has what the sources said of them planned for it.
func (m *Matcher) takeAccount(ctx context.Context, c Case) error {
	who, err := m.whole(ctx, c.Identity)
	if err != nil {
		return err
	}
	if c.Answer != AnswerNone {
		return m.link(ctx, who, AccountID(c.Answer), orderLine{by: c.ByID, at: c.AnsweredAt, reason: c.Reason, via: c.Via})
	}
	is := who
	for _, o := range c.Options {
		if a := AccountID(o.Answer); o.Answer != AnswerNone && !slices.Contains(is.Not, a) {
			is.Not = append(slices.Clone(is.Not), a)
		}
	}
	if len(is.Not) == len(who.Not) {
		return nil
	}
	is.Revision++
	e := orderLine{by: c.ByID, at: m.now(), reason: c.Reason, via: c.Via}.event(EventIdentityLinked, is.ID, map[string]string{"account": "none", "case": string(c.ID)})
	return wrap("save identity "+string(is.ID), m.store.SavePeople(ctx, People{Identities: []Identity{is}}, []AuditEvent{e}, is.planned()...))
}

// planned is the step that plans the newest notice about the identity anew.
func (i Identity) planned() []Job {
	if i.Notice == "" {
		return nil
	}
	return []Job{{Kind: JobPlan, Ref: string(i.Notice)}}
}

// whole returns the identity, or whom it turned out to be.
func (m *Matcher) whole(ctx context.Context, id IdentityID) (Identity, error) {
	i, err := turnedOut(ctx, m.store, id)
	if errors.Is(err, ErrNotFound) {
		return i, Refuse(ErrNotFound, "Nobody has the id %s.", id)
	}
	return i, err
}

// link ties the account to the identity, and takes it from whoever had it.
func (m *Matcher) link(ctx context.Context, who Identity, account AccountID, o orderLine) error {
	if who.Account == account {
		return nil
	}
	var p People
	holder, err := m.store.IdentityByAccount(ctx, account)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return fmt.Errorf("look up whose account %s is: %w", account, err)
	default:
		p.Identities = append(p.Identities, holder.lacking(account))
	}
	is := who
	is.Not = slices.DeleteFunc(slices.Clone(who.Not), func(a AccountID) bool { return a == account })
	if who.Account != "" {
		is = is.lacking(who.Account)
		is.Revision = who.Revision
	}
	is.Account = account
	is.Revision++
	p.Identities = append(p.Identities, is)
	open, err := m.store.CasesAbout(ctx, is.ID, "", "")
	if err != nil {
		return fmt.Errorf("list cases about identity %s: %w", is.ID, err)
	}
	for _, c := range open {
		if c.Kind == CaseAccount {
			p.Cases = append(p.Cases, c.settledItself(fmt.Sprintf("The account %s is theirs.", account), m.now()))
		}
	}
	lines, jobs := caseLines(p.Cases, ByIdentity(o.by), m.now())
	detail := map[string]string{"account": string(account)}
	if holder.ID != "" {
		detail["from"] = string(holder.ID)
	}
	lines = append(lines, o.event(EventIdentityLinked, is.ID, detail))
	return wrap("link identity "+string(is.ID), m.store.SavePeople(ctx, p, lines, append(jobs, is.planned()...)...))
}

// lacking returns the identity without the account, which a person has said is not theirs.
func (i Identity) lacking(account AccountID) Identity {
	i.Account = ""
	if !slices.Contains(i.Not, account) {
		i.Not = append(slices.Clone(i.Not), account)
	}
	i.Revision++
	return i
}

// settles settles those cases about the identity that ask nothing any more, and
// returns their lines and what follows: a fact that waited for one is looked at again.
func (m *Matcher) settles(ctx context.Context, p *People, o orderLine, about Identity, why string, moot func(Case) bool) ([]AuditEvent, []Job, error) {
	open, err := m.store.CasesAbout(ctx, about.ID, "", "")
	if err != nil {
		return nil, nil, fmt.Errorf("list cases about identity %s: %w", about.ID, err)
	}
	var again []Job
	for _, c := range open {
		if !moot(c) {
			continue
		}
		p.Cases = append(p.Cases, c.settledItself(why, o.at))
		if c.Kind == CasePerson {
			again = append(again, Job{Kind: JobRegister, Ref: string(c.Fact)})
		}
	}
	lines, jobs := caseLines(p.Cases, ByIdentity(o.by), o.at)
	return lines, append(jobs, again...), nil
}
