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
	if over.to.Sub(over.from) > onCallHorizon {
		return invalid("Time range must not be longer than 90 days")
	}
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
	all = slices.DeleteFunc(all, func(e onCallEntry) bool {
		return !anyOf(q["user_ids[]"], func(id string) bool { return id == e.user }) ||
			!anyOf(q["schedule_ids[]"], func(id string) bool { return id == e.schedule })
	})
	if q.Get("earliest") == "true" {
		all = earliest(all)
	}
	return list(c, "oncalls", all, func(e onCallEntry) obj { return c.drawOnCall(e, with) })
}

func (c *call) onCallsOf(p *EscalationPolicy, level int, t Target, over span) []onCallEntry {
	if t.Type == "user_reference" {
		return []onCallEntry{{policy: p, level: level, shift: shift{user: t.ID}}}
	}
	s := c.schedules.get(t.ID)
	if s == nil {
		return nil
	}
	shifts := render(s.Layers, over)
	if now, on := turnAt(s.Layers, over.from); on {
		if len(shifts) > 0 && shifts[0].user == now.user {
			shifts = shifts[1:]
		}
		shifts = slices.Insert(shifts, 0, now)
	}
	var out []onCallEntry
	for _, sh := range shifts {
		out = append(out, onCallEntry{policy: p, level: level, schedule: s.ID, shift: sh})
	}
	return out
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
	if with["schedules"] {
		o["schedule"] = c.drawSchedule(c.schedules.get(e.schedule))
	}
	return o
}
