package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// moved is the stale-approval guard: it returns what is no longer as the
// approver saw it, in a sentence, or "". Who the subject is is looked at on
// every try; what they hold only before the first change, because each change
// looks at its own part again.
func (v *Provisioner) moved(ctx context.Context, r Request, account *Account) (string, error) {
	if r.written(account) {
		return "", nil // only the reading back is left, whatever has come of the subject
	}
	for _, look := range []func(context.Context, Request) (string, error){v.movedOn, v.undone, v.takerGone} {
		if moved, err := look(ctx, r); err != nil || moved != "" {
			return moved, err
		}
	}
	if r.begun() {
		return "", nil
	}
	deletes := slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Op == OpDelete })
	switch {
	case account == nil && r.Account.ID != "" && !deletes:
		return "The PagerDuty account is gone since this was approved.", nil
	case account != nil && r.Account.Email != "" && FoldEmail(account.Email) != r.Account.Email:
		return fmt.Sprintf("The PagerDuty account was %s when this was approved, and is %s now.", r.Account.Email, FoldEmail(account.Email)), nil
	}
	for _, c := range r.Changes {
		if account == nil && c.Op != OpCreate && c.Op != OpDelete {
			continue // it follows from the creation, which is looked at itself
		}
		if c.OnAccount() && !c.Untouched(account) && !c.Done(account) {
			return fmt.Sprintf("%s was %s when this was approved, and is %s now.", r.Subject.Label(), roleWords(c.Entitlement, c.From), roleWords(c.Entitlement, c.Current(account))), nil
		}
	}
	return v.movedDuties(ctx, r, account)
}

// movedDuties compares what on-call expects of the account with what the
// approver saw, where the changes touch it. Open incidents come and go by the
// minute: they are looked at when they are reassigned. What policy takes from a
// leaver at once nobody has looked at. Once applying has begun, a duty that is
// gone may be our own doing before a crash: each handover looks at its own part.
func (v *Provisioner) movedDuties(ctx context.Context, r Request, account *Account) (string, error) {
	if account == nil || r.Contains() || r.State == Applying || !slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Removes() || c.Op == OpHandover && c.Restores == "" }) {
		return "", nil
	}
	h, err := v.platform.Holdings(ctx, account.ID)
	if err != nil {
		return "", fmt.Errorf("read what hangs on account %s: %w", account.ID, err)
	}
	return dutiesMoved(r, touchedBy(r.Changes, h.Duties), v.now()), nil
}

// dutiesMoved returns what is not as the approver saw it, or "". An override that
// has ended by itself needs nobody any more.
func dutiesMoved(r Request, now []Duty, at time.Time) string {
	was := map[string]Duty{}
	for _, d := range r.Duties {
		if d.Kind != KindIncident {
			was[d.Key()] = d
		}
	}
	for _, d := range now {
		saw, known := was[d.Key()]
		delete(was, d.Key())
		switch {
		case d.Kind == KindIncident:
		case !known:
			return fmt.Sprintf("%s has %s since this was approved. The approval does not cover that.", r.Subject.Label(), d)
		case saw.Pin != d.Pin:
			return fmt.Sprintf("%s was changed since this was approved.", d.Object.Name)
		case !d.Optional() && r.leavesTo(d) == NoSuccessor:
			return fmt.Sprintf("There is nobody else any more at %s, so somebody must take it over.", d)
		}
	}
	for _, d := range r.Duties {
		if _, gone := was[d.Key()]; gone && !d.over(at) {
			return fmt.Sprintf("%s does not have %s any more since this was approved.", r.Subject.Label(), d)
		}
	}
	return ""
}

// over reports whether the duty was a stretch of time that has passed.
func (d Duty) over(at time.Time) bool {
	return d.Override != "" && len(d.Shifts) > 0 && !slices.ContainsFunc(d.Shifts, func(s Shift) bool {
		return s.Until.IsZero() || at.Before(s.Until)
	})
}

// leavesTo returns the id of who takes the duty over by the request, or "".
func (r Request) leavesTo(d Duty) string {
	k := slices.IndexFunc(r.Changes, func(c Change) bool { return c.Op == OpHandover && c.Restores == "" && c.duty() == d.Key() })
	if k < 0 {
		return ""
	}
	return r.Changes[k].To
}

// block stops the request before it changes anything, and has the rest asked again.
func (v *Provisioner) block(ctx context.Context, r Request, why string) error {
	r = r.to(Blocked, why, v.now())
	return v.save(ctx, r, EventRequestBlocked, map[string]string{"why": why}, Job{Kind: JobReplan, Ref: string(r.ID)})
}

// movedOn returns what has become of the subject that the approval does not
// cover: a leaver who is back is not taken out, and who has left is given nothing.
func (v *Provisioner) movedOn(ctx context.Context, r Request) (string, error) {
	if r.Subject.ID == "" || r.Ends != "" { // what was given for a time is taken back from whoever the account turned out to be
		return "", nil
	}
	who, err := v.store.Identity(ctx, r.Subject.ID)
	if err != nil {
		return "", fmt.Errorf("load identity %s: %w", r.Subject.ID, err)
	}
	ended := who.StatusAt(v.now()) == StatusEnded
	switch {
	case who.Merged != "": // under whatever it was that they asked: it is another's access by now
		return r.Subject.Label() + " was found to be somebody else who is known.", nil
	case r.Account.ID != "" && slices.Contains(who.Not, r.Account.ID):
		return fmt.Sprintf("A person has said since that the account %s is not %s's.", r.Account.ID, r.Subject.Label()), nil
	case r.Kind == RequestLeaver && !ended && r.Disabled && who.disabled(): // is contained, and has not left
		return "", nil
	case r.pastEnd(v.now()):
		return timeIsOver, nil
	case r.Undoes != "": // whoever undoes it knows whether they have left
		return "", nil
	case r.Kind == RequestLeaver && !ended:
		return r.Subject.Label() + " is back since this was approved.", nil
	case ended && slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Gives() && c.State != ChangeVerified }):
		return r.Subject.Label() + " has left since this was approved.", nil
	default:
		return "", nil
	}
}

// undone returns that somebody has taken back what the request is a part of, or "".
func (v *Provisioner) undone(ctx context.Context, r Request) (string, error) {
	if r.Account.ID == "" {
		return "", nil
	}
	about, err := v.store.Requests(ctx, RequestFilter{Account: r.Account.ID})
	if err != nil {
		return "", fmt.Errorf("list requests about account %s: %w", r.Account.ID, err)
	}
	for _, u := range about {
		if u.overrules(r) {
			return "Undone: " + u.Why.Event, nil
		}
	}
	return "", nil
}

// takerGone returns who of those that are to take over is being taken out
// themselves, or "".
func (v *Provisioner) takerGone(ctx context.Context, r Request) (string, error) {
	for _, c := range r.Changes {
		if !c.handsOn() {
			continue
		}
		about, err := v.store.Requests(ctx, RequestFilter{Account: AccountID(c.To)})
		if err != nil {
			return "", fmt.Errorf("list requests about account %s: %w", c.To, err)
		}
		for _, leaving := range about {
			if leaving.Kind != RequestLeaver || leaving.Subject.ID == "" {
				continue
			}
			who, err := v.store.Identity(ctx, leaving.Subject.ID)
			if err != nil {
				return "", fmt.Errorf("load identity %s: %w", leaving.Subject.ID, err)
			}
			if who.StatusAt(v.now()) == StatusEnded {
				return fmt.Sprintf("%s has left, and cannot take over %s.", c.taker(), c.Entitlement), nil
			}
		}
	}
	return "", nil
}

// written reports whether nothing of the request is left to write.
func (r Request) written(account *Account) bool {
	return !slices.ContainsFunc(r.Changes, func(c Change) bool {
		return c.State != ChangeVerified && c.State != ChangeApplied && !c.Done(account)
	})
}

// begun reports whether any of the request may be in PagerDuty already.
func (r Request) begun() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.State != ChangePlanned && c.State != "" })
}
