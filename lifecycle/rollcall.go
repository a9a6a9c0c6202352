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
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
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

	ask []FindingID // of those that stand: an owner is to be asked, or asked anew
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
	if len(snapshot.Accounts) == 0 { // there is always an Account Owner
		return RollResult{}, errors.New("read every account: PagerDuty listed none at all, which cannot be the whole of it")
	}
	identities, err := c.store.Identities(ctx)
	if err != nil {
		return RollResult{}, fmt.Errorf("list identities: %w", err)
	}
	last, err := c.store.Baseline(ctx)
	if err != nil {
		return RollResult{}, fmt.Errorf("load the last roll call: %w", err)
	}
	known, err := c.known(ctx)
	if err != nil {
		return RollResult{}, err
	}
	roll := Roll{Policy: policy, Identities: identities, Have: snapshot, Last: byAccount(last), Now: c.now()}
	return c.merge(Reconcile(roll), known, snapshot), nil
}

// Run calls the roll, stores what it found, and asks about what an owner must
// decide. A snapshot that is not whole is recorded as such, and is a permanent
// error: Security is told, and the schedule comes round again. Where nothing
// could be recorded, the error is for another try.
func (c *RollCall) Run(ctx context.Context, by Actor) (RollResult, error) {
	result, err := c.Look(ctx)
	if err != nil {
		e := AuditEvent{At: c.now(), Actor: by, Kind: EventRollCallFailed, Ref: "rollcall", Detail: map[string]string{"why": err.Error()}}
		if recErr := c.store.Record(ctx, e, alert("The roll call could not read all of PagerDuty, so nothing was concluded from it. The record says why.")); recErr != nil {
			return result, errors.Join(err, fmt.Errorf("record failed roll call: %w", recErr))
		}
		return result, Permanent(err)
	}
	result.Events = append(result.Events, AuditEvent{At: c.now(), Actor: by, Kind: EventRollCallDone, Ref: "rollcall", Detail: map[string]string{
		"accounts": strconv.Itoa(len(result.Snapshot.Accounts)), "findings": strconv.Itoa(len(result.Open)), "cleared": strconv.Itoa(len(result.Cleared)),
	}})
	if err := c.store.SaveRollCall(ctx, result, result.questions()...); err != nil {
		return result, fmt.Errorf("save roll call: %w", err)
	}
	return result, nil
}

func (c *RollCall) event(f Finding, kind EventKind) AuditEvent {
	return AuditEvent{At: c.now(), Actor: System, Kind: kind, Ref: string(f.ID), Detail: map[string]string{"finding": f.Sentence(), "kind": string(f.Kind)}}
}

func byAccount(accounts []Account) map[AccountID]Account {
	m := make(map[AccountID]Account, len(accounts))
	for _, a := range accounts {
		m[a.ID] = a
	}
	return m
}
