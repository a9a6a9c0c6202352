package oktatest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// The statuses of a user.
const (
	Staged        = "STAGED"
	Provisioned   = "PROVISIONED"
	Active        = "ACTIVE"
	Recovery      = "RECOVERY"
	LockedOut     = "LOCKED_OUT"
	Expired       = "PASSWORD_EXPIRED"
	Suspended     = "SUSPENDED"
	Deprovisioned = "DEPROVISIONED"
)

// A User is one as Okta keeps it.
type User struct {
	ID            string         `json:"id"`
	Status        string         `json:"status"`
	Created       time.Time      `json:"created"`
	StatusChanged time.Time      `json:"statusChanged"`
	LastUpdated   time.Time      `json:"lastUpdated"`
	Profile       map[string]any `json:"profile"`
}

// AddUser creates and activates a user and returns the id. The profile needs a login.
func (o *Org) AddUser(profile map[string]any) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.numbered++
	now := o.now()
	u := &User{ID: fmt.Sprintf("00u%017d", o.numbered), Status: Staged, Created: now, StatusChanged: now, LastUpdated: now, Profile: maps.Clone(profile)}
	o.users[u.ID] = u
	o.write("user.lifecycle.create", "SUCCESS", u.target())
	o.turn(u, Active, "user.lifecycle.activate")
	return u.ID
}

// UpdateProfile sets what is in changes, and takes away what is nil there.
func (o *Org) UpdateProfile(id string, changes map[string]any) {
	o.with(id, func(u *User) {
		for name, v := range changes {
			if u.Profile[name] = v; v == nil {
				delete(u.Profile, name)
			}
		}
		u.LastUpdated = o.now()
		o.write("user.account.update_profile", "SUCCESS", u.target())
	})
}

// Deactivate, Suspend, Unsuspend and Reactivate are what an administrator does to a user.
func (o *Org) Deactivate(id string) { o.turnTo(id, Deprovisioned, "user.lifecycle.deactivate") }

// Suspend suspends a user.
func (o *Org) Suspend(id string) { o.turnTo(id, Suspended, "user.lifecycle.suspend") }

// Unsuspend takes it back.
func (o *Org) Unsuspend(id string) { o.turnTo(id, Active, "user.lifecycle.unsuspend") }

// Reactivate brings a user back who was deactivated.
func (o *Org) Reactivate(id string) { o.turnTo(id, Active, "user.lifecycle.reactivate") }

// Delete deletes a user for good, who must have been deactivated.
func (o *Org) Delete(id string) {
	o.with(id, func(u *User) {
		if u.Status != Deprovisioned {
			panic("oktatest: " + id + " is deleted, but was not deactivated")
		}
		o.write("user.lifecycle.delete.initiated", "SUCCESS", u.target())
		delete(o.users, id)
		delete(o.groups, id)
	})
}

// SetStatus turns a user without a word in the log: as when a password expires.
func (o *Org) SetStatus(id, status string) {
	o.with(id, func(u *User) { u.Status, u.StatusChanged, u.LastUpdated = status, o.now(), o.now() })
}

// AddToGroup and RemoveFromGroup change membership, which leaves the user as last updated as before.
func (o *Org) AddToGroup(id, group string) {
	o.with(id, func(u *User) {
		names := append(slices.Clone(o.groups[id]), group)
		slices.Sort(names)
		o.groups[id] = slices.Compact(names)
		o.write("group.user_membership.add", "SUCCESS", u.target(), groupTarget(group))
	})
}

// RemoveFromGroup takes the user out of the group.
func (o *Org) RemoveFromGroup(id, group string) {
	o.with(id, func(u *User) {
		o.groups[id] = slices.DeleteFunc(slices.Clone(o.groups[id]), func(g string) bool { return g == group })
		o.write("group.user_membership.remove", "SUCCESS", u.target(), groupTarget(group))
	})
}

// Tell writes any other event about a user to the log: what happened, and how it came out.
func (o *Org) Tell(id, eventType, result string) {
	o.with(id, func(u *User) { o.write(eventType, result, u.target()) })
}

func (o *Org) turnTo(id, status, eventType string) {
	o.with(id, func(u *User) { o.turn(u, status, eventType) })
}

func (o *Org) turn(u *User, status, eventType string) {
	u.Status, u.StatusChanged, u.LastUpdated = status, o.now(), o.now()
	o.write(eventType, "SUCCESS", u.target())
}

func (o *Org) with(id string, do func(*User)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	u := o.users[id]
	if u == nil {
		panic("oktatest: there is no user " + id)
	}
	do(u)
}

func (u *User) target() Target {
	text := func(name string) string { s, _ := u.Profile[name].(string); return s }
	return Target{ID: u.ID, Type: "User", AlternateID: text("login"), DisplayName: text("firstName") + " " + text("lastName")}
}

func groupTarget(name string) Target {
	return Target{ID: "00g" + name, Type: "UserGroup", AlternateID: "unknown", DisplayName: name}
}

// User returns the user as they are, and the zero User when there is none.
func (o *Org) User(id string) User {
	o.mu.Lock()
	defer o.mu.Unlock()
	u := o.users[id]
	if u == nil {
		return User{}
	}
	is := *u
	is.Profile = maps.Clone(u.Profile)
	return is
}

// Groups returns the names of the groups that the user is in, sorted.
func (o *Org) Groups(id string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.groups[id])
}
