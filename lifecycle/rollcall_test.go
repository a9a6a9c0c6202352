package lifecycle_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// drifted is a house whose Ben, of Payments, has been made an admin since the
// last roll call. The next one has found it and asked.
func drifted(t *testing.T) (*house, lifecycle.Finding) {
	t.Helper()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.call(t)
	h.setBase(lifecycle.RoleAdmin)
	h.pass(4 * time.Hour)
	return h, h.found(t)
}

func (h *house) setBase(r lifecycle.BaseRole) {
	a, _ := h.pager.see("PBEN")
	a.BaseRole = r
	h.pager.put(a)
}

// found calls the roll and returns the one finding, as it is stored after it was asked about.
func (h *house) found(t *testing.T) lifecycle.Finding {
	t.Helper()
	result := h.call(t)
	if len(result.Open) != 1 {
		t.Fatalf("found %+v, want one finding", result.Open)
	}
	f, err := h.store.Finding(t.Context(), result.Open[0].ID)
	must(t, err)
	return f
}

func TestDriftIsFoundAskedAndTakenBack(t *testing.T) {
	t.Parallel()
	h, f := drifted(t)
	r := h.only(t, lifecycle.Pending)
	if f.Kind != lifecycle.FoundDrift || f.Severity != lifecycle.SeverityHigh || f.Request != r.ID || r.Silence != lifecycle.SilenceKeep {
		t.Fatalf("found %+v, asked by %+v", f, r)
	}
	h.pass(4 * time.Hour)
	again := h.found(t)
	if diff := cmp.Diff(f, again); diff != "" || len(h.requests(t)) != 1 {
		t.Errorf("the next roll call (-first +second), %d requests:\n%s", len(h.requests(t)), diff)
	}
	h.approve(t, r, "marco")
	if a, _ := h.pager.see("PBEN"); a.BaseRole != lifecycle.RoleResponder {
		t.Errorf("Ben is %s", a.BaseRole)
	}
	marco, err := h.directory().Find(t.Context(), "marco@acme.test")
	must(t, err)
	if shown, err := h.desk().FindingsFor(t.Context(), marco); err != nil || len(shown) != 0 {
		t.Errorf("shown as standing although it was mended and read back: %v, %v", shown, err)
	}
	if result := h.call(t); len(result.Open) != 0 || len(result.Cleared) != 1 {
		t.Errorf("after that: open %v, cleared %v", result.Open, result.Cleared)
	}
}

func TestAFindingThatMendsItselfIsWithdrawn(t *testing.T) {
	t.Parallel()
	h, f := drifted(t)
	h.setBase(lifecycle.RoleResponder)
	h.call(t)
	if got := h.request(t, f.Request); got.State != lifecycle.Withdrawn {
		t.Errorf("the request is %s", got.State)
	}
	h.setBase(lifecycle.RoleAdmin)
	h.pass(4 * time.Hour)
	again := h.found(t)
	if again.ID != f.ID || again.Request == f.Request || h.only(t, lifecycle.Pending).ID != again.Request {
		t.Errorf("it came back as %+v, want it asked again: %v", again, h.story(t))
	}
}

// What is found again after its question was settled is asked in a new round.
func TestWhatTheLastAnswerDidNotMendIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, settle := range map[string]func(*testing.T, *house, lifecycle.Request){
		"taken back, and given again": func(t *testing.T, h *house, r lifecycle.Request) {
			h.approve(t, r, "marco")
			h.setBase(lifecycle.RoleAdmin)
		},
		"expired": func(t *testing.T, h *house, _ lifecycle.Request) { h.later(t, 73*time.Hour) },
		"withdrawn by a notice": func(t *testing.T, h *house, _ lifecycle.Request) {
			p := person("Payments")
			p.Title = "SRE III"
			h.hear(t, p)
		},
		"kept, and the exception has ended": func(t *testing.T, h *house, r lifecycle.Request) {
			_, err := h.press(t, r, "priya", lifecycle.Deny, "covers for Sam")
			must(t, err)
			h.pass(4 * time.Hour)
			if f := h.found(t); f.Exception == "" || len(h.requests(t, lifecycle.Pending)) != 0 {
				t.Errorf("while it is kept: %+v, %v", f, h.story(t))
			}
			h.pass(91 * day)
		},
		"kept as it was, and grown": func(t *testing.T, h *house, _ lifecycle.Request) {
			a, _ := h.pager.see("PBEN")
			a.BaseRole = lifecycle.RoleManager
			h.pager.put(a)
			h.drain(t)
			h.pass(time.Hour)
			h.found(t)
			r := h.only(t, lifecycle.Pending)
			_, err := h.press(t, r, "priya", lifecycle.Deny, "covers for Sam")
			must(t, err)
			h.setBase(lifecycle.RoleAdmin)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, f := drifted(t)
			settle(t, h, h.only(t, lifecycle.Pending))
			h.pass(4 * time.Hour)
			again := h.found(t)
			if again.ID != f.ID || again.Request == f.Request {
				t.Fatalf("found %+v, want the same finding with another request", again)
			}
			if r := h.only(t, lifecycle.Pending); r.ID != again.Request {
				t.Errorf("asked by %s, and the finding says %s", r.ID, again.Request)
			}
			must(t, h.planner().Ask(t.Context(), f.ID)) // as after a crash
			h.only(t, lifecycle.Pending)
		})
	}
}

func TestAnExceptionCoversWhatItWasGivenFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		have lifecycle.Account
		who  lifecycle.Person
		kind lifecycle.FindingKind
	}{
		"an orphan that only has teams left":     {account(lifecycle.RoleRestricted, on(payments, lifecycle.TeamResponder)), lifecycle.Person{}, lifecycle.FoundOrphan},
		"a team that misses, with the base role": {account(lifecycle.RoleObserver), person("Payments"), lifecycle.FoundMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pager.put(tt.have)
			if tt.who.EmployeeID != "" {
				h.known(t, tt.who)
			}
			h.call(t)
			for _, r := range h.requests(t, lifecycle.Pending) {
				who := "marco"
				if r.Approvers[0] == "priya@acme.test" {
					who = "priya"
				}
				_, err := h.press(t, r, who, lifecycle.Deny, "known")
				must(t, err)
			}
			h.pass(4 * time.Hour)
			result := h.call(t)
			for _, f := range result.Open {
				if f.Kind != tt.kind || f.Exception == "" {
					t.Errorf("%s (%s) is not covered by what was decided about it", f.Kind, f.Entitlement)
				}
			}
			if len(result.Open) == 0 || len(h.requests(t, lifecycle.Pending)) != 0 {
				t.Errorf("%d findings, and asked %v", len(result.Open), h.story(t))
			}
		})
	}
}

func TestOnlySecurityKeepsAnAdmin(t *testing.T) {
	t.Parallel()
	h, _ := drifted(t)
	r := h.only(t, lifecycle.Pending)
	if _, err := h.press(t, r, "marco", lifecycle.Deny, "he is good at it"); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("an owner keeps an admin: %v", err)
	}
	if _, err := h.press(t, r, "priya", lifecycle.Deny, "covers for Sam"); err != nil {
		t.Errorf("security keeps an admin: %v", err)
	}
	h, _ = drifted(t)
	if is := h.approve(t, h.only(t, lifecycle.Pending), "marco"); is.State != lifecycle.Done {
		t.Errorf("an owner revokes an admin: it is %s", is.State)
	}
}

func TestASnapshotThatIsNotWholeConcludesNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]func(*house){
		"a listing that broke off":      func(h *house) { h.pager.partial = errors.New("page 3 of 7: 502") },
		"a listing that may not be had": func(h *house) { h.pager.partial = lifecycle.Refuse(lifecycle.ErrForbidden, "The key may not.") },
		"an account that was not listed, and cannot be asked for": func(h *house) {
			h.pager.unlisted = map[lifecycle.AccountID]bool{"PBEN": true}
			h.pager.noGone = errors.New("502")
		},
		"a listing of nobody": func(h *house) { h.pager.accounts = map[lifecycle.AccountID]lifecycle.Account{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := drifted(t)
			before, _, err := h.store.Findings(t.Context(), h.now())
			must(t, err)
			tt(h)
			_, err = h.rollCall().Run(t.Context(), lifecycle.System)
			if told, ok := errors.AsType[*lifecycle.JobError](err); !ok || !told.Permanent {
				t.Errorf("recorded, it is not left to the schedule: %v", err)
			}
			after, _, err := h.store.Findings(t.Context(), h.now())
			must(t, err)
			if diff := cmp.Diff(before, after); diff != "" || h.trail(lifecycle.EventRollCallFailed) != 1 {
				t.Errorf("findings (-before +after), with %d lines of the failure:\n%s", h.trail(lifecycle.EventRollCallFailed), diff)
			}
			h.work(t)
			why := "The record says why"
			if reason := lifecycle.ReasonOf(h.pager.partial); reason != "" {
				why = reason
			}
			if len(h.alerts) == 0 || !strings.Contains(h.alerts[len(h.alerts)-1], "nothing was concluded from it. "+why) {
				t.Errorf("security is told %q, without %q", h.alerts, why)
			}
			baseline, err := h.store.Baseline(t.Context())
			must(t, err)
			if len(baseline) != 2 {
				t.Errorf("%d accounts are left in the baseline", len(baseline))
			}
		})
	}
}

func TestARollCallThatCouldNotBeRecordedIsTriedAgain(t *testing.T) {
	t.Parallel()
	h, _ := drifted(t)
	h.faults.hit(1, dead)
	_, err := h.rollCall().Run(t.Context(), lifecycle.System)
	if told, ok := errors.AsType[*lifecycle.JobError](err); err == nil || ok && told.Permanent {
		t.Errorf("nobody is told of it, and it is given up: %v", err)
	}
	h.faults.hit(0, dead)
	if _, err := h.rollCall().Run(t.Context(), lifecycle.System); err != nil {
		t.Errorf("the next try: %v", err)
	}
}

func TestWhatAnotherToolReportedIsClearedWhenItIsNotSoAnyMore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change  func(*house)
		cleared bool
	}{
		"it is as it was":      {func(*house) {}, false},
		"the role has changed": {func(h *house) { h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))) }, true},
		"the account is gone":  {func(h *house) { h.pager.drop("PBEN") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamManager)))
			h.known(t, person("Payments"))
			h.call(t)
			id := h.scanned(t, lifecycle.FoundExcess, lifecycle.Entitlement{Kind: lifecycle.KindTeamRole, Team: lifecycle.Team{ID: platform.ID}})
			asked := len(h.requests(t))
			tt.change(h)
			h.pass(4 * time.Hour)
			result := h.call(t)
			if got := slices.ContainsFunc(result.Cleared, func(f lifecycle.Finding) bool { return f.ID == id }); got != tt.cleared {
				t.Errorf("cleared: %t, want %t", got, tt.cleared)
			}
			if !tt.cleared && len(h.requests(t)) != asked {
				t.Errorf("it was asked again while it was being asked: %v", h.story(t))
			}
		})
	}
}

// A deletion that came to nothing leaves an account that nobody would think of again.
func TestALeaverWhoseDeletionCameToNothingIsNotForgotten(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *house, lifecycle.Request){
		"denied": func(t *testing.T, h *house, r lifecycle.Request) {
			_, err := h.press(t, r, "marco", lifecycle.Deny, "not yet")
			must(t, err)
		},
		"undone": func(t *testing.T, h *house, r lifecycle.Request) {
			h.approve(t, r, "marco")
			_, err := h.approvals().Undo(t.Context(), lifecycle.Press{Request: r.ID, By: h.who(t, "marco")})
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			away(t, h)
			r := h.only(t, lifecycle.Pending)
			h.pass(4 * time.Hour)
			if result := h.call(t); len(result.Open) != 0 {
				t.Fatalf("found %v while the deletion is being decided", result.Open)
			}
			end(t, h, r)
			h.pass(4 * time.Hour)
			f := h.found(t)
			again := h.only(t, lifecycle.Pending)
			if f.Severity != lifecycle.SeverityLow || again.Risk() != lifecycle.Destructive || again.Why.Find != f.ID || again.ID == r.ID {
				t.Fatalf("found %+v, asked by %+v", f, again)
			}
			h.pass(4 * time.Hour)
			h.found(t)
			again = h.only(t, lifecycle.Pending)
			h.approve(t, again, "priya")
			if _, there := h.pager.see("PBEN"); !there {
				t.Fatal("deleted before its time")
			}
			h.later(t, 15*day)
			if _, there := h.pager.see("PBEN"); there {
				t.Errorf("the deletion did not go on: %v", h.story(t))
			}
			if result := h.call(t); len(result.Open) != 0 {
				t.Errorf("after it: %v", result.Open)
			}
		})
	}
}

func TestAFindingWaitsForWhatMayMendItAndForNothingElse(t *testing.T) {
	t.Parallel()
	t.Run("a mover that is being decided may", func(t *testing.T) {
		t.Parallel()
		h, _ := moving(t)
		h.call(t)
		for _, r := range h.requests(t, lifecycle.Pending) {
			if r.IsFinding() {
				t.Errorf("asked: %v", h.story(t))
			}
		}
	})
	t.Run("a deletion in two weeks does not", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		away(t, h)
		h.approve(t, h.only(t, lifecycle.Pending), "marco")
		h.setBase(lifecycle.RoleAdmin) // the leaver is given power while the deletion holds
		h.pass(4 * time.Hour)
		h.found(t)
		h.approve(t, h.only(t, lifecycle.Pending), "priya")
		if a, _ := h.pager.see("PBEN"); !a.Contained() {
			t.Errorf("the leaver is %s", a.BaseRole)
		}
		h.later(t, 15*day)
		if _, there := h.pager.see("PBEN"); there {
			t.Errorf("the deletion did not go on: %v", h.story(t))
		}
	})
	t.Run("what was approved in observe mode does not, once writing is allowed", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t)
		h.mode = lifecycle.Observe
		away(t, h)
		h.mode = lifecycle.Enforce
		h.pass(4 * time.Hour)
		h.found(t)
		h.approve(t, h.only(t, lifecycle.Pending), "marco")
		if a, _ := h.pager.see("PBEN"); !a.Contained() {
			t.Errorf("the leaver still holds %+v: %v", a, h.story(t))
		}
	})
}

func TestWhatWasAskedInObserveModeIsAskedOnceUntilWritingIsAllowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.mode = lifecycle.Observe
	h.pager.put(account(lifecycle.RoleAdmin, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.call(t)
	h.approve(t, h.only(t, lifecycle.Pending), "marco")
	h.pass(4 * time.Hour)
	h.found(t)
	if got := h.story(t); len(got) != 1 {
		t.Fatalf("in observe mode it is asked again: %v", got)
	}
	h.mode = lifecycle.Enforce
	h.pass(4 * time.Hour)
	h.found(t)
	h.approve(t, h.only(t, lifecycle.Pending), "marco")
	if a, _ := h.pager.see("PBEN"); a.BaseRole != lifecycle.RoleResponder {
		t.Errorf("Ben is %s: %v", a.BaseRole, h.story(t))
	}
}

func TestPowerShowsAlsoOfWhoIsOnLeave(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := person("Payments")
	p.Status = lifecycle.StatusLeave
	h.known(t, p)
	h.pager.put(account(lifecycle.RoleAdmin)) // not on the team: who is on leave misses nothing
	if f := h.found(t); f.Kind != lifecycle.FoundExcess || f.Severity != lifecycle.SeverityHigh {
		t.Errorf("found %+v", f)
	}
}

func TestAnAccountThatIsNobodysAndHoldsNothingIsSaidToNeedAPerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(lifecycle.Account{ID: "PJO", Email: "jo@contractors.example", Name: "Jo Temp", BaseRole: lifecycle.RoleRestricted})
	if f := h.found(t); f.Kind != lifecycle.FoundOrphan || f.Request != "" {
		t.Errorf("found %+v", f)
	}
	want := []string{"Jo Temp has a PagerDuty account (Restricted Access (restricted_access)), and no source of truth knows them. PagerDuty's audit records do not tell who made it so. " +
		"The account holds nothing that could be taken from it: delete it in PagerDuty's own pages, or let a source of truth say whose it is. Nothing was changed."}
	if diff := cmp.Diff(want, h.alerts); diff != "" {
		t.Errorf("security is told (-want +got):\n%s", diff)
	}
}

func TestTheDeskSaysThatPolicyWantsNothingForWhoHasLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := person("Payments")
	p.Status = lifecycle.StatusEnded
	h.known(t, p)
	s, err := h.desk().Standing(t.Context(), h.who(t, "ben"))
	must(t, err)
	if s.Want.Matched() || s.Want.BaseRole != "" || len(s.Want.Teams) != 0 {
		t.Errorf("policy is said to want %+v", s.Want)
	}
}

func TestARollCallThatCrashesAnywhereAsksOnce(t *testing.T) {
	t.Parallel()
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := newHouse(t)
			h.pager.put(account(lifecycle.RoleAdmin, on(payments, lifecycle.TeamResponder)))
			h.known(t, person("Payments"))
			h.faults.hit(at, how)
			_, err := h.rollCall().Run(t.Context(), lifecycle.System)
			h.faults.hit(0, how)
			h.work(t)
			h.pass(time.Minute)
			h.found(t)
			h.only(t, lifecycle.Pending)
			if err == nil {
				break
			}
		}
	}
}

func TestTheDeskTellsTheWorstFindingFirst(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.known(t, person("Payments"))
	a := account(lifecycle.RoleAdmin, on(platform, lifecycle.TeamManager))
	a.ID = "PBEN5" // with it the worst finding's id is the last
	h.pager.put(a)
	if result := h.call(t); len(result.Open) < 2 {
		t.Fatalf("found %+v, want several", result.Open)
	}
	s, err := h.desk().Standing(t.Context(), h.who(t, "ben"))
	must(t, err)
	if !slices.IsSortedFunc(s.Findings, func(a, b lifecycle.Finding) int {
		rank := []lifecycle.Severity{lifecycle.SeverityHigh, lifecycle.SeverityMedium, lifecycle.SeverityLow}
		return slices.Index(rank, a.Severity) - slices.Index(rank, b.Severity)
	}) || len(s.Findings) < 2 {
		t.Errorf("told in this order: %+v", s.Findings)
	}
}
