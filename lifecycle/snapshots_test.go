package lifecycle_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// roster is a snapshot that lists the people, as it was then.
func roster(at time.Time, people ...lifecycle.Person) lifecycle.Roster {
	r := lifecycle.Roster{
		Source: "roster", At: at, Format: "csv", Rows: len(people), Empty: map[string]int{},
		Fields: []string{"employee_id", "status", "emails", "department"}, SHA256: written(fmt.Sprintf("%s %v", at, people)).SHA256,
	}
	for _, p := range people {
		if p.Department == "" {
			r.Empty["department"]++
		}
	}
	r.Facts = func(yield func(lifecycle.Fact, error) bool) {
		for _, p := range people {
			if !yield(lifecycle.Fact{Person: p}, nil) {
				return
			}
		}
	}
	return r
}

// people returns n of staff, from the first on.
func people(first, n int) []lifecycle.Person {
	all := make([]lifecycle.Person, n)
	for i := range all {
		all[i], _ = staff(first + i)
	}
	return all
}

// snapshot takes the roster in, and works what follows; it must count.
func (h *house) snapshot(t testing.TB, r lifecycle.Roster) lifecycle.Taken {
	t.Helper()
	taken, err := h.snapshots().Take(t.Context(), r)
	must(t, err)
	h.work(t)
	return taken
}

func TestTheFirstSnapshotIsObservedAndTheSecondCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	got := h.snapshot(t, roster(h.now(), people(0, 20)...))
	if diff := cmp.Diff(lifecycle.Taken{Rows: 20, Changed: 20, Observed: true}, got); diff != "" {
		t.Errorf("the first (-want +got):\n%s", diff)
	}
	if n := len(h.requests(t)); n > 0 {
		t.Errorf("asked %v", h.story(t))
	}
	if src := h.source(t, "roster"); src.Observed || src.Snapshot == nil || src.Snapshot.Rows != 20 {
		t.Errorf("got %+v", src)
	}
	h.pass(day)
	got = h.snapshot(t, roster(h.now(), people(0, 21)...))
	if diff := cmp.Diff(lifecycle.Taken{Rows: 21, Changed: 1}, got); diff != "" {
		t.Errorf("the second (-want +got):\n%s", diff)
	}
	if r := h.only(t, lifecycle.Pending); r.Kind != lifecycle.RequestJoiner || r.Subject.Email != "p20@acme.test" {
		t.Errorf("asked %v", h.story(t))
	}
}

func TestAFirstSnapshotThatBreaksOffHidesNobodyWhoLeaves(t *testing.T) {
	t.Parallel()
	h := company(t, 20)
	r := roster(h.now(), people(0, 20)...)
	r.Source = "hr" // which has told of one after the other before
	whole := r.Facts
	r.Facts = func(yield func(lifecycle.Fact, error) bool) {
		for f := range whole {
			if !yield(f, nil) {
				return
			}
			break
		}
		yield(lifecycle.Fact{}, errors.New("the disk is gone"))
	}
	if _, err := h.snapshots().Take(t.Context(), r); err == nil {
		t.Fatal("half a file was taken in")
	}
	h.work(t)
	h.hear(t, ended(first(staff(3))))
	if h.contained() != 1 {
		t.Errorf("%d are contained: who left while the snapshot was broken was not noticed", h.contained())
	}
	h.pass(time.Hour)
	r.Facts, r.At = whole, h.now()
	if taken := h.snapshot(t, r); !taken.Observed {
		t.Errorf("taken %+v", taken)
	}
}

func TestARosterStartsNoSourceThatSecurityHasNot(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, second(h.sources().Hear(t.Context(), "scim:okta", true)))
	r := roster(h.now(), people(0, 20)...)
	r.Source = "scim:okta"
	h.snapshot(t, r)
	if src := h.source(t, "scim:okta"); !src.Observed || !src.StartedAt.IsZero() {
		t.Errorf("started by %q", src.StartedBy)
	}
}

func TestTheSameFileTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := roster(h.now(), people(0, 20)...)
	h.snapshot(t, r)
	before := len(h.store.lines)
	h.pass(day)
	r.At = h.now()
	if diff := cmp.Diff(lifecycle.Taken{Rows: 20, Identical: true}, h.snapshot(t, r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := h.trail(lifecycle.EventSnapshotTaken); n != 1 || len(h.store.lines) > before+1 { // but that the source was heard
		t.Errorf("%d lines more", len(h.store.lines)-before)
	}
}

func TestASnapshotThatDiffersTooMuchIsRefusedWhole(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		with  func(*lifecycle.Roster)
		kind  error
		words string
	}{
		"fewer rows than nineteen of twenty": {func(r *lifecycle.Roster) { r.Rows = 94 }, lifecycle.ErrInvalid, "it has 94 rows, and the last had 100: fewer than 95 %"},
		"a field that is missing":            {func(r *lifecycle.Roster) { r.Fields = r.Fields[:3] }, lifecycle.ErrInvalid, "it misses the field department"},
		"a field that is new":                {func(r *lifecycle.Roster) { r.Fields = append(r.Fields, "salary") }, lifecycle.ErrInvalid, "it has a field that the last had not: salary"},
		"departments that are empty":         {func(r *lifecycle.Roster) { r.Empty = map[string]int{"department": 3} }, lifecycle.ErrInvalid, "department is empty in 3.0 % of the rows, and was in 0.0 %"},
		"statuses that are empty":            {func(r *lifecycle.Roster) { r.Empty = map[string]int{"status": 50} }, lifecycle.ErrInvalid, "status is empty in 50.0 %"},
		"addresses that are empty":           {func(r *lifecycle.Roster) { r.Empty = map[string]int{"emails": 50} }, lifecycle.ErrInvalid, "emails is empty in 50.0 %"},
		"several at once":                    {func(r *lifecycle.Roster) { r.Rows, r.Fields = 10, r.Fields[:3] }, lifecycle.ErrInvalid, "it misses the field department; it has 10 rows"},
		"older than the last":                {func(r *lifecycle.Roster) { r.At = monday.Add(-time.Hour) }, lifecycle.ErrConflict, "was taken in already: send a newer one"},
		"of a time to come":                  {func(r *lifecycle.Roster) { r.At = r.At.Add(time.Hour) }, lifecycle.ErrConflict, "is yet to come"},
		"nobody at all":                      {func(r *lifecycle.Roster) { r.Rows = 0 }, lifecycle.ErrConflict, "no rows at all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.snapshot(t, roster(monday, people(0, 100)...))
			before := h.source(t, "roster").Snapshot
			h.pass(day)
			r := roster(h.now(), people(0, 100)...)
			tt.with(&r)
			r.Facts = func(func(lifecycle.Fact, error) bool) { t.Error("its rows were read") }
			_, err := h.snapshots().Take(t.Context(), r)
			refusal(t, err, tt.kind, tt.words)
			h.work(t)
			if diff := cmp.Diff(before, h.source(t, "roster").Snapshot); diff != "" {
				t.Errorf("what the next is held against (-want +got):\n%s", diff)
			}
			if h.alarms(t, tt.words) != 1 || h.trail(lifecycle.EventSnapshotRefused) != 1 {
				t.Errorf("security was told %q", h.alerts)
			}
		})
	}
}

func TestWhatStaysWithinTheOrdinaryIsTakenIn(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]func(*lifecycle.Roster){
		"nineteen of twenty rows":        func(r *lifecycle.Roster) { *r = roster(r.At, people(0, 95)...) },
		"twice as many":                  func(r *lifecycle.Roster) { *r = roster(r.At, people(0, 200)...) },
		"fields in another order":        func(r *lifecycle.Roster) { r.Fields = []string{"department", "status", "emails", "employee_id"} },
		"two of a hundred are emptier":   func(r *lifecycle.Roster) { r.Empty = map[string]int{"department": 2} },
		"a field nobody guards is empty": func(r *lifecycle.Roster) { r.Empty = map[string]int{"title": 100} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.snapshot(t, roster(monday, people(0, 100)...))
			h.pass(day)
			r := roster(h.now(), people(0, 100)...)
			r.SHA256 = "another"
			with(&r)
			h.snapshot(t, r)
			if at := h.source(t, "roster").Snapshot.At; !at.Equal(h.now()) {
				t.Errorf("it was not taken in: the last is of %s", at)
			}
		})
	}
}

func TestSecurityMayAcceptASnapshotThatDiffers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.snapshot(t, roster(monday, people(0, 100)...))
	h.pass(day)
	r := roster(h.now(), people(0, 50)...)
	r.Accepted, r.By = true, h.who(t, "marco")
	_, err := h.snapshots().Take(t.Context(), r)
	refusal(t, err, lifecycle.ErrForbidden, "Only Security")
	r.By = h.who(t, "priya")
	if got := h.snapshot(t, r); got.Absent != 50 || got.Changed != 0 {
		t.Errorf("got %+v", got)
	}
	accepted := 0
	for _, e := range h.store.lines {
		if e.Kind == lifecycle.EventSnapshotTaken && e.Detail["accepted"] == string(r.By.ID) {
			accepted++
		}
	}
	if accepted != 1 {
		t.Error("who accepted it is not on the record")
	}
	old := roster(monday.Add(-day), people(0, 100)...)
	old.Accepted, old.By = true, r.By
	_, err = h.snapshots().Take(t.Context(), old)
	refusal(t, err, lifecycle.ErrConflict, "send a newer one")
}

func TestWhoIsNotInASnapshotHasNotLeftByThat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 100 {
		_, a := staff(i)
		h.pager.put(a)
	}
	h.snapshot(t, roster(monday, people(0, 100)...))
	for n := range 4 {
		h.pass(day)
		if got := h.snapshot(t, roster(h.now(), people(0, 97)...)); got.Absent != 3 || got.Changed != 0 {
			t.Errorf("snapshot %d: %+v", n+2, got)
		}
	}
	if h.contained() != 0 || len(h.requests(t)) > 0 {
		t.Errorf("silence took something: %v", h.story(t))
	}
	absent := 0
	for _, i := range h.everybody(t) {
		if i.Says["roster"].Absent() > 0 {
			absent++
		}
		if i.Says["roster"].Absent() > 2 {
			t.Errorf("%s was noted absent %d times: twice is enough to ask", i.Person.Label(), i.Says["roster"].Absent())
		}
	}
	if absent != 3 {
		t.Errorf("%d are noted as absent", absent)
	}
	h.pass(day)
	if got := h.snapshot(t, roster(h.now(), people(0, 100)...)); got.Absent != 0 || got.Changed != 3 {
		t.Errorf("they are in it again: %+v", got)
	}
}

func (h *house) everybody(t testing.TB) []lifecycle.Identity {
	t.Helper()
	all, err := h.store.Identities(t.Context())
	must(t, err)
	return all
}

func TestManyWhoEndInOneSnapshotAreHeld(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 100 {
		_, a := staff(i)
		h.pager.put(a)
	}
	h.snapshot(t, roster(monday, people(0, 100)...))
	h.call(t)
	h.pass(day)
	wrong := people(0, 100)
	for i := range 40 {
		wrong[i] = ended(wrong[i])
	}
	if got := h.snapshot(t, roster(h.now(), wrong...)); got.Changed != 40 {
		t.Errorf("got %+v", got)
	}
	h.later(t, 5*time.Minute)
	if _, waiting := h.held(t); len(waiting) != 40 || h.contained() != 0 {
		t.Errorf("%d wait, %d contained", len(waiting), h.contained())
	}
	h.pass(day)
	wrong[50].Title = "SRE"
	if got := h.snapshot(t, roster(h.now(), wrong...)); got.Held != 40 {
		t.Errorf("got %+v", got)
	}
}

func TestASnapshotThatBreaksOffIsTakenInWhenItComesAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.snapshot(t, roster(monday, people(0, 20)...))
	h.pass(day)
	whole := people(0, 30)
	r := roster(h.now(), whole...)
	facts := r.Facts
	r.Facts = func(yield func(lifecycle.Fact, error) bool) {
		next, stop := iter.Pull2(facts)
		defer stop()
		for range 25 {
			f, err, _ := next()
			if !yield(f, err) {
				return
			}
		}
		yield(lifecycle.Fact{}, errCrash)
	}
	if _, err := h.snapshots().Take(t.Context(), r); !errors.Is(err, errCrash) {
		t.Fatalf("got %v", err)
	}
	h.work(t)
	r.Facts = facts
	if got := h.snapshot(t, r); got.Rows != 30 || got.Identical {
		t.Errorf("got %+v", got)
	}
	if n := len(h.requests(t, lifecycle.Pending)); n != 10 {
		t.Errorf("%d are asked about, want the ten who joined, once: %v", n, h.story(t))
	}
}

func TestASnapshotThatHasSomebodyTwiceIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.snapshots().Take(t.Context(), roster(monday, append(people(0, 3), people(1, 1)...)...))
	refusal(t, err, lifecycle.ErrInvalid, "E0001 twice")
}

func TestARosterThatDoesNotComeIsMissed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for n := range 4 {
		h.snapshot(t, roster(h.now(), people(0, 20+n)...))
		h.pass(day)
	}
	h.pass(36 * time.Hour)
	must(t, h.sources().LookForSilence(t.Context()))
	h.work(t)
	if h.alarms(t, "roster has sent no snapshot since") != 1 {
		t.Errorf("told %q", h.alerts)
	}
}

// What a snapshot of many with few changes costs grows with the many, and little of it is written.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{1000, 4000} {
		b.Run(fmt.Sprintf("%d people, 20 changes", n), func(b *testing.B) {
			h := newHouse(b)
			all := people(0, n)
			h.snapshot(b, roster(h.now(), all...))
			b.ResetTimer()
			for k := range b.N {
				h.pass(time.Hour)
				for i := range 20 {
					all[i].Title = fmt.Sprintf("title %d", k)
				}
				taken, err := h.snapshots().Take(b.Context(), roster(h.now(), all...))
				if err != nil || taken.Changed != 20 {
					b.Fatal(taken, err)
				}
				b.StopTimer()
				h.work(b)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/person")
		})
	}
}
