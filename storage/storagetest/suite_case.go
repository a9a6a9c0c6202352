package storagetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func sampleCase(what string) lifecycle.Case {
	return lifecycle.Case{
		ID: lifecycle.CaseIDFor(lifecycle.CaseAccount, what), Kind: lifecycle.CaseAccount, Revision: 1, Identity: "idn_ana", Label: "Ana",
		Why: "Two accounts could be hers.", Options: []lifecycle.CaseOption{{Answer: "P1", Label: "ana@acme.test", Effect: "Hers."}}, OpenedAt: noon(),
	}
}

func saveCase(t *testing.T, db *storage.DB, c lifecycle.Case) error {
	t.Helper()
	return db.SaveCase(t.Context(), c, event(lifecycle.EventCaseOpened, string(c.ID)), lifecycle.Job{Kind: lifecycle.JobCase, Ref: string(c.ID)})
}

func testCases(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ana, bo := sampleCase("ana"), sampleCase("bo")
	bo.OpenedAt = noon().Add(-time.Minute)
	must(t, saveCase(t, db, ana))
	must(t, saveCase(t, db, bo))
	if diff := cmp.Diff([]lifecycle.Case{bo, ana}, get[[]lifecycle.Case](t)(db.Cases(t.Context()))); diff != "" {
		t.Errorf("open cases, the oldest first (-want +got):\n%s", diff)
	}
	if err := saveCase(t, db, ana); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("opened again: %v, want a duplicate", err)
	}
	skips, none := ana, sampleCase("nobody")
	skips.Revision, none.Revision = 3, 2
	for name, c := range map[string]lifecycle.Case{"a revision that skips one": skips, "a later revision of none": none} {
		if err := saveCase(t, db, c); !errors.Is(err, lifecycle.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	unknown := sampleCase("nobody knows whom")
	unknown.Kind, unknown.Identity, unknown.Source, unknown.Key, unknown.OpenedAt = lifecycle.CasePerson, "", "okta", "00u1", noon().Add(-time.Hour)
	must(t, saveCase(t, db, unknown))
	for name, tt := range map[string]struct {
		who         lifecycle.IdentityID
		source, key string
		want        []lifecycle.Case
	}{
		"about somebody":                      {"idn_ana", "", "", []lifecycle.Case{bo, ana}},
		"about whom a source means":           {"", "okta", "00u1", []lifecycle.Case{unknown}},
		"about somebody whom a source knows":  {"idn_ana", "okta", "00u1", []lifecycle.Case{unknown, bo, ana}},
		"about somebody whom others know too": {"idn_ana", "hr", "00u1", []lifecycle.Case{bo, ana}},
		"about nobody":                        {"", "", "", []lifecycle.Case{}},
		"about nobody whom a source knows":    {"idn_none", "okta", "", []lifecycle.Case{}},
	} {
		if diff := cmp.Diff(tt.want, get[[]lifecycle.Case](t)(db.CasesAbout(t.Context(), tt.who, tt.source, tt.key))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	settled := unknown
	settled.Revision, settled.Answer = 2, lifecycle.AnswerMoot
	must(t, saveCase(t, db, settled))
	if got := get[[]lifecycle.Case](t)(db.CasesAbout(t.Context(), "", "okta", "00u1")); len(got) != 0 {
		t.Errorf("one that is answered is still open: %+v", got)
	}
	if _, err := db.Case(t.Context(), "cas_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown case: %v", err)
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobCase); n != 4 || j != 4 {
		t.Errorf("what was refused left %d lines and %d jobs beside the four", n-4, j-4)
	}
	answered := ana
	answered.Revision, answered.Answer, answered.AnsweredAt = 2, "P1", noon().Add(time.Hour)
	if won := together(8, func() bool { return saveCase(t, db, answered) == nil }); won != 1 {
		t.Errorf("%d of those who answered at once won, want 1", won)
	}
	if diff := cmp.Diff(answered, get[lifecycle.Case](t)(db.Case(t.Context(), ana.ID))); diff != "" {
		t.Errorf("the answered case (-want +got):\n%s", diff)
	}
	if got := get[[]lifecycle.Case](t)(db.Cases(t.Context())); len(got) != 1 || got[0].ID != bo.ID {
		t.Errorf("open after the answer: %+v, want the other", got)
	}
	whole(t, url)
}
