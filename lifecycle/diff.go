package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A PolicyDiff is what would be otherwise for whom if one policy took the place
// of another. Nothing of it happens by itself: gains are given or asked as the
// new policy says, and every loss is a finding that an owner decides.
type PolicyDiff struct {
	Old     string        `json:"old"`     // SHA-256
	New     string        `json:"new"`     // SHA-256
	People  int           `json:"people"`  // whom a source of truth vouches for, and who have not left
	Linked  int           `json:"linked"`  // of them with an account
	Assumed bool          `json:"assumed"` // what is held is not known: everybody is taken to hold what the old policy gives
	Gain    int           `json:"gain"`    // people who gain something
	Lose    int           `json:"lose"`    // people who would be asked about, to lose something that they hold
	OnCall  int           `json:"on_call"` // of those who lose, people whom on-call expects
	Shifts  bool          `json:"shifts"`  // it was looked who is on call tonight
	Tonight int           `json:"tonight"` // of those who lose, people who are on call within a day
	Limit   int           `json:"limit"`   // how many may lose something at once, by the breaker of the old policy
	Teams   []TeamDiff    `json:"teams"`
	Moves   []PersonDiff  `json:"moves"`
	Asked   []AskedDiff   `json:"asked"`
	Unclear []UnclearDiff `json:"unclear"`
	Rules   []RuleDiff    `json:"rules"`
	Other   []string      `json:"other"` // owners, ceilings, the breaker and the like, in a line each
}

// A PersonDiff is what one person gains and loses.
type PersonDiff struct {
	Identity   IdentityID `json:"identity,omitempty"`
	Account    AccountID  `json:"account,omitempty"`
	Name       string     `json:"name"`
	Email      string     `json:"email"`
	Department string     `json:"department,omitempty"`
	Title      string     `json:"title,omitempty"`
	Gains      []RoleDiff `json:"gains"`
	Loses      []RoleDiff `json:"loses"`
	Approval   string     `json:"approval,omitempty"` // who is asked about what is gained, in words
	Rules      []string   `json:"rules"`              // of the new policy, that speak of them
	OnCall     []string   `json:"on_call,omitempty"`  // what on-call expects of them, as of the last roll call
	Tonight    []string   `json:"tonight,omitempty"`  // by what they are on call within a day, where that was looked at
}

// A RoleDiff is one role that goes up or down. No team is the base role.
type RoleDiff struct {
	Team Team   `json:"team,omitzero"`
	From string `json:"from"` // "" is none
	To   string `json:"to"`
}

// Exceeds reports whether more people would lose something than the breaker allows at once.
func (d PolicyDiff) Exceeds() bool { return d.Lose > d.Limit }

// Population returns of how many people the breaker's percentage is taken: those
// with an account, or all of them where that is not known.
func (d PolicyDiff) Population() int {
	if d.Assumed {
		return d.People
	}
	return d.Linked
}

// Moved reports whether anybody gains or loses anything.
func (d PolicyDiff) Moved() bool { return d.Gain+d.Lose > 0 }

// differ is a diff while it is made.
type differ struct {
	old, new Roll
	owns     map[IdentityID]*Account
	counts   map[TeamID]map[string]*RoleCount
	names    map[TeamID]Team
	matched  map[string][2]int // rule → people of whom it speaks, before and after
	diff     PolicyDiff
}

// Diff returns what would be otherwise with next in the place of was, for the
// people and the accounts they hold, at t. An account carries what on-call
// expects of it as the last roll call left it. Without any account what is held
// is not known, and everybody is taken to hold what was gives them. It is pure,
// and linear in people: what somebody comes to under a policy is what
// [Reconcile] would have them come to, so that the two never disagree.
func Diff(was, next Policy, people []Identity, accounts []Account, t time.Time) PolicyDiff {
	was, next = bindTeams(was, next, accounts)
	d := differ{
		old: Roll{Policy: was.At(t).Indexed(), Now: t}, new: Roll{Policy: next.At(t).Indexed(), Now: t},
		counts: map[TeamID]map[string]*RoleCount{}, names: map[TeamID]Team{}, matched: map[string][2]int{},
		diff: PolicyDiff{Old: was.SHA256, New: next.SHA256, Assumed: len(accounts) == 0, Teams: []TeamDiff{}, Moves: []PersonDiff{}, Asked: []AskedDiff{}, Unclear: []UnclearDiff{}},
	}
	d.owns = Holders(people, accounts)
	for i := range people {
		if p := &people[i]; p.Sourced() && p.Merged == "" && p.StatusAt(t) != StatusEnded {
			d.person(*p)
		}
	}
	d.diff.Limit = was.Breaker.Limit(d.diff.Population())
	d.diff.Teams = d.byTeam()
	slices.SortStableFunc(d.diff.Moves, losersFirst)
	d.diff.Rules = ruleDiffs(was.Rules, next.Rules, d.matched)
	d.diff.Other = otherDiffs(was, next)
	return d.diff
}

// Holders returns whose account is whose, as a roll call tells it. An account that
// is nobody's, or that more than one could be meant by, is not in it.
func Holders(people []Identity, accounts []Account) map[IdentityID]*Account {
	m := Roll{Identities: people, Have: Snapshot{Accounts: accounts}}.match()
	owns := make(map[IdentityID]*Account, len(m.owner))
	for i := range accounts {
		a := &accounts[i]
		if who, known := m.owner[a.ID]; known && m.disputed[a.ID] == "" {
			owns[who.ID] = a
		}
	}
	return owns
}

func (d *differ) person(i Identity) {
	before, after := d.old.Policy.Want(i.Person), d.new.Policy.Want(i.Person)
	d.count(before, 0)
	d.count(after, 1)
	d.diff.People++
	have := d.owns[i.ID]
	if have != nil {
		d.diff.Linked++
	} else if d.diff.Assumed && held(before) == "" {
		have = &Account{Email: i.Person.Email(), Name: i.Person.Name, BaseRole: createRole(before), Teams: before.Teams}
	}
	d.unclear(i, before, after)
	move := PersonDiff{
		Identity: i.ID, Name: i.Person.Name, Email: i.Person.Email(), Department: i.Person.Department, Title: i.Person.Title,
		Gains: []RoleDiff{}, Loses: []RoleDiff{}, Rules: append([]string{}, after.Rules...),
	}
	d.compare(&move, i, have)
	if len(move.Gains)+len(move.Loses) == 0 {
		d.asked(i)
		return
	}
	d.note(move, i, have)
}

// count notes which rules speak of somebody, before (0) or after (1).
func (d *differ) count(w Want, when int) {
	for _, rule := range append(slices.Clone(w.Rules), w.Observed...) {
		n := d.matched[rule]
		n[when]++
		d.matched[rule] = n
	}
}

// compare finds what goes up and what goes down, of what somebody holds now and
// of what they would come to.
func (d *differ) compare(move *PersonDiff, i Identity, have *Account) {
	before, after := d.old.comesTo(i, have), d.new.comesTo(i, have)
	now := Account{}
	if have != nil {
		now = *have
	}
	if r, up := rise(now.BaseRole, before.BaseRole, after.BaseRole, BaseRole.Rank); up {
		move.Gains = append(move.Gains, r)
	} else if r, down := fall(now.BaseRole, before.BaseRole, after.BaseRole, BaseRole.Rank); down {
		move.Loses = append(move.Loses, r)
	}
	for _, team := range teamsIn(now, before, after) {
		is, was, will := now.On(team.ID), before.On(team.ID), after.On(team.ID)
		if r, up := rise(is, was, will, TeamRole.Rank); up {
			r.Team = team
			move.Gains = append(move.Gains, r)
		} else if r, down := fall(is, was, will, TeamRole.Rank); down {
			r.Team = team
			move.Loses = append(move.Loses, r)
		}
	}
}

// rise is a gain: more than is held, and more than the old policy would give.
func rise[R ~string](is, was, will R, rank func(R) int) (RoleDiff, bool) {
	from := is
	if rank(was) > rank(is) {
		from = was
	}
	return RoleDiff{From: string(from), To: string(will)}, rank(will) > rank(from)
}

// fall is a loss: less than is held, and less than the old policy would leave.
func fall[R ~string](is, was, will R, rank func(R) int) (RoleDiff, bool) {
	from := is
	if rank(was) < rank(is) {
		from = was
	}
	return RoleDiff{From: string(from), To: string(will)}, rank(will) < rank(from)
}

// teamsIn returns the teams of the accounts, each once, by name.
func teamsIn(accounts ...Account) []Team {
	var teams []Team
	for _, a := range accounts {
		for _, m := range a.Teams {
			if !slices.ContainsFunc(teams, func(t Team) bool { return t.ID == m.Team.ID }) {
				teams = append(teams, m.Team)
			}
		}
	}
	slices.SortFunc(teams, func(a, b Team) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.ID), string(b.ID)))
	})
	return teams
}

// note keeps what one person gains and loses, and counts it.
func (d *differ) note(move PersonDiff, i Identity, have *Account) {
	if have != nil {
		move.Account, move.OnCall = have.ID, have.Duties
	}
	if len(move.Gains) > 0 {
		d.diff.Gain++
		move.Approval = d.new.Policy.asks(PlanJoin(d.new.Policy, i.Person, have))
	}
	if len(move.Loses) > 0 {
		d.diff.Lose++
		if len(move.OnCall) > 0 {
			d.diff.OnCall++
		}
	}
	for _, r := range move.Gains {
		d.role(r.Team, r.To).Gain++
	}
	for _, r := range move.Loses {
		d.role(r.Team, r.From).Lose++
	}
	d.diff.Moves = append(d.diff.Moves, move)
}

// losersFirst orders people as they should be looked at: who loses and is on
// call, who loses, who gains; then by name.
func losersFirst(a, b PersonDiff) int {
	class := func(p PersonDiff) int {
		switch {
		case len(p.Loses) == 0:
			return 2
		case len(p.OnCall) == 0:
			return 1
		default:
			return 0
		}
	}
	return cmp.Or(class(a)-class(b), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Email, b.Email))
}
