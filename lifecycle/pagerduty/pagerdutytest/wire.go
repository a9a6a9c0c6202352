package pagerdutytest

import (
	"strings"
	"time"
)

const apiBase = "https://api.pagerduty.com" // what self links say in every region

// A Ref points at a thing: Type ends in _reference.
type Ref struct{ ID, Type, Summary string }

// collection is where things of a type live in the API.
func collection(typ string) string {
	switch typ {
	case "escalation_policy":
		return "escalation_policies"
	case "schedule_v3":
		return "v3/schedules"
	default:
		return typ + "s"
	}
}

// head begins the object of a thing, or a reference when typ says so.
func (a *Account) head(typ, id, summary string) obj {
	base := strings.TrimSuffix(typ, "_reference")
	place := collection(base) + "/" + id
	return obj{
		"id": id, "type": typ, "summary": summary,
		"self": apiBase + "/" + place, "html_url": "https://" + a.cfg.Subdomain + ".pagerduty.com/" + place,
	}
}

// ref draws a reference. Keys, apps and what a user has have no page of their own.
func (a *Account) ref(r Ref) obj {
	if r.Type == "api_key_reference" || r.Type == "app_reference" || strings.Contains(r.Type, "_contact_method_") ||
		strings.Contains(r.Type, "_notification_rule_") {
		return obj{"id": r.ID, "type": r.Type, "summary": r.Summary, "self": nil, "html_url": nil}
	}
	return a.head(r.Type, r.ID, r.Summary)
}

// userRef refers to a user. One who was deleted is a placeholder with deleted_at and without links; that shape was seen in
// rendered schedules only, for other places it is the fake's guess.
func (a *Account) userRef(id string) obj {
	u := a.users[id]
	if u == nil {
		return a.head("user_reference", id, "")
	}
	o := a.head("user_reference", id, u.Name)
	if !u.DeletedAt.IsZero() {
		o["self"], o["html_url"], o["deleted_at"] = nil, nil, stamp(u.DeletedAt)
	}
	return o
}

func (a *Account) teamRef(id string) obj {
	return a.head("team_reference", id, nameOf(a.teams.get(id), func(t *Team) string { return t.Name }))
}

func (a *Account) policyRef(id string) obj {
	return a.head("escalation_policy_reference", id,
		nameOf(a.policies.get(id), func(p *EscalationPolicy) string { return p.Name }))
}

// scheduleRef refers to a schedule as the kind that it is now: an upgraded one is referred to as such everywhere.
func (a *Account) scheduleRef(id string) obj {
	if s := a.shifts.get(id); s != nil {
		return a.shiftHead(shiftReference, s)
	}
	return a.head(scheduleReference, id, nameOf(a.schedules.get(id), func(s *Schedule) string { return s.Name }))
}

func (a *Account) serviceRef(id string) obj {
	return a.head("service_reference", id, nameOf(a.services.get(id), func(s *Service) string { return s.Name }))
}

func nameOf[T any](v *T, name func(*T) string) string {
	if v == nil {
		return ""
	}
	return name(v)
}

// each draws every element, as an array that is never null.
func each[T any](all []T, draw func(T) obj) []obj {
	out := make([]obj, 0, len(all))
	for _, v := range all {
		out = append(out, draw(v))
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
