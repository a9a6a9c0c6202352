package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Platform is the port to PagerDuty for making changes. A *Refusal from it is
// PagerDuty's no, in words; any other error may pass.
type Platform interface {
	AccountReader
	// Apply makes the change and returns the account it was made on. It never
	// writes twice for one order: after a lost answer it reads, then decides.
	Apply(ctx context.Context, o Order) (AccountID, error)
	// ReadBack returns the account as PagerDuty shows it once the change can be
	// seen there (nil: it is gone), or an error when it cannot be seen yet.
	ReadBack(ctx context.Context, o Order) (*Account, error)
}

// An Effect is what a change left in PagerDuty: Held is nil when the account is gone.
type Effect struct {
	Account  AccountID
	Held     *Account
	Identity IdentityID
}

// ProvisionStore keeps requests and what has become of accounts.
type ProvisionStore interface {
	RequestStore
	// SaveEffect stores r together with what was read back, and pins the account
	// to the identity, in one transaction.
	SaveEffect(ctx context.Context, r Request, f Effect, e AuditEvent, next ...Job) error
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
}

// A Provisioner is steps 7 and 8: it re-reads, applies, and reads back.
type Provisioner struct {
	store    ProvisionStore
	safe     Safeguards
	platform Platform
	mode     Mode
	now      func() time.Time
}

// NewProvisioner returns a provisioner.
func NewProvisioner(store ProvisionStore, safe Safeguards, platform Platform, mode Mode, now func() time.Time) *Provisioner {
	return &Provisioner{store: store, safe: safe, platform: platform, mode: mode, now: now}
}

// Apply takes an approved request as far as it goes. It may be repeated and
// interrupted anywhere: every change is looked at before it is made. An error
// that is not a Refusal is worth another try; on the last one the request
// fails where people can see it.
func (v *Provisioner) Apply(ctx context.Context, id RequestID, last bool) error {
	r, err := v.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	switch {
	case r.State != Approved && r.State != Holding && r.State != Applying:
		return nil
	case r.Observe:
		return nil
	case v.mode != Enforce: // approved before writing was switched off; it goes on, guarded, when that is switched on
		return RetryAfter(fmt.Errorf("request %s waits: nothing is written in observe mode", id), observePause)
	case v.now().Before(r.HoldUntil):
		return RetryAfter(fmt.Errorf("request %s holds until %s", id, r.HoldUntil), r.HoldUntil.Sub(v.now()))
	}
	r, err = v.carry(ctx, r)
	if err == nil || errors.Is(err, ErrConflict) && ReasonOf(err) == "" {
		return err // a conflict: somebody withdrew it at this moment; the next try sees that
	}
	return v.trouble(ctx, r, err, last)
}

// observePause is how often an approved request looks whether writing is allowed again.
const observePause = time.Hour

// carry begins, makes every change that is left, and ends.
func (v *Provisioner) carry(ctx context.Context, r Request) (Request, error) {
	account, err := v.read(ctx, r)
	if err != nil {
		return r, err
	}
	moved, err := v.moved(ctx, r, account)
	switch {
	case err != nil:
		return r, err
	case moved != "" && r.begun():
		return r, Refuse(ErrConflict, "%s", moved) // some of it stands: that is a failure, and says so
	case moved != "":
		return r, v.block(ctx, r, moved)
	}
	if r.State != Applying {
		r = r.to(Applying, "", v.now())
		if err := v.save(ctx, r, EventRequestApplying, nil); err != nil {
			return r, err
		}
	}
	var refused, passing error
	for i := range r.Changes {
		if r.Changes[i].State == ChangeVerified {
			continue
		}
		r, account, err = v.make(ctx, r, i, account)
		switch {
		case err != nil && r.Contains() && ReasonOf(err) != "": // one lock that is stuck is no reason to leave the others open
			refused = cmp.Or(refused, err)
			if r, err = v.refuse(ctx, r, i, err); err != nil {
				return r, err
			}
		case err != nil && r.Contains() && atChange(err) && ctx.Err() == nil: // nor is one that does not answer
			passing = cmp.Or(passing, err)
		case err != nil:
			return r, err
		}
	}
	if passing != nil {
		return r, passing
	}
	if refused != nil {
		return r, refused
	}
	return v.finish(ctx, r)
}

func (v *Provisioner) read(ctx context.Context, r Request) (*Account, error) {
	if r.Account.ID != "" {
		a, err := v.platform.Account(ctx, r.Account.ID)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read account %s: %w", r.Account.ID, err)
		}
		return &a, nil
	}
	found, err := v.platform.AccountsByEmail(ctx, r.Subject.Email)
	if err != nil {
		return nil, fmt.Errorf("look for the account of request %s: %w", r.ID, err)
	}
	if len(found) > 1 {
		return nil, Refuse(ErrConflict, "%d PagerDuty accounts have the address %s", len(found), r.Subject.Email)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &found[0], nil
}

// make makes the i-th change and reads it back. One that is seen to be made
// already, by us before a crash or a lost answer, is not made again.
func (v *Provisioner) make(ctx context.Context, r Request, i int, account *Account) (Request, *Account, error) {
	c := r.Changes[i]
	o, err := v.order(ctx, r, c)
	if err != nil {
		return r, account, &changeError{i, err}
	}
	if o.Account == "" && account != nil {
		o.Account = account.ID
	}
	if !c.Done(account) && c.State != ChangeApplied {
		if !c.Untouched(account) {
			return r, account, Refuse(ErrConflict, "%s is %s now, which nobody approved changing", r.Subject.Label(), roleWords(c.Entitlement, c.Current(account)))
		}
		var id AccountID
		err := v.safe.Exclusively(ctx, o.thing(), func(ctx context.Context) (err error) {
			id, err = v.platform.Apply(ctx, o)
			return err
		})
		if err != nil {
			return r, account, &changeError{i, fmt.Errorf("apply change %s: %w", c.ID, err)}
		}
		o.Account, r.Account.ID = id, id
		c.State, r.Note = ChangeApplied, ""
		r = r.WithChange(i, c, v.now())
		if err := v.save(ctx, r, EventChangeApplied, changeDetail(c)); err != nil {
			return r, account, err
		}
	}
	return v.verify(ctx, r, i, o)
}

func (v *Provisioner) verify(ctx context.Context, r Request, i int, o Order) (Request, *Account, error) {
	account, err := v.platform.ReadBack(ctx, o)
	if err != nil {
		return r, account, &changeError{i, fmt.Errorf("read back change %s: %w", o.Change.ID, err)}
	}
	c := r.Changes[i]
	c.State, c.Error, c.VerifiedAt = ChangeVerified, "", v.now()
	r = r.WithChange(i, c, v.now())
	r.Account.ID = o.Account
	if c.Op == OpCreate && account != nil {
		account.SeenAt = v.now()
	}
	e := v.event(r, EventChangeVerified, changeDetail(c))
	if err := v.store.SaveEffect(ctx, r, Effect{Account: o.Account, Held: account, Identity: r.Subject.ID}, e, show(r.ID)); err != nil {
		return r, account, fmt.Errorf("save change %s: %w", c.ID, err)
	}
	return r, account, nil
}

// finish closes the request. A leaver is planned once more, for the next stage;
// whether a joiner can be paged is looked at.
func (v *Provisioner) finish(ctx context.Context, r Request) (Request, error) {
	r = r.to(Done, "", v.now())
	var next []Job
	if r.Kind == RequestLeaver && r.Why.Notice != "" && r.Undoes == "" && r.Risk() != Destructive {
		next = append(next, Job{Kind: JobPlan, Ref: string(r.Why.Notice)})
	}
	if r.Kind == RequestJoiner {
		next = append(next, Job{Kind: JobFollow, Ref: string(r.ID)})
	}
	return r, v.save(ctx, r, EventRequestDone, nil, append(next, r.endings(v.now())...)...)
}

// atChange reports whether it was a change that went wrong, and not its keeping.
func atChange(err error) bool {
	_, is := errors.AsType[*changeError](err)
	return is
}

func (v *Provisioner) save(ctx context.Context, r Request, kind EventKind, detail map[string]string, next ...Job) error {
	if err := v.store.SaveRequest(ctx, r, v.event(r, kind, detail), append(next, show(r.ID))...); err != nil {
		return fmt.Errorf("save request %s: %w", r.ID, err)
	}
	return nil
}

func (v *Provisioner) event(r Request, kind EventKind, detail map[string]string) AuditEvent {
	return AuditEvent{At: v.now(), Actor: System, Kind: kind, Ref: string(r.ID), Detail: detail}
}

func changeDetail(c Change) map[string]string {
	return map[string]string{"change": string(c.ID), "op": string(c.Op), "entitlement": c.Entitlement.String(), "from": c.From, "to": c.To}
}
