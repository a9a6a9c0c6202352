package policy

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

// selector returns whom the keys under when match, in the order of the file. It
// may not be empty: that would match everybody by oversight.
func (v value) selector() lifecycle.Selector {
	var s lifecycle.Selector
	fields := selectorFields(&s)
	if v.sketchNamed("selector", func(v value) {
		v.sketchObject(fields)
		v.shape.set("minProperties", 1)
	}) {
		return s
	}
	entries, ok := v.entries(keys(fields))
	if ok && len(v.node.Content) == 0 {
		v.wrong(`says nothing, so it would match everybody; write email: ["*"] if that is meant`)
	}
	for _, e := range entries {
		fields[slices.IndexFunc(fields, func(f field) bool { return f.key == e.key.Value })].read(e)
	}
	return s
}

func selectorFields(s *lifecycle.Selector) []field {
	fields := []field{
		{"all", "All of these have to match.", func(v value) { s.All = v.selectors() }},
		{"any", "At least one of these has to match.", func(v value) { s.Any = v.selectors() }},
		{"not", "None of these may match. Whom nothing is known of here the rule cannot tell, and grants nothing.", func(v value) { s.Not = v.negated() }},
	}
	for _, a := range lifecycle.Attributes() {
		about := fmt.Sprintf("One or more patterns for %s, in any case; * stands for any run of characters. Who has no such attribute does not match.", a)
		fields = append(fields, field{string(a), about, func(v value) { s.Match = append(s.Match, v.match(a)) }})
	}
	return fields
}

func (v value) selectors() []lifecycle.Selector {
	var subs []lifecycle.Selector
	if v.list(func(item value) { subs = append(subs, item.selector()) }) && len(subs) == 0 {
		v.wrong("the list is empty; leave the key out or write a condition")
	}
	v.shape.set("minItems", 1)
	return subs
}

func (v value) negated() []lifecycle.Selector {
	if v.sketchEither(func(v value) { v.selector() }, func(v value) { v.selectors() }) {
		return nil
	}
	if v.node.Kind == yaml.MappingNode {
		return []lifecycle.Selector{v.selector()}
	}
	return v.selectors()
}

func (v value) match(a lifecycle.Attribute) lifecycle.Match {
	m := lifecycle.Match{Attribute: a, Line: v.line()}
	v.oneOrMore(func(v value) {
		pattern := strings.ToLower(v.text())
		if a == lifecycle.AttrEmployment {
			v.shape.set("pattern", anEmployment())
		}
		if pattern != "" && a == lifecycle.AttrEmployment && !strings.Contains(pattern, "*") {
			v.employment(pattern)
		}
		m.Patterns = append(m.Patterns, pattern)
	})
	return m
}

// employment says so when s is none of the kinds that a source may give.
func (v value) employment(s string) {
	if _, err := lifecycle.ParseEmployment(s); err != nil {
		v.wrong("%s%s", lifecycle.ReasonOf(err), didYouMean(s, words(employments())))
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
