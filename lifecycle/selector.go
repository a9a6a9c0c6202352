package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// An Attribute is one thing about a person that a rule may ask for.
type Attribute string

// The attributes, by their name in the policy file and in notices.
const (
	AttrDepartment Attribute = "department"
	AttrTitle      Attribute = "title"
	AttrLocation   Attribute = "location"
	AttrCountry    Attribute = "country"
	AttrEmployment Attribute = "employment"
	AttrGroups     Attribute = "groups"
	AttrManagerID  Attribute = "manager_id"
	AttrEmployeeID Attribute = "employee_id"
	AttrEmail      Attribute = "email"
)

// Attributes returns every attribute a selector may name.
func Attributes() []Attribute {
	return []Attribute{AttrDepartment, AttrTitle, AttrLocation, AttrCountry, AttrEmployment, AttrGroups, AttrManagerID, AttrEmployeeID, AttrEmail}
}

// A Selector matches people: a list means any of, keys mean all, and
// all/any/not nest. The zero Selector matches everybody.
type Selector struct {
	Match []Match
	All   []Selector
	Any   []Selector
	Not   []Selector // none of these
}

// A Match asks that an attribute be like any of the patterns. Patterns are
// lower case; * stands for any run of characters.
type Match struct {
	Attribute Attribute
	Patterns  []string
	Line      int
}

// Truth is the outcome of a condition: an attribute that nobody sent must not
// grant by negation, so a rule can be undetermined.
type Truth int8

// The truths, so that the smaller one wins an all, the larger one an any.
const (
	No Truth = iota
	Undetermined
	Yes
)

// A Finding of one condition, for explaining a rule to a person.
type Explanation struct {
	Truth Truth
	Text  string
	Line  int
}

// holder is a person folded once, so that two hundred rules need not do it again.
type holder map[Attribute][]string

func fold(p Person) holder {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{strings.ToLower(s)}
	}
	groups := make([]string, len(p.Groups))
	for i, g := range p.Groups {
		groups[i] = strings.ToLower(g)
	}
	return holder{
		AttrDepartment: one(p.Department), AttrTitle: one(p.Title), AttrLocation: one(p.Location),
		AttrCountry: one(p.Country), AttrEmployment: one(string(p.Employment)), AttrGroups: groups,
		AttrManagerID: one(p.ManagerID), AttrEmployeeID: one(p.EmployeeID), AttrEmail: one(p.Email()),
	}
}

// Matches returns whether the selector matches p.
func (s Selector) Matches(p Person) Truth { return s.eval(fold(p), false) }

func (s Selector) eval(h holder, negated bool) Truth {
	truth := Yes
	for _, m := range s.Match {
		truth = min(truth, m.eval(h, negated))
	}
	for _, sub := range s.All {
		truth = min(truth, sub.eval(h, negated))
	}
	if len(s.Any) > 0 {
		some := No
		for _, sub := range s.Any {
			some = max(some, sub.eval(h, negated))
		}
		truth = min(truth, some)
	}
	for _, sub := range s.Not {
		truth = min(truth, Yes-sub.eval(h, true))
	}
	return truth
}

func (m Match) eval(h holder, negated bool) Truth {
	values := h[m.Attribute]
	if len(values) == 0 && negated {
		return Undetermined
	}
	for _, v := range values {
		if slices.ContainsFunc(m.Patterns, func(p string) bool { return Glob(p, v) }) {
			return Yes
		}
	}
	return No
}

// Glob reports whether s is like pattern, where * stands for any run of
// characters. It is linear in len(pattern)·stars, and never backtracks further
// than the last star.
func Glob(pattern, s string) bool {
	head, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		var part string
		part, rest, starred = strings.Cut(rest, "*")
		if !starred {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
}

// Explain returns one line per condition of the selector, in order.
func (s Selector) Explain(p Person) []Explanation { return s.explain(fold(p), "", false) }

func (s Selector) explain(h holder, under string, negated bool) []Explanation {
	var lines []Explanation
	for _, m := range s.Match {
		lines = append(lines, m.explain(h, under, negated))
	}
	for _, nested := range []struct {
		name    string
		subs    []Selector
		negated bool
	}{{"all ", s.All, negated}, {"any ", s.Any, negated}, {"not ", s.Not, true}} {
		for _, sub := range nested.subs {
			lines = append(lines, sub.explain(h, under+nested.name, nested.negated)...)
		}
	}
	return lines
}

func (m Match) explain(h holder, under string, negated bool) Explanation {
	e := Explanation{Truth: m.eval(h, negated), Line: m.Line}
	values, patterns := strings.Join(h[m.Attribute], ", "), strings.Join(m.Patterns, ", ")
	switch {
	case values == "":
		e.Text = fmt.Sprintf("%s%s is not known (wants one of %s)", under, m.Attribute, patterns)
	case e.Truth == Yes:
		e.Text = fmt.Sprintf("%s%s=%q matches", under, m.Attribute, values)
	default:
		e.Text = fmt.Sprintf("%s%s=%q is not one of %s", under, m.Attribute, values, patterns)
	}
	return e
}
