package pagerdutytest

import (
	"slices"
	"strings"
)

// The strategies of a rule, and when those who go on call are told.
const (
	roundRobin        = "round_robin"
	toEveryone        = "assign_to_everyone"
	handoffIfServices = "if_has_services"
	handoffAlways     = "always"
)

func policyIncludes(c *call) (map[string]bool, *reply) {
	with, bad := includes(c, "services", "teams", "targets", "escalation_rule_assignment_strategies")
	if bad == nil && c.cfg.NoRoundRobin && with["escalation_rule_assignment_strategies"] {
		bad = new(noStrategies())
	}
	return with, bad
}

func listPolicies(c *call) reply {
	with, bad := policyIncludes(c)
	if bad != nil {
		return *bad
	}
	q := c.r.URL.Query()
	all := seenAll(c.view, policyKind, &c.policies, func(p *EscalationPolicy) bool {
		return fuzzy(q.Get("query"), p.Name) && anyOf(q["team_ids[]"], func(t string) bool { return slices.Contains(p.TeamIDs, t) }) &&
			anyOf(q["user_ids[]"], func(u string) bool { return c.users[u] != nil && p.calls(u) }) // direct targets only
	})
	if by, has := strings.CutPrefix(q.Get("sort_by"), "name"); has {
		slices.SortStableFunc(all, func(x, y *EscalationPolicy) int { return strings.Compare(x.Name, y.Name) })
		if by == ":desc" {
			slices.Reverse(all)
		}
	}
	return list(c, "escalation_policies", all, func(p *EscalationPolicy) obj { return c.drawPolicy(p, with) })
}

// anyOf reports whether one of the wanted is had. Wanting nothing is no filter.
func anyOf(want []string, has func(string) bool) bool {
	return len(want) == 0 || slices.ContainsFunc(want, has)
}

func getPolicy(c *call) reply {
	with, bad := policyIncludes(c)
	if bad != nil {
		return *bad
	}
	p := seenOne(c.view, policyKind, &c.policies, c.r.PathValue("id"))
	if p == nil {
		return notFound()
	}
	return ok(obj{"escalation_policy": c.drawPolicy(p, with)})
}

func (c *call) drawPolicy(p *EscalationPolicy, with map[string]bool) obj {
	o := c.head("escalation_policy", p.ID, p.Name)
	o["name"], o["description"], o["num_loops"] = p.Name, nil, p.NumLoops
	if p.Description != "" {
		o["description"] = p.Description
	}
	o["on_call_handoff_notifications"], o["privilege"] = p.Handoff, nil
	o["escalation_rules"] = each(p.Rules, func(r Rule) obj {
		rule := obj{
			"id": r.ID, "escalation_delay_in_minutes": r.DelayMinutes,
			"targets": each(r.Targets, func(t Target) obj { return c.drawTarget(t, with["targets"]) }),
		}
		if with["escalation_rule_assignment_strategies"] {
			rule["escalation_rule_assignment_strategy"] = r.Strategy
		}
		return rule
	})
	o["teams"] = each(p.TeamIDs, func(id string) obj {
		if t := c.teams.get(id); with["teams"] && t != nil {
			return c.drawTeam(t)
		}
		return c.teamRef(id)
	})
	o["services"] = each(c.services.find(func(s *Service) bool { return s.EscalationPolicyID == p.ID }),
		func(s *Service) obj { return c.serviceRef(s.ID) })
	return o
}

func (c *call) drawTarget(t Target, whole bool) obj {
	if t.Type != userReference {
		return c.scheduleRef(t.ID)
	}
	if u := c.view.user(t.ID); whole && u != nil {
		return c.drawUser(u, nil)
	}
	return c.userRef(t.ID)
}
