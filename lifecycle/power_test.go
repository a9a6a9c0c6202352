package lifecycle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestPowerOverTheWholeAccountIsAskedForAsThePolicySaysOfIt(t *testing.T) {
	t.Parallel()
	byRule := func(n int) *lifecycle.Approval {
		return &lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: n, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners}, ExpireAfter: 72 * time.Hour, OnExpiry: lifecycle.SilenceDeny}
	}
	security := []lifecycle.ApproverSource{lifecycle.FromSecurity}
	two := lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: 2, From: security, ExpireAfter: 8 * time.Hour, EscalateAfter: time.Hour, OnExpiry: lifecycle.SilenceDeny}
	three, alone := two, *byRule(1)
	three.N, alone.From = 3, security
	for name, tt := range map[string]struct {
		role    lifecycle.BaseRole
		written lifecycle.Approval
		rule    *lifecycle.Approval
		want    lifecycle.Approval
	}{
		"two of Security, in its own time":                   {lifecycle.RoleAdmin, two, byRule(1), two},
		"no fewer than the rule wants":                       {lifecycle.RoleAdmin, two, byRule(3), three},
		"of Security, where nothing is written":              {lifecycle.RoleAdmin, lifecycle.Approval{}, byRule(1), alone},
		"of Security, whatever else is written":              {lifecycle.RoleManager, lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: 2, From: byRule(1).From, ExpireAfter: 8 * time.Hour, EscalateAfter: time.Hour, OnExpiry: lifecycle.SilenceDeny}, byRule(1), two},
		"refused, where it is refused":                       {lifecycle.RoleAdmin, lifecycle.Approval{Mode: lifecycle.ApprovalDeny, N: 1}, byRule(1), lifecycle.Approval{Mode: lifecycle.ApprovalDeny, N: 1, From: security}},
		"what gives no such power is asked as the rule says": {lifecycle.RoleResponder, two, byRule(1), *byRule(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rules()
			p.Defaults.Privileged = tt.written
			p.Rules = []lifecycle.Rule{rule("power", "payments", tt.role, "Payments", lifecycle.TeamResponder, tt.rule)}
			have := account(lifecycle.RoleObserver)
			if diff := cmp.Diff(tt.want, p.Judge(lifecycle.PlanJoin(p, person("Payments"), &have)).Approval); diff != "" {
				t.Errorf("approval (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADiffSaysWhoIsAskedAndWhenOtherwise(t *testing.T) {
	t.Parallel()
	was, is := rules(), rules()
	is.Security.Group = "S0SEC"
	is.Defaults.Privileged = lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: 2, From: []lifecycle.ApproverSource{lifecycle.FromSecurity}}
	is.Defaults.Hours = office
	is.Defaults.Ask = lifecycle.AskPolicy{Off: true}
	is.Teams = append([]lifecycle.TeamPolicy{}, was.Teams...)
	team := &is.Teams[0]
	team.Groups, team.Notify, team.Digest, team.Zone = []lifecycle.GroupID{"S0PAY"}, []string{}, true, "Europe/Berlin"
	is.Teams = append(is.Teams, lifecycle.TeamPolicy{Name: "Search", ID: "PSEARCH", Owners: []string{"sue@acme.test"}, Groups: []lifecycle.GroupID{"S0SEARCH"}})
	want := []string{
		"Security's group: none → S0SEC",
		"Owners of Payments: now group S0PAY",
		"Who of Payments is sent each card: all who are named → nobody",
		"A digest in the channel of Payments: no → yes",
		"Time zone of Payments: none → Europe/Berlin",
		"Team Search is new, owned by sue@acme.test, group S0SEARCH",
		"Approval of power over the whole account: as by default, of Security → quorum, 2 of security",
		"Working hours: all hours → Monday to Friday, 09:00–17:30",
		"What people may ask for themselves: for at most 720h → nothing",
	}
	if diff := cmp.Diff(want, lifecycle.Diff(was, is, nil, nil, time.Now()).Other); diff != "" {
		t.Errorf("what differs (-want +got):\n%s", diff)
	}
}
