package lifecycle_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// source returns what is known of the source.
func (h *house) source(t testing.TB, name string) lifecycle.Source {
	t.Helper()
	s, err := h.store.Source(t.Context(), name)
	must(t, err)
	return s
}

// heard is the source being heard n times, every so often.
func (h *house) heard(t testing.TB, s *lifecycle.Sources, name string, n int, each time.Duration) {
	t.Helper()
	for range n {
		must(t, second(s.Hear(t.Context(), name, false)))
		h.pass(each)
	}
}

func TestASourceThatSyncsIsObservedUntilSecurityStartsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var replicas sync.WaitGroup
	for range 4 {
		s := h.sources()
		replicas.Go(func() {
			if src, err := s.Hear(t.Context(), "scim:okta", true); err != nil || !src.Observed {
				t.Errorf("got %+v %v, want it observed", src, err)
			}
		})
	}
	replicas.Wait()
	o, _ := h.held(t)
	if o.Kind != lifecycle.HoldSource || o.Source != "scim:okta" || !strings.Contains(o.Why, "until somebody of Security starts it") {
		t.Fatalf("got %+v", o)
	}
	start := func(name string) error {
		return h.sources().Start(t.Context(), "scim:okta", h.who(t, name), lifecycle.ViaCLI)
	}
	refusal(t, start("marco"), lifecycle.ErrForbidden, "Only Security")
	if !h.source(t, "scim:okta").Observed {
		t.Fatal("it is acted on")
	}
	h.pass(time.Hour)
	must(t, start("lee"))
	src := h.source(t, "scim:okta")
	if src.Observed || src.StartedBy != "lee@acme.test" || !src.StartedAt.Equal(h.now()) {
		t.Errorf("got %+v", src)
	}
	if open, err := h.brakes().Open(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("%v %v stand", open, err)
	}
	refusal(t, start("lee"), lifecycle.ErrConflict, "acted on already", "lee@acme.test")
	refusal(t, h.sources().Start(t.Context(), "scim:nobody", h.who(t, "lee"), lifecycle.ViaCLI), lifecycle.ErrNotFound, "was ever heard")
}

func TestASourceThatWasRefusedMayBeStartedLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, second(h.sources().Hear(t.Context(), "scim:okta", true)))
	o, _ := h.held(t)
	must(t, second(h.brakes().Refuse(t.Context(), h.release(t, "priya", o))))
	h.pass(time.Hour)
	if src, err := h.sources().Hear(t.Context(), "scim:okta", true); err != nil || !src.Observed {
		t.Errorf("got %+v %v", src, err)
	}
	if open, err := h.brakes().Open(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("it is asked again: %v %v", open, err)
	}
	refusal(t, h.sources().Start(t.Context(), "scim:okta", h.who(t, "omar"), lifecycle.ViaCLI), lifecycle.ErrForbidden)
	must(t, h.sources().Start(t.Context(), "scim:okta", h.who(t, "priya"), lifecycle.ViaCLI))
	if h.source(t, "scim:okta").Observed {
		t.Error("it is not acted on")
	}
}

func TestAStartThatCrashesAnywhereIsMadeOnce(t *testing.T) {
	t.Parallel()
	begun := newHouse(t)
	must(t, second(begun.sources().Hear(t.Context(), "scim:okta", true)))
	again := begun.still(t)
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := again()
			priya := h.who(t, "priya")
			h.faults.hit(at, how)
			err := h.sources().Start(t.Context(), "scim:okta", priya, lifecycle.ViaSlack)
			h.faults.hit(0, how)
			if again := h.sources().Start(t.Context(), "scim:okta", priya, lifecycle.ViaSlack); again != nil && !errors.Is(again, lifecycle.ErrConflict) {
				t.Errorf("call %d: the second try: %v", at, again)
			}
			h.work(t)
			if src := h.source(t, "scim:okta"); src.Observed || src.StartedBy != "priya@acme.test" || h.trail(lifecycle.EventSourceStarted) != 1 {
				t.Errorf("call %d: %+v", at, src)
			}
			if err == nil {
				break // beyond the last call
			}
		}
	}
}

func TestWhatAFactOfTheFirstSyncIs(t *testing.T) {
	t.Parallel()
	started := lifecycle.Source{StartedAt: monday}
	rows := func(change func(*lifecycle.Source)) lifecycle.Source {
		s := lifecycle.Source{First: "00", StartedAt: monday, Snapshot: &lifecycle.SnapshotMark{}}
		change(&s)
		return s
	}
	for name, tt := range map[string]struct {
		source           lifecycle.Source
		received, counts time.Time
		observed         bool
	}{
		"of a source that is not started":             {lifecycle.Source{Observed: true}, monday, time.Time{}, true},
		"of one that acts from the first":             {lifecycle.Source{}, monday, time.Time{}, false},
		"before the start":                            {started, monday.Add(-time.Hour), monday.Add(-2 * time.Hour), true},
		"before the start, at once":                   {started, monday.Add(-time.Hour), time.Time{}, true},
		"after the start":                             {started, monday.Add(time.Hour), time.Time{}, false},
		"before the start, of a last day that's news": {started, monday.Add(-time.Hour), monday.Add(day), false},
		"a row of the first snapshot":                 {rows(func(*lifecycle.Source) {}), monday.Add(-time.Hour), time.Time{}, true},
		"one that broke off":                          {rows(func(s *lifecycle.Source) { s.Snapshot, s.StartedAt = nil, time.Time{} }), monday, time.Time{}, true},
		"what it says beside its first snapshot":      {rows(func(s *lifecycle.Source) { s.First = "another" }), monday.Add(-time.Hour), time.Time{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.source.Observes(lifecycle.Fact{ReceivedAt: tt.received, SHA256: "00"}, tt.counts); got != tt.observed {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestHearingCostsOneWriteAMinute(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.sources()
	must(t, second(s.Hear(t.Context(), "hr", false)))
	h.faults.hit(1, dead) // no call to the store succeeds
	for range 1000 {
		must(t, second(s.Hear(t.Context(), "hr", false)))
	}
	h.faults.hit(0, dead)
	h.pass(time.Minute)
	must(t, second(s.Hear(t.Context(), "hr", false)))
	must(t, second(h.sources().Hear(t.Context(), "hr", false))) // another replica, at once
	if src := h.source(t, "hr"); src.Heard != 2 || !src.LastHeard.Equal(h.now()) || src.Revision != 1 {
		t.Errorf("got %+v", src)
	}
	if h.trail(lifecycle.EventSourceHeard) != 0 || h.trail(lifecycle.EventSourceConnected) != 1 {
		t.Error("hearing it is on the record")
	}
}

func TestSilenceIsToldOnceAndOnlyWhereItIsNotOrdinary(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		times  int
		each   time.Duration
		silent time.Duration
		alerts int
	}{
		"a source heard every minute, silent for a night":        {40, time.Minute, 12 * time.Hour, 0},
		"silent for more than a day":                             {40, time.Minute, 25 * time.Hour, 1},
		"one that is heard once a day, silent for a weekend":     {40, day, 47 * time.Hour, 0},
		"silent for three days":                                  {40, day, 72 * time.Hour, 1},
		"one that is hardly known":                               {9, time.Hour, 30 * day, 0},
		"one that is known well enough":                          {10, time.Hour, 30 * day, 1},
		"a source of every quarter of an hour, silent for weeks": {12, 15 * time.Minute, 30 * day, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			s := h.sources()
			h.heard(t, s, "hr", tt.times, tt.each)
			h.pass(tt.silent - tt.each)
			for range 3 {
				must(t, h.sources().LookForSilence(t.Context()))
				h.later(t, time.Minute)
			}
			if n := h.alarms(t, "hr has said nothing since"); n != tt.alerts || h.trail(lifecycle.EventSourceSilent) != tt.alerts {
				t.Errorf("told %d times, want %d: %q", n, tt.alerts, h.alerts)
			}
			if got := h.source(t, "hr").Silent; got != (tt.alerts == 1) {
				t.Errorf("silent is %t", got)
			}
			must(t, second(s.Hear(t.Context(), "hr", false)))
			if src := h.source(t, "hr"); src.Silent || tt.alerts == 1 && src.Gap >= tt.silent {
				t.Errorf("heard again: %+v", src)
			}
		})
	}
}

func TestALongerSilenceThatWasOrdinaryIsLearned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := h.sources()
	h.heard(t, s, "hr", 12, time.Hour)
	h.heard(t, s, "hr", 1, 20*time.Hour)
	must(t, second(s.Hear(t.Context(), "hr", false)))
	if gap := h.source(t, "hr").Gap; gap != 20*time.Hour {
		t.Errorf("learned %s", gap)
	}
	h.pass(39 * time.Hour)
	must(t, s.LookForSilence(t.Context()))
	h.work(t)
	if len(h.alerts) > 0 {
		t.Errorf("told %q", h.alerts)
	}
}
