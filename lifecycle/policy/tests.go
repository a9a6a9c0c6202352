package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

func (d *document) test(v value) {
	t := lifecycle.PolicyTest{Line: v.line()}
	v.object([]field{
		{"given", "Somebody, as a source of truth would send them.", func(v value) { t.Given = v.person() }},
		{"expect", "What the policy says of them; only what is written here is asserted.", func(v value) { d.expect(v, &t) }},
	}, "given", "expect")
	d.policy.Tests = append(d.policy.Tests, t)
}

// person returns somebody with the attributes that rules may ask for.
func (v value) person() lifecycle.Person {
	var p lifecycle.Person
	into := func(s *string) func(value) { return func(v value) { *s = v.text() } }
	v.object([]field{
		{"name", "", into(&p.Name)},
		{string(lifecycle.AttrDepartment), "", into(&p.Department)},
		{string(lifecycle.AttrTitle), "", into(&p.Title)},
		{string(lifecycle.AttrLocation), "", into(&p.Location)},
		{string(lifecycle.AttrCountry), "", into(&p.Country)},
		{string(lifecycle.AttrManagerID), "", into(&p.ManagerID)},
		{string(lifecycle.AttrEmployeeID), "", into(&p.EmployeeID)},
		{string(lifecycle.AttrEmail), "", func(v value) { p.Emails = []string{v.address()} }},
		{string(lifecycle.AttrGroups), "", func(v value) { v.oneOrMore(func(v value) { p.Groups = append(p.Groups, v.text()) }) }},
		{string(lifecycle.AttrEmployment), "", func(v value) {
			s := v.text()
			sketchChoice(v, employments()...)
			if s != "" {
				v.employment(s)
				p.Employment = lifecycle.Employment(s)
			}
		}},
		{"end_date", "The last day. A test is of no day, so that it holds on every one: nothing has ended.", func(v value) { p.EndDate = v.day() }},
	})
	return p
}

func (d *document) expect(v value, t *lifecycle.PolicyTest) {
	v.object([]field{
		{"rules", "The names of all rules that act; none is an empty list.", func(v value) { t.Rules = d.knownRules(v) }},
		{"base_role", "", func(v value) { t.BaseRole = v.baseRole() }},
		{"held", "Whether they would be given nothing if they joined, because rules do not agree or cannot be told.", func(v value) { held := v.boolean(); t.Held = &held }},
		{"teams", "All roles on teams; none is an empty list.", func(v value) {
			t.Teams = []lifecycle.TeamGrant{}
			for _, g := range d.grantedTeams(v) {
				t.Teams = append(t.Teams, g.TeamGrant)
			}
		}},
	})
	v.shape.set("minProperties", 1)
	if v.node.Kind == yaml.MappingNode && len(v.node.Content) == 0 {
		v.wrong("expects nothing; name rules, base_role, teams or held")
	}
}

// knownRules returns the names of rules; an empty list expects that none matches.
func (d *document) knownRules(v value) []string {
	names := []string{}
	v.list(func(v value) {
		s := v.name()
		if _, known := d.rules[s]; s != "" && !known {
			v.wrong("there is no rule %q%s", clip(s), didYouMean(s, slices.Sorted(maps.Keys(d.rules))))
		}
		names = append(names, s)
	})
	return names
}

// A TestFailure is an expectation of the policy file that its rules do not meet.
type TestFailure struct {
	Line     int    `json:"line"`     // of the test
	Asserted string `json:"asserted"` // rules, base_role, teams, held or outcome
	Want     string `json:"want"`
	Got      string `json:"got"`
	Why      string `json:"why"` // what the rules in question say of the person
}

// String says the failure in one line.
func (f TestFailure) String() string {
	return fmt.Sprintf("line %d: %s: want %s, got %s: %s", f.Line, f.Asserted, f.Want, f.Got, f.Why)
}

// Test returns how the policy fails the tests it carries, in their order; none is success.
func Test(p lifecycle.Policy) []TestFailure {
	var failures []TestFailure
	for _, t := range p.Tests {
		failures = append(failures, run(p, t)...)
	}
	return failures
}

func run(p lifecycle.Policy, t lifecycle.PolicyTest) []TestFailure {
	var failures []TestFailure
	got := p.Want(t.Given)
	fail := func(asserted, want, have string) {
		failures = append(failures, TestFailure{Line: t.Line, Asserted: asserted, Want: want, Got: have, Why: because(p, t, got)})
	}
	if want := sorted(t.Rules); t.Rules != nil && !slices.Equal(want, sorted(got.Rules)) {
		fail("rules", list(want), list(sorted(got.Rules)))
	}
	if t.BaseRole != "" && t.BaseRole != got.BaseRole {
		fail("base_role", t.BaseRole.String(), got.BaseRole.String())
	}
	if want, have := grants(t.Teams), memberships(got.Teams); t.Teams != nil && !slices.Equal(want, have) {
		fail("teams", list(want), list(have))
	}
	switch held := lifecycle.PlanJoin(bound(p), t.Given, nil).Held; {
	case t.Held == nil && got.Conflict != "":
		fail("outcome", "rules that agree", got.Conflict)
	case t.Held != nil && *t.Held != (held != ""):
		fail("held", strconv.FormatBool(*t.Held), otherwise(held, "not held"))
	}
	return failures
}

// because names the rules that differ from what was expected, or the nearest ones.
func because(p lifecycle.Policy, t lifecycle.PolicyTest, got lifecycle.Want) string {
	var differ, other []string
	for _, v := range verdicts(p, t.Given) {
		expected, acts := slices.Contains(t.Rules, v.rule.Name), slices.Contains(got.Rules, v.rule.Name)
		if t.Rules != nil && expected != acts {
			differ = append(differ, v.String())
		}
		other = append(other, v.String())
	}
	switch {
	case len(differ) > 0:
		return strings.Join(differ, "; ")
	case len(other) == 0:
		return "the policy has no rules"
	default:
		return strings.Join(other[:max(1, len(got.Rules))], "; ")
	}
}

func sorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func grants(teams []lifecycle.TeamGrant) []string {
	names := make([]string, len(teams))
	for i, g := range teams {
		names[i] = fmt.Sprintf("%s: %s", g.Team, g.Role)
	}
	return sorted(names)
}

func memberships(teams []lifecycle.Membership) []string {
	names := make([]string, len(teams))
	for i, m := range teams {
		names[i] = fmt.Sprintf("%s: %s", m.Team.Name, m.Role)
	}
	return sorted(names)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
