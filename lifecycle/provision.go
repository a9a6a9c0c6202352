package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// How much one transaction of a client's change is, and how often it is tried
// anew when somebody else was first.
const (
	atOnce  = 200 // users
	mostTry = 16
)

// A ResourceOrder is one change that a client asks for.
type ResourceOrder struct {
	Client  string // the source, such as scim:okta
	Kind    ResourceKind
	ID      string // of what is to be changed; empty: something new
	Version int    // the version that the client has seen; 0: whichever it is
	SHA256  string // of the body as it was received
	Without string // what was left out of the body, for the trail
	// Edit returns what the resource is to be, given its body, nil for a new one.
	// It is called again when somebody else was first, and changes nothing else.
	// A mistake of the client is a Refusal.
	Edit func(body []byte) (ResourceDraft, error)
}

// A ResourceDraft is what a resource is to be.
type ResourceDraft struct {
	Body    []byte // canonical: the same attributes are the same bytes
	Members MemberChange
}

// A MemberChange is what becomes of a group's members.
type MemberChange struct {
	Whole bool     // those who join are all of them
	Join  []string // ids of users
	Leave []string // ids of users; nobody is in both
}

// Provisioning keeps what SCIM clients provision, and says what that means for
// people: each change and its facts are one transaction.
type Provisioning struct {
	store ResourceStore
	now   func() time.Time
	turns turns // by client and id
}

// NewProvisioning returns the flow over store.
func NewProvisioning(store ResourceStore, now func() time.Time) *Provisioning {
	return &Provisioning{store: store, now: now}
}

// Create keeps a new resource and returns it. It is a Refusal of ErrInvalid
// when it has no name or a member is nobody's id, and of ErrDuplicate when its
// name is taken.
func (p *Provisioning) Create(ctx context.Context, o ResourceOrder) (Resource, error) {
	draft, err := o.Edit(nil)
	if err != nil {
		return Resource{}, err
	}
	o.ID = newResourceID(o.Kind)
	now := p.now()
	is := Resource{Client: o.Client, Kind: o.Kind, ID: o.ID, Created: now, Modified: now}
	if o.Kind == ResourceGroup {
		return p.arrange(ctx, o, is, draft)
	}
	return p.user(ctx, o, is, draft)
}

// Change changes a resource and returns it as it is then. What is so already
// changes nothing, and says nothing of anybody. Besides what Create refuses, it
// is a Refusal of ErrNotFound when there is no such resource, and of ErrConflict
// when it is not the version that the client has seen.
//
// A group that many join or leave changes in several transactions: after an error
// some of it may be done, and the same change again does the rest.
func (p *Provisioning) Change(ctx context.Context, o ResourceOrder) (Resource, error) {
	return p.again(ctx, o, func() (Resource, error) {
		was, err := p.load(ctx, o)
		if err != nil {
			return Resource{}, err
		}
		draft, err := o.Edit(was.Body)
		if err != nil {
			return was, err
		}
		if o.Kind == ResourceGroup {
			return p.arrange(ctx, o, was, draft)
		}
		return p.user(ctx, o, was, draft)
	})
}

// Delete removes a resource. A user has ended then; the members of a group are
// told of in steps of their own. Its Refusals are those of Change.
func (p *Provisioning) Delete(ctx context.Context, o ResourceOrder) error {
	_, err := p.again(ctx, o, func() (Resource, error) {
		was, err := p.load(ctx, o)
		if err != nil {
			return Resource{}, err
		}
		b := p.batch(o)
		if o.Kind == ResourceGroup {
			b.Next = append(b.Next, restateOf(was, ""))
		} else if err := b.end(was); err != nil {
			return was, err
		}
		b.Delete = []Resource{was}
		return was, b.save(ctx, was, "deleted")
	})
	return err
}

// load returns the resource in the version that the client has seen.
func (p *Provisioning) load(ctx context.Context, o ResourceOrder) (Resource, error) {
	was, err := p.store.Resource(ctx, o.Client, o.Kind, o.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return Resource{}, Refuse(ErrNotFound, "there is no %s %s; look for it by its name, or create it", o.Kind, o.ID)
	case err != nil:
		return Resource{}, fmt.Errorf("load %s %s: %w", o.Kind, o.ID, err)
	case o.Version != 0 && o.Version != was.Version:
		return Resource{}, Refuse(ErrConflict, "%s %s is at version %d, not %d; read it again and repeat the change", o.Kind, o.ID, was.Version, o.Version)
	}
	return was, nil
}

// user stores the draft of a user, and what it says of a person.
func (p *Provisioning) user(ctx context.Context, o ResourceOrder, was Resource, draft ResourceDraft) (Resource, error) {
	is, who, err := was.become(draft.Body)
	if err != nil || bytes.Equal(was.Body, is.Body) {
		return was, err
	}
	b := p.batch(o)
	var groups []string
	if was.Version > 0 {
		in, err := b.groupsOf(ctx, o.Client, o.ID)
		if err != nil {
			return was, err
		}
		groups = in.names()
	}
	if is, err = b.put(is, who, groups); err != nil {
		return was, err
	}
	return is, b.save(ctx, is, did(was))
}

// next returns the next version of the resource, changed at t or, where a clock
// was set back, a moment after the last: what is said later counts later. The
// store keeps microseconds.
func (r Resource) next(t time.Time) Resource {
	r.Version++
	switch {
	case r.Version == 1:
		r.Modified = r.Created
	case t.After(r.Modified):
		r.Modified = t
	default:
		r.Modified = r.Modified.Add(time.Microsecond)
	}
	return r
}

func did(was Resource) string {
	if was.Version == 0 {
		return "created"
	}
	return "changed"
}

// become returns the resource with another body, and what it says.
func (r Resource) become(body []byte) (Resource, profile, error) {
	who, err := readProfile(body)
	if err != nil {
		return r, profile{}, err
	}
	name, field := who.UserName, "userName"
	if r.Kind == ResourceGroup {
		name, field = who.DisplayName, "displayName"
	} else {
		r.Emails = who.folded()
	}
	r.Body, r.ExternalID, r.Name = body, who.ExternalID, foldName(name)
	if r.Name == "" {
		return r, profile{}, &Refusal{Kind: ErrInvalid, Reason: field + " is needed, and must not be empty", Fields: []FieldError{{Path: field, Message: "is needed"}}}
	}
	return r, who, nil
}

// foldName returns the form in which names of resources are compared. Source:
// RFC 7643, 4.1.1 and 4.2: they are not case-exact.
func foldName(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// FoldResourceName returns the form in which a ResourceFilter looks for a name.
func FoldResourceName(s string) string { return foldName(s) }

func newResourceID(k ResourceKind) string {
	if k == ResourceGroup {
		return "grp_" + random()
	}
	return "usr_" + random()
}

// errOvertaken says that somebody else has changed the resource meanwhile.
var errOvertaken = errors.New("somebody else was first")

// again tries to change what is ordered when it is its turn, until nobody else
// was first, and not for ever.
func (p *Provisioning) again(ctx context.Context, o ResourceOrder, try func() (Resource, error)) (Resource, error) {
	done, err := p.turns.take(ctx, o.Client+"/"+o.ID)
	if err != nil {
		return Resource{}, fmt.Errorf("wait for %s: %w", o.ID, err)
	}
	defer done()
	return tryAgain(ctx, try)
}

func tryAgain(ctx context.Context, try func() (Resource, error)) (Resource, error) {
	for range mostTry {
		r, err := try()
		if !errors.Is(err, errOvertaken) {
			return r, err
		}
		if ctx.Err() != nil {
			return r, fmt.Errorf("change a resource: %w", ctx.Err())
		}
	}
	return Resource{}, fmt.Errorf("change a resource, tried %d times: %w", mostTry, errOvertaken)
}

// eventID is the id of what a version of a user says.
func eventID(r Resource) string { return r.ID + "@v" + strconv.Itoa(r.Version) }
