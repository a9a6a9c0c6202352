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

// A Change is one act on PagerDuty: an entitlement goes From one role To
// another, where "" is none.
type Change struct {
	ID          ChangeID    `json:"id"`
	Op          Op          `json:"op"`
	Entitlement Entitlement `json:"entitlement"`
	From        string      `json:"from"`
	To          string      `json:"to"`
	State       ChangeState `json:"state"`
	Error       string      `json:"error,omitempty"`
	VerifiedAt  time.Time   `json:"verified_at,omitzero"`
}

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
func (c Change) Done(a *Account) bool { return c.Current(a) == c.To }

// Untouched reports whether a (nil: no account) still is as the change found it.
func (c Change) Untouched(a *Account) bool { return c.Current(a) == c.From }
