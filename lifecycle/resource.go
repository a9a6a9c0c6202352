package lifecycle

import (
	"context"
	"time"
)

// ResourceKind is what a SCIM client provisions. Source: RFC 7643.
type ResourceKind string

// The kinds of resource.
const (
	ResourceUser  ResourceKind = "user"
	ResourceGroup ResourceKind = "group"
)

// A Resource is what a SCIM client has provisioned, as it sent it: the client
// demands its own values back. What it says of people is a fact like any other.
type Resource struct {
	Client     string       `json:"client"` // the source, such as scim:okta
	Kind       ResourceKind `json:"kind"`
	ID         string       `json:"id"`      // ours, never used again
	Version    int          `json:"version"` // one more with every change, of the membership of a user too
	Name       string       `json:"name"`    // userName or displayName, folded: unique for a client and kind
	ExternalID string       `json:"external_id,omitempty"`
	Emails     []string     `json:"emails,omitempty"` // of a user, folded: each of them finds it
	Body       []byte       `json:"body"`             // the attributes as JSON, without id, meta, groups and members
	Said       string       `json:"said,omitempty"`   // the digest of what a fact last said of the user; empty: none has
	Created    time.Time    `json:"created"`
	Modified   time.Time    `json:"modified"`
}

// A ResourceFilter selects resources of one client and kind; empty fields select all.
type ResourceFilter struct {
	Client     string
	Kind       ResourceKind
	ID         string
	Name       string // folded
	ExternalID string
	Email      string // folded: users that have this address among theirs
	Member     string // groups that have this user
}

// A Provision is one change of a client's resources, and what it says of people.
type Provision struct {
	Client  string              // whose they are
	Put     []Resource          // Version 1 is new; else one more than the stored one
	Delete  []Resource          // with the version that is stored
	Join    map[string][]string // group id → users that become members; who is one already stays one
	Leave   map[string][]string // group id → users that cease to be, of a group that was deleted too
	Facts   []Fact              // one that stands already changes nothing
	Summary AuditEvent          // one line for the change; each new fact has its own besides
	Lines   []AuditEvent        // of the facts, in their order
	Next    []Job               // of the facts and of the change
}

// ResourceStore keeps what SCIM clients have provisioned.
type ResourceStore interface {
	// Resource returns the resource, or ErrNotFound.
	Resource(ctx context.Context, client string, kind ResourceKind, id string) (Resource, error)
	// Resources returns at most limit resources that f selects, in the order in
	// which they were created, after the first skip of them, and how many there are.
	Resources(ctx context.Context, f ResourceFilter, skip, limit int) (page []Resource, total int, err error)
	// Members returns at most limit ids of users of the group after the one given, in order.
	// Those of a group that was deleted are told until they have left: they are still
	// to be said to. A user who was deleted is a member of nothing.
	Members(ctx context.Context, client, group, after string, limit int) ([]string, error)
	// Provision stores the change, all or nothing. Those who call at once share a
	// commit. It returns ErrConflict when a version is not what it must be,
	// ErrDuplicate when a name is taken, and ErrNotFound when a group has no such
	// user to add. To remove who is no member changes nothing.
	Provision(ctx context.Context, p Provision) error
}
