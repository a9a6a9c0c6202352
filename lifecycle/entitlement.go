package lifecycle

import (
	"fmt"
	"time"
)

// EntitlementKind is what kind of thing an account can hold.
type EntitlementKind string

// The kinds of entitlement.
const (
	KindBaseRole         EntitlementKind = "base_role"
	KindTeamRole         EntitlementKind = "team_role"
	KindSchedule         EntitlementKind = "schedule"
	KindEscalationPolicy EntitlementKind = "escalation_policy"
	KindAccount          EntitlementKind = "account"
	KindSession          EntitlementKind = "session"
)

// ParseEntitlementKind returns the kind named s, or a Refusal that lists them.
func ParseEntitlementKind(s string) (EntitlementKind, error) {
	return parseClosed("entitlement kind", s, KindBaseRole, KindTeamRole, KindSchedule, KindEscalationPolicy, KindAccount, KindSession)
}

// An Entitlement is one thing that can be held in PagerDuty.
type Entitlement struct {
	Kind EntitlementKind `json:"kind"`
	Team Team            `json:"team,omitzero"`
	Role string          `json:"role,omitempty"`
}

// OnTeam returns the entitlement of a role on a team.
func OnTeam(t Team, r TeamRole) Entitlement {
	return Entitlement{Kind: KindTeamRole, Team: t, Role: string(r)}
}

// String says the entitlement as a card does: "Payments: responder".
func (e Entitlement) String() string {
	switch e.Kind {
	case KindBaseRole:
		return BaseRole(e.Role).String()
	case KindTeamRole:
		return fmt.Sprintf("%s: %s", e.Team.Name, e.Role)
	case KindAccount:
		return "PagerDuty account"
	default:
		return string(e.Kind)
	}
}

// A Grant says that an account holds an entitlement.
type Grant struct {
	Account     AccountID   `json:"account"`
	Entitlement Entitlement `json:"entitlement"`
	Until       time.Time   `json:"until,omitzero"`
}
