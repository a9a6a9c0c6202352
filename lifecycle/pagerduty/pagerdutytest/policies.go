package pagerdutytest

import (
	"net/http"
	"slices"
	"strings"
)

const roundRobin = "round_robin"

func policyIncludes(c *call) (map[string]bool, *reply) {
	with, bad := includes(c, "services", "teams", "targets", "escalation_rule_assignment_strategies")
	if bad == nil && c.cfg.NoRoundRobin && with["escalation_rule_assignment_strategies"] {
		bad = new(forbidden("Escalation rule assignment strategies are not included in the plan"))
	}
	return with, bad
}

func listPolicies(c *call) reply {
	with, bad := policyIncludes(c)
	if bad != nil {
		return *bad
	}
	q := c.r.URL.Query()
	all := c.policies.find(func(p *EscalationPolicy) bool {
		return fuzzy(q.Get("query"), p.Name) && anyOf(q["team_ids[]"], func(t string) bool { return slices.Contains(p.TeamIDs, t) }) &&
			anyOf(q["user_ids[]"], p.calls)
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
	p := c.policies.get(c.r.PathValue("id"))
	if p == nil {
		return notFound()
	}
	return ok(obj{"escalation_policy": c.drawPolicy(p, with)})
}

func (c *call) drawPolicy(p *EscalationPolicy, with map[string]bool) obj {
	o := c.head("escalation_policy", p.ID, p.Name)
	o["name"], o["description"], o["num_loops"] = p.Name, p.Description, p.NumLoops
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
	switch t.Type {
	case "user_reference":
		if u := c.view.user(t.ID); whole && u != nil {
			return c.drawUser(u, nil)
		}
		return c.userRef(t.ID)
	case "schedule_reference":
		return c.scheduleRef(t.ID)
	default:
		return c.head(t.Type, t.ID, t.ID)
	}
}

type policyPatch struct {
	Name        *string `json:"name"`
	Type        *string `json:"type"`
	Description *string `json:"description"`
	NumLoops    *int    `json:"num_loops"`
	Handoff     *string `json:"on_call_handoff_notifications"`
	Teams       *[]struct {
		ID string `json:"id"`
	} `json:"teams"`
	Rules *[]rulePatch `json:"escalation_rules"`
}

type rulePatch struct {
	ID       string  `json:"id"`
	Delay    int     `json:"escalation_delay_in_minutes"`
	Strategy *string `json:"escalation_rule_assignment_strategy"`
	Targets  []struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"targets"`
}

func updatePolicy(c *call) reply {
	was := c.policies.get(c.r.PathValue("id"))
	if was == nil {
		return notFound()
	}
	var body struct {
		Policy *policyPatch `json:"escalation_policy"`
	}
	if bad := c.decode(&body); bad != nil {
		return *bad
	}
	if body.Policy == nil {
		return invalid("The escalation_policy object is missing")
	}
	is, bad := c.patchPolicy(was.clone(), *body.Policy)
	if bad != nil {
		return *bad
	}
	c.changePolicy(c.author(), is)
	return ok(obj{"escalation_policy": c.drawPolicy(&is, nil)})
}

// patchPolicy returns the policy with the named fields written, or the refusal.
func (c *call) patchPolicy(p EscalationPolicy, by policyPatch) (EscalationPolicy, *reply) {
	if by.Name != nil && strings.TrimSpace(*by.Name) == "" {
		return p, new(invalid("Name can't be blank"))
	}
	if by.Teams != nil && len(*by.Teams) > 0 && !c.can(AbilityTeams) {
		return p, new(needsAbility("The teams account ability is required to assign to a team"))
	}
	assign(&p.Name, by.Name)
	assign(&p.Description, by.Description)
	assign(&p.NumLoops, by.NumLoops)
	assign(&p.Handoff, by.Handoff)
	if by.Teams != nil {
		if len(*by.Teams) > 1 {
			return p, new(invalid("Escalation policies can be associated with a maximum of 1 team"))
		}
		p.TeamIDs = nil
		for _, t := range *by.Teams {
			if !c.teams.has(t.ID) {
				return p, new(notFound())
			}
			p.TeamIDs = append(p.TeamIDs, t.ID)
		}
	}
	if by.Rules == nil {
		return p, nil
	}
	return c.patchRules(p, *by.Rules)
}

func assign[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// patchRules replaces the rules. A rule that is sent with its id keeps it, and its strategy when none is named: whether
// PagerDuty keeps that is not known, so leaving out round robin is a violation.
func (c *call) patchRules(p EscalationPolicy, by []rulePatch) (EscalationPolicy, *reply) {
	if len(by) == 0 {
		return p, new(refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Cannot Delete Only Rule"))
	}
	was := p.Rules
	p.Rules = nil
	for _, b := range by {
		r := Rule{DelayMinutes: b.Delay, Strategy: "assign_to_everyone"}
		if i := slices.IndexFunc(was, func(r Rule) bool { return r.ID == b.ID && b.ID != "" }); i >= 0 {
			r.ID, r.Strategy = was[i].ID, was[i].Strategy
		} else {
			r.ID = c.newID()
		}
		if b.Strategy == nil && r.Strategy == roundRobin {
			c.violate("escalation_rule_assignment_strategy of a round robin rule is left out")
		}
		assign(&r.Strategy, b.Strategy)
		for _, t := range b.Targets {
			r.Targets = append(r.Targets, Target{ID: t.ID, Type: asRef(t.Type)})
		}
		if bad := c.checkRule(r); bad != nil {
			return p, bad
		}
		p.Rules = append(p.Rules, r)
	}
	return p, nil
}

func asRef(typ string) string {
	if typ == "user" || typ == "schedule" {
		return typ + "_reference"
	}
	return typ
}

func (c *call) checkRule(r Rule) *reply {
	switch {
	case len(r.Targets) == 0 || len(r.Targets) > 10:
		return new(invalid("Escalation rule must have between 1 and 10 targets"))
	case r.DelayMinutes < 1:
		return new(invalid("Escalation delay in minutes must be at least 1"))
	case r.Strategy != roundRobin && r.Strategy != "assign_to_everyone":
		return new(invalid("Escalation rule assignment strategy is not included in the list"))
	}
	for _, t := range r.Targets {
		u := c.users[t.ID] // a placeholder of a deleted user may stay where it is
		known := (t.Type == "user_reference" && u != nil) || (t.Type == "schedule_reference" && c.schedules.has(t.ID)) ||
			t.Type == "schedule_v3_reference"
		if !known {
			return new(invalid("Escalation target " + t.ID + " does not exist"))
		}
	}
	return nil
}
