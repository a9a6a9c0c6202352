package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// RollStore is what a roll call compares with, and where its result is kept.
type RollStore interface {
	Recorder
	// Identities returns every identity.
	Identities(ctx context.Context) ([]Identity, error)
	// Baseline returns every account as the last whole roll call, or a verified
	// change since, left it.
	Baseline(ctx context.Context) ([]Account, error)
	// Findings returns the findings that are not cleared, and the exceptions that have not ended at t.
	Findings(ctx context.Context, t time.Time) ([]Finding, []Exception, error)
	// SaveRollCall stores the result and its baseline, in one transaction.
	SaveRollCall(ctx context.Context, r RollResult, next ...Job) error
}

// Snapshotter reads every account, whole or not at all.
type Snapshotter interface {
	// Snapshot returns every account and team. A listing that broke off is an error.
	Snapshot(ctx context.Context) (Snapshot, error)
}

// A RollResult is what one whole roll call found.
type RollResult struct {
	Snapshot Snapshot
	Open     []Finding // all that stand now
	Cleared  []Finding // that stood before and do not any more
	Events   []AuditEvent
}

// A RollCall compares every entitlement with policy.
type RollCall struct {
	store    RollStore
	platform Snapshotter
	policies PolicySource
	now      func() time.Time
}

// NewRollCall returns a roll call over store.
func NewRollCall(store RollStore, platform Snapshotter, policies PolicySource, now func() time.Time) *RollCall {
	return &RollCall{store: store, platform: platform, policies: policies, now: now}
}

// Look returns what a roll call would find now, and stores nothing. A snapshot
// that is not whole is an error, and concludes nothing.
func (c *RollCall) Look(ctx context.Context) (RollResult, error) {
	policy, err := c.policies.Current(ctx)
	if err != nil {
		return RollResult{}, fmt.Errorf("read the policy in force: %w", err)
	}
	snapshot, err := c.platform.Snapshot(ctx)
	if err != nil {
		return RollResult{}, fmt.Errorf("read every account: %w", err)
	}
	identities, err := c.store.Identities(ctx)
	if err != nil {
		return RollResult{}, fmt.Errorf("list identities: %w", err)
	}
	last, err := c.store.Baseline(ctx)
	if err != nil {
		return RollResult{}, fmt.Errorf("load the last roll call: %w", err)
	}
	stood, exceptions, err := c.store.Findings(ctx, c.now())
	if err != nil {
		return RollResult{}, fmt.Errorf("load findings: %w", err)
	}
	roll := Roll{Policy: policy, Identities: identities, Have: snapshot, Last: byAccount(last), Now: c.now()}
	return c.merge(Reconcile(roll), stood, exceptions, snapshot), nil
}

// Run calls the roll, stores what it found, and asks about what an owner must
// decide. A snapshot that is not whole is recorded as such, and is an error.
func (c *RollCall) Run(ctx context.Context, by Actor) (RollResult, error) {
	result, err := c.Look(ctx)
	if err != nil {
		e := AuditEvent{At: c.now(), Actor: by, Kind: EventRollCallFailed, Ref: "rollcall", Detail: map[string]string{"why": err.Error()}}
		if recErr := c.store.Record(ctx, e, alert("The roll call could not read all of PagerDuty, so nothing was concluded from it. The record says why.")); recErr != nil {
			return result, errors.Join(err, fmt.Errorf("record failed roll call: %w", recErr))
		}
		return result, err
	}
	result.Events = append(result.Events, AuditEvent{At: c.now(), Actor: by, Kind: EventRollCallDone, Ref: "rollcall", Detail: map[string]string{
		"accounts": strconv.Itoa(len(result.Snapshot.Accounts)), "findings": strconv.Itoa(len(result.Open)), "cleared": strconv.Itoa(len(result.Cleared)),
	}})
	if err := c.store.SaveRollCall(ctx, result, questions(result)...); err != nil {
		return result, fmt.Errorf("save roll call: %w", err)
	}
	return result, nil
}

// merge keeps what is known of findings that still stand, and tells what is new
// and what is gone. What another tool reported stands until that is decided.
func (c *RollCall) merge(found, stood []Finding, exceptions []Exception, s Snapshot) RollResult {
	before := map[FindingID]Finding{}
	for _, f := range stood {
		before[f.ID] = f
	}
	r := RollResult{Snapshot: s}
	seen := map[FindingID]bool{}
	for _, f := range found {
		seen[f.ID] = true
		if was, ok := before[f.ID]; ok {
			f.Since, f.Kind, f.Note, f.Request, f.MadeBy = was.Since, was.Kind, was.Note, was.Request, was.MadeBy
		} else {
			r.Events = append(r.Events, c.event(f, EventFindingOpened))
		}
		f.Exception = covering(exceptions, f, c.now())
		r.Open = append(r.Open, f)
	}
	for _, f := range stood {
		switch {
		case seen[f.ID]:
		case f.Source != rollCallSource:
			r.Open = append(r.Open, f)
		default:
			f.ClearedAt = c.now()
			r.Cleared = append(r.Cleared, f)
			r.Events = append(r.Events, c.event(f, EventFindingCleared))
		}
	}
	SortFindings(r.Open)
	return r
}

func (c *RollCall) event(f Finding, kind EventKind) AuditEvent {
	return AuditEvent{At: c.now(), Actor: System, Kind: kind, Ref: string(f.ID), Detail: map[string]string{"finding": f.Sentence(), "kind": string(f.Kind)}}
}

// questions returns the steps that ask about findings nobody has been asked
// about, and that withdraw what is settled by itself.
func questions(r RollResult) []Job {
	var next []Job
	for _, f := range r.Open {
		if f.Decidable() && f.Exception == "" && f.Request == "" {
			next = append(next, Job{Kind: JobAsk, Ref: string(f.ID)})
		}
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

func byAccount(accounts []Account) map[AccountID]Account {
	m := make(map[AccountID]Account, len(accounts))
	for _, a := range accounts {
		m[a.ID] = a
	}
	return m
}
