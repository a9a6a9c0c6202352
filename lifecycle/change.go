package lifecycle

import "time"

// Op is what a change does.
type Op string

// The operations. Contain is a revocation that policy ordered for a leaver.
const (
	OpGrant    Op = "grant"
	OpRevoke   Op = "revoke"
	OpReplace  Op = "replace"
	OpCreate   Op = "create"
	OpDelete   Op = "delete"
	OpContain  Op = "contain"
	OpHandover Op = "handover"
)

// ChangeState is how far a change has come.
type ChangeState string

// A change is verified only when it was read back from PagerDuty.
const (
	ChangePlanned  ChangeState = "planned"
	ChangeApplied  ChangeState = "applied"
	ChangeVerified ChangeState = "verified"
	ChangeFailed   ChangeState = "failed"
)

// NoSuccessor is the To of a handover to nobody: the others who answer there
// are enough. PagerDuty's ids never look like it.
const NoSuccessor = "none"

// A Change is one act on PagerDuty: an entitlement goes From one role To
// another, where "" is none. A handover goes from one account to another: To is
// "" until somebody has chosen whom, and NoSuccessor where nobody need follow.
// Of a session, From is what tells that it was not ended yet.
type Change struct {
	ID          ChangeID    `json:"id"`
	Op          Op          `json:"op"`
	Entitlement Entitlement `json:"entitlement"`
	From        string      `json:"from"`
	To          string      `json:"to"`
	State       ChangeState `json:"state"`
	Error       string      `json:"error,omitempty"`
	VerifiedAt  time.Time   `json:"verified_at,omitzero"`

	Successor AccountCard `json:"successor,omitzero"` // of a handover: who To is
	Restores  ChangeID    `json:"restores,omitempty"` // the change that this one undoes
}

// OnAccount reports whether the account itself shows the change: a base role, a
// team role, or that it exists. What it does not show, the platform looks at.
func (c Change) OnAccount() bool {
	switch c.Entitlement.Kind {
	case KindBaseRole, KindTeamRole, KindAccount:
		return true
	case KindSchedule, KindEscalationPolicy, KindSession, KindIncident:
		return false
	default:
		return false
	}
}

// Unchosen reports whether the change is a handover that nobody has been chosen for yet.
func (c Change) Unchosen() bool { return c.Op == OpHandover && c.To == "" }

func newChange(op Op, e Entitlement, from, to string) Change {
	e.Role = to
	if to == "" {
		e.Role = from
	}
	return Change{ID: NewChangeID(), Op: op, Entitlement: e, From: from, To: to, State: ChangePlanned}
}

// Removes reports whether the change takes power away.
func (c Change) Removes() bool {
	switch c.Entitlement.Kind {
	case KindBaseRole:
		return BaseRole(c.To).Rank() < BaseRole(c.From).Rank()
	case KindTeamRole:
		return TeamRole(c.To).Rank() < TeamRole(c.From).Rank()
	default:
		return c.Op == OpDelete || c.Op == OpContain || c.Op == OpRevoke
	}
}

// Current returns what a (nil: no account) holds now of the change's
// entitlement, in the terms of From and To.
func (c Change) Current(a *Account) string {
	switch {
	case a == nil:
		return ""
	case c.Entitlement.Kind == KindTeamRole:
		return string(a.On(c.Entitlement.Team.ID))
	default: // a base role, or the account itself, which stands or falls with its base role
		return string(a.BaseRole)
	}
}

// Done reports whether a (nil: no account) already is as the change wants it.
// What the account does not show is done when it was seen to be.
func (c Change) Done(a *Account) bool {
	if !c.OnAccount() {
		return c.State == ChangeApplied || c.State == ChangeVerified
	}
	return c.Current(a) == c.To
}

// Untouched reports whether a (nil: no account) still is as the change found it.
func (c Change) Untouched(a *Account) bool {
	if !c.OnAccount() {
		return !c.Done(a)
	}
	return c.Current(a) == c.From
}

// Gives reports whether the change gives the subject anything: a role, an
// account, or a duty that was theirs.
func (c Change) Gives() bool {
	if c.OnAccount() {
		return !c.Removes()
	}
	return c.Restores != ""
}

// inverse returns the change that takes c back, and false for what cannot be:
// a deletion is final, an account is not made unmade, an ended session stays ended.
func (c Change) inverse() (Change, bool) {
	switch {
	case c.Op == OpDelete, c.Op == OpCreate, c.Entitlement.Kind == KindSession:
		return Change{}, false
	case c.Op == OpHandover:
		back := Change{ID: NewChangeID(), Op: OpHandover, Entitlement: c.Entitlement, From: c.To, To: c.From, State: ChangePlanned}
		back.Restores = c.ID
		return back, true
	case c.To == "":
		return newChange(OpGrant, c.Entitlement, "", c.From), true
	case c.From == "":
		return newChange(OpRevoke, c.Entitlement, c.To, ""), true
	default:
		return newChange(OpReplace, c.Entitlement, c.To, c.From), true
	}
}
