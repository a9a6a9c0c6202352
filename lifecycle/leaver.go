package lifecycle

import (
	"context"
	"errors"
	"fmt"
)

// planLeaver contains first; what is left after that is deleted by a second decision.
func (p *Planner) planLeaver(ctx context.Context, c planning, n Notice, d draft) error {
	if c.link.Account == nil {
		d.plan.Held = "Has no PagerDuty account: there is nothing to take away."
		return p.open(ctx, c, d)
	}
	first, stage, err := p.containment(ctx, n)
	if err != nil {
		return err
	}
	d.plan, d.stage = PlanContain(*c.link.Account, c.duties), stage
	if len(d.plan.Changes) > 0 {
		d.force = &Approval{Mode: ApprovalAuto}
		if c.policy.Leaver.AskToContain {
			d.force = nil
		}
		return p.openLatest(ctx, c, d)
	}
	d.plan, d.stage = PlanDelete(*c.link.Account, c.duties), "delete"
	a := withFrom(c.policy.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	d.force, d.notBefore = &a, n.At.Add(c.policy.Leaver.DeleteAfter)
	d.holds = first.Holds // its owners are still those of the teams that were left
	return p.openLatest(ctx, c, d)
}

// containment returns the leaver's first containment, zero when there was none,
// and the stage of the next: what was given again after it was done, or moved
// before it began, is taken away again.
func (p *Planner) containment(ctx context.Context, n Notice) (first Request, stage string, err error) {
	stage = "contain"
	for k := 2; ; k++ {
		r, err := p.store.Request(ctx, RequestIDFor(string(n.ID), stage))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return first, stage, fmt.Errorf("load containment of notice %s: %w", n.ID, err)
		}
		if k == 2 {
			first = r
		}
		if r.State != Done && r.State != Blocked {
			return first, stage, nil
		}
		stage = fmt.Sprintf("contain %d", k)
	}
}
