package pagerdutytest_test

import (
	"fmt"
	"testing"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// The fake must cost little beside the client that is measured against it: a sweep over users with their teams.
func BenchmarkListUsers(b *testing.B) {
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, RateLimit: pagerdutytest.NoRateLimit})
	ids := populate(a, 5000)
	for i := range 400 {
		team := a.AddTeam(pagerdutytest.Team{Name: fmt.Sprintf("Team %d", i)})
		for j := range 20 {
			a.AddMember(team.ID, ids[(i*20+j)%len(ids)], pagerdutytest.TeamResponder)
		}
	}
	for b.Loop() {
		r := &recorder{next: a.Handler()}
		for offset := 0; offset < len(ids); offset += 100 {
			if status := r.call("GET", fmt.Sprintf("/users?limit=100&offset=%d", offset), ""); status != 200 {
				b.Fatalf("page at %d answers %d", offset, status)
			}
		}
	}
}
