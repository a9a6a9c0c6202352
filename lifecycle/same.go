package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A MergeOrder says that two identities are one person: Keep stays, and is also
// what every source calls Gone.
type MergeOrder struct {
	By         Identity
	Keep, Gone IdentityID
	Reason     string
	Via        Via
}

// A SplitOrder says that whom Source means is somebody else than the identity.
type SplitOrder struct {
	By       Identity
	Identity IdentityID
	Source   string
	Reason   string
	Via      Via
}

// Merge makes one identity of two and returns it. It is a Refusal where both have
// an account or a Slack user of their own, where the policy names the one that
// would be gone, and where whoever is here would be taken for somebody who left.
func (m *Matcher) Merge(ctx context.Context, o MergeOrder) (Identity, error) {
	reason, err := reasonGiven(o.Reason, true)
	if err != nil {
		return Identity{}, err
	}
	keep, err := m.whole(ctx, o.Keep)
	if err != nil {
		return keep, err
	}
	gone, err := m.whole(ctx, o.Gone)
	if err != nil {
		return keep, err
	}
	by, err := m.may(ctx, o.By, keep, gone)
	if err != nil {
		return keep, err
	}
	policy, err := m.policies.Current(ctx)
	if err != nil {
		return keep, fmt.Errorf("read the policy in force: %w", err)
	}
	is, err := keep.with(gone, policy, m.now())
	if err != nil {
		return keep, err
	}
	p := People{Identities: []Identity{gone.mergedInto(keep.ID), is}}
	before := keep.Person
	if gone.Account != "" || !keep.Sourced() {
		before = gone.Person
	}
	next := p.tells(len(p.Identities)-1, before, "merge "+string(gone.ID), m.now())
	if len(next) == 0 { // what was planned of the one has not seen what the other has
		next = is.planned()
	}
	next = append(append(next, gone.planned()...), is.ends(m.now())...) // of who is no more nothing is asked any more
	line := orderLine{by: by.ID, at: m.now(), reason: reason, via: o.Via}
	lines, jobs, err := m.settles(ctx, &p, line, gone, fmt.Sprintf("%s was found to be %s.", gone.Person.Label(), is.Person.Label()), func(Case) bool { return true })
	if err != nil {
		return keep, err
	}
	lines = append(lines, line.event(EventIdentityMerged, is.ID, map[string]string{
		"gone": string(gone.ID), "keys": gone.described(), "account": string(gone.Account),
	}))
	if err := m.store.SavePeople(ctx, p, lines, append(next, jobs...)...); err != nil {
		return keep, busy(fmt.Errorf("merge identity %s into %s: %w", gone.ID, keep.ID, err))
	}
	return p.Identities[1], nil
}

// with returns the identity with all that the other one is, or a Refusal.
func (i Identity) with(o Identity, p Policy, now time.Time) (Identity, error) {
	email := o.Person.Email()
	switch {
	case i.ID == o.ID:
		return i, Refuse(ErrConflict, "they are one already")
	case i.Account != "" && o.Account != "":
		return i, Refuse(ErrConflict, "both have a PagerDuty account: %s is %s's and %s is %s's. Have one of them removed first.", i.Account, i.Person.Label(), o.Account, o.Person.Label())
	case i.Slack != "" && o.Slack != "":
		return i, Refuse(ErrConflict, "both are linked to a Slack user: %s and %s. Link the right one to both first.", i.Slack, o.Slack)
	case email != i.Person.Email() && slices.Contains(p.People(), email):
		return i, Refuse(ErrConflict, "the policy names %s; name them by %s there first, or merge the other way round", email, i.Person.Email())
	}
	is := i
	is.Revision++
	is.Account, is.Slack = AccountID(either(string(i.Account), string(o.Account))), SlackID(either(string(i.Slack), string(o.Slack)))
	is.joinSays(o)
	is.joinPast(o, p.Reserve, now)
	is.Person, is.From = Derive(is.Says, p.Sources, now)
	if !is.Sourced() {
		is.Person, is.From = i.Person, i.From
	}
	if is.Person.Status == StatusEnded && (i.StatusAt(now) != StatusEnded || o.StatusAt(now) != StatusEnded) {
		return i, Refuse(ErrConflict, "as one person they would have left: one of them has ended on %s, and no source gives a first day after that. Have a source give one, or say who has left first.",
			is.lastSpell(now).Ended.UTC().Format("2 Jan 2006"))
	}
	return is, nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// joinSays takes over what sources say of the other one. Where one source has
// both, as two records, the one that it has spoken of last counts.
func (i *Identity) joinSays(o Identity) {
	i.Says, i.Keys, i.Also = i.statements(""), maps.Clone(i.Keys), append(slices.Clone(i.Also), o.Also...)
	if i.Keys == nil {
		i.Keys = map[string]string{}
	}
	theirs := o.statements("")
	for source, said := range theirs {
		key, known := o.Keys[source]
		mine, both := i.Says[source]
		switch {
		case both && !said.At.After(mine.At):
			i.Says[source] = mine.after(said)
			if known {
				i.Also = append(i.Also, SourceKey{source, key})
			}
			continue
		case both:
			said = said.after(mine)
			if old := i.Keys[source]; old != "" {
				i.Also = append(i.Also, SourceKey{source, old})
			}
		}
		i.Says[source] = said
		if known {
			i.Keys[source] = key
		}
	}
}

// after returns the statement, which takes the place of the other one.
func (s Statement) after(o Statement) Statement {
	s.Over = later(s.Over, o.Over)
	if o.Status.Status == StatusEnded {
		s.Over = later(s.Over, o.Status.Over)
	}
	return s
}

// joinPast takes over what the other one had.
func (i *Identity) joinPast(o Identity, reserve time.Duration, now time.Time) {
	i.Spells = append(slices.Clone(i.Spells), o.Spells...)
	slices.SortFunc(i.Spells, func(a, b Spell) int { return a.Ended.Compare(b.Ended) })
	i.Not = append(slices.Clone(i.Not), o.Not...)
	i.Not = slices.DeleteFunc(i.Not, func(a AccountID) bool { return a == i.Account })
	i.Former = append(slices.Clone(i.Former), o.Former...)
	if email := o.Person.Email(); email != "" && email != i.Person.Email() && reserve > 0 {
		i.Former = append(i.Former, FormerAddress{Email: email, Until: now.Add(reserve)})
	}
	if o.Observed.After(i.Observed) {
		i.Observed, i.Fact = o.Observed, o.Fact
	}
	i.Moving = nil
}

// mergedInto returns what is left of the identity.
func (i Identity) mergedInto(keep IdentityID) Identity {
	return Identity{
		ID: i.ID, Revision: i.Revision + 1, Keys: map[string]string{}, Person: Person{Name: i.Person.Label(), Status: StatusEnded},
		Observed: i.Observed, Fact: i.Fact, Merged: keep,
	}
}

// tells adds the notice that the change of the k-th identity is, if it is one, and
// returns the step that plans it.
func (p *People) tells(k int, before Person, moment string, now time.Time) []Job {
	is := &p.Identities[k]
	kind, ok := Classify(before, is.Person)
	if !ok || !is.Sourced() {
		return nil
	}
	n := Notice{
		ID: NoticeIDFor(NoticeID(fmt.Sprintf("%s %d", is.ID, is.Revision)), moment), Kind: kind, Identity: is.ID, Source: SourcePeople,
		Before: before, After: is.Person, At: now,
	}
	is.Notice = n.ID
	p.Notices = append(p.Notices, n)
	return is.planned()
}

// Split makes somebody of their own of whom the source means, and returns them.
// It is a Refusal where the source says nothing of the identity, or nobody else
// does, and where both would have one address.
func (m *Matcher) Split(ctx context.Context, o SplitOrder) (Identity, error) {
	reason, err := reasonGiven(o.Reason, true)
	if err != nil {
		return Identity{}, err
	}
	was, err := m.whole(ctx, o.Identity)
	if err != nil {
		return was, err
	}
	by, err := m.may(ctx, o.By, was)
	if err != nil {
		return was, err
	}
	policy, err := m.policies.Current(ctx)
	if err != nil {
		return was, fmt.Errorf("read the policy in force: %w", err)
	}
	rest, other, err := was.apart(o.Source, policy, m.now())
	if err != nil {
		return was, err
	}
	p := People{Identities: []Identity{rest, other}}
	next := p.tells(0, was.Person, "split", m.now())
	next = append(next, p.tells(1, Person{Status: StatusEnded}, "split", m.now())...)
	next = append(append(next, rest.ends(m.now())...), other.ends(m.now())...)
	line := orderLine{by: by.ID, at: m.now(), reason: reason, via: o.Via}
	lines, jobs, err := m.settles(ctx, &p, line, was, fmt.Sprintf("%s was found to mean somebody else: %s.", o.Source, other.Person.Label()), func(c Case) bool { return c.Source == o.Source })
	if err != nil {
		return was, err
	}
	lines = append(lines, line.event(EventIdentitySplit, other.ID, map[string]string{
		"from": string(was.ID), "source": o.Source, "key": was.Keys[o.Source],
	}))
	if err := m.store.SavePeople(ctx, p, lines, append(next, jobs...)...); err != nil {
		return was, busy(fmt.Errorf("split identity %s: %w", was.ID, err))
	}
	return p.Identities[1], nil
}

// apart returns the identity without what the source says, and whom that is of.
func (i Identity) apart(source string, p Policy, now time.Time) (rest, other Identity, err error) {
	says := i.statements("")
	key := i.Keys[source]
	said, speaks := says[source]
	if source == "" {
		return i, i, Refuse(ErrInvalid, "say which source means somebody else; %s is known by %s", i.Person.Label(), listOr(slices.Sorted(maps.Keys(i.Keys)), "no source"))
	}
	if key == "" || !speaks {
		return i, i, Refuse(ErrNotFound, "%s knows nobody by that name; %s is known by %s", source, i.Person.Label(), listOr(slices.Sorted(maps.Keys(i.Keys)), "no source"))
	}
	if len(i.Keys) < 2 {
		return i, i, Refuse(ErrConflict, "%s is known by %s alone: there is nobody else to tell them from", i.Person.Label(), source)
	}
	rest, other = i, Identity{ID: NewIdentityID(), Revision: 1, Keys: map[string]string{source: key}, Says: map[string]Statement{source: said}, Observed: i.Observed}
	rest.Revision++
	rest.Keys, rest.Says = maps.Clone(i.Keys), says
	delete(rest.Keys, source)
	delete(rest.Says, source)
	rest.Person, rest.From = Derive(rest.Says, p.Sources, now)
	other.Person, other.From = Derive(other.Says, p.Sources, now)
	mine := func(k SourceKey) bool { return k.Source == source }
	other.Also = slices.DeleteFunc(slices.Clone(i.Also), func(k SourceKey) bool { return !mine(k) })
	rest.Also = slices.DeleteFunc(slices.Clone(i.Also), mine)
	if email := other.Person.Email(); email == rest.Person.Email() {
		switch {
		case rest.Person.Status == StatusEnded:
			rest = rest.without(email, p.Reserve, now)
			rest.Revision--
		case other.Person.Status == StatusEnded:
			other = other.without(email, 0, now)
			other.Revision = 1
		default:
			return i, i, Refuse(ErrConflict, "by what %s say, both have the address %s. Have it corrected in one of the sources first.", strings.Join(slices.Sorted(maps.Keys(i.Keys)), " and "), email)
		}
	}
	return rest, other, nil
}
