package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// ordinary is what the breaker of most companies is.
var ordinary = lifecycle.Breaker{Removals: 5, Percent: 2, Window: 24 * time.Hour, Gather: 5 * time.Minute, Movers: 10, MoversPercent: 10}

// gone is a removal of the n-th person, who left so long ago.
func gone(n int, source string, ago time.Duration, state lifecycle.RemovalState) lifecycle.Removal {
	return lifecycle.Removal{
		Notice: lifecycle.NoticeID(fmt.Sprintf("ntc_%05d", n)), Identity: lifecycle.IdentityID(fmt.Sprintf("idn_%d", n)), Kind: lifecycle.Leaver,
		Label: fmt.Sprintf("Person %d", n), Department: "Payments", Source: source, At: monday.Add(-ago), State: state,
	}
}

// many returns n removals, from the first on, that came one after the other until so long ago.
func many(first, n int, source string, until, each time.Duration, state lifecycle.RemovalState) []lifecycle.Removal {
	var all []lifecycle.Removal
	for k := range n {
		all = append(all, gone(first+k, source, until+time.Duration(n-1-k)*each, state))
	}
	return all
}

// with returns the removals, each changed.
func with(all []lifecycle.Removal, change func(*lifecycle.Removal)) []lifecycle.Removal {
	all = slices.Clone(all)
	for i := range all {
		change(&all[i])
	}
	return all
}

func urgent(r *lifecycle.Removal) { r.Urgent = true }

func moved(r *lifecycle.Removal) { r.Kind, r.Moved = lifecycle.Mover, "Platform" }

// verdict says in a line what became of the removals.
func verdict(is lifecycle.Braking) string {
	s := fmt.Sprintf("%d pass", len(is.Pass))
	for _, stop := range is.Stop {
		s += fmt.Sprintf("; %d %ss of %q wait (%d people, %d passed, limit %d)", len(stop.Removals), stop.Kind, stop.Source, stop.People, stop.Passed, stop.Limit)
	}
	for _, k := range []lifecycle.NoticeKind{lifecycle.Leaver, lifecycle.Mover} {
		if at, waits := is.Wait[k]; waits {
			s += fmt.Sprintf("; %ss gather for %s", k, at.Sub(monday))
		}
	}
	return s
}

func TestWhatTheBreakerLetsPass(t *testing.T) {
	t.Parallel()
	const (
		queued = lifecycle.RemovalQueued
		passed = lifecycle.RemovalPassed
		held   = lifecycle.RemovalHeld
	)
	hold := func(kind lifecycle.HoldKind, source string) []lifecycle.Hold {
		return []lifecycle.Hold{{ID: "hld_1", Kind: kind, Source: source, State: lifecycle.HoldStands}}
	}
	for name, tt := range map[string]struct {
		removals   []lifecycle.Removal
		open       []lifecycle.Hold
		population int
		want       string
	}{
		"one passes at once":                                          {many(1, 1, "hr", 0, 0, queued), nil, 100, "1 pass"},
		"three pass at once":                                          {many(1, 3, "hr", 0, time.Second, queued), nil, 100, "3 pass"},
		"the fourth within five minutes is waited with":               {append(many(1, 3, "hr", 2*time.Minute, time.Second, passed), many(4, 1, "hr", 0, 0, queued)...), nil, 100, "0 pass; leavers gather for 5m0s"},
		"a fourth an hour later passes":                               {append(many(1, 3, "hr", time.Hour, time.Second, passed), many(4, 1, "hr", 0, 0, queued)...), nil, 100, "1 pass"},
		"what gathers is waited for until it is quiet":                {many(1, 10, "hr", time.Minute, time.Second, queued), nil, 100, "0 pass; leavers gather for 4m0s"},
		"but not for ever":                                            {many(1, 15, "hr", 0, time.Minute, queued), nil, 100, "0 pass; leavers gather for 1m0s"},
		"five in a small company are ordinary":                        {many(1, 5, "hr", 5*time.Minute, time.Second, queued), nil, 30, "5 pass"},
		"the sixth is not":                                            {many(1, 6, "hr", 5*time.Minute, time.Second, queued), nil, 30, `0 pass; 6 leavers of "hr" wait (6 people, 0 passed, limit 5)`},
		"two of a hundred are ordinary in a large one":                {many(1, 200, "hr", 5*time.Minute, time.Second, queued), nil, 10000, "200 pass"},
		"three of a hundred are not":                                  {many(1, 201, "hr", 5*time.Minute, time.Second, queued), nil, 10000, `0 pass; 201 leavers of "hr" wait (201 people, 0 passed, limit 200)`},
		"what passed in the window counts":                            {append(many(1, 5, "hr", 23*time.Hour, time.Second, passed), many(6, 1, "hr", 0, 0, queued)...), nil, 30, `0 pass; 1 leavers of "hr" wait (6 people, 5 passed, limit 5)`},
		"what passed before it does not":                              {append(many(1, 5, "hr", 25*time.Hour, time.Second, passed), many(6, 1, "hr", 0, 0, queued)...), nil, 30, "1 pass"},
		"what was queued before it does":                              {many(1, 6, "hr", 30*time.Hour, time.Second, queued), nil, 30, `0 pass; 6 leavers of "hr" wait (6 people, 0 passed, limit 5)`},
		"somebody who left twice is one person":                       {append(many(1, 5, "hr", 20*time.Hour, time.Second, passed), many(1, 1, "hr", 0, 0, queued)...), nil, 30, "1 pass"},
		"what is held counts for nothing elsewhere":                   {append(many(1, 140, "hr", time.Hour, time.Second, held), many(200, 2, "okta", 0, 0, queued)...), hold(lifecycle.HoldLeavers, "hr"), 30, "2 pass"},
		"what was refused counts for nothing":                         {append(many(1, 140, "hr", time.Hour, time.Second, lifecycle.RemovalRefused), many(200, 2, "hr", 0, 0, queued)...), nil, 30, "2 pass"},
		"what was overtaken counts for nothing":                       {append(many(1, 140, "hr", 0, 0, lifecycle.RemovalOvertaken), many(200, 2, "hr", 0, 0, queued)...), nil, 30, "2 pass"},
		"a later one joins the hold of its source":                    {many(1, 1, "hr", 0, 0, queued), hold(lifecycle.HoldLeavers, "hr"), 30, `0 pass; 1 leavers of "hr" wait (0 people, 0 passed, limit 0)`},
		"and that of all sources":                                     {many(1, 1, "hr", 0, 0, queued), hold(lifecycle.HoldLeavers, ""), 30, `0 pass; 1 leavers of "" wait (0 people, 0 passed, limit 0)`},
		"but not that of movers":                                      {many(1, 1, "hr", 0, 0, queued), hold(lifecycle.HoldMovers, "hr"), 30, "1 pass"},
		"urgent passes a hold that stands":                            {with(many(1, 1, "hr", 0, 0, queued), urgent), hold(lifecycle.HoldLeavers, "hr"), 30, "1 pass"},
		"urgent passes where others gather":                           {append(many(1, 9, "hr", 0, 0, queued), with(many(10, 1, "hr", 0, 0, queued), urgent)...), nil, 30, "1 pass; leavers gather for 5m0s"},
		"urgent passes up to the limit, and the rest is held at once": {with(many(1, 40, "hr", 0, 0, queued), urgent), nil, 30, `5 pass; 35 leavers of "hr" wait (40 people, 5 passed, limit 5)`},
		"and joins the hold that stands":                              {append(with(many(1, 5, "hr", time.Hour, 0, passed), urgent), with(many(6, 2, "hr", 0, 0, queued), urgent)...), hold(lifecycle.HoldLeavers, "hr"), 30, `0 pass; 2 leavers of "hr" wait (0 people, 0 passed, limit 0)`},
		"urgent of many sources are too many together":                {append(with(many(1, 4, "hr", 0, 0, queued), urgent), with(many(5, 4, "okta", 0, 0, queued), urgent)...), nil, 30, `5 pass; 3 leavers of "" wait (8 people, 5 passed, limit 5)`},
		"what a person has let go leaves urgent its own":              {append(with(many(1, 140, "hr", time.Hour, 0, passed), func(r *lifecycle.Removal) { r.Hold = "hld_1" }), with(many(200, 1, "hr", 0, 0, queued), urgent)...), nil, 30, "1 pass"},
		"urgent counts":                                               {append(with(many(1, 5, "hr", time.Hour, 0, passed), urgent), many(6, 1, "hr", 0, 0, queued)...), nil, 30, `0 pass; 1 leavers of "hr" wait (6 people, 5 passed, limit 5)`},
		"a person's word passes beyond the limit":                     {with(many(1, 9, "hr", time.Hour, 0, queued), func(r *lifecycle.Removal) { r.Source = lifecycle.SourcePeople }), nil, 30, "9 pass"},
		"many sources together are too many":                          {append(many(1, 4, "hr", time.Hour, 0, queued), many(5, 4, "okta", time.Hour, 0, queued)...), nil, 30, `0 pass; 8 leavers of "" wait (8 people, 0 passed, limit 5)`},
		"one that is wrong does not hold up the others":               {append(many(1, 40, "hr", time.Hour, 0, queued), many(50, 4, "okta", time.Hour, 0, queued)...), nil, 30, `4 pass; 40 leavers of "hr" wait (40 people, 0 passed, limit 5)`},
		"who has no account counts for nothing":                       {with(many(1, 40, "hr", time.Hour, 0, queued), func(r *lifecycle.Removal) { r.Bare = true }), nil, 30, "40 pass"},
		"ten moves are ordinary":                                      {with(many(1, 10, "hr", time.Hour, 0, queued), moved), nil, 30, "10 pass"},
		"eleven are not":                                              {with(many(1, 11, "hr", time.Hour, 0, queued), moved), nil, 30, `0 pass; 11 movers of "hr" wait (11 people, 0 passed, limit 10)`},
		"a tenth of many may move":                                    {with(many(1, 100, "hr", time.Hour, 0, queued), moved), nil, 1000, "100 pass"},
		"a change of title is no move":                                {with(many(1, 99, "hr", 0, 0, queued), func(r *lifecycle.Removal) { r.Kind, r.Moved = lifecycle.Mover, r.Department }), nil, 30, "99 pass"},
		"who moves is not counted with those who leave":               {append(with(many(1, 9, "hr", time.Hour, 0, passed), moved), many(20, 5, "hr", time.Hour, 0, queued)...), nil, 30, "5 pass"},
		"while many leave, few who move need not wait":                {append(many(1, 9, "hr", 0, 0, queued), with(many(20, 2, "hr", 0, 0, queued), moved)...), nil, 30, "2 pass; leavers gather for 5m0s"},
		"nothing that is settled is judged again":                     {append(many(1, 9, "hr", time.Hour, 0, passed), many(20, 9, "hr", time.Hour, 0, held)...), nil, 30, "0 pass"},
		"nobody counted yet leaves the least of limits":               {many(1, 6, "hr", time.Hour, 0, queued), nil, 0, `0 pass; 6 leavers of "hr" wait (6 people, 0 passed, limit 5)`},
		"nothing at all is nothing":                                   {nil, hold(lifecycle.HoldLeavers, "hr"), 30, "0 pass"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := lifecycle.JudgeRemovals(tt.removals, tt.open, ordinary, tt.population, monday)
			if diff := cmp.Diff(tt.want, verdict(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryRemovalThatIsQueuedHasOneOutcome(t *testing.T) {
	t.Parallel()
	for n := range 60 {
		removals := slices.Concat(
			many(1, n, "hr", 0, 20*time.Second, lifecycle.RemovalQueued), many(100, n/2, "okta", time.Hour, 0, lifecycle.RemovalQueued),
			with(many(200, n, "scim:okta", 0, time.Second, lifecycle.RemovalQueued), moved), many(300, n%7, "hr", 0, 0, lifecycle.RemovalPassed),
		)
		is := lifecycle.JudgeRemovals(removals, nil, ordinary, 100, monday)
		outcome := map[lifecycle.NoticeID]int{}
		for _, r := range is.Pass {
			outcome[r.Notice]++
		}
		for _, s := range is.Stop {
			for _, r := range s.Removals {
				outcome[r.Notice]++
			}
		}
		for _, r := range removals {
			want := 1
			if _, gathers := is.Wait[r.Kind]; gathers || r.State != lifecycle.RemovalQueued {
				want = 0
			}
			if outcome[r.Notice] != want {
				t.Fatalf("%d: %s (%s of %s) has %d outcomes, want %d", n, r.Notice, r.Kind, r.Source, outcome[r.Notice], want)
			}
		}
	}
}

func TestWhereAReorganisationTakesPeople(t *testing.T) {
	t.Parallel()
	all := append(with(many(1, 3, "hr", 0, 0, lifecycle.RemovalHeld), moved), many(10, 5, "hr", 0, 0, lifecycle.RemovalHeld)...)
	all = append(all, with(many(20, 3, "hr", 0, 0, lifecycle.RemovalHeld), func(r *lifecycle.Removal) { r.Kind, r.Moved = lifecycle.Mover, "Growth" })...)
	want := []lifecycle.Relocation{{From: "Payments", People: 5}, {From: "Payments", To: "Growth", People: 3}, {From: "Payments", To: "Platform", People: 3}}
	if diff := cmp.Diff(want, lifecycle.Relocations(all)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Ten times as many take ten times as long, not a hundred.
func BenchmarkJudgeRemovals(b *testing.B) {
	for _, n := range []int{1000, 10000, 100000} {
		removals := many(0, n, "hr", time.Hour, time.Second, lifecycle.RemovalQueued)
		for i := range removals {
			removals[i].Source = fmt.Sprintf("source %d", i%7)
		}
		b.Run(fmt.Sprintf("%d removals", n), func(b *testing.B) {
			for b.Loop() {
				lifecycle.JudgeRemovals(removals, nil, ordinary, 10*n, monday)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/removal")
		})
	}
}
