package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// askAgain is the stage of what is left of a request that was blocked.
const askAgain = "again"

func (r Request) askedAgain() RequestID { return RequestIDFor(string(r.ID), askAgain) }

// Replan asks again for what is left of a request that was blocked because
// something moved after it was approved. It asks for nothing that the blocked
// request did not ask for, and for nothing that its cause does not call for any more.
func (p *Planner) Replan(ctx context.Context, id RequestID) error {
	r, err := p.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	if r.State != Blocked {
		return nil
	}
	c, err := p.gather(ctx, r.Subject.ID, r.Account.ID)
	if err != nil {
		return err
	}
	d := draft{
		ref: string(r.ID), kind: r.Kind, stage: askAgain, event: "Asked again: " + r.Note, notice: r.Why.Notice, finding: r.Why.Find,
		asks: r.IsFinding(), replaces: r.ID, notBefore: r.NotBefore, until: r.Until, asked: r.Asked, incident: r.Incident,
	}
	if err := p.moot(ctx, r, c, &d); err != nil {
		return err
	}
	if d.plan.Held != "" {
		return p.open(ctx, c, d)
	}
	d.plan.Rules = strings.Split(r.Why.Rule, ", ")
	if err := p.lookAround(ctx, &c); err != nil {
		return err
	}
	if err := p.nominate(ctx, &c, touchedBy(r.Changes, c.holdings.Duties)); err != nil {
		return err
	}
	d.plan.Changes = c.stillHandedOver(remaining(r.Changes, c.link.Account), r)
	d.force, d.undoes = askedBy(c.policy, r), r.Undoes
	return p.open(ctx, c, d)
}

// moot holds d when nothing of the blocked request is to be asked again.
func (p *Planner) moot(ctx context.Context, r Request, c planning, d *draft) error {
	switch {
	case c.identity.Merged != "":
		d.plan.Held = "Was found to be somebody else who is known."
	case c.link.State == Disputed:
		d.plan.Held = c.link.Reason
	case c.link.Account == nil && r.Account.ID != "":
		d.plan.Held = "The account is gone."
	case r.pastEnd(p.now()):
		d.plan.Held = timeIsOver
	case r.Ends != "":
		d.plan.Held = notAsGiven
	case r.Why.Notice != "":
		n, err := p.read.Notice(ctx, r.Why.Notice)
		if err != nil {
			return fmt.Errorf("load notice %s: %w", r.Why.Notice, err)
		}
		undone, err := p.undone(ctx, n)
		if err != nil {
			return err
		}
		d.plan.Held = overtaken(n, c.identity, p.now())
		if undone && r.Undoes == "" {
			d.plan.Held = undoneAlready
		}
	case r.Why.Find != "":
		f, err := p.read.Finding(ctx, r.Why.Find)
		if err != nil {
			return fmt.Errorf("load finding %s: %w", r.Why.Find, err)
		}
		d.held = (Change{Entitlement: f.Entitlement}).Current(c.link.Account)
		if !f.ClearedAt.IsZero() || f.Exception != "" {
			d.plan.Held = "It is settled already."
		}
	}
	return nil
}

// askedBy returns the approval that the blocked request called for, as a
// question: what was automatic is asked when something has moved.
func askedBy(p Policy, r Request) *Approval {
	a := withFrom(p.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	a.N = max(r.Needed, 1)
	if len(r.From) > 0 {
		a.From = r.From
	}
	if r.Silence != "" {
		a.OnExpiry = r.Silence
	}
	return &a
}

func remaining(changes []Change, a *Account) []Change {
	var left []Change
	for _, c := range changes {
		if again, ok := c.again(a); ok {
			left = append(left, again)
		}
	}
	return left
}

// again returns the change as it is to be asked for now, and false when nothing
// of it is left: it is so already, or has been overshot. What was to add must
// not take away now, nor the other way round.
func (c Change) again(a *Account) (Change, bool) {
	switch {
	case c.Done(a), c.Op == OpHandover && c.Restores == "": // what is to be handed over is looked at anew
		return c, false
	case !c.OnAccount():
		c.State, c.Error = ChangePlanned, ""
		return c, true
	}
	op, e, from := c.Op, c.Entitlement, c.Current(a)
	switch {
	case op == OpCreate && a != nil: // somebody else has created it since
		op, e = OpReplace, Entitlement{Kind: KindBaseRole}
	case op == OpGrant && from != "":
		op = OpReplace
	case op == OpReplace && from == "":
		op = OpGrant
	}
	is := newChange(op, e, from, c.To)
	return is, is.Removes() == c.Removes()
}

// stillHandedOver adds to the changes the handovers of what they touch now, with
// those who were chosen for it before and still can take it.
func (c planning) stillHandedOver(changes []Change, was Request) []Change {
	if c.link.Account == nil {
		return changes
	}
	kept := slices.DeleteFunc(slices.Clone(was.Changes), func(h Change) bool { return h.Op != OpHandover || h.Restores != "" })
	handed := handOver(c.link.Account.ID, touchedBy(append(kept, changes...), c.holdings.Duties), c.candidates)
	for i, h := range handed {
		k := slices.IndexFunc(kept, func(k Change) bool { return k.duty() == h.duty() })
		if k >= 0 && c.canTake(h, kept[k].To) {
			handed[i].To, handed[i].Successor = kept[k].To, kept[k].Successor
		}
	}
	first := slices.IndexFunc(changes, Change.Removes)
	if first < 0 {
		first = len(changes)
	}
	return slices.Insert(slices.Clone(changes), first, handed...)
}

// canTake reports whether what h hands over can still go to whom was chosen.
func (c planning) canTake(h Change, to string) bool {
	if to == NoSuccessor {
		return slices.ContainsFunc(c.holdings.Duties, func(d Duty) bool { return d.Key() == h.duty() && d.Optional() })
	}
	return slices.ContainsFunc(c.candidates, func(x Candidate) bool { return string(x.ID) == to })
}
