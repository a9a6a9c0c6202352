package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Ask opens the request that asks an owner about the finding, or withdraws it
// when the finding is gone. It asks once in each of the finding's rounds, and
// not while an exception covers it or something else may mend it.
func (p *Planner) Ask(ctx context.Context, id FindingID) error {
	f, err := p.read.Finding(ctx, id)
	if err != nil {
		return fmt.Errorf("load finding %s: %w", id, err)
	}
	if !f.ClearedAt.IsZero() {
		return p.withdraw(ctx, f.Request, "PagerDuty agrees with policy again.")
	}
	was, err := p.excepted(ctx, f)
	if err != nil || was.stands(p.now()) {
		return err
	}
	for _, waits := range []func(context.Context, Finding) (bool, error){p.asked, p.busy} {
		if wait, err := waits(ctx, f); err != nil || wait {
			return err
		}
	}
	c, err := p.gather(ctx, f.Identity, f.Account.ID)
	if err != nil {
		return err
	}
	if err := p.lookAround(ctx, &c); err != nil {
		return err
	}
	d := draft{
		ref: string(f.ID), kind: RequestDrift, stage: was.round(f), event: was.words(f.Story()), finding: f.ID, asks: true, quiet: p.now().Sub(f.Since) > tellFor,
		plan: PlanFinding(c.policy, f, c.identity, c.link.Account, c.holdings), held: (Change{Entitlement: f.Entitlement}).Current(c.link.Account),
	}
	if f.leftBehind() { // as carefully as the deletion that its notice led to
		d.kind, d.notBefore = RequestLeaver, f.Since.Add(c.policy.Leaver.DeleteAfter)
	}
	switch {
	case c.link.State == Disputed:
		if err := p.askAccount(ctx, c, &d); err != nil {
			return err
		}
	case (f.Kind == FoundLeaverPresent || f.regained()) && c.identity.StatusAt(p.now()) != StatusEnded:
		d.plan, d.quiet = Plan{Held: "Is back since."}, true // the next roll call finds nothing any more
	}
	if err := p.nominate(ctx, &c, touchedBy(d.plan.Changes, c.holdings.Duties)); err != nil {
		return err
	}
	d.plan.Changes = c.handingOver(d.plan.Changes)
	return p.open(ctx, c, d)
}

// tellFor is how long security is told of a finding that nothing can be asked
// about; after that the daily digest has it.
const tellFor = 24 * time.Hour

// asked reports whether the finding is being asked about already. What was
// approved while nothing could be written is asked again once something can.
func (p *Planner) asked(ctx context.Context, f Finding) (bool, error) {
	if f.Request == "" {
		return false, nil
	}
	r, err := p.store.Request(ctx, f.Request)
	if err != nil {
		return false, fmt.Errorf("load request %s: %w", f.Request, err)
	}
	if p.leftOver(r) {
		return false, p.withdraw(ctx, r.ID, "Was approved in observe mode, when nothing was changed. It is asked again.")
	}
	return r.State.Open(), nil
}

// leftOver reports whether the request was approved in observe mode and nothing
// will come of it, although writes are allowed by now.
func (p *Planner) leftOver(r Request) bool {
	return r.Observe && r.State == Approved && p.mode == Enforce
}

// busy reports whether a joiner, mover or leaver is already being decided for
// the same person: its outcome may mend the finding, and the next roll call
// tells. What failed, waits for days as a deletion does, or is only wished for,
// mends nothing now.
func (p *Planner) busy(ctx context.Context, f Finding) (bool, error) {
	filter := RequestFilter{Account: f.Account.ID, Open: true}
	if f.Account.ID == "" {
		filter = RequestFilter{Subject: f.Identity, Open: true}
	}
	open, err := p.read.Requests(ctx, filter)
	if err != nil {
		return false, fmt.Errorf("list requests about finding %s: %w", f.ID, err)
	}
	return slices.ContainsFunc(open, func(r Request) bool {
		wished := r.isWish() && r.State == Pending
		return !r.IsFinding() && !wished && r.State != Failed && !r.NotBefore.After(p.now()) && !p.leftOver(r)
	}), nil
}

func (p *Planner) withdraw(ctx context.Context, id RequestID, why string) error {
	if id == "" {
		return nil
	}
	r, err := p.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	is, err := r.Withdraw(why, p.now())
	switch {
	case errors.Is(err, ErrConflict): // it is settled, or being applied: too late, and no harm
		return nil
	case err != nil:
		return err
	}
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventRequestWithdrawn, Ref: string(id), Detail: map[string]string{"why": why}}
	if err := p.store.SaveRequest(ctx, is, e, show(id)); err != nil {
		return fmt.Errorf("withdraw request %s: %w", id, err)
	}
	return nil
}

// round names the time that the finding is asked about: the first, or that
// which a roll call has called for since.
func (f Finding) round() string {
	if f.Again.IsZero() {
		return f.Since.UTC().Format(time.RFC3339Nano)
	}
	return "again " + f.Again.UTC().Format(time.RFC3339Nano)
}
