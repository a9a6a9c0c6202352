package lifecycle

import (
	"context"
	"time"
)

// An Approver is somebody who may decide a request, and why they may.
type Approver struct {
	ID    IdentityID
	Email string    // folded
	As    string    // what makes them one, for the card: "owns Payments", "manages Payments in PagerDuty", "manages Ben Ode", "security"
	For   string    // the address of whom they stand in for; "" is themselves
	Until time.Time // when they stop standing in; zero where they stand for themselves
	Asked bool      // is sent a copy of the card; who is not may decide it in the channel
	Group GroupID   // in which they are what As says; "": the policy or another system names them
}

// authority returns in whose name they decide: their own, or that of whom they
// stand in for. It is spoken for once, whoever speaks.
func (a Approver) authority() string {
	if a.For != "" {
		return a.For
	}
	return a.Email
}

// A Route is who may decide a request now, the nearest first, each once.
type Route []Approver

// Emails returns the addresses of the route, in its order.
func (r Route) Emails() []string {
	emails := make([]string, len(r))
	for i, a := range r {
		emails[i] = a.Email
	}
	return emails
}

// Of returns the approver with that address, and whether there is one.
func (r Route) Of(email string) (Approver, bool) {
	for _, a := range r {
		if a.Email == FoldEmail(email) {
			return a, true
		}
	}
	return Approver{}, false
}

// RouteStore is where it is looked up who stands behind each source of approvers.
type RouteStore interface {
	// IdentitiesByEmail returns every identity whose primary address is email, folded.
	IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error)
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// IdentityByKey returns the identity that the source knows by the key, or ErrNotFound.
	IdentityByKey(ctx context.Context, source, key string) (Identity, error)
	// TeamManagers returns the accounts that were managers of the team in PagerDuty
	// at the last roll call, or after a verified change since, by address.
	TeamManagers(ctx context.Context, team TeamID) ([]Account, error)
	// Absences is AbsenceStore's.
	Absences(ctx context.Context, at time.Time) ([]Absence, error)
}
