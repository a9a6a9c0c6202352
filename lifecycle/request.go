package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RequestKind is what a request came from.
type RequestKind string

// The kinds of request.
const (
	RequestJoiner     RequestKind = "joiner"
	RequestMover      RequestKind = "mover"
	RequestLeaver     RequestKind = "leaver"
	RequestDrift      RequestKind = "drift"
	RequestStale      RequestKind = "stale"
	RequestSelf       RequestKind = "request"
	RequestCredential RequestKind = "credential"
	RequestCampaign   RequestKind = "campaign"
)

// RequestState is where a request stands.
type RequestState string

// Pending → Approved | Denied | Expired | Withdrawn;
// Approved → Holding → Applying → Done | Failed | Blocked.
const (
	Pending   RequestState = "pending"
	Approved  RequestState = "approved"
	Holding   RequestState = "holding"
	Applying  RequestState = "applying"
	Done      RequestState = "done"
	Failed    RequestState = "failed"
	Blocked   RequestState = "blocked"
	Denied    RequestState = "denied"
	Expired   RequestState = "expired"
	Withdrawn RequestState = "withdrawn"
)

// ParseRequestState returns the state named s, or a Refusal that lists them.
func ParseRequestState(s string) (RequestState, error) {
	return parseClosed("state", s, Pending, Approved, Holding, Applying, Done, Failed, Blocked, Denied, Expired, Withdrawn)
}

// Open reports whether something may still come of a request in this state.
func (s RequestState) Open() bool {
	return s == Pending || s == Approved || s == Holding || s == Applying || s == Failed
}

// Subject is whose access a request is about.
type Subject struct {
	ID    IdentityID `json:"id,omitempty"`
	Email string     `json:"email"`
	Name  string     `json:"name"`
}

// Label returns the name a card uses.
func (s Subject) Label() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Email
}

// AccountRef names the PagerDuty account a request changes; empty before it is
// created. Email is the address it had when that was planned, folded.
type AccountRef struct {
	ID    AccountID `json:"id,omitempty"`
	Email string    `json:"email,omitempty"`
}

// Why is where a request comes from, for the card and the record.
type Why struct {
	Rule   string    `json:"rule"`             // the rules that ask for it, comma-separated
	Event  string    `json:"event"`            // what happened, in a sentence
	Notice NoticeID  `json:"notice,omitempty"` // of a joiner, mover or leaver
	Find   FindingID `json:"finding,omitempty"`
	Held   string    `json:"held,omitempty"` // of a finding: the role that was held when it was asked about
	Policy string    `json:"policy_sha256"`
}

// A Request asks for changes to one account, and carries its whole story.
type Request struct {
	ID         RequestID        `json:"id"`
	Kind       RequestKind      `json:"kind"`
	State      RequestState     `json:"state"`
	Revision   int              `json:"revision"`
	Subject    Subject          `json:"subject"`
	Account    AccountRef       `json:"account"`
	Holds      []Grant          `json:"holds"`                // what the account held when the request was planned
	Duties     []Duty           `json:"duties,omitempty"`     // that its changes touch, as they were then
	Candidates []Candidate      `json:"candidates,omitempty"` // who could take them over, the nearest first
	Used       Signal           `json:"used,omitzero"`        // when the account was last used
	Chosen     Chosen           `json:"chosen,omitzero"`      // who named those who take over; zero: they are proposed
	Undoes     RequestID        `json:"undoes,omitempty"`     // the request whose changes this one takes back
	Disabled   bool             `json:"disabled,omitempty"`   // contains somebody whose account at a source was disabled, and who has not left
	Reach      *Reach           `json:"reach,omitempty"`      // of a joiner: how PagerDuty can reach them, once that was looked at
	Changes    []Change         `json:"changes"`
	Why        Why              `json:"why"`
	Effects    []string         `json:"effects,omitempty"` // what approving would do beside the changes, in sentences
	Approvers  []string         `json:"approvers"`         // as computed when last asked; authority is computed again at the click
	From       []ApproverSource `json:"from"`
	Needed     int              `json:"needed"`
	Silence    Silence          `json:"silence"`
	Decisions  []Decision       `json:"decisions"`
	Observe    bool             `json:"observe,omitempty"` // opened in observe mode: nothing will be written
	Escalated  bool             `json:"escalated,omitempty"`
	Note       string           `json:"note,omitempty"` // why the state is what it is, in a sentence
	OpenedAt   time.Time        `json:"opened_at"`
	UpdatedAt  time.Time        `json:"updated_at"`
	DecideBy   time.Time        `json:"decide_by,omitzero"`
	Hours      Hours            `json:"hours,omitzero"` // in which it is waited for, as the policy had them when it was opened
	Zone       string           `json:"zone,omitempty"` // where those are; "": in UTC
	HoldUntil  time.Time        `json:"hold_until,omitzero"`
	NotBefore  time.Time        `json:"not_before,omitzero"` // of a deletion: when the hold of the leaver ends
	Replaces   RequestID        `json:"replaces,omitempty"`  // the blocked request whose remainder this asks for
	Asked      string           `json:"asked,omitempty"`     // why the subject asks for it, in their words
	Incident   string           `json:"incident,omitempty"`  // that they ask for it because of, as they gave it
	Until      time.Time        `json:"until,omitzero"`      // when what it gives ends, and what was held before is given back
	Ends       RequestID        `json:"ends,omitempty"`      // the end-dated request that this one ends
	GivenBack  time.Time        `json:"given_back,omitzero"` // when its holder had no more need of it
	EndedBy    RequestID        `json:"ended_by,omitempty"`  // the request that has ended, or is ending, what this one gave
	Ended      time.Time        `json:"ended_at,omitzero"`   // when what it gave was seen to be over; zero: it runs, or never did
	Questions  []Question       `json:"questions,omitempty"`
	Assigned   []Assignment     `json:"assigned,omitempty"`
	Snoozed    []Snooze         `json:"snoozed,omitempty"`
	Nudged     time.Time        `json:"nudged,omitzero"` // when the requester last had those who decide reminded
}

// IsFinding reports whether the request asks what to do about a finding, so
// that approving means revoking (or granting what is missing) and denying means keeping.
func (r Request) IsFinding() bool { return r.Why.Find != "" }

// Contains reports whether the request is the first stage of a leaver: what is
// taken at once, before anything is handed over.
func (r Request) Contains() bool {
	return r.Kind == RequestLeaver && len(r.Changes) > 0 && r.Changes[0].Op == OpContain
}

// HandsOver reports whether somebody takes over from the subject by it.
func (r Request) HandsOver() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Op == OpHandover && c.Restores == "" })
}

// Removes reports whether every change takes power away.
func (r Request) Removes() bool {
	return len(r.Changes) > 0 && !slices.ContainsFunc(r.Changes, func(c Change) bool { return !c.Removes() })
}

// Approvals returns how many distinct people have approved who still may.
func (r Request) Approvals() int {
	n := 0
	for _, d := range r.Decisions {
		if d.Verdict == Approve && !d.Lapsed {
			n++
		}
	}
	return n
}

// Lapse returns a pending request in which approvals count only of those who may
// decide now: somebody who left since does not make a quorum.
func (r Request) Lapse(who Route) Request {
	if r.State != Pending {
		return r
	}
	r.Decisions = slices.Clone(r.Decisions)
	for i, d := range r.Decisions {
		a, may := who.Of(d.By)
		r.Decisions[i].Lapsed = !may || a.ID != d.ByID
	}
	return r
}

// again returns nil where d is the first word of who gives it, else a Refusal. One
// person is one approval, and so is what one person may decide, whoever gives it
// for them. To deny is everybody's: it ends the matter.
func (r Request) again(d Decision) error {
	for _, was := range r.Decisions {
		switch {
		case was.Lapsed:
		case was.ByID == d.ByID || FoldEmail(was.By) == FoldEmail(d.By):
			return Refuse(ErrDuplicate, "you have already decided on this; %d of %d have approved", r.Approvals(), r.Needed)
		case d.Verdict == Approve && was.authority() == d.authority():
			return Refuse(ErrDuplicate, "%s has already approved this in the name of %s, and that counts once; %d of %d have approved", was.By, was.authority(), r.Approvals(), r.Needed)
		}
	}
	return nil
}

// DecidedBy returns the decision that settled the request, and false while it is pending.
func (r Request) DecidedBy() (Decision, bool) {
	if r.State == Pending || len(r.Decisions) == 0 {
		return Decision{}, false
	}
	return r.Decisions[len(r.Decisions)-1], true
}

// Teams returns the teams the request touches, in the order of its changes:
// gains first, so that the first is where the subject is going.
func (r Request) Teams() []Team {
	var teams []Team
	for _, gain := range []bool{true, false} {
		for _, c := range r.Changes {
			if c.Entitlement.Team.ID+TeamID(c.Entitlement.Team.Name) != "" && c.Removes() != gain && !slices.ContainsFunc(teams, c.Entitlement.Team.is) {
				teams = append(teams, c.Entitlement.Team)
			}
		}
	}
	return teams
}

// HomeTeams returns the teams whose owners answer for the request: those it
// touches, or those the account is on when it touches none.
func (r Request) HomeTeams() []Team {
	teams := r.Teams()
	if len(teams) > 0 {
		return teams
	}
	for _, g := range r.Holds {
		if g.Entitlement.Kind == KindTeamRole {
			teams = append(teams, g.Entitlement.Team)
		}
	}
	return teams
}

// Decide returns the request as d leaves it, or a Refusal that says why d does
// not count. It knows nothing of who is eligible; see Router.
func (r Request) Decide(d Decision) (Request, error) {
	about := FoldEmail(r.Subject.Email)
	switch {
	case d.Verdict != Approve && d.Verdict != Deny:
		return r, Refuse(ErrInvalid, "a decision is to approve or to deny, not %q", d.Verdict)
	case r.State != Pending:
		return r, Refuse(ErrConflict, "this request is already %s%s", r.State, r.by())
	case r.late(d.At):
		return r, r.expired()
	case r.pastEnd(d.At):
		return r, Refuse(ErrConflict, "it was asked for until %s, and that has passed", r.Until.UTC().Format("2 Jan 15:04 UTC"))
	case d.ByID == "" || d.By == "":
		return r, Refuse(ErrForbidden, "nobody decides without being known")
	case d.ByID == r.Subject.ID || FoldEmail(d.By) == about || d.For != "" && FoldEmail(d.For) == about:
		return r, Refuse(ErrForbidden, "no one decides on their own access")
	case d.Seen > r.Revision:
		return r, Refuse(ErrConflict, "revision %d of this request does not exist; it is at %d", d.Seen, r.Revision)
	case d.Verdict == Approve && r.Chosen.unseen(d.By, d.Seen):
		return r, Refuse(ErrConflict, "%s", r.Chosen.words())
	case r.again(d) != nil:
		return r, r.again(d)
	case d.Verdict == Approve && slices.ContainsFunc(r.Changes, Change.Unchosen):
		return r, Refuse(ErrInvalid, "choose who takes over first: %s", r.unchosen())
	case d.Reason == "" && (d.Verdict == Deny || r.Risk() != Routine):
		return r, Refuse(ErrInvalid, "this decision needs a reason")
	}
	r.Decisions = append(slices.Clone(r.Decisions), d)
	r.Revision++
	r.UpdatedAt = d.At
	switch {
	case d.Verdict == Deny:
		r.State, r.Note = Denied, d.Reason
	case r.Approvals() >= max(r.Needed, 1):
		r.State = Approved
	}
	return r, nil
}

// late reports whether it is too late to decide.
func (r Request) late(now time.Time) bool {
	return r.State == Pending && !r.DecideBy.IsZero() && !now.Before(r.DecideBy)
}

// pastEnd reports whether what the request gives would end before it is given.
func (r Request) pastEnd(now time.Time) bool { return !r.Until.IsZero() && !now.Before(r.Until) }

func (r Request) expired() error {
	return Refuse(ErrConflict, "this request expired on %s", r.DecideBy.UTC().Format("2 Jan 15:04 UTC"))
}

// unchosen names what nobody has been chosen for yet.
func (r Request) unchosen() string {
	var words []string
	for _, c := range r.Changes {
		if c.Unchosen() {
			words = append(words, c.Entitlement.String())
		}
	}
	return strings.Join(words, ", ")
}

func (r Request) by() string {
	d, ok := r.DecidedBy()
	if !ok {
		return ""
	}
	return fmt.Sprintf(", by %s at %s", d.By, d.At.UTC().Format("15:04 UTC on 2 Jan"))
}

// Withdraw returns the request as superseded or undone, or a Refusal when it is past that.
func (r Request) Withdraw(why string, now time.Time) (Request, error) {
	if !r.State.Open() || r.State == Applying {
		return r, Refuse(ErrConflict, "this request is already %s%s", r.State, r.by())
	}
	return r.to(Withdrawn, why, now), nil
}

// Undo returns a holding request as taken back, or a Refusal when it is not waiting.
func (r Request) Undo(by string, now time.Time) (Request, error) {
	if r.State != Holding {
		return r, Refuse(ErrConflict, "there is nothing to undo: this request is %s%s", r.State, r.by())
	}
	return r.to(Withdrawn, "Undone by "+by+" before anything was changed.", now), nil
}

// Retry returns a failed request as it tries again from the step that failed.
func (r Request) Retry(now time.Time) (Request, error) {
	if r.State != Failed {
		return r, Refuse(ErrConflict, "there is nothing to retry: this request is %s%s", r.State, r.by())
	}
	r.Changes = slices.Clone(r.Changes)
	for i := range r.Changes {
		if r.Changes[i].State == ChangeFailed {
			r.Changes[i].State, r.Changes[i].Error = ChangePlanned, ""
		}
	}
	return r.to(Applying, "", now), nil
}

// Expire returns a request that nobody decided in time.
func (r Request) Expire(now time.Time) (Request, error) {
	if r.State != Pending || r.DecideBy.IsZero() || now.Before(r.DecideBy) {
		return r, Refuse(ErrConflict, "this request is %s", r.State)
	}
	return r.to(Expired, "Nobody decided in time. Nothing was changed.", now), nil
}

// WithChange returns the request with its i-th change replaced.
func (r Request) WithChange(i int, c Change, now time.Time) Request {
	r.Changes = slices.Clone(r.Changes)
	r.Changes[i] = c
	r.Revision++
	r.UpdatedAt = now
	return r
}

func (r Request) to(s RequestState, note string, now time.Time) Request {
	r.State, r.Note, r.UpdatedAt = s, note, now
	r.Revision++
	return r
}
