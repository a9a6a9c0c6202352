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

// security is what the domain would say to those who answer and release, over the
// memory: the rules are its own, and only as many of them as the bot shows.
type security struct{ *memory }

func (s security) may(by lifecycle.Identity, about ...lifecycle.IdentityID) error {
	switch {
	case !slices.Contains(s.policy.Security.Members, by.Person.Email()):
		return lifecycle.Refuse(lifecycle.ErrForbidden, "Only %s can decide this. You can still comment in the thread.", strings.Join(s.policy.Security.Members, " or "))
	case slices.Contains(about, by.ID):
		return lifecycle.Refuse(lifecycle.ErrForbidden, "no one decides on their own access")
	}
	return nil
}

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

func (m *memory) Holds(ctx context.Context) ([]lifecycle.Hold, error) {
	return braking{security{m}}.Open(ctx)
}

func (m *memory) Cases(ctx context.Context) ([]lifecycle.Case, error) {
	return matching{security{m}}.Open(ctx)
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

func (m *memory) Sources(context.Context) ([]lifecycle.Source, error) { return nil, nil }

func (m *memory) PolicyInForce(context.Context) (lifecycle.PolicyText, error) {
	return lifecycle.PolicyText{SHA256: m.policy.SHA256, At: today}, nil
}

func (m *memory) Population(context.Context) (int, error) { return len(m.accounts), nil }

// matching is the part of the house that asks who is who.
type matching struct{ security }

func (s matching) Case(_ context.Context, id lifecycle.CaseID) (lifecycle.Case, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.cases[id]
	return missing(c, ok)
}

func (s matching) Open(context.Context) ([]lifecycle.Case, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []lifecycle.Case
	for _, id := range slices.Sorted(maps.Keys(s.cases)) {
		if s.cases[id].Open() {
			open = append(open, s.cases[id])
		}
	}
	return open, nil
}

func (s matching) Answer(_ context.Context, a lifecycle.CaseAnswer) (lifecycle.Case, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.cases[a.Case]
	if !ok {
		return c, lifecycle.ErrNotFound
	}
	if err := s.may(a.By, c.Identity); err != nil {
		return c, err
	}
	takes := a.Answer == lifecycle.AnswerLeft || a.Answer == lifecycle.AnswerBack || strings.HasPrefix(a.Answer, "idn_")
	switch {
	case !c.Open():
		return c, lifecycle.Refuse(lifecycle.ErrConflict, "This has been answered already, by %s: %s.", c.By, c.Answer)
	case a.Seen != c.Revision:
		return c, lifecycle.Refuse(lifecycle.ErrConflict, "This question has changed since.")
	case !slices.ContainsFunc(c.Options, func(o lifecycle.CaseOption) bool { return o.Answer == a.Answer }):
		return c, lifecycle.Refuse(lifecycle.ErrInvalid, "%q is no answer to this.", a.Answer)
	case takes && a.Reason == "":
		return c, lifecycle.Refuse(lifecycle.ErrInvalid, "say why")
	}
	c.Revision++
	c.Answer, c.Reason, c.Via, c.By, c.ByID = a.Answer, a.Reason, a.Via, a.By.Person.Email(), a.By.ID
	s.cases[c.ID] = c
	s.write(lifecycle.AuditEvent{Kind: lifecycle.EventCaseAnswered, Ref: string(c.ID)}, nil)
	return c, nil
}

// braking is the part of the house that stops what is too much at once.
type braking struct{ security }

func (s braking) Open(context.Context) ([]lifecycle.Hold, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []lifecycle.Hold
	for _, id := range slices.Sorted(maps.Keys(s.holds)) {
		if s.holds[id].Open() {
			open = append(open, s.holds[id])
		}
	}
	return open, nil
}

func (m *memory) RemovalsOf(_ context.Context, id lifecycle.HoldID) ([]lifecycle.Removal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.removals[id]), nil
}

// turn gives those of the removals that are named, or all, a new state, and
// reports whether none is left that waits.
func (m *memory) turn(id lifecycle.HoldID, all bool, only []lifecycle.NoticeID, to lifecycle.RemovalState) (done bool) {
	done = true
	for i, r := range m.removals[id] {
		if r.State == lifecycle.RemovalHeld && (all || slices.Contains(only, r.Notice)) {
			m.removals[id][i].State = to
		}
		done = done && m.removals[id][i].State != lifecycle.RemovalHeld
	}
	return done
}

func (s braking) Propose(_ context.Context, r lifecycle.Release) (lifecycle.Hold, error) {
	return s.settle(r, func(h lifecycle.Hold) (lifecycle.Hold, error) {
		d := lifecycle.HoldDecision{By: r.By.Person.Email(), ByID: r.By.ID, What: "propose", All: r.All, Only: r.Only, Reason: r.Reason, Via: r.Via}
		same := h.Proposal != nil && !s.lapsed && h.Proposal.All == r.All && slices.Equal(h.Proposal.Only, r.Only)
		switch {
		case !r.All && len(r.Only) == 0:
			return h, lifecycle.Refuse(lifecycle.ErrInvalid, "say which")
		case same && h.Proposal.ByID == r.By.ID:
			return h, lifecycle.Refuse(lifecycle.ErrForbidden, "You have proposed this yourself: a second person of Security confirms it.")
		case same:
			d.What, h.State, h.Proposal = "release", lifecycle.HoldStands, nil
			if s.turn(h.ID, r.All, r.Only, lifecycle.RemovalPassed) {
				h.State = lifecycle.HoldReleased
			}
		case r.Reason == "":
			return h, lifecycle.Refuse(lifecycle.ErrInvalid, "say why")
		default:
			h.State = lifecycle.HoldProposed
			h.Proposal = &lifecycle.ReleaseProposal{All: r.All, Only: r.Only, By: d.By, ByID: d.ByID, Seen: len(s.removals[h.ID]), Made: h.Revision + 1}
		}
		h.Decisions = append(h.Decisions, d)
		return h, nil
	})
}

func (s braking) Refuse(_ context.Context, r lifecycle.Release) (lifecycle.Hold, error) {
	return s.settle(r, func(h lifecycle.Hold) (lifecycle.Hold, error) {
		if r.Reason == "" {
			return h, lifecycle.Refuse(lifecycle.ErrInvalid, "say why")
		}
		h.State, h.Proposal = lifecycle.HoldRefused, nil
		s.turn(h.ID, true, nil, lifecycle.RemovalRefused)
		h.Decisions = append(h.Decisions, lifecycle.HoldDecision{By: r.By.Person.Email(), ByID: r.By.ID, What: "refuse", Reason: r.Reason, Via: r.Via})
		return h, nil
	})
}

func (s braking) settle(r lifecycle.Release, how func(lifecycle.Hold) (lifecycle.Hold, error)) (lifecycle.Hold, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.holds[r.Hold]
	if !ok {
		return h, lifecycle.ErrNotFound
	}
	var about []lifecycle.IdentityID
	for _, one := range s.removals[r.Hold] {
		about = append(about, one.Identity)
	}
	if err := s.may(r.By, about...); err != nil {
		return h, err
	}
	switch {
	case !h.Open():
		return h, lifecycle.Refuse(lifecycle.ErrConflict, "This was settled already: it is %s.", h.State)
	case r.Seen != h.Revision:
		return h, lifecycle.Refuse(lifecycle.ErrConflict, "This has changed since you looked.")
	}
	is, err := how(h)
	if err != nil {
		return h, err
	}
	is.Revision++
	s.holds[h.ID] = is
	s.write(lifecycle.AuditEvent{Kind: lifecycle.EventHoldProposed, Ref: string(h.ID)}, nil)
	return is, nil
}

// feeding is the part of the house that knows the sources.
type feeding struct{ security }

func (s feeding) Start(_ context.Context, name string, by lifecycle.Identity, via lifecycle.Via) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.may(by); err != nil {
		return err
	}
	for id, h := range s.holds {
		if h.Source != name || h.Kind != lifecycle.HoldSource {
			continue
		}
		if !h.Open() {
			return lifecycle.Refuse(lifecycle.ErrConflict, "%s was started already.", name)
		}
		h.State, h.Revision = lifecycle.HoldReleased, h.Revision+1
		h.Decisions = append(h.Decisions, lifecycle.HoldDecision{By: by.Person.Email(), ByID: by.ID, What: "release", All: true, Via: via})
		s.holds[id] = h
	}
	return nil
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
