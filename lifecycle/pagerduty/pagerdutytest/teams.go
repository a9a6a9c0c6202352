package pagerdutytest

import (
	"encoding/json"
	"slices"
)

func (a *Account) drawTeam(t *Team) obj {
	o := a.head("team", t.ID, t.Name)
	o["name"], o["description"], o["default_role"] = t.Name, t.Description, t.DefaultRole
	o["parent"] = nil
	return o
}

func (c *call) noTeams() *reply {
	if c.can(AbilityTeams) {
		return nil
	}
	return new(needsAbility("The teams account ability is required to access teams"))
}

func listTeams(c *call) reply {
	if bad := c.noTeams(); bad != nil {
		return *bad
	}
	q := c.r.URL.Query().Get("query")
	return list(c, "teams", c.teams.find(func(t *Team) bool { return fuzzy(q, t.Name) }), c.drawTeam)
}

func getTeam(c *call) reply {
	with, bad := includes(c, "privileges")
	if bad == nil {
		bad = c.noTeams()
	}
	if bad != nil {
		return *bad
	}
	t := c.teams.get(c.r.PathValue("id"))
	if t == nil {
		return notFound()
	}
	o := c.drawTeam(t)
	if with["privileges"] {
		o["privileges"] = obj{"role": t.DefaultRole, "permissions": []string{}}
	}
	return ok(obj{"team": o})
}

func listMembers(c *call) reply {
	with, bad := includes(c, "users")
	if bad == nil {
		bad = c.noTeams()
	}
	if bad != nil {
		return *bad
	}
	id := c.r.PathValue("id")
	if !c.teams.has(id) {
		return notFound()
	}
	return list(c, "members", c.view.roster(id).members(), func(m Member) obj {
		if u := c.view.user(m.UserID); with["users"] && u != nil {
			return obj{"user": c.drawUser(u, nil), "role": m.Role}
		}
		return obj{"user": c.userRef(m.UserID), "role": m.Role}
	})
}

// teamAndUser finds both of /teams/{id}/users/{user_id}, or refuses.
func teamAndUser(c *call) (*Team, *User, *reply) {
	if bad := c.noTeams(); bad != nil {
		return nil, nil, bad
	}
	t, u := c.teams.get(c.r.PathValue("id")), c.live(c.r.PathValue("user_id"))
	if t == nil || u == nil {
		return nil, nil, new(notFound())
	}
	return t, u, nil
}

// putMember adds a user to a team, or changes the role of one who is there: it is the same call.
func putMember(c *call) reply {
	t, u, bad := teamAndUser(c)
	if bad != nil {
		return *bad
	}
	role, bad := c.teamRole(u)
	if bad != nil {
		return *bad
	}
	c.setMember(c.author(), t.ID, u.ID, role)
	return noContent()
}

// teamRole is the role that the body names, or the default of the user's base role.
func (c *call) teamRole(u *User) (string, *reply) {
	var body struct {
		Role *string `json:"role"`
	}
	if len(c.body) > 0 && string(c.body) != "null" {
		if err := json.Unmarshal(c.body, &body); err != nil {
			return "", new(invalid("The request body is not the JSON that was expected: " + err.Error()))
		}
	}
	fixed := u.Role == Owner || u.Role == Admin
	switch {
	case isStakeholder(u.Role):
		return "", new(invalid("Stakeholders cannot be given a role on a team"))
	case fixed && body.Role != nil:
		return "", new(invalid("The team role of this user is fixed by their base role"))
	case body.Role == nil:
		if !fixed {
			c.violate("the team role is left out: PagerDuty chooses %s for base role %s", defaultTeamRole(u.Role), u.Role)
		}
		return defaultTeamRole(u.Role), nil
	case !slices.Contains(teamRoles(), *body.Role):
		return "", new(invalid("Role must be one of manager, responder, observer"))
	}
	return *body.Role, nil
}

func deleteMember(c *call) reply {
	t, u, bad := teamAndUser(c)
	if bad != nil {
		return *bad
	}
	if c.rosters[t.ID].roles[u.ID] == "" {
		return notFound()
	}
	if c.calledByTeam(t.ID, u.ID) {
		return invalid("User cannot be removed as they belong to an escalation policy on this team")
	}
	c.dropMember(c.author(), t.ID, u.ID)
	return noContent()
}

// calledByTeam reports whether a policy of the team calls the user directly.
func (a *Account) calledByTeam(team, user string) bool {
	return len(a.policies.find(func(p *EscalationPolicy) bool {
		return slices.Contains(p.TeamIDs, team) && p.calls(user)
	})) > 0
}
