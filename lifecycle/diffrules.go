package lifecycle

import (
	"reflect"
	"slices"
	"strings"
)

// A RuleDiff is one rule that is not the same in both policies.
type RuleDiff struct {
	Name   string   `json:"name"`
	What   string   `json:"what"`            // added, removed, renamed or changed
	Was    string   `json:"was,omitempty"`   // the name before
	Parts  []string `json:"parts,omitempty"` // what of it has changed, by its key in the file
	Before int      `json:"people_before"`   // of how many people it speaks
	After  int      `json:"people_after"`
}

// What has become of a rule.
const (
	RuleAdded   = "added"
	RuleRemoved = "removed"
	RuleRenamed = "renamed"
	RuleChanged = "changed"
)

// ruleDiffs returns the rules that differ, in the order of the new policy, and
// then those that are gone. Where a rule stands in the file means nothing.
func ruleDiffs(was, is []Rule, matched map[string][2]int) []RuleDiff {
	diffs := []RuleDiff{}
	gone := slices.Clone(was)
	for _, r := range is {
		i := slices.IndexFunc(gone, func(o Rule) bool { return o.Name == r.Name })
		if i < 0 {
			continue
		}
		if parts := changedParts(gone[i], r); len(parts) > 0 {
			n := matched[r.Name]
			diffs = append(diffs, RuleDiff{Name: r.Name, What: RuleChanged, Parts: parts, Before: n[0], After: n[1]})
		}
		gone = slices.Delete(gone, i, i+1)
	}
	for _, r := range is {
		if slices.ContainsFunc(was, func(o Rule) bool { return o.Name == r.Name }) {
			continue
		}
		d := RuleDiff{Name: r.Name, What: RuleAdded, After: matched[r.Name][1]}
		if i := slices.IndexFunc(gone, func(o Rule) bool { return len(changedParts(o, r)) == 0 }); i >= 0 {
			d.What, d.Was, d.Before = RuleRenamed, gone[i].Name, matched[gone[i].Name][0]
			gone = slices.Delete(gone, i, i+1)
		}
		diffs = append(diffs, d)
	}
	for _, r := range gone {
		diffs = append(diffs, RuleDiff{Name: r.Name, What: RuleRemoved, Before: matched[r.Name][0]})
	}
	return diffs
}

// changedParts returns the keys under which two rules differ. Where they stand
// in the file, and what their names are, is no difference.
func changedParts(a, b Rule) []string {
	var parts []string
	differs := func(key string, was, is any) {
		if !reflect.DeepEqual(was, is) {
			parts = append(parts, key)
		}
	}
	differs("why", strings.TrimSpace(a.Why), strings.TrimSpace(b.Why))
	differs("when", a.When.placeless(), b.When.placeless())
	differs("grant", granting(a), granting(b))
	differs("approval", a.Approval, b.Approval)
	differs("rollout", a.Rollout, b.Rollout)
	differs("expires", a.Expires, b.Expires)
	return parts
}

// granting is what a rule gives, in an order that means nothing.
func granting(r Rule) []string {
	gives := []string{string(r.BaseRole)}
	for _, t := range r.Teams {
		gives = append(gives, t.Team+": "+string(t.Role))
	}
	slices.Sort(gives)
	return gives
}

// placeless is the selector without where it stands in the file.
func (s Selector) placeless() Selector {
	s.Match = slices.Clone(s.Match)
	for i := range s.Match {
		s.Match[i].Line = 0
		s.Match[i].Patterns = sorted(s.Match[i].Patterns)
	}
	slices.SortFunc(s.Match, func(a, b Match) int { return strings.Compare(string(a.Attribute), string(b.Attribute)) })
	each := func(subs []Selector) []Selector {
		var all []Selector
		for _, sub := range subs {
			all = append(all, sub.placeless())
		}
		return all
	}
	s.All, s.Any, s.Not = each(s.All), each(s.Any), each(s.Not)
	return s
}
