package pagerduty

import (
	"errors"
	"slices"
)

// errLevel is a level that a policy no longer has.
var errLevel = errors.New("the policy has no such level")

// level returns the targets of a level of a policy, counted from 1.
func level(policy object, n int) ([]object, error) {
	rules, err := policy.list("escalation_rules")
	if err != nil {
		return nil, err
	}
	if n < 1 || n > len(rules) {
		return nil, errLevel
	}
	return rules[n-1].list("targets")
}

// withLevel returns the policy with other targets at a level. All else in it is as it was.
func withLevel(policy object, n int, targets []object) (object, error) {
	rules, err := policy.list("escalation_rules")
	if err != nil {
		return policy, err
	}
	if n < 1 || n > len(rules) {
		return policy, errLevel
	}
	rules = slices.Clone(rules)
	rules[n-1] = rules[n-1].with("targets", targets)
	return policy.with("escalation_rules", rules), nil
}

// handLevel returns the policy with a user's place at a level handed to another.
func handLevel(policy object, n int, from, to string) (object, error) {
	targets, err := level(policy, n)
	if err != nil {
		return policy, err
	}
	return withLevel(policy, n, targetSpot().once(targets, from, to))
}

// sentPolicy returns what PUT is to be sent of a policy: all of it that can be written.
func sentPolicy(policy object) object {
	return withoutNoTeams(policy).without("services", "self", "html_url", "summary", "privilege")
}

// withoutNoTeams leaves out teams that are none: to name the field at all needs a plan with teams. Source: go-pagerduty
// issue 511.
func withoutNoTeams(o object) object {
	if teams, err := o.list("teams"); err != nil || len(teams) == 0 {
		return o.without("teams")
	}
	return o
}
