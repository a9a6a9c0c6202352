package lifecycle_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func staleOf(id string, role lifecycle.BaseRole) lifecycle.Finding {
	return lifecycle.Finding{
		ID: lifecycle.FindingID("fnd_" + id), Kind: lifecycle.FoundStale, Severity: lifecycle.SeverityLow,
		Account:     lifecycle.AccountCard{ID: lifecycle.AccountID("P" + id), Email: id + "@acme.test", BaseRole: role},
		Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount, Role: string(role)}, From: string(role), Proxy: "signed in",
	}
}

func excessOf(id string, team lifecycle.TeamID, role lifecycle.TeamRole) lifecycle.Finding {
	f := staleOf(id, lifecycle.RoleResponder)
	f.Kind, f.Severity, f.Proxy = lifecycle.FoundExcess, lifecycle.SeverityMedium, ""
	f.Entitlement, f.From = lifecycle.OnTeam(lifecycle.Team{ID: team, Name: string(team)}, role), string(role)
	return f
}

func butWith(f lifecycle.Finding, change func(*lifecycle.Finding)) lifecycle.Finding {
	change(&f)
	return f
}

func TestOnlyWhatIsTheSameInRiskIsBundled(t *testing.T) {
	t.Parallel()
	one, two := staleOf("a", lifecycle.RoleResponder), staleOf("b", lifecycle.RoleResponder)
	for name, tt := range map[string]struct {
		found  []lifecycle.Finding
		want   []string // of each bundle: who is in it
		others int
	}{
		"the same role, unused by the same proxy":      {[]lifecycle.Finding{two, one}, []string{"a b"}, 0},
		"another role is another risk, the higher one": {[]lifecycle.Finding{staleOf("c", lifecycle.RoleRestricted), one}, []string{"a", "c"}, 0},
		"another proxy is another claim":               {[]lifecycle.Finding{one, butWith(two, func(f *lifecycle.Finding) { f.Proxy = "its place" })}, []string{"a", "b"}, 0},
		"another severity":                             {[]lifecycle.Finding{one, butWith(two, func(f *lifecycle.Finding) { f.Severity = lifecycle.SeverityMedium })}, []string{"b", "a"}, 0},
		"made with a stolen key":                       {[]lifecycle.Finding{one, butWith(two, func(f *lifecycle.Finding) { f.Foreign = true })}, []string{"a", "b"}, 0},
		"what breaks a segregation is alone":           {[]lifecycle.Finding{butWith(one, func(f *lifecycle.Finding) { f.Apart = "x" }), butWith(two, func(f *lifecycle.Finding) { f.Apart = "x" })}, []string{"a", "b"}, 0},
		"privileged ones are alone, and come first":    {[]lifecycle.Finding{one, staleOf("p", lifecycle.RoleAdmin), staleOf("q", lifecycle.RoleAdmin)}, []string{"p", "q", "a"}, 0},
		"a team's role, whatever else the team has": {
			[]lifecycle.Finding{excessOf("a", "PAY", lifecycle.TeamResponder), excessOf("b", "PAY", lifecycle.TeamManager), excessOf("c", "PAY", lifecycle.TeamResponder), excessOf("d", "OPS", lifecycle.TeamResponder)},
			[]string{"b", "a c", "d"},
			0,
		},
		"what cannot be decided in place is told apart": {[]lifecycle.Finding{butWith(one, func(f *lifecycle.Finding) { f.Kind = lifecycle.FoundMissing }), butWith(two, func(f *lifecycle.Finding) { f.Kind = lifecycle.FoundDisputed })}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bundles, others := lifecycle.Bundles(tt.found, nil)
			var got []string
			for _, b := range bundles {
				who := ""
				for _, f := range b.Findings {
					who += " " + string(f.ID[len("fnd_"):])
				}
				got = append(got, who[1:])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || len(others) != tt.others {
				t.Errorf("bundles (-want +got):\n%s%d others, want %d", diff, len(others), tt.others)
			}
		})
	}
}

func TestReducingLeavesSomebodyAbleToLookOn(t *testing.T) {
	t.Parallel()
	on := func(role lifecycle.TeamRole) []lifecycle.Membership {
		return []lifecycle.Membership{{Team: lifecycle.Team{ID: "PAY"}, Role: role}}
	}
	for name, tt := range map[string]struct {
		account lifecycle.Account
		want    []string
	}{
		"a Manager and responder on a team":        {lifecycle.Account{BaseRole: lifecycle.RoleManager, Teams: on(lifecycle.TeamResponder)}, []string{"user → observer", "responder → observer"}},
		"somebody Restricted who manages a team":   {lifecycle.Account{BaseRole: lifecycle.RoleRestricted, Teams: on(lifecycle.TeamManager)}, []string{"manager → observer"}},
		"an Observer who observes: nothing":        {lifecycle.Account{BaseRole: lifecycle.RoleObserver, Teams: on(lifecycle.TeamObserver)}, nil},
		"a stakeholder: nothing":                   {lifecycle.Account{BaseRole: lifecycle.RoleStakeholder}, nil},
		"the Account Owner: only PagerDuty's page": {lifecycle.Account{BaseRole: lifecycle.RoleOwner}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := lifecycle.PlanReduce(tt.account)
			var got []string
			for _, c := range plan.Changes {
				got = append(got, fmt.Sprintf("%s → %s", c.From, c.To))
				if !c.Removes() {
					t.Errorf("%s gives something", c.Entitlement)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || (plan.Held == "") != (len(tt.want) > 0) {
				t.Errorf("changes (-want +got):\n%sheld %q", diff, plan.Held)
			}
		})
	}
}
