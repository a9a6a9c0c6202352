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

// withRuleIDs returns the policy with the ids that the levels have in another, or with none where that has no levels:
// whether PagerDuty keeps those it is sent is not documented.
func (o object) withRuleIDs(of object) (object, error) {
	rules, err := o.list("escalation_rules")
	if err != nil {
		return o, err
	}
	var named []object
	if !of.none() {
		if named, err = of.list("escalation_rules"); err != nil {
			return o, err
		}
	}
	is := make([]object, len(rules))
	for i, r := range rules {
		is[i] = r.without("id")
		if i < len(named) && named[i].has("id") {
			is[i] = r.with("id", named[i].fields["id"])
		}
	}
	return o.with("escalation_rules", is), nil
}

// assigns returns a fingerprint of whom the policy calls, when, and how: what must not change with anything but that.
func assigns(policy object) (string, error) {
	rules, err := policy.list("escalation_rules")
	if err != nil {
		return "", err
	}
	parts := []string{string(plain(policy.fields["num_loops"]))}
	for _, r := range rules {
		targets, err := r.list("targets")
		if err != nil {
			return "", err
		}
		var ids []string
		for _, t := range targets {
			ids = append(ids, t.text("id"))
		}
		slices.Sort(ids)
		parts = append(parts, "level", string(plain(r.fields["escalation_delay_in_minutes"])), string(plain(r.fields["escalation_rule_assignment_strategy"])))
		parts = append(parts, ids...)
	}
	return pin(parts...), nil
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
