package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	remembered = 365 * 24 * time.Hour // PagerDuty keeps its audit records for twelve months
	lateBy     = time.Hour            // a record may appear so long after the change

	untold = "PagerDuty's audit records do not tell who made it so."
)

// name asks PagerDuty's audit records who made what is new. That nobody can be
// named is no reason to give up the roll call, and is said.
func (c *RollCall) name(ctx context.Context, r RollResult) (RollResult, error) {
	if len(r.unnamed) == 0 {
		return r, nil
	}
	last, err := c.store.LastRollCall(ctx)
	if err != nil {
		return r, fmt.Errorf("look up the last roll call: %w", err)
	}
	since, until := last.Add(-lateBy), c.now()
	if oldest := until.Add(-remembered); since.Before(oldest) {
		since = oldest
	}
	traces, err := c.platform.Traces(ctx, since, until)
	if err != nil {
		why := ReasonOf(err)
		if why == "" {
			why = "PagerDuty's audit records could not be read, so nobody is named: " + err.Error()
		}
		r.Blind = append(r.Blind, why)
		return r.replace(noted(pick(r.Open, r.unnamed), why)), nil
	}
	ours, err := c.ours(ctx, since)
	if err != nil {
		return r, err
	}
	r.alarms = alarms(traces, ours)
	return r.replace(Explain(pick(r.Open, r.unnamed), traces, ours)), nil
}

// ours returns the requests that may have been written to PagerDuty since then.
func (c *RollCall) ours(ctx context.Context, since time.Time) ([]Request, error) {
	ours, err := c.store.Requests(ctx, RequestFilter{Since: since.Add(-clockSkew)})
	if err != nil {
		return nil, fmt.Errorf("list requests since %s: %w", since.UTC().Format(time.RFC3339), err)
	}
	return ours, nil
}

// replace puts the findings in the place of those with their ids.
func (r RollResult) replace(found []Finding) RollResult {
	by := make(map[FindingID]Finding, len(found))
	for _, f := range found {
		by[f.ID] = f
	}
	for i, f := range r.Open {
		if is, ok := by[f.ID]; ok {
			r.Open[i] = is
		}
	}
	SortFindings(r.Open)
	return r
}

func noted(found []Finding, why string) []Finding {
	for i := range found {
		found[i] = found[i].noting(why)
	}
	return found
}

func (f Finding) noting(why string) Finding {
	if f.Note != "" {
		why = f.Note + " " + why
	}
	f.Note = why
	return f
}

// Explain returns the findings with who made each so: of the traces that
// explain what is held now, the newest. What was made with rolecall's own key is
// rolecall's only where a request of ours says so; else somebody else has the
// key, and that is of high severity.
func Explain(found []Finding, traces []Trace, ours []Request) []Finding {
	last := newest(traces)
	found = slices.Clone(found)
	for i, f := range found {
		t, told := last.explain(f)
		if !told {
			found[i] = f.noting(untold)
			continue
		}
		by, known := t.request(ours)
		f.MadeBy = t.words(by, f.Since)
		if f.Foreign = t.Ours && !known; f.Foreign {
			f.Severity = SeverityHigh
		}
		found[i] = f
	}
	return found
}

// A record is the newest trace of everything that one account may hold.
type record map[AccountID]roles

type roles map[heldKey]Trace

type heldKey struct {
	kind EntitlementKind
	team TeamID
}

func newest(traces []Trace) record {
	r := record{}
	for _, t := range traces {
		if t.Account == "" { // a team was deleted: nobody holds anything by that
			continue
		}
		key := heldKey{t.Entitlement.Kind, t.Entitlement.Team.ID}
		if r[t.Account] == nil {
			r[t.Account] = roles{}
		}
		if was, ok := r[t.Account][key]; !ok || !t.At.Before(was.At) {
			r[t.Account][key] = t
		}
	}
	return r
}

// explain returns the trace that made what the finding is about as it is.
func (r record) explain(f Finding) (Trace, bool) {
	of := r[f.Account.ID]
	created, isNew := of[heldKey{kind: KindAccount}]
	switch {
	case f.Entitlement.Kind == KindAccount && isNew && !f.regained():
		return created, true
	case f.Entitlement.Kind == KindAccount:
		return of.given(f.From)
	}
	t, told := of[heldKey{f.Entitlement.Kind, f.Entitlement.Team.ID}]
	switch {
	case told:
		return t, t.gives(f.From)
	case f.Entitlement.Kind == KindBaseRole && isNew: // the role that it was created with
		return created, created.gives(f.From)
	default:
		return Trace{}, false
	}
}

// given returns the newest trace that gave the account anything it holds still,
// of which base is its base role.
func (of roles) given(base string) (Trace, bool) {
	var last Trace
	for key, t := range of {
		role := t.To
		if key.kind == KindBaseRole {
			role = base
		}
		if t.gives(role) && !t.At.Before(last.At) {
			last = t
		}
	}
	return last, last.ID != "" || !last.At.IsZero()
}

// gives reports whether the account holds the role by the trace. PagerDuty does
// not always say which role it was.
func (t Trace) gives(role string) bool {
	return (t.Op == OpGrant || t.Op == OpReplace || t.Op == OpCreate) && (t.To == "" || t.To == role)
}
