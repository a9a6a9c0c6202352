package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveIdentity stores i, and n unless it is nil, with what the breaker counts of
// it. It returns lifecycle.ErrConflict when i.Revision is not one more than the
// stored revision, when the Slack user, the account or a source's key that i
// carries is another identity's, or when i is new and somebody who has not ended
// has its address: of two sources that tell of the same person at once, the
// second is to try again, and finds the first.
func (db *DB) SaveIdentity(ctx context.Context, i lifecycle.Identity, n *lifecycle.Notice, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	p := lifecycle.People{Identities: []lifecycle.Identity{i}}
	if n != nil {
		p.Notices = []lifecycle.Notice{*n}
	}
	return db.SavePeople(ctx, p, one(e), next...)
}

// SavePeople stores all of it or nothing, in its order: the identities as
// SaveIdentity does, the notices, and the cases as SaveCase does. What one
// identity gives up a later one may take.
func (db *DB) SavePeople(ctx context.Context, p lifecycle.People, events []lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, events, next, func(t *tx) error {
		for _, i := range p.Identities {
			if err := t.saveIdentity(ctx, i); err != nil {
				return err
			}
		}
		for _, n := range p.Notices {
			if err := t.insertNotice(ctx, n); err != nil {
				return err
			}
		}
		for _, c := range p.Cases {
			if err := t.saveCase(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) saveIdentity(ctx context.Context, i lifecycle.Identity) error {
	row, err := identityRow(i)
	if err != nil {
		return err
	}
	if err := t.unclaimed(ctx, i); err != nil {
		return err
	}
	put := func() (int64, error) { return t.q.UpdateIdentity(ctx, q.UpdateIdentityParams(row)) }
	if i.Revision == 1 {
		if err := t.unknown(ctx, i); err != nil {
			return err
		}
		put = func() (int64, error) { return t.q.InsertIdentity(ctx, q.InsertIdentityParams(row)) }
	}
	switch n, err := put(); {
	case err != nil:
		return fmt.Errorf("put identity: %w", err)
	case n == 0:
		return fmt.Errorf("identity %s is not at revision %d any more: %w", i.ID, i.Revision-1, lifecycle.ErrConflict)
	}
	t.wrote.add("identity", row.ID, row.Body)
	if err := t.replaceKeys(ctx, standing(i)); err != nil {
		return err
	}
	return t.replaceFormer(ctx, standing(i))
}

// unknown keeps two sources that first tell of somebody at the same moment from
// making two identities of them. On PostgreSQL the second waits at the lock until
// the first is committed, and then sees it. An address may come to somebody new
// when whoever had it has ended; whether it has is not for the store to say.
func (t *tx) unknown(ctx context.Context, i lifecycle.Identity) error {
	email := text(i.Person.Email())
	if email == "" {
		return nil
	}
	if err := t.lock(ctx, "address "+email); err != nil {
		return err
	}
	having, err := loadAll[lifecycle.Identity](t.q.IdentitiesByEmail(ctx, email))
	if err != nil {
		return fmt.Errorf("look up address: %w", err)
	}
	for _, other := range having {
		if i.Person.Status == lifecycle.StatusEnded || other.Person.Status != lifecycle.StatusEnded {
			return fmt.Errorf("identity %s has this address already: %w", other.ID, lifecycle.ErrConflict)
		}
	}
	return nil
}

// standing returns i as it can be looked up: one that turned out to be another
// gives up all it had, whatever it says of what that was.
func standing(i lifecycle.Identity) lifecycle.Identity {
	if i.Merged != "" {
		return lifecycle.Identity{ID: i.ID, Revision: i.Revision}
	}
	return i
}

// unclaimed says whose the Slack user or account is before a unique index
// would, in words.
func (t *tx) unclaimed(ctx context.Context, i lifecycle.Identity) error {
	i = standing(i)
	if other, err := load[lifecycle.Identity](t.q.IdentityBySlack(ctx, text(i.Slack))); err == nil && other.ID != i.ID {
		return fmt.Errorf("slack user %s is linked to identity %s already: %w", i.Slack, other.ID, lifecycle.ErrConflict)
	} else if err != nil && !errors.Is(err, lifecycle.ErrNotFound) {
		return fmt.Errorf("look up slack user %s: %w", i.Slack, err)
	}
	if other, err := load[lifecycle.Identity](t.q.IdentityByAccount(ctx, text(i.Account))); err == nil && other.ID != i.ID {
		return fmt.Errorf("account %s is linked to identity %s already: %w", i.Account, other.ID, lifecycle.ErrConflict)
	} else if err != nil && !errors.Is(err, lifecycle.ErrNotFound) {
		return fmt.Errorf("look up account %s: %w", i.Account, err)
	}
	return nil
}

// replaceKeys makes the identity be found by its keys, and by those it had before.
func (t *tx) replaceKeys(ctx context.Context, i lifecycle.Identity) error {
	if err := errors.Join(t.q.DeleteIdentityKeys(ctx, string(i.ID)), t.q.DeleteEarlierKeys(ctx, string(i.ID))); err != nil {
		return fmt.Errorf("delete keys of identity: %w", err)
	}
	now, before := keyRows(i)
	for _, k := range now {
		n, err := t.q.InsertIdentityKey(ctx, q.InsertIdentityKeyParams(k))
		if err := t.ownKey(ctx, n, err, k.Source, k.Key); err != nil {
			return err
		}
	}
	for _, k := range before {
		n, err := t.q.InsertEarlierKey(ctx, q.InsertEarlierKeyParams(k))
		if err := t.ownKey(ctx, n, err, k.Source, k.Key); err != nil {
			return err
		}
	}
	return nil
}

// ownKey returns lifecycle.ErrConflict when the key that was just inserted is
// another identity's, now or from before.
func (t *tx) ownKey(ctx context.Context, inserted int64, err error, source, key string) error {
	if err != nil {
		return fmt.Errorf("insert key of identity: %w", err)
	}
	owners, err := t.q.KeyOwners(ctx, q.KeyOwnersParams{Source: source, Key: key})
	switch {
	case err != nil:
		return fmt.Errorf("look up key of identity: %w", err)
	case inserted == 0 || len(owners) > 1:
		return fmt.Errorf("%s knows another identity by the key %s: %w", source, key, lifecycle.ErrConflict)
	default:
		return nil
	}
}

// keyRows returns what sources know the identity by, and what they knew it by before.
func keyRows(i lifecycle.Identity) (now []q.IdentityKey, before []q.EarlierKey) {
	for source, key := range i.Keys {
		now = append(now, q.IdentityKey{Source: text(source), Key: text(key), Identity: string(i.ID)})
	}
	for _, k := range i.Also {
		row := q.EarlierKey{Source: text(k.Source), Key: text(k.Key), Identity: string(i.ID)}
		if !slices.Contains(now, q.IdentityKey(row)) && !slices.Contains(before, row) {
			before = append(before, row)
		}
	}
	return now, before
}

func (t *tx) replaceFormer(ctx context.Context, i lifecycle.Identity) error {
	if err := t.q.DeleteFormerAddresses(ctx, string(i.ID)); err != nil {
		return fmt.Errorf("delete former addresses of identity: %w", err)
	}
	for _, row := range formerRows(i) {
		if err := t.q.InsertFormerAddress(ctx, q.InsertFormerAddressParams(row)); err != nil {
			return fmt.Errorf("insert former address of identity: %w", err)
		}
	}
	return nil
}

// formerRows returns the addresses that the identity had, each until it is last reserved.
func formerRows(i lifecycle.Identity) []q.FormerAddress {
	var rows []q.FormerAddress
	for _, f := range i.Former {
		row := q.FormerAddress{Email: text(lifecycle.FoldEmail(f.Email)), Identity: string(i.ID), Until: micros(f.Until)}
		at := slices.IndexFunc(rows, func(r q.FormerAddress) bool { return r.Email == row.Email })
		if at < 0 {
			rows = append(rows, row)
			continue
		}
		rows[at].Until = max(rows[at].Until, row.Until)
	}
	return rows
}

func identityRow(i lifecycle.Identity) (q.Identity, error) {
	body, err := encode(i)
	s := standing(i)
	return q.Identity{
		ID: string(i.ID), Revision: int64(i.Revision), Email: text(s.Person.Email()), Slack: text(s.Slack),
		Account: text(s.Account), Sourced: s.Sourced(), Body: body,
	}, err
}

// Identity returns the identity, also one that turned out to be another, or
// lifecycle.ErrNotFound.
func (db *DB) Identity(ctx context.Context, id lifecycle.IdentityID) (lifecycle.Identity, error) {
	return load[lifecycle.Identity](db.read.Identity(ctx, text(id)))
}

// IdentityByKey returns the identity that source knows by key, or knew before, or
// lifecycle.ErrNotFound.
func (db *DB) IdentityByKey(ctx context.Context, source, key string) (lifecycle.Identity, error) {
	now := q.IdentityByKeyParams{Source: text(source), Key: text(key)}
	i, err := load[lifecycle.Identity](db.read.IdentityByKey(ctx, now))
	if !errors.Is(err, lifecycle.ErrNotFound) {
		return i, err
	}
	return load[lifecycle.Identity](db.read.IdentityByEarlierKey(ctx, q.IdentityByEarlierKeyParams(now)))
}

// IdentityByAccount returns the identity that the PagerDuty account is pinned to,
// or lifecycle.ErrNotFound.
func (db *DB) IdentityByAccount(ctx context.Context, id lifecycle.AccountID) (lifecycle.Identity, error) {
	return load[lifecycle.Identity](db.read.IdentityByAccount(ctx, text(id)))
}

// IdentityBySlack returns the identity that is pinned to the Slack user, or lifecycle.ErrNotFound.
func (db *DB) IdentityBySlack(ctx context.Context, id lifecycle.SlackID) (lifecycle.Identity, error) {
	return load[lifecycle.Identity](db.read.IdentityBySlack(ctx, text(id)))
}

// IdentitiesByEmail returns every identity whose primary address is email,
// folded. A second address ties nobody to anything.
func (db *DB) IdentitiesByEmail(ctx context.Context, email string) ([]lifecycle.Identity, error) {
	folded := text(lifecycle.FoldEmail(email))
	if folded == "" {
		return []lifecycle.Identity{}, nil
	}
	return loadAll[lifecycle.Identity](db.read.IdentitiesByEmail(ctx, folded))
}

// IdentitiesFormerly returns every identity that had the address, folded, and for
// which it is reserved at t.
func (db *DB) IdentitiesFormerly(ctx context.Context, email string, t time.Time) ([]lifecycle.Identity, error) {
	return loadAll[lifecycle.Identity](db.read.IdentitiesFormerly(ctx, q.IdentitiesFormerlyParams{Email: text(lifecycle.FoldEmail(email)), At: micros(t)}))
}

// KnownBy returns at most limit identities that the source knows, by its keys in
// order, after the key that is given.
func (db *DB) KnownBy(ctx context.Context, source, after string, limit int) ([]lifecycle.Identity, error) {
	return loadAll[lifecycle.Identity](db.read.IdentitiesKnownBy(ctx, q.IdentitiesKnownByParams{Source: text(source), After: text(after), Page: int32(min(max(limit, 0), 1<<20))}))
}

// Identities returns every identity but those that turned out to be another.
func (db *DB) Identities(ctx context.Context) ([]lifecycle.Identity, error) {
	all, err := loadAll[lifecycle.Identity](db.read.Identities(ctx))
	return slices.DeleteFunc(all, func(i lifecycle.Identity) bool { return i.Merged != "" }), err
}
