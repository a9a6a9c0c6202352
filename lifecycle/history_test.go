package lifecycle_test

import (
	"context"
	"slices"
	"time"

	"rolecall/lifecycle"
)

// history is what PagerDuty tells beside its accounts.
type history struct {
	coverage  lifecycle.Coverage
	blind     []string
	meanwhile func()                       // happens while a snapshot is taken
	unlisted  map[lifecycle.AccountID]bool // there, and missed by a listing
	noGone    error
	signals   map[lifecycle.AccountID]lifecycle.Signal
	noUsage   error
	traces    []lifecycle.Trace
	noTraces  error
	asked     []time.Time // since when traces were asked for
	reach     lifecycle.Reach
	noReach   error
	looks     int // at how somebody is reached
}

func (p *pager) Activity(context.Context) (map[lifecycle.AccountID]lifecycle.Signal, error) {
	return through(p.faults, func() (map[lifecycle.AccountID]lifecycle.Signal, error) { return p.signals, p.noUsage })
}

func (p *pager) Traces(_ context.Context, since, until time.Time) ([]lifecycle.Trace, error) {
	return through(p.faults, func() ([]lifecycle.Trace, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, since)
		return slices.DeleteFunc(slices.Clone(p.traces), func(t lifecycle.Trace) bool { return t.At.Before(since) || t.At.After(until) }), p.noTraces
	})
}

func (p *pager) Gone(_ context.Context, ids []lifecycle.AccountID) ([]lifecycle.AccountID, error) {
	return through(p.faults, func() ([]lifecycle.AccountID, error) {
		return slices.DeleteFunc(slices.Clone(ids), func(id lifecycle.AccountID) bool {
			_, there := p.see(id)
			return there
		}), p.noGone
	})
}

func (p *pager) Reach(context.Context, lifecycle.AccountID) (lifecycle.Reach, error) {
	return through(p.faults, func() (lifecycle.Reach, error) {
		p.looks++
		return p.reach, p.noReach
	})
}

// risen is the trace of Ben's base role, made by Sam in the web app.
func risen(at time.Time, to lifecycle.BaseRole) lifecycle.Trace {
	return lifecycle.Trace{
		ID: "PDAR1", At: at, Op: lifecycle.OpReplace, Account: "PBEN",
		Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: string(to)},
		From:        string(lifecycle.RoleResponder), To: string(to), By: "PSAM", ByName: "Sam Ito", Way: lifecycle.WayBrowser,
	}
}
