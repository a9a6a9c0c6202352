package lifecycle

import (
	"context"
	"time"
)

// A Trace is one change of access that PagerDuty's own audit records tell of,
// whoever made it.
type Trace struct {
	ID          string      `json:"id"` // of PagerDuty's record, which may tell of several accounts
	At          time.Time   `json:"at"`
	Op          Op          `json:"op"`          // grant, revoke, replace, create or delete: From and To may both be untold
	Account     AccountID   `json:"account"`     // whose access changed; "" when a whole team was deleted: all who were on it
	Entitlement Entitlement `json:"entitlement"` // base_role, team_role or account
	From        string      `json:"from"`        // "" for none, or where PagerDuty does not say
	To          string      `json:"to"`
	By          AccountID   `json:"by,omitempty"`      // the person who made it, where it was one and no identity provider
	ByName      string      `json:"by_name,omitempty"` // as PagerDuty calls them, or the app
	Way         Way         `json:"way"`
	Key         string      `json:"key,omitempty"` // last four characters of the API key it was made with
	Ours        bool        `json:"ours"`          // made with the credential that rolecall uses, by whoever has it
}

// Way is how a change was made in PagerDuty.
type Way string

// The ways. Source: PagerDuty REST API, schema AuditRecord.method.type.
const (
	WayBrowser  Way = "browser"
	WayKey      Way = "api_token"
	WayApp      Way = "oauth"
	WayIdentity Way = "identity_provider"
	WayOther    Way = "other"
)

// A Historian reads PagerDuty's audit records.
type Historian interface {
	// Traces returns every change of access since then until then, both included,
	// oldest first, over as many of PagerDuty's windows as that takes. PagerDuty
	// keeps twelve months; of what was before there are none. It does not say how
	// late a record may come: who goes on from an earlier look looks back a little
	// further, and knows by its ID what was told before. Where the plan has
	// no audit records, or the key may not read them, it is a Refusal that says so.
	Traces(ctx context.Context, since, until time.Time) ([]Trace, error)
}
