package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// BaseRole is a PagerDuty user's role for objects that belong to no team, by
// its API value. Source: PagerDuty REST API, schema User.role.
type BaseRole string

// The base roles, lowest first. Observer and Restricted still take a full
// licence; only the two stakeholder roles free one.
const (
	RoleLimitedStakeholder BaseRole = "read_only_limited_user"
	RoleStakeholder        BaseRole = "read_only_user"
	RoleRestricted         BaseRole = "restricted_access"
	RoleObserver           BaseRole = "observer"
	RoleResponder          BaseRole = "limited_user"
	RoleManager            BaseRole = "user"
	RoleAdmin              BaseRole = "admin"
	RoleOwner              BaseRole = "owner"
)

var baseRoles = []BaseRole{
	RoleLimitedStakeholder, RoleStakeholder, RoleRestricted, RoleObserver,
	RoleResponder, RoleManager, RoleAdmin, RoleOwner,
}

var baseRoleTitles = map[BaseRole]string{
	RoleLimitedStakeholder: "Limited Stakeholder", RoleStakeholder: "Stakeholder",
	RoleRestricted: "Restricted Access", RoleObserver: "Observer", RoleResponder: "Responder",
	RoleManager: "Manager", RoleAdmin: "Global Admin", RoleOwner: "Account Owner",
}

// ParseBaseRole returns the base role with the API value s, or a Refusal that lists them.
func ParseBaseRole(s string) (BaseRole, error) { return parseClosed("base role", s, baseRoles...) }

// Rank orders the base roles from 1, least power, to 8; 0 is no role.
func (r BaseRole) Rank() int { return slices.Index(baseRoles, r) + 1 }

// higherBaseRole returns the one of more power.
func higherBaseRole(a, b BaseRole) BaseRole {
	if b.Rank() > a.Rank() {
		return b
	}
	return a
}

// Privileged reports whether the role manages the whole account's objects or people.
func (r BaseRole) Privileged() bool { return r.Rank() >= RoleManager.Rank() }

// fixesTeamRoles reports whether PagerDuty lets nobody give the role's holder
// another role on a team. Source: PagerDuty's pages on team permissions.
func (r BaseRole) fixesTeamRoles() bool {
	return r.Rank() >= RoleAdmin.Rank() || r != "" && r.Rank() <= RoleStakeholder.Rank()
}

// Title returns the name PagerDuty's own pages use.
func (r BaseRole) Title() string {
	if t, ok := baseRoleTitles[r]; ok {
		return t
	}
	return "no role"
}

// String returns both names: people know "Manager", the API knows "user", and
// mixing them up has cost operators dearly.
func (r BaseRole) String() string {
	if r == "" {
		return "no role"
	}
	return fmt.Sprintf("%s (%s)", r.Title(), string(r))
}

// TeamRole is a user's role on one team.
type TeamRole string

// The team roles, lowest first.
const (
	TeamObserver  TeamRole = "observer"
	TeamResponder TeamRole = "responder"
	TeamManager   TeamRole = "manager"
)

var teamRoles = []TeamRole{TeamObserver, TeamResponder, TeamManager}

// ParseTeamRole returns the team role named s, or a Refusal that lists them.
func ParseTeamRole(s string) (TeamRole, error) { return parseClosed("team role", s, teamRoles...) }

// Rank orders the team roles from 1 to 3; 0 is no role.
func (r TeamRole) Rank() int { return slices.Index(teamRoles, r) + 1 }

// higherTeamRole returns the one of more power.
func higherTeamRole(a, b TeamRole) TeamRole {
	if b.Rank() > a.Rank() {
		return b
	}
	return a
}

// A Team is a PagerDuty team.
type Team struct {
	ID   TeamID `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// is reports whether o is the same team, whatever it is called there.
func (t Team) is(o Team) bool { return t == o || t.ID != "" && t.ID == o.ID }

// A Membership is an account's role on a team.
type Membership struct {
	Team Team     `json:"team"`
	Role TeamRole `json:"role"`
}

// An Account is an identity's user in PagerDuty, with everything it holds.
type Account struct {
	ID       AccountID    `json:"id"`
	Email    string       `json:"email"`
	Name     string       `json:"name"`
	BaseRole BaseRole     `json:"base_role"`
	Invited  bool         `json:"invited,omitempty"` // the invitation has not been accepted yet
	URL      string       `json:"url,omitempty"`
	Teams    []Membership `json:"teams"` // sorted by team id

	// What only a roll call tells, and is carried from one to the next.
	SeenAt    time.Time `json:"seen_at,omitzero"`    // when it was first seen; zero: it was there before the first roll call
	InvitedAt time.Time `json:"invited_at,omitzero"` // when an invitation that was not accepted was first seen
	Duties    []string  `json:"duties,omitempty"`    // the levels and seats that on-call expects it in, in words
	Used      Signal    `json:"used,omitzero"`       // when it was last used, to the day
}

// Carrying returns the account, as it was read by itself just now, with what
// only a roll call tells of it, as was has that. An invitation that has been
// accepted is not carried.
func (a Account) Carrying(was Account) Account {
	a.SeenAt, a.InvitedAt, a.Duties, a.Used = was.SeenAt, was.InvitedAt, was.Duties, was.Used
	if !a.Invited {
		a.InvitedAt = time.Time{}
	}
	return a
}

// On returns the account's role on the team, or "".
func (a Account) On(team TeamID) TeamRole {
	for _, m := range a.Teams {
		if m.Team.ID == team {
			return m.Role
		}
	}
	return ""
}

// teamName returns what the account's own membership calls the team, else its id.
func (a Account) teamName(team TeamID) string {
	for _, m := range a.Teams {
		if m.Team.ID == team && m.Team.Name != "" {
			return m.Team.Name
		}
	}
	return string(team)
}

// Grants returns every entitlement the account holds.
func (a Account) Grants() []Grant {
	grants := []Grant{{Account: a.ID, Entitlement: Entitlement{Kind: KindBaseRole, Role: string(a.BaseRole)}}}
	for _, m := range a.Teams {
		grants = append(grants, Grant{Account: a.ID, Entitlement: OnTeam(m.Team, m.Role)})
	}
	return grants
}

// Contained reports whether nothing is left to take from the account but its deletion.
func (a Account) Contained() bool {
	return a.BaseRole.Rank() <= RoleRestricted.Rank() && len(a.Teams) == 0
}

// A Snapshot is every account and team at one moment, whole: a listing that
// broke off is an error and never a shorter snapshot.
type Snapshot struct {
	TakenAt  time.Time `json:"taken_at"`
	Accounts []Account `json:"accounts"`
	Teams    []Team    `json:"teams"`
	Coverage Coverage  `json:"-"`
	Blind    []string  `json:"blind,omitempty"` // what the key or the plan does not let be seen, in sentences
}
