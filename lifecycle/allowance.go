package lifecycle

import (
	"slices"
)

// except lets the person hold, until its last day, what an exception of the
// policy names: it raises the most that they may hold, and grants nothing.
func (p *Policy) except(want, most *Want, email string) {
	for _, e := range p.allowances(email) {
		what := p.allow(&want.excepted, e)
		if what == "" {
			continue
		}
		want.Excepted = append(want.Excepted, what+" "+e.words())
	}
	most.excepted, most.Excepted = want.excepted, want.Excepted
	for _, m := range most.excepted.Teams {
		raise(&most.Teams, m)
	}
}

// allowances returns the exceptions that are in force for the address.
func (p *Policy) allowances(email string) []PolicyException {
	if len(p.Exceptions) == 0 || email == "" || p.now.IsZero() {
		return nil
	}
	ours := p.Exceptions
	if x := p.index; x != nil && same(x.exceptions, p.Exceptions) {
		ours = x.excepted[email]
	}
	var in []PolicyException
	for _, e := range ours {
		if e.Who == email && p.now.Before(e.end()) {
			in = append(in, e)
		}
	}
	return in
}

// allow adds what the exception names, and says what that is, or "" where it is
// nothing that the policy knows.
func (p *Policy) allow(a *Account, e PolicyException) string {
	if e.BaseRole != "" {
		a.BaseRole = higherBaseRole(a.BaseRole, e.BaseRole)
		return e.BaseRole.String()
	}
	t, ok := p.Team(e.Team)
	if !ok {
		return ""
	}
	m := Membership{Team: Team{ID: t.ID, Name: t.Name}, Role: e.Role}
	raise(&a.Teams, m)
	return OnTeam(m.Team, m.Role).String()
}

// raise makes the role on the team at least m's.
func raise(teams *[]Membership, m Membership) {
	i := slices.IndexFunc(*teams, func(have Membership) bool { return have.Team == m.Team })
	switch {
	case i < 0:
		*teams = append(*teams, m)
	default:
		(*teams)[i].Role = higherTeamRole((*teams)[i].Role, m.Role)
	}
}
