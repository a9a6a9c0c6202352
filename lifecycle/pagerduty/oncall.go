package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// unseen is what no key can see.
const unseen = "Roles on single objects and other people's API keys cannot be seen by API."

// An onCall is every policy and schedule, with what the domain need not know of them. Where some of it could not be read,
// closed says why, and nothing else is to be relied on.
type onCall struct {
	policies []policyRow
	rotas    []rota // by id
	blind    []string
	closed   error // a Refusal
}

// An onCallReader reads all policies and schedules by one of the ways to PagerDuty.
type onCallReader struct {
	*Client
	api    api
	expect func(calls int) // told of calls that will follow
}

// readOnCall reads every policy and every schedule of both kinds, or returns an error. What the key may not read is no
// error, and is told by closed. A plan without shift-based schedules (402, 404) has none.
func (c *Client) readOnCall(ctx context.Context, r onCallReader) (onCall, error) {
	for try := 1; ; try++ {
		on, err := r.read(ctx)
		switch {
		case errors.Is(err, errMoved) && try < sweeps:
			continue
		case errors.Is(err, errMoved) && lifecycle.ReasonOf(err) != "": // a schedule that stays out of sight
			return onCall{closed: err}, nil
		case err != nil && mayNotRead(err):
			return onCall{closed: explain(err)}, nil
		}
		return on, err
	}
}

func mayNotRead(err error) bool {
	e, is := asAnswer(err)
	return is && (e.status == http.StatusForbidden || e.status == http.StatusPaymentRequired)
}

func (r onCallReader) read(ctx context.Context) (on onCall, err error) {
	g, within := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		l := r.listPolicies(r.api)
		l.ahead = r.expect
		on.policies, err = l.all(within)
		return err
	})
	var rotas map[string]rota
	g.Go(func() (err error) {
		rotas, on.blind, err = r.bothKinds(within)
		return err
	})
	if err := g.Wait(); err != nil {
		return on, err
	}
	if err := r.follow(ctx, on.policies, rotas); err != nil {
		return on, err
	}
	on.blind = append(on.blind, strangeTargets(on.policies)...)
	for _, id := range sortedKeys(rotas) {
		on.rotas = append(on.rotas, rotas[id])
	}
	return on, nil
}

// bothKinds reads the schedules of layers and then those of shifts. Upgrades go that way only, so one that is upgraded
// meanwhile is in one of the lists, or in both, and never in neither.
func (r onCallReader) bothKinds(ctx context.Context) (map[string]rota, []string, error) {
	l := r.listLayers(r.api)
	l.ahead = r.expect
	layered, err := l.all(ctx)
	if err != nil {
		return nil, nil, err
	}
	rotas, at := make(map[string]rota, len(layered)), r.now()
	for _, s := range layered {
		if s.Layers == nil {
			if s, err = r.api.layers(ctx, s.ID, nil); errors.Is(err, errOtherKind) {
				continue // upgraded or deleted since
			} else if err != nil {
				return nil, nil, err
			}
		}
		rotas[s.ID] = s.rota(at)
	}
	shifts, err := listShifts(r.api).all(ctx)
	if e, is := asAnswer(err); is && (e.status == http.StatusPaymentRequired || e.status == http.StatusNotFound) {
		return rotas, []string{"PagerDuty shows no shift-based schedules on this plan."}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return rotas, nil, r.shiftBased(ctx, shifts, rotas)
}

// shiftBased reads each of the schedules, since their list has nothing but references.
func (r onCallReader) shiftBased(ctx context.Context, all []pointer, rotas map[string]rota) error {
	r.expect(len(all))
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.cfg.Concurrency)
	for _, p := range all {
		g.Go(func() error {
			s, err := r.api.shifts(ctx, p.ID, nil)
			if errors.Is(err, errOtherKind) {
				return nil // deleted since
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			rotas[p.ID] = s.rota(r.now(), r.cfg.Lead)
			return nil
		})
	}
	return g.Wait()
}

// follow looks for each schedule that a policy calls and no list had, in both APIs. PagerDuty deletes none that is called,
// so one that is nowhere means that the policy has changed meanwhile, or that the key does not see all.
func (r onCallReader) follow(ctx context.Context, policies []policyRow, rotas map[string]rota) error {
	for _, p := range policies {
		for i, rule := range p.Rules {
			for _, t := range rule.Targets {
				_, is := t.calls()
				if _, had := rotas[t.ID]; !is || had {
					continue
				}
				found, err := r.seek(ctx, t.ID)
				if errors.Is(err, errOtherKind) {
					return &outOfSightError{lifecycle.Refuse(lifecycle.ErrForbidden, "Level %d of %s calls the schedule %s, which rolecall's key cannot see. Who answers there is not known.", i+1, clean(p.name(), 80), clean(t.name(), 80))}
				}
				if err != nil {
					return err
				}
				rotas[t.ID] = found
			}
		}
	}
	return nil
}

// An outOfSightError is a schedule that is called and is nowhere to be seen.
type outOfSightError struct{ refusal error }

func (e *outOfSightError) Error() string   { return e.refusal.Error() }
func (e *outOfSightError) Unwrap() []error { return []error{e.refusal, errMoved} }

// seek reads a schedule whose kind is not known.
func (r onCallReader) seek(ctx context.Context, id string) (rota, error) {
	shifts, err := r.api.shifts(ctx, id, nil)
	if err == nil {
		return shifts.rota(r.now(), r.cfg.Lead), nil
	}
	if !errors.Is(err, errOtherKind) {
		return rota{}, err
	}
	layers, err := r.api.layers(ctx, id, nil)
	if err != nil {
		return rota{}, err
	}
	return layers.rota(r.now()), nil
}

// strangeTargets says which kinds of target there are that this program does not know.
func strangeTargets(policies []policyRow) []string {
	var kinds []string
	for _, p := range policies {
		for _, rule := range p.Rules {
			for _, t := range rule.Targets {
				if account, rota := t.calls(); !account && !rota && !slices.Contains(kinds, t.Type) {
					kinds = append(kinds, t.Type)
				}
			}
		}
	}
	var blind []string
	for _, k := range kinds {
		blind = append(blind, fmt.Sprintf("Some escalation policies call %q, which rolecall does not know: who answers there is not seen.", clean(k, 60)))
	}
	return blind
}

// goneNames are those who were deleted, by id, and what they were called.
type goneNames map[string]string

// coverage puts all of it into the domain's words.
func (on onCall) coverage(gone goneNames) lifecycle.Coverage {
	is := lifecycle.Coverage{Policies: make([]lifecycle.Escalation, len(on.policies)), Rotas: make([]lifecycle.Rota, len(on.rotas))}
	for i, p := range on.policies {
		is.Policies[i] = p.escalation(gone)
	}
	for i, r := range on.rotas {
		is.Rotas[i] = r.inWords(gone)
	}
	return is
}

// everyone returns all who are called or seated, by id, as the place that tells most of them does: shift-based schedules
// tell ids only.
func (on onCall) everyone() map[string]pointer {
	all := map[string]pointer{}
	add := func(p pointer) {
		was := all[p.ID]
		if was.name() == "" && p.name() != "" {
			was.Summary = p.name()
		}
		was.ID = p.ID
		was.Deleted = cmp.Or(was.Deleted, p.Deleted)
		all[p.ID] = was
	}
	for _, p := range on.policies {
		for _, rule := range p.Rules {
			for _, t := range rule.Targets {
				if account, _ := t.calls(); account {
					add(t)
				}
			}
		}
	}
	for _, r := range on.rotas {
		for _, p := range r.seated {
			add(p)
		}
	}
	return all
}

// goneAs returns what a deleted user was called.
func (p pointer) goneAs() string {
	if name := clean(p.name(), 80); name != "" {
		return name
	}
	return "a deleted user (" + clean(p.ID, 40) + ")"
}
