package bot_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

func missing[T any](v T, ok bool) (T, error) {
	if !ok {
		return v, lifecycle.ErrNotFound
	}
	return v, nil
}

func (m *memory) Hold(_ context.Context, id lifecycle.HoldID) (lifecycle.Hold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.holds[id]
	return missing(h, ok)
}

func (m *memory) Holds(context.Context) ([]lifecycle.Hold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var open []lifecycle.Hold
	for _, id := range slices.Sorted(maps.Keys(m.holds)) {
		if m.holds[id].Open() {
			open = append(open, m.holds[id])
		}
	}
	return open, nil
}

func (m *memory) Cases(context.Context) ([]lifecycle.Case, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var open []lifecycle.Case
	for _, id := range slices.Sorted(maps.Keys(m.cases)) {
		if m.cases[id].Open() {
			open = append(open, m.cases[id])
		}
	}
	return open, nil
}

func (m *memory) Removals(context.Context, time.Time) ([]lifecycle.Removal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []lifecycle.Removal
	for _, id := range slices.Sorted(maps.Keys(m.removals)) {
		all = append(all, m.removals[id]...)
	}
	return all, nil
}

func (m *memory) RemovalsAbout(ctx context.Context, who lifecycle.IdentityID) ([]lifecycle.Removal, error) {
	all, err := m.Removals(ctx, time.Time{})
	return slices.DeleteFunc(all, func(r lifecycle.Removal) bool { return r.Identity != who }), err
}

func (m *memory) Sources(context.Context) ([]lifecycle.Source, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []lifecycle.Source
	for _, name := range slices.Sorted(maps.Keys(m.sources)) {
		all = append(all, m.sources[name])
	}
	return all, nil
}

func (m *memory) Source(_ context.Context, name string) (lifecycle.Source, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sources[name]
	return missing(s, ok)
}

func (m *memory) SaveSource(_ context.Context, s lifecycle.Source, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources[s.Name] = s
	m.write(e, next)
	return nil
}

func (m *memory) HeardSource(context.Context, string, time.Time) error { return nil }

func (m *memory) PolicyInForce(context.Context) (lifecycle.PolicyText, error) {
	return lifecycle.PolicyText{SHA256: m.policy.SHA256, At: today}, nil
}

func (m *memory) PolicyText(_ context.Context, sha string) (lifecycle.PolicyText, error) {
	return missing(lifecycle.PolicyText{SHA256: sha}, true)
}

func (m *memory) KeepPolicy(_ context.Context, _ lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return m.Record(context.Background(), e, next...)
}

func (m *memory) EnforcePolicy(_ context.Context, _ lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return m.Record(context.Background(), e, next...)
}

func (m *memory) BaselineByEmail(_ context.Context, email string) ([]lifecycle.Account, error) {
	return slices.DeleteFunc(slices.Clone(m.accounts), func(a lifecycle.Account) bool { return lifecycle.FoldEmail(a.Email) != email }), nil
}

func (m *memory) Head(context.Context) (int64, string, error) { return 7, strings.Repeat("7", 64), nil }

func (m *memory) Population(context.Context) (int, error) { return len(m.accounts), nil }

// answering is as much of a store as answering a case takes.
type answering struct {
	lifecycle.MatcherStore // of the rest nothing is asked
	m                      *memory
}

func (a answering) Case(_ context.Context, id lifecycle.CaseID) (lifecycle.Case, error) {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	c, ok := a.m.cases[id]
	return missing(c, ok)
}

func (a answering) Cases(ctx context.Context) ([]lifecycle.Case, error) { return a.m.Cases(ctx) }

func (a answering) SaveCase(_ context.Context, c lifecycle.Case, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	if c.Revision != a.m.cases[c.ID].Revision+1 {
		return lifecycle.ErrConflict
	}
	a.m.cases[c.ID] = c
	a.m.write(e, next)
	return nil
}

func (a answering) Identity(ctx context.Context, id lifecycle.IdentityID) (lifecycle.Identity, error) {
	return a.m.Identity(ctx, id)
}

func (a answering) IdentitiesByEmail(ctx context.Context, email string) ([]lifecycle.Identity, error) {
	return a.m.IdentitiesByEmail(ctx, email)
}

func (a answering) Record(ctx context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return a.m.Record(ctx, e, next...)
}

func (m *memory) RemovalsOf(_ context.Context, id lifecycle.HoldID) ([]lifecycle.Removal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.removals[id]), nil
}

func (m *memory) SaveHold(_ context.Context, h lifecycle.Hold, removals []lifecycle.Removal, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h.Revision != m.holds[h.ID].Revision+1 {
		return lifecycle.ErrConflict
	}
	m.holds[h.ID] = h
	m.turn(removals)
	m.write(e, next)
	return nil
}

func (m *memory) SaveRemovals(_ context.Context, removals []lifecycle.Removal, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(removals)
	m.write(e, next)
	return nil
}

// turn stores the state of removals that wait. The caller holds mu.
func (m *memory) turn(removals []lifecycle.Removal) {
	for _, r := range removals {
		for i, was := range m.removals[r.Hold] {
			if was.Notice == r.Notice && was.State == lifecycle.RemovalHeld {
				m.removals[r.Hold][i] = r
			}
		}
	}
}

// opened puts a case into the store.
func (h *house) opened(c lifecycle.Case) lifecycle.Case {
	h.store.change(func(m *memory) { m.cases[c.ID] = c })
	return c
}

// stopAll puts a hold of n people of two departments into the store.
func (h *house) stopAll(n int) lifecycle.Hold {
	hold := lifecycle.Hold{ID: "hld_1", Kind: lifecycle.HoldLeavers, Revision: 1, Source: "scim:okta", State: lifecycle.HoldStands, Why: "Too many at once.", Limit: 5, Population: 80, OpenedAt: today}
	h.store.change(func(m *memory) {
		m.holds[hold.ID] = hold
		for i := range n {
			m.removals[hold.ID] = append(m.removals[hold.ID], lifecycle.Removal{
				Notice: lifecycle.NoticeID(fmt.Sprintf("ntc_%02d", i)), Kind: lifecycle.Leaver, Identity: lifecycle.IdentityID(fmt.Sprintf("idn_x%d", i)),
				Label: fmt.Sprintf("Person %02d", i), Department: []string{"Payments", "Sales"}[i%2], At: today, State: lifecycle.RemovalHeld, Hold: hold.ID, Joined: 1,
			})
		}
	})
	return hold
}

// shown runs the step that puts the card up, and returns its ts.
func (h *house) shown(t testing.TB, kind lifecycle.JobKind, ref string) string {
	t.Helper()
	if err := h.bot.Handlers()[kind](t.Context(), lifecycle.Attempt{Ref: ref}); err != nil {
		t.Fatal(err)
	}
	m, err := h.store.Message(t.Context(), map[lifecycle.JobKind]string{lifecycle.JobCase: "case/", lifecycle.JobHold: "hold/"}[kind]+ref)
	if err != nil {
		t.Fatal(err)
	}
	return m.TS
}
