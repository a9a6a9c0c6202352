package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

const endingSoon = 7 * 24 * time.Hour

// DueNow reports whether the schedule has struck since what is sent under the
// key was sent last. Something new is first sent at the next stroke.
func (g *Digests) DueNow(ctx context.Context, key string) (bool, error) {
	last, err := g.store.LastDigest(ctx, key)
	if err != nil {
		return false, fmt.Errorf("look up the last digest: %w", err)
	}
	if last.IsZero() {
		return false, g.Sent(ctx, key, "first one at the next stroke")
	}
	return !g.schedule.Next(last).After(g.now()), nil
}

// ComposeTeam returns what the channel of the team should know today: what its
// owners answer for.
func (g *Digests) ComposeTeam(ctx context.Context, t TeamPolicy) (TeamDigest, error) {
	d := TeamDigest{Team: t, At: g.now()}
	found, accounts, err := g.standing(ctx)
	if err != nil {
		return d, err
	}
	found = slices.DeleteFunc(found, func(f Finding) bool { return !slices.Contains(teamsOf(f, accounts), t.ID) })
	d.Findings = found
	open, err := g.desk.store.Requests(ctx, RequestFilter{States: []RequestState{Pending}})
	if err != nil {
		return d, fmt.Errorf("list what waits: %w", err)
	}
	open = slices.DeleteFunc(open, func(r Request) bool { return !ofTeam(r, t.ID) })
	d.Waiting, d.Bundles, d.Others = arrange(open, found, accounts, Identity{})
	_, exceptions, err := g.desk.store.Findings(ctx, g.now())
	if err != nil {
		return d, fmt.Errorf("load exceptions: %w", err)
	}
	d.Ending = slices.DeleteFunc(exceptions, func(x Exception) bool {
		return x.Until.After(d.At.Add(endingSoon)) || !slices.ContainsFunc(found, func(f Finding) bool { return f.ID == x.Finding })
	})
	return d, nil
}

// standing returns the findings that stand, as a person wants to read them, and
// the accounts of the last roll call.
func (g *Digests) standing(ctx context.Context) ([]Finding, map[AccountID]Account, error) {
	found, err := g.desk.standing(ctx)
	if err != nil {
		return nil, nil, err
	}
	accounts, err := g.desk.store.Baseline(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load the last roll call: %w", err)
	}
	SortFindings(found)
	return found, byAccount(accounts), nil
}

func ofTeam(r Request, t TeamID) bool {
	return slices.ContainsFunc(r.HomeTeams(), func(home Team) bool { return home.ID == t })
}

// Brief returns what Security's channel should know today, but for the trend.
func (g *Digests) Brief(ctx context.Context) (Brief, error) {
	b := Brief{At: g.now()}
	policy, err := g.policies.Current(ctx)
	if err != nil {
		return b, fmt.Errorf("read the policy in force: %w", err)
	}
	found, accounts, err := g.standing(ctx)
	if err != nil {
		return b, err
	}
	if b.LastCall, err = g.desk.store.LastRollCall(ctx); err != nil {
		return b, fmt.Errorf("look up the last roll call: %w", err)
	}
	open, err := g.desk.store.Requests(ctx, RequestFilter{States: []RequestState{Pending}})
	if err != nil {
		return b, fmt.Errorf("list what waits: %w", err)
	}
	b.Teams = countTeams(policy, found, accounts, open)
	b.Leavers = slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return f.Kind != FoundLeaverPresent || f.Exception != "" })
	_, exceptions, err := g.desk.store.Findings(ctx, g.now())
	if err != nil {
		return b, fmt.Errorf("load exceptions: %w", err)
	}
	b.Ending = slices.DeleteFunc(exceptions, func(x Exception) bool { return x.Until.After(b.At.Add(endingSoon)) })
	return b, nil
}

// countTeams counts what there is about each team. A finding or a request about
// two teams counts for both.
func countTeams(p Policy, found []Finding, accounts map[AccountID]Account, open []Request) []TeamCount {
	counts := map[TeamID]*TeamCount{}
	of := func(t TeamID) *TeamCount {
		team, ok := p.TeamByID(t)
		if !ok {
			t = ""
		}
		if counts[t] == nil {
			counts[t] = &TeamCount{Team: team}
		}
		return counts[t]
	}
	for _, f := range found {
		if f.Exception == "" {
			for _, t := range orNone(teamsOf(f, accounts)) {
				of(t).add(f)
			}
		}
	}
	for _, r := range open {
		var teams []TeamID
		for _, t := range r.HomeTeams() {
			teams = append(teams, t.ID)
		}
		for _, t := range orNone(teams) {
			of(t).Waiting++
		}
	}
	var all []TeamCount
	for _, c := range counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b TeamCount) int {
		return cmp.Or(b.Findings-a.Findings, b.Waiting-a.Waiting, cmp.Compare(a.Team.Name, b.Team.Name))
	})
	return all
}

// orNone returns the teams, or the one that is none.
func orNone(teams []TeamID) []TeamID {
	if len(teams) == 0 {
		return []TeamID{""}
	}
	return teams
}

func (c *TeamCount) add(f Finding) {
	c.Findings++
	if f.Privileged() {
		c.Privileged++
	}
	switch f.Kind {
	case FoundStale:
		c.Stale++
	case FoundDrift:
		c.Drift++
	case FoundOrphan, FoundLeaverPresent, FoundExcess, FoundMissing, FoundInvitePending, FoundUnmatched, FoundDisputed:
	}
}
