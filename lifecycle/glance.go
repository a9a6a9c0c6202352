package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// A Glance is what a look at a few accounts, between two whole roll calls, has
// concluded about them.
type Glance struct {
	Accounts []Account   // as they were read, to take the place of what the baseline has of them
	Gone     []AccountID // that PagerDuty said do not exist any more
	Open     []Finding   // of those accounts, that stand now
	Cleared  []Finding   // of those accounts, that stood before and do not any more
	Events   []AuditEvent
	Until    time.Time // the moment that the look was at; all of the above was read after it
}

// GlanceStore is where a glance begins and where its result is kept.
type GlanceStore interface {
	// LastRollCall returns when the last whole roll call was, or the zero time.
	LastRollCall(ctx context.Context) (time.Time, error)
	// Glanced returns Until of the last glance that was stored, or the zero time.
	Glanced(ctx context.Context) (time.Time, error)
	// SaveGlance stores the findings, what the accounts held, and Until, in one
	// transaction; accounts that are not named stay as they are. An account of
	// which something newer than Until is known keeps that. It returns ErrConflict
	// and stores nothing when a whole roll call later than Until is stored already.
	SaveGlance(ctx context.Context, g Glance, next ...Job) error
}

const (
	glanceOverlap = 5 * time.Minute // a record may appear so long after the change
	glanceMost    = 50              // accounts; more are a whole roll call's
)

// Glance looks at what PagerDuty's audit records say has changed since the last
// look, reads those accounts again, and concludes what a roll call would of
// them. Where PagerDuty does not show the records, the result is Blind and
// nothing else. While nobody but rolecall changes anything, nothing is written.
// A fault on the way concludes nothing.
func (c *RollCall) Glance(ctx context.Context, by Actor) (RollResult, error) {
	since, err := c.lastLook(ctx)
	if err != nil || since.IsZero() { // there is nothing to compare with yet
		return RollResult{}, err
	}
	l := look{by: by, until: c.now()}
	l.traces, err = c.platform.Traces(ctx, since.Add(-glanceOverlap), l.until)
	if reason := ReasonOf(err); reason != "" {
		return RollResult{Blind: []string{reason}}, nil
	}
	if err != nil {
		return RollResult{}, fmt.Errorf("read what has changed: %w", err)
	}
	if len(l.traces) == 0 {
		return RollResult{}, nil
	}
	if l.ours, err = c.ours(ctx, since.Add(-glanceOverlap)); err != nil {
		return RollResult{}, err
	}
	if l.traces = foreign(l.traces, l.ours); len(l.traces) == 0 {
		return RollResult{}, nil
	}
	return c.glance(ctx, l)
}

// A look is one glance on its way.
type look struct {
	by     Actor
	until  time.Time
	traces []Trace // not of our own changes
	ours   []Request
	named  map[AccountID]bool
	gone   []AccountID
}

// lastLook returns when PagerDuty was last looked at, or the zero time before
// the first whole roll call.
func (c *RollCall) lastLook(ctx context.Context) (time.Time, error) {
	last, err := c.store.LastRollCall(ctx)
	if err != nil || last.IsZero() {
		return last, wrap("look up the last roll call", err)
	}
	glanced, err := c.store.Glanced(ctx)
	if glanced.After(last) {
		last = glanced
	}
	return last, wrap("look up the last glance", err)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func foreign(traces []Trace, ours []Request) []Trace {
	return slices.DeleteFunc(slices.Clone(traces), func(t Trace) bool {
		_, known := t.request(ours)
		return known
	})
}

func (c *RollCall) glance(ctx context.Context, l look) (RollResult, error) {
	policy, err := c.policies.Current(ctx)
	if err != nil {
		return RollResult{}, fmt.Errorf("read the policy in force: %w", err)
	}
	roll, err := c.roll(ctx, policy)
	if err != nil {
		return RollResult{}, err
	}
	if l.named = named(l.traces, roll.Last); len(l.named) > glanceMost {
		return RollResult{}, c.leave(ctx, l)
	}
	read, err := c.reread(ctx, &l, roll)
	if err != nil {
		return RollResult{}, err
	}
	k, err := c.known(ctx)
	if err != nil {
		return RollResult{}, err
	}
	roll.Have = Snapshot{TakenAt: l.until, Accounts: everybody(roll.Last, read, l)}
	k.stood = l.about(k.stood)
	result := roll.merge(l.about(Reconcile(roll)), k)
	result = result.replace(Explain(pick(result.Open, result.unnamed), l.traces, l.ours))
	result.Snapshot.Accounts, result.alarms = read, alarms(l.traces, l.ours)
	return result, c.saveGlance(ctx, l, &result)
}

// leave leaves the many accounts that were changed to a whole roll call.
func (c *RollCall) leave(ctx context.Context, l look) error {
	e := AuditEvent{At: c.now(), Actor: l.by, Kind: EventGlanceDone, Ref: "glance", Detail: map[string]string{
		"accounts": strconv.Itoa(len(l.named)), "outcome": "So many accounts have changed that the whole roll is called.",
	}}
	next := append(alarms(l.traces, l.ours), Job{Kind: JobRollCall, Ref: string(l.by)})
	return wrap("record glance", c.store.Record(ctx, e, next...))
}

// named returns the accounts whose access has changed. Of a team that was
// deleted, that is everybody who was on it.
func named(traces []Trace, last map[AccountID]Account) map[AccountID]bool {
	ids := map[AccountID]bool{}
	for _, t := range traces {
		if t.Account != "" {
			ids[t.Account] = true
			continue
		}
		for id, a := range last {
			if a.On(t.Entitlement.Team.ID) != "" {
				ids[id] = true
			}
		}
	}
	return ids
}

// reread returns the accounts that were named, as PagerDuty has them now.
func (c *RollCall) reread(ctx context.Context, l *look, r Roll) ([]Account, error) {
	var read []Account
	for _, id := range slices.Sorted(maps.Keys(l.named)) {
		a, err := c.platform.Account(ctx, id)
		if errors.Is(err, ErrNotFound) {
			l.gone = append(l.gone, id)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read account %s: %w", id, err)
		}
		was, seen := r.Last[id]
		read = append(read, a.Carrying(was).first(seen, r.Now))
	}
	return read, nil
}

// everybody returns all accounts as they are known now: who is who can only be
// told from all of them.
func everybody(last map[AccountID]Account, read []Account, l look) []Account {
	all := slices.Clone(read)
	for _, id := range slices.Sorted(maps.Keys(last)) {
		if !l.named[id] {
			all = append(all, last[id])
		}
	}
	return all
}

// about returns the findings that the glance can speak of.
func (l look) about(found []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return !l.named[f.Account.ID] })
}

func (c *RollCall) saveGlance(ctx context.Context, l look, r *RollResult) error {
	r.Events = append(r.news(c.now()), AuditEvent{At: c.now(), Actor: l.by, Kind: EventGlanceDone, Ref: "glance", Detail: r.counted(len(l.named))})
	g := Glance{Accounts: r.Snapshot.Accounts, Gone: l.gone, Open: r.Open, Cleared: r.Cleared, Events: r.Events, Until: l.until}
	return wrap("save glance", c.store.SaveGlance(ctx, g, r.questions()...))
}
