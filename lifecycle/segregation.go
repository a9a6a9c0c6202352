package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// toxic is an entitlement that an account holds and a segregation names.
type toxic struct {
	Toxic
	held Entitlement // with the role that is held
}

// together returns what the account holds of what the segregation names, in the
// order of the file: two or more is what nobody may hold.
func (p *Policy) together(s *Segregation, a *Account) []toxic {
	var found []toxic
	for _, t := range s.Not {
		if e := p.holds(t, a); e.Kind != "" {
			found = append(found, toxic{t, e})
		}
	}
	return found
}

// holds returns what the account holds of at least t, or nothing.
func (p *Policy) holds(t Toxic, a *Account) Entitlement {
	if t.BaseRole != "" {
		if a.BaseRole.Rank() >= t.BaseRole.Rank() {
			return Entitlement{Kind: KindBaseRole, Role: string(a.BaseRole)}
		}
		return Entitlement{}
	}
	i := p.teamAt(t.Team)
	if i < 0 {
		return Entitlement{}
	}
	team := Team{ID: p.Teams[i].ID, Name: p.Teams[i].Name}
	for _, m := range a.Teams {
		if m.Team.is(team) && m.Role.Rank() >= t.Role.Rank() {
			return OnTeam(team, m.Role)
		}
	}
	return Entitlement{}
}

// forbids returns, in words, which segregation forbids to hold together what a
// holds, or "".
func (p *Policy) forbids(a Account) string {
	for i := range p.Segregation {
		s := &p.Segregation[i]
		if found := p.together(s, &a); len(found) > 1 {
			return fmt.Sprintf("segregation %s (line %d) lets nobody hold %s together", s.Name, s.Line, both(found))
		}
	}
	return ""
}

func both(found []toxic) string {
	words := make([]string, len(found))
	for i, t := range found {
		words[i] = t.held.String()
	}
	return strings.Join(words, " and ")
}

// breaks returns, in a sentence, which segregation the changes would break
// together with what the account (nil: none yet) holds, or "". What it holds in
// violation already is for the roll call to find.
func (p *Policy) breaks(changes []Change, account *Account) string {
	if len(p.Segregation) == 0 || !slices.ContainsFunc(changes, Change.Gives) {
		return ""
	}
	var before Account
	if account != nil {
		before = *account
	}
	after := before.with(changes)
	for i := range p.Segregation {
		s := &p.Segregation[i]
		found := p.together(s, &after)
		isNew := func(t toxic) bool { return p.holds(t.Toxic, &before).Kind == "" }
		if len(found) > 1 && slices.ContainsFunc(found, isNew) {
			return fmt.Sprintf("Would hold %s together, which segregation %s (line %d) lets nobody: %s", both(found), s.Name, s.Line, fullStop(s.Why))
		}
	}
	return ""
}

// with returns the account as it is once the changes to what it shows are made.
func (a Account) with(changes []Change) Account {
	a.Teams = slices.Clone(a.Teams)
	for _, c := range changes {
		switch c.Entitlement.Kind {
		case KindBaseRole, KindAccount:
			a.BaseRole = BaseRole(c.To)
		case KindTeamRole:
			a.Teams = slices.DeleteFunc(a.Teams, func(m Membership) bool { return m.Team.is(c.Entitlement.Team) })
			if c.To != "" {
				a.Teams = append(a.Teams, Membership{Team: c.Entitlement.Team, Role: TeamRole(c.To)})
			}
		default:
		}
	}
	return a
}

// apart adds to what was found of the account what a segregation of duties takes
// from it: of all that nobody may hold together, one is kept, which policy grants
// if it grants any, else the one that the segregation names first.
func (r Roll) apart(i Identity, a Account, want, most Want, found []Finding) []Finding {
	granted := Account{BaseRole: want.BaseRole, Teams: want.Teams}
	for k := range r.Policy.Segregation {
		s := &r.Policy.Segregation[k]
		held := r.Policy.together(s, &a)
		if len(held) < 2 {
			continue
		}
		why := fmt.Sprintf("Segregation %s (line %d) lets nobody hold %s together: %s", s.Name, s.Line, both(held), fullStop(s.Why))
		left := a.with(takenBy(found))
		stays := r.Policy.together(s, &left)
		for _, t := range held {
			if !slices.Contains(stays, t) {
				t.finding(found).parted(why)
			}
		}
		if len(stays) < 2 {
			continue
		}
		keep := max(0, slices.IndexFunc(stays, func(t toxic) bool { return r.Policy.holds(t.Toxic, &granted).Kind != "" }))
		for _, t := range slices.Delete(stays, keep, keep+1) {
			found = r.separate(i, a, t, most, why, found)
		}
	}
	return found
}

// takenBy returns the changes that mend what is beyond policy.
func takenBy(found []Finding) []Change {
	var changes []Change
	for _, f := range found {
		if f.Kind == FoundExcess || f.Kind == FoundDrift {
			changes = append(changes, Change{Entitlement: f.Entitlement, From: f.From, To: f.To})
		}
	}
	return changes
}

// separate has the account go beneath what the segregation names, whatever else
// was found of that.
func (r Roll) separate(i Identity, a Account, t toxic, most Want, why string, found []Finding) []Finding {
	e := t.held
	e.Role = t.role(a)
	f := r.beyond(i, a, e, e.Role, t.beneath(a, most))
	if was := t.finding(found); was != nil {
		f.Apart = was.Apart
		found = slices.DeleteFunc(found, func(f Finding) bool { return t.about(f) })
	}
	f.parted(why)
	return append(found, f)
}

// parted notes which segregation the finding is of, too.
func (f *Finding) parted(why string) {
	if f.Apart != "" {
		why = f.Apart + " " + why
	}
	f.Apart, f.Severity = why, SeverityHigh
}

// finding returns what was found of the entitlement, or nil.
func (t toxic) finding(found []Finding) *Finding {
	if k := slices.IndexFunc(found, t.about); k >= 0 {
		return &found[k]
	}
	return nil
}

func (t toxic) about(f Finding) bool {
	return f.Entitlement.Kind == t.held.Kind && f.Entitlement.Team.ID == t.held.Team.ID
}

// role returns what the account holds of the entitlement before anything is taken.
func (t toxic) role(a Account) string {
	if t.BaseRole != "" {
		return string(a.BaseRole)
	}
	return string(a.On(t.held.Team.ID))
}

// beneath returns the highest role that is not the toxic one and that policy
// could mean. Everybody keeps a base role; an admin's role on a team is fixed.
func (t toxic) beneath(a Account, most Want) string {
	if t.BaseRole != "" {
		to := baseRoles[max(t.BaseRole.Rank()-1, RoleRestricted.Rank())-1]
		if atMost := most.atMost(a.BaseRole); atMost.Rank() < to.Rank() {
			to = atMost
		}
		return string(to)
	}
	rank := min(t.Role.Rank()-1, most.Role(t.held.Team.ID).Rank())
	if rank <= 0 || a.BaseRole.fixesTeamRoles() {
		return ""
	}
	return string(teamRoles[rank-1])
}

func fullStop(s string) string {
	if s = strings.TrimSpace(s); s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}
