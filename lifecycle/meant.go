package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A meaning is whom a fact is about.
type meaning struct {
	fact   Fact       // as it counts
	who    Identity   // somebody new, when their revision is 0
	gives  []Identity // those who give up the address to them
	doubt  *Case      // what a person must say first
	nobody string     // why nothing comes of the fact, or ""
	next   []Job
}

// meant returns whom the fact is about: whom its source knows by the key, or else
// the one identity that has the primary address, or else somebody new. Nothing
// but these ties people together; where they contradict each other, and where
// less than these does, a person must say so.
func (g *Registrar) meant(ctx context.Context, f Fact) (meaning, error) {
	if f.Source == SourcePeople {
		who, err := g.identity(ctx, IdentityID(f.Key))
		return meaning{fact: f, who: who}, err
	}
	m := meaning{fact: f}
	var err error
	if key := f.SourceKey(); key != "" {
		m.who, err = g.store.IdentityByKey(ctx, f.Source, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return m, fmt.Errorf("look up %s of %s: %w", key, f.Source, err)
		}
		if now := m.who.Keys[f.Source]; m.who.ID != "" && now != key {
			m.nobody = fmt.Sprintf("%s knows them by %s now; %s is an earlier record of theirs", f.Source, now, key)
			return m, nil
		}
	}
	sharing, err := g.having(ctx, f.Person.Email(), m.who.ID)
	if k := slices.IndexFunc(sharing, func(i Identity) bool { return f.SourceKey() != "" && i.Keys[f.Source] == f.SourceKey() }); k >= 0 {
		m.who = sharing[k] // another fact has made them known since the key was looked up
		sharing = slices.Delete(sharing, k, k+1)
	}
	switch {
	case err != nil:
		return m, err
	case f.Kind != FactState:
		return g.status(ctx, m, sharing)
	case m.who.ID != "":
		return g.known(ctx, m, sharing)
	default:
		return g.stranger(ctx, m, sharing)
	}
}

// identity returns the identity, or whom it turned out to be.
func (g *Registrar) identity(ctx context.Context, id IdentityID) (Identity, error) {
	return turnedOut(ctx, g.store, id)
}

const mergedMost = 5 // somebody is merged once, hardly ever twice

// turnedOut returns the identity, or whom it turned out to be.
func turnedOut(ctx context.Context, store PeopleStore, id IdentityID) (Identity, error) {
	for range mergedMost {
		i, err := store.Identity(ctx, id)
		if err != nil {
			return i, fmt.Errorf("load identity %s: %w", id, err)
		}
		if i.Merged == "" {
			return i, nil
		}
		id = i.Merged
	}
	return Identity{}, fmt.Errorf("identity %s was merged too often: %w", id, ErrNotFound)
}

// having returns whoever else has the primary address.
func (g *Registrar) having(ctx context.Context, email string, but IdentityID) ([]Identity, error) {
	found, err := g.store.IdentitiesByEmail(ctx, email)
	if err != nil {
		return nil, fmt.Errorf("look up address: %w", err)
	}
	return slices.DeleteFunc(found, func(i Identity) bool { return i.ID == but }), nil
}

// status is whose status a fact speaks of that says nothing else. It makes nobody
// known. Whoever its source knows by another key is not taken for them: a record
// that was given up would end who has the address now.
func (g *Registrar) status(ctx context.Context, m meaning, sharing []Identity) (meaning, error) {
	f := m.fact
	switch {
	case m.who.ID != "":
	case f.Kind != FactAbsent && len(sharing) == 1 && !f.Person.guest():
		if key := sharing[0].Keys[f.Source]; key != "" && f.SourceKey() != "" {
			return g.resolve(ctx, m, recordDoubt(f, key, sharing[0], g.now()), nil)
		}
		m.who = sharing[0]
	case len(sharing) > 1 && f.Person.Status != StatusActive:
		m.nobody = fmt.Sprintf("%d people have the address %s", len(sharing), f.Person.Email())
		m.next = []Job{alert(fmt.Sprintf("%s says that %s is %s, but %s. Nothing was changed: a person must look.", f.Source, f.Person.Email(), f.Person.Status, m.nobody))}
	default:
		m.nobody = "speaks of nobody who is known"
	}
	return m, nil
}

// known is somebody whom the source knows already. Only their address may be in
// doubt: it may be, or have been, somebody else's.
func (g *Registrar) known(ctx context.Context, m meaning, sharing []Identity) (meaning, error) {
	email := m.fact.Person.Email()
	if email == m.who.Person.Email() && len(sharing) == 0 {
		return m, nil
	}
	if m.fact.Person.Status == StatusEnded && len(sharing) > 0 { // whose it was matters no more
		m.fact = m.keepsAddress()
		return m, nil
	}
	others := sharing
	if len(others) == 0 {
		var err error
		if others, err = g.formerly(ctx, email, m.who.ID); err != nil || len(others) == 0 {
			return m, err
		}
	}
	return g.resolve(ctx, m, addressDoubt(m.fact, m.who, others, sharing, g.now()), sharing)
}

// stranger is somebody whom the source has not told of before.
func (g *Registrar) stranger(ctx context.Context, m meaning, sharing []Identity) (meaning, error) {
	f := m.fact
	if len(sharing) == 1 {
		if why := contradicts(f, sharing[0], g.now()); why != "" {
			return g.resolve(ctx, m, personDoubt(f, why, sharing, g.now()), sharing)
		}
		m.who = sharing[0]
		return m, nil
	}
	if len(sharing) > 1 {
		return g.resolve(ctx, m, personDoubt(f, fmt.Sprintf("%d people have the address %s.", len(sharing), f.Person.Email()), sharing, g.now()), sharing)
	}
	near, why, err := g.near(ctx, f)
	switch {
	case err != nil:
		return m, err
	case len(near) > 0:
		return g.resolve(ctx, m, personDoubt(f, why, near, g.now()), nil)
	default:
		m.who = Identity{ID: NewIdentityID()}
		return m, nil
	}
}

// near returns who may be meant by somebody new: who had the address before, or
// has one of their other addresses.
func (g *Registrar) near(ctx context.Context, f Fact) ([]Identity, string, error) {
	email := f.Person.Email()
	found, err := g.formerly(ctx, email, "")
	if err != nil || len(found) > 0 {
		return found, fmt.Sprintf("The address %s was somebody else's, and is reserved for them.", email), err
	}
	shared := g.policies.Written().IsShared
	for _, alias := range f.Person.Emails[min(1, len(f.Person.Emails)):] {
		if alias = FoldEmail(alias); alias == "" || alias == email || shared(alias) {
			continue
		}
		if found, err = g.having(ctx, alias, ""); err != nil || len(found) > 0 {
			return found, fmt.Sprintf("Their second address %s is the address of somebody who is known.", alias), err
		}
	}
	return nil, "", nil
}

func (g *Registrar) formerly(ctx context.Context, email string, but IdentityID) ([]Identity, error) {
	found, err := g.store.IdentitiesFormerly(ctx, email, g.now())
	if err != nil {
		return nil, fmt.Errorf("look up whose address it was: %w", err)
	}
	return slices.DeleteFunc(found, func(i Identity) bool { return i.ID == but || i.Merged != "" }), nil
}
