package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

const (
	teamsAtATime = 200 // in one call: their ids are in its address, which stays under 5 kB
	longestQuery = 4   // characters that users are told apart by
	letters      = "abcdefghijklmnopqrstuvwxyz0123456789"
	patience     = 10    // how many times the calls that the users' pages would be may be spent on looking for them
	leastCalls   = 1_000 // that may be spent however few the users
)

// inParts returns every user of an account that has more than PagerDuty lists. Those on a team are found by their teams,
// 200 teams at a time; those on none among the first 10000, and then by letters of their names and addresses. How
// PagerDuty matches a query is not documented, and it need not be known: what was found is whole when it is as many
// different users as PagerDuty counts, before and after. If the count has moved, it is read again; if fewer were found
// whatever was asked, that is an error.
func (r *roll) inParts(ctx context.Context, total int) ([]lifecycle.Account, error) {
	for try := 1; ; try++ {
		p := &partition{roll: r, total: total, seen: map[lifecycle.AccountID]bool{}, budget: leastCalls + patience*total/pageSize}
		err := p.find(ctx)
		if err == nil {
			return p.found, nil
		}
		if !errors.Is(err, errMoved) || try == sweeps {
			return nil, err
		}
		if total, err = r.headcount(ctx); err != nil {
			return nil, err
		}
		if total <= reach {
			return nil, fmt.Errorf("there are only %d users now: %w", total, errMoved)
		}
	}
}

// headcount returns how many users PagerDuty counts.
func (r *roll) headcount(ctx context.Context) (int, error) {
	p, err := r.listAccounts(r.api, filter{}, &r.names).fetch(ctx, 0, 1, true)
	if err != nil {
		return 0, fmt.Errorf("count users: %w", err)
	}
	return p.total, nil
}

// A partition is one try to find every user in parts.
type partition struct {
	*roll
	total  int
	found  []lifecycle.Account
	seen   map[lifecycle.AccountID]bool
	last   string // name of the last of the first 10000
	budget int    // calls that are left
}

func (p *partition) find(ctx context.Context) error {
	for _, look := range []func(context.Context) error{p.byTeam, p.first, p.byLetter} {
		if err := look(ctx); err != nil {
			return err
		}
		if p.enough() {
			break
		}
	}
	now, err := p.headcount(ctx)
	switch {
	case err != nil:
		return err
	case now != p.total:
		return fmt.Errorf("there were %d users and are %d: %w", p.total, now, errMoved)
	case !p.enough():
		return lifecycle.Refuse(lifecycle.ErrInvalid, "PagerDuty counts %d users but lists only %d at a time, and %d of them are on no team and could not be told apart by name. Put them on a team: nothing is concluded from a part of them.", p.total, reach, p.total-len(p.found))
	default:
		return nil
	}
}

func (p *partition) enough() bool { return len(p.found) >= p.total }

func (p *partition) byTeam(ctx context.Context) error {
	ids := make([]lifecycle.TeamID, len(p.teams))
	for i, t := range p.teams {
		ids[i] = lifecycle.TeamID(t.ID)
	}
	for some := range slices.Chunk(ids, teamsAtATime) {
		if _, err := p.take(ctx, filter{teams: some}); err != nil {
			return err
		}
	}
	return nil
}

// first takes as many users as PagerDuty lists without being asked for any.
func (p *partition) first(ctx context.Context) error {
	l := p.list(filter{})
	l.cut = true
	rows, err := l.all(ctx)
	p.keep(rows)
	if len(rows) > 0 {
		p.last = rows[len(rows)-1].Name
	}
	return err
}

// byLetter begins where the first 10000 ended: they came by name, it seems, and if they did not, that costs some calls.
func (p *partition) byLetter(ctx context.Context) error {
	from := 0
	if p.last != "" {
		from = max(0, strings.IndexByte(letters, strings.ToLower(p.last)[0]))
	}
	parts := filter{}.parts()
	_, err := p.takeEach(ctx, slices.Concat(parts[from:], parts[:from]), p.total)
	return err
}

// take finds whom the filter lets through, in as many parts as that takes, and returns who they are.
func (p *partition) take(ctx context.Context, f filter) (map[lifecycle.AccountID]bool, error) {
	rows, err := p.list(f).all(ctx)
	if tooLong, is := errors.AsType[*tooLongError](err); is {
		return p.takeEach(ctx, f.parts(), tooLong.total)
	}
	if err != nil {
		return nil, err
	}
	return p.keep(rows), nil
}

// takeEach goes on until so many different users were found as there should be.
func (p *partition) takeEach(ctx context.Context, parts []filter, total int) (map[lifecycle.AccountID]bool, error) {
	ids := map[lifecycle.AccountID]bool{}
	for _, part := range parts {
		if len(ids) >= total || p.enough() || p.budget < 0 {
			break
		}
		some, err := p.take(ctx, part)
		if err != nil {
			return nil, err
		}
		for id := range some {
			ids[id] = true
		}
	}
	return ids, nil
}

// parts returns narrower filters that let through, together, whom f lets through, or most of them.
func (f filter) parts() []filter {
	if n := len(f.teams); n > 1 {
		return []filter{{teams: f.teams[:n/2], query: f.query}, {teams: f.teams[n/2:], query: f.query}}
	}
	if len(f.query) == longestQuery {
		return nil
	}
	var parts []filter
	for _, c := range letters {
		parts = append(parts, filter{teams: f.teams, query: f.query + string(c)})
	}
	return parts
}

func (p *partition) list(f filter) listing[lifecycle.Account] {
	l := expected(p.roll, p.listAccounts(p.api, f, &p.names))
	fetch := l.fetch
	l.fetch = func(ctx context.Context, offset, limit uint, total bool) (page[lifecycle.Account], error) {
		p.mu.Lock()
		p.budget--
		p.mu.Unlock()
		return fetch(ctx, offset, limit, total)
	}
	return l
}

func (p *partition) keep(rows []lifecycle.Account) map[lifecycle.AccountID]bool {
	ids := make(map[lifecycle.AccountID]bool, len(rows))
	for _, a := range rows {
		ids[a.ID] = true
		if !p.seen[a.ID] {
			p.seen[a.ID] = true
			p.found = append(p.found, a)
		}
	}
	return ids
}
