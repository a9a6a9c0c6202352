package lifecycle_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestReceive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, tt := range map[string]struct {
		change func(*lifecycle.Fact)
		fields []string
	}{
		"a whole fact is kept":                                {func(*lifecycle.Fact) {}, nil},
		"every field that misses is named":                    {func(f *lifecycle.Fact) { *f = lifecycle.Fact{} }, []string{"source", "id", "data.employee_id", "data.status", "data.emails", "time"}},
		"a status that is none":                               {func(f *lifecycle.Fact) { f.Person.Status = "gone" }, []string{"data.status"}},
		"a last day that cannot be read does not end anybody": {func(f *lifecycle.Fact) { f.Person.EndDate = "soon" }, []string{"data.end_date"}},
		"a first day that cannot be read":                     {func(f *lifecycle.Fact) { f.Person.StartDate = "31.5.2026" }, []string{"data.start_date"}},
		"a blank address":                                     {func(f *lifecycle.Fact) { f.Person.Emails = []string{"  "} }, []string{"data.emails"}},
		"the future would outrank every true word":            {func(f *lifecycle.Fact) { f.ObservedAt = monday.Add(time.Hour) }, []string{"time"}},
		"a clock that is a little ahead is let be":            {func(f *lifecycle.Fact) { f.ObservedAt = monday.Add(4 * time.Minute) }, nil},
		"a key is as good as an employee id":                  {func(f *lifecycle.Fact) { f.Key, f.Person.EmployeeID = "00uBEN", "" }, nil},
		"a status alone needs no address beside a key": {func(f *lifecycle.Fact) {
			f.Kind, f.Key, f.Person = lifecycle.FactStatus, "00uBEN", lifecycle.Person{Status: lifecycle.StatusEnded}
		}, nil},
		"a status alone needs no key beside an address": {func(f *lifecycle.Fact) {
			f.Kind, f.Person = lifecycle.FactDisabled, lifecycle.Person{Status: lifecycle.StatusSuspended, Emails: []string{"ben@acme.test"}}
		}, nil},
		"a status alone must say whose": {func(f *lifecycle.Fact) {
			f.Kind, f.Person = lifecycle.FactStatus, lifecycle.Person{Status: lifecycle.StatusEnded}
		}, []string{"data.employee_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := lifecycle.Fact{Source: "hr", EventID: name, Person: person("Payments"), ObservedAt: monday}
			tt.change(&f)
			_, _, err := h.inbox().Receive(t.Context(), f)
			var fields []string
			if refusal, ok := errors.AsType[*lifecycle.Refusal](err); ok {
				for _, f := range refusal.Fields {
					fields = append(fields, f.Path)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.fields, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsHeardLeavesALineAndTheStepThatFollows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	step := lifecycle.Job{Kind: lifecycle.JobResync, Ref: "okta", At: monday.Add(time.Minute)}
	must(t, h.inbox().Heard(t.Context(), "okta", "says that somebody's profile was changed", step))
	if n := h.store.waiting(lifecycle.JobResync); n != 1 {
		t.Errorf("%d steps follow, want 1", n)
	}
	last := h.store.lines[len(h.store.lines)-1]
	if last.Kind != lifecycle.EventNoticeIgnored || last.Actor != lifecycle.BySource("okta") || last.Detail["why"] != "says that somebody's profile was changed" {
		t.Errorf("the line is %+v", last)
	}
}

func TestTheSameEventTwiceIsOneFact(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	f := lifecycle.Fact{Source: "hr", EventID: "1", Person: person("Payments"), ObservedAt: monday}
	first, duplicate, err := h.inbox().Receive(t.Context(), f)
	if err != nil || duplicate {
		t.Fatalf("first: %v, duplicate %t", err, duplicate)
	}
	f.Person.Department = "Platform" // what is said under a known id is not heard again
	second, duplicate, err := h.inbox().Receive(t.Context(), f)
	if err != nil || !duplicate || second != first {
		t.Errorf("second: got %s, %t, %v; want %s, true", second, duplicate, err, first)
	}
	if n := h.store.waiting(lifecycle.JobRegister); n != 1 {
		t.Errorf("%d steps follow, want 1", n)
	}
}

// scanned reports a finding of another tool about Ben.
func (h *house) scanned(t *testing.T, kind lifecycle.FindingKind, e lifecycle.Entitlement) lifecycle.FindingID {
	t.Helper()
	id, _, err := h.inbox().Report(t.Context(), lifecycle.Report{Source: "scanner", EventID: "1", Email: "BEN@acme.test", Kind: kind, Entitlement: e, ObservedAt: h.now(), Note: "not used for 90 days"})
	must(t, err)
	h.work(t)
	return id
}

func TestReport(t *testing.T) {
	t.Parallel()
	teamByID := lifecycle.Entitlement{Kind: lifecycle.KindTeamRole, Team: lifecycle.Team{ID: platform.ID}}
	for name, tt := range map[string]struct {
		kind lifecycle.FindingKind
		e    lifecycle.Entitlement
		want []string
	}{
		"a team role beyond policy is taken back, and its team gets its name": {lifecycle.FoundExcess, teamByID, []string{"revoke Platform: manager → "}},
		"a role that policy grants stays":                                     {lifecycle.FoundExcess, lifecycle.OnTeam(payments, lifecycle.TeamResponder), nil},
		"a base role goes down to what policy wants":                          {lifecycle.FoundExcess, lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "user"}, []string{"replace base_role: user → limited_user"}},
		"an orphan is contained":                                              {lifecycle.FoundOrphan, lifecycle.Entitlement{}, []string{"contain base_role: user → restricted_access", "contain Payments: responder → ", "contain Platform: manager → "}},
		"a schedule is not ours to change":                                    {lifecycle.FoundExcess, lifecycle.Entitlement{Kind: lifecycle.KindSchedule}, nil},
		"stale is told, not asked":                                            {lifecycle.FoundStale, lifecycle.Entitlement{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pager.put(account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamManager)))
			h.known(t, person("Payments"))
			h.call(t)
			h.drain(t)
			id := h.scanned(t, tt.kind, tt.e)
			got := []string{}
			for _, r := range h.requests(t, lifecycle.Pending) {
				if r.Why.Find == id {
					got = append(got, say(r.Changes)...)
					if r.Subject.ID != h.who(t, "ben").ID {
						t.Errorf("it is about %q, and not about Ben", r.Subject.ID)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got, equateEmpty); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAReportAboutNobodyWeHaveSeenIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, _, err := h.inbox().Report(t.Context(), lifecycle.Report{Source: "scanner", EventID: "1", Email: "eve@acme.test", Kind: lifecycle.FoundOrphan})
	if !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestAProtectedAccountIsChangedByNoRoad(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Protected = []string{"ben@acme.test"}
	h.pager.put(account(lifecycle.RoleAdmin, on(payments, lifecycle.TeamResponder)))
	h.call(t)
	h.scanned(t, lifecycle.FoundOrphan, lifecycle.Entitlement{})
	h.hear(t, person("Payments"))
	h.hear(t, ended(person("Payments")))
	h.call(t)
	if got := h.story(t); len(got) != 0 {
		t.Errorf("requests: %v", got)
	}
	if !slices.ContainsFunc(h.alerts, func(s string) bool { return len(s) > 0 }) {
		t.Error("security was not told")
	}
}

func TestTheAccountOwnerIsChangedByNoRoad(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	boss := person("Payments")
	boss.Emails, boss.Name = []string{"owner@acme.test"}, "Owner"
	h.call(t)
	_, _, err := h.inbox().Report(t.Context(), lifecycle.Report{Source: "scanner", EventID: "1", Email: "owner@acme.test", Kind: lifecycle.FoundOrphan})
	must(t, err)
	h.hear(t, boss)
	h.hear(t, ended(boss))
	h.call(t)
	if got := h.story(t); len(got) != 0 {
		t.Errorf("requests: %v", got)
	}
}
