package lifecycle

import (
	"fmt"
	"slices"
)

// LinkState is how sure the tie between an identity and an account is.
type LinkState string

// The ties. Only Linked is acted on.
const (
	Linked    LinkState = "linked"
	Unmatched LinkState = "unmatched"
	Disputed  LinkState = "disputed"
)

// A Link ties an identity to a PagerDuty account, or says why it cannot.
type Link struct {
	State   LinkState
	Account *Account
	Reason  string // for a person, when not linked
}

// Correlate returns which of the accounts is the identity's. A pinned account
// wins; else the primary address must be exactly one account's, compared
// folded. Other addresses only propose.
func Correlate(i Identity, accounts []Account) Link {
	if a := pinned(i, accounts); a != nil {
		return Link{State: Linked, Account: a}
	}
	hits := having(accounts, i.Person.Email())
	switch {
	case len(hits) == 1:
		return Link{State: Linked, Account: &hits[0]}
	case len(hits) > 1:
		return Link{State: Disputed, Reason: fmt.Sprintf("%d PagerDuty accounts have the address %s", len(hits), i.Person.Email())}
	}
	for _, alias := range i.Person.Emails[min(1, len(i.Person.Emails)):] {
		if found := having(accounts, FoldEmail(alias)); len(found) > 0 {
			return Link{State: Disputed, Reason: fmt.Sprintf("the account %s has only a second address (%s) in common; a person must say whether it is the same", found[0].ID, alias)}
		}
	}
	return Link{State: Unmatched, Reason: "no PagerDuty account has this address"}
}

func pinned(i Identity, accounts []Account) *Account {
	if i.Account == "" {
		return nil
	}
	if k := slices.IndexFunc(accounts, func(a Account) bool { return a.ID == i.Account }); k >= 0 {
		return &accounts[k]
	}
	return nil
}

func having(accounts []Account, email string) []Account {
	var hits []Account
	for _, a := range accounts {
		if email != "" && FoldEmail(a.Email) == email {
			hits = append(hits, a)
		}
	}
	return hits
}
