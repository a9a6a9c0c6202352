package pagerduty_test

import (
	"crypto/rand"
	"fmt"
	"testing"

	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// floor is how few calls an account of the crowd can be read with: pages of users and teams, and each team's members.
func floor(users, teams int) int {
	pages := func(n int) int { return (n + 99) / 100 }
	return pages(users) + pages(teams) + teams*pages(users*11/10/teams) + 3
}

func BenchmarkSnapshot(b *testing.B) {
	for _, size := range []struct{ users, teams int }{{1000, 50}, {10_000, 500}} {
		b.Run(fmt.Sprintf("users=%d/teams=%d", size.users, size.teams), func(b *testing.B) {
			url := ""
			a, _ := start(b, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { url = cfg.APIURL })
			crowd(a, size.users, size.teams)
			before := a.TotalCalls()
			b.ReportAllocs()
			for b.Loop() {
				key := rand.Text() // has a minute of its own, so that what is measured is the work and not the waiting
				a.SetToken(key)
				c := client(b, url, key)
				s, err := c.Snapshot(b.Context())
				if err != nil || len(s.Accounts) != size.users {
					b.Fatalf("snapshot: %d accounts, %v", len(s.Accounts), err)
				}
			}
			calls := float64(a.TotalCalls()-before) / float64(b.N)
			b.ReportMetric(calls, "calls/op")
			b.ReportMetric(calls/float64(floor(size.users, size.teams)), "calls/floor")
		})
	}
}

// The budget of calls is held by a test too, since nobody reads benchmarks.
func TestSnapshotNeedsFewCalls(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	crowd(a, 1000, 50)
	users(t, c)
	if got, most := float64(a.TotalCalls()), 1.02*float64(floor(1000, 50)); got > most {
		t.Errorf("%.0f calls, want at most %.1f", got, most)
	}
}
