package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Runs reports whether what the request gave stands at t, and ends by itself.
func (r Request) Runs(t time.Time) bool {
	return r.State == Done && r.EndedBy == "" && t.Before(r.Until)
}

// ends returns the jobs that follow once an end-dated request is done: its holder
// is told before it ends, and then it does.
func (r Request) ends(now time.Time) []Job {
	if r.Until.IsZero() {
		return nil
	}
	return []Job{{Kind: JobEnding, Ref: string(r.ID), At: r.tellAt(now)}, {Kind: JobEnd, Ref: string(r.ID), At: r.Until}}
}

// tellAt is when its holder is told that it ends: a day before, or a tenth of the
// time where that is later.
func (r Request) tellAt(now time.Time) time.Time {
	left := r.Until.Sub(now)
	return r.Until.Add(-min(24*time.Hour, left/10))
}

// End puts back what was held before an end-dated request, once its time is over
// or its holder has given it back. What has become of the role since counts: one
// that somebody has changed is left as it is, and what policy grants by now stays.
// It may be repeated.
func (p *Planner) End(ctx context.Context, id RequestID) error {
	was, err := p.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	switch {
	case was.State != Done || was.EndedBy != "":
		return nil
	case was.GivenBack.IsZero() && p.now().Before(was.Until):
		return RetryAfter(fmt.Errorf("request %s lasts until %s", id, was.Until), was.Until.Sub(p.now()))
	}
	c, err := p.gather(ctx, was.Subject.ID, was.Account.ID)
	if err != nil {
		return err
	}
	d := draft{ref: string(id), stage: "end", kind: RequestSelf, event: was.over(), ends: id, quiet: true}
	if err := p.restore(ctx, &c, was, &d); err != nil {
		return err
	}
	if err := p.open(ctx, c, d); err != nil {
		return err
	}
	is := was
	is.Revision, is.UpdatedAt, is.EndedBy = was.Revision+1, p.now(), RequestIDFor(string(id), "end")
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventRequestEnded, Ref: string(id), Detail: map[string]string{"by": string(is.EndedBy)}}
	return wrap("note that request "+string(id)+" has ended", p.store.SaveRequest(ctx, is, e, show(id)))
}

// over says why the request ends.
func (r Request) over() string {
	if !r.GivenBack.IsZero() {
		return fmt.Sprintf("%s has given it back, before its end on %s.", r.Subject.Label(), r.Until.UTC().Format(endWords))
	}
	return fmt.Sprintf("Was granted until %s.", r.Until.UTC().Format(endWords))
}

const endWords = "2 Jan 15:04 UTC"

// restore plans d as what puts back what was held before. Where on-call rests on
// it by now, somebody is asked who takes over.
func (p *Planner) restore(ctx context.Context, c *planning, was Request, d *draft) error {
	before, err := p.read.Requests(ctx, RequestFilter{Subject: was.Subject.ID})
	if err != nil {
		return fmt.Errorf("list requests about %s: %w", was.Subject.ID, err)
	}
	changes, _ := was.TakesBack()
	want := c.policy.Want(c.identity.Person)
	for _, back := range changes {
		back.To = want.atLeast(back.Entitlement, previous(back, was, before))
		if c.link.Account == nil || back.Current(c.link.Account) != back.From || back.To == back.From {
			continue // somebody has changed it since, or it is theirs by now
		}
		again := newChange(OpReplace, back.Entitlement, back.From, back.To)
		if back.To == "" {
			again = newChange(OpRevoke, back.Entitlement, back.From, "")
		}
		if again.Removes() {
			d.plan.Changes = append(d.plan.Changes, again)
		}
	}
	if err := p.survey(ctx, c, d.plan.Changes); err != nil {
		return err
	}
	d.plan.Changes = c.handingOver(d.plan.Changes)
	if !slices.ContainsFunc(d.plan.Changes, Change.Unchosen) {
		d.force = &Approval{Mode: ApprovalAuto}
	}
	return nil
}

// previous returns the role that was held before what the request gave: where that
// itself had been given for a time that is over, the one before it.
func previous(back Change, was Request, all []Request) string {
	to := back.To
	for range all {
		k := slices.IndexFunc(all, func(r Request) bool {
			return r.ID != was.ID && r.Ends == "" && r.EndedBy != "" && slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Entitlement.same(back.Entitlement) && c.To == to && to != "" })
		})
		if k < 0 {
			break
		}
		for _, c := range all[k].Changes {
			if c.Entitlement.same(back.Entitlement) && c.To == to {
				to = c.From
			}
		}
		all = slices.Delete(slices.Clone(all), k, k+1)
	}
	return to
}

// atLeast returns the role, or what policy grants of the entitlement by now where
// that is more.
func (w Want) atLeast(e Entitlement, role string) string {
	if e.Kind == KindTeamRole {
		return string(higherTeamRole(TeamRole(role), w.Role(e.Team.ID)))
	}
	return string(higherBaseRole(BaseRole(role), w.BaseRole))
}

// Cancel withdraws what somebody has asked for themselves and is not done yet.
func (a *Approvals) Cancel(ctx context.Context, id RequestID, by Identity, via Via) (Request, error) {
	return a.own(ctx, id, by, func(was Request) (step, error) {
		if was.State != Pending && was.State != Holding {
			return step{}, Refuse(ErrConflict, "There is nothing to cancel: this request is %s%s.", was.State, was.by())
		}
		is, err := was.Withdraw(fmt.Sprintf("%s does not need it any more.", by.Person.Label()), a.now())
		return step{request: is, kind: EventRequestWithdrawn, detail: map[string]string{"via": string(via)}, next: []Job{show(id)}}, err
	})
}

// GiveBack ends now what somebody was given for a time.
func (a *Approvals) GiveBack(ctx context.Context, id RequestID, by Identity, via Via) (Request, error) {
	return a.own(ctx, id, by, func(was Request) (step, error) {
		if !was.Runs(a.now()) || !was.GivenBack.IsZero() {
			return step{}, Refuse(ErrConflict, "There is nothing to give back: it is over already, or about to be.")
		}
		is := was
		is.Revision, is.UpdatedAt, is.GivenBack = was.Revision+1, a.now(), a.now()
		return step{request: is, kind: EventRequestReturned, detail: map[string]string{"via": string(via)}, next: []Job{{Kind: JobEnd, Ref: string(id)}, show(id)}}, nil
	})
}

const nudgeEvery = 4 * time.Hour

// Nudge reminds those who have not decided what somebody asked for, at most once
// in four hours.
func (a *Approvals) Nudge(ctx context.Context, id RequestID, by Identity, via Via) (Request, error) {
	return a.own(ctx, id, by, func(was Request) (step, error) {
		now := a.now()
		switch {
		case was.State != Pending || was.late(now):
			return step{}, Refuse(ErrConflict, "Nobody is waited for any more: this request is %s%s.", was.State, was.by())
		case now.Before(was.Nudged.Add(nudgeEvery)):
			return step{}, Refuse(ErrConflict, "They were reminded at %s. Once in four hours is enough.", was.Nudged.UTC().Format(endWords))
		}
		is := was
		is.Revision, is.UpdatedAt, is.Nudged = was.Revision+1, now, now
		return step{request: is, kind: EventRequestNudged, detail: map[string]string{"via": string(via)}, next: []Job{{Kind: JobRemind, Ref: string(id)}, show(id)}}, nil
	})
}

// own changes a request that somebody has made for themselves, for nobody but them.
func (a *Approvals) own(ctx context.Context, id RequestID, by Identity, f func(Request) (step, error)) (Request, error) {
	for range decideTries {
		was, err := a.store.Request(ctx, id)
		if err != nil {
			return Request{}, fmt.Errorf("load request %s: %w", id, err)
		}
		if was.Kind != RequestSelf || was.Ends != "" || by.ID == "" || was.Subject.ID != by.ID {
			return was, a.refused(ctx, was, by, Refuse(ErrForbidden, "Only who has asked for it can do that."))
		}
		s, err := f(was)
		if err != nil {
			return was, err
		}
		if err := a.save(ctx, s, by); !errors.Is(err, ErrConflict) {
			return s.request, err
		}
	}
	return Request{}, Refuse(ErrConflict, "others are deciding on this at the same moment; look again and retry")
}
