package oktatest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// An Event is one line of the System Log, in what of it anybody here reads.
type Event struct {
	UUID      string    `json:"uuid"`
	Published time.Time `json:"published"`
	EventType string    `json:"eventType"`
	Outcome   Outcome   `json:"outcome"`
	Target    []Target  `json:"target"`
}

// Outcome is how it came out.
type Outcome struct {
	Result string `json:"result"`
}

// A Target is what an event is about.
type Target struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	AlternateID string `json:"alternateId"`
	DisplayName string `json:"displayName"`
}

// logged is an event as it is kept, with all that surrounds it.
type logged struct {
	Event
	raw json.RawMessage
}

// Log returns every event so far, the oldest first.
func (o *Org) Log() []Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]Event, len(o.log))
	for i, l := range o.log {
		all[i] = l.Event
	}
	return all
}

// Write puts an event into the log as it stands, also one that Okta would never write.
func (o *Org) Write(raw json.RawMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var e Event
	_ = json.Unmarshal(raw, &e) //nolint:errcheck // what does not fit is served as it is
	o.keep(logged{Event: e, raw: raw})
}

func (o *Org) write(eventType, result string, about ...Target) {
	e := Event{UUID: o.uuid(), Published: o.now(), EventType: eventType, Outcome: Outcome{Result: result}, Target: about}
	raw, err := json.Marshal(map[string]any{
		"uuid": e.UUID, "published": e.Published.Format("2006-01-02T15:04:05.000Z"), "eventType": e.EventType, "version": "0", "severity": "INFO",
		"displayMessage": eventType, "legacyEventType": nil, "outcome": map[string]any{"result": result, "reason": nil}, "target": about,
		"actor":        map[string]any{"id": "00uADMIN", "type": "User", "alternateId": "hr-sync@acme.test", "displayName": "HR sync"},
		"client":       map[string]any{"ipAddress": "203.0.113.9", "userAgent": map[string]any{"rawUserAgent": "HR/1"}},
		"transaction":  map[string]any{"type": "WEB", "id": "t" + e.UUID, "detail": map[string]any{}},
		"debugContext": map[string]any{"debugData": map[string]any{"requestUri": "/api/v1/users"}},
	})
	if err != nil {
		panic(fmt.Sprintf("oktatest: write %s: %v", eventType, err))
	}
	o.keep(logged{Event: e, raw: raw})
}

func (o *Org) keep(l logged) {
	if o.hook.wants(l.EventType) {
		o.pending = append(o.pending, len(o.log))
	}
	o.log = append(o.log, l)
}

// uuid returns the next one: the same in every run of a test.
func (o *Org) uuid() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "event %d", len(o.log)))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// since returns the places in the log of what was published at t or later.
func (o *Org) since(t time.Time, types []string) []int {
	var places []int
	for i, l := range o.log {
		if !l.Published.Before(t) && (types == nil || slices.Contains(types, l.EventType)) {
			places = append(places, i)
		}
	}
	return places
}
