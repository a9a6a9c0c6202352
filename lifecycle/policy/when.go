package policy

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

// selector returns whom the keys under when match. It may not be empty: that
// would match everybody by oversight.
func (v value) selector() lifecycle.Selector {
	var s lifecycle.Selector
	entries, ok := v.entries(append([]string{"all", "any", "not"}, words(lifecycle.Attributes())...))
	if ok && len(v.node.Content) == 0 {
		v.wrong(`says nothing, so it would match everybody; write email: ["*"] if that is meant`)
	}
	for _, e := range entries {
		switch e.key.Value {
		case "all":
			s.All = e.selectors()
		case "any":
			s.Any = e.selectors()
		case "not":
			s.Not = e.negated()
		default:
			s.Match = append(s.Match, e.match())
		}
	}
	return s
}

func (v value) selectors() []lifecycle.Selector {
	var subs []lifecycle.Selector
	if v.list(func(item value) { subs = append(subs, item.selector()) }) && len(subs) == 0 {
		v.wrong("the list is empty; leave the key out or write a condition")
	}
	return subs
}

func (v value) negated() []lifecycle.Selector {
	if v.node.Kind == yaml.MappingNode {
		return []lifecycle.Selector{v.selector()}
	}
	return v.selectors()
}

func (v value) match() lifecycle.Match {
	m := lifecycle.Match{Attribute: lifecycle.Attribute(v.key.Value), Line: v.line()}
	v.oneOrMore(func(v value) {
		pattern := strings.ToLower(v.text())
		if pattern != "" && m.Attribute == lifecycle.AttrEmployment && !strings.Contains(pattern, "*") {
			v.employment(pattern)
		}
		m.Patterns = append(m.Patterns, pattern)
	})
	return m
}

// employment says so when s is none of the kinds that a source may give.
func (v value) employment(s string) {
	if _, err := lifecycle.ParseEmployment(s); err != nil {
		kinds := []string{string(lifecycle.Employee), string(lifecycle.Contractor), string(lifecycle.Intern), string(lifecycle.Vendor), string(lifecycle.Service)}
		v.wrong("%s%s", lifecycle.ReasonOf(err), didYouMean(s, kinds))
	}
}

// canonical returns the same text for selectors that say the same in another
// order, so that rules which always overlap are found.
func canonical(s lifecycle.Selector) string {
	parts := conjuncts(s)
	slices.Sort(parts)
	return "{" + strings.Join(slices.Compact(parts), " ") + "}"
}

func conjuncts(s lifecycle.Selector) []string {
	var parts []string
	for _, m := range s.Match {
		patterns := slices.Compact(slices.Sorted(slices.Values(m.Patterns)))
		parts = append(parts, fmt.Sprintf("%s:%q", m.Attribute, patterns))
	}
	for _, sub := range s.All {
		parts = append(parts, conjuncts(sub)...)
	}
	if len(s.Any) > 0 {
		var some []string
		for _, sub := range s.Any {
			some = append(some, canonical(sub))
		}
		slices.Sort(some)
		parts = append(parts, fmt.Sprintf("any%q", slices.Compact(some)))
	}
	for _, sub := range s.Not {
		parts = append(parts, "not"+canonical(sub))
	}
	return parts
}
