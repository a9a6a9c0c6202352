package pagerdutytest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"
)

// The Add methods make the account as it is before anything happens: they leave no audit record and no read lag. They
// choose what is left empty, return the thing as it is kept, and panic when it could not exist in PagerDuty.

// AddUser adds a user. Role is Responder when empty, and the licence is found by role.
func (a *Account) AddUser(u User) User {
	a.mu.Lock()
	defer a.mu.Unlock()
	u.ID = a.idFor(u.ID)
	u.Role = cmp.Or(u.Role, Responder)
	u.TimeZone = cmp.Or(u.TimeZone, accountZone)
	u.Color = cmp.Or(u.Color, "purple")
	if u.CreatedAt.IsZero() {
		u.CreatedAt = a.now()
	}
	if u.LicensedAt.IsZero() {
		u.LicensedAt = u.CreatedAt
	}
	p := userPatch{Name: &u.Name, Email: &u.Email, Role: &u.Role}
	switch problems := p.problems(); {
	case len(problems) > 0:
		panic(fmt.Sprintf("pagerdutytest: add user %q: %v", u.Email, problems))
	case a.byEmail(u.Email) != nil:
		panic(fmt.Sprintf("pagerdutytest: add user %q: the address is taken", u.Email))
	case u.Role == Owner && a.owner() != nil:
		panic(fmt.Sprintf("pagerdutytest: add user %q: an account has one owner", u.Email))
	}
	if u.LicenseID == "" {
		license, found := a.pickLicense(u)
		if !found {
			panic(fmt.Sprintf("pagerdutytest: add user %q: no licence has a seat for %s", u.Email, u.Role))
		}
		u.LicenseID = license
	}
	a.putUser(u)
	a.bump()
	return u
}

// AddTeam adds a team. DefaultRole is "manager" when empty.
func (a *Account) AddTeam(t Team) Team {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.ID, t.DefaultRole = a.idFor(t.ID), cmp.Or(t.DefaultRole, TeamManager)
	a.teams.put(t.ID, t)
	a.bump()
	return t
}

// AddMember puts a user on a team.
func (a *Account) AddMember(team, user, role string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.must(a.teams.has(team), "add member: no team %q", team)
	a.must(a.live(user) != nil, "add member: no user %q", user)
	a.must(slices.Contains(teamRoles(), role), "add member: %q is not a team role", role)
	a.seat(team, user, role)
	a.bump()
}

// AddService adds a service that escalates by a policy.
func (a *Account) AddService(s Service) Service {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.must(a.policies.has(s.EscalationPolicyID), "add service %q: no policy %q", s.Name, s.EscalationPolicyID)
	s.ID = a.idFor(s.ID)
	a.services.put(s.ID, s)
	a.bump()
	return s
}

// AddIncident adds an incident.
func (a *Account) AddIncident(i Incident) Incident {
	a.mu.Lock()
	defer a.mu.Unlock()
	i = i.clone()
	i.ID, i.Number = a.idFor(i.ID), len(a.incidents.order)+1
	i.Status, i.Urgency = cmp.Or(i.Status, "triggered"), cmp.Or(i.Urgency, "high")
	if i.CreatedAt.IsZero() {
		i.CreatedAt = a.now()
	}
	if i.UpdatedAt.IsZero() {
		i.UpdatedAt = i.CreatedAt
	}
	if !i.open() {
		i.AssigneeIDs = nil // what is resolved is nobody's
	}
	if !i.open() && i.ResolvedAt.IsZero() {
		i.ResolvedAt = i.UpdatedAt
	}
	for _, u := range i.AssigneeIDs {
		a.must(a.live(u) != nil, "add incident %q: no user %q", i.Title, u)
	}
	a.incidents.put(i.ID, i)
	a.bump()
	return i.clone()
}

// AddSession signs a user in on "web" or "mobile", or grants an "integration".
func (a *Account) AddSession(user, typ string) Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.must(a.live(user) != nil, "add session: no user %q", user)
	s := Session{ID: rand.Text(), UserID: user, Type: typ, ClientID: "PagerDutyLogin", CreatedAt: a.now(), ExpiresAt: a.now().Add(sessionLife)}
	a.sessions = append(a.sessions, s)
	if typ != "integration" {
		a.signIns[user] = append(a.signIns[user], s.CreatedAt)
	}
	a.bump()
	return s
}

// AddContactMethod gives a user another way of being reached.
func (a *Account) AddContactMethod(user string, m ContactMethod) ContactMethod {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.must(a.live(user) != nil, "add contact method: no user %q", user)
	m.ID = a.idFor(m.ID)
	a.contacts[user] = append(a.contacts[user], m)
	a.bump()
	return m
}

// SetLicenses replaces the account's licences. Users keep those they sit on if they are still there.
func (a *Account) SetLicenses(ls ...License) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.licenses = append([]License(nil), ls...)
	for _, u := range a.users {
		if u.DeletedAt.IsZero() && a.license(u.LicenseID) == nil {
			u.LicenseID = ""
			u.LicenseID, _ = a.pickLicense(*u)
		}
	}
	a.bump()
}

// SetSeats limits the licence of a role group, FullUser or Stakeholder, to so many seats; a negative number lifts the limit.
func (a *Account) SetSeats(roleGroup string, seats int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.licenses {
		if a.licenses[i].RoleGroup != roleGroup {
			continue
		}
		a.licenses[i].Seats = nil
		if seats >= 0 {
			a.licenses[i].Seats = &seats
		}
	}
	a.bump()
}

func (a *Account) idFor(id string) string {
	if id == "" {
		return a.newID()
	}
	a.must(!a.taken(id), "the id %q is taken", id)
	return id
}

func (a *Account) must(holds bool, format string, args ...any) {
	if !holds {
		panic("pagerdutytest: " + fmt.Sprintf(format, args...))
	}
}
