package lifecycle

import (
	"context"
	"fmt"
	"slices"
)

// planning is what the planner knows when it plans.
type planning struct {
	policy   Policy
	identity Identity
	link     Link

	// What hangs on the account, and who could take it over; only where something
	// may be taken away, because PagerDuty is asked for it piece by piece.
	surveyed   bool
	holdings   Holdings
	candidates []Candidate
}

func (p *Planner) gather(ctx context.Context, who IdentityID, account AccountID) (planning, error) {
	c, err := p.load(ctx, who)
	if err != nil {
		return c, err
	}
	return p.tie(ctx, c, account)
}

// load returns what is known without asking PagerDuty about anybody.
func (p *Planner) load(ctx context.Context, who IdentityID) (c planning, err error) {
	if c.policy, err = p.policies.Current(ctx); err != nil {
		return c, fmt.Errorf("read the policy in force: %w", err)
	}
	c.policy = c.policy.At(p.now())
	if who != "" {
		if c.identity, err = p.read.Identity(ctx, who); err != nil {
			return c, fmt.Errorf("load identity %s: %w", who, err)
		}
	}
	return c, nil
}

// tie finds the account: that which is given, or the identity's own.
func (p *Planner) tie(ctx context.Context, c planning, account AccountID) (planning, error) {
	if account == "" {
		account = c.identity.Account
	}
	var err error
	if c.link, err = p.correlate(ctx, c.policy, &c.identity, account); err != nil {
		return c, err
	}
	return c, nil
}

// survey looks at what hangs on the account, where the changes take something
// away from it, and at who could take over what they touch.
func (p *Planner) survey(ctx context.Context, c *planning, changes []Change) error {
	account := c.link.Account
	if account == nil || c.surveyed || !slices.ContainsFunc(changes, Change.Removes) {
		return nil
	}
	if err := p.lookAround(ctx, c); err != nil {
		return err
	}
	return p.nominate(ctx, c, touchedBy(changes, c.holdings.Duties))
}

func (p *Planner) lookAround(ctx context.Context, c *planning) (err error) {
	if c.link.Account == nil || c.surveyed {
		return nil
	}
	if c.holdings, err = p.accounts.Holdings(ctx, c.link.Account.ID); err != nil {
		return fmt.Errorf("read what hangs on account %s: %w", c.link.Account.ID, err)
	}
	c.surveyed = true
	return nil
}

// nominate looks for who could take over the duties: the people of their teams,
// or of the account's own, now and as held before, where a duty belongs to none.
func (p *Planner) nominate(ctx context.Context, c *planning, duties []Duty, held ...Grant) error {
	if len(duties) == 0 {
		return nil
	}
	teams := teamsOfDuties(duties)
	for _, g := range append(c.link.Account.Grants(), held...) {
		if slices.Contains(teams, "") && g.Entitlement.Kind == KindTeamRole {
			teams = append(teams, g.Entitlement.Team.ID)
		}
	}
	slices.Sort(teams)
	teams = slices.DeleteFunc(slices.Compact(teams), func(t TeamID) bool { return t == "" })
	found, err := p.accounts.Candidates(ctx, teams)
	if err != nil {
		return fmt.Errorf("look for who could take over from account %s: %w", c.link.Account.ID, err)
	}
	leaving, err := p.leaving(ctx)
	c.candidates = slices.DeleteFunc(found, func(x Candidate) bool {
		return leaving[x.ID] || c.policy.IsProtected(x.Email)
	})
	return err
}

// leaving returns the accounts of whoever is being taken out themselves.
func (p *Planner) leaving(ctx context.Context) (map[AccountID]bool, error) {
	open, err := p.read.Requests(ctx, RequestFilter{Open: true})
	if err != nil {
		return nil, fmt.Errorf("list open requests: %w", err)
	}
	leaving := map[AccountID]bool{}
	for _, r := range open {
		leaving[r.Account.ID] = leaving[r.Account.ID] || r.Kind == RequestLeaver
	}
	return leaving, nil
}

// handingOver adds to the changes the handovers that they need.
func (c planning) handingOver(changes []Change) []Change {
	if c.link.Account == nil {
		return changes
	}
	return withHandover(changes, c.link.Account.ID, c.holdings.Duties, c.candidates)
}
