package storagetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testGlances(t *testing.T, x *fixture) {
	for name, test := range map[string]func(*testing.T, *storage.DB){
		"changes what it names, and nothing else":           glanceChanges,
		"older than a whole roll call is refused":           glanceSuperseded,
		"keeps what is newer":                               glanceKeepsNewer,
		"that saw nothing new leaves the baseline as it is": glanceSeesNothing,
		"moves its mark forward only":                       glanceMark,
		"without its moment or its line is refused":         glanceRefused,
		"later than a roll call's look is kept by it":       glanceKept,
		"that a roll call contradicts makes it look again":  glanceContradicted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, url := x.openAt(t)
			must(t, db.SaveRollCall(t.Context(), rollCall(noon(), threeAccounts(), []lifecycle.Finding{sampleFinding("fnd_1")}, nil)))
			test(t, db)
			whole(t, url)
		})
	}
}

func threeAccounts() []lifecycle.Account {
	return []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2"), sampleAccount("P3")}
}

// glance is one at that many minutes past noon.
func glance(minutes int) lifecycle.Glance {
	return lifecycle.Glance{Until: after(minutes), Events: []lifecycle.AuditEvent{event(lifecycle.EventRollCallDone, "glance")}}
}

func after(minutes int) time.Time { return noon().Add(time.Duration(minutes) * time.Minute) }

func withRole(id lifecycle.AccountID, r lifecycle.BaseRole) lifecycle.Account {
	a := sampleAccount(id)
	a.BaseRole = r
	return a
}

// came is a finding that came up at that many minutes past noon.
func came(id lifecycle.FindingID, minutes int) lifecycle.Finding {
	f := sampleFinding(id)
	f.Since, f.MadeBy = after(minutes), "Sam Ito in the web app"
	return f
}

func settled(f lifecycle.Finding, minutes int) lifecycle.Finding {
	f.ClearedAt = after(minutes)
	return f
}

func glanceChanges(t *testing.T, db *storage.DB) {
	if at := get[time.Time](t)(db.Glanced(t.Context())); !at.IsZero() {
		t.Errorf("before the first, the last was %s", at)
	}
	g := glance(5)
	g.Accounts = []lifecycle.Account{withRole("P1", lifecycle.RoleAdmin), sampleAccount("P4")}
	g.Gone = []lifecycle.AccountID{"P2", "P5"} // the second came and went between two looks
	g.Open, g.Cleared = []lifecycle.Finding{came("fnd_2", 5)}, []lifecycle.Finding{settled(sampleFinding("fnd_1"), 5)}
	g.Events = append([]lifecycle.AuditEvent{event(lifecycle.EventFindingOpened, "fnd_2"), event(lifecycle.EventFindingCleared, "fnd_1")}, g.Events...)
	must(t, db.SaveGlance(t.Context(), g, lifecycle.Job{Kind: lifecycle.JobAsk, Ref: "fnd_2"}))
	stands(t, db, []lifecycle.Account{withRole("P1", lifecycle.RoleAdmin), sampleAccount("P3"), sampleAccount("P4")}, g.Open)
	if got := finding(t, db, "fnd_1"); !got.ClearedAt.Equal(after(5)) {
		t.Errorf("what does not stand any more was cleared at %s", got.ClearedAt)
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobAsk); n != 4 || j != 1 {
		t.Errorf("%d lines and %d jobs, want 4 and 1", n, j)
	}
	if at := get[time.Time](t)(db.Glanced(t.Context())); !at.Equal(after(5)) {
		t.Errorf("the last was %s, want %s", at, after(5))
	}
	if at := get[time.Time](t)(db.LastRollCall(t.Context())); !at.Equal(noon()) {
		t.Errorf("it counts as a whole roll call of %s", at)
	}
}

func glanceSuperseded(t *testing.T, db *storage.DB) {
	must(t, db.SaveRollCall(t.Context(), rollCall(after(10), threeAccounts(), []lifecycle.Finding{sampleFinding("fnd_1")}, nil)))
	g := glance(9)
	g.Accounts, g.Gone = []lifecycle.Account{withRole("P1", lifecycle.RoleAdmin)}, []lifecycle.AccountID{"P2"}
	g.Open, g.Cleared = []lifecycle.Finding{came("fnd_2", 9)}, []lifecycle.Finding{settled(sampleFinding("fnd_1"), 9)}
	before := lines(t, db)
	if err := db.SaveGlance(t.Context(), g, lifecycle.Job{Kind: lifecycle.JobAsk, Ref: "fnd_2"}); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	stands(t, db, threeAccounts(), []lifecycle.Finding{sampleFinding("fnd_1")})
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobAsk); n != before || j != 0 {
		t.Errorf("it left %d lines and %d jobs", n-before, j)
	}
	if at := get[time.Time](t)(db.Glanced(t.Context())); !at.IsZero() {
		t.Errorf("it counts as a glance of %s", at)
	}
	g.Until = after(10)
	must(t, db.SaveGlance(t.Context(), g))
}

func glanceKeepsNewer(t *testing.T, db *storage.DB) {
	changed, done := withRole("P1", lifecycle.RoleManager), event(lifecycle.EventChangeVerified, "req_1")
	done.At = after(6)
	must(t, db.SaveEffect(t.Context(), sampleRequest("ntc_1"), lifecycle.Effect{Account: "P1", Held: &changed}, done))
	must(t, db.SaveEffect(t.Context(), sampleRequest("ntc_2"), lifecycle.Effect{Account: "P2"}, done))
	g := glance(5)
	g.Accounts, g.Gone = []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2")}, []lifecycle.AccountID{"P3"}
	must(t, db.SaveGlance(t.Context(), g))
	standing := []lifecycle.Finding{sampleFinding("fnd_1")}
	stands(t, db, []lifecycle.Account{changed}, standing)
	g.Until = after(7)
	must(t, db.SaveGlance(t.Context(), g))
	stands(t, db, []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2")}, standing)
}

func glanceSeesNothing(t *testing.T, db *storage.DB) {
	g := glance(5)
	g.Accounts, g.Open = []lifecycle.Account{sampleAccount("P1")}, []lifecycle.Finding{sampleFinding("fnd_1")}
	must(t, db.SaveGlance(t.Context(), g))
	last := get[[]storage.AuditLine](t)(db.Tail(t.Context(), lines(t, db)-1, 1))
	if last[0].Record != "mark/glance" {
		t.Errorf("beside its mark it wrote: %s", last[0].Record)
	}
}

func glanceMark(t *testing.T, db *storage.DB) {
	for minutes, want := range []int{0, 1, 2, 3} {
		must(t, db.SaveGlance(t.Context(), glance(minutes)))
		must(t, db.SaveGlance(t.Context(), glance(0)))
		if at := get[time.Time](t)(db.Glanced(t.Context())); !at.Equal(after(want)) {
			t.Errorf("the last was %s, want %s", at, after(want))
		}
	}
}

func glanceRefused(t *testing.T, db *storage.DB) {
	if err := db.SaveGlance(t.Context(), lifecycle.Glance{Until: after(1)}); err == nil {
		t.Error("without its line it was stored")
	}
	g := glance(1)
	g.Until = time.Time{}
	if err := db.SaveGlance(t.Context(), g); err == nil {
		t.Error("without its moment it was stored")
	}
}

func glanceKept(t *testing.T, db *storage.DB) {
	g := glance(5)
	g.Accounts, g.Gone = []lifecycle.Account{withRole("P1", lifecycle.RoleAdmin)}, []lifecycle.AccountID{"P2"}
	g.Open = []lifecycle.Finding{came("fnd_2", 5)}
	must(t, db.SaveGlance(t.Context(), g))
	without := came("fnd_2", 6) // as a roll call finds it that does not know by whom it was made
	without.MadeBy = ""
	must(t, db.SaveRollCall(t.Context(), rollCall(after(4), threeAccounts(), []lifecycle.Finding{sampleFinding("fnd_1"), without}, nil)))
	stands(t, db, []lifecycle.Account{withRole("P1", lifecycle.RoleAdmin), sampleAccount("P3")}, []lifecycle.Finding{sampleFinding("fnd_1"), came("fnd_2", 5)})
}

func glanceContradicted(t *testing.T, db *storage.DB) {
	g := glance(5)
	g.Open, g.Cleared = []lifecycle.Finding{came("fnd_2", 5)}, []lifecycle.Finding{settled(sampleFinding("fnd_1"), 5)}
	must(t, db.SaveGlance(t.Context(), g))
	for name, r := range map[string]lifecycle.RollResult{
		"it clears what came up after it looked":    rollCall(after(4), threeAccounts(), nil, []lifecycle.Finding{settled(came("fnd_2", 5), 6)}),
		"it finds what was settled after it looked": rollCall(after(4), threeAccounts(), []lifecycle.Finding{sampleFinding("fnd_1")}, nil),
	} {
		before := lines(t, db)
		if err := db.SaveRollCall(t.Context(), r); !errors.Is(err, lifecycle.ErrConflict) || lines(t, db) != before {
			t.Errorf("%s: %v and %d lines, want a conflict and none", name, err, lines(t, db)-before)
		}
	}
	must(t, db.SaveRollCall(t.Context(), rollCall(after(6), threeAccounts(), []lifecycle.Finding{sampleFinding("fnd_1")}, []lifecycle.Finding{settled(came("fnd_2", 5), 6)})))
	stands(t, db, threeAccounts(), []lifecycle.Finding{sampleFinding("fnd_1")})
}

func jobUniqueGlance(t *testing.T, o *office) {
	for _, ref := range []string{"schedule", "idn_ana"} {
		o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobGlance, Ref: ref}, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: ref},
			lifecycle.Job{Kind: lifecycle.JobFollow, Ref: "req_1", At: time.Now().Add(time.Hour)}, lifecycle.Job{Kind: lifecycle.JobStop, Ref: ref})
	}
	for kind, want := range map[lifecycle.JobKind]int{lifecycle.JobGlance: 1, lifecycle.JobRollCall: 1, lifecycle.JobFollow: 2, lifecycle.JobStop: 2} {
		if n := jobs(t, o.db, kind); n != want {
			t.Errorf("%d %s jobs wait, want %d", n, kind, want)
		}
	}
}

func jobGlanceGivenUp(t *testing.T, o *office) {
	f, seen := attempts(errors.New("PagerDuty is away"))
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobGlance, Ref: "schedule"})
	execute(t, raw(t, o.url), "UPDATE river_job SET max_attempts = 1")
	o.start(t, lifecycle.JobGlance, f)
	if a := next(t, seen); !a.Last {
		t.Errorf("attempt %+v, want the last", a)
	}
	o.ends(t, lifecycle.JobGlance, "cancelled")
	if !strings.Contains(o.log.String(), "PagerDuty is away") {
		t.Errorf("the failure is not in the log: %s", o.log)
	}
}

func jobGlanceWaits(t *testing.T, o *office) {
	call, begun, gate := longRollCall()
	glance, glanced := attempts()
	show, shown := attempts()
	o.startAll(t, map[lifecycle.JobKind]storage.Handler{lifecycle.JobRollCall: call, lifecycle.JobGlance: glance, lifecycle.JobShow: show})
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: "schedule"})
	next(t, begun)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobGlance, Ref: "schedule"}, lifecycle.Job{Kind: lifecycle.JobShow, Ref: "req_1"})
	next(t, shown)
	if len(glanced) > 0 {
		t.Error("both are at work at once")
	}
	close(gate)
	next(t, glanced)
}
