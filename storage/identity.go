package storage

import (
	"context"
	"errors"
	"fmt"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveIdentity stores i, and n unless it is nil. It returns
// lifecycle.ErrConflict when i.Revision is not one more than the stored
// revision, or when the Slack user, the account or a source's key that i
// carries is another identity's.
func (db *DB) SaveIdentity(ctx context.Context, i lifecycle.Identity, n *lifecycle.Notice, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.saveIdentity(ctx, i); err != nil {
			return err
		}
		if n == nil {
			return nil
		}
		return t.insertNotice(ctx, *n)
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
		if err := t.unknown(ctx, row.Email); err != nil {
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
	return t.replaceKeys(ctx, i)
}

// unknown keeps two sources that first tell of somebody at the same moment from
// making two identities of them: the second tries again, and finds the first.
func (t *tx) unknown(ctx context.Context, email string) error {
	having, err := t.q.IdentitiesByEmail(ctx, email)
	if err != nil {
		return fmt.Errorf("look up address: %w", err)
	}
	if email != "" && len(having) > 0 {
		return fmt.Errorf("somebody with this address is known already: %w", lifecycle.ErrConflict)
	}
	return nil
}

// unclaimed says whose the Slack user or account is before a unique index
// would, in words.
func (t *tx) unclaimed(ctx context.Context, i lifecycle.Identity) error {
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

func (t *tx) replaceKeys(ctx context.Context, i lifecycle.Identity) error {
	if err := t.q.DeleteIdentityKeys(ctx, string(i.ID)); err != nil {
		return fmt.Errorf("delete keys of identity: %w", err)
	}
	for source, key := range i.Keys {
		n, err := t.q.InsertIdentityKey(ctx, q.InsertIdentityKeyParams{Source: text(source), Key: text(key), Identity: string(i.ID)})
		if err != nil {
			return fmt.Errorf("insert key of identity: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("%s knows another identity by the key %s: %w", source, key, lifecycle.ErrConflict)
		}
	}
	return nil
}

func identityRow(i lifecycle.Identity) (q.Identity, error) {
	body, err := encode(i)
	return q.Identity{
		ID: string(i.ID), Revision: int64(i.Revision), Email: text(i.Person.Email()), Slack: text(i.Slack),
		Account: text(i.Account), Sourced: i.Sourced(), Body: body,
	}, err
}

// Identity returns the identity, or lifecycle.ErrNotFound.
func (db *DB) Identity(ctx context.Context, id lifecycle.IdentityID) (lifecycle.Identity, error) {
	return load[lifecycle.Identity](db.read.Identity(ctx, text(id)))
}

// IdentityByKey returns the identity that source knows by key, or lifecycle.ErrNotFound.
func (db *DB) IdentityByKey(ctx context.Context, source, key string) (lifecycle.Identity, error) {
	return load[lifecycle.Identity](db.read.IdentityByKey(ctx, q.IdentityByKeyParams{Source: text(source), Key: text(key)}))
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

// Identities returns every identity.
func (db *DB) Identities(ctx context.Context) ([]lifecycle.Identity, error) {
	return loadAll[lifecycle.Identity](db.read.Identities(ctx))
}
