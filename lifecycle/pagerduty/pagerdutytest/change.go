package pagerdutytest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The functions here are the only ones that change users, members and policies once the account is populated: they leave
// the audit record, start the read lag and tell those who wait. The lock is held.

func (a *Account) userAt(id string) Ref {
	return Ref{ID: id, Type: "user_reference", Summary: a.users[id].Name}
}

func (a *Account) teamAt(id string) Ref {
	return Ref{ID: id, Type: "team_reference", Summary: a.teams.get(id).Name}
}

// makeUser adds a user with the contact method and the notification rule that every PagerDuty user begins with.
func (a *Account) makeUser(by author, u User) {
	a.rememberUser(u.ID)
	a.putUser(u)
	a.record(by, AuditRecord{Root: a.userAt(u.ID), Action: "create", Fields: userFields(User{}, u)})
	a.bump()
}

func (a *Account) putUser(u User) {
	if u.LicensedAt.IsZero() {
		u.LicensedAt = u.CreatedAt
	}
	a.store(u)
	m := ContactMethod{ID: a.newID(), Type: "email_contact_method", Label: "Default", Address: u.Email}
	a.contacts[u.ID] = []ContactMethod{m}
	a.rules[u.ID] = []NotificationRule{{ID: a.newID(), ContactMethodID: m.ID, Urgency: "high"}}
	a.icalKeys[u.ID] = rand.Text()
	if !u.LastSignInAt.IsZero() {
		a.signIns[u.ID] = []time.Time{u.LastSignInAt}
	}
}

func userFields(was, is User) []AuditField {
	var out []AuditField
	for _, f := range []AuditField{
		{"name", was.Name, is.Name},
		{"email", was.Email, is.Email},
		{"role", was.Role, is.Role},
		{"time_zone", was.TimeZone, is.TimeZone},
		{"job_title", was.JobTitle, is.JobTitle},
		{"description", was.Description, is.Description},
	} {
		if f.Before != f.Value {
			out = append(out, f)
		}
	}
	return out
}

func (a *Account) changeUser(by author, is User) {
	was := *a.users[is.ID]
	if was == is {
		return
	}
	if was.LicenseID != is.LicenseID {
		is.LicensedAt = by.at
	}
	a.rememberUser(is.ID)
	a.store(is)
	if fields := userFields(was, is); len(fields) > 0 {
		a.record(by, AuditRecord{Root: a.userAt(is.ID), Action: "update", Fields: fields})
	}
	a.bump()
}

// dropUser deletes a user: what they had is gone, their id stays taken, and schedules and policies keep a placeholder.
func (a *Account) dropUser(by author, id string) {
	for _, t := range a.teams.all() {
		if a.rosters[t.ID].roles[id] != "" {
			a.rememberTeam(t.ID)
			a.unseat(t.ID, id)
		}
	}
	for _, i := range a.openIncidents(id) {
		i.AssigneeIDs = slices.DeleteFunc(i.AssigneeIDs, func(u string) bool { return u == id })
		if p := a.policies.get(i.EscalationPolicyID); p != nil && len(i.AssigneeIDs) == 0 {
			i.AssigneeIDs = slices.DeleteFunc(a.calledFirst(p), func(u string) bool { return u == id })
		}
	}
	a.endSessions(id, []string{"web", "mobile", "integration"})
	a.rememberUser(id)
	u := *a.users[id]
	u.DeletedAt, u.LicenseID = by.at, ""
	a.store(u)
	delete(a.contacts, id)
	delete(a.rules, id)
	delete(a.icalKeys, id)
	a.record(by, AuditRecord{Root: a.userAt(id), Action: "delete", Fields: userFields(u, User{})})
	a.bump()
}

// setMember puts a user on a team or changes their role there.
func (a *Account) setMember(by author, team, user, role string) {
	before := a.rosters[team].roles[user]
	if before == role {
		return
	}
	a.rememberTeam(team)
	a.seat(team, user, role)
	if before == "" {
		a.record(by, AuditRecord{
			Root: a.teamAt(team), Action: "update",
			References: []AuditReference{{Name: "members", Added: []Ref{a.userAt(user)}}},
		})
	}
	a.record(by, AuditRecord{
		Root: a.teamAt(team), Action: "update", Resource: a.userAt(user),
		Fields: []AuditField{{Name: "team_role", Before: before, Value: role}},
	})
	a.bump()
}

func (a *Account) dropMember(by author, team, user string) {
	a.rememberTeam(team)
	a.unseat(team, user)
	a.record(by, AuditRecord{
		Root: a.teamAt(team), Action: "update",
		References: []AuditReference{{Name: "members", Removed: []Ref{a.userAt(user)}}},
	})
	a.bump()
}

// changePolicy writes a policy. Users whom it calls join its team, as PagerDuty does unasked.
func (a *Account) changePolicy(by author, is EscalationPolicy) {
	was := *a.policies.get(is.ID)
	var fields []AuditField
	for _, f := range []AuditField{
		{"name", was.Name, is.Name},
		{"escalation_rules", rulesText(was.Rules), rulesText(is.Rules)},
		{"teams", strings.Join(was.TeamIDs, ","), strings.Join(is.TeamIDs, ",")},
	} {
		if f.Before != f.Value {
			fields = append(fields, f)
		}
	}
	a.rememberDuty(policyKind, is.ID, a.policies.get(is.ID))
	a.policies.put(is.ID, is)
	a.record(by, AuditRecord{
		Root:   Ref{ID: is.ID, Type: "escalation_policy_reference", Summary: is.Name},
		Action: "update", Fields: fields,
	})
	a.joinTeams(by, is)
	a.bump()
}

func (a *Account) joinTeams(by author, p EscalationPolicy) {
	for _, team := range p.TeamIDs {
		for _, r := range p.Rules {
			for _, t := range r.Targets {
				if u := a.live(t.ID); u != nil && a.rosters[team].roles[t.ID] == "" {
					a.setMember(by, team, u.ID, defaultTeamRole(u.Role))
				}
			}
		}
	}
}

func rulesText(rules []Rule) string {
	var b strings.Builder
	for _, r := range rules {
		fmt.Fprintf(&b, "%dm:", r.DelayMinutes)
		for _, t := range r.Targets {
			b.WriteString(" " + t.ID)
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}
