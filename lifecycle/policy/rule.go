package policy

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

// A granted team role, with the places where it is written.
type granted struct {
	lifecycle.TeamGrant
	at value
}

// What the rules so far give whom: rules with the same conditions always
// overlap, and may not disagree about a team.
type (
	claimKey struct{ when, team string }
	claim    struct {
		rule string
		line int
		role lifecycle.TeamRole
	}
)

func (d *document) rule(v value) {
	r := lifecycle.Rule{Line: v.line(), Rollout: lifecycle.RolloutEnforce, Expires: lifecycle.ExpiryNever}
	var teams []granted
	var base, decided value
	before := len(d.mistakes)
	v.object([]field{
		{"name", "What records call it; it keeps its name for good.", func(v value) { r.Name = d.newRule(v) }},
		{"why", "The reason, for whoever reviews it and whoever is asked.", func(v value) { r.Why = v.text() }},
		{"when", "Whom it speaks of: everything that is written here has to hold.", func(v value) { r.When = v.selector() }},
		{"grant", "What they should hold.", func(v value) { r.BaseRole, base, teams = d.grant(v) }},
		{"approval", "How what it grants is asked for, where not as the defaults say.", func(v value) { a := v.approval(d.policy.Defaults.Approval); r.Approval, decided = &a, v }},
		{"rollout", "observe only says what it would do, propose always asks, enforce acts.", func(v value) {
			r.Rollout = choose(v, lifecycle.RolloutObserve, lifecycle.RolloutPropose, lifecycle.RolloutEnforce)
		}},
		{"expires", "end_date ends it with the person's last day; who has none, it cannot tell of.", func(v value) { r.Expires = choose(v, lifecycle.ExpiryNever, lifecycle.ExpiryEndDate) }},
	}, "name", "when", "grant")
	d.privileged(r, base, decided)
	for _, g := range teams {
		r.Teams = append(r.Teams, g.TeamGrant)
	}
	if len(d.mistakes) == before { // conditions that were not understood prove nothing
		for _, g := range teams {
			d.claim(r, g)
		}
		d.capped(r, base, teams)
		d.forbidden(v, r)
	}
	if _, taken := d.rules[r.Name]; !taken {
		d.rules[r.Name] = r.Line
	}
	d.policy.Rules = append(d.policy.Rules, r)
}

// newRule returns a name that no rule before has. Records list rules by name,
// with commas between them.
func (d *document) newRule(v value) string {
	s := v.name()
	v.shape.set("pattern", ruleName)
	line, taken := d.rules[s]
	switch {
	case s == "":
	case strings.Contains(s, ","):
		v.wrong("the name of a rule has no comma: records list rules with commas between them")
	case taken:
		v.wrong("another rule has the name %q, in line %d", clip(s), line)
	}
	return s
}

func (d *document) grant(v value) (role lifecycle.BaseRole, base value, teams []granted) {
	v.object([]field{
		{"base_role", "The role for what belongs to no team, by its name in PagerDuty's API.", func(v value) { role, base = v.grantedRole(), v }},
		{"teams", "The roles on teams.", func(v value) { teams = d.grantedTeams(v) }},
	})
	v.shape.set("anyOf", []shape{{"required": []string{"base_role"}}, {"required": []string{"teams"}, "properties": shape{"teams": shape{"minItems": 1}}}})
	_, one := v.under("base_role")
	list, some := v.under("teams")
	if v.node.Kind == yaml.MappingNode && !one && (!some || list.emptyList()) {
		v.wrong("grants nothing; name a base_role or teams")
	}
	return role, base, teams
}

func (d *document) grantedTeams(v value) []granted {
	var teams []granted
	v.list(func(v value) {
		g := granted{at: v}
		v.object([]field{
			{"team", "A team of this policy, by its name or its id.", func(v value) { g.Team, g.at = d.knownTeam(v), v }},
			{"role", "The role there.", func(v value) { g.Role = v.teamRole() }},
		}, "team", "role")
		again := func(have granted) bool { return have.Team == g.Team }
		if g.Team != "" && slices.ContainsFunc(teams, again) {
			g.at.wrong("%s is named twice in this list", clip(g.Team))
			return
		}
		teams = append(teams, g)
	})
	return teams
}

// knownTeam returns the policy's own name of the team that is written by name or id.
func (d *document) knownTeam(v value) string {
	s := v.name()
	if s == "" {
		return ""
	}
	if name, ok := d.teams[s]; ok {
		return name
	}
	var names []string
	for _, t := range d.policy.Teams {
		names = append(names, t.Name)
		if t.ID != "" {
			names = append(names, string(t.ID))
		}
	}
	v.wrong("%q is not one of the teams of this policy%s; add it under teams, with its owners", clip(s), didYouMean(s, names))
	return ""
}

// privileged refuses power over the whole account that nobody is asked for.
func (d *document) privileged(r lifecycle.Rule, base, decided value) {
	a := d.policy.Defaults.Approval
	if r.Approval != nil {
		a = *r.Approval
	}
	if !r.BaseRole.Privileged() || a.Mode != lifecycle.ApprovalAuto {
		return
	}
	at := base
	if r.Approval != nil {
		at = decided
		if mode, ok := decided.under("mode"); ok {
			at = mode
		}
	}
	at.wrong("%s is never granted without asking; let the approval's mode be quorum", both(r.BaseRole))
}

func (d *document) claim(r lifecycle.Rule, g granted) {
	if g.Team == "" || g.Role == "" {
		return
	}
	key := claimKey{when: canonical(r.When), team: g.Team}
	first, claimed := d.claims[key]
	switch {
	case !claimed:
		d.claims[key] = claim{rule: r.Name, line: r.Line, role: g.Role}
	case first.role != g.Role:
		g.at.wrong("rule %s in line %d has the same when and makes them %s on %s, not %s; let one of the two go",
			clip(first.rule), first.line, first.role, clip(g.Team), g.Role)
	}
}
