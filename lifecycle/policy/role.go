package policy

import (
	"fmt"
	"strings"

	"rolecall/lifecycle"
)

// grantable returns the base roles that a policy can give, lowest first.
// Source: PagerDuty's API refuses to make anybody the account owner.
func grantable() []lifecycle.BaseRole {
	return []lifecycle.BaseRole{
		lifecycle.RoleLimitedStakeholder, lifecycle.RoleStakeholder, lifecycle.RoleRestricted, lifecycle.RoleObserver,
		lifecycle.RoleResponder, lifecycle.RoleManager, lifecycle.RoleAdmin,
	}
}

func teamRoles() []lifecycle.TeamRole {
	return []lifecycle.TeamRole{lifecycle.TeamObserver, lifecycle.TeamResponder, lifecycle.TeamManager}
}

// baseRole returns the base role, by its name in the API, or "" after saying
// which was probably meant. People write the names of PagerDuty's pages.
func (v value) baseRole() lifecycle.BaseRole {
	s := v.text()
	sketchChoice(v, append(grantable(), lifecycle.RoleOwner)...)
	if s == "" {
		return ""
	}
	if role, err := lifecycle.ParseBaseRole(s); err == nil {
		return role
	}
	v.wrong("unknown base role %q%s", clip(s), roleHint(s))
	return ""
}

// roleHint says which role s probably stands for, by both its names, or which there are.
func roleHint(s string) string {
	var names, all []string
	byName := map[string]lifecycle.BaseRole{}
	for _, r := range grantable() {
		all = append(all, both(r))
		names = append(names, r.Title(), string(r))
		byName[r.Title()], byName[string(r)] = r, r
	}
	if n := nearest(s, names); n != "" {
		return fmt.Sprintf(" (did you mean %s?)", both(byName[n]))
	}
	return "; there are " + strings.Join(all, ", ")
}

// grantedRole returns the base role if a policy can grant it at all.
func (v value) grantedRole() lifecycle.BaseRole {
	role := v.baseRole()
	sketchChoice(v, grantable()...)
	if role == lifecycle.RoleOwner {
		v.wrong("%s is never granted by a policy: PagerDuty hands it over only by hand", both(role))
		return ""
	}
	return role
}

// both names a role as it is written and as people know it.
func both(r lifecycle.BaseRole) string { return fmt.Sprintf("%s (%s)", string(r), r.Title()) }

// teamRole returns the role on a team, or "" after saying which was probably meant.
func (v value) teamRole() lifecycle.TeamRole {
	s := v.text()
	sketchChoice(v, teamRoles()...)
	if s == "" {
		return ""
	}
	role, err := lifecycle.ParseTeamRole(s)
	if err == nil {
		return role
	}
	names := words(teamRoles())
	if base, err := lifecycle.ParseBaseRole(s); err == nil {
		v.wrong("%s is a base role, not a role on a team; those are %s%s", both(base), strings.Join(names, ", "), didYouMean(base.Title(), names))
		return ""
	}
	v.wrong("unknown team role %q; there are %s%s", clip(s), strings.Join(names, ", "), didYouMean(s, names))
	return ""
}
