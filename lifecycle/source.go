package lifecycle

import (
	"context"
	"time"
)

// A Source is a feed of facts, as it has behaved so far.
type Source struct {
	Name      string        `json:"name"` // such as scim:okta, roster or hris/bamboo
	Revision  int           `json:"revision"`
	FirstSeen time.Time     `json:"first_seen"`
	LastHeard time.Time     `json:"last_heard"`           // anything at all that was authenticated
	LastFact  time.Time     `json:"last_fact,omitzero"`   // that said something new
	Gap       time.Duration `json:"gap,omitempty"`        // the longest silence that was ordinary, learned
	Heard     int           `json:"heard"`                // how many times, once a minute at most
	Observed  bool          `json:"observed,omitempty"`   // its first sync: who people are counts, and no notice follows
	StartedBy string        `json:"started_by,omitempty"` // who said that it may be acted on
	Silent    bool          `json:"silent,omitempty"`     // security was told that nothing comes any more
	Snapshot  *SnapshotMark `json:"snapshot,omitempty"`   // of the last whole snapshot that was taken in
}

// A SnapshotMark is what the next whole snapshot of a source is held against.
type SnapshotMark struct {
	At     time.Time      `json:"at"` // when it was so
	SHA256 string         `json:"sha256"`
	Rows   int            `json:"rows"`
	Fields []string       `json:"fields"` // the header, in order
	Empty  map[string]int `json:"empty"`  // field → rows in which it is empty
}

// SourceStore keeps what is known of sources.
type SourceStore interface {
	// Source returns the source, or ErrNotFound.
	Source(ctx context.Context, name string) (Source, error)
	// Sources returns every source that was ever heard, by name.
	Sources(ctx context.Context) ([]Source, error)
	// SaveSource stores s. It returns ErrConflict when s.Revision is not one more
	// than the stored revision (1 for a new source).
	SaveSource(ctx context.Context, s Source, e AuditEvent, next ...Job) error
	// HeardSource notes that the source was heard at t, without a line in the
	// trail: it says nothing. An older time, and a source that is not known, changes nothing.
	HeardSource(ctx context.Context, name string, t time.Time) error
}
