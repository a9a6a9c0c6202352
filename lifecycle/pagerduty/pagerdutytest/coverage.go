package pagerdutytest

import (
	"fmt"
	"slices"
	"time"
)

// A Gap is a level of a policy, or a schedule, that a write left without anybody who exists.
type Gap struct {
	At           time.Time
	Method, Path string // of the write; empty when nobody wrote and a seat ended by itself
	What         string // such as: level 2 of escalation policy PABC1 "Core"
}

func (g Gap) String() string {
	if g.Method == "" {
		return "time passed: " + g.What
	}
	return g.Method + " " + g.Path + ": " + g.What
}

// cover is what the account knows of who covers what. Its owner holds the lock.
type cover struct {
	known  bool            // empty is how it was after the last write
	empty  map[string]bool // by id of schedule or rule
	looked time.Time
	gaps   []Gap
}

// A vacancy is what has nobody now. Key is the id of the schedule or of the rule, whatever it is called and wherever it is.
type vacancy struct{ key, text string }

// Gaps says what has nobody now: each level of a policy that calls neither a user who exists nor a schedule that has one,
// and each schedule on which no user who exists has a seat. Seats in layers and events that are over do not count, nor do
// empty members, overrides and custom shifts.
func (a *Account) Gaps() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []string{}
	for _, v := range a.uncovered(a.now()) {
		out = append(out, v.text)
	}
	return out
}

// GapsSeen returns whatever became empty by a write of a client, or by time, since the account was made or Forget was
// called, oldest first. What people do in the web app leaves no gap here, nor what was empty from the beginning.
func (a *Account) GapsSeen() []Gap {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cover.known {
		a.note(nil, a.now(), true)
	}
	return slices.Clone(a.cover.gaps)
}

func (a *Account) uncovered(at time.Time) []vacancy {
	var out []vacancy
	manned := map[string]bool{}
	look := func(id, name string, has bool) {
		if manned[id] = has; !has {
			out = append(out, vacancy{id, fmt.Sprintf("schedule %s %q", id, name)})
		}
	}
	for _, s := range a.schedules.all() {
		look(s.ID, s.Name, slices.ContainsFunc(s.Layers, func(l Layer) bool { return !l.ended(at) && a.anyLive(l.UserIDs) }))
	}
	for _, s := range a.shifts.all() {
		look(s.ID, s.Name, slices.ContainsFunc(s.Rotations, func(r Rotation) bool {
			return slices.ContainsFunc(r.Events, func(e Event) bool { return !e.past(at) && a.anyLive(e.Members) })
		}))
	}
	for _, p := range a.policies.all() {
		for i, r := range p.Rules {
			if !a.reaches(r, manned) {
				out = append(out, vacancy{r.ID, fmt.Sprintf("level %d of escalation policy %s %q", i+1, p.ID, p.Name)})
			}
		}
	}
	return out
}

func (a *Account) reaches(r Rule, manned map[string]bool) bool {
	for _, t := range r.Targets {
		if manned[t.ID] || a.live(t.ID) != nil {
			return true
		}
	}
	return false
}

func (a *Account) anyLive(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return a.live(id) != nil })
}

// settle takes what is empty as given: the account is being made, or a person did it.
func (a *Account) settle() {
	a.cover.known = false
	a.bump()
}

// lookBefore notes what ran empty by itself since the last look, so that no write is blamed for it.
func (a *Account) lookBefore(c *call) {
	if c.route.duty && (!a.cover.known || !a.cover.looked.Equal(c.at)) {
		a.note(nil, c.at, a.cover.known)
	}
}

// lookAfter notes what the write left empty.
func (a *Account) lookAfter(c *call, changed bool) {
	if c.route.duty && changed {
		a.note(c, c.at, true)
	}
}

func (a *Account) note(c *call, at time.Time, blame bool) {
	empty := map[string]bool{}
	for _, v := range a.uncovered(at) {
		empty[v.key] = true
		if !blame || a.cover.empty[v.key] {
			continue
		}
		g := Gap{At: at, What: v.text}
		if c != nil {
			g.Method, g.Path = c.r.Method, c.r.URL.RequestURI()
		}
		a.cover.gaps = capped(append(a.cover.gaps, g))
	}
	a.cover.known, a.cover.empty, a.cover.looked = true, empty, at
}
