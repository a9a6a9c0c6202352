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
	Key        string       `json:"key,omitempty"`      // what the source knows them by, where the identity is what is asked
	Fact       NoticeID     `json:"fact,omitempty"`     // that gave rise to it; of the person's, the newest
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

// AsksReason reports whether the answer needs a reason: it takes access away,
// gives a new start, or makes two people one.
func (c Case) AsksReason(answer string) bool {
	switch answer {
	case AnswerLeft, AnswerBack:
		return true
	case AnswerNew, AnswerNone, AnswerStays, AnswerMoot, "":
		return false
	default:
		return c.Kind == CasePerson
	}
}

// CaseStore keeps cases.
type CaseStore interface {
	// Case returns the case, or ErrNotFound.
	Case(ctx context.Context, id CaseID) (Case, error)
	// Cases returns the cases that are open, the oldest first.
	Cases(ctx context.Context) ([]Case, error)
	// CasesAbout returns the open cases about the identity, and those about whom
	// the source means by the key, the oldest first. An empty id, and an empty key,
	// is nobody's.
	CasesAbout(ctx context.Context, who IdentityID, source, key string) ([]Case, error)
	// SaveCase stores c. It returns ErrDuplicate when c.Revision is 1 and the case
	// stands already, and ErrConflict when it is not one more than the stored revision.
	SaveCase(ctx context.Context, c Case, e AuditEvent, next ...Job) error
}

// People is what one step leaves of who people are.
type People struct {
	Identities []Identity // each as RegistryStore's SaveIdentity takes it
	Notices    []Notice   // each with its Removal, where it has one
	Cases      []Case     // each as SaveCase takes it
}

// PeopleStore keeps who people are.
type PeopleStore interface {
	CaseStore
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// IdentityByKey returns the identity that the source knows by the key, among
	// Keys or Also, or ErrNotFound.
	IdentityByKey(ctx context.Context, source, key string) (Identity, error)
	// IdentitiesByEmail returns every identity whose primary address is email, folded.
	IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error)
	// IdentityByAccount returns the identity that the PagerDuty account is pinned to, or ErrNotFound.
	IdentityByAccount(ctx context.Context, id AccountID) (Identity, error)
	// IdentitiesFormerly returns every identity that had the address, folded, and
	// for which it is reserved at t.
	IdentitiesFormerly(ctx context.Context, email string, t time.Time) ([]Identity, error)
	// SavePeople stores all of it or nothing, in its order: what one identity gives
	// up (a key, an account, a Slack user, an address) a later one may take. The
	// events are one or more.
	SavePeople(ctx context.Context, p People, events []AuditEvent, next ...Job) error
}
