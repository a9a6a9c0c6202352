package okta

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

// Source is the name of Okta as a source of facts: of its hook and of its log.
const Source = "okta"

const (
	longestID   = 128 // characters; Okta's have 20, and a uuid 36
	longestName = 256
)

// An event is one LogEvent of Okta, as a hook and the System Log have it.
type event struct {
	UUID      string    `json:"uuid"`
	Published time.Time `json:"published"`
	EventType string    `json:"eventType"`
	Outcome   struct {
		Result string `json:"result"`
	} `json:"outcome"`
	Target []target `json:"target"`

	sha256 string // of the event as it was received
}

type target struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	AlternateID string `json:"alternateId"`
	DisplayName string `json:"displayName"`
}

// A meaning is what an event says.
type meaning struct {
	status lifecycle.Status // of whom it is about; "" where it says nothing of it
	values bool             // that something of them has changed, but not what
}

// EventTypes returns the types of event that say something, all of which a hook
// may be subscribed to. Source: Okta, "Event types", those eligible for hooks.
func EventTypes() []string {
	return []string{
		"user.lifecycle.deactivate", "user.lifecycle.delete.initiated", "user.lifecycle.suspend",
		"user.lifecycle.unsuspend", "user.lifecycle.reactivate", "user.lifecycle.activate",
		"user.lifecycle.create", "user.account.update_profile",
		"group.user_membership.add", "group.user_membership.remove",
		"application.user_membership.add", "application.user_membership.remove", "application.user_membership.update",
	}
}

// meaningOf returns what an event of the type says, the zero meaning where it
// says nothing here.
func meaningOf(eventType string) meaning {
	switch eventType {
	case "user.lifecycle.deactivate", "user.lifecycle.delete.initiated":
		return meaning{status: lifecycle.StatusEnded}
	case "user.lifecycle.suspend":
		return meaning{status: lifecycle.StatusSuspended}
	case "user.lifecycle.unsuspend", "user.lifecycle.reactivate", "user.lifecycle.activate":
		return meaning{status: lifecycle.StatusActive}
	default:
		return meaning{values: slices.Contains(EventTypes(), eventType)}
	}
}

// meaning returns what the event says: of what did not come off, nothing.
func (e event) meaning() meaning {
	if e.Outcome.Result != "SUCCESS" {
		return meaning{}
	}
	return meaningOf(e.EventType)
}

// readEvent returns the event that raw is. One that nobody could know again, or
// that says of nobody in particular what matters, is a Refusal; what can be said
// of it is returned with it.
func readEvent(raw json.RawMessage) (event, error) {
	sum := sha256.Sum256(bytes.TrimSpace(raw))
	e := event{sha256: hex.EncodeToString(sum[:])}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, lifecycle.Refuse(lifecycle.ErrInvalid, "an event is no LogEvent: %s", mistyped(err))
	}
	switch {
	case !isID(e.UUID):
		return e, lifecycle.Refuse(lifecycle.ErrInvalid, "an event has no uuid by which a repeat would be known")
	case e.meaning() == meaning{}:
		return e, nil
	case e.Published.IsZero():
		return e, lifecycle.Refuse(lifecycle.ErrInvalid, "event %s does not say when it was published", e.UUID)
	}
	if _, ok := e.user(); !ok {
		return e, lifecycle.Refuse(lifecycle.ErrInvalid, "event %s (%s) must be about one user, with an id", e.UUID, e.EventType)
	}
	return e, nil
}

// isID reports whether s can be an id of Okta's, and a part of a path.
func isID(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return s != "" && len(s) <= longestID && strings.Trim(s, letters) == ""
}

// user returns whom the event is about: the one target that is a user. Two would
// leave open which of them was meant.
func (e event) user() (target, bool) {
	var found target
	n := 0
	for _, t := range e.Target {
		if t.Type == "User" {
			found, n = t, n+1
		}
	}
	return found, n == 1 && isID(found.ID)
}

// fact returns what the event says of somebody's status, and false where it says
// nothing of it. A login that is an address is one to match by.
func (e event) fact() (lifecycle.Fact, bool) {
	m := e.meaning()
	who, ok := e.user()
	if m.status == "" || !ok {
		return lifecycle.Fact{}, false
	}
	p := lifecycle.Person{Status: m.status, Name: intake.Clip(who.DisplayName, longestName)}
	if intake.IsAddress(who.AlternateID) {
		p.Emails = []string{who.AlternateID}
	}
	return lifecycle.Fact{
		Source: Source, EventID: e.UUID, Kind: lifecycle.FactStatus, Key: who.ID, Person: p,
		ObservedAt: e.Published.UTC(), SHA256: e.sha256,
	}, true
}
