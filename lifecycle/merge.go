package lifecycle

import (
	"context"
	"fmt"
	"slices"
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
func (r Roll) merge(found []Finding, k known) RollResult {
	before, have := map[FindingID]Finding{}, byAccount(r.Have.Accounts)
	for _, f := range k.stood {
		before[f.ID] = f
	}
	r.covered = r.Have.Coverage.Whole()
	result := RollResult{Snapshot: r.Have}
	seen := map[FindingID]bool{}
	for _, f := range found {
		if f.leftBehind() && k.deleting(f.Account.ID) {
			continue
		}
		seen[f.ID] = true
		was, stood := before[f.ID]
		if stood {
			f = f.follows(was)
		} else {
			result.opened = append(result.opened, f.ID)
		}
		if (!stood || f.From != was.From) && r.made(f) {
			result.unnamed = append(result.unnamed, f.ID)
		}
		result.stand(f, k, r.Now)
	}
	waiting := r.waiting()
	for _, f := range k.stood {
		switch {
		case seen[f.ID]:
		case waiting(f): // neither asked about nor cleared
			result.Open = append(result.Open, f)
		case f.Source != rollCallSource && f.standsIn(have), r.unseen(f, have):
			result.stand(f, k, r.Now)
		default:
			f.ClearedAt = r.Now
			result.Cleared = append(result.Cleared, f)
		}
	}
	SortFindings(result.Open)
	return result
}

// waiting returns what reports whether a finding is about somebody about whom
// nothing is concluded now.
func (r Roll) waiting() func(Finding) bool {
	if len(r.Waits) == 0 {
		return func(Finding) bool { return false }
	}
	owner := r.match().owner
	return func(f Finding) bool {
		_, waits := r.Waits[f.Identity]
		if i, known := owner[f.Account.ID]; known && !waits {
			_, waits = r.Waits[i.ID]
		}
		return waits
	}
}

// made reports whether somebody made it so since the last roll call, and may be
// named: what was there before is no news.
func (r Roll) made(f Finding) bool {
	_, there := r.Last[f.Account.ID]
	switch f.Kind {
	case FoundDrift:
		return true
	case FoundExcess, FoundOrphan, FoundLeaverPresent:
		return f.Account.ID != "" && !there && !f.leftBehind()
	case FoundMissing, FoundStale, FoundInvitePending, FoundUnmatched, FoundDisputed:
		return false
	default:
		return false
	}
}

// unseen reports whether the roll could not see what the finding is about, so
// that its silence clears nothing: coverage or usage that was not told, or what
// a glance has found after the snapshot was taken.
func (r Roll) unseen(f Finding, have map[AccountID]Account) bool {
	_, there := have[f.Account.ID]
	switch {
	case f.Source != rollCallSource:
		return false
	case f.Unanswered():
		return !r.covered
	case f.Kind == FoundStale && there:
		return !r.covered || r.Usage.By == UsageUntold
	default:
		return f.Since.After(r.Have.TakenAt)
	}
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
	return append(next, r.alarms...)
}

// news returns a line of the trail for every finding that is new or gone.
func (r RollResult) news(now time.Time) []AuditEvent {
	line := func(f Finding, kind EventKind) AuditEvent {
		e := AuditEvent{At: now, Actor: System, Kind: kind, Ref: string(f.ID), Detail: map[string]string{"finding": f.Sentence(), "kind": string(f.Kind)}}
		if f.MadeBy != "" && kind == EventFindingOpened {
			e.Detail["made_by"] = f.MadeBy
		}
		return e
	}
	var lines []AuditEvent
	opened := map[FindingID]bool{}
	for _, id := range r.opened {
		opened[id] = true
	}
	for _, f := range r.Open {
		if opened[f.ID] {
			lines = append(lines, line(f, EventFindingOpened))
		}
	}
	for _, f := range r.Cleared {
		lines = append(lines, line(f, EventFindingCleared))
	}
	return lines
}

func covering(exceptions []Exception, f Finding, now time.Time) ExceptionID {
	for _, x := range exceptions {
		if x.Covers(f, now) {
			return x.ID
		}
	}
	return ""
}

// pick returns the findings with those ids, in their order.
func pick(found []Finding, ids []FindingID) []Finding {
	want := make(map[FindingID]bool, len(ids))
	for _, id := range ids {
		want[id] = true
	}
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return !want[f.ID] })
}
