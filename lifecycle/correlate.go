package lifecycle

import (
	"fmt"
	"slices"
	"strings"
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
	Reason  string    // for a person, when not linked
	Maybe   []Account // when disputed: those that it may be
}

// Correlate returns which of the accounts is the identity's. A pinned account
// wins; else the primary address must be exactly one account's, compared
// folded. Other addresses, and those that they had, only propose. An account that
// a person has said is not theirs, and one whose address the policy says is
// nobody's, is none of them.
func Correlate(i Identity, accounts []Account, p Policy) Link {
	if a := pinned(i, accounts); a != nil {
		return Link{State: Linked, Account: a}
	}
	accounts = slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool {
		return slices.Contains(i.Not, a.ID) || p.IsShared(a.Email)
	})
	hits := having(accounts, i.Person.Email())
	switch {
	case len(hits) == 1 && !i.Person.guest():
		return Link{State: Linked, Account: &hits[0]}
	case len(hits) == 1:
		return Link{State: Disputed, Maybe: hits, Reason: fmt.Sprintf("the account %s has their address, but they are a guest here; a person must say whether it is theirs", hits[0].ID)}
	case len(hits) > 1:
		return Link{State: Disputed, Maybe: hits, Reason: fmt.Sprintf("%d PagerDuty accounts have the address %s", len(hits), i.Person.Email())}
	}
	for k, other := range i.otherAddresses() {
		if found := having(accounts, other); len(found) > 0 {
			what := "a second address"
			if k >= len(i.Person.Emails)-1 {
				what = "an address that they had"
			}
			return Link{State: Disputed, Maybe: found, Reason: fmt.Sprintf("the account %s has only %s (%s) in common; a person must say whether it is the same", found[0].ID, what, other)}
		}
	}
	return Link{State: Unmatched, Reason: "no PagerDuty account has this address"}
}

// otherAddresses returns, folded, the addresses that only propose: those beside
// the primary one, then those that they had.
func (i Identity) otherAddresses() []string {
	var others []string
	for _, alias := range i.Person.Emails[min(1, len(i.Person.Emails)):] {
		others = append(others, FoldEmail(alias))
	}
	for _, f := range i.Former {
		others = append(others, f.Email)
	}
	return others
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
		known := slices.ContainsFunc(hits, func(h Account) bool { return h.ID == a.ID })
		if email != "" && FoldEmail(a.Email) == email && !known {
			hits = append(hits, a)
		}
	}
	return hits
}

// guest reports whether a directory has the person as a guest of another one.
// Source: Microsoft Entra, the user principal name of a B2B guest.
func (p Person) guest() bool {
	return slices.ContainsFunc(p.Emails, func(e string) bool { return strings.Contains(FoldEmail(e), "#ext#") })
}
