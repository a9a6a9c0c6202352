package pagerdutytest_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// company adds users and teams of ten of them each.
func company(a *pagerdutytest.Account, users, teams int) []string {
	ids := populate(a, users)
	for i := range teams {
		t := a.AddTeam(pagerdutytest.Team{Name: fmt.Sprintf("Team %d", i)})
		for j := range 10 {
			a.AddMember(t.ID, ids[(i*10+j)%users], pagerdutytest.TeamResponder)
		}
	}
	return ids
}

func TestEveryTeamOfACompanyIsCalled(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	company(a, 100, 8)
	a.AddTeam(pagerdutytest.Team{Name: "Nobody"})
	got := []int{a.AddOnCall(pagerdutytest.OnCallMix{Shifts: 0.25}), len(a.Schedules()), len(a.ShiftSchedules()), len(a.EscalationPolicies()), len(a.Gaps())}
	if diff := cmp.Diff([]int{8, 6, 2, 8, 0}, got); diff != "" {
		t.Errorf("teams, schedules of each kind, policies, gaps (-want +got):\n%s", diff)
	}
}

// What a sweep over a large company's duties costs the fake, and a deletion, after which every level is looked at.
func BenchmarkDuties(b *testing.B) {
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, RateLimit: pagerdutytest.NoRateLimit, Offboarding: pagerdutytest.Offboarding{Enabled: true}})
	ids := company(a, 100_000, 5000)
	a.AddOnCall(pagerdutytest.OnCallMix{Shifts: 0.2})
	page := func(b *testing.B, path string) {
		r := &recorder{next: a.Handler()}
		if status := r.call("GET", path, ""); status != 200 {
			b.Fatalf("GET %s answers %d", path, status)
		}
	}
	for name, path := range map[string]string{
		"schedules": "/schedules?limit=100&include[]=schedule_layers&offset=1000", "policies": "/escalation_policies?limit=100&offset=1000",
		"shifts": "/v3/schedules?limit=1000", "oncalls": "/oncalls?limit=100&offset=1000", "shift": "/v3/schedules/" + a.ShiftSchedules()[0].ID,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				page(b, path)
			}
		})
	}
	b.Run("delete", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			r := &recorder{next: a.Handler()}
			if status := r.call("DELETE", "/users/"+ids[i], ""); status != 204 {
				b.Fatalf("DELETE answers %d", status)
			}
		}
	})
}
