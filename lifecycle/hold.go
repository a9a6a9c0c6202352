package lifecycle

import (
	"context"
	"slices"
	"time"
)

// A Removal is a notice because of which people may lose access: what the
// breaker counts. It is noted in the transaction that stores the notice.
type Removal struct {
	Notice     NoticeID     `json:"notice"`
	Kind       NoticeKind   `json:"kind"` // Leaver or Mover
	Identity   IdentityID   `json:"identity"`
	Label      string       `json:"label"`
	Department string       `json:"department"`      // before
	Moved      string       `json:"moved,omitempty"` // a mover's department after
	Source     string       `json:"source"`
	At         time.Time    `json:"at"`
	Urgent     bool         `json:"urgent,omitempty"`
	Bare       bool         `json:"bare,omitempty"` // they have no PagerDuty account: it takes nothing, and counts for nothing
	State      RemovalState `json:"state"`
	Hold       HoldID       `json:"hold,omitempty"`
	Joined     int          `json:"joined,omitempty"` // the revision of the hold that it was stopped with
}

// RemovalState is what has become of a removal.
type RemovalState string

// The states of a removal.
const (
	RemovalQueued    RemovalState = "queued"    // not judged yet
	RemovalPassed    RemovalState = "passed"    // ordinary, urgent, or released by a person
	RemovalHeld      RemovalState = "held"      // waits until a hold is released
	RemovalRefused   RemovalState = "refused"   // a person has said that nothing is to come of it
	RemovalOvertaken RemovalState = "overtaken" // a newer notice about them came
)

// HoldKind is why things wait.
type HoldKind string

// The kinds of hold.
const (
	HoldLeavers HoldKind = "leavers" // more people would lose access than is ordinary
	HoldMovers  HoldKind = "movers"  // more people have moved at once than is ordinary
	HoldPolicy  HoldKind = "policy"  // a policy file takes more from people than is ordinary; the old one is in force
	HoldSource  HoldKind = "source"  // a source that sends everybody has just been connected
)

// HoldState is where a hold stands.
type HoldState string

// The states of a hold. It never ends by silence.
const (
	HoldStands   HoldState = "held"
	HoldProposed HoldState = "proposed" // one person has said what to release; another must say the same
	HoldReleased HoldState = "released" // all of it, or those who were named
	HoldRefused  HoldState = "refused"  // nothing comes of any of it
)

// A Hold stops what a broken feed or a mistake in a mapping would do to many
// people at once, until two people of Security have looked.
type Hold struct {
	ID         HoldID           `json:"id"`
	Kind       HoldKind         `json:"kind"`
	Revision   int              `json:"revision"`
	Source     string           `json:"source,omitempty"` // "": of all sources together
	State      HoldState        `json:"state"`
	Why        string           `json:"why"` // in sentences, with the numbers
	Limit      int              `json:"limit,omitempty"`
	Population int              `json:"population,omitempty"`
	Policy     string           `json:"policy,omitempty"` // the SHA-256 of the policy that waits
	OpenedAt   time.Time        `json:"opened_at"`
	UpdatedAt  time.Time        `json:"updated_at"`
	Proposal   *ReleaseProposal `json:"proposal,omitempty"`
	Decisions  []HoldDecision   `json:"decisions"`
}

// A ReleaseProposal is what one person would let go.
type ReleaseProposal struct {
	All  bool       `json:"all,omitempty"`
	Only []NoticeID `json:"only,omitempty"` // sorted
	By   string     `json:"by"`             // an address
	ByID IdentityID `json:"by_id"`
	At   time.Time  `json:"at"`
	Seen int        `json:"seen"`     // how many waited when it was made
	Made int        `json:"revision"` // of the hold that it made: what has joined later is not meant
}

// A HoldDecision is what one person has said of a hold.
type HoldDecision struct {
	By     string     `json:"by"`
	ByID   IdentityID `json:"by_id"`
	What   string     `json:"what"` // propose, release, refuse
	All    bool       `json:"all,omitempty"`
	Only   []NoticeID `json:"only,omitempty"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
	Via    Via        `json:"via"`
}

// A Release is what somebody who is known would do with a hold: let go of all of
// it or of some, or refuse it. Seen is the revision they were looking at.
type Release struct {
	Hold   HoldID
	Seen   int
	By     Identity
	All    bool
	Only   []NoticeID
	Reason string
	Via    Via
}

// closed returns the hold as it ends where nobody needs to decide on it any more,
// and the line that says so.
func (h Hold) closed(why string, now time.Time) (Hold, AuditEvent) {
	h.Revision, h.UpdatedAt, h.State, h.Proposal = h.Revision+1, now, HoldRefused, nil
	h.Decisions = append(slices.Clone(h.Decisions), HoldDecision{By: string(System), What: saidRefuse, All: true, Reason: why, At: now, Via: ViaPolicy})
	return h, AuditEvent{At: now, Actor: System, Kind: EventHoldRefused, Ref: string(h.ID), Detail: map[string]string{"reason": why, "policy": h.Policy}}
}

// Open reports whether the hold still stops anything.
func (h Hold) Open() bool { return h.State == HoldStands || h.State == HoldProposed }

// HoldReader is where holds, and what they stop, are looked up.
type HoldReader interface {
	// Hold returns the hold, or ErrNotFound.
	Hold(ctx context.Context, id HoldID) (Hold, error)
	// Holds returns the holds that stand, the oldest first.
	Holds(ctx context.Context) ([]Hold, error)
	// Removals returns the removals since then, of every state, the oldest first,
	// and those that are queued or held whenever they were.
	Removals(ctx context.Context, since time.Time) ([]Removal, error)
	// RemovalsAbout returns every removal about the identity, of every state, the oldest first.
	RemovalsAbout(ctx context.Context, who IdentityID) ([]Removal, error)
	// RemovalsOf returns every removal that names the hold, of every state, the oldest first.
	RemovalsOf(ctx context.Context, hold HoldID) ([]Removal, error)
}

// HoldStore keeps holds and what they stop. A removal that is stored is changed
// only while it is queued, or held by the same hold that the given one names: a
// judgement made before it was stopped does not let it go.
type HoldStore interface {
	HoldReader
	// SaveHold stores h, and the state of the removals that are given, in one
	// transaction. It returns ErrConflict when h.Revision is not one more than the
	// stored revision (1 for a new hold), and when another hold of the same kind,
	// source and policy stands.
	SaveHold(ctx context.Context, h Hold, removals []Removal, e AuditEvent, next ...Job) error
	// SaveRemovals stores the state of the removals. Where all are left as they are
	// it writes nothing, neither line nor job.
	SaveRemovals(ctx context.Context, removals []Removal, e AuditEvent, next ...Job) error
}
