package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RollStore is what a roll call compares with, and where its result is kept.
type RollStore interface {
	Recorder
	GlanceStore
	// Identities returns every identity.
	Identities(ctx context.Context) ([]Identity, error)
	// Baseline returns every account as the last whole roll call, or a verified
	// change since, left it.
	Baseline(ctx context.Context) ([]Account, error)
	// Findings returns the findings that are not cleared, and the exceptions that have not ended at t.
	Findings(ctx context.Context, t time.Time) ([]Finding, []Exception, error)
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
	// Removals is HoldReader's.
	Removals(ctx context.Context, since time.Time) ([]Removal, error)
	// RemovalsAbout is HoldReader's.
	RemovalsAbout(ctx context.Context, who IdentityID) ([]Removal, error)
	// SaveRollCall stores the result and its baseline, in one transaction.
	SaveRollCall(ctx context.Context, r RollResult, next ...Job) error
}

// A Snapshotter reads every account, whole or not at all, and what PagerDuty
// tells of how it came about.
type Snapshotter interface {
	Historian
	// Snapshot returns every account and team. A listing that broke off is an error.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Account returns the account with all it holds, or ErrNotFound when PagerDuty says there is none.
	Account(ctx context.Context, id AccountID) (Account, error)
	// Gone returns which of the accounts PagerDuty itself says do not exist, or an
	// error when it cannot be asked about one of them.
	Gone(ctx context.Context, ids []AccountID) ([]AccountID, error)
	// Activity returns when each account last signed in; without a time: never. An
	// account that is not in it is not told of. Where the plan or the key does not
	// show sign-ins, it is a Refusal that says so.
	Activity(ctx context.Context) (map[AccountID]Signal, error)
}

// A RollResult is what one roll call, or one glance, found.
type RollResult struct {
	Snapshot Snapshot
	Open     []Finding // all that stand now
	Cleared  []Finding // that stood before and do not any more
	Events   []AuditEvent
	Blind    []string // what could not be seen, in sentences

	ask     []FindingID // of those that stand: an owner is to be asked, or asked anew
	opened  []FindingID
	unnamed []FindingID // somebody made it so since the last look, and PagerDuty may know who
	alarms  []Job
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
	roll, err := c.roll(ctx, policy)
	if err != nil {
		return RollResult{}, err
	}
	if roll.Have, err = c.confirm(ctx, snapshot, roll.Last); err != nil {
		return RollResult{}, err
	}
	k, err := c.known(ctx)
	if err != nil {
		return RollResult{}, err
	}
	usage, blind := c.usage(ctx)
	roll.Usage = usage
	roll.annotate()
	result := roll.merge(Reconcile(roll), k)
	result.Blind = slices.Concat(snapshot.Blind, blind, roll.heldBack())
	if !snapshot.Coverage.Whole() {
		result.Blind = append(result.Blind, "Who answers on call could not be read as a whole, so nothing was concluded about it.")
	}
	if result, err = c.name(ctx, result); err != nil {
		return RollResult{}, err
	}
	result.Events = result.news(roll.Now)
	return result, nil
}

// roll returns what is compared with.
func (c *RollCall) roll(ctx context.Context, policy Policy) (Roll, error) {
	r := Roll{Policy: policy, Now: c.now()}
	var err error
	if r.Identities, err = c.store.Identities(ctx); err != nil {
		return r, fmt.Errorf("list identities: %w", err)
	}
	last, err := c.store.Baseline(ctx)
	if err != nil {
		return r, fmt.Errorf("load the last roll call: %w", err)
	}
	r.Last = byAccount(last)
	removals, err := c.store.Removals(ctx, r.Now)
	if err != nil {
		return r, fmt.Errorf("list removals: %w", err)
	}
	r.Waits = waits(removals)
	return r, c.refusedJustNow(ctx, &r)
}

// refusedJustNow notes about whom nothing is concluded because Security has just
// said that they have not left, and that does not count yet: it is said of one
// person after another, and a roll call meanwhile would ask about every one.
func (c *RollCall) refusedJustNow(ctx context.Context, r *Roll) error {
	has := map[string]bool{}
	for _, a := range r.Last {
		has[FoldEmail(a.Email)] = true
	}
	for _, i := range r.Identities {
		_, waits := r.Waits[i.ID]
		if waits || i.Person.Status != StatusEnded || i.Account == "" && !has[i.Person.Email()] {
			continue
		}
		about, err := c.store.RemovalsAbout(ctx, i.ID)
		if err != nil {
			return fmt.Errorf("look up removals of identity %s: %w", i.ID, err)
		}
		if slices.ContainsFunc(about, func(o Removal) bool { return o.Notice == i.Notice && o.State == RemovalRefused }) {
			r.Waits[i.ID] = ""
		}
	}
	return nil
}

// waits returns about whom a removal is held or still to be judged.
func waits(removals []Removal) map[IdentityID]HoldID {
	who := map[IdentityID]HoldID{}
	for _, r := range removals {
		if r.State == RemovalHeld || r.State == RemovalQueued && who[r.Identity] == "" {
			who[r.Identity] = r.Hold
		}
	}
	return who
}

// heldBack says about how many people nothing was concluded, and why.
func (r Roll) heldBack() []string {
	judged, holds := 0, map[HoldID]int{}
	for _, id := range r.Waits {
		if id == "" {
			judged++
		} else {
			holds[id]++
		}
	}
	var blind []string
	for _, id := range slices.Sorted(maps.Keys(holds)) {
		blind = append(blind, fmt.Sprintf("Nothing was concluded about %d people, because what was heard of them is held until two people of Security have looked (%s).", holds[id], id))
	}
	if judged > 0 {
		blind = append(blind, fmt.Sprintf("Nothing was concluded about %d people whose leaving or moving is about to be judged.", judged))
	}
	return blind
}

// confirm puts back whom the listing has missed. PagerDuty pages by offset, so
// that a deletion during the listing can hide somebody else: an account that was
// there before is gone only when PagerDuty says so of itself.
func (c *RollCall) confirm(ctx context.Context, s Snapshot, last map[AccountID]Account) (Snapshot, error) {
	have := byAccount(s.Accounts)
	absent := slices.DeleteFunc(slices.Sorted(maps.Keys(last)), func(id AccountID) bool { return have[id].ID != "" })
	if len(absent) == 0 {
		return s, nil
	}
	gone, err := c.platform.Gone(ctx, absent)
	if err != nil {
		return s, fmt.Errorf("look for %d accounts that were not listed: %w", len(absent), err)
	}
	for _, id := range absent {
		if slices.Contains(gone, id) {
			continue
		}
		a, err := c.platform.Account(ctx, id)
		if errors.Is(err, ErrNotFound) { // since a moment ago
			continue
		}
		if err != nil {
			return s, fmt.Errorf("read account %s, which was not listed: %w", id, err)
		}
		s.Accounts = append(s.Accounts, a)
	}
	return s, nil
}

// usage returns when accounts were last used, and what could not be seen of
// that. It is no reason to give up the roll call.
func (c *RollCall) usage(ctx context.Context) (Usage, []string) {
	signals, err := c.platform.Activity(ctx)
	switch {
	case err == nil:
		return Usage{By: UsageBySignIn, Signals: signals}, nil
	case ReasonOf(err) != "":
		return Usage{By: UsageByPlace}, []string{ReasonOf(err)}
	default:
		return Usage{}, []string{"PagerDuty could not be asked who has signed in, so nothing was concluded from that: " + err.Error()}
	}
}

// annotate puts on every account what only a whole roll call can tell of it.
func (r *Roll) annotate() {
	duties, told := r.Have.Coverage.words(), r.Have.Coverage.Whole()
	for i, a := range r.Have.Accounts {
		was, seen := r.Last[a.ID]
		a = a.Carrying(was)
		if told {
			a.Duties = duties[a.ID]
		}
		if s, signed := r.Usage.Signals[a.ID]; signed {
			a.Used = Signal{At: s.At.Truncate(24 * time.Hour), Proxy: s.Proxy}
		}
		r.Have.Accounts[i] = a.first(seen || len(r.Last) == 0, r.Now)
	}
}

// first notes when something about the account was first seen.
func (a Account) first(known bool, now time.Time) Account {
	if !known {
		a.SeenAt = now
	}
	if a.Invited && a.InvitedAt.IsZero() {
		a.InvitedAt = now
	}
	return a
}

// notRead says to Security that a roll call came to nothing, and why where that is said in words.
func notRead(err error) string {
	why := ReasonOf(err)
	if why == "" {
		why = "The record says why, and rolecall doctor what is wrong now."
	}
	return "The roll call could not read all of PagerDuty, so nothing was concluded from it. " + why
}

// Run calls the roll, stores what it found, and asks about what an owner must
// decide. A snapshot that is not whole is recorded as such, and is a permanent
// error: Security is told, and the schedule comes round again. Where nothing
// could be recorded, the error is for another try.
func (c *RollCall) Run(ctx context.Context, by Actor) (RollResult, error) {
	result, err := c.Look(ctx)
	if err != nil {
		e := AuditEvent{At: c.now(), Actor: by, Kind: EventRollCallFailed, Ref: "rollcall", Detail: map[string]string{"why": err.Error()}}
		if recErr := c.store.Record(ctx, e, alert(notRead(err))); recErr != nil {
			return result, errors.Join(err, fmt.Errorf("record failed roll call: %w", recErr))
		}
		return result, Permanent(err)
	}
	detail := result.counted(len(result.Snapshot.Accounts))
	if len(result.Blind) > 0 {
		detail["blind"] = strings.Join(result.Blind, " ")
	}
	result.Events = append(result.Events, AuditEvent{At: c.now(), Actor: by, Kind: EventRollCallDone, Ref: "rollcall", Detail: detail})
	if err := c.store.SaveRollCall(ctx, result, result.questions()...); err != nil {
		return result, fmt.Errorf("save roll call: %w", err)
	}
	return result, nil
}

func (r RollResult) counted(accounts int) map[string]string {
	return map[string]string{
		"accounts": strconv.Itoa(accounts), "findings": strconv.Itoa(len(r.Open)), "cleared": strconv.Itoa(len(r.Cleared)),
	}
}

func byAccount(accounts []Account) map[AccountID]Account {
	m := make(map[AccountID]Account, len(accounts))
	for _, a := range accounts {
		m[a.ID] = a
	}
	return m
}
