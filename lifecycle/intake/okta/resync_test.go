package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake/okta/oktatest"
)

func mina() map[string]any {
	return map[string]any{
		"login": "mina.ito@acme.test", "email": "Mina.Ito@acme.test", "secondEmail": "mina@home.test", "firstName": "Mina", "lastName": "Ito",
		"department": "Payments", "title": "SRE II", "employeeNumber": "E1042", "managerId": "E0007", "manager": "Ada L.", "countryCode": "JP", "city": "Tokyo",
		"timezone": "Asia/Tokyo", "userType": "Employee", "mobilePhone": "+81 90 0000 0000",
	}
}

func TestAUserIsReadWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.resync = h.newResync(t, true)
	id := h.org.AddUser(mina())
	for i := range 250 { // more than a page
		h.org.AddToGroup(id, fmt.Sprintf("g%03d", i))
	}
	h.clock.advance(time.Second)
	h.org.AddToGroup(id, "oncall-payments")
	for more := true; more; {
		err := h.resync.Run(t.Context())
		if more = errors.Is(err, errMore); err != nil && !more {
			t.Fatal(err)
		}
	}
	got := h.store.facts[len(h.store.facts)-1]
	if len(got.Person.Groups) != 251 || got.Person.Groups[250] != "oncall-payments" {
		t.Errorf("%d groups", len(got.Person.Groups))
	}
	got.Person.Groups = nil
	log := h.org.Log()
	want := lifecycle.Fact{
		ID: got.ID, Source: "okta", EventID: "user/" + id + "@" + log[len(log)-1].UUID, Key: id, Piecemeal: true,
		Person: lifecycle.Person{
			EmployeeID: "E1042", Status: lifecycle.StatusActive, Emails: []string{"Mina.Ito@acme.test", "mina@home.test"}, Name: "Mina Ito",
			Department: "Payments", Location: "Tokyo", Country: "JP", Title: "SRE II", Employment: lifecycle.Employee, ManagerID: "E0007", Timezone: "Asia/Tokyo",
		},
		ObservedAt: morning.Add(time.Second), ReceivedAt: h.clock.now(), SHA256: got.SHA256,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fact (-want +got):\n%s", diff)
	}
}

func TestTheStatusOfAUserIsWhatItMeans(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]lifecycle.Status{
		oktatest.Staged: lifecycle.StatusActive, oktatest.Provisioned: lifecycle.StatusActive, oktatest.Active: lifecycle.StatusActive,
		oktatest.Recovery: lifecycle.StatusActive, oktatest.Expired: lifecycle.StatusActive, oktatest.LockedOut: lifecycle.StatusActive,
		oktatest.Suspended: lifecycle.StatusSuspended, oktatest.Deprovisioned: lifecycle.StatusEnded, "GONE_FISHING": "",
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t).withOrg(t, oktatest.Config{})
			id := h.org.AddUser(mina())
			h.org.SetStatus(id, status)
			must(t, h.resync.Run(t.Context()))
			var got lifecycle.Status
			for _, f := range h.store.facts {
				if f.Kind == lifecycle.FactState {
					got = f.Person.Status
				}
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if refused := len(h.store.lines(lifecycle.EventNoticeRefused)); refused != 0 != (want == "") {
				t.Errorf("%d lines of a status that nobody knows", refused)
			}
		})
	}
}

func TestAProfileIsTakenAsItStandsOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change map[string]any
		line   string
		look   func(lifecycle.Person) string
		want   string
	}{
		"a zone that is none is silence":          {change: map[string]any{"timezone": "Tokyo time"}, look: func(p lifecycle.Person) string { return p.Timezone }},
		"the zone of this machine is nobody's":    {change: map[string]any{"timezone": "Local"}, look: func(p lifecycle.Person) string { return p.Timezone }},
		"a user type that is none is silence":     {change: map[string]any{"userType": "Rock star"}, look: func(p lifecycle.Person) string { return string(p.Employment) }},
		"a contractor is one":                     {change: map[string]any{"userType": " CONTRACTOR"}, look: func(p lifecycle.Person) string { return string(p.Employment) }, want: "contractor"},
		"the display name is what they go by":     {change: map[string]any{"displayName": "Minako"}, look: func(p lifecycle.Person) string { return p.Name }, want: "Minako"},
		"a login stands in for an address":        {change: map[string]any{"email": nil, "secondEmail": nil}, look: func(p lifecycle.Person) string { return fmt.Sprint(p.Emails) }, want: "[mina.ito@acme.test]"},
		"a department that was taken away is not": {change: map[string]any{"department": nil}, look: func(p lifecycle.Person) string { return p.Department }},
		"a line break":                            {change: map[string]any{"department": "Pay\nments"}, line: "okta | Okta's log: user 00u00000000000000001 has a department that is longer than 256 characters or has a control character in it"},
		"a novel":                                 {change: map[string]any{"title": strings.Repeat("x", 257)}, line: "okta | Okta's log: user 00u00000000000000001 has a title that is longer than 256 characters or has a control character in it"},
		"no address":                              {change: map[string]any{"login": "mina", "email": nil, "secondEmail": nil}, line: "okta | Okta's log: user 00u00000000000000001 has no address: neither email nor login is one"},
		"a number where text is":                  {change: map[string]any{"employeeNumber": 1042}, line: "okta | Okta's log: user 00u00000000000000001 is not as Okta keeps them: profile.employeeNumber is number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t).withOrg(t, oktatest.Config{})
			id := h.org.AddUser(mina())
			h.org.UpdateProfile(id, tt.change)
			must(t, h.resync.Run(t.Context()))
			if got := strings.Join(h.store.lines(lifecycle.EventNoticeRefused), "\n"); got != strings.ReplaceAll(tt.line, "00u00000000000000001", id) {
				t.Errorf("trail %q", got)
			}
			i := slices.IndexFunc(h.store.facts, func(f lifecycle.Fact) bool { return f.Kind == lifecycle.FactState })
			if (i >= 0) != (tt.line == "") {
				t.Fatalf("facts %q", h.store.said())
			}
			if tt.look != nil && tt.look(h.store.facts[i].Person) != tt.want {
				t.Errorf("got %q, want %q", tt.look(h.store.facts[i].Person), tt.want)
			}
		})
	}
}

func TestAReadingNeverOutdatesADeactivation(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	id := h.org.AddUser(mina())
	ahead := func() time.Time { return h.clock.now().Add(4 * time.Minute) } // this machine's clock, of Okta's
	h.resync.config.Now, h.resync.config.Inbox = ahead, lifecycle.NewInbox(h.store, ahead)
	must(t, h.resync.Run(t.Context()))
	h.clock.advance(time.Second)
	h.org.Deactivate(id)
	must(t, h.resync.Run(t.Context()))
	last := h.store.facts[len(h.store.facts)-1]
	if last.Person.Status != lifecycle.StatusEnded {
		t.Fatalf("facts %q", h.store.said())
	}
	for _, f := range h.store.facts[:len(h.store.facts)-1] {
		if !f.Stamp().Before(last.Stamp()) {
			t.Errorf("%s counts from %s, and the deactivation from %s", f.EventID, f.Stamp(), last.Stamp())
		}
	}
}

func TestWhoeverIsDeletedMeanwhileHasEndedAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	id := h.org.AddUser(mina())
	h.org.Deactivate(id)
	h.org.Delete(id)
	must(t, h.resync.Run(t.Context()))
	want := []string{"status " + id + " active 09:00:00.000 // []", "status " + id + " ended 09:00:00.000 // []", "status " + id + " ended 09:00:00.000 // []"}
	if diff := cmp.Diff(want, h.store.said()); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestTheLogIsReadFromWhereTheLastRunEnded(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	ids := make([]string, 0, 350)
	for i := range 350 { // three full pages of status, and as many to read
		p := mina()
		p["login"], p["email"] = fmt.Sprintf("u%d@acme.test", i), fmt.Sprintf("u%d@acme.test", i)
		ids = append(ids, h.org.AddUser(p))
	}
	must(t, h.resync.Run(t.Context()))
	if got := len(h.store.said()); got != 700 {
		t.Fatalf("%d facts, want a state and a status of each", got)
	}
	calls := len(h.org.Calls())
	must(t, h.resync.Run(t.Context()))
	if got := len(h.org.Calls()) - calls; got != 8 {
		t.Errorf("a run with nothing new makes %d calls: who was read is read again", got)
	}
	h.clock.advance(time.Hour)
	h.org.Deactivate(ids[0])
	must(t, h.resync.Run(t.Context()))
	calls = len(h.org.Calls())
	must(t, h.resync.Run(t.Context()))
	if got := len(h.org.Calls()) - calls; got != 2 || len(h.store.said()) != 701 {
		t.Errorf("%d calls, %d facts", got, len(h.store.said()))
	}
	if h.store.heard != 4 {
		t.Errorf("Okta was heard %d times", h.store.heard)
	}
}

func TestARestartReadsAgainAndChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	id := h.org.AddUser(mina())
	must(t, h.resync.Run(t.Context()))
	before := h.store.said()
	must(t, h.newResync(t, false).Run(t.Context()))
	if diff := cmp.Diff(before, h.store.said()); diff != "" {
		t.Errorf("facts (-before +after):\n%s", diff)
	}
	h.store.cursors = map[string]string{} // and one that has lost its place begins a day ago
	h.clock.advance(25 * time.Hour)
	h.org.Suspend(id)
	must(t, h.newResync(t, false).Run(t.Context()))
	if got := h.store.said(); len(got) != len(before)+1 {
		t.Errorf("facts %q", got)
	}
}

func TestALongLogIsReadInSeveralRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	id := h.org.AddUser(mina())
	for range pageSize * (mostPages + 5) / 2 {
		h.org.Suspend(id)
		h.org.Unsuspend(id)
	}
	var waits []string
	for {
		err := h.newResync(t, false).Run(t.Context()) // each by another process
		if err == nil {
			break
		}
		job, ok := errors.AsType[*lifecycle.JobError](err)
		if !ok || job.Permanent || job.RetryAfter <= 0 {
			t.Fatal(err)
		}
		waits = append(waits, job.Why)
	}
	if diff := cmp.Diff([]string{"there is more of Okta's log to read"}, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if got := len(h.store.facts); got != pageSize*(mostPages+5)+2 {
		t.Errorf("%d facts", got)
	}
}

func TestARunThatTakesLongGoesOnInTheNext(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.org.AddUser(mina())
	slow := h.newResync(t, false)
	slow.config.Now = func() time.Time { h.clock.advance(runFor); return h.clock.now() }
	if err := slow.Run(t.Context()); !errors.Is(err, errMore) {
		t.Errorf("got %v", err)
	}
}

func TestAStoreThatCannotKeepMovesNothingOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.org.AddUser(mina())
	h.store.broken, h.store.after = errors.New("disk full"), 1
	if err := h.resync.Run(t.Context()); !errors.Is(err, h.store.broken) || len(h.store.cursors) != 0 {
		t.Errorf("got %v, cursors %q", err, h.store.cursors)
	}
	h.store.broken = nil
	must(t, h.resync.Run(t.Context()))
	if len(h.store.said()) != 2 {
		t.Errorf("facts %q", h.store.said())
	}
}

func TestAnEventThatCannotBeReadHoldsUpNoOtherAndIsToldOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.org.Write(json.RawMessage(`{"eventType":"user.lifecycle.deactivate","published":"2026-11-23T09:00:00Z","outcome":{"result":"SUCCESS"},"uuid":"","target":[]}`))
	h.org.Write(json.RawMessage(`{"eventType":"user.lifecycle.suspend","published":"2026-11-23T09:00:00Z","outcome":{"result":"SUCCESS"},"uuid":"u2","target":[]}`))
	id := h.org.AddUser(mina())
	for range 3 {
		must(t, h.resync.Run(t.Context()))
	}
	want := []string{
		"okta | Okta's log: an event has no uuid by which a repeat would be known",
		"okta | Okta's log: event u2 (user.lifecycle.suspend) must be about one user, with an id",
	}
	if diff := cmp.Diff(want, h.store.lines(lifecycle.EventNoticeRefused)); diff != "" {
		t.Errorf("trail (-want +got):\n%s", diff)
	}
	if len(h.store.said()) != 2 || h.store.facts[0].Key != id {
		t.Errorf("facts %q", h.store.said())
	}
}

func TestAnEventFromTheFutureIsWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.clock.advance(time.Hour)
	id := h.org.AddUser(mina())
	h.clock.advance(-time.Hour) // this machine's clock is behind
	if err := h.resync.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "check this machine's clock") {
		t.Errorf("got %v", err)
	}
	h.clock.advance(time.Hour)
	must(t, h.resync.Run(t.Context()))
	if len(h.store.said()) != 2 || h.store.facts[0].Key != id {
		t.Errorf("facts %q", h.store.said())
	}
}

func TestAPlaceThatOktaHasForgottenIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.org.AddUser(mina())
	h.store.cursors[cursorName] = `{"published":"2026-11-23T08:59:00Z","next":"/api/v1/logs?after=c999&limit=100&sortOrder=ASCENDING"}`
	if err := h.resync.Run(t.Context()); !isStatus(err, http.StatusBadRequest) {
		t.Errorf("got %v", err)
	}
	must(t, h.resync.Run(t.Context()))
	if len(h.store.said()) != 2 {
		t.Errorf("facts %q", h.store.said())
	}
}

// The token goes to the org alone, whatever an answer says.
func TestARunThatIsStoppedStops(t *testing.T) {
	t.Parallel()
	h := newHouse(t).withOrg(t, oktatest.Config{})
	h.org.AddUser(mina())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.resync.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
