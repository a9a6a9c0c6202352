package pagerdutytest

import (
	"maps"
	"slices"
)

// Users returns the users who exist, in the order PagerDuty lists them.
func (a *Account) Users() []User {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]User, 0, len(a.users))
	for _, id := range a.listed() {
		out = append(out, *a.users[id])
	}
	return out
}

// User returns a user, deleted ones too, and whether there is one.
func (a *Account) User(id string) (User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if u := a.users[id]; u != nil {
		return *u, true
	}
	return User{}, false
}

// UserByEmail returns the user who exists and has the address, and whether there is one.
func (a *Account) UserByEmail(email string) (User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if u := a.byEmail(email); u != nil {
		return *u, true
	}
	return User{}, false
}

// Teams returns the teams in the order they were made.
func (a *Account) Teams() []Team {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.teams.all(), func(t Team) Team { return t })
}

// Team returns a team and whether there is one.
func (a *Account) Team(id string) (Team, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.teams.get(id); t != nil {
		return *t, true
	}
	return Team{}, false
}

// Members returns who is on a team, in the order they joined.
func (a *Account) Members(team string) []Member {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rosters[team].members()
}

// TeamRole returns the role of a user on a team, empty when they are not on it.
func (a *Account) TeamRole(team, user string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rosters[team].roles[user]
}

// EscalationPolicies returns the policies in the order they were made.
func (a *Account) EscalationPolicies() []EscalationPolicy {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.policies.all(), EscalationPolicy.clone)
}

// Schedules returns the layer-based schedules in the order they were made.
func (a *Account) Schedules() []Schedule {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.schedules.all(), Schedule.clone)
}

// Services returns the services in the order they were made.
func (a *Account) Services() []Service {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.services.all(), func(s Service) Service { return s })
}

// Incidents returns the incidents in the order they were made.
func (a *Account) Incidents() []Incident {
	a.mu.Lock()
	defer a.mu.Unlock()
	return values(a.incidents.all(), Incident.clone)
}

// Licenses returns the licences.
func (a *Account) Licenses() []License {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.licenses)
}

// Sessions returns the sessions of a user, revoked ones too.
func (a *Account) Sessions(user string) []Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.sessions), func(s Session) bool { return s.UserID != user })
}

// ContactMethods returns how a user is reached.
func (a *Account) ContactMethods(user string) []ContactMethod {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.contacts[user])
}

// Roles returns the team roles of a user by team.
func (a *Account) Roles(user string) map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string]string{}
	for team := range maps.Keys(a.rosters) {
		if role := a.rosters[team].roles[user]; role != "" {
			out[team] = role
		}
	}
	return out
}

func values[T any](all []*T, clone func(T) T) []T {
	out := make([]T, 0, len(all))
	for _, v := range all {
		out = append(out, clone(*v))
	}
	return out
}
