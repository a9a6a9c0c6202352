package bot_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"rolecall/lifecycle"
)

// memory keeps what a database would, for one test: revisions guard writes,
// and every write leaves its line and its jobs.
type memory struct {
	lifecycle.HouseReader // nothing here asks how the house stands
	lifecycle.FactStore   // nor says anything of anybody

	mu         sync.Mutex
	policy     lifecycle.Policy
	requests   map[lifecycle.RequestID]lifecycle.Request
	identities map[lifecycle.IdentityID]lifecycle.Identity
	accounts   []lifecycle.Account
	found      []lifecycle.Finding
	exceptions []lifecycle.Exception
	absences   []lifecycle.Absence
	groups     map[lifecycle.GroupID]lifecycle.Group
	originals  map[lifecycle.ChangeID]lifecycle.Original
	messages   []lifecycle.Message
	digests    map[string]time.Time
	cases      map[lifecycle.CaseID]lifecycle.Case
	holds      map[lifecycle.HoldID]lifecycle.Hold
	removals   map[lifecycle.HoldID][]lifecycle.Removal
	sources    map[string]lifecycle.Source
	events     []lifecycle.AuditEvent
	jobs       []lifecycle.Job
	called     time.Time
	now        func() time.Time

	// slow, when set, is waited for before any request is loaded.
	slow chan struct{}
	// broken, when set, is what loading a request fails with.
	broken error
	// boom makes loading a request panic.
	boom bool
}

func newMemory(p lifecycle.Policy) *memory {
	return &memory{
		policy: p, now: func() time.Time { return today }, groups: map[lifecycle.GroupID]lifecycle.Group{}, requests: map[lifecycle.RequestID]lifecycle.Request{},
		identities: map[lifecycle.IdentityID]lifecycle.Identity{}, digests: map[string]time.Time{},
		cases: map[lifecycle.CaseID]lifecycle.Case{}, holds: map[lifecycle.HoldID]lifecycle.Hold{}, removals: map[lifecycle.HoldID][]lifecycle.Removal{}, sources: map[string]lifecycle.Source{},
	}
}

// Current returns the policy, with who is in its groups.
func (m *memory) Current(ctx context.Context) (lifecycle.Policy, error) {
	return lifecycle.NewTerms(asWritten{m}, m, m.now).Current(ctx)
}

// asWritten is the policy without that.
type asWritten struct{ m *memory }

func (w asWritten) Current(context.Context) (lifecycle.Policy, error) { return w.m.policy, nil }

func (m *memory) Record(_ context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.write(e, next)
	return nil
}

// write leaves the line and the jobs of a write. The caller holds mu.
func (m *memory) write(e lifecycle.AuditEvent, next []lifecycle.Job) {
	m.events = append(m.events, e)
	m.jobs = append(m.jobs, next...)
}

func (m *memory) Request(ctx context.Context, id lifecycle.RequestID) (lifecycle.Request, error) {
	m.mu.Lock()
	slow, broken, boom := m.slow, m.broken, m.boom
	m.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return lifecycle.Request{}, ctx.Err()
		}
	}
	if boom {
		panic("the store is gone")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.requests[id]
	if broken != nil {
		return r, broken
	}
	if !ok {
		return r, fmt.Errorf("request %s: %w", id, lifecycle.ErrNotFound)
	}
	return r, nil
}

func (m *memory) SaveRequest(_ context.Context, r lifecycle.Request, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saveRequest(r, e, next)
}

func (m *memory) saveRequest(r lifecycle.Request, e lifecycle.AuditEvent, next []lifecycle.Job) error {
	was, ok := m.requests[r.ID]
	switch {
	case r.Revision == 1 && ok:
		return lifecycle.ErrDuplicate
	case r.Revision != 1 && r.Revision <= was.Revision:
		return lifecycle.ErrConflict
	}
	m.requests[r.ID] = r
	m.write(e, next)
	return nil
}

func (m *memory) KeepFinding(_ context.Context, r lifecycle.Request, x lifecycle.Exception, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.saveRequest(r, e, next); err != nil {
		return err
	}
	m.exceptions = append(m.exceptions, x)
	return nil
}

func (m *memory) IdentitiesByEmail(_ context.Context, email string) ([]lifecycle.Identity, error) {
	return m.having(func(i lifecycle.Identity) bool { return i.Person.Email() == email }), nil
}

func (m *memory) Identity(_ context.Context, id lifecycle.IdentityID) (lifecycle.Identity, error) {
	hits := m.having(func(i lifecycle.Identity) bool { return i.ID == id })
	if len(hits) == 0 {
		return lifecycle.Identity{}, lifecycle.ErrNotFound
	}
	return hits[0], nil
}

func (m *memory) IdentityByKey(_ context.Context, source, key string) (lifecycle.Identity, error) {
	hits := m.having(func(i lifecycle.Identity) bool { return key != "" && i.Keys[source] == key })
	if len(hits) == 0 {
		return lifecycle.Identity{}, lifecycle.ErrNotFound
	}
	return hits[0], nil
}

func (m *memory) Original(_ context.Context, id lifecycle.ChangeID) (lifecycle.Original, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.originals[id]
	if !ok {
		return o, lifecycle.ErrNotFound
	}
	return o, nil
}

func (m *memory) TeamManagers(context.Context, lifecycle.TeamID) ([]lifecycle.Account, error) {
	return nil, nil
}

func (m *memory) Absences(_ context.Context, at time.Time) ([]lifecycle.Absence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.absences), func(a lifecycle.Absence) bool { return !a.At(at) }), nil
}

func (m *memory) Absence(_ context.Context, id lifecycle.AbsenceID) (lifecycle.Absence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.absences {
		if a.ID == id {
			return a, nil
		}
	}
	return lifecycle.Absence{}, lifecycle.ErrNotFound
}

func (m *memory) AbsencesOf(_ context.Context, who lifecycle.IdentityID, at time.Time) ([]lifecycle.Absence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.absences), func(a lifecycle.Absence) bool { return a.Identity != who || !at.Before(a.Over()) }), nil
}

func (m *memory) SaveAbsence(_ context.Context, a lifecycle.Absence, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.absences = append(slices.DeleteFunc(m.absences, func(was lifecycle.Absence) bool { return was.ID == a.ID }), a)
	m.events, m.jobs = append(m.events, e), append(m.jobs, next...)
	return nil
}

func (m *memory) Granted(_ context.Context, t time.Time) ([]lifecycle.Request, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var runs []lifecycle.Request
	for _, r := range m.requests {
		if r.Runs(t) {
			runs = append(runs, r)
		}
	}
	return runs, nil
}

func (m *memory) Groups(context.Context) ([]lifecycle.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.groups)), nil
}

func (m *memory) SaveGroup(_ context.Context, g lifecycle.Group, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups[g.ID].Revision+1 != g.Revision {
		return lifecycle.ErrConflict
	}
	m.groups[g.ID] = g
	m.write(e, next)
	return nil
}

func (m *memory) GroupRead(_ context.Context, id lifecycle.GroupID, t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.groups[id]
	g.ReadAt = t
	m.groups[id] = g
	return nil
}

func (m *memory) Enqueue(_ context.Context, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.jobs = append(m.jobs, next...)
	return nil
}

func (m *memory) IdentityBySlack(_ context.Context, id lifecycle.SlackID) (lifecycle.Identity, error) {
	hits := m.having(func(i lifecycle.Identity) bool { return i.Slack == id })
	if len(hits) == 0 {
		return lifecycle.Identity{}, lifecycle.ErrNotFound
	}
	return hits[0], nil
}

func (m *memory) having(wanted func(lifecycle.Identity) bool) []lifecycle.Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	var hits []lifecycle.Identity
	for _, id := range slices.Sorted(maps.Keys(m.identities)) {
		if wanted(m.identities[id]) {
			hits = append(hits, m.identities[id])
		}
	}
	return hits
}

func (m *memory) SaveIdentity(_ context.Context, i lifecycle.Identity, _ *lifecycle.Notice, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.Revision != m.identities[i.ID].Revision+1 {
		return lifecycle.ErrConflict
	}
	m.identities[i.ID] = i
	m.write(e, next)
	return nil
}

func (m *memory) Requests(_ context.Context, f lifecycle.RequestFilter) ([]lifecycle.Request, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []lifecycle.Request
	for _, r := range m.requests {
		if (f.Subject == "" || r.Subject.ID == f.Subject) && (f.Account == "" || r.Account.ID == f.Account) &&
			(!f.Open || r.State.Open()) && (len(f.States) == 0 || slices.Contains(f.States, r.State)) && !r.UpdatedAt.Before(f.Since) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b lifecycle.Request) int { return a.OpenedAt.Compare(b.OpenedAt) })
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[len(out)-f.Limit:]
	}
	return out, nil
}

func (m *memory) Findings(_ context.Context, t time.Time) ([]lifecycle.Finding, []lifecycle.Exception, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ended := func(x lifecycle.Exception) bool { return !t.Before(x.Until) }
	return slices.Clone(m.found), slices.DeleteFunc(slices.Clone(m.exceptions), ended), nil
}

func (m *memory) Baseline(context.Context) ([]lifecycle.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.accounts), nil
}

func (m *memory) LastRollCall(context.Context) (time.Time, error) { return m.called, nil }

func (m *memory) LastDigest(_ context.Context, email string) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.digests[email], nil
}

func (m *memory) SaveDigest(_ context.Context, email string, at time.Time, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.digests[email] = at
	m.write(e, next)
	return nil
}

func (m *memory) Message(_ context.Context, key string) (lifecycle.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range m.messages {
		if msg.Key == key {
			return msg, nil
		}
	}
	return lifecycle.Message{}, lifecycle.ErrNotFound
}

func (m *memory) Messages(_ context.Context, id lifecycle.RequestID) ([]lifecycle.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.messages), func(msg lifecycle.Message) bool { return msg.Request != id }), nil
}

func (m *memory) SaveMessage(_ context.Context, msg lifecycle.Message, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.messages, func(was lifecycle.Message) bool { return was.Key == msg.Key })
	if i < 0 {
		m.messages = append(m.messages, msg)
	} else {
		m.messages[i] = msg
	}
	m.write(e, next)
	return nil
}

// reviewed keeps what came of a press on a finding.
func (m *memory) reviewed(r lifecycle.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[r.ID] = r
	for i, f := range m.found {
		if f.ID == r.Why.Find {
			m.found[i].Request = r.ID
		}
	}
}

// request returns the request as it stands now.
func (m *memory) request(id lifecycle.RequestID) lifecycle.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests[id]
}

// recorded returns how many lines of the kind the trail has.
func (m *memory) recorded(kind lifecycle.EventKind) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, e := range m.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// change edits the memory under its lock.
func (m *memory) change(f func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m)
}

func (m *memory) Tallies(context.Context, lifecycle.Date) ([]lifecycle.Tally, error) {
	return nil, nil
}
