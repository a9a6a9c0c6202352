package lifecycle

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// An index finds which rules may speak of somebody without asking them all, and
// teams and exceptions without looking through them. It is made once and never
// written to again.
type index struct {
	rules      []Rule // of which it was made
	always     []int  // the rules that ask for no certain value; ascending
	by         []asked
	teams      []TeamPolicy
	team       map[string]int // by name and by id
	exceptions []PolicyException
	excepted   map[string][]PolicyException // by who
}

// asked is the rules that are found by the values of one attribute.
type asked struct {
	attribute Attribute
	rules     map[string][]int
}

// Indexed returns the policy so that it answers fast, however many rules and
// teams it has; its answers are the same. Its rules, teams and exceptions are
// not to be written to after that: whoever changes them replaces the lists.
func (p Policy) Indexed() Policy {
	if p.index != nil && p.index.of(p) {
		return p
	}
	x := &index{rules: p.Rules, teams: p.Teams, exceptions: p.Exceptions, team: make(map[string]int, 2*len(p.Teams)), excepted: map[string][]PolicyException{}}
	for i, t := range p.Teams {
		for _, ref := range []string{t.Name, string(t.ID)} {
			if _, taken := x.team[ref]; !taken && (ref != "" || t.Name == ref) {
				x.team[ref] = i
			}
		}
	}
	for _, e := range p.Exceptions {
		x.excepted[e.Who] = append(x.excepted[e.Who], e)
	}
	x.sort()
	p.index = x
	return p
}

func (x *index) of(p Policy) bool {
	return same(x.rules, p.Rules) && same(x.teams, p.Teams) && same(x.exceptions, p.Exceptions)
}

// same reports whether both are the same list, not only lists of the same.
func same[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// sort puts every rule under the values of the attribute that tells most: the one
// whose values the fewest rules ask for.
func (x *index) sort() {
	type value struct {
		attribute Attribute
		is        string
	}
	often := map[value]int{}
	for i := range x.rules {
		for _, m := range x.rules[i].When.Match {
			for _, v := range m.Patterns {
				often[value{m.Attribute, v}]++
			}
		}
	}
	at := map[Attribute]int{}
	for i := range x.rules {
		best, least := -1, 0
		for k, m := range x.rules[i].When.Match {
			n := 0
			for _, v := range m.Patterns {
				n += often[value{m.Attribute, v}]
			}
			if m.literal() && (best < 0 || n < least) {
				best, least = k, n
			}
		}
		if best < 0 {
			x.always = append(x.always, i)
			continue
		}
		x.file(at, i, x.rules[i].When.Match[best])
	}
}

func (x *index) file(at map[Attribute]int, rule int, m Match) {
	k, known := at[m.Attribute]
	if !known {
		k = len(x.by)
		at[m.Attribute] = k
		x.by = append(x.by, asked{attribute: m.Attribute, rules: map[string][]int{}})
	}
	for _, v := range m.Patterns {
		if rules := x.by[k].rules[v]; len(rules) == 0 || rules[len(rules)-1] != rule {
			x.by[k].rules[v] = append(rules, rule)
		}
	}
}

// literal reports whether every pattern stands for one value only.
func (m Match) literal() bool {
	return !slices.ContainsFunc(m.Patterns, func(s string) bool { return strings.Contains(s, "*") })
}

// speaking yields, in the order of the file, every rule that may speak of the
// holder: all others ask at their top for a value that the holder does not have.
func (p *Policy) speaking(h *holder) iter.Seq[int] {
	return func(yield func(int) bool) {
		x := p.index
		if x == nil || !same(x.rules, p.Rules) {
			for i := range p.Rules {
				if !yield(i) {
					return
				}
			}
			return
		}
		var few [32]int
		always, hits := x.always, x.hits(h, few[:0])
		for len(always)+len(hits) > 0 {
			from := &always
			if len(always) == 0 || len(hits) > 0 && hits[0] < always[0] {
				from = &hits
			}
			i := (*from)[0]
			*from = (*from)[1:]
			if !yield(i) {
				return
			}
		}
	}
}

func (x *index) hits(h *holder, into []int) []int {
	for i := range x.by {
		for _, v := range h.values(x.by[i].attribute) {
			into = append(into, x.by[i].rules[v]...)
		}
	}
	slices.Sort(into)
	return slices.Compact(into)
}

// At returns the policy as it is at t: what has an end in it ends then. A policy
// that was never dated ends nothing for anybody, and lets no exception count.
func (p Policy) At(t time.Time) Policy {
	p.now = t
	return p
}

// Team returns the policy's team with that name or PagerDuty id.
func (p Policy) Team(ref string) (TeamPolicy, bool) {
	if i := p.teamAt(ref); i >= 0 {
		return p.Teams[i], true
	}
	return TeamPolicy{}, false
}

// teamAt returns the place of the team with that name or id among the policy's, or -1.
func (p *Policy) teamAt(ref string) int {
	if x := p.index; x != nil && same(x.teams, p.Teams) {
		if i, ok := x.team[ref]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(p.Teams, func(t TeamPolicy) bool {
		return t.Name == ref || t.ID != "" && string(t.ID) == ref
	})
}
