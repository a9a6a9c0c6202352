package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// rollCallSource is the source of what the house finds by itself.
const rollCallSource = "roll call"

// A Roll is everything a roll call compares, at one moment.
type Roll struct {
	Policy     Policy // resolved against the snapshot's teams
	Identities []Identity
	Have       Snapshot
	Last       map[AccountID]Account // as the last whole roll call, or a verified change since, left them
	Usage      Usage
	Waits      map[IdentityID]HoldID // about whom something is held, or is still to be judged (""): nothing is concluded about them
	Now        time.Time

	covered bool // Have's coverage is whole
}

// Reconcile returns every disagreement between what policy wants and what is
// held. It is pure, and linear in people and accounts.
func Reconcile(r Roll) []Finding {
	r.Policy = r.Policy.At(r.Now).Indexed()
	matched := r.match()
	r.covered = r.Have.Coverage.Whole()
	var found []Finding
	for _, a := range r.Have.Accounts {
		if r.Policy.IsProtected(a.Email) || a.BaseRole == RoleOwner {
			continue
		}
		i, known := matched.owner[a.ID]
		switch _, waits := r.Waits[i.ID]; {
		case known && waits:
		case matched.disputed[a.ID] != "":
			found = append(found, r.finding(FoundDisputed, SeverityMedium, Identity{}, a, Entitlement{Kind: KindAccount}, "", "", matched.disputed[a.ID]))
		case !known && r.Policy.IsShared(a.Email): // is nobody's, and is to be
		case !known:
			found = append(found, r.orphan(a))
		default:
			found = append(found, r.judgeHolder(i, a)...)
			found = append(found, r.idle(i, a)...)
		}
	}
	found = append(found, r.unanswered()...)
	return append(found, r.absent(matched)...)
}

type rollMatch struct {
	owner    map[AccountID]Identity
	disputed map[AccountID]string
	holding  map[IdentityID]bool
}

// match ties identities to accounts: a pinned account first, then the exact
// primary address, each unique on both sides.
func (r Roll) match() rollMatch {
	m := rollMatch{owner: map[AccountID]Identity{}, disputed: map[AccountID]string{}, holding: map[IdentityID]bool{}}
	there, byEmail := make(map[AccountID]bool, len(r.Have.Accounts)), make(map[string][]AccountID, len(r.Have.Accounts))
	for i := range r.Have.Accounts {
		a := &r.Have.Accounts[i]
		there[a.ID] = true
		byEmail[FoldEmail(a.Email)] = append(byEmail[FoldEmail(a.Email)], a.ID)
	}
	for _, i := range r.Identities {
		if there[i.Account] {
			m.claim(i.Account, i)
		}
	}
	for _, i := range r.Identities {
		if !m.holding[i.ID] {
			r.matchAddress(m, i, byEmail)
		}
	}
	for _, i := range r.Identities {
		if !m.holding[i.ID] {
			r.propose(m, i, byEmail)
		}
	}
	return m
}

// matchAddress ties the identity to the account that has its primary address.
func (r Roll) matchAddress(m rollMatch, i Identity, byEmail map[string][]AccountID) {
	email := i.Person.Email()
	hits := r.mayBe(i, email, byEmail)
	for _, a := range hits {
		switch {
		case len(hits) > 1:
			m.disputed[a] = fmt.Sprintf("%d accounts have the address %s", len(hits), email)
			m.holding[i.ID] = true
		case i.Person.guest():
			m.disputed[a] = fmt.Sprintf("%s has its address, and is a guest", i.Person.Label())
			m.holding[i.ID] = true
		default:
			m.claim(a, i)
		}
	}
}

// propose disputes the accounts that nobody has claimed and that only another
// address of the identity, or one that it had, speaks for: they are no orphans.
func (r Roll) propose(m rollMatch, i Identity, byEmail map[string][]AccountID) {
	for _, other := range i.otherAddresses() {
		for _, a := range r.mayBe(i, other, byEmail) {
			if _, owned := m.owner[a]; !owned && m.disputed[a] == "" {
				m.disputed[a] = fmt.Sprintf("%s has only another address (%s) in common with it; a person must say whether it is theirs", i.Person.Label(), other)
			}
		}
	}
}

// mayBe returns the accounts with the address that may be the identity's. An
// address that nobody has ties nobody to anything, nor does a shared one.
func (r Roll) mayBe(i Identity, email string, byEmail map[string][]AccountID) []AccountID {
	if email == "" || len(byEmail[email]) == 0 || r.Policy.IsShared(email) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(byEmail[email]), func(a AccountID) bool { return slices.Contains(i.Not, a) })
}

func (m rollMatch) claim(a AccountID, i Identity) {
	m.holding[i.ID] = true
	if was, taken := m.owner[a]; taken && was.ID != i.ID {
		m.disputed[a] = fmt.Sprintf("both %s and %s claim this account", was.Person.Label(), i.Person.Label())
		return
	}
	m.owner[a] = i
}

func (r Roll) orphan(a Account) Finding {
	severity := SeverityMedium
	if a.BaseRole.Privileged() {
		severity = SeverityHigh
	}
	return r.finding(FoundOrphan, severity, Identity{}, a, Entitlement{Kind: KindAccount, Role: string(a.BaseRole)}, string(a.BaseRole), "", "")
}

func (r Roll) judgeHolder(i Identity, a Account) []Finding {
	switch i.StatusAt(r.Now) {
	case StatusEnded:
		if a.Contained() {
			return []Finding{r.leftBehind(i, a)}
		}
		return []Finding{r.present(i, a)}
	case StatusActive:
		if !i.Sourced() {
			return r.risen(i, a)
		}
		return r.compare(i, a)
	case StatusLeave, StatusSuspended: // is given nothing meanwhile, but power that policy does not know shows
		return slices.DeleteFunc(r.compare(i, a), func(f Finding) bool { return f.Kind == FoundMissing })
	default:
		return nil
	}
}

// present is a leaver who holds access. What they hold more of than at the last
// roll call was given back to them since: that is drift, and stays the same finding.
func (r Roll) present(i Identity, a Account) Finding {
	f := r.finding(FoundLeaverPresent, SeverityHigh, i, a, Entitlement{Kind: KindAccount, Role: string(a.BaseRole)}, string(a.BaseRole), "", "")
	if last, seen := r.Last[a.ID]; seen {
		if more := beyondLast(a, last); len(more) > 0 {
			f.Kind, f.Note = FoundDrift, "was given back "+strings.Join(more, " and ")+" with no decision on file."
		}
	}
	return f
}

// beyondLast returns, in words, the roles that are higher than they were.
func beyondLast(a, last Account) []string {
	var more []string
	if a.BaseRole.Rank() > last.BaseRole.Rank() {
		more = append(more, a.BaseRole.String())
	}
	for _, m := range a.Teams {
		if m.Role.Rank() > last.On(m.Team.ID).Rank() {
			more = append(more, OnTeam(m.Team, m.Role).String())
		}
	}
	return more
}

// leftBehind is a leaver's account of which only the deletion is left. It is
// another finding than the leaver who still has access.
func (r Roll) leftBehind(i Identity, a Account) Finding {
	e := Entitlement{Kind: KindAccount, Role: string(a.BaseRole)}
	f := r.finding(FoundLeaverPresent, SeverityLow, i, a, e, string(a.BaseRole), "", leftBehind)
	f.ID = findingIDFor(leftBehind, a.ID, "", e)
	return f
}

// risen is all that can be said of somebody known by virtue of the policy
// alone: that they have become more powerful since the last roll call.
func (r Roll) risen(i Identity, a Account) []Finding {
	last, seen := r.Last[a.ID]
	if !seen || !a.BaseRole.Privileged() || a.BaseRole.Rank() <= last.BaseRole.Rank() {
		return nil
	}
	return []Finding{r.beyond(i, a, Entitlement{Kind: KindBaseRole, Role: string(a.BaseRole)}, string(a.BaseRole), string(last.BaseRole))}
}

// compare holds what an account has against policy: it lacks what policy
// wants, and has too much only beyond what policy could mean at the most.
func (r Roll) compare(i Identity, a Account) []Finding {
	want, most := r.Policy.Bounds(i.Person)
	unclear := want.Conflict != "" || len(want.Undetermined) > 0
	var found []Finding
	if f, ok := r.compareBase(i, a, want, most, unclear); ok {
		found = append(found, f)
	}
	for _, t := range r.Policy.teamsOf(a.Teams, want.Teams) {
		team, have := Team{ID: t.ID, Name: t.Name}, a.On(t.ID)
		wanted, atMost := want.Role(t.ID), most.Role(t.ID)
		switch {
		case atMost != "" && a.BaseRole == RoleAdmin: // an admin's team role is fixed at manager, and cannot be lowered
		case have.Rank() > atMost.Rank():
			found = append(found, r.beyond(i, a, OnTeam(team, have), string(have), string(atMost)))
		case have.Rank() < wanted.Rank() && !unclear:
			found = append(found, r.finding(FoundMissing, SeverityLow, i, a, OnTeam(team, wanted), string(have), string(wanted), ""))
		}
	}
	return r.apart(i, a, want, most, found)
}

// teamsOf returns the policy's teams among those of the memberships, in the order
// of the policy.
func (p *Policy) teamsOf(some ...[]Membership) []TeamPolicy {
	var places []int
	for _, ms := range some {
		for _, m := range ms {
			if i := p.teamAt(string(m.Team.ID)); m.Team.ID != "" && i >= 0 && p.Teams[i].ID == m.Team.ID {
				places = append(places, i)
			}
		}
	}
	slices.Sort(places)
	places = slices.Compact(places)
	teams := make([]TeamPolicy, len(places))
	for k, i := range places {
		teams[k] = p.Teams[i]
	}
	return teams
}

// compareBase shows a privileged role of somebody of whom no rule speaks, and
// keeps an ordinary one.
func (r Roll) compareBase(i Identity, a Account, want, most Want, unclear bool) (Finding, bool) {
	e := Entitlement{Kind: KindBaseRole, Role: string(a.BaseRole)}
	atMost := most.atMost(a.BaseRole)
	switch {
	case a.BaseRole.Rank() > atMost.Rank():
		return r.beyond(i, a, e, string(a.BaseRole), string(atMost)), true
	case a.BaseRole.Rank() < want.BaseRole.Rank() && !unclear:
		return r.finding(FoundMissing, SeverityLow, i, a, e, string(a.BaseRole), string(want.BaseRole), ""), true
	default:
		return Finding{}, false
	}
}

// beyond is drift when the last roll call saw something else, else excess.
func (r Roll) beyond(i Identity, a Account, e Entitlement, from, to string) Finding {
	severity := SeverityMedium
	if e.Kind == KindBaseRole && BaseRole(from).Privileged() {
		severity = SeverityHigh
	}
	last, seen := r.Last[a.ID]
	if before := (Change{Entitlement: e}).Current(&last); seen && before != from {
		return r.finding(FoundDrift, severity, i, a, e, from, to, "At the last roll call it was "+roleWords(e, before)+".")
	}
	return r.finding(FoundExcess, severity, i, a, e, from, to, "")
}

// absent returns a finding for everybody who should hold something and has no account.
func (r Roll) absent(m rollMatch) []Finding {
	var found []Finding
	for _, i := range r.Identities {
		if _, waits := r.Waits[i.ID]; waits || m.holding[i.ID] || !i.Sourced() || i.StatusAt(r.Now) != StatusActive || i.Person.startsAfter(r.Now) {
			continue
		}
		if want := r.Policy.Want(i.Person); held(want) == "" {
			a := Account{Email: i.Person.Email(), Name: i.Person.Name}
			found = append(found, r.finding(FoundMissing, SeverityLow, i, a, Entitlement{Kind: KindAccount, Role: string(createRole(want))}, "", string(createRole(want)), ""))
		}
	}
	return found
}

func (r Roll) finding(k FindingKind, s Severity, i Identity, a Account, e Entitlement, from, to, note string) Finding {
	class := string(k)
	if k == FoundDrift || k == FoundExcess {
		class = "beyond"
	}
	who := i.ID
	if a.ID != "" { // the account tells it; the identity may be linked later
		who = ""
	}
	return Finding{
		ID: findingIDFor(class, a.ID, who, e), Kind: k, Severity: s, Identity: i.ID,
		Account:     AccountCard{ID: a.ID, Email: a.Email, Name: a.Name, BaseRole: a.BaseRole},
		Entitlement: e, From: from, To: to, Since: r.Now, Source: rollCallSource, Note: note,
	}
}
