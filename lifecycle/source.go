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
	LastFact  time.Time     `json:"last_fact,omitzero"`   // when a whole snapshot last said something new
	Gap       time.Duration `json:"gap,omitempty"`        // the longest silence that was ordinary, learned
	Heard     int           `json:"heard"`                // how many times, once a minute at most
	Observed  bool          `json:"observed,omitempty"`   // its first sync: who people are counts, and no notice follows
	StartedBy string        `json:"started_by,omitempty"` // who said that it may be acted on
	StartedAt time.Time     `json:"started_at,omitzero"`  // since when it is
	Silent    bool          `json:"silent,omitempty"`     // security was told that nothing comes any more
	First     string        `json:"first,omitempty"`      // the SHA-256 of its first whole snapshot, which is observed by itself
	Snapshot  *SnapshotMark `json:"snapshot,omitempty"`   // of the last whole snapshot that was taken in
}

// SourcePeople is the source of what a person said here: an answer to a case.
const SourcePeople = "rolecall"

// Observes reports whether nothing is to follow from the fact: it is of the
// source's first sync, by when it was received and when it was to count, however
// late it is looked at. A last day that comes after the first sync is news. Of a
// first snapshot only its own rows are: what else the source says meanwhile is
// acted on as before, also where the snapshot broke off.
func (s Source) Observes(f Fact, counts time.Time) bool {
	switch {
	case s.Observed:
		return true
	case s.First == "":
	case f.SHA256 != s.First:
		return false
	case s.Snapshot == nil: // it is being taken in, or broke off
		return true
	}
	return !f.ReceivedAt.After(s.StartedAt) && !counts.After(s.StartedAt)
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
	// HeardSource notes that the source was heard at t, once more, without a line
	// in the trail: it says nothing. An older time, and a source that is not known,
	// changes nothing. SaveSource takes back neither.
	HeardSource(ctx context.Context, name string, t time.Time) error
}

// KnownReader is where it is looked up whom a source knows.
type KnownReader interface {
	// KnownBy returns at most limit identities that the source knows, by its keys in
	// order, after the key that is given ("" begins). One that turned out to be
	// somebody else is not among them.
	KnownBy(ctx context.Context, source, after string, limit int) ([]Identity, error)
}

// CursorStore keeps how far a source was read that is read, not only heard.
type CursorStore interface {
	// Cursor returns what was saved last under the name, or "".
	Cursor(ctx context.Context, name string) (string, error)
	// SaveCursor keeps value under the name, without a line in the trail: it says
	// nothing of anybody, and reading again from an older one changes nothing.
	SaveCursor(ctx context.Context, name, value string) error
}
