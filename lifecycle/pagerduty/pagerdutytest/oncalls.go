package pagerdutytest

import (
	"slices"
	"time"
)

// An onCallEntry is one answer to who is called by which level of which policy. Without a schedule it has no beginning or end.
type onCallEntry struct {
	policy   *EscalationPolicy
	level    int
	schedule string
	shift
}

const onCallHorizon = 90 * 24 * time.Hour

func listOnCalls(c *call) reply {
	with, bad := includes(c, "escalation_policies", "users", "schedules")
	if bad != nil {
		return *bad
	}
	over, bad := c.ahead(0)
	if bad != nil {
		return *bad
	}
	if over.to.Sub(over.from) > onCallHorizon || over.to.Sub(c.at) > onCallHorizon {
		return invalid("Time range must not be longer than 90 days")
	}
	all := c.onCalls(over)
	if c.r.URL.Query().Get("earliest") == "true" {
		all = earliest(all)
	}
	return list(c, "oncalls", all, func(e onCallEntry) obj { return c.drawOnCall(e, with) })
}

// onCalls returns the entries of a span that the call's filters let pass. An on-call without a schedule is also found by
// the schedule id null.
func (c *call) onCalls(over span) []onCallEntry {
	q := c.r.URL.Query()
	var all []onCallEntry
	for _, p := range c.policies.all() {
		if !anyOf(q["escalation_policy_ids[]"], func(id string) bool { return id == p.ID }) {
			continue
		}
		for i, r := range p.Rules {
			for _, t := range r.Targets {
				all = append(all, c.onCallsOf(p, i+1, t, over)...)
			}
		}
	}
	return slices.DeleteFunc(all, func(e onCallEntry) bool {
		return !anyOf(q["user_ids[]"], func(id string) bool { return id == e.user }) ||
			!anyOf(q["schedule_ids[]"], func(id string) bool { return id == e.schedule || id == "null" && e.schedule == "" })
	})
}

func (c *call) onCallsOf(p *EscalationPolicy, level int, t Target, over span) []onCallEntry {
	if t.Type == userReference {
		return []onCallEntry{{policy: p, level: level, shift: shift{user: t.ID}}}
	}
	var out []onCallEntry
	for _, sh := range c.shiftsAround(t.ID, over) {
		out = append(out, onCallEntry{policy: p, level: level, schedule: t.ID, shift: sh})
	}
	return out
}

// shiftsAround returns the whole shifts of a schedule of either kind that have a moment in a span.
func (a *Account) shiftsAround(schedule string, over span) []shift {
	if s := a.schedules.get(schedule); s != nil {
		return a.around(schedule, over, s.reach(), s.render)
	}
	if s := a.shifts.get(schedule); s != nil {
		return a.around(schedule, over, s.reach(), s.render)
	}
	return nil
}

// calledBy returns whom a target calls at a moment.
func (a *Account) calledBy(t Target, at time.Time) []string {
	if t.Type == userReference {
		return []string{t.ID}
	}
	var out []string
	for _, s := range a.shiftsAround(t.ID, span{at, at}) {
		out = append(out, s.user)
	}
	return out
}

// onSchedule reports whether a user has a place on a schedule of either kind. An override alone is none.
func (a *Account) onSchedule(user string) bool {
	at := a.now()
	return slices.ContainsFunc(a.schedules.all(), func(s *Schedule) bool { return s.seats(user, at) }) ||
		slices.ContainsFunc(a.shifts.all(), func(s *ShiftSchedule) bool { return s.seats(user, at) })
}

// earliest keeps the first entry of each policy, level and user.
func earliest(all []onCallEntry) []onCallEntry {
	type key struct {
		policy string
		level  int
		user   string
	}
	seen := map[key]bool{}
	slices.SortStableFunc(all, func(x, y onCallEntry) int { return x.from.Compare(y.from) })
	return slices.DeleteFunc(all, func(e onCallEntry) bool {
		k := key{e.policy.ID, e.level, e.user}
		defer func() { seen[k] = true }()
		return seen[k]
	})
}

func (c *call) drawOnCall(e onCallEntry, with map[string]bool) obj {
	o := obj{
		"escalation_policy": c.policyRef(e.policy.ID), "escalation_level": e.level, "user": c.userRef(e.user),
		"schedule": nil, "start": nil, "end": nil,
	}
	if with["escalation_policies"] {
		o["escalation_policy"] = c.drawPolicy(e.policy, nil)
	}
	if u := c.view.user(e.user); with["users"] && u != nil {
		o["user"] = c.drawUser(u, nil)
	}
	if e.schedule == "" {
		return o
	}
	o["schedule"], o["start"], o["end"] = c.scheduleRef(e.schedule), stamp(e.from), stamp(e.to)
	if s := c.schedules.get(e.schedule); with["schedules"] && s != nil {
		o["schedule"] = c.drawSchedule(s)
	}
	return o
}
