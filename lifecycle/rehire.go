package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// planJoiner plans a joiner. Whoever is back before their account was deleted,
// to the same work, is given back exactly what the leaving took: the notice was
// a mistake, or came to nothing. To other work they come as anybody does.
func (p *Planner) planJoiner(ctx context.Context, c planning, n Notice) (Plan, error) {
	plan := PlanJoin(c.policy, n.After, c.link.Account)
	if plan.Held != "" || c.link.Account == nil {
		return plan, nil
	}
	took, err := p.lastLeaving(ctx, n.Identity, c.link.Account.ID)
	if err != nil || len(took) == 0 {
		return plan, err
	}
	left, err := p.read.Notice(ctx, took[0].Why.Notice)
	if err != nil {
		return plan, fmt.Errorf("load notice %s: %w", took[0].Why.Notice, err)
	}
	work := c.policy.At(time.Time{}) // the same work is the same, though it had ended
	if !slices.Equal(work.Want(left.Before).Rules, work.Want(n.After).Rules) {
		plan.Effects = append(plan.Effects, "What they held before they left is not given back: policy grants something else now.")
		return plan, nil
	}
	return p.restored(ctx, c, restoring(plan, took, *c.link.Account), took)
}

// restored returns the plan without giving back what had been given for a time
// when they left, and is over by now.
func (p *Planner) restored(ctx context.Context, c planning, plan Plan, took []Request) (Plan, error) {
	about, err := p.read.Requests(ctx, RequestFilter{Account: c.link.Account.ID})
	if err != nil {
		return plan, fmt.Errorf("list requests about account %s: %w", c.link.Account.ID, err)
	}
	given := grantsOf(about).on(c.link.Account.ID)
	changes := plan.Changes[:0:0]
	for _, g := range plan.Changes {
		is := given.trimmed(g, plan.want, took[len(took)-1].OpenedAt, p.now())
		if roleRank(is.Entitlement.Kind, is.To) > roleRank(is.Entitlement.Kind, is.From) || !g.Gives() {
			changes = append(changes, is)
		}
	}
	plan.Changes = changes
	return plan, nil
}

// planMover plans a mover. Whoever was contained because their account was
// disabled, and is active again, is given back exactly what that took.
func (p *Planner) planMover(ctx context.Context, c planning, n Notice) (Plan, error) {
	plan := PlanMove(c.policy, n.Before, n.After, c.link.Account)
	if plan.Held != "" || c.link.Account == nil || n.Before.Status == StatusActive {
		return plan, nil
	}
	took, err := p.lastLeaving(ctx, n.Identity, c.link.Account.ID)
	if err != nil || len(took) == 0 || !took[0].Disabled {
		return plan, err
	}
	return p.restored(ctx, c, restoring(plan, took, *c.link.Account), took)
}

// lastLeaving returns what the last leaving of the identity did to the account,
// the newest first, less what has been undone.
func (p *Planner) lastLeaving(ctx context.Context, who IdentityID, account AccountID) ([]Request, error) {
	all, err := p.read.Requests(ctx, RequestFilter{Subject: who})
	if err != nil {
		return nil, fmt.Errorf("list requests about %s: %w", who, err)
	}
	var took []Request
	for _, r := range slices.Backward(all) {
		undone := slices.ContainsFunc(all, func(u Request) bool { return u.Undoes == r.ID && u.State == Done })
		switch changes, _ := r.TakesBack(); {
		case (r.Kind == RequestJoiner || r.Kind == RequestMover) && r.Undoes == "" && r.State == Done:
			return took, nil // what came before that is settled
		case r.Kind != RequestLeaver || r.Undoes != "" || undone || len(changes) == 0 || r.Account.ID != account || r.Why.Notice == "":
		case len(took) > 0 && took[0].Why.Notice != r.Why.Notice:
			return took, nil
		default:
			took = append(took, r)
		}
	}
	return took, nil
}

// restoring adds to the plan of a joiner what the requests took, where it was not
// changed since; what the plan grants by itself is left to it.
func restoring(plan Plan, took []Request, account Account) Plan {
	var back []Change
	for _, r := range took {
		changes, lost := r.TakesBack()
		back = append(back, changes...)
		plan.Effects = append(plan.Effects, lost...)
	}
	var gains []Change
	for _, g := range plan.Changes {
		if !slices.ContainsFunc(back, func(b Change) bool { return b.about(g) && !lower(b, g) }) {
			gains = append(gains, g)
		}
	}
	back = slices.DeleteFunc(collapse(back), func(b Change) bool {
		return b.Done(&account) || !b.Untouched(&account) || slices.ContainsFunc(gains, b.about)
	})
	if len(back) > 0 {
		plan.Effects = append([]string{"Gives back what was taken when they left."}, plan.Effects...)
	}
	plan.Changes = append(back, gains...)
	return plan
}

// about reports whether both change the same thing that an account shows.
func (c Change) about(o Change) bool {
	return c.OnAccount() && o.OnAccount() && c.Entitlement.Kind == o.Entitlement.Kind && c.Entitlement.Team.ID == o.Entitlement.Team.ID
}

func lower(a, b Change) bool {
	if a.Entitlement.Kind == KindTeamRole {
		return TeamRole(a.To).Rank() < TeamRole(b.To).Rank()
	}
	return BaseRole(a.To).Rank() < BaseRole(b.To).Rank()
}

// collapse makes one change of several that follow each other on the same thing.
func collapse(changes []Change) []Change {
	var out []Change
	for _, c := range changes {
		k := slices.IndexFunc(out, c.about)
		if k < 0 || out[k].To != c.From {
			out = append(out, c)
			continue
		}
		switch from := out[k].From; {
		case from == "":
			out[k] = newChange(OpGrant, c.Entitlement, "", c.To)
		case c.To == "":
			out[k] = newChange(OpRevoke, c.Entitlement, from, "")
		default:
			out[k] = newChange(OpReplace, c.Entitlement, from, c.To)
		}
	}
	return out
}
