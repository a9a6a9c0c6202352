package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// HouseReader is where it is looked up how the house itself stands.
type HouseReader interface {
	HoldReader
	// Cases is CaseStore's.
	Cases(ctx context.Context) ([]Case, error)
	// Sources is SourceStore's.
	Sources(ctx context.Context) ([]Source, error)
	// PolicyInForce is PolicyStore's.
	PolicyInForce(ctx context.Context) (PolicyText, error)
	// Population is PeopleReader's.
	Population(ctx context.Context) (int, error)
	// Head returns the number and the hash of the last line of the record; 0 and 64 zeros before the first.
	Head(ctx context.Context) (seq int64, hash string, err error)
	// Message returns the message with that key, or ErrNotFound.
	Message(ctx context.Context, key string) (Message, error)
}

// A House is how rolecall itself stands: what Security wants to know of it. The
// mode is the process's own.
type House struct {
	At         time.Time    `json:"at"`
	Policy     PolicyText   `json:"policy"`     // in force, without its text; zero: none was kept yet
	Waits      *Hold        `json:"waits"`      // of a policy that waits; nil: none does
	Population int          `json:"population"` // people with an account
	Breaker    []Gauge      `json:"breaker"`
	Gathering  int          `json:"gathering"` // removals that are still to be judged
	Holds      []Standstill `json:"holds"`
	Cases      []Case       `json:"cases"`
	Sources    []Source     `json:"sources"`
	RollCall   time.Time    `json:"roll_call,omitzero"` // when the last whole one was
	Findings   int          `json:"findings"`
	Record     RecordHead   `json:"record"`
	Ghosts     time.Time    `json:"ghosts,omitzero"` // since when Slack delivers to connections that nobody answers on; zero: it does not
}

// A RecordHead is the last line of the record, by which all before it is known.
type RecordHead struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// A Gauge is how near the breaker is to tripping, for one source or, "", for all together.
type Gauge struct {
	Kind   NoticeKind    `json:"kind"` // Leaver or Mover
	Source string        `json:"source,omitempty"`
	People int           `json:"people"` // who have lost access in the window, or are about to
	Limit  int           `json:"limit"`  // as many are ordinary
	Window time.Duration `json:"window"`
}

// A Standstill is a hold that stands, with what it stops.
type Standstill struct {
	Hold
	Waiting     int          `json:"waiting"`
	Relocations []Relocation `json:"relocations,omitempty"` // where they go, most people first
}

// House returns how the house stands.
func (d *Desk) House(ctx context.Context) (House, error) {
	h := House{At: d.now()}
	policy, err := d.policies.Current(ctx)
	if err != nil {
		return h, fmt.Errorf("read the policy in force: %w", err)
	}
	if h.Policy, err = d.store.PolicyInForce(ctx); err != nil && !errors.Is(err, ErrNotFound) {
		return h, fmt.Errorf("look up the policy in force: %w", err)
	}
	h.Policy.Text = ""
	if h.Population, err = d.store.Population(ctx); err != nil {
		return h, fmt.Errorf("count who has an account: %w", err)
	}
	if err := d.stopped(ctx, &h, policy.Breaker); err != nil {
		return h, err
	}
	if h.Cases, err = d.store.Cases(ctx); err != nil {
		return h, fmt.Errorf("list cases: %w", err)
	}
	if h.Sources, err = d.store.Sources(ctx); err != nil {
		return h, fmt.Errorf("list sources: %w", err)
	}
	if h.RollCall, err = d.store.LastRollCall(ctx); err != nil {
		return h, fmt.Errorf("look up the last roll call: %w", err)
	}
	if h.Record.Seq, h.Record.Hash, err = d.store.Head(ctx); err != nil {
		return h, fmt.Errorf("read the head of the record: %w", err)
	}
	ghosts, err := d.store.Message(ctx, GhostsKey)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return h, fmt.Errorf("look up what Slack counts: %w", err)
	}
	h.Ghosts = GhostsSince(ghosts)
	found, err := d.standing(ctx)
	h.Findings = len(found)
	return h, err
}

// stopped notes what the breaker counts, and what is held.
func (d *Desk) stopped(ctx context.Context, h *House, b Breaker) error {
	removals, err := d.store.Removals(ctx, h.At.Add(-b.Window))
	if err != nil {
		return fmt.Errorf("list removals: %w", err)
	}
	open, err := d.store.Holds(ctx)
	if err != nil {
		return fmt.Errorf("list holds: %w", err)
	}
	h.Breaker, h.Gathering = gauges(removals, b, h.Population, h.At)
	of := map[HoldID][]Removal{}
	for _, r := range removals {
		if r.State == RemovalHeld {
			of[r.Hold] = append(of[r.Hold], r)
		}
	}
	for _, o := range open {
		h.Holds = append(h.Holds, Standstill{Hold: o, Waiting: len(of[o.ID]), Relocations: Relocations(of[o.ID])})
		if o.Kind == HoldPolicy {
			h.Waits = &o
		}
	}
	return nil
}

// gauges returns how many people count, for all sources together and for each
// that has any, and how many removals are still to be judged.
func gauges(removals []Removal, b Breaker, population int, now time.Time) (all []Gauge, queued int) {
	for _, k := range []NoticeKind{Leaver, Mover} {
		people := map[string]map[IdentityID]bool{"": {}}
		for _, r := range removals {
			if r.Kind == k && r.State == RemovalQueued {
				queued++
			}
			if r.Kind != k || !r.Counts() || !r.countedSince(now.Add(-b.Window)) {
				continue
			}
			if people[r.Source] == nil {
				people[r.Source] = map[IdentityID]bool{}
			}
			people[""][r.Identity], people[r.Source][r.Identity] = true, true
		}
		for source, who := range people {
			all = append(all, Gauge{Kind: k, Source: source, People: len(who), Limit: b.limitOf(k, population), Window: b.Window})
		}
	}
	slices.SortFunc(all, func(a, b Gauge) int {
		if a.Kind != b.Kind {
			return strings.Compare(string(a.Kind), string(b.Kind))
		}
		return strings.Compare(a.Source, b.Source)
	})
	return all, queued
}

// countedSince reports whether somebody has lost access by the removal since then,
// or is about to.
func (r Removal) countedSince(t time.Time) bool {
	return r.State == RemovalQueued || r.State == RemovalPassed && !r.At.Before(t)
}
