package secevent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const mostTold = 10 // events of one token that a line names

// disables reports whether an event says that an account was disabled. The names
// of drafts of RFC 9967 were written with capitals, so that case means nothing.
func disables(uri string) bool {
	switch strings.ToLower(uri) {
	case "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
		"urn:ietf:params:scim:event:prov:deactivate":
		return true
	default:
		return false
	}
}

// A reading is what a token comes to: facts, and what is only put on the record.
type reading struct {
	facts []lifecycle.Fact
	heard []string
}

// read returns what the token comes to, or a *refusal: of an event whose time
// cannot be read nobody knows whether something newer has been said.
func (c claims) read(sum [sha256.Size]byte) (reading, error) {
	var r reading
	for _, uri := range slices.Sorted(maps.Keys(c.events)) {
		event, _ := c.events[uri].(map[string]any)
		about := c.about(event)
		if !disables(uri) || about.isNobody() {
			r.heard = append(r.heard, told(uri, about))
			continue
		}
		f := c.fact(about)
		f.SHA256 = hex.EncodeToString(sum[:])
		if event["event_timestamp"] != nil {
			at, ok := momentOf(event["event_timestamp"])
			if !ok {
				return reading{}, refuse(errRequest, "event_timestamp must say when the event was, in seconds or milliseconds")
			}
			f.ObservedAt = at
		}
		if !slices.ContainsFunc(r.facts, func(o lifecycle.Fact) bool { return o.EventID == f.EventID }) {
			r.facts = append(r.facts, f)
		}
	}
	return r, nil
}

// about returns whom an event is about: the token says it, or the event does.
func (c claims) about(event map[string]any) subject {
	if s := subjectOf(c.sub); !s.isNobody() {
		return s
	}
	return subjectOf(event["subject"])
}

// fact returns that the account of somebody was disabled. Its id is the same for
// every token of one transaction about them, and for every repeat of one token.
func (c claims) fact(about subject) lifecycle.Fact {
	id := "jti:" + c.jti
	if c.txn != "" {
		id = "txn:" + c.txn
	}
	who := sha256.Sum256([]byte(c.issuer.Name + "\x00" + about.key + "\x00" + lifecycle.FoldEmail(about.email)))
	f := lifecycle.Fact{
		Source: c.issuer.Source, EventID: id + "/" + hex.EncodeToString(who[:8]), Kind: lifecycle.FactDisabled, Key: about.key,
		Person: lifecycle.Person{Status: lifecycle.StatusSuspended}, ObservedAt: c.at,
	}
	if about.email != "" {
		f.Person.Emails = []string{about.email}
	}
	return f
}

// told returns an event as a line of the trail has it.
func told(uri string, about subject) string {
	who := first(about.key, about.email)
	if who == "" {
		who = "nobody that it names in a way that is known here"
	}
	return fmt.Sprintf("%s about %s", intake.Clip(uri, 100), intake.Clip(who, 60))
}

// line returns what was heard and has no effect.
func (r reading) line() string {
	said := r.heard[:min(len(r.heard), mostTold)]
	line := "a security event that has no effect: " + strings.Join(said, ", ")
	if more := len(r.heard) - len(said); more > 0 {
		line += fmt.Sprintf(", and %d more", more)
	}
	return line
}
