package lifecycle

import (
	"cmp"
	"slices"
	"strings"
)

// A TeamDiff is how many people gain and lose which role on one team. No team
// is the base roles.
type TeamDiff struct {
	Team  Team        `json:"team,omitzero"`
	Roles []RoleCount `json:"roles"` // the highest role first
}

// A RoleCount is how many people come to a role, and how many are brought down from it.
type RoleCount struct {
	Role string `json:"role"`
	Gain int    `json:"gain"`
	Lose int    `json:"lose"`
}

func (d *differ) role(t Team, role string) *RoleCount {
	d.names[t.ID] = t
	if d.counts[t.ID] == nil {
		d.counts[t.ID] = map[string]*RoleCount{}
	}
	if d.counts[t.ID][role] == nil {
		d.counts[t.ID][role] = &RoleCount{Role: role}
	}
	return d.counts[t.ID][role]
}

// byTeam returns the counts, the team where most is lost first, and the base roles last.
func (d *differ) byTeam() []TeamDiff {
	teams := make([]TeamDiff, 0, len(d.counts))
	for id, roles := range d.counts {
		t := TeamDiff{Team: d.names[id]}
		for _, n := range roles {
			t.Roles = append(t.Roles, *n)
		}
		slices.SortFunc(t.Roles, func(a, b RoleCount) int { return rankOf(t.Team, b.Role) - rankOf(t.Team, a.Role) })
		teams = append(teams, t)
	}
	slices.SortFunc(teams, func(a, b TeamDiff) int {
		if a.Team.ID == "" || b.Team.ID == "" {
			return strings.Compare(string(b.Team.ID), string(a.Team.ID))
		}
		return cmp.Or(b.lost()-a.lost(), strings.Compare(a.Team.Name, b.Team.Name), strings.Compare(string(a.Team.ID), string(b.Team.ID)))
	})
	return teams
}

func (t TeamDiff) lost() int {
	n := 0
	for _, r := range t.Roles {
		n += r.Lose
	}
	return n
}

func rankOf(t Team, role string) int {
	if t.ID == "" {
		return BaseRole(role).Rank()
	}
	return TeamRole(role).Rank()
}
