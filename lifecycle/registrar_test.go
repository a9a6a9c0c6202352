package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// said is one thing that a source says, hours after Monday morning.
type said struct {
	source    string
	hours     int // when it was so
	effective int // hours; 0: at once
	change    func(*lifecycle.Person)
}

func is(change func(*lifecycle.Person)) said { return said{source: "hr", change: change} }
func (s said) after(hours int) said          { s.hours = hours; return s }
func (s said) from(source string) said       { s.source = source; return s }
func (s said) taking(hours int) said         { s.effective = hours; return s }
func in(department string) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.Department = department }
}

func as(status lifecycle.Status) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.Status = status }
}

func starting(day lifecycle.Date) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.StartDate = day }
}

func until(day lifecycle.Date) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.EndDate = day }
}

func called(name, email string) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.Name, p.Emails = name, []string{email} }
}

const day = 24 * time.Hour

func TestWhatSourcesSayBecomesNotices(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		said    []said
		wait    time.Duration
		notices []string
		status  lifecycle.Status
		alerts  int
	}{
		"somebody new is a joiner":                        {said: []said{is(in("Payments"))}, notices: []string{"joiner  → Payments"}},
		"another department is a mover":                   {said: []said{is(in("Payments")), is(in("Platform")).after(1)}, notices: []string{"joiner  → Payments", "mover Payments → Platform"}},
		"ended is a leaver":                               {said: []said{is(in("Payments")), is(as("ended")).after(1)}, notices: []string{"joiner  → Payments", "leaver Payments → Payments"}, status: "ended"},
		"another name and address are no news":            {said: []said{is(in("Payments")), is(called("Benjamin Ode", "benjamin@acme.test")).after(1)}, notices: []string{"joiner  → Payments"}},
		"leave takes nothing away":                        {said: []said{is(in("Payments")), is(as("leave")).after(1)}, notices: []string{"joiner  → Payments"}, status: "leave"},
		"suspension takes nothing away":                   {said: []said{is(in("Payments")), is(as("suspended")).after(1)}, notices: []string{"joiner  → Payments"}, status: "suspended"},
		"who comes back from leave is looked at":          {said: []said{is(as("leave")), is(in("Payments")).after(1)}, notices: []string{"mover Payments → Payments"}},
		"the same again is no news":                       {said: []said{is(in("Payments")), is(in("Payments")).after(1)}, notices: []string{"joiner  → Payments"}},
		"an older word changes nothing":                   {said: []said{is(in("Payments")).after(2), is(in("Platform")).after(1)}, notices: []string{"joiner  → Payments"}},
		"an older word about who has ended alarms nobody": {said: []said{is(as("ended")).after(2), is(in("Payments")).after(1)}, notices: []string{"leaver  → Payments"}, status: "ended"},
		"a move announced ahead waits":                    {said: []said{is(in("Payments")), is(in("Platform")).after(1).taking(48)}, notices: []string{"joiner  → Payments"}},
		"and counts when it is due, whatever was corrected in between": {
			said: []said{is(in("Payments")), is(in("Platform")).after(1).taking(48), is(in("Payments")).after(24)},
			wait: 3 * day, notices: []string{"joiner  → Payments", "mover Payments → Platform"},
		},
		"a first day ahead waits":              {said: []said{is(starting("2026-05-20"))}, notices: nil},
		"and counts on the day":                {said: []said{is(starting("2026-05-20"))}, wait: 20 * day, notices: []string{"joiner  → Payments"}},
		"a last day ahead ends nobody":         {said: []said{is(until("2026-05-31"))}, wait: 20 * day, notices: []string{"joiner  → Payments"}},
		"and ends them when it has passed":     {said: []said{is(until("2026-05-31"))}, wait: 30 * day, notices: []string{"joiner  → Payments", "leaver Payments → Payments"}, status: "ended"},
		"a last day that was put off does not": {said: []said{is(until("2026-05-10")), is(until("2026-06-30")).after(1)}, wait: 30 * day, notices: []string{"joiner  → Payments"}},
		"ended is final":                       {said: []said{is(as("ended")), is(in("Payments")).after(1)}, notices: []string{"leaver  → Payments"}, status: "ended", alerts: 1},
		"a suspension does not revive who has ended, and is no claim that they are back": {said: []said{is(as("ended")), is(as("suspended")).after(1)}, notices: []string{"leaver  → Payments"}, status: "ended"},
		"another source does not revive either":                                          {said: []said{is(as("ended")), is(in("Payments")).from("okta").after(1)}, notices: []string{"leaver  → Payments"}, status: "ended", alerts: 1},
		"a new first day does":                                                           {said: []said{is(as("ended")), is(starting("2026-05-10")).after(24)}, wait: 8 * day, notices: []string{"leaver  → Payments", "joiner Payments → Payments"}},
		"an old first day does not":                                                      {said: []said{is(as("ended")), is(starting("2026-05-01")).after(24)}, notices: []string{"leaver  → Payments"}, status: "ended", alerts: 1},
		"a second source with the same address is the same person":                       {said: []said{is(in("Payments")), is(in("Payments")).from("okta").after(1)}, notices: []string{"joiner  → Payments"}},
		"what a second source does not know stays":                                       {said: []said{is(in("Payments")), is(in("")).from("okta").after(1)}, notices: []string{"joiner  → Payments"}},
		"what the same source does not say any more is gone":                             {said: []said{is(in("Payments")), is(in("")).after(1)}, notices: []string{"joiner  → Payments", "mover Payments → "}},
		"a last day holds although a second source knows none": {
			said: []said{is(until("2026-05-31")), is(in("Payments")).from("okta").after(1)}, wait: 30 * day,
			notices: []string{"joiner  → Payments", "leaver Payments → Payments"}, status: "ended",
		},
		"another person of the same source with the address is disputed": {
			said: []said{is(in("Payments")), is(func(p *lifecycle.Person) { p.EmployeeID, p.Name = "E2", "Ben Other" }).after(1)}, notices: []string{"joiner  → Payments"}, alerts: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			for _, s := range tt.said {
				p := person("Payments")
				s.change(&p)
				h.pass(max(0, monday.Add(time.Duration(s.hours)*time.Hour).Sub(h.now())))
				var effective time.Time
				if s.effective > 0 {
					effective = monday.Add(time.Duration(s.effective) * time.Hour)
				}
				id := h.receive(t, s.source, p, monday.Add(time.Duration(s.hours)*time.Hour), effective)
				h.work(t)
				must(t, h.registrar().Register(t.Context(), id)) // as after a crash
			}
			h.later(t, tt.wait)
			if diff := cmp.Diff(tt.notices, h.notices(t), equateEmpty); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			if tt.status != "" {
				if got := h.who(t, "ben").StatusAt(h.now()); got != tt.status {
					t.Errorf("status: got %s, want %s", got, tt.status)
				}
			}
			if got := len(h.told(t)); got != tt.alerts {
				t.Errorf("got %d words to Security, want %d: %v", got, tt.alerts, h.told(t))
			}
		})
	}
}

// told returns what Security has been told or is asked.
func (h *house) told(t *testing.T) []string {
	t.Helper()
	told := slices.Clone(h.alerts)
	for _, c := range h.cases(t) {
		told = append(told, c.Why)
	}
	return told
}

// cases returns the questions that wait for Security.
func (h *house) cases(t *testing.T) []lifecycle.Case {
	t.Helper()
	open, err := h.matcher().Open(t.Context())
	must(t, err)
	return open
}

func (h *house) alarms(t *testing.T, word string) int {
	t.Helper()
	n := 0
	for _, a := range h.told(t) {
		if strings.Contains(a, word) {
			n++
		}
	}
	return n
}

// notices returns every notice that identities were changed for, in order.
func (h *house) notices(t *testing.T) []string {
	t.Helper()
	var notices []string
	for _, e := range h.store.lines {
		if e.Kind != lifecycle.EventIdentityChanged || e.Detail["notice"] == "" {
			continue
		}
		n, err := h.store.Notice(t.Context(), lifecycle.NoticeID(e.Detail["notice"]))
		must(t, err)
		notices = append(notices, fmt.Sprintf("%s %s → %s", n.Kind, n.Before.Department, n.After.Department))
	}
	return notices
}

func TestWhoThePolicyNamesIsAdoptedByHR(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := h.who(t, "marco")
	p := person("Payments")
	p.EmployeeID, p.Name, p.Emails = "E7", "Marco", []string{"Marco@acme.test"}
	h.hear(t, p)
	after := h.who(t, "marco")
	if after.ID != before.ID || !after.Sourced() || before.Sourced() {
		t.Errorf("got %+v after %+v, want the same identity, now sourced", after, before)
	}
	if diff := cmp.Diff([]string{"joiner  → Payments"}, h.notices(t)); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
}

func TestAnAddressCannotBeTakenFromSomebodyElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hear(t, person("Payments"))
	thief := person("Payments")
	thief.Emails = []string{"marco@acme.test"} // who owns Payments, and may decide
	h.later(t, time.Hour)
	h.hear(t, thief)
	if got := h.who(t, "ben").Person.Email(); got != "ben@acme.test" {
		t.Errorf("Ben's address is %s now", got)
	}
	if h.trail(lifecycle.EventIdentityDisputed) != 1 || h.alarms(t, "belongs to Marco") == 0 && h.alarms(t, "belongs to marco") == 0 {
		t.Error("nobody was told")
	}
}

func TestTwoFactsAtOnceAboutOnePersonMakeOneIdentity(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ids := []lifecycle.NoticeID{
		h.receive(t, "hr", person("Payments"), h.now(), time.Time{}),
		h.receive(t, "okta", person("Payments"), h.now(), time.Time{}),
		h.receive(t, "hr", person("Platform"), h.now().Add(time.Minute), time.Time{}),
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			for try := 0; ; try++ { // the queue tries again what met a conflict
				err := h.registrar().Register(t.Context(), id)
				if err == nil {
					return
				}
				if !errors.Is(err, lifecycle.ErrConflict) || try > 20 {
					t.Errorf("register %s: %v", id, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := h.who(t, "ben").Person.Department; got != "Platform" {
		t.Errorf("Ben is in %s; the newer word is Platform", got)
	}
}

func TestARegistrationThatCrashesAnywhereIsRepeatedWhole(t *testing.T) {
	t.Parallel()
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := newHouse(t)
			id := h.receive(t, "hr", person("Payments"), h.now(), time.Time{})
			h.faults.hit(at, how)
			err := h.registrar().Register(t.Context(), id)
			h.faults.hit(0, how)
			must(t, h.registrar().Register(t.Context(), id))
			if got := h.notices(t); len(got) != 1 || h.who(t, "ben").Revision != 1 {
				t.Errorf("fault %d at call %d: notices %v, revision %d", how, at, got, h.who(t, "ben").Revision)
			}
			if err == nil {
				break // beyond the last call
			}
		}
	}
}

// A source that says a change in several requests says them all at once: none of
// them is put off because another was faster.
func TestFactsOfOnePersonAtOnceAllCount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, piece())
	var facts []lifecycle.NoticeID
	for _, department := range []string{"Risk", "Treasury", "Platform"} {
		h.pass(time.Second)
		facts = append(facts, h.sent(t, piece(in(department))))
	}
	var workers sync.WaitGroup
	for _, id := range facts {
		g := h.registrar()
		workers.Go(func() {
			if err := g.Register(t.Context(), id); err != nil {
				t.Errorf("register %s: %v", id, err)
			}
		})
	}
	workers.Wait()
	if got := h.who(t, "ben").Person.Department; got != "Platform" {
		t.Errorf("is in %s, want the newest word", got)
	}
}

// overtaken is a store in which something happens right after a key was looked up.
type overtaken struct {
	*store
	meanwhile func()
}

func (s overtaken) IdentityByKey(ctx context.Context, source, key string) (lifecycle.Identity, error) {
	i, err := s.store.IdentityByKey(ctx, source, key)
	s.meanwhile()
	return i, err
}

// Two facts of somebody new may be registered at the same moment: who has the key
// by the time that the address is looked up is no other person.
func TestWhoWasMadeKnownAMomentAgoIsNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.sent(t, piece())
	h.pass(time.Second)
	next := h.sent(t, piece(in("Platform")))
	meanwhile := sync.OnceFunc(func() { must(t, h.registrar().Register(t.Context(), first)) })
	must(t, lifecycle.NewRegistrar(overtaken{h.store, meanwhile}, h, settle, h.now).Register(t.Context(), next))
	if open := h.cases(t); len(open) > 0 {
		t.Errorf("it is asked who they are: %s", open[0].Why)
	}
	if got := h.who(t, "ben").Person.Department; got != "Platform" {
		t.Errorf("is in %s, want the newest word", got)
	}
}
