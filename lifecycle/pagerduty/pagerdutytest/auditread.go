package pagerdutytest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Sources of these limits: PagerDuty's OpenAPI document and its page on the Audit Records API.
const (
	auditWindow    = 24 * time.Hour
	auditMaxWindow = 31 * 24 * time.Hour
	auditRetention = 12                         // months
	auditStamp     = "2006-01-02T15:04:05.000Z" // millisecond precision
)

// listAudit is for the account's keys, its apps, and the tokens of owners and admins.
func listAudit(c *call) reply {
	if u := c.live(c.who.userID); u != nil && u.Role != Admin && u.Role != Owner {
		return forbidden("Only admins and account owners may list all audit records")
	}
	keepIt, bad := auditFilter(c)
	if bad != nil {
		return *bad
	}
	return c.auditPage(keepIt)
}

// auditOf lists the changes whose root is one thing. Any key that may read the thing may read them; the plan must have
// audit trails all the same, as the document lists 402 here too.
func auditOf(typ string, exists func(c *call, id string) bool) func(*call) reply {
	return func(c *call) reply {
		id := c.r.PathValue("id")
		if !exists(c, id) {
			return notFound()
		}
		return c.auditPage(func(r AuditRecord) bool { return r.Root.ID == id && r.Root.Type == typ+"_reference" })
	}
}

// auditPage answers with a page of the records that match, newest first.
func (c *call) auditPage(keepIt func(AuditRecord) bool) reply {
	if !c.can(AbilityAudit) {
		return needsAbility("The audit trail is not included in the plan")
	}
	over, bad := c.span(c.at.Add(-auditWindow), c.at)
	if bad != nil {
		return *bad
	}
	if over.to.Sub(over.from) > auditMaxWindow {
		return invalid("The date range must not be longer than 31 days")
	}
	limit, before, bad := c.cursor()
	if bad != nil {
		return *bad
	}
	rows, next := []obj{}, any(nil)
	for _, r := range slices.Backward(c.records) {
		within := !r.At.Before(over.from) && !r.At.After(over.to) && c.appeared(r) && (before == 0 || r.Seq < before)
		if !within || !keepIt(r) {
			continue
		}
		if len(rows) == limit {
			next = cursorTo(r.Seq + 1)
			break
		}
		rows = append(rows, c.drawRecord(r))
	}
	return ok(obj{"records": rows, "limit": limit, "next_cursor": next})
}

// appeared reports whether calls see the record: not yet for as long as Config.AuditDelay, and no more after a year.
func (c *call) appeared(r AuditRecord) bool {
	return !c.at.Before(r.At.Add(c.cfg.AuditDelay)) && r.At.After(c.at.AddDate(0, -auditRetention, 0))
}

// auditFilter reads the filters other than time.
func auditFilter(c *call) (func(AuditRecord) bool, *reply) {
	roots, bad := oneOf(c, "root_resource_types[]", "users", "teams", "schedules", "escalation_policies", "services", "ip_allow_lists")
	if bad != nil {
		return nil, bad
	}
	actions, bad := oneOf(c, "actions[]", "create", "update", "delete")
	if bad != nil {
		return nil, bad
	}
	q := c.r.URL.Query()
	if q.Get("method_truncated_token") != "" && q.Get("method_type") == "" {
		return nil, new(invalid("method_truncated_token needs method_type"))
	}
	if q.Get("actor_id") != "" && q.Get("actor_type") == "" {
		return nil, new(invalid("actor_id needs actor_type"))
	}
	return func(r AuditRecord) bool {
		root := collection(strings.TrimSuffix(r.Root.Type, "_reference"))
		return anyOf(roots, func(t string) bool { return t == root }) &&
			anyOf(actions, func(x string) bool { return x == r.Action }) &&
			asked(q, "actor_type", r.Actor.Type) && asked(q, "actor_id", r.Actor.ID) &&
			asked(q, "method_type", r.Method) && asked(q, "method_truncated_token", r.Tail)
	}, nil
}

func asked(q url.Values, key, have string) bool { return q.Get(key) == "" || q.Get(key) == have }

func (a *Account) drawRecord(r AuditRecord) obj {
	method := obj{"type": r.Method, "description": nil, "truncated_token": nil}
	if r.Tail != "" {
		method["truncated_token"] = r.Tail
	}
	var actors any // null when nobody is named
	if r.Actor != (Ref{}) {
		actors = []obj{a.ref(r.Actor)}
	}
	details := obj{"resource": a.ref(r.Resource)}
	if len(r.Fields) > 0 {
		details["fields"] = each(r.Fields, func(f AuditField) obj {
			return obj{"name": f.Name, "description": nil, "value": orNull(f.Value), "before_value": orNull(f.Before)}
		})
	}
	if len(r.References) > 0 {
		details["references"] = each(r.References, func(x AuditReference) obj {
			return obj{"name": x.Name, "description": nil, "added": each(x.Added, a.ref), "removed": each(x.Removed, a.ref)}
		})
	}
	return obj{
		"id": fmt.Sprintf("PDRECORDID%08d_AUDIT", r.Seq), "self": nil, "execution_time": r.At.UTC().Format(auditStamp),
		"execution_context": obj{"request_id": r.RequestID, "remote_address": "203.0.113.7"},
		"actors":            actors, "method": method, "root_resource": a.ref(r.Root), "action": r.Action,
		"details": details,
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
