package pagerdutytest

import (
	"slices"
	"time"
)

// An AuditRecord is one configuration change as PagerDuty remembers it.
type AuditRecord struct {
	Seq        int // counts up from 1
	At         time.Time
	RequestID  string
	Actor      Ref    // empty when nobody is named
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

// record remembers a change. A record without a resource is about its root. An identity provider acts on behalf of a user:
// in PagerDuty's example that is the one who is changed.
func (a *Account) record(by author, r AuditRecord) {
	a.recorded++
	r.Seq, r.At, r.RequestID = int(a.recorded), by.at, by.requestID
	r.Actor, r.Method, r.Tail = by.actor, by.method, by.tail
	if r.Resource == (Ref{}) {
		r.Resource = r.Root
	}
	if by.method == methodDirectory {
		r.Actor = r.about()
	}
	a.records = capped(append(a.records, r))
}

// about returns the user whom the record is about, or nothing.
func (r AuditRecord) about() Ref {
	for _, ref := range []Ref{r.Resource, r.Root} {
		if ref.Type == "user_reference" {
			return ref
		}
	}
	for _, x := range r.References {
		for _, ref := range slices.Concat(x.Added, x.Removed) {
			if ref.Type == "user_reference" {
				return ref
			}
		}
	}
	return Ref{}
}

// AuditRecords returns what was recorded, oldest first, those included that calls do not see yet.
func (a *Account) AuditRecords() []AuditRecord {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.records)
}
