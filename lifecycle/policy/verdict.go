package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rolecall/lifecycle"
)

// A verdict is what one rule says of a person.
type verdict struct {
	rule       lifecycle.Rule
	truth      lifecycle.Truth
	conditions []condition
}

// A condition is one part of a rule's when, with what is true of the person.
type condition struct {
	truth  lifecycle.Truth
	misses int    // how many things would have to be otherwise
	text   string // with the lines
}

// verdicts returns what every rule says: those that match first, then the nearest miss.
func verdicts(p lifecycle.Policy, person lifecycle.Person) []verdict {
	all := make([]verdict, len(p.Rules))
	for i, r := range p.Rules {
		truth, _ := p.Applies(r, person)
		all[i] = verdict{rule: r, truth: truth, conditions: append(conditions(r.When, person), terms(p, r, person)...)}
	}
	slices.SortStableFunc(all, func(a, b verdict) int {
		if a.truth != b.truth {
			return int(b.truth) - int(a.truth)
		}
		return misses(a.conditions) - misses(b.conditions)
	})
	return all
}

func (v verdict) String() string {
	return fmt.Sprintf("%s: %s  %s", v.rule.Name, v.answer(), spell(v.conditions, " | "))
}

func (v verdict) answer() string {
	switch {
	case v.truth == lifecycle.No:
		return "NO"
	case v.truth == lifecycle.Undetermined:
		return "CANNOT TELL"
	case v.rule.Rollout == lifecycle.RolloutObserve:
		return "YES, but only observed"
	default:
		return "YES"
	}
}

// conditions returns the parts that all have to hold. The truth of each is the
// domain's own: only the words are made here.
func conditions(s lifecycle.Selector, p lifecycle.Person) []condition {
	var all []condition
	for _, m := range s.Match {
		all = append(all, attribute(m, p))
	}
	for _, sub := range s.All {
		all = append(all, conditions(sub, p)...)
	}
	if len(s.Any) > 0 {
		all = append(all, alternatives(s.Any, p))
	}
	for _, sub := range s.Not {
		all = append(all, exclusion(sub, p))
	}
	return all
}

// terms returns what has to hold of the person beside the rule's when: that it has
// not ended for them, and that it can be told which ceiling is theirs.
func terms(p lifecycle.Policy, r lifecycle.Rule, person lifecycle.Person) []condition {
	var all []condition
	if r.Expires == lifecycle.ExpiryEndDate {
		all = append(all, term(p, r, person))
	}
	if truth, _ := p.Applies(lifecycle.Rule{BaseRole: r.BaseRole, Teams: r.Teams}, person); truth == lifecycle.Undetermined {
		c := condition{truth: truth, text: "employment not known, and a ceiling may cap what it grants"}
		all = append(all, c.counted(1).in(capping(p, r)...))
	}
	return all
}

func term(p lifecycle.Policy, r lifecycle.Rule, person lifecycle.Person) condition {
	truth, _ := p.Applies(lifecycle.Rule{Expires: r.Expires}, person)
	c := condition{truth: truth, text: fmt.Sprintf("until end_date=%q", string(person.EndDate))}
	switch truth {
	case lifecycle.No:
		c.text = fmt.Sprintf("ended with end_date=%q", string(person.EndDate))
	case lifecycle.Undetermined:
		c.text = "end_date not known, and the rule ends with it"
	default:
	}
	return c.counted(1).in(r.Line)
}

// capping returns the lines of the ceilings that cap the rule.
func capping(p lifecycle.Policy, r lifecycle.Rule) []int {
	var lines []int
	for _, c := range p.Ceilings {
		if c.Caps(r) {
			lines = append(lines, c.Line)
		}
	}
	slices.Sort(lines)
	return lines
}

func attribute(m lifecycle.Match, p lifecycle.Person) condition {
	c := condition{truth: lifecycle.Selector{Match: []lifecycle.Match{m}}.Matches(p)}
	name, in := quoted(m.Attribute, p), strings.Join(m.Patterns, ", ")
	switch {
	case name == "":
		c.text = fmt.Sprintf("%s not known, wanted in [%s]", m.Attribute, in)
	case c.truth == lifecycle.Yes:
		c.text = name + " ok"
	default:
		c.text = fmt.Sprintf("%s not in [%s]", name, in)
	}
	return c.counted(1).in(m.Line)
}

// alternatives is one condition: the first way in which it holds, or all that do not.
func alternatives(subs []lifecycle.Selector, p lifecycle.Person) condition {
	c := condition{truth: lifecycle.Selector{Any: subs}.Matches(p)}
	fewest, ways := 0, make([]string, len(subs))
	for i, sub := range subs {
		way := conditions(sub, p)
		ways[i] = spell(way, " and ")
		if c.truth == lifecycle.Yes && sub.Matches(p) == lifecycle.Yes {
			c.text = ways[i]
			return c
		}
		if n := misses(way); i == 0 || n < fewest {
			fewest = n
		}
	}
	c.text = "none of: " + strings.Join(ways, " or ")
	if c.truth == lifecycle.Undetermined {
		c.text = "cannot tell: " + strings.Join(ways, " or ")
	}
	return c.counted(fewest)
}

func exclusion(sub lifecycle.Selector, p lifecycle.Person) condition {
	c := condition{truth: lifecycle.Selector{Not: []lifecycle.Selector{sub}}.Matches(p)}
	if len(sub.Match) == 1 && len(sub.All)+len(sub.Any)+len(sub.Not) == 0 {
		c.text = excluded(sub.Match[0], c.truth, p)
		return c.counted(1).in(sub.Match[0].Line)
	}
	said := spell(conditions(sub, p), " and ")
	switch c.truth {
	case lifecycle.Yes:
		c.text = "ok, not excluded by: " + said
	case lifecycle.No:
		c.text = "excluded by: " + said
	default:
		c.text = "perhaps excluded by: " + said
	}
	return c.counted(1)
}

func excluded(m lifecycle.Match, truth lifecycle.Truth, p lifecycle.Person) string {
	in := strings.Join(m.Patterns, ", ")
	switch truth {
	case lifecycle.Yes:
		return fmt.Sprintf("%s ok, not in [%s]", quoted(m.Attribute, p), in)
	case lifecycle.No:
		return fmt.Sprintf("%s excluded by [%s]", quoted(m.Attribute, p), in)
	default:
		return fmt.Sprintf("%s not known, and [%s] excluded", m.Attribute, in)
	}
}

func (c condition) counted(misses int) condition {
	if c.truth != lifecycle.Yes {
		c.misses = max(misses, 1)
	}
	return c
}

func (c condition) in(lines ...int) condition {
	words := make([]string, len(lines))
	for i, n := range lines {
		words[i] = strconv.Itoa(n)
	}
	at := "line"
	if len(lines) > 1 {
		at = "lines"
	}
	c.text = fmt.Sprintf("%s (%s %s)", c.text, at, strings.Join(words, ", "))
	return c
}

func misses(all []condition) int {
	n := 0
	for _, c := range all {
		n += c.misses
	}
	return n
}

func spell(all []condition, between string) string {
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = c.text
	}
	return strings.Join(texts, between)
}

// quoted returns the attribute with its values as they were sent, or "" when there are none.
func quoted(a lifecycle.Attribute, p lifecycle.Person) string {
	values := slices.DeleteFunc(sent(a, p), func(s string) bool { return s == "" })
	if len(values) == 0 {
		return ""
	}
	return fmt.Sprintf("%s=%q", a, clip(strings.Join(values, ", ")))
}

func sent(a lifecycle.Attribute, p lifecycle.Person) []string {
	switch a {
	case lifecycle.AttrDepartment:
		return []string{p.Department}
	case lifecycle.AttrTitle:
		return []string{p.Title}
	case lifecycle.AttrLocation:
		return []string{p.Location}
	case lifecycle.AttrCountry:
		return []string{p.Country}
	case lifecycle.AttrEmployment:
		return []string{string(p.Employment)}
	case lifecycle.AttrGroups:
		return slices.Clone(p.Groups)
	case lifecycle.AttrManagerID:
		return []string{p.ManagerID}
	case lifecycle.AttrEmployeeID:
		return []string{p.EmployeeID}
	case lifecycle.AttrEmail:
		return []string{p.Email()}
	default:
		return nil
	}
}
