package pagerdutytest

import "slices"

// The abilities that the fake's operations depend on. PagerDuty documents the names of the first two and of the last; which abilities open
// the flexible roles and GET /audit/records it does not say, so those names are the fake's.
const (
	AbilityTeams        = "teams"
	AbilityStakeholders = "read_only_users"
	AbilityPermissions  = "permissions_service"
	AbilityAudit        = "audit_trail"
	AbilityUrgencies    = "urgencies"
)

// AllAbilities returns what a generous plan includes.
func AllAbilities() []string {
	return []string{AbilityTeams, AbilityStakeholders, AbilityPermissions, AbilityAudit, AbilityUrgencies, "sso", "manage_schedules"}
}

func (a *Account) can(ability string) bool { return slices.Contains(a.cfg.Abilities, ability) }

func listAbilities(c *call) reply { return ok(obj{"abilities": c.cfg.Abilities}) }
