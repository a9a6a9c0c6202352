package lifecycle

import (
	"context"
	"fmt"
	"time"
)

// known is what a roll call knows of the findings before it.
type known struct {
	stood      []Finding // not cleared
	exceptions []Exception
	open       map[RequestID]Request
}

func (c *RollCall) known(ctx context.Context) (known, error) {
	k := known{open: map[RequestID]Request{}}
	var err error
	if k.stood, k.exceptions, err = c.store.Findings(ctx, c.now()); err != nil {
		return k, fmt.Errorf("load findings: %w", err)
	}
	open, err := c.store.Requests(ctx, RequestFilter{Open: true})
	if err != nil {
		return k, fmt.Errorf("list open requests: %w", err)
	}
	for _, r := range open {
		k.open[r.ID] = r
	}
	return k, nil
}

// merge keeps what is known of findings that still stand, and tells what is new
// and what is gone.
func (c *RollCall) merge(found []Finding, k known, s Snapshot) RollResult {
	before, have := map[FindingID]Finding{}, byAccount(s.Accounts)
	for _, f := range k.stood {
		before[f.ID] = f
	}
	r := RollResult{Snapshot: s}
	seen := map[FindingID]bool{}
	for _, f := range found {
		if f.leftBehind() && k.deleting(f.Account.ID) {
			continue
		}
		seen[f.ID] = true
		if was, ok := before[f.ID]; ok {
			f.Since, f.Kind, f.Note, f.Request, f.MadeBy, f.Again = was.Since, was.Kind, was.Note, was.Request, was.MadeBy, was.Again
		} else {
			r.Events = append(r.Events, c.event(f, EventFindingOpened))
		}
		r.stand(f, k, c.now())
	}
	for _, f := range k.stood {
		switch {
		case seen[f.ID]:
		case f.Source != rollCallSource && f.standsIn(have):
			r.stand(f, k, c.now())
		default:
			f.ClearedAt = c.now()
			r.Cleared = append(r.Cleared, f)
			r.Events = append(r.Events, c.event(f, EventFindingCleared))
		}
	}
	SortFindings(r.Open)
	return r
}

// standsIn reports whether the account still is as another tool reported it: a
// roll call does not know what that tool knows, but a role that has changed, or
// an account that is gone, is not what was reported.
func (f Finding) standsIn(have map[AccountID]Account) bool {
	a, there := have[f.Account.ID]
	return there && (Change{Entitlement: f.Entitlement}).Current(&a) == f.From
}

// stand adds a finding that stands. It is to be asked about unless an exception
// covers it, or it is being asked about. Where the last answer did not mend it,
// or what was kept has ended or grown, a new round begins.
func (r *RollResult) stand(f Finding, k known, now time.Time) {
	f.Exception = covering(k.exceptions, f, now)
	if f.Decidable() && f.Exception == "" && !k.asking(f.Request) {
		if f.Request != "" {
			f.Again = now
		}
		r.ask = append(r.ask, f.ID)
	}
	r.Open = append(r.Open, f)
}

// deleting reports whether the leaver's notice has led to a deletion that is
// still to be decided, or waits. Where it was denied, undone or left undecided,
// the account is not forgotten.
func (k known) deleting(id AccountID) bool {
	for _, r := range k.open {
		if r.Account.ID == id && !r.IsFinding() && r.Kind == RequestLeaver && r.Risk() == Destructive {
			return true
		}
	}
	return false
}

// asking reports whether something may still come of the request. Nothing comes
// of one that was approved in observe mode; the planner knows whether to ask again.
func (k known) asking(id RequestID) bool {
	r, open := k.open[id]
	return open && !(r.Observe && r.State == Approved)
}

// questions returns the steps that ask about findings, and that withdraw what
// is settled by itself.
func (r RollResult) questions() []Job {
	var next []Job
	for _, id := range r.ask {
		next = append(next, Job{Kind: JobAsk, Ref: string(id)})
	}
	for _, f := range r.Cleared {
		if f.Request != "" {
			next = append(next, Job{Kind: JobAsk, Ref: string(f.ID)})
		}
	}
	return next
}

func covering(exceptions []Exception, f Finding, now time.Time) ExceptionID {
	for _, x := range exceptions {
		if x.Covers(f, now) {
			return x.ID
		}
	}
	return ""
}
