package lifecycle_test

import (
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

// The policy that the tests of this package speak of: two teams, two rules.
var (
	payments = lifecycle.Team{ID: "PPAY", Name: "Payments"}
	platform = lifecycle.Team{ID: "PPLA", Name: "Platform"}
	monday   = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
)

func rules() lifecycle.Policy {
	quorum := lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: 1, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners}, ExpireAfter: 72 * time.Hour, OnExpiry: lifecycle.SilenceDeny}
	auto := quorum
	auto.Mode = lifecycle.ApprovalAuto
	return lifecycle.Policy{
		SHA256:   "7c1e",
		Defaults: lifecycle.Defaults{Approval: quorum, Hold: 10 * time.Minute},
		Domains:  []string{"acme.test"},
		Security: lifecycle.Security{Channel: "C0SEC", Members: []string{"priya@acme.test", "lee@acme.test"}},
		Teams: []lifecycle.TeamPolicy{
			{Name: "Payments", ID: "PPAY", Owners: []string{"marco@acme.test", "ines@acme.test"}, Channel: "C0PAY"},
			{Name: "Platform", ID: "PPLA", Owners: []string{"omar@acme.test"}, Channel: "C0PLA"},
		},
		Rules: []lifecycle.Rule{
			rule("payments", "payments", lifecycle.RoleResponder, "Payments", lifecycle.TeamResponder, nil),
			rule("platform", "platform", lifecycle.RoleResponder, "Platform", lifecycle.TeamResponder, &auto),
			rule("admins", "site admin", lifecycle.RoleAdmin, "Platform", lifecycle.TeamResponder, &quorum),
		},
	}
}

func rule(name, department string, base lifecycle.BaseRole, team string, role lifecycle.TeamRole, a *lifecycle.Approval) lifecycle.Rule {
	return lifecycle.Rule{
		Name: name, When: lifecycle.Selector{Match: []lifecycle.Match{{Attribute: lifecycle.AttrDepartment, Patterns: []string{department}}}},
		BaseRole: base, Teams: []lifecycle.TeamGrant{{Team: team, Role: role}}, Approval: a, Rollout: lifecycle.RolloutEnforce,
	}
}

func person(department string) lifecycle.Person {
	return lifecycle.Person{EmployeeID: "E1", Status: lifecycle.StatusActive, Emails: []string{"ben@acme.test"}, Name: "Ben Ode", Department: department}
}

func account(base lifecycle.BaseRole, on ...lifecycle.Membership) lifecycle.Account {
	return lifecycle.Account{ID: "PBEN", Email: "Ben@Acme.test", Name: "Ben Ode", BaseRole: base, Teams: on}
}

func on(t lifecycle.Team, r lifecycle.TeamRole) lifecycle.Membership {
	return lifecycle.Membership{Team: t, Role: r}
}

// level is a level of Payments' escalation policy.
func level(team lifecycle.TeamID, n int) lifecycle.Duty {
	return lifecycle.Duty{Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: "PCRIT", Name: "Payments-Crit"}, Level: n, Team: team}
}

// sorted compares lists whose order does not matter.
func sorted() cmp.Option {
	return cmp.Options{
		cmpopts.SortSlices(func(a, b string) bool { return a < b }),
		cmpopts.SortSlices(func(a, b lifecycle.Membership) bool { return a.Team.ID < b.Team.ID }),
	}
}
