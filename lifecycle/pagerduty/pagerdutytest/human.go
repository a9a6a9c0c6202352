package pagerdutytest

import (
	"cmp"
	"fmt"
	"slices"
)

// The methods here are what others do behind a client's back: people in the web app, whose audit records are of the method
// browser, and the other actors below. They return an error when the actor or the thing does not exist.

// Actors for these methods, instead of the address of a user.
const (
	// IdentityProvider is the company's directory, which provisions users by SCIM. Its records are of the method
	// identity_provider and name as the actor the user who was changed.
	IdentityProvider = "identity provider"
	// OwnKey is whoever else has the account key. Their records cannot be told from those of its rightful holder.
	OwnKey = "account key"
	// OwnApp is whoever else has the newest token that the OAuth app was given.
	OwnApp = "oauth app"
)

const methodDirectory = "identity_provider"

// as runs f as the user with the address, or as one of the other actors.
func (a *Account) as(actor string, f func(author) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	by, err := a.authorOf(actor)
	if err != nil {
		return err
	}
	return f(by)
}

func (a *Account) authorOf(actor string) (author, error) {
	by := a.inBrowser()
	var with credential
	var known bool
	switch actor {
	case IdentityProvider:
		by.method = methodDirectory
		return by, nil
	case OwnKey:
		with, known = a.byKey(a.cfg.Token)
	case OwnApp:
		with, known = a.byBearer(a.newest, by.at)
	default:
		u := a.byEmail(actor)
		if u == nil {
			return by, fmt.Errorf("act as %s: no such user", actor)
		}
		by.actor = a.userAt(u.ID)
		return by, nil
	}
	if !known {
		return by, fmt.Errorf("act as %s: there is no such credential", actor)
	}
	by.actor, by.method, by.tail = with.actor, with.method, with.tail()
	return by, nil
}

// inBrowser begins an author who uses the web app.
func (a *Account) inBrowser() author {
	a.requests++
	return author{at: a.now(), requestID: fmt.Sprintf("web-%06d", a.requests), method: "browser"}
}

func (a *Account) existing(ids ...string) error {
	for _, id := range ids {
		if a.live(id) == nil && !a.teams.has(id) {
			return fmt.Errorf("find %s: no such user or team", id)
		}
	}
	return nil
}

// SetRoleAs changes a base role, and the licence with it if need be. The owner's role cannot be changed, nor given.
func (a *Account) SetRoleAs(actor, user, role string) error {
	return a.as(actor, func(by author) error {
		if err := a.existing(user); err != nil {
			return err
		}
		is := *a.live(user)
		if !slices.Contains(baseRoles(), role) {
			return fmt.Errorf("set role of %s: %q is not a base role", user, role)
		}
		if is.Role == Owner || role == Owner {
			return fmt.Errorf("set role of %s: the owner is not changed this way", user)
		}
		is.Role = role
		license, found := a.pickLicense(is)
		if !found {
			return fmt.Errorf("set role of %s: no licence has a seat for %s", user, role)
		}
		is.LicenseID = license
		a.changeUser(by, is)
		return nil
	})
}

// RenameAs changes a user's name and address; an empty one is kept.
func (a *Account) RenameAs(actor, user, name, email string) error {
	return a.as(actor, func(by author) error {
		if err := a.existing(user); err != nil {
			return err
		}
		is := *a.live(user)
		is.Name, is.Email = cmp.Or(name, is.Name), cmp.Or(email, is.Email)
		a.changeUser(by, is)
		return nil
	})
}

// CreateUserAs adds a user and returns their id.
func (a *Account) CreateUserAs(actor string, u User) (string, error) {
	u.Role, u.TimeZone = cmp.Or(u.Role, Responder), cmp.Or(u.TimeZone, accountZone)
	err := a.as(actor, func(by author) error {
		if a.byEmail(u.Email) != nil {
			return fmt.Errorf("create user %s: the address is taken", u.Email)
		}
		license, found := a.pickLicense(u)
		if !found {
			return fmt.Errorf("create user %s: no licence has a seat for %s", u.Email, u.Role)
		}
		u.ID, u.LicenseID, u.CreatedAt = a.idFor(u.ID), license, by.at
		a.makeUser(by, u)
		return nil
	})
	return u.ID, err
}

// DeleteUserAs deletes a user whatever holds them, as the web app's guided removal does. The owner cannot be deleted.
func (a *Account) DeleteUserAs(actor, user string) error {
	return a.as(actor, func(by author) error {
		if err := a.existing(user); err != nil {
			return err
		}
		if a.live(user).Role == Owner {
			return fmt.Errorf("delete user %s: the owner cannot be deleted", user)
		}
		a.dropUser(by, user)
		return nil
	})
}

// SetMemberAs puts a user on a team or changes their role there.
func (a *Account) SetMemberAs(actor, team, user, role string) error {
	return a.as(actor, func(by author) error {
		if err := a.existing(team, user); err != nil {
			return err
		}
		if !slices.Contains(teamRoles(), role) {
			return fmt.Errorf("set member %s of team %s: %q is not a team role", user, team, role)
		}
		a.setMember(by, team, user, role)
		return nil
	})
}

// RemoveMemberAs takes a user off a team.
func (a *Account) RemoveMemberAs(actor, team, user string) error {
	return a.as(actor, func(by author) error {
		if err := a.existing(team, user); err != nil {
			return err
		}
		if a.rosters[team].roles[user] == "" {
			return fmt.Errorf("remove member %s of team %s: not a member", user, team)
		}
		a.dropMember(by, team, user)
		return nil
	})
}

// SetPolicyAs replaces an escalation policy. Users whom it calls join its team.
func (a *Account) SetPolicyAs(actor string, p EscalationPolicy) error {
	return a.as(actor, func(by author) error {
		if !a.policies.has(p.ID) {
			return fmt.Errorf("set policy %s: no such policy", p.ID)
		}
		p = p.clone()
		for i := range p.Rules {
			p.Rules[i].ID = cmp.Or(p.Rules[i].ID, a.newID())
			p.Rules[i].Strategy = cmp.Or(p.Rules[i].Strategy, toEveryone)
		}
		a.changePolicy(by, p)
		return nil
	})
}
