package pagerdutytest

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// A policyPatch is what a body says about a policy. Fields that it does not name stay as they are; rules are replaced
// whole, with all that is in them.
type policyPatch struct {
	Name        *string         `json:"name"`
	Type        *string         `json:"type"`
	Description json.RawMessage `json:"description"` // null empties it
	NumLoops    *int            `json:"num_loops"`
	Handoff     *string         `json:"on_call_handoff_notifications"`
	Teams       *[]struct {
		ID string `json:"id"`
	} `json:"teams"`
	Rules *[]rulePatch `json:"escalation_rules"`
}

type rulePatch struct {
	ID       string          `json:"id"`
	Delay    int             `json:"escalation_delay_in_minutes"`
	Strategy json.RawMessage `json:"escalation_rule_assignment_strategy"`
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
	if !reflect.DeepEqual(*was, is) {
		c.changePolicy(c.author(), is)
	}
	return ok(obj{"escalation_policy": c.drawPolicy(&is, nil)})
}

// patchPolicy returns the policy with the named fields written, or the refusal.
func (c *call) patchPolicy(p EscalationPolicy, by policyPatch) (EscalationPolicy, *reply) {
	if problems := by.problems(); len(problems) > 0 {
		return p, new(invalid(problems...))
	}
	if by.Teams != nil && len(*by.Teams) > 0 && !c.can(AbilityTeams) {
		return p, new(needsAbility("The teams account ability is required to assign to a team"))
	}
	assign(&p.Name, by.Name)
	assign(&p.NumLoops, by.NumLoops)
	assign(&p.Handoff, by.Handoff)
	if by.Description != nil {
		p.Description = textOf(by.Description)
	}
	if by.Teams != nil {
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

func (p policyPatch) problems() []string {
	var out []string
	if p.Name != nil && strings.TrimSpace(*p.Name) == "" {
		out = append(out, "Name can't be blank")
	}
	if p.Type != nil && *p.Type != "escalation_policy" {
		out = append(out, "Type must be escalation_policy")
	}
	if p.NumLoops != nil && *p.NumLoops < 0 {
		out = append(out, "Num loops must be greater than or equal to 0")
	}
	if p.Handoff != nil && *p.Handoff != handoffIfServices && *p.Handoff != handoffAlways {
		out = append(out, "On call handoff notifications is not included in the list")
	}
	if p.Teams != nil && len(*p.Teams) > 1 {
		out = append(out, "Escalation policies can be associated with a maximum of 1 team")
	}
	return out
}

// textOf reads a JSON text; null and whatever is no text are empty.
func textOf(raw json.RawMessage) string {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return ""
	}
	return *s
}

func assign[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// patchRules replaces the rules. A rule that is sent with its id keeps that and nothing else. What PagerDuty does to the
// strategy of a rule that is sent without one is not known, so the fake does the worse of the two: it is gone, and that is
// a violation.
func (c *call) patchRules(p EscalationPolicy, by []rulePatch) (EscalationPolicy, *reply) {
	if len(by) == 0 {
		return p, new(refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "Cannot Delete Only Rule"))
	}
	was := p.clone()
	p.Rules = nil
	for _, b := range by {
		r := Rule{DelayMinutes: b.Delay, Strategy: b.strategy()}
		if i := slices.IndexFunc(was.Rules, func(r Rule) bool { return r.ID == b.ID && b.ID != "" }); i >= 0 {
			r.ID = b.ID
			if was.Rules[i].Strategy == roundRobin && b.Strategy == nil {
				c.violate("escalation_rule_assignment_strategy of a round robin rule is left out")
			}
		} else {
			r.ID = c.newID()
		}
		for _, t := range b.Targets {
			r.Targets = append(r.Targets, Target{ID: t.ID, Type: asRef(t.Type)})
		}
		if bad := c.checkRule(r, was); bad != nil {
			return p, bad
		}
		p.Rules = append(p.Rules, r)
	}
	return p, nil
}

// strategy reads the strategy in both forms that PagerDuty's document has: a word, as in its schema, or an object with a
// type, as in its examples.
func (b rulePatch) strategy() string {
	var object struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(b.Strategy, &object); err == nil && object.Type != "" {
		return object.Type
	}
	if word := textOf(b.Strategy); word != "" {
		return word
	}
	return toEveryone
}

func asRef(typ string) string {
	if typ == "user" || typ == "schedule" {
		return typ + "_reference"
	}
	return typ
}

// checkRule refuses a rule that cannot be. The placeholder of a deleted user may stay in the policy where it is.
func (a *Account) checkRule(r Rule, was EscalationPolicy) *reply {
	switch {
	case len(r.Targets) == 0 || len(r.Targets) > 10:
		return new(invalid("Escalation rule must have between 1 and 10 targets"))
	case r.DelayMinutes < 1:
		return new(invalid("Escalation delay in minutes must be at least 1"))
	case r.Strategy != roundRobin && r.Strategy != toEveryone:
		return new(invalid("Escalation rule assignment strategy is not included in the list"))
	case r.Strategy == roundRobin && a.cfg.NoRoundRobin:
		return new(noStrategies())
	}
	for _, t := range r.Targets {
		if !a.callable(t, was) {
			return new(invalid("Escalation target " + t.ID + " does not exist"))
		}
	}
	return nil
}

func (a *Account) callable(t Target, was EscalationPolicy) bool {
	switch t.Type {
	case userReference:
		return a.live(t.ID) != nil || (a.users[t.ID] != nil && was.calls(t.ID))
	case scheduleReference:
		return a.schedules.has(t.ID)
	case shiftReference:
		return a.shifts.has(t.ID)
	default:
		return false
	}
}

// noStrategies is what plans without round robin say.
func noStrategies() reply {
	return forbidden("Escalation rule assignment strategies are not included in the plan")
}
