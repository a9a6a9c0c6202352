package pagerduty_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// A guarded is a company with a schedule of each kind and a policy that calls both, and people directly.
type guarded struct {
	company
	layers pagerdutytest.Schedule
	shifts pagerdutytest.ShiftSchedule
	all    pagerdutytest.EscalationPolicy
}

func watched(a *pagerdutytest.Account) guarded {
	w := guarded{company: populate(a)}
	long := time.Now().AddDate(-1, 0, 0)
	w.layers = a.AddSchedule(pagerdutytest.Schedule{Name: "Weekly", TeamIDs: []string{w.core.ID}, Layers: []pagerdutytest.Layer{
		{UserIDs: []string{w.ada.ID}, Start: long, End: long.AddDate(0, 1, 0)}, // over
		{UserIDs: []string{w.ann.ID, w.bo.ID, w.ann.ID}},
	}})
	w.shifts = a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "Nights", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{
		{Members: []string{w.owner.ID}, Start: long, Until: long.AddDate(0, 1, 0)},           // over
		{Members: []string{w.owner.ID}, Start: long, Until: time.Now().Add(2 * time.Minute)}, // handed over, and over in a moment
		{Members: []string{w.bo.ID, pagerdutytest.EmptyMember}, Until: time.Now().AddDate(0, 2, 0)},
		{Members: []string{w.ann.ID}, Since: time.Now().AddDate(0, 2, 0)}, // ahead
	}}}})
	w.all = a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "All", Rules: []pagerdutytest.Rule{
		{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(w.layers.ID), pagerdutytest.UserTarget(w.ada.ID)}},
		{Targets: []pagerdutytest.Target{pagerdutytest.ShiftScheduleTarget(w.shifts.ID)}},
	}})
	return w
}

func ids(all ...string) []lifecycle.AccountID {
	var out []lifecycle.AccountID
	for _, id := range all {
		out = append(out, lifecycle.AccountID(id))
	}
	return out
}

func snapshot(t *testing.T, c *pagerduty.Client) lifecycle.Snapshot {
	t.Helper()
	s, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	return s
}

func rotaOf(t *testing.T, s lifecycle.Snapshot, id string) lifecycle.Rota {
	t.Helper()
	i := slices.IndexFunc(s.Coverage.Rotas, func(r lifecycle.Rota) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("the schedule %s is not among %+v", id, s.Coverage.Rotas)
	}
	return s.Coverage.Rotas[i]
}

func TestCoverageIsWhoAnswers(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := watched(a)
	s := snapshot(t, c)
	want := lifecycle.Coverage{
		Policies: []lifecycle.Escalation{
			{Object: lifecycle.Object{ID: w.policy.ID, Name: "Core-Crit"}, Team: lifecycle.TeamID(w.core.ID), Levels: []lifecycle.Level{{Accounts: ids(w.bo.ID)}, {Accounts: ids(w.ann.ID)}}},
			{Object: lifecycle.Object{ID: w.all.ID, Name: "All"}, Levels: []lifecycle.Level{{Accounts: ids(w.ada.ID), Rotas: []string{w.layers.ID}}, {Rotas: []string{w.shifts.ID}}}},
		},
		Rotas: []lifecycle.Rota{
			{Object: lifecycle.Object{ID: w.layers.ID, Name: "Weekly"}, Teams: []lifecycle.TeamID{lifecycle.TeamID(w.core.ID)}, Seats: ids(w.ann.ID, w.bo.ID)},
			{Object: lifecycle.Object{ID: w.shifts.ID, Name: "Nights"}, ShiftBased: true, Seats: ids(w.bo.ID, w.ann.ID)},
		},
	}
	slices.SortFunc(want.Rotas, func(a, b lifecycle.Rota) int { return strings.Compare(a.ID, b.ID) })
	options := cmp.Options{cmpopts.IgnoreFields(lifecycle.Object{}, "URL"), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, s.Coverage, options); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
	if len(s.Blind) != 1 || !strings.Contains(s.Blind[0], "single objects") {
		t.Errorf("blind to %q, want only what no key can see", s.Blind)
	}
}

// A schedule that is upgraded while everything is read is there all the same, once, whenever it happens.
func TestCoverageFollowsUpgrades(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		on  string
		nth int
	}{
		"before the first list":         {"/schedules", 1},
		"between the lists":             {"/v3/schedules", 1},
		"when the policies are read":    {"/escalation_policies", 1},
		"when another is read":          {"/v3/schedules/*", 1},
		"after the list of layers, too": {"/teams/*/members", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Concurrency = 1 })
			w := watched(a)
			lone := a.AddSchedule(pagerdutytest.Schedule{Name: "Called by nobody", Layers: []pagerdutytest.Layer{{UserIDs: []string{w.ann.ID}}}})
			a.Fail(pagerdutytest.Fault{Method: "GET", Path: tt.on, Nth: tt.nth, Kind: pagerdutytest.Before(func() {
				a.UpgradeSchedule(w.layers.ID)
				a.UpgradeSchedule(lone.ID)
			})})
			s := snapshot(t, c)
			if len(s.Coverage.Rotas) != 3 {
				t.Errorf("rotas are %+v, want three", s.Coverage.Rotas)
			}
			for _, id := range []string{w.layers.ID, lone.ID} {
				if r := rotaOf(t, s, id); !slices.Contains(r.Seats, lifecycle.AccountID(w.ann.ID)) {
					t.Errorf("Ann has no seat in %+v", r)
				}
			}
		})
	}
}

// A policy that was read before may call what neither list has, because PagerDuty shows changes late.
func TestCoverageSeeksWhatAPolicyCalls(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]string{"of layers": "/schedules", "of shifts": "/v3/schedules"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := watched(a)
			a.Fail(pagerdutytest.Fault{Method: "GET", Path: hidden, Kind: pagerdutytest.Status(200, `{"schedules":[],"more":false,"total":0}`)})
			s := snapshot(t, c)
			for _, id := range []string{w.layers.ID, w.shifts.ID} {
				if r := rotaOf(t, s, id); len(r.Seats) != 2 {
					t.Errorf("seats are %v, want two", r.Seats)
				}
			}
		})
	}
}

// Whoever was deleted and left a placeholder answers nowhere.
func TestCoverageNamesPlaceholders(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{Offboarding: pagerdutytest.Offboarding{Enabled: true}})
	w := watched(a)
	zed := a.AddUser(pagerdutytest.User{Name: "Zed Zimmer", Email: "zed@example.com"})
	only := a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "Zed alone", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{{Members: []string{zed.ID}}}}}})
	must(a.DeleteUserAs("olga@example.com", w.bo.ID))
	must(a.DeleteUserAs("olga@example.com", zed.ID))
	s := snapshot(t, c)
	if r := rotaOf(t, s, w.layers.ID); !slices.Equal(r.Seats, ids(w.ann.ID)) || !slices.Equal(r.Gone, []string{"Bo Birch"}) {
		t.Errorf("the schedule of layers seats %v and has lost %v", r.Seats, r.Gone)
	}
	if r := rotaOf(t, s, w.shifts.ID); !slices.Equal(r.Seats, ids(w.ann.ID)) || !slices.Equal(r.Gone, []string{"Bo Birch"}) {
		t.Errorf("the shift-based schedule seats %v and has lost %v: other places tell the name", r.Seats, r.Gone)
	}
	if r := rotaOf(t, s, only.ID); len(r.Seats) != 0 || !slices.Equal(r.Gone, []string{"a deleted user (" + zed.ID + ")"}) {
		t.Errorf("of Zed's schedule %v have a seat and %v are lost", r.Seats, r.Gone)
	}
	level := s.Coverage.Policies[0].Levels[0]
	if len(level.Accounts) != 0 || !slices.Equal(level.Gone, []string{"Bo Birch"}) {
		t.Errorf("the level that called Bo is %+v", level)
	}
}

// Who is called and was passed over by the listing of users is no placeholder.
func TestCoverageFindsWhoCameMeanwhile(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Concurrency = 1 })
	w := watched(a)
	var id string
	a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/v3/schedules/*", Kind: pagerdutytest.Before(func() {
		u := a.AddUser(pagerdutytest.User{Name: "Nia New", Email: "nia@example.com"})
		id = u.ID
		a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "Unread", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(id)}}}})
		a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "Unread", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{{Members: []string{id}}}}}})
		must(a.SetPolicyAs("olga@example.com", pagerdutytest.EscalationPolicy{ID: w.policy.ID, Name: "Core-Crit", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(id)}}}}))
	})})
	s := snapshot(t, c)
	for _, p := range s.Coverage.Policies {
		for _, l := range p.Levels {
			if len(l.Gone) > 0 {
				t.Errorf("level %+v of %s has lost somebody", l, p.Name)
			}
		}
	}
}

// Without the right to read who answers when, roles are read all the same, and nothing is said of on-call.
func TestSnapshotWithoutCoverage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path   string
		status int
		blind  string
		whole  bool // the coverage is whole all the same
	}{
		"no right to policies":           {"/escalation_policies", 403, "does not let rolecall's key", false},
		"no right to schedules":          {"/schedules", 403, "does not let rolecall's key", false},
		"no right to shift-based ones":   {"/v3/schedules", 403, "does not let rolecall's key", false},
		"no right to a single one":       {"/v3/schedules/*", 403, "does not let rolecall's key", false},
		"a plan without policies":        {"/escalation_policies", 402, "plan does not include", false},
		"a plan without shift-based":     {"/v3/schedules", 402, "no shift-based schedules on this plan", true},
		"a place without shift-based":    {"/v3/schedules", 404, "no shift-based schedules on this plan", true},
		"a schedule that none can find ": {"/v3/schedules/*", 400, "calls the schedule Nights", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := watched(a)
			a.Fail(pagerdutytest.Fault{Method: "GET", Path: tt.path, Times: -1, Kind: pagerdutytest.Refuses(tt.status, 2010, "Access Denied", pagerdutytest.ErrorsList)})
			s := snapshot(t, c)
			if len(s.Accounts) != 5 {
				t.Errorf("%d accounts, want 5", len(s.Accounts))
			}
			if all := strings.Join(s.Blind, "\n"); !strings.Contains(all, tt.blind) {
				t.Errorf("blind to %q, want it to say %q", s.Blind, tt.blind)
			}
			if got := len(s.Coverage.Policies)+len(s.Coverage.Rotas) > 0; got != tt.whole {
				t.Errorf("coverage is %+v, want one: %t", s.Coverage, tt.whole)
			}
			h, err := c.Holdings(t.Context(), lifecycle.AccountID(w.ann.ID))
			if refused := lifecycle.ReasonOf(err) != ""; refused == tt.whole {
				t.Errorf("holdings: %+v, %v; want a refusal: %t", h, err, !tt.whole)
			}
		})
	}
}

func TestSnapshotSaysWhichScopeIsMissing(t *testing.T) {
	t.Parallel()
	granted := slices.DeleteFunc(pagerduty.Scopes(), func(s string) bool { return s == "schedules.read" })
	a, c := start(t, pagerdutytest.Config{OAuth: app(granted...)}, asApp(always("s3cret-of-the-app")))
	w := watched(a)
	s := snapshot(t, c)
	if all := strings.Join(s.Blind, "\n"); !strings.Contains(all, "lacks the scope schedules.read") || len(s.Coverage.Policies) > 0 {
		t.Errorf("blind to %q, coverage %+v", s.Blind, s.Coverage)
	}
	if _, err := c.Holdings(t.Context(), lifecycle.AccountID(w.ann.ID)); !strings.Contains(lifecycle.ReasonOf(err), "lacks the scope schedules.read") {
		t.Errorf("holdings: %v", err)
	}
}

// A page of policies or schedules that breaks off is an error, and no shorter coverage.
func TestCoverageIsNeverShort(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]pagerdutytest.Fault{
		"policies fail":                       {Path: "/escalation_policies", Nth: 2, Times: -1, Kind: pagerdutytest.Status(500, "")},
		"policies end early":                  {Path: "/escalation_policies", Nth: 2, Times: -1, Kind: pagerdutytest.Status(200, `{"escalation_policies":[],"more":false,"total":152}`)},
		"schedules have no rows":              {Path: "/schedules", Times: -1, Kind: pagerdutytest.Status(200, `{"more":false}`)},
		"fewer schedules come than there are": {Path: "/schedules", Times: -1, Kind: pagerdutytest.Status(200, `{"schedules":[],"more":false,"total":3}`)},
		"shift-based ones are cut off":        {Path: "/v3/schedules", Times: -1, Kind: pagerdutytest.TruncatedJSON()},
		"one of them fails":                   {Path: "/v3/schedules/*", Times: -1, Kind: pagerdutytest.HTML(502)},
		"one is not found by a stranger":      {Path: "/v3/schedules/*", Times: -1, Kind: pagerdutytest.HTML(404)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := watched(a)
			for range 150 {
				a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "More", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.ada.ID)}}}})
			}
			fault.Method = "GET"
			a.Fail(fault)
			if s, err := c.Snapshot(t.Context()); err == nil {
				t.Errorf("snapshot with %d policies and %d rotas, want an error", len(s.Coverage.Policies), len(s.Coverage.Rotas))
			}
		})
	}
}

// What a deletion in the middle of a listing of policies or schedules moves up must not be lost.
func TestCoverageWhileThingsMove(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Concurrency = 1 })
	w := watched(a)
	var upgraded []string
	for range 250 {
		s := a.AddSchedule(pagerdutytest.Schedule{Name: "More", Layers: []pagerdutytest.Layer{{UserIDs: []string{w.ann.ID}}}})
		upgraded = append(upgraded, s.ID)
	}
	a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/schedules", Nth: 2, Kind: pagerdutytest.Before(func() {
		for _, id := range upgraded[:7] {
			a.UpgradeSchedule(id)
		}
	})})
	if s := snapshot(t, c); len(s.Coverage.Rotas) != 252 {
		t.Errorf("%d rotas, want 252", len(s.Coverage.Rotas))
	}
}
