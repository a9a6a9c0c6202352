package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// A clause is what a drafted rule asks of somebody: a department and perhaps a
// title, a group, or by name.
type clause struct {
	departments, titles, groups []string
	emails, ids                 []string
	people                      int    // whom it is for
	matches                     []bool // of whom it speaks, by the place in the cast
}

// byName reports whether the clause says who, and not what they are.
func (c clause) byName() bool { return len(c.emails)+len(c.ids) > 0 }

// suffix tells a rule by name from the one for the others.
func (c clause) suffix() string {
	if c.byName() {
		return "-by-name"
	}
	return ""
}

// first returns the clause with the first of each list alone.
func (c clause) first() clause {
	one := func(s []string) []string { return s[:min(len(s), 1)] }
	return clause{departments: one(c.departments), titles: one(c.titles), groups: one(c.groups)}
}

// A part is one attribute of a clause, and what it may be.
type part struct {
	attribute lifecycle.Attribute
	values    []string
}

// parts returns the attributes that the clause asks for.
func (c clause) parts() []part {
	all := []part{
		{lifecycle.AttrDepartment, c.departments},
		{lifecycle.AttrTitle, c.titles},
		{lifecycle.AttrGroups, c.groups},
		{lifecycle.AttrEmail, c.emails},
		{lifecycle.AttrEmployeeID, c.ids},
	}
	return slices.DeleteFunc(all, func(p part) bool { return len(p.values) == 0 })
}

// matching returns of whom the clause speaks, as the policy that is read back will
// have it: without regard to case.
func (c *cast) matching(is clause) []bool {
	matches := make([]bool, len(c.members))
	take := func(x cell) {
		for _, i := range c.having[x.key()] {
			matches[i] = true
		}
	}
	for _, d := range is.departments {
		if len(is.titles) == 0 {
			take(cell{what: lifecycle.AttrDepartment, is: d})
		}
		for _, t := range is.titles {
			take(cell{what: lifecycle.AttrTitle, is: t, within: d})
		}
	}
	for _, part := range is.parts() {
		for _, v := range part.values {
			if part.attribute != lifecycle.AttrDepartment && part.attribute != lifecycle.AttrTitle {
				take(cell{what: part.attribute, is: v})
			}
		}
	}
	return matches
}

// describe returns clauses that speak of everybody in in, and of nobody else but
// those who may be spoken of. What fewer than two people have in common makes a
// rule only where it is the home of the team: else it is chance, and they are
// named. Named alone they all are where that is asked for.
func (c *cast) describe(in, may []bool, home string, named bool) []clause {
	if !slices.Contains(in, true) {
		return nil
	}
	left := slices.Clone(in)
	var clauses []clause
	ways := []func(in, may, left []bool, home string) []clause{c.byDepartment, c.byTitle, c.byGroup, c.byName}
	if named {
		ways = ways[len(ways)-1:]
	}
	for _, way := range ways {
		for _, is := range way(in, may, left, home) {
			is.matches = c.matching(is)
			for i, matches := range is.matches {
				left[i] = left[i] && !matches
			}
			clauses = append(clauses, is)
		}
	}
	return clauses
}

// A cell is everybody who has something in common.
type cell struct {
	what   lifecycle.Attribute
	is     string // as it is written
	within string // the department, of a title
	who    []int
}

func (x cell) key() string {
	return string(x.what) + "\x00" + strings.ToLower(x.within) + "\x00" + strings.ToLower(x.is)
}

// cells returns what somebody may have in common with others: their department,
// their title in it, their groups, and what should be theirs alone.
func (m *member) cells(what lifecycle.Attribute) []cell {
	p, names, within := &m.person, []string(nil), ""
	switch what {
	case lifecycle.AttrDepartment:
		names = []string{p.Department}
	case lifecycle.AttrTitle:
		names, within = []string{p.Title}, p.Department
	case lifecycle.AttrGroups:
		names = p.Groups
	case lifecycle.AttrEmail:
		names = []string{p.Email()}
	case lifecycle.AttrEmployeeID:
		names = []string{p.EmployeeID}
	default:
	}
	var all []cell
	for _, is := range names {
		if expressible(is) && (what != lifecycle.AttrTitle || expressible(within)) {
			all = append(all, cell{what: what, is: is, within: within})
		}
	}
	return all
}

// gather notes once what everybody has in common with others.
func (c *cast) gather() {
	c.having = map[string][]int{}
	for i := range c.members {
		for _, what := range []lifecycle.Attribute{lifecycle.AttrDepartment, lifecycle.AttrTitle, lifecycle.AttrGroups, lifecycle.AttrEmail, lifecycle.AttrEmployeeID} {
			for _, x := range c.members[i].cells(what) {
				c.having[x.key()] = append(c.having[x.key()], i)
			}
		}
	}
}

// cells returns what those who are left have in common, with everybody who has it.
func (c *cast) cells(left []bool, what lifecycle.Attribute) []cell {
	found := map[string]cell{}
	for i := range c.members {
		if !left[i] {
			continue
		}
		for _, x := range c.members[i].cells(what) {
			if _, known := found[x.key()]; !known {
				x.who = c.having[x.key()]
				found[x.key()] = x
			}
		}
	}
	var all []cell
	for _, key := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[key])
	}
	return all
}

// pure returns for how many of those in in the cell speaks, and false when it
// speaks of anybody else.
func (x cell) pure(in, may []bool) (n int, ok bool) {
	for _, i := range x.who {
		if !in[i] && !may[i] {
			return 0, false
		}
		if in[i] {
			n++
		}
	}
	return n, true
}

// byDepartment returns the departments of which everybody is meant.
func (c *cast) byDepartment(in, may, left []bool, home string) []clause {
	var is clause
	for _, x := range c.cells(left, lifecycle.AttrDepartment) {
		if n, pure := x.pure(in, may); pure && (n > 1 || strings.ToLower(x.is) == home) {
			is.departments, is.people = append(is.departments, x.is), is.people+n
		}
	}
	if is.people == 0 {
		return nil
	}
	return []clause{is}
}

// byTitle returns the titles of each department that tell who is meant;
// departments with the same titles share a rule.
func (c *cast) byTitle(in, may, left []bool, home string) []clause {
	within := map[string]*clause{}
	for _, x := range c.cells(left, lifecycle.AttrTitle) {
		n, pure := x.pure(in, may)
		if !pure {
			continue
		}
		d := strings.ToLower(x.within)
		if within[d] == nil {
			within[d] = &clause{departments: []string{x.within}}
		}
		within[d].titles, within[d].people = append(within[d].titles, x.is), within[d].people+n
	}
	alike := map[string]*clause{}
	for _, d := range slices.Sorted(maps.Keys(within)) {
		is := within[d]
		if is.people < 2 && d != home {
			continue
		}
		key := strings.ToLower(strings.Join(is.titles, "\x00"))
		if have := alike[key]; have != nil {
			have.departments, have.people = append(have.departments, is.departments...), have.people+is.people
			continue
		}
		alike[key] = is
	}
	return inOrder(alike)
}

// byGroup returns the groups that tell two or more of those who are left.
func (c *cast) byGroup(in, may, left []bool, _ string) []clause {
	groups := map[string]*clause{}
	for _, x := range c.cells(left, lifecycle.AttrGroups) {
		rest := len(slices.DeleteFunc(slices.Clone(x.who), func(i int) bool { return !left[i] }))
		if n, pure := x.pure(in, may); pure && rest > 1 {
			groups[x.is] = &clause{groups: []string{x.is}, people: n}
		}
	}
	return inOrder(groups)
}

func inOrder(by map[string]*clause) []clause {
	var clauses []clause
	for _, is := range by {
		clauses = append(clauses, *is)
	}
	slices.SortFunc(clauses, func(a, b clause) int {
		return cmp.Or(b.people-a.people, slices.Compare(a.departments, b.departments), slices.Compare(a.groups, b.groups))
	})
	return clauses
}

// alone reports whether one person has it, and nobody else.
func (c *cast) alone(x cell) bool { return len(c.having[x.key()]) == 1 }

// byName names those who are left, each by an address or else a number that is
// nobody else's. Whom neither tells is left out: no rule could tell them.
func (c *cast) byName(_, _, left []bool, _ string) []clause {
	emails, ids := clause{}, clause{}
	for i := range c.members {
		if !left[i] {
			continue
		}
		p := &c.members[i].person
		switch {
		case addressable(p.Email()) && c.alone(cell{what: lifecycle.AttrEmail, is: p.Email()}):
			emails.emails, emails.people = append(emails.emails, p.Email()), emails.people+1
		case c.alone(cell{what: lifecycle.AttrEmployeeID, is: p.EmployeeID}):
			ids.ids, ids.people = append(ids.ids, p.EmployeeID), ids.people+1
		}
	}
	slices.Sort(emails.emails)
	slices.Sort(ids.ids)
	return slices.DeleteFunc([]clause{emails, ids}, func(c clause) bool { return c.people == 0 })
}

// person returns somebody of whom the clause speaks, of one who says what they are.
func (c clause) person() lifecycle.Person {
	is := func(s []string) string {
		if len(s) == 0 {
			return ""
		}
		return s[0]
	}
	return lifecycle.Person{Department: is(c.departments), Title: is(c.titles), Groups: c.groups}
}
