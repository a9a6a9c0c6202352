package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Cancel withdraws what by has asked for themselves, while nothing of it has been
// changed, and returns it as it stands after that. Whatever cannot be withdrawn,
// or is not theirs, is a Refusal.
func (a *Approvals) Cancel(ctx context.Context, id RequestID, by Identity, via Via) (Request, error) {
	return a.own(ctx, id, by, func(was Request) (step, error) {
		if was.State != Pending && was.State != Holding {
			return step{}, Refuse(ErrConflict, "There is nothing to cancel: this request is %s%s.", was.State, was.by())
		}
		is, err := was.Withdraw("Cancelled by "+by.Person.Label()+", who had asked for it.", a.now())
		return step{request: is, kind: EventRequestWithdrawn, next: []Job{show(id)}, detail: map[string]string{"why": "cancelled by who asked", "via": string(via)}}, err
	})
}

// GiveBack ends now what by has asked for and been given for a time, and returns
// that request as it stands; what they hold follows at once. What is not theirs, or does not run, is a Refusal.
func (a *Approvals) GiveBack(ctx context.Context, id RequestID, by Identity, via Via) (Request, error) {
	return a.own(ctx, id, by, func(was Request) (step, error) {
		switch {
		case !was.GivenBack.IsZero() || was.EndedBy != "":
			return step{}, Refuse(ErrConflict, "There is nothing to give back: it is over already, or about to be.")
		case !was.Runs(a.now()):
			return step{}, Refuse(ErrConflict, "There is nothing to give back: this request is %s%s.", was.State, was.by())
		}
		is := was.to(Done, "", a.now())
		is.GivenBack = is.UpdatedAt
		return step{request: is, kind: EventRequestReturned, next: []Job{{Kind: JobEnd, Ref: string(id)}, show(id)}, detail: map[string]string{"via": string(via)}}, nil
	})
}

const nudgeEvery = 4 * time.Hour

// Nudge reminds those who have not decided what by has asked for, at most once in
// four hours, and returns it as it stands after that. Sooner, or once nobody is
// waited for, is a Refusal.
func (a *Approvals) Nudge(ctx context.Context, id RequestID, by Identity, via Via) (Request, error) {
	return a.own(ctx, id, by, func(was Request) (step, error) {
		now := a.now()
		switch {
		case was.State != Pending || was.late(now):
			return step{}, Refuse(ErrConflict, "Nobody is waited for any more: this request is %s%s.", was.State, was.by())
		case now.Before(was.Nudged.Add(nudgeEvery)):
			return step{}, Refuse(ErrConflict, "They were reminded on %s. Once in four hours is enough.", endMoment(was.Nudged))
		}
		is := was
		is.Revision, is.UpdatedAt, is.Nudged = was.Revision+1, now, now
		return step{request: is, kind: EventRequestNudged, next: []Job{{Kind: JobRemind, Ref: string(id)}, show(id)}, detail: map[string]string{"via": string(via)}}, nil
	})
}

// own makes of the request what f says, for the person who has asked for it;
// again when somebody else was faster.
func (a *Approvals) own(ctx context.Context, id RequestID, by Identity, f func(Request) (step, error)) (Request, error) {
	for range decideTries {
		was, err := a.store.Request(ctx, id)
		if err != nil {
			return Request{}, fmt.Errorf("load request %s: %w", id, err)
		}
		if err := a.theirs(ctx, was, by); err != nil {
			return was, a.refused(ctx, was, by, err)
		}
		s, err := f(was)
		if err != nil {
			return was, err
		}
		if err := a.save(ctx, s, by); !errors.Is(err, ErrConflict) {
			return s.request, err
		}
	}
	return Request{}, Refuse(ErrConflict, "others are acting on this at the same moment; look again and retry")
}

// theirs returns nil when by, as they are known now, is who has asked for the
// request. What the caller believes of them counts for nothing but their id.
func (a *Approvals) theirs(ctx context.Context, r Request, by Identity) error {
	if !r.isWish() {
		return Refuse(ErrConflict, "Nobody has asked for this request themselves, so it is not theirs to take back.")
	}
	known, err := a.store.IdentitiesByEmail(ctx, by.Person.Email())
	if err != nil {
		return fmt.Errorf("look up who acts: %w", err)
	}
	if len(known) == 1 && known[0].ID == by.ID && by.ID != "" && r.isAbout(known[0], nil) {
		return nil
	}
	return Refuse(ErrForbidden, "Only %s can do that, who has asked for it.", r.Subject.Label())
}
