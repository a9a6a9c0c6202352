package lifecycle

import (
	"context"
	"time"
)

// CaseKind is what a case asks.
type CaseKind string

// The questions that only a person can answer.
const (
	CasePerson    CaseKind = "person"    // whom does this fact speak of?
	CaseAccount   CaseKind = "account"   // which PagerDuty account is theirs?
	CaseSuspended CaseKind = "suspended" // a source does not count them active any more: have they left?
	CaseAbsent    CaseKind = "absent"    // whole snapshots do not have them any more: have they left?
	CaseReturn    CaseKind = "return"    // a source says somebody who ended is active again: are they back?
)

// CaseKinds returns every kind.
func CaseKinds() []CaseKind {
	return []CaseKind{CasePerson, CaseAccount, CaseSuspended, CaseAbsent, CaseReturn}
}

// Answers that name no identity and no account. Any other answer is the id of
// one that the case offers.
const (
	AnswerNew   = "new"   // somebody who was not known before
	AnswerNone  = "none"  // none of these accounts is theirs
	AnswerLeft  = "left"  // they have left
	AnswerStays = "stays" // they have not
	AnswerBack  = "back"  // they are back: a new spell begins
	AnswerMoot  = "moot"  // nobody answered: it has settled itself
)

// A Case is something about an identity that no rule can tell. It waits in a
// queue until somebody of Security answers, and nothing follows until then.
type Case struct {
	ID         CaseID       `json:"id"`
	Kind       CaseKind     `json:"kind"`
	Revision   int          `json:"revision"`
	Source     string       `json:"source,omitempty"`
	Fact       NoticeID     `json:"fact,omitempty"`     // that gave rise to it
	Identity   IdentityID   `json:"identity,omitempty"` // whom it is about, where that is known
	Label      string       `json:"label"`              // of whom it is about
	Why        string       `json:"why"`                // what is in doubt, in sentences
	Options    []CaseOption `json:"options"`
	OpenedAt   time.Time    `json:"opened_at"`
	Answer     string       `json:"answer,omitempty"` // "" while it is open
	AnsweredAt time.Time    `json:"answered_at,omitzero"`
	By         string       `json:"by,omitempty"` // the address of who answered
	ByID       IdentityID   `json:"by_id,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	Via        Via          `json:"via,omitempty"`
}

// A CaseOption is one answer that may be given.
type CaseOption struct {
	Answer string `json:"answer"` // the id of an identity or account, or one of the words above
	Label  string `json:"label"`  // such as "Mina Ito, mina@acme.test, E1042 at hris"
	Effect string `json:"effect"` // what follows, in a sentence
}

// A CaseAnswer is what somebody who is known says to a case. Seen is the revision
// they were looking at.
type CaseAnswer struct {
	Case   CaseID
	Seen   int
	By     Identity
	Answer string
	Reason string
	Via    Via
}

// Open reports whether the case waits for an answer.
func (c Case) Open() bool { return c.Answer == "" }

// CaseStore keeps cases.
type CaseStore interface {
	// Case returns the case, or ErrNotFound.
	Case(ctx context.Context, id CaseID) (Case, error)
	// Cases returns the cases that are open, the oldest first.
	Cases(ctx context.Context) ([]Case, error)
	// SaveCase stores c. It returns ErrDuplicate when c.Revision is 1 and the case
	// stands already, and ErrConflict when it is not one more than the stored revision.
	SaveCase(ctx context.Context, c Case, e AuditEvent, next ...Job) error
}

// MatchStore is where people say who is who.
type MatchStore interface {
	CaseStore
	// IdentitiesFormerly returns every identity that had the address, folded, and
	// for which it is reserved at t.
	IdentitiesFormerly(ctx context.Context, email string, t time.Time) ([]Identity, error)
	// SaveIdentities stores all of them or none, in their order, each as
	// RegistryStore's SaveIdentity does; what one gives up another may take.
	SaveIdentities(ctx context.Context, all []Identity, e AuditEvent, next ...Job) error
}
