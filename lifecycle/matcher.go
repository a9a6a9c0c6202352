package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MatcherStore is where people say who is who.
type MatcherStore interface {
	FactStore
	PeopleStore
	// Fact returns the fact, or ErrNotFound.
	Fact(ctx context.Context, id NoticeID) (Fact, error)
	// Baseline returns every account as the last whole roll call, or a verified
	// change since, left it.
	Baseline(ctx context.Context) ([]Account, error)
	// IdentityBySlack returns the identity that is pinned to the Slack user, or ErrNotFound.
	IdentityBySlack(ctx context.Context, id SlackID) (Identity, error)
}

// A Matcher is where Security answers what only a person can tell: who is who.
type Matcher struct {
	store    MatcherStore
	inbox    *Inbox
	policies PolicySource
	now      func() time.Time
}

// NewMatcher returns a matcher over store.
func NewMatcher(store MatcherStore, policies PolicySource, now func() time.Time) *Matcher {
	return &Matcher{store: store, inbox: NewInbox(store, now), policies: policies, now: now}
}

// Open returns the cases that wait for an answer, the oldest first.
func (m *Matcher) Open(ctx context.Context) ([]Case, error) {
	open, err := m.store.Cases(ctx)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return open, nil
}

// Case returns the case; one that there is not is a Refusal.
func (m *Matcher) Case(ctx context.Context, id CaseID) (Case, error) {
	c, err := m.store.Case(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return c, Refuse(ErrNotFound, "There is no case %s.", id)
	case err != nil:
		return c, fmt.Errorf("load case %s: %w", id, err)
	default:
		return c, nil
	}
}

// Answer records what somebody of Security says, and returns the case as it
// stands after it. An answer that does not count is a Refusal whose reason is for
// the person who gave it, and the case is returned as it is: one from somebody
// else, about themselves, to a case that is answered already or has changed since
// they looked, one that the case does not offer, or one without the reason that it
// needs.
func (m *Matcher) Answer(ctx context.Context, a CaseAnswer) (Case, error) {
	reason, err := reasonGiven(a.Reason, false)
	if err != nil {
		return Case{}, err
	}
	a.Reason = reason
	for range decideTries {
		was, err := m.Case(ctx, a.Case)
		if err != nil {
			return Case{}, err
		}
		by, err := m.mayAnswer(ctx, was, a.By)
		if err != nil {
			return was, m.refused(ctx, string(was.ID), a.By, err)
		}
		is, err := was.answered(a, by, m.now())
		if err != nil {
			return was, err
		}
		e := AuditEvent{At: m.now(), Actor: ByIdentity(by.ID), Kind: EventCaseAnswered, Ref: string(is.ID), Detail: map[string]string{
			"kind": string(is.Kind), "answer": is.Answer, "reason": is.Reason, "via": string(is.Via), "identity": string(is.Identity),
		}}
		err = m.store.SaveCase(ctx, is, e, showCase(is.ID), is.follows())
		if err == nil {
			return is, nil
		}
		if !errors.Is(err, ErrConflict) {
			return was, fmt.Errorf("save case %s: %w", is.ID, err)
		}
	}
	return Case{}, Refuse(ErrConflict, "others are answering this at the same moment; look again and retry")
}

// follows is the step by which the answer takes effect: the fact of which it was
// asked whom it means is looked at again.
func (c Case) follows() Job {
	if c.Kind == CasePerson {
		return Job{Kind: JobRegister, Ref: string(c.Fact)}
	}
	return Job{Kind: JobAnswer, Ref: string(c.ID)}
}

// answered returns the case with the answer, or a Refusal that says why it does not count.
func (c Case) answered(a CaseAnswer, by Identity, now time.Time) (Case, error) {
	switch {
	case c.Answer == AnswerMoot:
		return c, Refuse(ErrConflict, "this has settled itself: %s", c.Reason)
	case !c.Open():
		return c, Refuse(ErrConflict, "this was answered already by %s", c.By)
	case a.Seen > c.Revision:
		return c, Refuse(ErrConflict, "revision %d of this case does not exist; it is at %d", a.Seen, c.Revision)
	case a.Seen < c.Revision:
		return c, Refuse(ErrConflict, "This has changed since you looked: %s has said something newer. Look again, and answer that.", c.Source)
	}
	if !slices.ContainsFunc(c.Options, func(o CaseOption) bool { return o.Answer == a.Answer }) {
		offered := make([]string, len(c.Options))
		for i, o := range c.Options {
			offered[i] = o.Answer
		}
		return c, Refuse(ErrInvalid, "%q is no answer to this; there is %s", a.Answer, listOr(offered, "none"))
	}
	if c.AsksReason(a.Answer) && a.Reason == "" {
		return c, Refuse(ErrInvalid, "say how you know: this answer needs a reason, and it is kept on the record")
	}
	c.Answer, c.AnsweredAt, c.By, c.ByID, c.Reason, c.Via = a.Answer, now, by.Person.Email(), by.ID, a.Reason, a.Via
	c.Revision++
	return c, nil
}

// mayAnswer returns who answers, as they are known now, or a Refusal: they must be
// of Security, and the case must not be about themselves.
func (m *Matcher) mayAnswer(ctx context.Context, c Case, by Identity) (Identity, error) {
	by, err := m.security(ctx, by)
	if err != nil {
		return by, err
	}
	about, err := m.about(ctx, c)
	if err != nil {
		return by, err
	}
	own := slices.ContainsFunc(c.Options, func(o CaseOption) bool { return by.Account != "" && o.Answer == string(by.Account) })
	if own || slices.ContainsFunc(about, by.is) {
		return by, ownSelf()
	}
	return by, nil
}

func ownSelf() error {
	return Refuse(ErrForbidden, "no one decides who they are themselves; somebody else of Security must")
}

// about returns everybody whom the case may be about.
func (m *Matcher) about(ctx context.Context, c Case) ([]Identity, error) {
	var about []Identity
	ids := []IdentityID{c.Identity}
	if c.Kind == CasePerson {
		f, err := m.store.Fact(ctx, c.Fact)
		if err != nil {
			return nil, fmt.Errorf("load fact %s: %w", c.Fact, err)
		}
		about = append(about, Identity{Person: f.Person})
		for _, o := range c.Options {
			ids = append(ids, IdentityID(o.Answer))
		}
	}
	for _, id := range ids {
		if !strings.HasPrefix(string(id), "idn_") {
			continue
		}
		i, err := m.store.Identity(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("load identity %s: %w", id, err)
		}
		about = append(about, i)
	}
	return about, nil
}

// security returns the person as they are known now, or a Refusal when they are
// not of Security. What the caller believes of them counts for nothing but their id.
func (m *Matcher) security(ctx context.Context, by Identity) (Identity, error) {
	policy, err := m.policies.Current(ctx)
	if err != nil {
		return by, fmt.Errorf("read the policy in force: %w", err)
	}
	email := by.Person.Email()
	known, err := m.store.IdentitiesByEmail(ctx, email)
	if err != nil {
		return by, fmt.Errorf("look up who decides: %w", err)
	}
	if len(known) != 1 || known[0].ID != by.ID || !slices.Contains(policy.Security.Members, email) ||
		!known[0].MayDecide(m.now()) || !policy.MayDecideFrom(email) {
		return by, Refuse(ErrForbidden, "Only Security can say who is who: %s.", listOr(policy.Security.Members, "nobody"))
	}
	return known[0], nil
}

// refused puts an attempt by somebody who may not decide on the record.
func (m *Matcher) refused(ctx context.Context, ref string, by Identity, err error) error {
	if !errors.Is(err, ErrForbidden) {
		return err
	}
	e := AuditEvent{At: m.now(), Actor: ByIdentity(by.ID), Kind: EventRequestRefused, Ref: ref, Detail: map[string]string{"why": ReasonOf(err)}}
	if recErr := m.store.Record(ctx, e); recErr != nil {
		return fmt.Errorf("record refusal on %s: %w", ref, recErr)
	}
	return err
}

// reasonGiven returns the reason as it is kept, or a Refusal.
func reasonGiven(reason string, needed bool) (string, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case len([]rune(reason)) > reasonLength:
		return "", Refuse(ErrInvalid, "the reason is longer than %d characters", reasonLength)
	case needed && reason == "":
		return "", Refuse(ErrInvalid, "give a reason; it is kept on the record")
	default:
		return reason, nil
	}
}
