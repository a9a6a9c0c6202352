package lifecycle

import "slices"

// comesTo returns what the account would be once everything that a roll call
// finds of it by this policy was mended. Without an account it is what policy
// would give to somebody who joins, and nothing where it concludes nothing.
func (r Roll) comesTo(i Identity, have *Account) Account {
	if have == nil {
		return r.joins(i)
	}
	is := *have
	is.Teams = slices.Clone(have.Teams)
	if r.Policy.IsProtected(have.Email) || have.BaseRole == RoleOwner {
		return is
	}
	for _, f := range r.judgeHolder(i, *have) {
		switch f.Entitlement.Kind {
		case KindBaseRole:
			is.BaseRole = BaseRole(f.To)
		case KindTeamRole:
			is.set(f.Entitlement.Team, TeamRole(f.To))
		case KindAccount, KindSession, KindSchedule, KindEscalationPolicy, KindIncident: // no policy has a say in these
		}
	}
	return is
}

func (r Roll) joins(i Identity) Account {
	want := r.Policy.Want(i.Person)
	if held(want) != "" || i.StatusAt(r.Now) != StatusActive || r.Policy.IsProtected(i.Person.Email()) {
		return Account{}
	}
	return Account{BaseRole: createRole(want), Teams: want.Teams}
}

// set makes the account's role on the team that one; "" takes it off the team.
func (a *Account) set(t Team, role TeamRole) {
	i := slices.IndexFunc(a.Teams, func(m Membership) bool { return m.Team.ID == t.ID })
	switch {
	case i < 0 && role != "":
		a.Teams = append(a.Teams, Membership{Team: t, Role: role})
	case i >= 0 && role != "":
		a.Teams[i].Role = role
	case i >= 0:
		a.Teams = slices.Delete(a.Teams, i, i+1)
	}
}

// bindTeams gives every team of both policies an id, so that they can be told
// apart without PagerDuty: the one that is written, that of the one team of this
// name which somebody is on or that the other policy names, else one made of the
// name. No id of PagerDuty has a colon.
func bindTeams(a, b Policy, accounts []Account) (Policy, Policy) {
	ids := map[string]TeamID{}
	for i := range accounts {
		for _, m := range accounts[i].Teams {
			if id, known := ids[m.Team.Name]; known && id != m.Team.ID {
				ids[m.Team.Name] = "" // two teams of one name: it tells nothing
				continue
			}
			ids[m.Team.Name] = m.Team.ID
		}
	}
	for _, t := range append(slices.Clone(a.Teams), b.Teams...) {
		if t.ID != "" && ids[t.Name] == "" {
			ids[t.Name] = t.ID
		}
	}
	return a.bind(ids), b.bind(ids)
}

func (p Policy) bind(ids map[string]TeamID) Policy {
	p.Teams = slices.Clone(p.Teams)
	for i, t := range p.Teams {
		if t.ID == "" {
			p.Teams[i].ID = ids[t.Name]
		}
		if p.Teams[i].ID == "" {
			p.Teams[i].ID = TeamID("name:" + t.Name)
		}
	}
	return p
}
