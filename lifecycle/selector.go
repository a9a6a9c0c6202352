package lifecycle

import (
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

// holder is a person folded once, so that two hundred rules need not do it again.
type holder struct {
	single [8]string // at most one value each
	groups []string
}

// The places of the attributes that have one value.
const (
	atDepartment = iota
	atTitle
	atLocation
	atCountry
	atEmployment
	atManager
	atEmployee
	atEmail
)

func fold(p Person) holder {
	var groups []string
	if len(p.Groups) > 0 {
		groups = make([]string, len(p.Groups))
	}
	for i, g := range p.Groups {
		groups[i] = strings.ToLower(g)
	}
	return holder{groups: groups, single: [...]string{
		atDepartment: strings.ToLower(p.Department), atTitle: strings.ToLower(p.Title), atLocation: strings.ToLower(p.Location),
		atCountry: strings.ToLower(p.Country), atEmployment: strings.ToLower(string(p.Employment)),
		atManager: strings.ToLower(p.ManagerID), atEmployee: strings.ToLower(p.EmployeeID), atEmail: p.Email(),
	}}
}

// values returns what is known of the attribute: none when nothing is.
func (h *holder) values(a Attribute) []string {
	switch a {
	case AttrDepartment:
		return h.at(atDepartment)
	case AttrTitle:
		return h.at(atTitle)
	case AttrLocation:
		return h.at(atLocation)
	case AttrCountry:
		return h.at(atCountry)
	case AttrEmployment:
		return h.at(atEmployment)
	case AttrGroups:
		return h.groups
	case AttrManagerID:
		return h.at(atManager)
	case AttrEmployeeID:
		return h.at(atEmployee)
	case AttrEmail:
		return h.at(atEmail)
	default:
		return nil
	}
}

func (h *holder) at(i int) []string {
	if h.single[i] == "" {
		return nil
	}
	return h.single[i : i+1]
}

// Matches returns whether the selector matches p.
func (s Selector) Matches(p Person) Truth {
	h := fold(p)
	return s.eval(&h, false)
}

func (s *Selector) eval(h *holder, negated bool) Truth {
	truth := Yes
	for i := range s.Match {
		if truth = min(truth, s.Match[i].eval(h, negated)); truth == No {
			return No
		}
	}
	for i := range s.All {
		truth = min(truth, s.All[i].eval(h, negated))
	}
	if len(s.Any) > 0 {
		some := No
		for i := range s.Any {
			some = max(some, s.Any[i].eval(h, negated))
		}
		truth = min(truth, some)
	}
	for i := range s.Not {
		truth = min(truth, Yes-s.Not[i].eval(h, true))
	}
	return truth
}

// unsent returns the attributes that nothing is known of and that the selector
// excludes by, each once.
func (s *Selector) unsent(h *holder, negated bool) []string {
	var names []string
	add := func(more ...string) {
		for _, n := range more {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	for i := range s.Match {
		if negated && len(h.values(s.Match[i].Attribute)) == 0 {
			add(string(s.Match[i].Attribute))
		}
	}
	for i := range s.All {
		add(s.All[i].unsent(h, negated)...)
	}
	for i := range s.Any {
		add(s.Any[i].unsent(h, negated)...)
	}
	for i := range s.Not {
		add(s.Not[i].unsent(h, true)...)
	}
	return names
}

func (m *Match) eval(h *holder, negated bool) Truth {
	values := h.values(m.Attribute)
	if len(values) == 0 && negated {
		return Undetermined
	}
	for _, v := range values {
		for _, p := range m.Patterns {
			if Glob(p, v) {
				return Yes
			}
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
