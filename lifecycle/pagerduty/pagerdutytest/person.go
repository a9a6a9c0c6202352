package pagerdutytest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"
)

// The methods here are what users do for themselves, in the web app or on their phone. What they change is recorded as
// theirs, of the method browser. They return an error when there is no such user, or when it could not be.

const sessionLife = 7 * 24 * time.Hour

// self runs f as the user.
func (a *Account) self(user string, f func(author) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.live(user)
	if u == nil {
		return fmt.Errorf("act as user %s: no such user", user)
	}
	by := a.inBrowser()
	by.actor = a.userAt(u.ID)
	return f(by)
}

// AcceptInvitation takes up an outstanding invitation, which signs the user in on the web, and returns that session.
func (a *Account) AcceptInvitation(user string) (Session, error) {
	var s Session
	err := a.self(user, func(by author) error {
		is := *a.live(user)
		if !is.InvitationSent {
			return fmt.Errorf("accept invitation of user %s: there is none outstanding", user)
		}
		is.InvitationSent = false
		a.changeUser(by, is)
		s = a.signIn(user, "web", by.at)
		return nil
	})
	return s, err
}

// SignIn signs the user in on "web" or "mobile" and returns the session. Who has not taken up an invitation cannot.
func (a *Account) SignIn(user, kind string) (Session, error) {
	var s Session
	err := a.self(user, func(by author) error {
		switch {
		case kind != "web" && kind != "mobile":
			return fmt.Errorf("sign in user %s: %q is neither web nor mobile", user, kind)
		case a.live(user).InvitationSent:
			return fmt.Errorf("sign in user %s: their invitation is outstanding", user)
		}
		s = a.signIn(user, kind, by.at)
		return nil
	})
	return s, err
}

// GrantIntegration lets an app act for the user and returns the delegation, which DELETE /oauth_delegations cannot end.
func (a *Account) GrantIntegration(user, client string) (Session, error) {
	var s Session
	err := a.self(user, func(by author) error {
		s = Session{
			ID: rand.Text(), UserID: user, Type: "integration", ClientID: client, CreatedAt: by.at, ExpiresAt: by.at.Add(sessionLife),
		}
		a.sessions = append(a.sessions, s)
		a.bump()
		return nil
	})
	return s, err
}

// AddPhone gives the user a phone to be called on and returns the contact method.
func (a *Account) AddPhone(user string, country int, digits string) (ContactMethod, error) {
	m := ContactMethod{Type: "phone_contact_method", Label: "Mobile", Address: digits, CountryCode: country}
	err := a.self(user, func(by author) error {
		if problems := a.contactProblems(user, m); len(problems) > 0 {
			return fmt.Errorf("add phone of user %s: %v", user, problems)
		}
		m.ID = a.newID()
		a.addContact(by, user, m)
		return nil
	})
	return m, err
}

// InstallApp puts the mobile app on a device of the user, which signs them in there, and returns the contact method for
// its push notifications. Only a device can make one.
func (a *Account) InstallApp(user, device string) (ContactMethod, error) {
	m := ContactMethod{Type: "push_notification_contact_method", Label: device, Address: rand.Text()}
	err := a.self(user, func(by author) error {
		if a.live(user).InvitationSent {
			return fmt.Errorf("install app of user %s: their invitation is outstanding", user)
		}
		m.ID = a.newID()
		a.addContact(by, user, m)
		a.signIn(user, "mobile", by.at)
		return nil
	})
	return m, err
}

// RemoveContactMethod takes a contact method from the user, and the rules that use it.
func (a *Account) RemoveContactMethod(user, id string) error {
	return a.self(user, func(by author) error {
		m, found := a.contact(user, id)
		if !found {
			return fmt.Errorf("remove contact method %s of user %s: no such method", id, user)
		}
		a.dropContact(by, user, m)
		return nil
	})
}

// signIn opens a session. The lock is held.
func (a *Account) signIn(user, kind string, at time.Time) Session {
	s := Session{
		ID: rand.Text(), UserID: user, Type: kind, ClientID: "PagerDutyLogin", CreatedAt: at, ExpiresAt: at.Add(sessionLife),
	}
	a.sessions = append(a.sessions, s)
	a.signIns[user] = append(a.signIns[user], at)
	a.bump()
	return s
}

// SignIns returns when a user signed in, oldest first.
func (a *Account) SignIns(user string) []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.signIns[user])
}
