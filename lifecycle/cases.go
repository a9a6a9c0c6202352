package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

func showCase(id CaseID) Job { return Job{Kind: JobCase, Ref: string(id)} }

// askWho opens the case about whom the fact speaks of, or lets the one that is
// open speak of the newer fact: the answer is for what its source says by then.
func (g *Registrar) askWho(ctx context.Context, f Fact, c Case) error {
	if c.Revision > 1 || c.Fact != f.ID {
		known, err := g.store.Fact(ctx, c.Fact)
		if err != nil {
			return fmt.Errorf("load fact %s: %w", c.Fact, err)
		}
		if c.Fact == f.ID || !f.newerThan(known.Stamp(), known.Version, known.ReceivedAt) {
			return g.store.Record(ctx, g.event(f, EventIdentityDisputed, c.Identity, "waits for the answer to case "+string(c.ID)))
		}
		c.Fact = f.ID
		c.Revision++
	}
	e := g.event(f, EventIdentityDisputed, c.Identity, c.Why)
	e.Detail["case"] = string(c.ID)
	err := g.store.SaveCase(ctx, c, e, showCase(c.ID))
	if errors.Is(err, ErrDuplicate) { // it was asked a moment ago, or before a crash
		return g.store.Record(ctx, g.event(f, EventIdentityDisputed, c.Identity, "waits for the answer to case "+string(c.ID)))
	}
	return wrap("open case "+string(c.ID), err)
}

// cases returns what the fact leaves for a person to say, and what it settles,
// with the lines and jobs that belong to it.
func (g *Registrar) cases(ctx context.Context, r registering) ([]Case, []AuditEvent, []Job, error) {
	open, err := g.store.CasesAbout(ctx, r.is.ID, r.fact.Source, r.fact.SourceKey())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("list cases about identity %s: %w", r.is.ID, err)
	}
	var all []Case
	for _, c := range open {
		if why := r.moot(c); why != "" {
			all = append(all, c.settledItself(why, r.now))
		}
	}
	for _, c := range r.asks() {
		again := slices.ContainsFunc(open, func(o Case) bool { return o.Kind == c.Kind && o.Source == c.Source })
		if again || r.source.Observes(r.fact, r.countsAt()) {
			continue
		}
		if fresh, err := g.toAsk(ctx, r, c); err != nil {
			return nil, nil, nil, err
		} else if fresh {
			all = append(all, c)
		}
	}
	lines, jobs := caseLines(all, BySource(r.fact.Source), r.now)
	return all, lines, jobs, nil
}

// toAsk reports whether the case was never opened, and there is something to lose
// by the answer.
func (g *Registrar) toAsk(ctx context.Context, r registering, c Case) (bool, error) {
	switch _, err := g.store.Case(ctx, c.ID); {
	case err == nil:
		return false, nil
	case !errors.Is(err, ErrNotFound):
		return false, fmt.Errorf("load case %s: %w", c.ID, err)
	case c.Kind != CaseSuspended:
		return true, nil
	}
	return hasAccount(ctx, g.store, r.is)
}

// hasAccount reports whether the identity has an account: one that is pinned, or
// that the last whole roll call has seen with an address of theirs. After a first
// sync, from which nothing follows, none is pinned yet.
func hasAccount(ctx context.Context, accounts interface {
	// BaselineByEmail is FactStore's.
	BaselineByEmail(ctx context.Context, email string) ([]Account, error)
}, i Identity,
) (bool, error) {
	if i.Account != "" {
		return true, nil
	}
	for _, email := range i.Person.Emails {
		found, err := accounts.BaselineByEmail(ctx, FoldEmail(email))
		if err != nil || len(found) > 0 {
			return err == nil, wrap("look for the account of identity "+string(i.ID), err)
		}
	}
	return false, nil
}

// caseLines returns the line and the job of each case that is opened or settled.
func caseLines(all []Case, by Actor, now time.Time) ([]AuditEvent, []Job) {
	var lines []AuditEvent
	var jobs []Job
	for _, c := range all {
		e := AuditEvent{At: now, Actor: by, Kind: EventCaseOpened, Ref: string(c.ID), Detail: map[string]string{"kind": string(c.Kind), "why": c.Why}}
		if !c.Open() {
			e.Kind, e.Detail = EventCaseAnswered, map[string]string{"kind": string(c.Kind), "answer": c.Answer, "reason": c.Reason}
		}
		if c.Identity != "" {
			e.Detail["identity"] = string(c.Identity)
		}
		lines, jobs = append(lines, e), append(jobs, showCase(c.ID))
	}
	return lines, jobs
}

// settledItself returns the case, which nobody needs to answer any more.
func (c Case) settledItself(why string, now time.Time) Case {
	c.Answer, c.Reason, c.AnsweredAt = AnswerMoot, why, now
	c.Revision++
	return c
}

// moot returns why the case needs no answer any more, or "".
func (r registering) moot(c Case) string {
	said, ended := r.is.Says[c.Source], r.is.Person.Status == StatusEnded
	switch c.Kind {
	case CasePerson:
		if c.Key == r.fact.SourceKey() && c.Source == r.fact.Source && r.fact.Kind == FactState {
			return fmt.Sprintf("%s says by now who it is: %s.", c.Source, r.is.Person.Label())
		}
	case CaseSuspended:
		switch {
		case ended:
			return "They have left."
		case said.Status.Status != StatusSuspended && said.Status.Status != StatusEnded:
			return fmt.Sprintf("%s says that they are %s.", c.Source, said.Status.Status)
		}
	case CaseAbsent:
		switch {
		case ended:
			return "They have left."
		case said.Absent() == 0:
			return fmt.Sprintf("%s has them again.", c.Source)
		}
	case CaseReturn:
		switch {
		case !ended:
			return "They are back."
		case said.Status.Status != StatusActive:
			return fmt.Sprintf("%s says that they are %s.", c.Source, said.Status.Status)
		}
	case CaseAccount:
	}
	return ""
}

// asks returns what only a person can tell of what the fact said.
func (r registering) asks() []Case {
	was, said := r.was.Says[r.fact.Source], r.is.Says[r.fact.Source]
	ended, person := r.is.Person.Status == StatusEnded, r.is.Says[SourcePeople].Status
	switch {
	case r.again && !ended:
		return nil
	case ended && said.Status.Status == StatusActive && said.Status.Fact == r.fact.ID && said.Status.At.After(r.over()):
		return []Case{r.returnCase()}
	case ended:
		return nil
	case said.contradicts(person) && said.Status.Fact == r.fact.ID:
		return []Case{r.contradictedCase(person)}
	case r.fact.Kind == FactAbsent && said.Absent() >= askAbsent:
		return []Case{r.absentCase(said)}
	case r.fact.Piecemeal && said.Status.Status == StatusSuspended && was.Status.Status != StatusSuspended:
		return []Case{r.suspendedCase(said)}
	default:
		return nil
	}
}

func (r registering) ask(kind CaseKind, what ...string) Case {
	return Case{
		ID: CaseIDFor(kind, append([]string{string(r.is.ID), r.fact.Source}, what...)...), Kind: kind, Revision: 1,
		Source: r.fact.Source, Fact: r.fact.ID, Identity: r.is.ID, Label: r.is.described(), OpenedAt: r.now,
	}
}

func (r registering) suspendedCase(said Statement) Case {
	c := r.ask(CaseSuspended, string(said.Status.Fact))
	c.Why = fmt.Sprintf("%s does not count %s active any more. That can mean that they have left, and as well that they were only taken out of its scope. Nothing was taken from them.", c.Source, r.is.Person.Label())
	c.Options = haveLeft(r.is.Person.Label())
	return c
}

// contradicts reports whether the source has said anew of a spell that it is over,
// after a person has said that another had begun since.
func (s Statement) contradicts(person StatusWord) bool {
	return s.Status.Status == StatusEnded && person.Begins.After(s.Status.Over.Ended) && s.Status.At.After(person.Begins)
}

// contradictedCase asks about somebody whom a source goes on calling gone after a
// person has said that they are not.
func (r registering) contradictedCase(person StatusWord) Case {
	c := r.ask(CaseSuspended, "contradicted", person.Begins.UTC().Format(time.RFC3339Nano))
	who := r.is.Person.Label()
	c.Why = fmt.Sprintf("%s says once more that %s has left, but on %s Security said that they have not. Nothing was taken from them.", c.Source, who, person.Begins.UTC().Format("2 Jan 2006"))
	c.Options = haveLeft(who)
	return c
}

func (r registering) absentCase(said Statement) Case {
	c := r.ask(CaseAbsent, string(said.Fact), said.At.UTC().Format(time.RFC3339Nano))
	c.Why = fmt.Sprintf("%d whole snapshots of %s in a row do not have %s. Nothing was taken from them.", said.Absent(), c.Source, r.is.Person.Label())
	c.Options = haveLeft(r.is.Person.Label())
	return c
}

func haveLeft(who string) []CaseOption {
	return []CaseOption{
		{Answer: AnswerLeft, Label: "They have left", Effect: who + " is taken out as any leaver is: contained at once, handed over, and deleted after the hold."},
		{Answer: AnswerStays, Label: "They have not left", Effect: "Nothing is taken from " + who + "."},
	}
}

// over returns when their last spell ended.
func (r registering) over() time.Time {
	over := r.is.lastSpell(r.now).Ended
	if end := r.is.Person.lastDay(); end.After(over) && !end.After(r.now) {
		over = end
	}
	return over
}

func (r registering) returnCase() Case {
	over := r.over()
	c := r.ask(CaseReturn, over.UTC().Format(time.RFC3339Nano))
	who := r.is.Person.Label()
	c.Why = fmt.Sprintf("%s says that %s is active again, but they ended on %s, and it gives no newer first day. Nothing was changed.", c.Source, who, over.UTC().Format("2 Jan 2006"))
	c.Options = []CaseOption{
		{Answer: AnswerBack, Label: "They are back", Effect: who + " joins anew, and is asked about as any joiner. Only what their leaving took, to the same work, is given back."},
		{Answer: AnswerStays, Label: "They are not", Effect: "They stay ended, until a source gives a new first day."},
	}
	return c
}
