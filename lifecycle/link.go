package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A LinkOrder says which PagerDuty account, or which Slack user, is somebody's.
type LinkOrder struct {
	By       Identity
	Identity IdentityID
	Account  AccountID // or Slack
	Slack    SlackID
	Reason   string
	Via      Via
}

// orderLine is who gave an order, for its line in the trail.
type orderLine struct {
	by     IdentityID
	at     time.Time
	reason string
	via    Via
}

func (o orderLine) event(kind EventKind, ref IdentityID, detail map[string]string) AuditEvent {
	detail["reason"], detail["via"] = o.reason, string(o.via)
	return AuditEvent{At: o.at, Actor: ByIdentity(o.by), Kind: kind, Ref: string(ref), Detail: detail}
}

// Link ties the account, or the Slack user, to the identity, and takes it from
// whoever had it; it returns the identity after that. It is a Refusal where the
// order is not of Security, is about themselves, or gives no reason, and where
// somebody who has left would get the account of somebody who has not.
func (m *Matcher) Link(ctx context.Context, o LinkOrder) (Identity, error) {
	reason, err := reasonGiven(o.Reason, true)
	if err != nil {
		return Identity{}, err
	}
	if (o.Account == "") == (o.Slack == "") {
		return Identity{}, Refuse(ErrInvalid, "say one of them: a PagerDuty account or a Slack user")
	}
	who, err := m.whole(ctx, o.Identity)
	if err != nil {
		return who, err
	}
	holder, err := m.holder(ctx, o)
	if err != nil {
		return who, err
	}
	by, err := m.may(ctx, o.By, who, holder)
	if err != nil {
		return who, err
	}
	if o.Slack != "" && by.Slack == o.Slack || o.Account != "" && by.Account == o.Account {
		return who, m.refused(ctx, string(who.ID), by, ownSelf())
	}
	if err := m.seen(ctx, o.Account); err != nil {
		return who, err
	}
	if err := m.here(ctx, who, holder, o.Account); err != nil {
		return who, err
	}
	line := orderLine{by: by.ID, at: m.now(), reason: reason, via: o.Via}
	if o.Slack != "" {
		err = m.linkSlack(ctx, who, holder, o.Slack, line)
	} else {
		err = m.link(ctx, who, o.Account, line)
	}
	if err != nil {
		return who, busy(err)
	}
	return m.whole(ctx, who.ID)
}

// seen returns a Refusal of an account that PagerDuty did not have at the last roll
// call: a slip of the keyboard would part somebody from their own. Before the first
// roll call nothing is known of any.
func (m *Matcher) seen(ctx context.Context, id AccountID) error {
	if id == "" {
		return nil
	}
	accounts, err := m.store.Baseline(ctx)
	if err != nil {
		return fmt.Errorf("load the last roll call: %w", err)
	}
	if len(accounts) > 0 && !slices.ContainsFunc(accounts, func(a Account) bool { return a.ID == id }) {
		return Refuse(ErrNotFound, "PagerDuty had no account %s at the last roll call. If it was made since, call the roll first: `rolecall reconcile`.", id)
	}
	return nil
}

// here returns a Refusal where the account, which would be contained at once
// because who has left would have it, is that of somebody who has not.
func (m *Matcher) here(ctx context.Context, who, holder Identity, account AccountID) error {
	if account == "" || who.StatusAt(m.now()) != StatusEnded {
		return nil
	}
	others := []Identity{holder}
	if holder.ID == "" {
		var err error
		if others, err = m.addressed(ctx, account); err != nil {
			return err
		}
	}
	for _, i := range others {
		if i.ID != "" && i.ID != who.ID && i.StatusAt(m.now()) != StatusEnded && !slices.Contains(i.Not, account) {
			return Refuse(ErrConflict, "%s has left, and would be contained at once; the account %s is that of %s, who has not left. Link %s to their own account first.",
				who.Person.Label(), account, i.Person.Label(), i.Person.Label())
		}
	}
	return nil
}

// addressed returns who has the address of the account, and no other account.
func (m *Matcher) addressed(ctx context.Context, account AccountID) ([]Identity, error) {
	accounts, err := m.store.Baseline(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the last roll call: %w", err)
	}
	k := slices.IndexFunc(accounts, func(a Account) bool { return a.ID == account })
	if k < 0 {
		return nil, nil
	}
	found, err := m.store.IdentitiesByEmail(ctx, FoldEmail(accounts[k].Email))
	if err != nil {
		return nil, fmt.Errorf("look up address: %w", err)
	}
	return slices.DeleteFunc(found, func(i Identity) bool { return i.Account != "" && i.Account != account }), nil
}

// busy makes a Refusal of the conflict with somebody who was faster.
func busy(err error) error {
	if errors.Is(err, ErrConflict) && ReasonOf(err) == "" {
		return Refuse(ErrConflict, "they have changed at the same moment; look again and retry")
	}
	return err
}

// holder returns who has the account or the Slack user now; the zero Identity: nobody.
func (m *Matcher) holder(ctx context.Context, o LinkOrder) (Identity, error) {
	find := func() (Identity, error) { return m.store.IdentityByAccount(ctx, o.Account) }
	if o.Slack != "" {
		find = func() (Identity, error) { return m.store.IdentityBySlack(ctx, o.Slack) }
	}
	i, err := find()
	if errors.Is(err, ErrNotFound) {
		return Identity{}, nil
	}
	return i, wrap("look up whose it is", err)
}

// may returns who gives the order, as they are known now, or a Refusal: they must
// be of Security, and none of those whom it is about.
func (m *Matcher) may(ctx context.Context, by Identity, about ...Identity) (Identity, error) {
	by, err := m.security(ctx, by)
	if err != nil {
		return by, m.refused(ctx, string(about[0].ID), by, err)
	}
	for _, i := range about {
		if i.ID != "" && by.is(i) {
			return by, m.refused(ctx, string(i.ID), by, ownSelf())
		}
	}
	return by, nil
}

func (m *Matcher) linkSlack(ctx context.Context, who, holder Identity, slack SlackID, o orderLine) error {
	if who.Slack == slack {
		return nil
	}
	var p People
	detail := map[string]string{"slack": string(slack)}
	if holder.ID != "" {
		holder.Slack = ""
		holder.Revision++
		p.Identities, detail["from"] = append(p.Identities, holder), string(holder.ID)
	}
	who.Slack = slack
	who.Revision++
	p.Identities = append(p.Identities, who)
	err := m.store.SavePeople(ctx, p, []AuditEvent{o.event(EventIdentityLinked, who.ID, detail)})
	if err != nil {
		return fmt.Errorf("link identity %s: %w", who.ID, err)
	}
	return nil
}
