package policy

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

func (d *document) ceilings(v value) {
	d.policy.Ceilings = map[lifecycle.Employment]lifecycle.Ceiling{}
	var fields []field
	for _, e := range employments() {
		fields = append(fields, field{string(e), fmt.Sprintf("The most that people of the employment %s may hold.", e), func(v value) { d.policy.Ceilings[e] = v.ceiling() }})
	}
	v.object(fields)
}

func (v value) ceiling() lifecycle.Ceiling {
	c := lifecycle.Ceiling{Line: v.line()}
	v.object([]field{
		{"base_role", "The highest base role; without it any.", func(v value) { c.BaseRole = v.grantedRole() }},
		{"team_role", "The highest role on any team; without it any.", func(v value) { c.TeamRole = v.teamRole() }},
	})
	v.shape.set("minProperties", 1)
	if v.node.Kind == yaml.MappingNode && len(v.node.Content) == 0 {
		v.wrong("caps nothing; name a base_role or a team_role")
	}
	return c
}

func (d *document) segregation(v value) {
	s := lifecycle.Segregation{Line: v.line()}
	v.object([]field{
		{"name", "What findings call it.", func(v value) { s.Name = d.newSegregation(v) }},
		{"why", "The reason, for whoever is kept from something by it.", func(v value) { s.Why = v.text() }},
		{"not", "The entitlements, two or more, of which nobody may hold two. Who holds more than is named holds it too.", func(v value) { s.Not = d.toxics(v) }},
	}, "name", "why", "not")
	d.policy.Segregation = append(d.policy.Segregation, s)
}

func (d *document) newSegregation(v value) string {
	s := v.name()
	i := slices.IndexFunc(d.policy.Segregation, func(have lifecycle.Segregation) bool { return have.Name == s })
	if s != "" && i >= 0 {
		v.wrong("another segregation has the name %q, in line %d", clip(s), d.policy.Segregation[i].Line)
	}
	return s
}

func (d *document) toxics(v value) []lifecycle.Toxic {
	var not []lifecycle.Toxic
	n := 0
	v.list(func(v value) {
		n++
		t := d.entitlement(v, nil)
		same := func(have lifecycle.Toxic) bool { return have.Team == t.Team }
		switch {
		case t == lifecycle.Toxic{}:
			return
		case slices.ContainsFunc(not, same) && t.Team != "":
			v.wrong("%s is named twice, and who holds the higher role there holds the lower too", clip(t.Team))
		case slices.ContainsFunc(not, same):
			v.wrong("a base role is named twice, and who holds the higher holds the lower too")
		case t.BaseRole != "" && t.BaseRole.Rank() <= lifecycle.RoleRestricted.Rank():
			v.wrong("everybody holds at least %s; name a base role above it", both(lifecycle.RoleRestricted))
		}
		not = append(not, t)
	})
	v.shape.set("minItems", 2)
	if v.node.Kind == yaml.SequenceNode && n < 2 {
		v.wrong("names fewer than two entitlements; there is nothing to keep apart")
	}
	return not
}

// entitlement returns the base role, or the role on a team, that is written
// beside the other fields; the zero Toxic after saying what is wrong with it.
func (d *document) entitlement(v value, beside []field, required ...string) lifecycle.Toxic {
	var t lifecycle.Toxic
	before := len(d.mistakes)
	v.object(append(slices.Clip(beside),
		field{"base_role", "A base role, by its name in PagerDuty's API.", func(v value) { t.BaseRole = v.grantedRole() }},
		field{"team", "A team of this policy, by its name or its id.", func(v value) { t.Team = d.knownTeam(v) }},
		field{"role", "The role on the team.", func(v value) { t.Role = v.teamRole() }},
	), required...)
	v.shape.set("oneOf", []shape{{"required": []string{"base_role"}}, {"required": []string{"team", "role"}}})
	v.shape.set("dependentRequired", map[string][]string{"team": {"role"}, "role": {"team"}})
	_, base := v.under("base_role")
	_, team := v.under("team")
	_, role := v.under("role")
	if v.node.Kind == yaml.MappingNode && (base == (team || role) || team != role) {
		v.wrong("names either a base_role, or a team with a role")
	}
	if len(d.mistakes) > before {
		return lifecycle.Toxic{}
	}
	return t
}

func (d *document) exception(v value) {
	e := lifecycle.PolicyException{Line: v.line()}
	var who value
	t := d.entitlement(v, []field{
		{"who", "The address of the one person that it is for.", func(v value) { e.Who, who = v.address(), v }},
		{"why", "The reason, for whoever reviews it.", func(v value) { e.Why = v.text() }},
		{"until", "The last day. What is past counts for nothing, and may be taken out.", func(v value) { e.Until = v.day() }},
	}, "who", "why", "until")
	e.BaseRole, e.Team, e.Role = t.BaseRole, t.Team, t.Role
	if (t != lifecycle.Toxic{}) {
		d.excepted(who, e)
	}
	d.policy.Exceptions = append(d.policy.Exceptions, e)
}

// excepted refuses an exception that says what another says, and those that
// together let somebody hold what nobody may: an exception lifts no segregation.
func (d *document) excepted(v value, e lifecycle.PolicyException) {
	var ours []lifecycle.Toxic
	for _, have := range d.policy.Exceptions {
		if have.Who != e.Who {
			continue
		}
		if have.Team == e.Team && (have.BaseRole == "") == (e.BaseRole == "") {
			v.wrong("the exception in line %d is for the same person and the same entitlement; let one of the two go", have.Line)
			return
		}
		ours = append(ours, lifecycle.Toxic{BaseRole: have.BaseRole, Team: have.Team, Role: have.Role})
	}
	if s := d.parts(append(ours, lifecycle.Toxic{BaseRole: e.BaseRole, Team: e.Team, Role: e.Role})); s != "" {
		v.wrong("with the other exceptions of %s it lets them hold what %s; an exception lifts no segregation", e.Who, s)
	}
}

// parts returns which segregation keeps the entitlements apart, or "".
func (d *document) parts(held []lifecycle.Toxic) string {
	for _, s := range d.policy.Segregation {
		n := 0
		for _, t := range s.Not {
			if slices.ContainsFunc(held, func(h lifecycle.Toxic) bool {
				return t.BaseRole != "" && h.BaseRole.Rank() >= t.BaseRole.Rank() || t.Team != "" && h.Team == t.Team && h.Role.Rank() >= t.Role.Rank()
			}) {
				n++
			}
		}
		if n > 1 {
			return fmt.Sprintf("segregation %s in line %d lets nobody hold together", clip(s.Name), s.Line)
		}
	}
	return ""
}

// forbidden refuses a rule that always breaks a segregation.
func (d *document) forbidden(v value, r lifecycle.Rule) {
	held := []lifecycle.Toxic{{BaseRole: r.BaseRole}}
	for _, g := range r.Teams {
		held = append(held, lifecycle.Toxic{Team: g.Team, Role: g.Role})
	}
	if s := d.parts(held); s != "" {
		if grant, ok := v.under("grant"); ok {
			v = grant
		}
		v.wrong("grants what %s", s)
	}
}

// capped refuses to grant more than the ceilings of all employments that the rule
// itself asks for let through: nobody would ever be given it.
func (d *document) capped(r lifecycle.Rule, base value, teams []granted) {
	stated := employmentsOf(r.When)
	always := func(part lifecycle.Rule) (lifecycle.Employment, lifecycle.Ceiling, bool) {
		for _, e := range stated {
			if !d.policy.Ceilings[e].Caps(part) {
				return "", lifecycle.Ceiling{}, false
			}
		}
		if len(stated) == 0 {
			return "", lifecycle.Ceiling{}, false
		}
		return stated[0], d.policy.Ceilings[stated[0]], true
	}
	if e, c, ok := always(lifecycle.Rule{BaseRole: r.BaseRole}); ok {
		base.wrong("%s is never granted: the ceiling in line %d lets a base role of at most %s through for %s", both(r.BaseRole), c.Line, both(c.BaseRole), e)
	}
	for _, g := range teams {
		if e, c, ok := always(lifecycle.Rule{Teams: []lifecycle.TeamGrant{g.TeamGrant}}); ok {
			g.at.wrong("%s is never granted: the ceiling in line %d lets at most %s on a team through for %s", g.Role, c.Line, c.TeamRole, e)
		}
	}
}

// employmentsOf returns which employments the selector asks for, or none where it
// does not ask.
func employmentsOf(s lifecycle.Selector) []lifecycle.Employment {
	left, asked := employments(), false
	for _, m := range s.Match {
		if m.Attribute == lifecycle.AttrEmployment {
			asked = true
			left = slices.DeleteFunc(left, func(e lifecycle.Employment) bool {
				return !slices.ContainsFunc(m.Patterns, func(p string) bool { return lifecycle.Glob(p, string(e)) })
			})
		}
	}
	for _, sub := range s.All {
		if of := employmentsOf(sub); len(of) > 0 {
			asked = true
			left = slices.DeleteFunc(left, func(e lifecycle.Employment) bool { return !slices.Contains(of, e) })
		}
	}
	if !asked {
		return nil
	}
	return left
}

func (d *document) sharedAddresses(v value) {
	if !v.emptyList() && !v.sketchEither(d.sharedAddress, func(v value) { v.sketchList(d.sharedAddress, 0) }) {
		v.oneOrMore(d.sharedAddress)
	}
}

func (d *document) sharedAddress(v value) {
	s := strings.ToLower(v.name())
	v.shape.set("pattern", aPattern)
	switch {
	case s == "":
	case strings.Trim(s, "*@") == "":
		v.wrong("%q would match everybody", clip(s))
	case !strings.Contains(s, "@"):
		v.wrong("%q is not a pattern of whole addresses, such as oncall-*@acme.test", clip(s))
	case slices.Contains(d.policy.Shared, s):
		v.wrong("%s is named twice", clip(s))
	default:
		d.policy.Shared, d.shared = append(d.policy.Shared, s), append(d.shared, v)
	}
}

// coversNobody refuses a pattern of shared addresses that covers somebody whom the
// policy names: a person is nobody's address.
func (d *document) coversNobody() {
	named := d.policy.People()
	for _, e := range d.policy.Exceptions {
		named = append(named, e.Who)
	}
	for i, pattern := range d.policy.Shared {
		if k := slices.IndexFunc(named, func(who string) bool { return lifecycle.Glob(pattern, who) }); k >= 0 {
			d.shared[i].wrong("covers %s, whom this policy names", named[k])
		}
	}
}

// sources reads whose word counts for what.
func (d *document) sources(v value) {
	o := &d.policy.Sources
	o.By = map[lifecycle.Attribute][]string{}
	fields := []field{{"order", "The sources by name, such as hris, okta or scim:entra, for everything that is not listed by itself.", func(v value) { o.Default = v.names() }}}
	for _, a := range sourced() {
		fields = append(fields, field{string(a), fmt.Sprintf("The sources by name, for %s.", a), func(v value) { o.By[a] = v.names() }})
	}
	v.object(fields)
}

// sourced returns what sources may disagree about.
func sourced() []lifecycle.Attribute {
	return append(lifecycle.Attributes(), "status", "name", "start_date", "end_date", "timezone")
}

// names returns the names of a list, each once.
func (v value) names() []string {
	var names []string
	v.oneOrMore(func(v value) {
		s := v.name()
		if s != "" && slices.Contains(names, s) {
			v.wrong("%s is named twice", clip(s))
			return
		}
		names = append(names, s)
	})
	v.shape.unique()
	return names
}
