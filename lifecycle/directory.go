package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A SlackUser is as much of somebody in Slack as deciding who they are takes.
type SlackUser struct {
	ID       SlackID
	Email    string
	Deleted  bool
	Guest    bool // restricted or ultra-restricted
	Stranger bool // of another workspace, through Slack Connect
	Bot      bool
}

// DirectoryStore keeps identities.
type DirectoryStore interface {
	// IdentityBySlack returns the identity that is pinned to the Slack user, or ErrNotFound.
	IdentityBySlack(ctx context.Context, id SlackID) (Identity, error)
	// IdentitiesByEmail returns every identity whose primary address is email, folded.
	IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error)
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// IdentityByKey returns the identity that the source knows by the key, or ErrNotFound.
	IdentityByKey(ctx context.Context, source, key string) (Identity, error)
	// SaveIdentity is RegistryStore's.
	SaveIdentity(ctx context.Context, i Identity, n *Notice, e AuditEvent, next ...Job) error
}

// A Directory says who somebody in Slack, or at the command line, is.
type Directory struct {
	store    DirectoryStore
	policies PolicySource
	now      func() time.Time
}

// NewDirectory returns a directory over store.
func NewDirectory(store DirectoryStore, policies PolicySource, now func() time.Time) *Directory {
	return &Directory{store: store, policies: policies, now: now}
}

// Who returns the one identity that the Slack user is. The tie is made once,
// through an address that policy lets decide and exactly one identity has, and
// is pinned; a name never makes it. Anything else is a Refusal that says what to do.
func (d *Directory) Who(ctx context.Context, u SlackUser) (Identity, error) {
	if err := u.acceptable(); err != nil {
		return Identity{}, err
	}
	i, err := d.store.IdentityBySlack(ctx, u.ID)
	if err == nil {
		return i, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return Identity{}, fmt.Errorf("look up Slack user %s: %w", u.ID, err)
	}
	if i, err = d.Find(ctx, u.Email); err != nil {
		return Identity{}, err
	}
	policy, err := d.policies.Current(ctx)
	if err != nil {
		return Identity{}, fmt.Errorf("read the policy in force: %w", err)
	}
	if !policy.MayDecideFrom(u.Email) {
		return Identity{}, Refuse(ErrForbidden, "Your Slack address %s is not of a domain that the policy trusts.", u.Email)
	}
	if i.Slack != "" {
		return Identity{}, Refuse(ErrForbidden, "%s is already linked to another Slack user. Ask Security to look.", i.Person.Label())
	}
	return d.pin(ctx, i, u.ID)
}

// Find returns the one identity with that primary address, or a Refusal.
func (d *Directory) Find(ctx context.Context, email string) (Identity, error) {
	found, err := d.store.IdentitiesByEmail(ctx, FoldEmail(email))
	switch {
	case err != nil:
		return Identity{}, fmt.Errorf("look up address: %w", err)
	case len(found) == 0:
		return Identity{}, Refuse(ErrNotFound, "Nobody with the address %s is known: no source of truth has sent them, and the policy does not name them.", email)
	case len(found) > 1:
		return Identity{}, Refuse(ErrConflict, "%d people have the address %s. Ask Security to look.", len(found), email)
	default:
		return found[0], nil
	}
}

// Manager returns whom the sources of truth call the manager of the identity,
// or ErrNotFound: they name nobody, somebody unknown, or two different people.
func (d *Directory) Manager(ctx context.Context, id IdentityID) (Identity, error) {
	return managerOf(ctx, d.store, id)
}

// A managerReader is where it is looked up who is whose manager.
type managerReader interface {
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// IdentityByKey returns the identity that the source knows by the key, or ErrNotFound.
	IdentityByKey(ctx context.Context, source, key string) (Identity, error)
}

func managerOf(ctx context.Context, store managerReader, id IdentityID) (Identity, error) {
	i, err := store.Identity(ctx, id)
	if err != nil {
		return Identity{}, fmt.Errorf("load identity %s: %w", id, err)
	}
	var manager Identity
	for source := range i.Keys {
		if i.Person.ManagerID == "" {
			break
		}
		found, err := store.IdentityByKey(ctx, source, i.Person.ManagerID)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return Identity{}, fmt.Errorf("look up the manager of identity %s: %w", id, err)
		case manager.ID != "" && manager.ID != found.ID:
			return Identity{}, fmt.Errorf("the manager of identity %s is %s or %s: %w", id, manager.ID, found.ID, ErrNotFound)
		}
		manager = found
	}
	if manager.ID == "" || manager.ID == id {
		return Identity{}, fmt.Errorf("the manager of identity %s: %w", id, ErrNotFound)
	}
	return manager, nil
}

// Admit makes the people that the policy names known, so that they can decide
// before any source of truth is connected.
func (d *Directory) Admit(ctx context.Context, p Policy) error {
	return d.admit(ctx, p.People(), ByPolicy(p.SHA256), "named in the policy")
}

func (d *Directory) admit(ctx context.Context, emails []string, by Actor, why string) error {
	for _, email := range emails {
		found, err := d.store.IdentitiesByEmail(ctx, email)
		if err != nil {
			return fmt.Errorf("look up address: %w", err)
		}
		if len(found) > 0 {
			continue
		}
		i := Identity{ID: NewIdentityID(), Revision: 1, Keys: map[string]string{}, Person: Person{Status: StatusActive, Emails: []string{email}}, Observed: d.now()}
		e := AuditEvent{At: d.now(), Actor: by, Kind: EventIdentityChanged, Ref: string(i.ID), Detail: map[string]string{"why": why}}
		if err := d.store.SaveIdentity(ctx, i, nil, e); err != nil && !errors.Is(err, ErrConflict) { // a conflict: another replica has just admitted them
			return fmt.Errorf("save identity %s: %w", i.ID, err)
		}
	}
	return nil
}

// addressOf returns the address of whom the Slack user is tied to, or else their
// own, folded; "" for whoever may not use the house at all.
func (d *Directory) addressOf(ctx context.Context, u SlackUser) (string, error) {
	if !u.member() {
		return "", nil
	}
	switch i, err := d.store.IdentityBySlack(ctx, u.ID); {
	case err == nil:
		return i.Person.Email(), nil
	case !errors.Is(err, ErrNotFound):
		return "", fmt.Errorf("look up Slack user %s: %w", u.ID, err)
	}
	return FoldEmail(u.Email), nil
}

func (d *Directory) pin(ctx context.Context, i Identity, u SlackID) (Identity, error) {
	i.Slack = u
	i.Revision++
	e := AuditEvent{At: d.now(), Actor: ByIdentity(i.ID), Kind: EventIdentityLinked, Ref: string(i.ID), Detail: map[string]string{"slack": string(u)}}
	if err := d.store.SaveIdentity(ctx, i, nil, e); err != nil {
		return Identity{}, fmt.Errorf("link identity %s: %w", i.ID, err)
	}
	return i, nil
}

// member reports whether they are of those who may use the house.
func (u SlackUser) member() bool { return u.acceptable() == nil }

func (u SlackUser) acceptable() error {
	switch {
	case u.Deleted:
		return Refuse(ErrForbidden, "This Slack user is deactivated.")
	case u.Bot:
		return Refuse(ErrForbidden, "A bot cannot use rolecall.")
	case u.Stranger:
		return Refuse(ErrForbidden, "Only members of this workspace can use rolecall.")
	case u.Guest:
		return Refuse(ErrForbidden, "Guests cannot use rolecall.")
	default:
		return nil
	}
}
