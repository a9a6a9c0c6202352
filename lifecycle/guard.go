package lifecycle

import (
	"context"
	"fmt"
	"slices"
)

// moved is the stale-approval guard: it returns what is no longer as the
// approver saw it, in a sentence, or "". Who the subject is is looked at on
// every try; what they hold only before the first change, because each change
// looks at its own part again.
func (v *Provisioner) moved(ctx context.Context, r Request, account *Account) (string, error) {
	if r.written(account) {
		return "", nil // only the reading back is left, whatever has come of the subject
	}
	if moved, err := v.movedOn(ctx, r); err != nil || moved != "" || r.begun() {
		return moved, err
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
		if !c.Untouched(account) && !c.Done(account) {
			return fmt.Sprintf("%s was %s when this was approved, and is %s now.", r.Subject.Label(), roleWords(c.Entitlement, c.From), roleWords(c.Entitlement, c.Current(account))), nil
		}
	}
	return "", nil
}

// block stops the request before it changes anything, and has the rest asked again.
func (v *Provisioner) block(ctx context.Context, r Request, why string) error {
	r = r.to(Blocked, why, v.now())
	return v.save(ctx, r, EventRequestBlocked, map[string]string{"why": why}, Job{Kind: JobReplan, Ref: string(r.ID)})
}

// movedOn returns what has become of the subject that the approval does not
// cover: a leaver who is back is not taken out, and who has left is given nothing.
func (v *Provisioner) movedOn(ctx context.Context, r Request) (string, error) {
	if r.Subject.ID == "" {
		return "", nil
	}
	who, err := v.store.Identity(ctx, r.Subject.ID)
	if err != nil {
		return "", fmt.Errorf("load identity %s: %w", r.Subject.ID, err)
	}
	ended := who.StatusAt(v.now()) == StatusEnded
	switch {
	case r.Kind == RequestLeaver && !ended:
		return r.Subject.Label() + " is back since this was approved.", nil
	case ended && slices.ContainsFunc(r.Changes, func(c Change) bool { return !c.Removes() && c.State != ChangeVerified }):
		return r.Subject.Label() + " has left since this was approved.", nil
	default:
		return "", nil
	}
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
