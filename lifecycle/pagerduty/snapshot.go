package pagerduty

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	pd "github.com/PagerDuty/go-pagerduty"
	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// Snapshot returns every account and team, and who answers when, or an error: never a part. The calls are the pages of
// users, teams, policies and schedules, one for each shift-based schedule, and the members of each team that some user
// says to be on. Users beyond the first 10000 are read in parts (see partition.go).
//
// That no other team need be read rests on the team references that come with each user (PagerDuty's OpenAPI document,
// operation listUsers); if nobody says to be on any team, it is not relied on. Users and members are then held against
// each other, and whoever does not agree with themselves is read again, alone. So somebody who was deleted, came, or moved
// during the sweep is as they were at its end.
//
// Where the key may not read policies or schedules, roles are read all the same: Coverage is empty, and Blind says why.
func (c *Client) Snapshot(ctx context.Context) (lifecycle.Snapshot, error) {
	for try := 1; ; try++ {
		s, err := newRoll(c).call(ctx)
		if err == nil || !errors.Is(err, errMoved) || try == sweeps {
			return s, explain(err)
		}
	}
}

// A roll is one sweep.
type roll struct {
	*Client
	api   api
	names teamNames
	users []lifecycle.Account // without their roles on teams, at first
	teams []pd.Team

	mu          sync.Mutex
	took        map[lifecycle.TeamID]map[string]lifecycle.TeamRole // what the teams' lists say
	gone        map[lifecycle.TeamID]bool                          // teams deleted meanwhile
	done, total int
}

func newRoll(c *Client) *roll {
	r := &roll{Client: c, took: map[lifecycle.TeamID]map[string]lifecycle.TeamRole{}, gone: map[lifecycle.TeamID]bool{}}
	r.api = c.sweep.telling(func() { r.progress(1, 0) })
	return r
}

func (r *roll) call(ctx context.Context) (lifecycle.Snapshot, error) {
	s := lifecycle.Snapshot{TakenAt: r.now(), Blind: []string{unseen}}
	var on onCall
	g, within := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		on, err = r.readOnCall(within, onCallReader{r.Client, r.api, r.expect})
		return err
	})
	g.Go(func() (err error) {
		s.Accounts, s.Teams, err = r.everybody(within)
		return err
	})
	if err := g.Wait(); err != nil {
		return s, err
	}
	return s, r.cover(ctx, &s, on)
}

// everybody returns every account with its roles, and every team.
func (r *roll) everybody(ctx context.Context) ([]lifecycle.Account, []lifecycle.Team, error) {
	if err := r.list(ctx); err != nil {
		return nil, nil, err
	}
	known := r.everyTeam()
	if err := r.members(ctx, r.populated(known)); err != nil {
		return nil, nil, err
	}
	accounts, err := r.accounts(ctx, known)
	if err != nil {
		return nil, nil, err
	}
	teams := make([]lifecycle.Team, 0, len(known))
	for id, t := range known {
		if !r.gone[id] {
			teams = append(teams, t)
		}
	}
	slices.SortFunc(teams, func(a, b lifecycle.Team) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return accounts, teams, nil
}

// list reads users and teams at the same time.
func (r *roll) list(ctx context.Context) error {
	var tooLong *tooLongError
	g, within := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		r.users, err = expected(r, r.listAccounts(r.api, filter{}, &r.names)).all(within)
		if errors.As(err, &tooLong) && tooLong.total > 0 {
			return nil
		}
		return err
	})
	g.Go(func() (err error) {
		r.teams, err = expected(r, r.listTeams(r.api)).all(within)
		return err
	})
	if err := g.Wait(); err != nil || tooLong == nil {
		return err
	}
	var err error
	r.users, err = r.inParts(ctx, tooLong.total)
	return err
}

// expected tells the pages of a listing that will follow.
func expected[T any](r *roll, l listing[T]) listing[T] {
	l.ahead = r.expect
	return l
}

func (r *roll) expect(calls int) { r.progress(0, calls) }

// progress counts calls that were made and calls that will be: those of which nobody knew are counted when they were made.
func (r *roll) progress(done, more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += done
	r.total = max(r.total+more, r.done)
	r.cfg.Progress(r.done, r.total)
}

// everyTeam returns the teams that were listed, and those made since that a user is on already.
func (r *roll) everyTeam() map[lifecycle.TeamID]lifecycle.Team {
	known := make(map[lifecycle.TeamID]lifecycle.Team, len(r.teams))
	for _, t := range r.teams {
		known[lifecycle.TeamID(t.ID)] = teamOf(t)
	}
	for _, u := range r.users {
		for _, m := range u.Teams {
			if _, is := known[m.Team.ID]; !is {
				known[m.Team.ID] = m.Team
			}
		}
	}
	return known
}

func (r *roll) populated(known map[lifecycle.TeamID]lifecycle.Team) []lifecycle.TeamID {
	on := map[lifecycle.TeamID]bool{}
	for _, u := range r.users {
		for _, m := range u.Teams {
			on[m.Team.ID] = true
		}
	}
	if len(on) == 0 {
		for id := range known {
			on[id] = true
		}
	}
	ids := make([]lifecycle.TeamID, 0, len(on))
	for id := range on {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (r *roll) members(ctx context.Context, teams []lifecycle.TeamID) error {
	r.expect(len(teams))
	base := make(map[lifecycle.AccountID]lifecycle.BaseRole, len(r.users))
	for _, u := range r.users {
		base[u.ID] = u.BaseRole
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.cfg.Concurrency)
	for _, team := range teams {
		g.Go(func() error { return r.membersOf(ctx, team, base) })
	}
	return g.Wait()
}

// membersOf reads one team. Its pages need no overlap: they are held against what the users say.
func (r *roll) membersOf(ctx context.Context, team lifecycle.TeamID, base map[lifecycle.AccountID]lifecycle.BaseRole) error {
	l := listing[pd.Member]{
		what: "members of team " + string(team), id: func(m pd.Member) string { return m.User.ID },
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[pd.Member], error) {
			return r.memberPage(ctx, r.api, team, offset, limit)
		},
	}
	members, err := l.all(ctx)
	if errors.Is(err, errTeamGone) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.gone[team] = true
		return nil
	}
	if err != nil {
		return err
	}
	roles := make(map[string]lifecycle.TeamRole, len(members))
	for _, m := range members {
		if roles[m.User.ID], err = memberRole(m, base[lifecycle.AccountID(m.User.ID)]); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took[team] = roles
	return nil
}

// accounts puts users and members together, and reads again whoever does not add up.
func (r *roll) accounts(ctx context.Context, known map[lifecycle.TeamID]lifecycle.Team) ([]lifecycle.Account, error) {
	place := make(map[string]int, len(r.users))
	odd := map[string][]lifecycle.Membership{} // who does not add up, with the memberships that only the teams tell of
	for i := range r.users {
		u := &r.users[i]
		if !r.assemble(u, known) {
			odd[string(u.ID)] = nil
		}
		place[string(u.ID)] = i
	}
	r.strays(r.users, place, known, odd)
	return r.reread(ctx, r.users, place, odd)
}

// assemble gives the account the role that each of its teams says, and reports whether each does.
func (r *roll) assemble(a *lifecycle.Account, known map[lifecycle.TeamID]lifecycle.Team) bool {
	whole := true
	for i := range a.Teams {
		m := &a.Teams[i]
		m.Role = r.took[m.Team.ID][string(a.ID)]
		m.Team = known[m.Team.ID]
		whole = whole && m.Role != ""
	}
	sortTeams(a.Teams)
	return whole
}
