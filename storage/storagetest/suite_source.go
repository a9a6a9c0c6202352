package storagetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func testSources(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	save := func(s lifecycle.Source) error {
		return db.SaveSource(t.Context(), s, event(lifecycle.EventSourceConnected, s.Name), lifecycle.Job{Kind: lifecycle.JobHold, Ref: "hld_1"})
	}
	is := func(what string, want lifecycle.Source) {
		t.Helper()
		if diff := cmp.Diff(want, get[lifecycle.Source](t)(db.Source(t.Context(), want.Name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	s := lifecycle.Source{Name: "scim:okta", Revision: 1, FirstSeen: noon(), LastHeard: noon(), Heard: 1, Observed: true}
	must(t, db.HeardSource(t.Context(), s.Name, noon()))
	if _, err := db.Source(t.Context(), s.Name); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("a source that was only heard: %v, want not found", err)
	}
	must(t, save(s))
	is("as it was saved", s)
	if err := save(s); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("a second first revision: %v, want a conflict", err)
	}

	before := lines(t, db)
	must(t, db.HeardSource(t.Context(), s.Name, noon().Add(time.Minute)))
	must(t, db.HeardSource(t.Context(), s.Name, noon().Add(3*time.Minute)))
	must(t, db.HeardSource(t.Context(), s.Name, noon().Add(2*time.Minute))) // late, and so it says nothing
	if n := lines(t, db); n != before {
		t.Errorf("hearing a source left %d lines", n-before)
	}
	heard := s
	heard.LastHeard, heard.Heard = noon().Add(3*time.Minute), 3
	is("heard twice more", heard)
	whole(t, url)

	started := s // as somebody has read it who did not hear of the rest
	started.Revision, started.Observed, started.StartedBy = 2, false, "ines@acme.test"
	started.Snapshot = &lifecycle.SnapshotMark{At: noon(), SHA256: "7c1e", Rows: 3, Fields: []string{"employee_id"}, Empty: map[string]int{"title": 1}}
	if won := together(4, func() bool { return save(started) == nil }); won != 1 {
		t.Errorf("%d won, want 1", won)
	}
	started.LastHeard, started.Heard = heard.LastHeard, heard.Heard
	is("saved by somebody who had read it before it was heard", started)

	if got := get[string](t)(db.Cursor(t.Context(), "okta/events")); got != "" {
		t.Errorf("a cursor that was never saved is %q", got)
	}
	for _, value := range []string{"17", "2026-05-04T12:00:00Z 18"} {
		must(t, db.SaveCursor(t.Context(), "okta/events", value))
		if got := get[string](t)(db.Cursor(t.Context(), "okta/events")); got != value {
			t.Errorf("the cursor is %q, want %q", got, value)
		}
	}
	roster := lifecycle.Source{Name: "roster", Revision: 1, FirstSeen: noon(), LastHeard: noon(), Heard: 7}
	must(t, save(roster))
	if diff := cmp.Diff([]lifecycle.Source{roster, started}, get[[]lifecycle.Source](t)(db.Sources(t.Context()))); diff != "" {
		t.Errorf("all of them, by name (-want +got):\n%s", diff)
	}
	whole(t, url)
}
