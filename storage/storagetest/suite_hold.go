package storagetest

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func sampleHold(source string) lifecycle.Hold {
	return lifecycle.Hold{
		ID: lifecycle.NewHoldID(), Kind: lifecycle.HoldLeavers, Revision: 1, Source: source, State: lifecycle.HoldStands, Why: "12 of 100.",
		Limit: 5, Population: 100, OpenedAt: noon(), UpdatedAt: noon(), Decisions: []lifecycle.HoldDecision{},
	}
}

// leave makes somebody leave at the moment, and returns what the breaker counts.
func leave(t *testing.T, db *storage.DB, name string, at time.Time) lifecycle.Removal {
	t.Helper()
	i := sampleIdentity(name)
	n := sampleNotice(i)
	n.Kind, n.Before, n.At = lifecycle.Leaver, i.Person, at
	n.After.Status = lifecycle.StatusEnded
	must(t, db.SaveIdentity(t.Context(), i, &n, event(lifecycle.EventIdentityChanged, string(i.ID))))
	r, _ := n.Removal()
	return r
}

func testHolds(t *testing.T, x *fixture) {
	t.Run("what is noted of a notice", func(t *testing.T) {
		t.Parallel()
		testRemovalsNoted(t, x)
	})
	t.Run("a removal moves as long as nobody has settled it", func(t *testing.T) {
		t.Parallel()
		testRemovalsMove(t, x)
	})
	t.Run("a hold", func(t *testing.T) {
		t.Parallel()
		testHold(t, x)
	})
}

func testRemovalsNoted(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ana := sampleIdentity("ana")
	joins := sampleNotice(ana)
	must(t, db.SaveIdentity(t.Context(), ana, &joins, event(lifecycle.EventIdentityChanged, string(ana.ID))))
	ana.Revision = 2
	moves := sampleNotice(ana)
	moves.Kind, moves.Before, moves.After.Department = lifecycle.Mover, ana.Person, "Risk"
	must(t, db.SaveIdentity(t.Context(), ana, &moves, event(lifecycle.EventIdentityChanged, string(ana.ID))))
	moved, _ := moves.Removal()
	late, early := leave(t, db, "bo", noon().Add(time.Minute)), leave(t, db, "cy", noon().Add(-time.Hour))
	if moved.Moved != "Risk" || moved.State != lifecycle.RemovalQueued {
		t.Fatalf("the mover is counted as %+v", moved)
	}
	got := get[[]lifecycle.Removal](t)(db.Removals(t.Context(), noon().Add(-time.Hour)))
	if diff := gocmp.Diff([]lifecycle.Removal{early, moved, late}, got); diff != "" {
		t.Errorf("the oldest first, and no joiner (-want +got):\n%s", diff)
	}
	stranger := sampleNotice(ana) // a notice that stands already leaves nothing
	stranger.ID, stranger.Kind = moves.ID, lifecycle.Leaver
	ana.Revision = 3
	if err := db.SaveIdentity(t.Context(), ana, &stranger, event(lifecycle.EventIdentityChanged, "")); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("a notice that stands: %v", err)
	}
	whole(t, url)
}

func testRemovalsMove(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	first, second := leave(t, db, "ana", noon()), leave(t, db, "bo", noon())
	h := sampleHold("okta")
	in := func(r lifecycle.Removal, s lifecycle.RemovalState, hold lifecycle.HoldID) lifecycle.Removal {
		r.State, r.Hold = s, hold
		return r
	}
	save := func(all ...lifecycle.Removal) error {
		return db.SaveRemovals(t.Context(), all, event(lifecycle.EventRemovalJudged, "okta"), lifecycle.Job{Kind: lifecycle.JobPlan, Ref: "ntc_1"})
	}
	expect := func(what string, want ...lifecycle.Removal) {
		t.Helper()
		slices.SortFunc(want, func(a, b lifecycle.Removal) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Notice, b.Notice)) })
		if diff := gocmp.Diff(want, get[[]lifecycle.Removal](t)(db.Removals(t.Context(), noon()))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	held := in(second, lifecycle.RemovalHeld, h.ID)
	must(t, save(in(first, lifecycle.RemovalPassed, "")))
	must(t, db.SaveHold(t.Context(), h, []lifecycle.Removal{held, in(first, lifecycle.RemovalHeld, h.ID)}, event(lifecycle.EventHoldOpened, string(h.ID))))
	expect("what has passed is held no more", in(first, lifecycle.RemovalPassed, ""), held)

	before := lines(t, db)
	must(t, save(in(second, lifecycle.RemovalPassed, "")))
	if n := lines(t, db); n != before || jobs(t, db, lifecycle.JobPlan) != 1 {
		t.Errorf("where nothing moves, %d lines and %d jobs were left, want none beside the first", n-before, jobs(t, db, lifecycle.JobPlan)-1)
	}
	expect("a judgement that does not know of the hold lets nobody go", in(first, lifecycle.RemovalPassed, ""), held)
	if got := get[[]lifecycle.Removal](t)(db.Removals(t.Context(), noon().Add(time.Hour))); len(got) != 1 || got[0].Notice != second.Notice {
		t.Errorf("of before then: %+v, want what is held", got)
	}

	if got := get[[]lifecycle.Removal](t)(db.RemovalsOf(t.Context(), h.ID)); len(got) != 1 || got[0].Notice != second.Notice {
		t.Errorf("the hold stops %+v, want the second", got)
	}
	if got := get[[]lifecycle.Removal](t)(db.RemovalsOf(t.Context(), "")); len(got) != 0 {
		t.Errorf("no hold stops %+v", got)
	}
	must(t, save(in(second, lifecycle.RemovalRefused, h.ID), in(first, lifecycle.RemovalOvertaken, "")))
	expect("the hold lets go", in(first, lifecycle.RemovalPassed, ""), in(second, lifecycle.RemovalRefused, h.ID))
	if got := get[[]lifecycle.Removal](t)(db.Removals(t.Context(), noon().Add(time.Hour))); len(got) != 0 {
		t.Errorf("of before then, after the hold: %+v, want none", got)
	}
	late := leave(t, db, "cy", noon().Add(-48*time.Hour))
	expect("one that waits since long ago is there too", late, in(first, lifecycle.RemovalPassed, ""), in(second, lifecycle.RemovalRefused, h.ID))

	unknown := first
	unknown.Notice = "ntc_none"
	if err := save(in(late, lifecycle.RemovalPassed, ""), unknown); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("one that was never noted: %v", err)
	}
	expect("and then all stay", late, in(first, lifecycle.RemovalPassed, ""), in(second, lifecycle.RemovalRefused, h.ID))
	whole(t, url)
}

func testHold(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	save := func(h lifecycle.Hold) error {
		return db.SaveHold(t.Context(), h, nil, event(lifecycle.EventHoldOpened, string(h.ID)), lifecycle.Job{Kind: lifecycle.JobHold, Ref: string(h.ID)})
	}
	h, other := sampleHold("okta"), sampleHold("hris")
	other.OpenedAt = noon().Add(-time.Minute)
	must(t, save(h))
	must(t, save(other))
	if diff := gocmp.Diff([]lifecycle.Hold{other, h}, get[[]lifecycle.Hold](t)(db.Holds(t.Context()))); diff != "" {
		t.Errorf("the holds that stand, the oldest first (-want +got):\n%s", diff)
	}
	if _, err := db.Hold(t.Context(), "hld_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown hold: %v", err)
	}
	skips := h
	skips.Revision = 3
	for name, h := range map[string]lifecycle.Hold{"opened again": h, "a revision that skips one": skips, "a second one of that kind and source": sampleHold("okta")} {
		if err := save(h); !errors.Is(err, lifecycle.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	proposed := h
	proposed.Revision, proposed.State = 2, lifecycle.HoldProposed
	proposed.Proposal = &lifecycle.ReleaseProposal{Only: []lifecycle.NoticeID{"ntc_1"}, By: "ines@acme.test", At: noon(), Seen: 12}
	if won := together(8, func() bool { return save(proposed) == nil }); won != 1 {
		t.Errorf("%d of those who decided at once won, want 1", won)
	}
	if diff := gocmp.Diff(proposed, get[lifecycle.Hold](t)(db.Hold(t.Context(), h.ID))); diff != "" {
		t.Errorf("the proposed one (-want +got):\n%s", diff)
	}
	released := proposed
	released.Revision, released.State = 3, lifecycle.HoldReleased
	must(t, save(released))
	must(t, save(sampleHold("okta"))) // now there may be another
	if got := get[[]lifecycle.Hold](t)(db.Holds(t.Context())); len(got) != 2 {
		t.Errorf("%d holds stand, want 2", len(got))
	}
	whole(t, url)
}
