package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// planLeaver takes the leaver's next stage: what can be taken at once is
// contained; what on-call expects of them is handed over, team by team; what is
// left after that is deleted, each by a decision of its own.
func (p *Planner) planLeaver(ctx context.Context, c planning, n Notice, d draft) error {
	if c.link.Account == nil {
		d.plan.Held = "Has no PagerDuty account: there is nothing to take away."
		return p.open(ctx, c, d)
	}
	switch undone, err := p.undone(ctx, n); {
	case err != nil:
		return err
	case undone:
		return p.store.Record(ctx, p.planned(c, d, undoneAlready))
	}
	if err := p.lookAround(ctx, &c); ReasonOf(err) != "" && !errors.Is(err, ErrNotFound) {
		c.holdings = unread(ReasonOf(err))
	} else if err != nil {
		return err
	}
	first, last, stage, err := p.nextStage(ctx, n, "contain", Done, Blocked)
	if err != nil {
		return err
	}
	d.plan, d.stage = PlanContain(*c.link.Account, c.holdings), stage
	d.contain = n.Contain
	if len(d.plan.Changes) > 0 && !stuck(last, d.plan) {
		d.force = &Approval{Mode: ApprovalAuto}
		if c.policy.Leaver.AskToContain {
			d.force = nil
		}
		return p.openLatest(ctx, c, d)
	}
	if n.Contain {
		return p.store.Record(ctx, p.planned(c, d, "Is contained. Nothing else follows while nobody says that they have left."))
	}
	if why := c.holdings.Unread; why != "" {
		d.plan = Plan{Held: "What on-call expects of them could not be read, so nothing is handed over or deleted. " + why}
		return p.openLatest(ctx, c, d)
	}
	a := withFrom(c.policy.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	d.force, d.holds = &a, formerly(first.Holds, *c.link.Account) // its owners are still those of the teams that were left
	if len(c.holdings.Duties) > 0 {
		return p.planHandovers(ctx, c, n, d)
	}
	d.plan, d.stage, d.notBefore = PlanDelete(*c.link.Account), "delete", n.At.Add(c.policy.Leaver.DeleteAfter)
	return p.openLatest(ctx, c, d)
}

// unread is what hangs on an account where a right is wanting to read it: that is no reason to leave a leaver what can be
// taken without.
func unread(why string) Holdings { return Holdings{Unread: why, Sessions: -1, OtherAdmins: -1} }

// formerly returns what the account holds now, and its place on the teams that
// it was taken off meanwhile.
func formerly(first []Grant, account Account) []Grant {
	holds := account.Grants()
	for _, g := range first {
		if g.Entitlement.Kind == KindTeamRole && account.On(g.Entitlement.Team.ID) == "" {
			holds = append(holds, g)
		}
	}
	return holds
}

// stuck reports whether all that is left to contain are sessions that PagerDuty
// would not let be ended: the leaver's other stages do not wait for them.
func stuck(last Request, plan Plan) bool {
	return last.State == Failed && !slices.ContainsFunc(plan.Changes, func(c Change) bool { return c.Entitlement.Kind != KindSession })
}

// planHandovers asks the owners of each team for who takes over there.
func (p *Planner) planHandovers(ctx context.Context, c planning, n Notice, d draft) error {
	if err := p.nominate(ctx, &c, c.holdings.Duties, d.holds...); err != nil {
		return err
	}
	for _, team := range teamsOfDuties(c.holdings.Duties) {
		_, _, stage, err := p.nextStage(ctx, n, "handover "+string(team), Done)
		if err != nil {
			return err
		}
		one := d
		one.stage, one.plan = stage, PlanHandover(*c.link.Account, team, c.holdings, c.candidates)
		if err := p.openLatest(ctx, c, one); err != nil {
			return err
		}
	}
	return nil
}

const undoneAlready = "Was undone by a person: nothing more is taken because of this notice."

// nextStage returns the first and the last request that the notice led to at the
// stage, zero where there is none, and the name of the next one: after what is in
// one of the states that are over, the same is asked for anew. So what was given
// again after it was contained is taken away again.
func (p *Planner) nextStage(ctx context.Context, n Notice, base string, over ...RequestState) (first, last Request, stage string, err error) {
	stage = base
	for k := 2; ; k++ {
		r, err := p.store.Request(ctx, RequestIDFor(string(n.ID), stage))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return first, last, stage, fmt.Errorf("load request of notice %s: %w", n.ID, err)
		}
		if k == 2 {
			first = r
		}
		if !slices.Contains(over, r.State) {
			return first, r, stage, nil
		}
		stage = fmt.Sprintf("%s %d", base, k)
	}
}
