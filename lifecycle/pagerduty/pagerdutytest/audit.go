package pagerdutytest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An AuditRecord is one configuration change as PagerDuty remembers it.
type AuditRecord struct {
	Seq        int // counts up from 1
	At         time.Time
	RequestID  string
	Actor      Ref
	Method     string // browser, oauth, api_token, identity_provider, other
	Tail       string // the credential's last four characters; empty for a browser
	Root       Ref
	Action     string // create, update, delete
	Resource   Ref
	Fields     []AuditField
	References []AuditReference
}

// An AuditField is an attribute that changed.
type AuditField struct{ Name, Before, Value string }

// An AuditReference is a relation that changed.
type AuditReference struct {
	Name           string
	Added, Removed []Ref
}

// An author is who makes a change, and how.
type author struct {
	at        time.Time
	requestID string
	actor     Ref
	method    string
	tail      string
}

func (c *call) author() author {
	return author{at: c.at, requestID: c.id, actor: c.who.actor, method: c.who.method, tail: c.who.tail()}
}

// record remembers a change. A record without a resource is about its root.
func (a *Account) record(by author, r AuditRecord) {
	a.recorded++
	r.Seq, r.At, r.RequestID = int(a.recorded), by.at, by.requestID
	r.Actor, r.Method, r.Tail = by.actor, by.method, by.tail
	if r.Resource == (Ref{}) {
		r.Resource = r.Root
	}
	a.records = capped(append(a.records, r))
}

// AuditRecords returns what was recorded, oldest first.
func (a *Account) AuditRecords() []AuditRecord {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.records)
}

const (
	auditWindow    = 24 * time.Hour
	auditMaxWindow = 31 * 24 * time.Hour
)

func listAudit(c *call) reply {
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
	keepIt, bad := auditFilter(c)
	if bad != nil {
		return *bad
	}
	rows, next := []obj{}, any(nil)
	for _, r := range slices.Backward(c.records) {
		within := !r.At.Before(over.from) && !r.At.After(over.to) && (before == 0 || r.Seq < before)
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
		"id": fmt.Sprintf("PDRECORDID%08d_AUDIT", r.Seq), "self": nil, "execution_time": r.At.UTC().Format(time.RFC3339Nano),
		"execution_context": obj{"request_id": r.RequestID, "remote_address": "203.0.113.7"},
		"actors":            []obj{a.ref(r.Actor)}, "method": method, "root_resource": a.ref(r.Root), "action": r.Action,
		"details": details,
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
