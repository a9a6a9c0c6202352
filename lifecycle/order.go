package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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

// Safeguards are what a write to PagerDuty rests on.
type Safeguards interface {
	OriginalStore
	// Exclusively runs f while no other replica does for the same thing: PagerDuty
	// knows no lock, and of two who write the later has the last word.
	Exclusively(ctx context.Context, thing string, f func(context.Context) error) error
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
