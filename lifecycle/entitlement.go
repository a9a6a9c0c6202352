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
	KindIncident         EntitlementKind = "incident"
)

// ParseEntitlementKind returns the kind named s, or a Refusal that lists them. No
// other tool reports somebody's open incidents as access.
func ParseEntitlementKind(s string) (EntitlementKind, error) {
	return parseClosed("entitlement kind", s, KindBaseRole, KindTeamRole, KindSchedule, KindEscalationPolicy, KindAccount, KindSession)
}

// An Entitlement is one thing that can be held in PagerDuty.
type Entitlement struct {
	Kind EntitlementKind `json:"kind"`
	Team Team            `json:"team,omitzero"`
	Role string          `json:"role,omitempty"`

	// Of a duty: what it is a part of.
	Object   Object `json:"object,omitzero"`
	Level    int    `json:"level,omitempty"`    // of an escalation policy, counted from 1
	Override string `json:"override,omitempty"` // the id of an override of the schedule
}

// The sessions of an account, as its Role tells them apart.
const (
	SessionSignIns  = "sign-ins" // on the web and the mobile app
	SessionCalendar = "calendar" // the secret in the address of the calendar feed
)

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
	case KindEscalationPolicy:
		return fmt.Sprintf("level %d of %s", e.Level, e.Object.Name)
	case KindSchedule:
		if e.Override != "" {
			return "an override in " + e.Object.Name
		}
		return "a seat in " + e.Object.Name
	case KindIncident:
		return "incident " + e.Object.Name
	case KindSession:
		if e.Role == SessionCalendar {
			return "calendar feed"
		}
		return "web and mobile sessions"
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
