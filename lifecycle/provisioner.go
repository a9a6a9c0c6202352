package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// An Order is one change to make, on whom.
type Order struct {
	Account AccountID // "" before it is created
	Subject Subject
	Change  Change
	// Keep stores an object as it was right before it is written to; it is called
	// before the write, and an error from it stops the write. It may be nil where
	// the change says by itself what it replaced, such as a role.
	Keep func(ctx context.Context, o Original) error
	// Original is the object as it was before the change that this one undoes; or
	// before this change itself, when a try at it was interrupted after it had begun
	// to write. Nil when nothing was kept.
	Original *Original
}

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

// Safeguards are what a write to PagerDuty rests on.
type Safeguards interface {
	OriginalStore
	// Exclusively runs f while no other replica does for the same thing: PagerDuty
	// knows no lock, and of two who write the later has the last word.
	Exclusively(ctx context.Context, thing string, f func(context.Context) error) error
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

// refuse puts on the request that PagerDuty will not make its i-th change.
func (v *Provisioner) refuse(ctx context.Context, r Request, i int, cause error) (Request, error) {
	c := r.Changes[i]
	c.State, c.Error = ChangeFailed, ReasonOf(cause)
	r = r.WithChange(i, c, v.now())
	detail := changeDetail(c)
	detail["why"] = c.Error
	return r, v.save(ctx, r, EventChangeFailed, detail)
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

// thing names what one change at a time may write to: an object of on-call; one
// account's teams and sessions; or all accounts, because nobody else must be
// lowered while the last admin but one is.
func (o Order) thing() string {
	switch e := o.Change.Entitlement; e.Kind {
	case KindTeamRole, KindSession:
		return "account " + string(o.Account)
	case KindBaseRole, KindAccount:
		return "accounts"
	case KindSchedule, KindEscalationPolicy, KindIncident:
		return "object " + e.Object.ID
	default:
		return "accounts"
	}
}

// order returns the order for the change: it keeps what is replaced, and knows
// what is to be put back.
func (v *Provisioner) order(ctx context.Context, r Request, c Change) (Order, error) {
	o := Order{Account: r.Account.ID, Subject: r.Subject, Change: c}
	o.Keep = func(ctx context.Context, was Original) error {
		was.Request, was.Change, was.KeptAt = r.ID, c.ID, v.now()
		e := v.event(r, EventOriginalKept, map[string]string{"change": string(c.ID), "object": was.Object.ID, "name": was.Object.Name, "kind": string(was.Kind)})
		if err := v.safe.KeepOriginal(ctx, was, e); err != nil {
			return fmt.Errorf("keep %s as it was: %w", was.Object.ID, err)
		}
		return nil
	}
	if c.Op != OpHandover {
		return o, nil
	}
	was, err := v.safe.Original(ctx, cmp.Or(c.Restores, c.ID))
	switch {
	case errors.Is(err, ErrNotFound): // nothing was written yet; or it is an incident, which is given back as it was taken
		return o, nil
	case err != nil:
		return o, fmt.Errorf("load what change %s replaced: %w", cmp.Or(c.Restores, c.ID), err)
	}
	o.Original = &was
	return o, nil
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
	return r, v.save(ctx, r, EventRequestDone, nil, next...)
}

// changeError says at which change things went wrong.
type changeError struct {
	index int
	err   error
}

// atChange reports whether it was a change that went wrong, and not its keeping.
func atChange(err error) bool {
	_, is := errors.AsType[*changeError](err)
	return is
}

func (e *changeError) Error() string { return e.err.Error() }
func (e *changeError) Unwrap() error { return e.err }

// trouble leaves the request in a state that says what happened: a refusal, or
// the last of all tries, fails it; anything else waits for the next try.
func (v *Provisioner) trouble(ctx context.Context, r Request, cause error, last bool) error {
	stored, err := v.store.Request(ctx, r.ID)
	if err != nil {
		return errors.Join(cause, fmt.Errorf("load request %s: %w", r.ID, err))
	}
	reason := ReasonOf(cause)
	if stored.State != Approved && stored.State != Holding && stored.State != Applying {
		return nil // undone or withdrawn while we looked: nothing comes of it any more
	}
	if waits, is := errors.AsType[*JobError](cause); reason == "" && (!last || is && waits.RetryAfter > 0) {
		return v.wait(ctx, stored, cause)
	}
	if reason == "" {
		reason = "PagerDuty could not be reached, and no more tries are left."
	}
	failed, kind := stored, EventRequestFailed
	if at, ok := errors.AsType[*changeError](cause); ok {
		c := stored.Changes[at.index]
		c.State, c.Error = ChangeFailed, reason
		failed = failed.WithChange(at.index, c, v.now())
		failed.Revision-- // one save, one revision
		kind = EventChangeFailed
	}
	failed = failed.to(Failed, reason, v.now())
	if err := v.save(ctx, failed, kind, map[string]string{"why": reason}, v.goOn(failed)...); err != nil {
		return errors.Join(cause, err)
	}
	return Permanent(cause)
}

// goOn returns the step that plans a leaver's next stage although the containment
// failed: sessions that cannot be ended are no reason to leave on-call with them.
func (v *Provisioner) goOn(r Request) []Job {
	stuck := slices.ContainsFunc(r.Changes, func(c Change) bool {
		return c.State != ChangeVerified && c.Entitlement.Kind != KindSession
	})
	if !r.Contains() || r.Why.Notice == "" || stuck {
		return nil
	}
	return []Job{{Kind: JobPlan, Ref: string(r.Why.Notice)}}
}

// wait says on the card that PagerDuty does not answer, or what else is waited
// for, once, and asks for another try.
func (v *Provisioner) wait(ctx context.Context, r Request, cause error) error {
	note := "PagerDuty is not answering. It will be tried again."
	if told, ok := errors.AsType[*JobError](cause); ok && told.Why != "" {
		note = told.Why
	}
	if r.Note == note {
		return cause
	}
	r.Note, r.UpdatedAt = note, v.now()
	r.Revision++
	if err := v.save(ctx, r, EventRequestWaiting, map[string]string{"why": cause.Error()}); err != nil {
		return errors.Join(cause, err)
	}
	return cause
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
