package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// roles says what Ben holds: the base role, then the teams.
func (h *house) roles(t testing.TB) string {
	t.Helper()
	a := h.ben(t)
	words := string(a.BaseRole)
	for _, team := range []lifecycle.Team{payments, platform} {
		if role := a.On(team.ID); role != "" {
			words += " " + team.Name + ":" + string(role)
		}
	}
	return words
}

func TestWhatWasGivenForATimeGoesBackToWhatWasHeld(t *testing.T) {
	t.Parallel()
	const eight = 8 * time.Hour
	responder := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	for name, tt := range map[string]struct {
		have      lifecycle.Account
		story     func(*testing.T, *house)
		meanwhile string // "" is not looked at
		want      string
	}{
		"no role on the team": {
			have:  responder,
			story: func(t *testing.T, h *house) { h.given(t, "Platform", "responder", eight, "omar") },
			want:  "limited_user Payments:responder",
		},
		"a lower role on the team": {
			have: responder, story: func(t *testing.T, h *house) { h.given(t, "Payments", "manager", eight, "marco") },
			want: "limited_user Payments:responder",
		},
		"the base role that they had, not a default": {
			have: account(lifecycle.RoleObserver), story: func(t *testing.T, h *house) {
				h.policy.Rules = nil
				h.given(t, "", "user", eight, "priya")
			}, want: "observer",
		},
		"the base role that a team role needed": {
			have: account(lifecycle.RoleStakeholder), story: func(t *testing.T, h *house) {
				h.policy.Rules = nil
				h.given(t, "Platform", "responder", eight, "omar")
			}, want: "read_only_user",
		},
		"a base role that another grant still needs stays until that ends": {
			have: account(lifecycle.RoleStakeholder), story: func(t *testing.T, h *house) {
				h.policy.Rules = nil
				h.given(t, "Platform", "responder", eight, "omar")
				h.given(t, "Payments", "responder", 24*time.Hour, "marco")
				h.later(t, 9*time.Hour)
			}, meanwhile: "observer Payments:responder", want: "read_only_user",
		},
		"more for a shorter time goes back to what runs on": {
			have: account(lifecycle.RoleResponder), story: func(t *testing.T, h *house) {
				h.policy.Rules = nil
				h.given(t, "Platform", "responder", 24*time.Hour, "omar")
				h.given(t, "Platform", "manager", eight, "omar")
				h.later(t, 9*time.Hour)
			}, meanwhile: "limited_user Platform:responder", want: "limited_user",
		},
		"more for a longer time does not go back to what is over": {
			have: account(lifecycle.RoleResponder), story: func(t *testing.T, h *house) {
				h.policy.Rules = nil
				h.given(t, "Platform", "responder", eight, "omar")
				h.given(t, "Platform", "manager", 24*time.Hour, "omar")
				h.later(t, 9*time.Hour)
			}, meanwhile: "limited_user Platform:manager", want: "limited_user",
		},
		"the same for longer": {
			have: account(lifecycle.RoleResponder), story: func(t *testing.T, h *house) {
				h.policy.Rules = nil
				h.given(t, "Platform", "responder", eight, "omar")
				h.given(t, "Platform", "responder", 24*time.Hour, "omar")
				h.later(t, 9*time.Hour)
			}, meanwhile: "limited_user Platform:responder", want: "limited_user",
		},
		"what policy wants by now": {
			have: account(lifecycle.RoleResponder, on(payments, lifecycle.TeamObserver)), story: func(t *testing.T, h *house) {
				h.given(t, "Payments", "manager", eight, "marco") // and a rule grants responder
			}, want: "limited_user Payments:responder",
		},
		"what was lowered by hand stays": {
			have: responder, story: func(t *testing.T, h *house) {
				h.given(t, "Payments", "manager", eight, "marco")
				h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamObserver)))
			}, want: "limited_user Payments:observer",
		},
		"what was raised by hand stays, for the roll call to ask about": {
			have: responder, story: func(t *testing.T, h *house) {
				h.given(t, "Platform", "observer", eight, "omar")
				h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamManager)))
			}, want: "limited_user Payments:responder Platform:manager",
		},
		"an admin's roles on teams go back too": {
			have: responder, story: func(t *testing.T, h *house) {
				h.given(t, "", "admin", eight, "priya")
				h.pager.put(account(lifecycle.RoleAdmin, on(payments, lifecycle.TeamManager))) // which PagerDuty makes of it
			}, want: "limited_user Payments:responder",
		},
		"what was undone is left alone": {
			have: responder, story: func(t *testing.T, h *house) {
				r := h.given(t, "Payments", "manager", eight, "marco")
				_, err := h.undo(t, r.ID, "ines")
				must(t, err)
				h.work(t)
				h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamManager))) // made so by hand after that
				h.work(t)
			}, want: "limited_user Payments:manager",
		},
		"an undo does not leave what another grant had given and is over": {
			have: account(lifecycle.RoleResponder), story: func(t *testing.T, h *house) {
				h.policy.Rules = nil
				h.given(t, "Platform", "responder", eight, "omar")
				r := h.given(t, "Platform", "manager", 24*time.Hour, "omar")
				h.later(t, 9*time.Hour)
				_, err := h.undo(t, r.ID, "omar")
				must(t, err)
				h.work(t)
			}, meanwhile: "limited_user", want: "limited_user",
		},
		"what was given back goes back at once": {
			have: responder, story: func(t *testing.T, h *house) {
				r := h.given(t, "Payments", "manager", eight, "marco")
				_, err := h.approvals().GiveBack(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaSlack)
				must(t, err)
				h.work(t)
			}, meanwhile: "limited_user Payments:responder", want: "limited_user Payments:responder",
		},
		"what was given back and made so by hand again is not taken twice": {
			have: responder, story: func(t *testing.T, h *house) {
				r := h.given(t, "Payments", "manager", eight, "marco")
				_, err := h.approvals().GiveBack(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaSlack)
				must(t, err)
				h.work(t)
				h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamManager)))
			}, want: "limited_user Payments:manager",
		},
		"whoever left holds nothing, and the end finds nothing to do": {
			have: responder, story: func(t *testing.T, h *house) {
				h.given(t, "Payments", "manager", eight, "marco")
				h.hear(t, ended(person("Payments")))
			}, meanwhile: "restricted_access", want: "restricted_access",
		},
		"whoever is back while it runs has it until it ends": {
			have: responder, story: func(t *testing.T, h *house) {
				h.given(t, "Payments", "manager", 48*time.Hour, "marco")
				h.hear(t, ended(person("Payments")))
				h.later(t, day)
				h.hear(t, back())
				h.approve(t, h.pendingJoiner(t), "ines")
			}, meanwhile: "limited_user Payments:manager", want: "limited_user Payments:responder",
		},
		"whoever is back after its end is not given it again": {
			have: responder, story: func(t *testing.T, h *house) {
				h.given(t, "Payments", "manager", eight, "marco")
				h.hear(t, ended(person("Payments")))
				h.later(t, day)
				h.hear(t, back())
				h.approve(t, h.pendingJoiner(t), "ines")
			}, want: "limited_user Payments:responder",
		},
		"a mover whom policy now wants on the team stays on it": {
			have: responder, story: func(t *testing.T, h *house) {
				h.given(t, "Platform", "responder", eight, "omar")
				h.hear(t, person("Platform"))
				h.drain(t) // what they lose is not of this test
			}, want: "limited_user Payments:responder Platform:responder",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := wishing(t, tt.have)
			tt.story(t, h)
			if got := h.roles(t); tt.meanwhile != "" && got != tt.meanwhile {
				t.Errorf("meanwhile: %s, want %s", got, tt.meanwhile)
			}
			h.later(t, 72*time.Hour)
			h.later(t, time.Hour) // what waited for another
			if diff := cmp.Diff(tt.want, h.roles(t)); diff != "" {
				t.Errorf("in the end (-want +got):\n%s\n%s", diff, strings.Join(h.story(t), "\n"))
			}
			if len(h.failed) > 0 {
				t.Errorf("given up: %v", h.failed)
			}
		})
	}
}

// pendingJoiner returns the request about who is back.
func (h *house) pendingJoiner(t testing.TB) lifecycle.Request {
	t.Helper()
	for _, r := range h.requests(t, lifecycle.Pending) {
		if r.Kind == lifecycle.RequestJoiner {
			return r
		}
	}
	t.Fatalf("nobody is asked about who is back: %v", h.story(t))
	return lifecycle.Request{}
}

func TestTheEndIsOnTheRecord(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	r := h.given(t, "Payments", "manager", 8*time.Hour, "marco")
	h.later(t, 9*time.Hour)
	r = h.request(t, r.ID)
	end := h.request(t, r.EndedBy)
	if end.Ends != r.ID || end.State != lifecycle.Done || r.Ended.IsZero() {
		t.Errorf("ended by %+v", end)
	}
	d, ok := end.DecidedBy()
	if !ok || d.By != "policy" || !strings.HasPrefix(d.Reason, "Was granted until Mon 4 May 17:00 UTC") {
		t.Errorf("decided by %+v", d)
	}
	if h.trail(lifecycle.EventRequestEnded) != 1 {
		t.Errorf("%d lines say that it ended", h.trail(lifecycle.EventRequestEnded))
	}
	if _, err := h.undo(t, end.ID, "marco"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("the end was undone: %v", err)
	}
}

func TestTheHolderIsToldBeforeItEnds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ lasts, before time.Duration }{
		"of what lasts a month, a day": {20 * day, day},
		"of a shift, a tenth":          {10 * time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := wishing(t, account(lifecycle.RoleResponder))
			r, err := h.wish(t, "Platform", "responder", tt.lasts)
			must(t, err)
			h.approve(t, r, "omar")
			h.store.mu.Lock()
			defer h.store.mu.Unlock()
			for _, j := range h.store.jobs {
				if j.Kind == lifecycle.JobEnding && j.Ref == string(r.ID) {
					if got := r.Until.Sub(j.At); got != tt.before {
						t.Errorf("told %s before", got)
					}
					return
				}
			}
			t.Error("nobody is told")
		})
	}
}

// What on-call needs is not taken at an end: somebody says first who takes over.
func TestAnEndLeavesNoHoleInOnCall(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	h.policy.Rules = nil
	r := h.given(t, "Payments", "responder", 8*time.Hour, "marco")
	h.pager.duties["PBEN"] = []lifecycle.Duty{level("PPAY", 2)}
	h.later(t, 9*time.Hour)
	end := h.request(t, h.request(t, r.ID).EndedBy)
	if end.State != lifecycle.Pending || !end.HandsOver() || h.ben(t).On("PPAY") != lifecycle.TeamResponder {
		t.Errorf("%s %v; holds %s", end.State, say(end.Changes), h.roles(t))
	}
}

func TestWhatIsProtectedByThenIsLeftAndTold(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	h.given(t, "Platform", "responder", 8*time.Hour, "omar")
	h.policy.Protected = []string{"ben@acme.test"}
	h.later(t, 9*time.Hour)
	if h.alarms(t, "was not given back") != 1 || h.ben(t).On("PPLA") == "" {
		t.Errorf("told %v; holds %s", h.told(t), h.roles(t))
	}
}

func TestNothingEndsInObserveMode(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	h.policy.Rules = nil
	h.given(t, "Platform", "responder", 8*time.Hour, "omar")
	h.mode = lifecycle.Observe
	h.later(t, 9*time.Hour)
	if h.ben(t).On("PPLA") == "" {
		t.Error("written in observe mode")
	}
	h.mode = lifecycle.Enforce
	h.later(t, 2*time.Hour)
	if role := h.ben(t).On("PPLA"); role != "" {
		t.Errorf("still %s once writing is allowed", role)
	}
}

// A process that dies anywhere between the approval and the end gives it once and
// takes it once.
func TestAnEndSurvivesCrashes(t *testing.T) {
	t.Parallel()
	first := wishing(t, account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	first.given(t, "Payments", "manager", 8*time.Hour, "marco")
	first.pass(8 * time.Hour)
	again := first.still(t)
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; at <= 40; at++ {
			h := again()
			h.faults.hit(at, how)
			h.work(t)
			h.faults.hit(0, refused)
			h.failed = nil
			h.later(t, time.Hour)
			h.retake(t)
			var taken int
			for _, w := range h.pager.made() {
				if strings.Contains(w, "manager → responder") {
					taken++
				}
			}
			if h.roles(t) != "limited_user Payments:responder" || taken != 1 {
				t.Errorf("fault %d at call %d: holds %s, taken %d times\n%s", how, at, h.roles(t), taken, strings.Join(h.story(t), "\n"))
			}
		}
	}
}

// retake takes up every step of the story again, as a queue does after a crash.
func (h *house) retake(t testing.TB) {
	t.Helper()
	for _, r := range h.requests(t) {
		h.store.enqueue(lifecycle.Job{Kind: lifecycle.JobEnd, Ref: string(r.ID)}, lifecycle.Job{Kind: lifecycle.JobApply, Ref: string(r.ID)})
	}
	h.work(t)
	for _, r := range h.requests(t) {
		h.store.enqueue(lifecycle.Job{Kind: lifecycle.JobApply, Ref: string(r.ID)})
	}
	h.work(t)
}

func TestCancelAndGiveBackAreTheAskersAlone(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	r, err := h.wish(t, "Platform", "responder", 8*time.Hour)
	must(t, err)
	a, ben, omar := h.approvals(), h.who(t, "ben"), h.who(t, "omar")
	if _, err := a.Cancel(t.Context(), r.ID, omar, lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("omar cancels: %v", err)
	}
	forged := omar
	forged.ID = ben.ID
	if _, err := a.Cancel(t.Context(), r.ID, forged, lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("omar as ben cancels: %v", err)
	}
	if _, err := a.GiveBack(t.Context(), r.ID, ben, lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("gives back what was not given: %v", err)
	}
	is, err := a.Cancel(t.Context(), r.ID, ben, lifecycle.ViaSlack)
	if err != nil || is.State != lifecycle.Withdrawn {
		t.Fatalf("cancelled: %s, %v", is.State, err)
	}
	if _, err := a.Cancel(t.Context(), r.ID, ben, lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("cancelled twice: %v", err)
	}
	if h.trail(lifecycle.EventRequestRefused) != 2 {
		t.Errorf("%d lines say who may not", h.trail(lifecycle.EventRequestRefused))
	}
	given := h.given(t, "Platform", "responder", 8*time.Hour, "omar")
	if _, err := a.GiveBack(t.Context(), given.ID, omar, lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("omar gives back: %v", err)
	}
	if _, err := a.GiveBack(t.Context(), given.ID, ben, lifecycle.ViaSlack); err != nil {
		t.Errorf("ben gives back: %v", err)
	}
	if _, err := a.GiveBack(t.Context(), given.ID, ben, lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("twice: %v", err)
	}
}

func TestWhatGivesGreatPowerIsCancelledWhileItHolds(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	r, err := h.wish(t, "", "admin", 8*time.Hour)
	must(t, err)
	if got := h.approve(t, r, "priya"); got.State != lifecycle.Holding {
		t.Fatalf("it is %s", got.State)
	}
	_, err = h.approvals().Cancel(t.Context(), r.ID, h.who(t, "ben"), lifecycle.ViaCLI)
	must(t, err)
	h.later(t, day)
	if got := h.roles(t); got != "limited_user" {
		t.Errorf("holds %s", got)
	}
}
