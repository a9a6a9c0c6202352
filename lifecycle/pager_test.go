package lifecycle_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"rolecall/lifecycle"
)

// pager is PagerDuty as the domain sees it: it keeps what is written, refuses
// what has moved, and counts what was really changed.
type pager struct {
	mu        sync.Mutex
	faults    *faults
	now       func() time.Time
	accounts  map[lifecycle.AccountID]lifecycle.Account
	duties    map[lifecycle.AccountID][]lifecycle.Duty
	sessions  map[lifecycle.AccountID]int
	calendars map[lifecycle.AccountID]string
	stand     []lifecycle.Candidate       // who could take over
	no        func(lifecycle.Order) error // PagerDuty's refusal, or a fault
	unseen    int                         // so many times more a change is not to be seen yet
	partial   error                       // what a snapshot fails with
	unread    string                      // why holdings are refused
	used      lifecycle.Signal            // when accounts were last used
	writes    []string
	history
}

func (p *pager) put(a lifecycle.Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts[a.ID] = a
}

func (p *pager) drop(id lifecycle.AccountID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.accounts, id)
}

func (p *pager) see(id lifecycle.AccountID) (lifecycle.Account, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.accounts[id]
	return a, ok
}

func (p *pager) made() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.writes)
}

func (p *pager) Account(_ context.Context, id lifecycle.AccountID) (lifecycle.Account, error) {
	return through(p.faults, func() (lifecycle.Account, error) {
		a, ok := p.see(id)
		if !ok {
			return a, fmt.Errorf("account %s: %w", id, lifecycle.ErrNotFound)
		}
		return a, nil
	})
}

func (p *pager) AccountsByEmail(_ context.Context, email string) ([]lifecycle.Account, error) {
	return through(p.faults, func() ([]lifecycle.Account, error) { return p.having(email), nil })
}

func (p *pager) having(email string) []lifecycle.Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []lifecycle.Account
	for _, id := range slices.Sorted(maps.Keys(p.accounts)) {
		if lifecycle.FoldEmail(p.accounts[id].Email) == email {
			found = append(found, p.accounts[id])
		}
	}
	return found
}

func (p *pager) Holdings(_ context.Context, id lifecycle.AccountID) (lifecycle.Holdings, error) {
	return through(p.faults, func() (lifecycle.Holdings, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.unread != "" {
			return lifecycle.Holdings{}, lifecycle.Refuse(lifecycle.ErrForbidden, "%s", p.unread)
		}
		return lifecycle.Holdings{Duties: slices.Clone(p.duties[id]), Sessions: p.sessions[id], Calendar: p.calendars[id], OtherAdmins: -1, Used: p.used}, nil
	})
}

func (p *pager) Candidates(context.Context, []lifecycle.TeamID) ([]lifecycle.Candidate, error) {
	return through(p.faults, func() ([]lifecycle.Candidate, error) { return p.stand, nil })
}

// behind looks at what an account does not show: duties that go from hand to
// hand, and sessions. It returns whether the order is done there, and what does it.
func (p *pager) behind(o lifecycle.Order) (done bool, act func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, e := o.Change, o.Change.Entitlement
	switch {
	case e.Kind == lifecycle.KindSession && e.Role == lifecycle.SessionCalendar:
		return p.calendars[o.Account] != c.From, func() { p.calendars[o.Account] += "'" }
	case e.Kind == lifecycle.KindSession:
		return p.sessions[o.Account] == 0, func() { p.sessions[o.Account] = 0 }
	default:
		from, to := lifecycle.AccountID(c.From), lifecycle.AccountID(c.To)
		same := func(d lifecycle.Duty) bool { return d.Object.ID == e.Object.ID && d.Level == e.Level }
		k := slices.IndexFunc(p.duties[from], same)
		return k < 0, func() {
			p.duties[to] = append(p.duties[to], p.duties[from][k])
			p.duties[from] = slices.DeleteFunc(slices.Clone(p.duties[from]), same)
		}
	}
}

// hand makes a change that an account does not show.
func (p *pager) hand(ctx context.Context, o lifecycle.Order) error {
	done, act := p.behind(o)
	if done {
		return nil
	}
	if o.Change.Op == lifecycle.OpHandover && o.Change.Restores == "" {
		if err := o.Keep(ctx, lifecycle.Original{Kind: o.Change.Entitlement.Kind, Object: o.Change.Entitlement.Object, Body: []byte("{}")}); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	act()
	p.writes = append(p.writes, say([]lifecycle.Change{o.Change})...)
	return nil
}

func (p *pager) Snapshot(context.Context) (lifecycle.Snapshot, error) {
	return through(p.faults, func() (lifecycle.Snapshot, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		s := lifecycle.Snapshot{TakenAt: p.now(), Teams: []lifecycle.Team{payments, platform}, Coverage: p.coverage, Blind: p.blind}
		for _, id := range slices.Sorted(maps.Keys(p.accounts)) {
			if !p.unlisted[id] {
				s.Accounts = append(s.Accounts, p.accounts[id])
			}
		}
		if p.meanwhile != nil {
			p.mu.Unlock()
			p.meanwhile()
			p.mu.Lock()
		}
		return s, p.partial
	})
}

// find returns the account that the order is about, or nil.
func (p *pager) find(o lifecycle.Order) *lifecycle.Account {
	if o.Account != "" {
		if a, ok := p.see(o.Account); ok {
			return &a
		}
		return nil
	}
	if found := p.having(o.Subject.Email); len(found) > 0 {
		return &found[0]
	}
	return nil
}

func (p *pager) Apply(ctx context.Context, o lifecycle.Order) (lifecycle.AccountID, error) {
	return through(p.faults, func() (lifecycle.AccountID, error) {
		now := p.find(o)
		switch {
		case o.Change.Done(now):
			return o.Account, nil
		case !o.Change.Untouched(now):
			return "", lifecycle.Refuse(lifecycle.ErrConflict, "Somebody else has changed that.")
		}
		if p.no != nil {
			if err := p.no(o); err != nil {
				return "", err
			}
		}
		if !o.Change.OnAccount() {
			return o.Account, p.hand(ctx, o)
		}
		return p.write(o, now), nil
	})
}

func (p *pager) write(o lifecycle.Order, now *lifecycle.Account) lifecycle.AccountID {
	c := o.Change
	if now == nil {
		now = &lifecycle.Account{ID: lifecycle.AccountID("PNEW" + o.Subject.Name[:1]), Email: o.Subject.Email, Name: o.Subject.Name}
	}
	switch {
	case c.Op == lifecycle.OpDelete:
		p.drop(now.ID)
	case c.Entitlement.Kind == lifecycle.KindTeamRole:
		now.Teams = slices.DeleteFunc(slices.Clone(now.Teams), func(m lifecycle.Membership) bool { return m.Team.ID == c.Entitlement.Team.ID })
		if c.To != "" {
			now.Teams = append(now.Teams, on(c.Entitlement.Team, lifecycle.TeamRole(c.To)))
		}
		p.put(*now)
	default:
		now.BaseRole = lifecycle.BaseRole(c.To)
		p.put(*now)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes = append(p.writes, say([]lifecycle.Change{c})...)
	return now.ID
}

func (p *pager) ReadBack(_ context.Context, o lifecycle.Order) (*lifecycle.Account, error) {
	return through(p.faults, func() (*lifecycle.Account, error) {
		now := p.find(o)
		done := o.Change.Done(now)
		if !o.Change.OnAccount() {
			done, _ = p.behind(o)
		}
		if p.unseen > 0 || !done {
			p.unseen--
			return nil, fmt.Errorf("change %s is not to be seen yet", o.Change.ID)
		}
		return now, nil
	})
}
