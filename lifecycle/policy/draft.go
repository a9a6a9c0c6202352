package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// A Start is what a first policy is drafted from.
type Start struct {
	Account  lifecycle.Snapshot
	People   []lifecycle.Identity
	Security string   // the id of the Slack channel that is told of trouble
	Protect  []string // addresses that are never to be changed, such as the user in whose name changes are made
	At       time.Time
}

// Draft returns a policy that says what is: by it nobody who is known gains or
// loses a role in PagerDuty. What people hold is granted for what they are where
// their department, their title in it, or a group describes exactly those who hold
// it, and by name otherwise. Owners are who manages a team there. It reads back
// without a mistake. It is an error when nobody could decide: no admin, account
// owner or manager has an address that a policy can name.
func Draft(s Start) ([]byte, error) {
	c := newCast(s)
	if len(c.security) == 0 {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "PagerDuty has no admin and no account owner with an e-mail address who could decide; make somebody an admin there first")
	}
	d := &draft{cast: c, at: s.At, channel: s.Security, names: map[string]bool{}}
	d.teams()
	d.baseRoles()
	p, err := Parse("draft", d.text())
	if err != nil {
		return nil, fmt.Errorf("the draft is not a policy: %w", err)
	}
	d.rehearse(p)
	text := d.text()
	if len(text) > maxSize {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "The policy would list too many people by name to be read by anybody. Import a roster first, with departments and titles: rolecall roster import.")
	}
	if p, err = Parse("draft", text); err != nil {
		return nil, fmt.Errorf("the draft is not a policy: %w", err)
	}
	if failures := Test(p); len(failures) > 0 {
		return nil, errors.New("the draft fails its own test: " + failures[0].String())
	}
	return text, nil
}

// draft is a policy that is being written.
type draft struct {
	*cast
	at      time.Time
	channel string
	written []draftTeam
	rules   []draftRule
	names   map[string]bool // of rules
	tests   []draftTest
}

type draftTeam struct {
	name   string
	id     lifecycle.TeamID
	owners []string
	nobody bool // manages it in PagerDuty: others own it meanwhile
}

// A draftRule is a rule with whom it speaks of.
type draftRule struct {
	name, why string
	when      clause
	base      lifecycle.BaseRole
	team      string // "": a base role alone
	role      lifecycle.TeamRole
	matches   []bool // by the place in the cast
}

// teams writes each team of the account, and rules for each role on it.
func (d *draft) teams() {
	teams := slices.Clone(d.account.Teams)
	slices.SortFunc(teams, func(a, b lifecycle.Team) int {
		return strings.Compare(strings.ToLower(a.Name)+string(a.ID), strings.ToLower(b.Name)+string(b.ID))
	})
	taken := map[string]bool{}
	for _, t := range teams {
		taken[string(t.ID)] = true
	}
	for _, t := range teams {
		name := cleaned(t.Name)
		if name == "" || taken[name] {
			name = strings.TrimSpace(name + " (" + string(t.ID) + ")")
		}
		taken[name] = true
		is := draftTeam{name: name, id: t.ID}
		if is.owners = d.managers(t.ID); len(is.owners) == 0 {
			is.owners, is.nobody = d.security, true
		}
		d.written = append(d.written, is)
		d.teamRules(is)
	}
}

func (d *draft) teamRules(t draftTeam) {
	home := d.home(t.id)
	for _, role := range []lifecycle.TeamRole{lifecycle.TeamManager, lifecycle.TeamResponder, lifecycle.TeamObserver} {
		in := d.where(func(m *member) bool { return !m.free && m.on(t.id) == role })
		free := d.where(func(m *member) bool { return m.free })
		clauses := d.describe(in, free, home, false)
		for _, c := range clauses {
			r := draftRule{when: c, team: t.name, role: role, matches: c.matches}
			r.base = d.lowest(r.matches)
			r.why = fmt.Sprintf("%s on %s when this file was begun (%s)", titled(string(role)), t.name, persons(c.people))
			r.name = d.named(slugged(t.name, string(t.id)) + "-" + string(role) + "s" + c.suffix())
			d.rules = append(d.rules, r)
		}
	}
}

// lowest returns the base role that everybody has at least of whom a rule speaks,
// so that granting it raises nobody; "" where that is the account owner's.
func (d *draft) lowest(matches []bool) lifecycle.BaseRole {
	lowest := lifecycle.BaseRole("")
	for i, m := range d.members {
		if matches[i] && !m.free && (lowest == "" || m.base.Rank() < lowest.Rank()) {
			lowest = m.base
		}
	}
	if lowest.Rank() >= lifecycle.RoleAdmin.Rank() {
		return "" // by name, and not beside a team
	}
	return lowest
}

// baseRoles writes rules for the base roles that no rule for a team has given, the
// highest last. To run the whole account is given by name alone: what somebody
// works as makes no admin.
func (d *draft) baseRoles() {
	for _, role := range grantable() {
		given := d.given()
		in := d.where(func(m *member) bool { return !m.free && m.base == role })
		left := false
		for i := range in {
			in[i] = in[i] && given[i].Rank() < role.Rank()
			left = left || in[i]
		}
		if !left {
			continue
		}
		may := d.where(func(m *member) bool { return m.free || m.base.Rank() >= role.Rank() })
		for _, c := range d.describe(in, may, "", role.Rank() >= lifecycle.RoleAdmin.Rank()) {
			r := draftRule{when: c, base: role, matches: c.matches}
			r.why = fmt.Sprintf("%s when this file was begun (%s)", role.Title(), persons(c.people))
			r.name = d.named(slugged(role.Title(), string(role)) + "s" + c.suffix())
			d.rules = append(d.rules, r)
		}
	}
}

// given returns the base role that the rules so far give each member.
func (d *draft) given() []lifecycle.BaseRole {
	given := make([]lifecycle.BaseRole, len(d.members))
	for _, r := range d.rules {
		for i, matches := range r.matches {
			if matches && r.base.Rank() > given[i].Rank() {
				given[i] = r.base
			}
		}
	}
	return given
}

// named returns the name, or the next like it that no rule has yet.
func (d *draft) named(name string) string {
	is := name
	for n := 2; d.names[is]; n++ {
		is = fmt.Sprintf("%s-%d", name, n)
	}
	d.names[is] = true
	return is
}

// A draftTest is somebody made up, and what the rules give them.
type draftTest struct {
	given clause
	want  lifecycle.Want
}

const fewTests = 3

// rehearse writes a test for the first teams whose rules go by what somebody is,
// so that the file shows how one is written.
func (d *draft) rehearse(p lifecycle.Policy) {
	done := map[string]bool{}
	for _, r := range d.rules {
		if r.when.byName() || done[r.team] || len(d.tests) == fewTests {
			continue
		}
		done[r.team] = true
		t := draftTest{given: r.when.first()}
		t.want = bound(p).Want(t.given.person())
		d.tests = append(d.tests, t)
	}
}

func persons(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

func titled(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
