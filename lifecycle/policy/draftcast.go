package policy

import (
	"net/mail"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// cast is who holds what, as a policy is drafted from it.
type cast struct {
	account  lifecycle.Snapshot
	members  []member
	known    bool     // a source of truth has sent people; else accounts stand for them
	security []string // addresses
	protect  []string
	nobodys  []lifecycle.Account // accounts that are nobody's who is known, and that may be changed
	owners   map[lifecycle.TeamID][]string
	having   map[string][]int // what people may have in common → who has it, by their places
}

// member is somebody who may hold something.
type member struct {
	person lifecycle.Person
	base   lifecycle.BaseRole // "" without an account
	teams  []lifecycle.Membership
	free   bool // whatever a rule says of them, nothing is found: protected, disputed, or not there yet
}

func (m *member) on(team lifecycle.TeamID) lifecycle.TeamRole {
	return lifecycle.Account{Teams: m.teams}.On(team)
}

func newCast(s Start) *cast {
	c := &cast{account: s.Account, owners: map[lifecycle.TeamID][]string{}}
	for _, p := range s.Protect {
		if folded := lifecycle.FoldEmail(p); folded != "" && !slices.Contains(c.protect, folded) {
			c.protect = append(c.protect, folded)
		}
	}
	people := slices.DeleteFunc(slices.Clone(s.People), func(i lifecycle.Identity) bool { return i.Merged != "" })
	c.known = slices.ContainsFunc(people, lifecycle.Identity.Sourced)
	if !c.known {
		people = standIns(s.Account.Accounts)
	}
	owns := lifecycle.Holders(people, s.Account.Accounts)
	leads, others := leading{}, leading{}
	there, claimed := map[string]bool{}, map[lifecycle.AccountID]bool{}
	for _, a := range s.Account.Accounts {
		there[string(a.ID)], there[lifecycle.FoldEmail(a.Email)] = true, true
	}
	for _, i := range people {
		a := owns[i.ID]
		if a != nil {
			claimed[a.ID] = true
		}
		if c.known && !i.Sourced() { // known by virtue of a policy alone: nothing is concluded about what they hold
			c.decides(others, i, a, s.At)
			continue
		}
		c.join(i, a, s.At, a == nil && (there[string(i.Account)] || there[i.Person.Email()]))
		c.decides(leads, i, a, s.At)
	}
	for _, a := range s.Account.Accounts {
		if !claimed[a.ID] {
			if a.BaseRole != lifecycle.RoleOwner && !c.protects(a.Email) {
				c.nobodys = append(c.nobodys, a)
			}
			c.decides(others, standIn(a), &a, s.At)
		}
	}
	c.lead(leads, others)
	c.gather()
	return c
}

// leading is the addresses of who has a base role, or manages a team.
type leading map[string][]string

// standIns are people as their accounts show them, for a first day on which no
// source of truth has sent anybody.
func standIns(accounts []lifecycle.Account) []lifecycle.Identity {
	people := make([]lifecycle.Identity, len(accounts))
	for i, a := range accounts {
		people[i] = standIn(a)
	}
	return people
}

func standIn(a lifecycle.Account) lifecycle.Identity {
	return lifecycle.Identity{ID: lifecycle.IdentityID(a.ID), Account: a.ID, Person: lifecycle.Person{Status: lifecycle.StatusActive, Name: a.Name, Emails: []string{a.Email}}}
}

// join makes somebody a member, unless they have left.
func (c *cast) join(i lifecycle.Identity, a *lifecycle.Account, t time.Time, disputed bool) {
	if i.StatusAt(t) == lifecycle.StatusEnded {
		return
	}
	m := member{person: i.Person, free: disputed || a == nil && i.Person.StartDate.Start(i.Person.Zone()).After(t)}
	if a != nil {
		m.base, m.teams = a.BaseRole, a.Teams
		m.free = a.BaseRole == lifecycle.RoleOwner || c.protects(a.Email)
	}
	c.members = append(c.members, m)
}

func (c *cast) protects(email string) bool {
	return slices.Contains(c.protect, lifecycle.FoldEmail(email))
}

// decides notes what somebody leads: the account, or teams. Who is protected, such
// as a break-glass account or our own, or is a service, decides nothing.
func (c *cast) decides(leads leading, i lifecycle.Identity, a *lifecycle.Account, t time.Time) {
	email := i.Person.Email()
	if a == nil || i.StatusAt(t) != lifecycle.StatusActive || i.Person.Employment == lifecycle.Service || c.protects(a.Email) || !addressable(email) {
		return
	}
	add := func(what string) {
		if !slices.Contains(leads[what], email) {
			leads[what] = append(leads[what], email)
		}
	}
	if a.BaseRole.Rank() >= lifecycle.RoleAdmin.Rank() {
		add(string(a.BaseRole))
	}
	for _, m := range a.Teams {
		if m.Role == lifecycle.TeamManager {
			add("team " + string(m.Team.ID))
		}
	}
}

// lead settles who decides: the admins for Security, or else the account owner,
// and for each team who manages it; of them those who are known, where there are
// any. The account owner is protected.
func (c *cast) lead(leads, others leading) {
	first := func(whats ...string) []string {
		for _, what := range whats {
			for _, from := range []leading{leads, others} {
				if len(from[what]) > 0 {
					return sorted(from[what])
				}
			}
		}
		return nil
	}
	c.security = first(string(lifecycle.RoleAdmin), string(lifecycle.RoleOwner))
	for _, t := range c.account.Teams {
		c.owners[t.ID] = first("team " + string(t.ID))
	}
	for _, a := range c.account.Accounts {
		if email := lifecycle.FoldEmail(a.Email); a.BaseRole == lifecycle.RoleOwner && addressable(email) && !c.protects(email) {
			c.protect = append(c.protect, email)
		}
	}
	slices.Sort(c.protect)
}

func (c *cast) managers(team lifecycle.TeamID) []string { return c.owners[team] }

// domains returns those of everybody who decides, sorted.
func (c *cast) domains() []string {
	var domains []string
	deciders := slices.Clone(c.security)
	for _, owners := range c.owners {
		deciders = append(deciders, owners...)
	}
	for _, email := range deciders {
		domains = append(domains, domainOf(email))
	}
	return sorted(domains)
}

func domainOf(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }

// addressable reports whether a policy can name the address of somebody who decides.
func addressable(email string) bool {
	parsed, err := mail.ParseAddress(email)
	return err == nil && parsed.Address == email && sayable(email) && isDomain(domainOf(email))
}

// where returns which members are so.
func (c *cast) where(so func(*member) bool) []bool {
	is := make([]bool, len(c.members))
	for i := range c.members {
		is[i] = so(&c.members[i])
	}
	return is
}

// home returns the department, folded, of most of those who are on the team, or "".
func (c *cast) home(team lifecycle.TeamID) string {
	count := map[string]int{}
	most := ""
	for i := range c.members {
		m := &c.members[i]
		d := strings.ToLower(m.person.Department)
		if m.on(team) == "" || d == "" {
			continue
		}
		if count[d]++; count[d] > count[most] || count[d] == count[most] && d < most {
			most = d
		}
	}
	return most
}
