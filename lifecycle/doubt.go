package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contradicts returns why the fact may speak of somebody else than who has its
// address, in a sentence, or "".
func contradicts(f Fact, i Identity, now time.Time) string {
	key, of := i.Keys[f.Source]
	number := i.Person.EmployeeID
	switch {
	case of:
		return knownAs(f, key)
	case f.Person.guest(), i.Sourced() && f.Person.Employment == Vendor && i.Person.Employment != "" && i.Person.Employment != Vendor:
		return fmt.Sprintf("They are a guest, and have the address of %s.", i.Person.Label())
	case i.Sourced() && f.Person.EmployeeID != "" && number != "" && f.Person.EmployeeID != number:
		return fmt.Sprintf("Their employee number is %s, and that of %s, who has the same address, is %s.", f.Person.EmployeeID, i.Person.Label(), number)
	case i.StatusAt(now) == StatusEnded && f.Person.Status == StatusActive:
		return fmt.Sprintf("%s, who had the address %s, has left.", i.Person.Label(), f.Person.Email())
	default:
		return ""
	}
}

// personDoubt asks whom the fact speaks of.
func personDoubt(f Fact, why string, near []Identity, now time.Time) Case {
	c := newDoubt(f, near, now)
	c.Why = fmt.Sprintf("%s tells of %s. %s Nothing follows until somebody says who it is.", f.Source, f.said(), why)
	for _, i := range near {
		c.Options = append(c.Options, CaseOption{
			Answer: string(i.ID), Label: i.described(),
			Effect: fmt.Sprintf("What %s says counts for %s from now on.", f.Source, i.Person.Label()),
		})
	}
	if active := activeWith(f.Person.Email(), near, now); active == "" {
		c.Options = append(c.Options, CaseOption{
			Answer: AnswerNew, Label: "Somebody else", Effect: fmt.Sprintf("They become somebody new, with the address %s.", f.Person.Email()),
		})
	}
	c.Options = append(c.Options, nothing(f))
	return c
}

// knownAs says that the source knows who has the address by another key.
func knownAs(f Fact, key string) string {
	return fmt.Sprintf("%s knows somebody else with the address %s, as %s.", f.Source, f.Person.Email(), key)
}

// recordDoubt asks whether a record of which the source says the status alone is
// another one of who has its address. It makes nobody known.
func recordDoubt(f Fact, key string, i Identity, now time.Time) Case {
	c := personDoubt(f, knownAs(f, key), []Identity{i}, now)
	c.Options = slices.DeleteFunc(c.Options, func(o CaseOption) bool { return o.Answer == AnswerNew })
	return c
}

// addressDoubt asks whether the address is theirs whom the fact speaks of.
func addressDoubt(f Fact, who Identity, others, sharing []Identity, now time.Time) Case {
	c := newDoubt(f, others, now)
	c.Identity, c.Label = who.ID, who.Person.Label()
	belongs := "was until not long ago the address of"
	if len(sharing) > 0 {
		belongs = "belongs to"
	}
	c.Why = fmt.Sprintf("%s says that %s has the address %s, which %s %s. Neither was changed: a person must say whose it is.",
		f.Source, f.said(), f.Person.Email(), belongs, others[0].described())
	if activeWith(f.Person.Email(), sharing, now) == "" {
		c.Options = append(c.Options, CaseOption{
			Answer: string(who.ID), Label: "It is the address of " + who.Person.Label() + " now",
			Effect: fmt.Sprintf("%s gets the address %s, and whoever had it loses it.", who.Person.Label(), f.Person.Email()),
		})
	}
	c.Options = append(c.Options, CaseOption{
		Answer: AnswerNone, Label: "It is not: " + f.Source + " is mistaken",
		Effect: who.Person.Label() + " keeps the address that they have; whatever else is said of them counts. Have it corrected at " + f.Source + ".",
	})
	return c
}

// newDoubt is the question about the fact. It is asked once about what the same
// key, address and people leave in doubt.
func newDoubt(f Fact, near []Identity, now time.Time) Case {
	what := []string{f.Source, f.SourceKey(), f.Person.Email()}
	for _, i := range near {
		what = append(what, string(i.ID))
	}
	slices.Sort(what[3:])
	return Case{
		ID: CaseIDFor(CasePerson, what...), Kind: CasePerson, Revision: 1, Source: f.Source, Key: f.SourceKey(), Fact: f.ID,
		Label: f.Person.Label(), Options: []CaseOption{}, OpenedAt: now,
	}
}

func nothing(f Fact) CaseOption {
	return CaseOption{
		Answer: AnswerNone, Label: "Neither: " + f.Source + " is mistaken",
		Effect: "Nothing comes of this, until " + f.Source + " says something else. Have it corrected there.",
	}
}

// activeWith returns who has the address and has not left: an address of theirs
// is not given away, because it is by addresses that the policy says who decides.
func activeWith(email string, all []Identity, now time.Time) IdentityID {
	for _, i := range all {
		if i.Person.Email() == email && i.StatusAt(now) != StatusEnded {
			return i.ID
		}
	}
	return ""
}

// said names whom the fact speaks of, as its source does.
func (f Fact) said() string {
	label := f.Person.Label()
	if f.SourceKey() != "" && f.SourceKey() != label {
		label += " (" + f.SourceKey() + ")"
	}
	return label
}

// described says who somebody is: by name, address and every source's key.
func (i Identity) described() string {
	words := []string{i.Person.Label()}
	if email := i.Person.Email(); email != words[0] {
		words = append(words, email)
	}
	for _, source := range slices.Sorted(maps.Keys(i.Keys)) {
		words = append(words, i.Keys[source]+" at "+source)
	}
	if i.Person.Status == StatusEnded {
		words = append(words, "has left")
	}
	return strings.Join(words, ", ")
}

// resolve does what a person said of the doubt, or leaves it to be asked. A doubt
// that had settled itself and comes up again is another question.
func (g *Registrar) resolve(ctx context.Context, m meaning, doubt Case, sharing []Identity) (meaning, error) {
	first := doubt.ID
	stands, err := g.store.Case(ctx, first)
	for k := 2; err == nil && stands.Answer == AnswerMoot; k++ {
		doubt.ID = CaseIDFor(doubt.Kind, string(first), strconv.Itoa(k))
		stands, err = g.store.Case(ctx, doubt.ID)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		m.doubt = &doubt
		return m, nil
	case err != nil:
		return m, fmt.Errorf("load case %s: %w", doubt.ID, err)
	case stands.Open():
		m.doubt = &stands
		return m, nil
	}
	return g.settled(ctx, m, stands, sharing)
}

// settled is whom the fact is about by the answer to the case.
func (g *Registrar) settled(ctx context.Context, m meaning, c Case, sharing []Identity) (meaning, error) {
	switch {
	case c.Answer == AnswerNone && m.who.ID != "":
		m.fact = m.keepsAddress()
		return m, nil
	case c.Answer == AnswerNone:
		m.nobody = fmt.Sprintf("is mistaken, as %s said of case %s", c.By, c.ID)
		return m, nil
	case c.Answer == AnswerNew:
		m.who = Identity{ID: NewIdentityID()}
	default:
		var err error
		if m.who, err = g.identity(ctx, IdentityID(c.Answer)); err != nil {
			return m, err
		}
	}
	for _, i := range sharing {
		if i.ID != m.who.ID {
			m.gives = append(m.gives, i.without(m.fact.Person.Email(), g.policies.Written().Reserve, g.now()))
		}
	}
	return m, nil
}

// keepsAddress is the fact as it counts where the address that it gives them is not theirs.
func (m meaning) keepsAddress() Fact {
	f, email := m.fact, m.fact.Person.Email()
	f.Person.Emails = slices.DeleteFunc(slices.Clone(m.who.Person.Emails), func(e string) bool { return FoldEmail(e) == email })
	return f
}

// without returns the identity after it gave the address up.
func (i Identity) without(email string, reserve time.Duration, now time.Time) Identity {
	drop := func(emails []string) []string {
		return slices.DeleteFunc(slices.Clone(emails), func(e string) bool { return FoldEmail(e) == email })
	}
	i.Person.Emails = drop(i.Person.Emails)
	i.Says = maps.Clone(i.Says)
	for source, s := range i.Says {
		s.Person.Emails = drop(s.Person.Emails)
		i.Says[source] = s
	}
	i.Former = slices.DeleteFunc(slices.Clone(i.Former), func(a FormerAddress) bool { return a.Email == email })
	if reserve > 0 {
		i.Former = append(i.Former, FormerAddress{Email: email, Until: now.Add(reserve)})
	}
	i.Revision++
	return i
}
