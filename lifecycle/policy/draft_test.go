package policy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

var begun = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

// hired is somebody hr has sent, who has an account of their address.
func hired(name, department, title string, groups ...string) lifecycle.Identity {
	return lifecycle.Identity{
		ID: lifecycle.IdentityID("idn_" + name), Keys: map[string]string{"hr": name},
		Person: lifecycle.Person{EmployeeID: "E-" + name, Status: lifecycle.StatusActive, Emails: []string{name + "@acme.test"}, Name: name, Department: department, Title: title, Groups: groups},
	}
}

func user(name string, base lifecycle.BaseRole, on ...lifecycle.Membership) lifecycle.Account {
	return lifecycle.Account{ID: lifecycle.AccountID("P" + name), Email: name + "@acme.test", Name: name, BaseRole: base, Teams: on}
}

var (
	pay = lifecycle.Team{ID: "PPAY", Name: "Payments"}
	web = lifecycle.Team{ID: "PWEB", Name: "Web: \"shop\""}
)

func on(t lifecycle.Team, role lifecycle.TeamRole) lifecycle.Membership {
	return lifecycle.Membership{Team: t, Role: role}
}

// start is an account with an owner and an admin beside the others.
func start(people []lifecycle.Identity, accounts ...lifecycle.Account) Start {
	accounts = append(accounts, user("root", lifecycle.RoleOwner), user("sam", lifecycle.RoleAdmin))
	return Start{
		Account: lifecycle.Snapshot{Accounts: accounts, Teams: []lifecycle.Team{pay, web}}, Security: "C0SECURITY", At: begun,
		People: append(people, hired("sam", "IT", "Administrator")),
	}
}

func drafted(t *testing.T, s Start) (string, lifecycle.Policy) {
	t.Helper()
	text, err := Draft(s)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("policy.yaml", text)
	if err != nil {
		t.Fatalf("the draft is not a policy: %v\n%s", err, text)
	}
	return string(text), p
}

// unmended returns what a roll call by the policy finds that a policy could mend.
func unmended(p lifecycle.Policy, s Start) []string {
	var found []string
	for _, f := range lifecycle.Reconcile(lifecycle.Roll{Policy: p, Identities: s.People, Have: s.Account, Now: s.At}) {
		if f.Kind == lifecycle.FoundExcess || f.Kind == lifecycle.FoundMissing || f.Kind == lifecycle.FoundDrift {
			found = append(found, f.Story())
		}
	}
	return found
}

func ruleWords(p lifecycle.Policy) []string {
	var lines []string
	for _, r := range p.Rules {
		line := r.Name + ":"
		for _, m := range r.When.Match {
			line += fmt.Sprintf(" %s=%s", m.Attribute, strings.Join(m.Patterns, ","))
		}
		line += " →"
		if r.BaseRole != "" {
			line += " " + string(r.BaseRole)
		}
		for _, g := range r.Teams {
			line += fmt.Sprintf(" %s:%s", g.Team, g.Role)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestADraftTellsPeopleByWhatTheyAreWhereThatIsExact(t *testing.T) {
	t.Parallel()
	const admin = "global-admins-by-name: email=sam@acme.test → admin"
	responder := func(name string) lifecycle.Account {
		return user(name, lifecycle.RoleResponder, on(pay, lifecycle.TeamResponder))
	}
	for name, tt := range map[string]struct {
		start Start
		want  []string
	}{
		"a whole department": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), hired("bo", "Pay", "Dev")}, responder("ana"), responder("bo")),
			[]string{"payments-responders: department=pay → limited_user Payments:responder", admin},
		},
		"titles of a department": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), hired("bo", "Pay", "SRE"), hired("cy", "Pay", "Clerk")}, responder("ana"), responder("bo"), user("cy", lifecycle.RoleResponder)),
			[]string{"payments-responders: department=pay title=sre → limited_user Payments:responder", "responders-by-name: email=cy@acme.test → limited_user", admin},
		},
		"a group": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE", "oncall"), hired("bo", "Web", "SRE", "oncall"), hired("cy", "Pay", "SRE"), hired("di", "Web", "SRE")}, responder("ana"), responder("bo")),
			[]string{"payments-responders: groups=oncall → limited_user Payments:responder", admin},
		},
		"what one alone has in common with nobody is chance": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), hired("bo", "Pay", "SRE"), hired("cy", "Legal", "Counsel")}, responder("ana"), responder("bo"), responder("cy")),
			[]string{"payments-responders: department=pay → limited_user Payments:responder", "payments-responders-by-name: email=cy@acme.test → limited_user Payments:responder", admin},
		},
		"somebody without an account is given none": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), hired("bo", "Pay", "SRE")}, responder("ana")),
			[]string{"payments-responders-by-name: email=ana@acme.test → limited_user Payments:responder", admin},
		},
		"somebody who starts later comes to what the others have": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), starting(hired("bo", "Pay", "SRE"))}, responder("ana")),
			[]string{"payments-responders: department=pay → limited_user Payments:responder", admin},
		},
		"who has left tells nothing": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), gone(hired("bo", "Pay", "SRE"))}, responder("ana"), responder("bo")),
			[]string{"payments-responders: department=pay → limited_user Payments:responder", admin},
		},
		"two base roles on a team: the lower with the team, the higher by itself": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), hired("bo", "Pay", "SRE"), hired("cy", "Pay", "Lead"), hired("di", "Pay", "Lead")},
				responder("ana"), responder("bo"), user("cy", lifecycle.RoleManager, on(pay, lifecycle.TeamResponder)), user("di", lifecycle.RoleManager, on(pay, lifecycle.TeamResponder))),
			[]string{"payments-responders: department=pay → limited_user Payments:responder", "managers: department=pay title=lead → user", admin},
		},
		"an admin on a team stays one by name": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE"), hired("bo", "Pay", "SRE")}, responder("bo"), user("ana", lifecycle.RoleAdmin, on(pay, lifecycle.TeamManager))),
			[]string{
				"payments-managers-by-name: email=ana@acme.test → Payments:manager",
				"payments-responders-by-name: email=bo@acme.test → limited_user Payments:responder",
				"global-admins-by-name: email=ana@acme.test,sam@acme.test → admin",
			},
		},
		"a star in a title is no pattern": {
			start([]lifecycle.Identity{hired("ana", "Pay", "SRE*"), hired("bo", "Pay", "SRE*"), hired("cy", "Pay", "SRE II")}, responder("ana"), responder("bo")),
			[]string{"payments-responders-by-name: email=ana@acme.test,bo@acme.test → limited_user Payments:responder", admin},
		},
		"two people of one address are told by their numbers": {
			start([]lifecycle.Identity{pinned(hired("ana", "Pay", "SRE"), "one@acme.test", "Pana"), pinned(hired("bo", "Web", "SRE"), "one@acme.test", "Pbo"), hired("cy", "Pay", "SRE"), hired("di", "Web", "SRE")}, responder("ana"), responder("bo")),
			[]string{"payments-responders-by-name: employee_id=e-ana,e-bo → limited_user Payments:responder", admin},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, p := drafted(t, tt.start)
			if diff := cmp.Diff(tt.want, ruleWords(p)); diff != "" {
				t.Errorf("rules (-want +got):\n%s\n%s", diff, text)
			}
			if found := unmended(p, tt.start); len(found) > 0 {
				t.Errorf("a roll call finds %q by\n%s", found, text)
			}
		})
	}
}

func starting(i lifecycle.Identity) lifecycle.Identity {
	i.Person.StartDate = "2026-06-01"
	return i
}

func gone(i lifecycle.Identity) lifecycle.Identity {
	i.Person.Status = lifecycle.StatusEnded
	return i
}

func pinned(i lifecycle.Identity, email string, account lifecycle.AccountID) lifecycle.Identity {
	i.Person.Emails, i.Account = []string{email}, account
	return i
}

func TestADraftOnTheFirstDayNamesEverybody(t *testing.T) {
	t.Parallel()
	s := start(nil, user("ana", lifecycle.RoleResponder, on(pay, lifecycle.TeamManager)), user("bo", lifecycle.RoleObserver, on(pay, lifecycle.TeamResponder)))
	s.People = nil
	s.Protect = []string{"SAM@acme.test"}
	s.Account.Accounts = append(s.Account.Accounts, user("kim", lifecycle.RoleAdmin))
	text, p := drafted(t, s)
	want := []string{
		"payments-managers-by-name: email=ana@acme.test → limited_user Payments:manager",
		"payments-responders-by-name: email=bo@acme.test → observer Payments:responder",
		"global-admins-by-name: email=kim@acme.test → admin",
	}
	if diff := cmp.Diff(want, ruleWords(p)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"kim@acme.test"}, p.Security.Members); diff != "" {
		t.Errorf("security (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"root@acme.test", "sam@acme.test"}, p.Protected); diff != "" {
		t.Errorf("protected (-want +got):\n%s", diff)
	}
	for ref, owner := range map[string]string{"PPAY": "ana@acme.test", "PWEB": "kim@acme.test"} {
		if team, ok := p.Team(ref); !ok || len(team.Owners) != 1 || team.Owners[0] != owner {
			t.Errorf("%s is owned by %v", ref, team.Owners)
		}
	}
	if !strings.Contains(text, "Nobody manages it in PagerDuty") || !strings.Contains(text, "No source of truth has sent anybody yet") {
		t.Errorf("it does not say what is to be known of it:\n%s", text)
	}
}

func TestADraftNeedsSomebodyWhoDecides(t *testing.T) {
	t.Parallel()
	s := Start{Account: lifecycle.Snapshot{Accounts: []lifecycle.Account{user("ana", lifecycle.RoleResponder)}}, Security: "C0SECURITY", At: begun}
	if _, err := Draft(s); !errors.Is(err, lifecycle.ErrInvalid) || !strings.Contains(lifecycle.ReasonOf(err), "make somebody an admin") {
		t.Errorf("got %v, want a refusal that says what to do", err)
	}
	s.Account.Accounts = append(s.Account.Accounts, user("root", lifecycle.RoleOwner))
	if _, p := drafted(t, s); len(p.Security.Members) != 1 || p.Security.Members[0] != "root@acme.test" {
		t.Errorf("security is %v, want the account owner where there is no admin", p.Security.Members)
	}
	s.Security = "#security"
	if _, err := Draft(s); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("got %v, want that a name is no channel", err)
	}
}

// Whatever people are called, what they hold and what is known of them: the draft
// reads back, and nothing is found by it that a policy could mend.
func TestADraftFindsNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	for n := range 150 {
		s := invented(r)
		text, p := drafted(t, s)
		if found := unmended(p, s); len(found) > 0 {
			t.Fatalf("company %d, of %+v: a roll call finds %q by\n%s", n, s.People, found, text)
		}
	}
}

// invented is a company in which anything can be.
func invented(r *rand.Rand) Start {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	teams := []lifecycle.Team{pay, web, {ID: "PDUP", Name: "Payments"}, {ID: "PODD", Name: "\u202e- null: #\n[x]"}, {ID: "PNUL", Name: " "}}
	s := start(nil)
	s.Account.Teams = teams
	for n := range 2 + r.IntN(12) {
		name := fmt.Sprintf("p%d", n)
		i := hired(name, pick("", "Pay", "Web", "R&D: \"x\"", "1.10", "null", "a\nb", "*"), pick("", "SRE", "sre", "Dev, Sr.", "*", "Lead\u200e"), pick("g1", "g2", "#g3"))
		i.Person.Status = lifecycle.Status(pick("active", "active", "active", "leave", "suspended", "ended"))
		if r.IntN(8) == 0 {
			i.Person.Emails[0] = "p0@acme.test"
		}
		if r.IntN(8) == 0 {
			i.Keys, i.Person.Status = nil, lifecycle.StatusActive // as the policy alone makes somebody known
		}
		if r.IntN(8) == 0 {
			i.Person.StartDate = "2027-01-01"
		}
		if r.IntN(10) > 0 {
			s.People = append(s.People, i)
		}
		if r.IntN(5) == 0 {
			continue
		}
		a := user(name, grantable()[r.IntN(len(grantable()))])
		for _, t := range teams {
			if r.IntN(3) == 0 {
				a.Teams = append(a.Teams, on(t, teamRoles()[r.IntN(3)]))
			}
		}
		s.Account.Accounts = append(s.Account.Accounts, a)
	}
	return s
}

func BenchmarkDraftOfTenThousandPeople(b *testing.B) {
	s := Start{Security: "C0SECURITY", At: begun}
	for n := range 10_000 {
		t := lifecycle.Team{ID: lifecycle.TeamID(fmt.Sprintf("PT%d", n%200)), Name: fmt.Sprintf("Team %d", n%200)}
		if n < 200 {
			s.Account.Teams = append(s.Account.Teams, t)
		}
		name := fmt.Sprintf("p%d", n)
		s.People = append(s.People, hired(name, t.Name, []string{"SRE", "Dev", "Lead"}[n%3], fmt.Sprintf("g%d", n%50)))
		s.Account.Accounts = append(s.Account.Accounts, user(name, lifecycle.RoleResponder, on(t, teamRoles()[n%3])))
	}
	s.Account.Accounts = append(s.Account.Accounts, user("root", lifecycle.RoleOwner))
	for b.Loop() {
		if _, err := Draft(s); err != nil {
			b.Fatal(err)
		}
	}
}
