package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// Provision stores the change, all or nothing; the line that sums it up vouches
// for the resources and memberships, and each new fact has its own. A fact that
// its source has said before is left out, with its line and the jobs about it.
// Those who call at once share a commit, with those who save facts too; one whose
// ctx ends while it waits gets that error, and the change may be kept all the same.
//
// It returns lifecycle.ErrConflict when a version is not what it must be,
// lifecycle.ErrDuplicate when a name is taken, and lifecycle.ErrNotFound when
// there is no such group, or no such user to add. Who is deleted is a member of
// nothing any more.
func (db *DB) Provision(ctx context.Context, p lifecycle.Provision) error {
	s, err := newProvisionSaving(p)
	if err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	return db.saveTogether(ctx, s)
}

// provisionSaving is a change of resources on its way into the database.
type provisionSaving struct {
	lifecycle.Provision
	client string
	puts   []q.Resource
	ends   []q.Resource
	facts  []q.Fact
}

func newProvisionSaving(p lifecycle.Provision) (*provisionSaving, error) {
	s := &provisionSaving{Provision: p, client: text(p.Client)}
	switch {
	case p.Summary.Kind == "":
		return nil, errNoAudit
	case len(p.Lines) != len(p.Facts):
		return nil, fmt.Errorf("%d facts come with %d lines", len(p.Facts), len(p.Lines))
	}
	for _, r := range p.Put {
		row, err := resourceRow(provisioned{Resource: r})
		if err != nil {
			return nil, err
		}
		s.puts = append(s.puts, row)
	}
	for _, r := range p.Delete {
		row, err := resourceRow(ended(r))
		if err != nil {
			return nil, err
		}
		s.ends = append(s.ends, row)
	}
	for _, f := range p.Facts {
		row, err := factRow(f)
		if err != nil {
			return nil, err
		}
		s.facts = append(s.facts, row)
	}
	return s, s.ofOneClient()
}

// ended is what is left of a resource, as its next version.
func ended(r lifecycle.Resource) provisioned {
	return provisioned{Gone: true, Resource: lifecycle.Resource{
		Client: r.Client, Kind: r.Kind, ID: r.ID, Version: r.Version + 1, Created: r.Created, Modified: r.Modified,
	}}
}

// ofOneClient notes whose resources are changed: groups and users are named by
// their ids alone.
func (s *provisionSaving) ofOneClient() error {
	for _, r := range slices.Concat(s.puts, s.ends) {
		if s.client != "" && r.Client != s.client {
			return fmt.Errorf("%s and %s are changed at once", s.client, r.Client)
		}
		s.client = r.Client
	}
	if s.client == "" && len(s.Join)+len(s.Leave) > 0 {
		return errors.New("members change, and it is not said whose")
	}
	return nil
}

func (s *provisionSaving) key() string {
	if all := slices.Concat(s.puts, s.ends); len(all) > 0 {
		return "resource " + resourceKey(all[0])
	}
	return "resource " + s.client
}

// save writes what ends before what begins: a name that one gives up another may take.
func (s *provisionSaving) save(ctx context.Context, t *tx) error {
	t.wrote = records{}
	defer func() { t.wrote = records{} }()
	for _, step := range []func(context.Context, *tx) error{s.delete, s.leave, s.put, s.join} {
		if err := step(ctx, t); err != nil {
			return err
		}
	}
	t.lines = append(t.lines, entry{s.Summary, t.wrote})
	return s.saveFacts(ctx, t)
}

func (s *provisionSaving) delete(ctx context.Context, t *tx) error {
	for _, row := range s.ends {
		if err := t.putResource(ctx, row, nil); err != nil {
			return err
		}
		if row.Kind != string(lifecycle.ResourceUser) {
			continue // who was in a group that is gone is asked by nobody
		}
		groups, err := t.q.GroupIDsOfMember(ctx, q.GroupIDsOfMemberParams{Client: row.Client, UserID: row.ID})
		if err != nil {
			return fmt.Errorf("list groups of user %s: %w", row.ID, err)
		}
		for _, group := range groups {
			if err := t.endMember(ctx, membership{Client: row.Client, Group: group, User: row.ID, Gone: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *provisionSaving) leave(ctx context.Context, t *tx) error {
	for _, group := range slices.Sorted(maps.Keys(s.Leave)) {
		for _, user := range s.Leave[group] {
			if err := t.endMember(ctx, membership{Client: s.client, Group: group, User: user, Gone: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *provisionSaving) put(ctx context.Context, t *tx) error {
	for i, row := range s.puts {
		if err := t.nameFree(ctx, row); err != nil {
			return err
		}
		if err := t.putResource(ctx, row, emailRows(s.Put[i])); err != nil {
			return err
		}
	}
	return nil
}

func (s *provisionSaving) join(ctx context.Context, t *tx) error {
	for _, group := range slices.Sorted(maps.Keys(s.Join)) {
		if err := t.standsResource(ctx, s.client, lifecycle.ResourceGroup, group); err != nil {
			return err
		}
		for _, user := range s.Join[group] {
			if err := t.standsResource(ctx, s.client, lifecycle.ResourceUser, user); err != nil {
				return err
			}
			if err := t.putMember(ctx, membership{Client: s.client, Group: group, User: user}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *provisionSaving) saveFacts(ctx context.Context, t *tx) error {
	said := map[string]bool{}
	for i, row := range s.facts {
		fresh, err := t.insertFact(ctx, row, s.Lines[i])
		if err != nil {
			return err
		}
		said[row.ID] = !fresh
		t.first[row.ID] = urgent(s.Facts[i])
	}
	for _, job := range s.Next {
		if !said[job.Ref] {
			t.next = append(t.next, job)
		}
	}
	return nil
}

func (t *tx) putResource(ctx context.Context, row q.Resource, emails []q.ResourceEmail) error {
	put := func() (int64, error) { return t.q.UpdateResource(ctx, q.UpdateResourceParams(row)) }
	if row.Version == 1 {
		put = func() (int64, error) { return t.q.InsertResource(ctx, q.InsertResourceParams(row)) }
	}
	switch n, err := put(); {
	case err != nil:
		return fmt.Errorf("put %s %s: %w", row.Kind, row.ID, err)
	case n == 0:
		return fmt.Errorf("%s %s is not at version %d any more: %w", row.Kind, row.ID, row.Version-1, lifecycle.ErrConflict)
	}
	t.wrote.add("resource", resourceKey(row), row.Body)
	return t.replaceEmails(ctx, row, emails)
}

func (t *tx) replaceEmails(ctx context.Context, row q.Resource, emails []q.ResourceEmail) error {
	if row.Kind != string(lifecycle.ResourceUser) {
		return nil
	}
	if row.Version > 1 {
		if err := t.q.DeleteResourceEmails(ctx, q.DeleteResourceEmailsParams{Client: row.Client, ID: row.ID}); err != nil {
			return fmt.Errorf("delete addresses of user %s: %w", row.ID, err)
		}
	}
	for _, e := range emails {
		if err := t.q.InsertResourceEmail(ctx, q.InsertResourceEmailParams(e)); err != nil {
			return fmt.Errorf("insert address of user %s: %w", row.ID, err)
		}
	}
	return nil
}

// nameFree says that a name is taken before a unique index would.
func (t *tx) nameFree(ctx context.Context, row q.Resource) error {
	others, err := loadAll[lifecycle.Resource](t.q.ResourcesByName(ctx, q.ResourcesByNameParams{Client: row.Client, Kind: row.Kind, Name: row.Name}))
	if err != nil {
		return fmt.Errorf("look up name of %s %s: %w", row.Kind, row.ID, err)
	}
	for _, other := range others {
		if other.ID != row.ID {
			return fmt.Errorf("%s %s has the name of %s %s: %w", row.Kind, other.ID, row.Kind, row.ID, lifecycle.ErrDuplicate)
		}
	}
	return nil
}

func (t *tx) standsResource(ctx context.Context, client string, kind lifecycle.ResourceKind, id string) error {
	found, err := t.q.HasResource(ctx, q.HasResourceParams{Client: client, Kind: string(kind), ID: text(id)})
	switch {
	case err != nil:
		return fmt.Errorf("look up %s %s: %w", kind, id, err)
	case len(found) == 0:
		return fmt.Errorf("%s %s: %w", kind, id, lifecycle.ErrNotFound)
	default:
		return nil
	}
}

func (t *tx) putMember(ctx context.Context, m membership) error {
	row, err := memberRow(m)
	if err != nil {
		return err
	}
	n, err := t.q.PutMember(ctx, q.PutMemberParams(row))
	return t.wroteMember(row, n, err)
}

func (t *tx) endMember(ctx context.Context, m membership) error {
	row, err := memberRow(m)
	if err != nil {
		return err
	}
	n, err := t.q.EndMember(ctx, q.EndMemberParams{Client: row.Client, GroupID: row.GroupID, UserID: row.UserID, Gone: row.Gone, Body: row.Body})
	return t.wroteMember(row, n, err)
}

func (t *tx) wroteMember(row q.ResourceMember, n int64, err error) error {
	if err != nil {
		return fmt.Errorf("put user %s of group %s: %w", row.UserID, row.GroupID, err)
	}
	if n > 0 {
		t.wrote.add("member", memberKey(row), row.Body)
	}
	return nil
}
