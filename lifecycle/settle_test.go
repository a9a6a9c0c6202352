package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// say receives the fact as its source has just sent it, and works what follows.
func (h *house) say(t testing.TB, f lifecycle.Fact) lifecycle.NoticeID {
	t.Helper()
	id := h.sent(t, f)
	h.work(t)
	return id
}

// sent receives the fact, and leaves what follows in the queue.
func (h *house) sent(t testing.TB, f lifecycle.Fact) lifecycle.NoticeID {
	t.Helper()
	h.store.mu.Lock()
	h.store.events++
	f.EventID = fmt.Sprintf("evt_%d", h.store.events)
	h.store.mu.Unlock()
	if f.ObservedAt.IsZero() {
		f.ObservedAt = h.now()
	}
	id, _, err := h.inbox().Receive(t.Context(), f)
	must(t, err)
	return id
}

// piece is what a SCIM client sends of Ben: one attribute after the other.
func piece(change ...func(*lifecycle.Person)) lifecycle.Fact {
	f := from("scim:okta", change...)
	f.Key, f.Piecemeal = "usr_ben", true
	return f
}

func titled(title string) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.Title = title }
}

func TestAChangeSentPieceByPieceIsToldOnceItHasSettled(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		then    func(*testing.T, *house)
		notices []string
		wait    time.Duration // until the notice
	}{
		"three pieces are one move": {then: func(t *testing.T, h *house) {
			h.say(t, piece(titled("Lead")))
			h.later(t, 20*time.Second)
			h.say(t, piece(titled("Lead"), in("Platform")))
			h.later(t, 50*time.Second)
			h.say(t, piece(titled("Lead"), in("Platform"), func(p *lifecycle.Person) { p.Location = "Berlin" }))
		}, wait: time.Minute, notices: []string{"mover Payments → Platform"}},
		"back to where it began is no move": {then: func(t *testing.T, h *house) {
			h.say(t, piece(in("Platform")))
			h.later(t, 20*time.Second)
			h.say(t, piece())
		}, wait: time.Hour},
		"what goes on for ever is told after five minutes": {then: func(t *testing.T, h *house) {
			for k := range 10 {
				h.say(t, piece(in("Platform"), titled(fmt.Sprint(k))))
				h.later(t, 30*time.Second)
			}
		}, notices: []string{"mover Payments → Platform"}},
		"what is urgent does not wait": {then: func(t *testing.T, h *house) {
			f := piece(in("Platform"))
			f.Urgent = true
			h.say(t, f)
		}, notices: []string{"mover Payments → Platform"}},
		"a leaver does not wait, and is told as who they were": {then: func(t *testing.T, h *house) {
			h.say(t, piece(in("Platform")))
			h.say(t, piece(in("Platform"), as("ended")))
		}, notices: []string{"leaver Payments → Platform"}},
		"a source that sends the whole does not wait, and tells what has begun": {then: func(t *testing.T, h *house) {
			h.say(t, piece(in("Platform")))
			h.later(t, time.Second)
			h.say(t, from("hr", in("Platform"), titled("Lead")))
		}, notices: []string{"mover Payments → Platform"}},
		"a suspension in between loses nothing of it": {then: func(t *testing.T, h *house) {
			h.say(t, piece(in("Platform")))
			h.say(t, piece(in("Platform"), as("suspended")))
			h.later(t, time.Hour)
			h.say(t, piece(in("Platform")))
		}, wait: time.Minute, notices: []string{"mover Payments → Platform"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.say(t, piece())
			if diff := cmp.Diff([]string{"joiner  → Payments"}, h.notices(t)); diff != "" {
				t.Fatalf("a joiner does not wait (-want +got):\n%s", diff)
			}
			h.pass(time.Hour)
			tt.then(t, h)
			if tt.wait > 0 {
				h.later(t, tt.wait-time.Second)
				if got := h.notices(t)[1:]; len(got) != 0 {
					t.Errorf("told before it had settled: %v", got)
				}
				h.later(t, time.Second)
			}
			if diff := cmp.Diff(tt.notices, h.notices(t)[1:], equateEmpty); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			h.later(t, time.Hour)
			if got := h.notices(t)[1:]; len(got) != len(tt.notices) || len(h.failed) != 0 || h.who(t, "ben").Moving != nil {
				t.Errorf("an hour later: %v, failed %v, moving %v", got, h.failed, h.who(t, "ben").Moving)
			}
		})
	}
}

// observed makes the source one whose first sync it is.
func (h *house) observed(t *testing.T, source string) lifecycle.Source {
	t.Helper()
	s := lifecycle.Source{Name: source, Revision: 1, FirstSeen: h.now(), LastHeard: h.now(), Observed: true}
	must(t, h.store.SaveSource(t.Context(), s, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventSourceConnected, Ref: source}))
	return s
}

func TestNothingFollowsFromTheFirstSyncOfASource(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.known(t, person("Payments"))
	s := h.observed(t, "scim:okta")
	h.say(t, piece(in("Platform")))
	p := person("Payments")
	p.EmployeeID, p.Name, p.Emails = "E2", "Kim", []string{"kim@acme.test"}
	h.say(t, lifecycle.Fact{Source: "scim:okta", Key: "usr_kim", Person: p, Piecemeal: true})
	h.later(t, time.Hour)
	h.say(t, piece(in("Platform"), as("ended")))
	h.later(t, time.Hour)
	if len(h.notices(t)) != 0 || len(h.requests(t)) != 0 || len(h.cases(t)) != 0 {
		t.Errorf("notices %v, requests %v, cases %v", h.notices(t), h.story(t), h.cases(t))
	}
	if got := h.who(t, "ben"); got.Person.Status != lifecycle.StatusEnded || h.who(t, "kim").Keys["scim:okta"] != "usr_kim" {
		t.Errorf("who people are did not count: Ben is %s, Kim %v", got.Person.Status, h.who(t, "kim").Keys)
	}
	s.Observed, s.StartedAt, s.Revision = false, h.now(), 2
	must(t, h.store.SaveSource(t.Context(), s, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventSourceStarted, Ref: s.Name}))
	h.later(t, time.Minute)
	p.Department = "Platform"
	h.say(t, lifecycle.Fact{Source: "scim:okta", Key: "usr_kim", Person: p, Piecemeal: true})
	h.later(t, time.Hour)
	if diff := cmp.Diff([]string{"mover Payments → Platform"}, h.notices(t)); diff != "" {
		t.Errorf("once it was started (-want +got):\n%s", diff)
	}
}

func TestALastDayAfterTheFirstSyncIsNews(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.observed(t, "scim:okta")
	h.say(t, piece(until("2026-05-31")))
	s.Observed, s.StartedAt, s.Revision = false, h.now().Add(time.Hour), 2
	h.later(t, time.Hour)
	must(t, h.store.SaveSource(t.Context(), s, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventSourceStarted, Ref: s.Name}))
	h.later(t, 40*day)
	if diff := cmp.Diff([]string{"leaver Payments → Payments"}, h.notices(t)); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
}
