package lifecycle_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	inPayments := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	for name, tt := range map[string]struct {
		have   []lifecycle.Account
		known  *lifecycle.Person // before, with nothing pending
		policy func(*lifecycle.Policy)
		mode   lifecycle.Mode
		says   lifecycle.Person
		want   []string
		told   string // part of what security is told; "" is nothing
	}{
		"a joiner is asked for":               {says: person("Payments"), want: []string{"joiner pending [create account:  → limited_user grant Payments:  → responder]"}},
		"an automatic joiner is done":         {says: person("Platform"), want: []string{"joiner done [create account:  → limited_user grant Platform:  → responder]"}},
		"who needs no pager is nobody's news": {says: person("Catering")},
		"who has one and no rule is told":     {have: []lifecycle.Account{inPayments}, says: person("Catering"), told: "No rule of the policy speaks"},
		"as wanted already: nothing to ask":   {have: []lifecycle.Account{inPayments}, says: person("Payments")},
		"a mover gains and loses, and is asked": {
			have: []lifecycle.Account{inPayments}, known: ptr(person("Payments")), says: person("Platform"),
			want: []string{"mover pending [grant Platform:  → responder revoke Payments: responder → ]"},
		},
		"a mover loses nothing automatically, whatever the default": {
			have: []lifecycle.Account{account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder))}, known: ptr(person("Payments")), says: person("Platform"),
			policy: func(p *lifecycle.Policy) { p.Defaults.Approval.Mode = lifecycle.ApprovalAuto },
			want:   []string{"mover pending [revoke Payments: responder → ]"},
		},
		"a rule that refuses": {
			have: []lifecycle.Account{account(lifecycle.RoleObserver)}, says: person("Payments"), told: "The policy refuses this.",
			policy: func(p *lifecycle.Policy) { p.Rules[0].Approval = &lifecycle.Approval{Mode: lifecycle.ApprovalDeny} },
		},
		"a rule that only proposes asks": {
			says: person("Platform"), want: []string{"joiner pending [create account:  → limited_user grant Platform:  → responder]"},
			policy: func(p *lifecycle.Policy) { p.Rules[1].Rollout = lifecycle.RolloutPropose },
		},
		"a rule that is observed does nothing": {
			have: []lifecycle.Account{account(lifecycle.RoleObserver)}, says: person("Platform"), told: "Only rules that are being observed",
			policy: func(p *lifecycle.Policy) { p.Rules[1].Rollout = lifecycle.RolloutObserve },
		},
		"observe mode approves and writes nothing": {mode: lifecycle.Observe, says: person("Platform"), want: []string{"joiner approved [create account:  → limited_user grant Platform:  → responder]"}},
		"two accounts with the address are disputed": {
			have: []lifecycle.Account{inPayments, {ID: "PTWIN", Email: "ben@acme.test", BaseRole: lifecycle.RoleObserver}}, says: person("Payments"), told: "2 PagerDuty accounts",
		},
		"an account with only a second address is disputed": {
			have: []lifecycle.Account{{ID: "PALIAS", Email: "ode@acme.test", BaseRole: lifecycle.RoleObserver}}, told: "only a second address",
			says: func() lifecycle.Person {
				p := person("Payments")
				p.Emails = append(p.Emails, "ode@acme.test")
				return p
			}(),
		},
		"a leaver is contained, and the deletion asked apart": {
			have: []lifecycle.Account{inPayments}, known: ptr(person("Payments")), says: ended(person("Payments")),
			want: []string{"leaver done [contain base_role: limited_user → restricted_access contain Payments: responder → ]", "leaver pending [delete account: restricted_access → ]"},
		},
		"a leaver is asked for where policy says so": {
			have: []lifecycle.Account{inPayments}, known: ptr(person("Payments")), says: ended(person("Payments")),
			policy: func(p *lifecycle.Policy) { p.Leaver.AskToContain = true },
			want:   []string{"leaver pending [contain base_role: limited_user → restricted_access contain Payments: responder → ]"},
		},
		"a leaver without an account is nobody's news": {known: ptr(person("Payments")), says: ended(person("Payments"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.mode = lifecycle.Mode(strings.TrimSpace(string(tt.mode)))
			if tt.mode == "" {
				h.mode = lifecycle.Enforce
			}
			if tt.policy != nil {
				tt.policy(h.policy)
			}
			for _, a := range tt.have {
				h.pager.put(a)
			}
			if tt.known != nil {
				h.known(t, *tt.known)
			}
			id := h.hear(t, tt.says)
			must(t, h.planner().Plan(t.Context(), id)) // as after a crash
			h.work(t)
			if diff := cmp.Diff(tt.want, h.story(t), equateEmpty); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if (tt.told == "") != (len(h.told(t)) == 0) || h.alarms(t, tt.told) != len(h.told(t)) {
				t.Errorf("security was told %q, want %q", h.told(t), tt.told)
			}
			if h.mode == lifecycle.Observe && len(h.pager.made()) > 0 {
				t.Errorf("in observe mode it wrote %v", h.pager.made())
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// away is Ben in Payments with an account, who then leaves.
func away(t *testing.T, h *house, duties ...lifecycle.Duty) (leaver lifecycle.NoticeID) {
	t.Helper()
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.pager.duties["PBEN"] = duties
	h.known(t, person("Payments"))
	return h.hear(t, ended(person("Payments")))
}

// back is Ben who starts again.
func back() lifecycle.Person {
	p := person("Payments")
	p.StartDate = "2026-05-05"
	return p
}

func TestAnOldNoticeThatIsPlannedAgainTakesNothingFromANewerOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	old := h.hear(t, person("Platform"))
	h.later(t, time.Hour)
	h.hear(t, person("Site Admin"))
	want := h.story(t)
	must(t, h.planner().Plan(t.Context(), old))
	if diff := cmp.Diff(want, h.story(t)); diff != "" {
		t.Errorf("requests changed (-before +after):\n%s", diff)
	}
}

func TestANewerNoticeWithdrawsWhatIsOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hear(t, person("Payments"))
	first := h.only(t, lifecycle.Pending)
	h.later(t, time.Hour)
	h.hear(t, ended(person("Payments")))
	if got := h.request(t, first.ID); got.State != lifecycle.Withdrawn {
		t.Errorf("the joiner's request is %s after they left", got.State)
	}
	if _, err := h.press(t, first, "marco", lifecycle.Approve, "too late"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("approving it: got %v, want a conflict", err)
	}
}

func TestALeaverWhoIsBackIsNotDeleted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	leaver := away(t, h)
	deletion := h.approve(t, h.only(t, lifecycle.Pending), "marco")
	if deletion.State != lifecycle.Holding {
		t.Fatalf("the deletion is %s, want holding", deletion.State)
	}
	h.later(t, 24*time.Hour)
	h.hear(t, back())
	must(t, h.planner().Plan(t.Context(), leaver)) // the containment's last job, late
	h.later(t, 30*day)
	if a, there := h.pager.see("PBEN"); !there {
		t.Fatal("the account is gone")
	} else if got := h.request(t, deletion.ID).State; got != lifecycle.Withdrawn {
		t.Errorf("the deletion is %s of %+v", got, a)
	}
	for _, r := range h.requests(t, lifecycle.Pending, lifecycle.Holding) {
		if r.Kind == lifecycle.RequestLeaver {
			t.Errorf("still %s: %v", r.State, say(r.Changes))
		}
	}
}

func TestALeaversTeamsThatOnCallNeedsWait(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h, level(payments.ID, 1))
	want := []string{
		"leaver done [contain base_role: limited_user → restricted_access contain Payments: responder → observer]",
		"leaver pending [handover level 1 of Payments-Crit: PBEN →  contain Payments: observer → ]",
	}
	if diff := cmp.Diff(want, h.story(t)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// What the key may not read holds up what follows, and not the containment.
func TestALeaverIsContainedAlthoughOnCallCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.unread = "rolecall's PagerDuty app lacks the scope incidents.read."
	away(t, h, level(payments.ID, 1))
	want := []string{"leaver done [contain session sign-ins: open →  contain base_role: limited_user → restricted_access contain Payments: responder → observer]"}
	if diff := cmp.Diff(want, h.story(t)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if told := strings.Join(h.alerts, "\n"); !strings.Contains(told, "could not be read, so nothing is handed over or deleted. rolecall's PagerDuty app lacks the scope incidents.read.") {
		t.Errorf("security was told %q", told)
	}
}

func TestWhatALeaverIsGivenAfterContainmentIsTakenAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.receive(t, "hr", ended(person("Payments")), h.now(), time.Time{})
	h.pager.no = func(o lifecycle.Order) error { // while the last step is made, somebody adds them elsewhere
		if o.Change.Entitlement.Team == payments {
			h.pager.no = nil
			a, _ := h.pager.see("PBEN")
			a.Teams = append(a.Teams, on(platform, lifecycle.TeamResponder))
			h.pager.put(a)
			return errCrash
		}
		return nil
	}
	h.work(t)
	a, _ := h.pager.see("PBEN")
	if !a.Contained() {
		t.Errorf("holds %+v, want nothing left: %v", a, h.story(t))
	}
	if h.only(t, lifecycle.Pending).Changes[0].Op != lifecycle.OpDelete {
		t.Errorf("want the deletion asked: %v", h.story(t))
	}
}

func TestAnAccountThatIsPinnedToSomebodyElseIsDisputed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	other := person("Platform")
	other.EmployeeID, other.Emails = "E9", []string{"benedict@acme.test"}
	i := h.known(t, other)
	i.Account, i.Revision = "PBEN", 2
	must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityLinked, Ref: string(i.ID)}))
	h.pager.put(account(lifecycle.RoleObserver))
	h.hear(t, person("Payments"))
	if len(h.requests(t)) != 0 || h.alarms(t, "somebody else") != 1 || len(h.failed) != 0 {
		t.Errorf("requests %v, told %v, failed %v; want only a word to security", h.story(t), h.alerts, h.failed)
	}
}

func TestASuspendedPersonIsGrantedNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.receive(t, "hr", person("Platform"), h.now(), time.Time{})
	must(t, h.registrar().Register(t.Context(), id))
	suspended := person("Platform")
	suspended.Status = lifecycle.StatusSuspended
	h.pass(time.Minute)
	must(t, h.registrar().Register(t.Context(), h.receive(t, "hr", suspended, h.now(), time.Time{})))
	h.work(t)
	if got := h.story(t); len(got) != 0 || len(h.pager.made()) != 0 {
		t.Errorf("requests %v, writes %v", got, h.pager.made())
	}
}

func TestAPlanWaitsForWhatIsBeingApplied(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.no = func(lifecycle.Order) error { return errCrash }
	id := h.receive(t, "hr", person("Platform"), h.now(), time.Time{})
	must(t, h.registrar().Register(t.Context(), id))
	must(t, h.planner().Plan(t.Context(), id))
	r := h.only(t, lifecycle.Approved)
	if err := h.provisioner().Apply(t.Context(), r.ID, false); err == nil {
		t.Fatal("applied")
	}
	h.pass(time.Minute)
	left := h.receive(t, "hr", ended(person("Platform")), h.now(), time.Time{})
	must(t, h.registrar().Register(t.Context(), left))
	told, ok := errors.AsType[*lifecycle.JobError](h.planner().Plan(t.Context(), left))
	if !ok || told.RetryAfter <= 0 {
		t.Fatalf("got %v, want to be called again", told)
	}
	h.pass(time.Hour) // nobody works on it any more
	must(t, h.planner().Plan(t.Context(), left))
}

func TestAPlanThatCrashesAnywhereOpensOneRequest(t *testing.T) {
	t.Parallel()
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := newHouse(t)
			h.pager.put(account(lifecycle.RoleObserver))
			id := h.receive(t, "hr", person("Payments"), h.now(), time.Time{})
			must(t, h.registrar().Register(t.Context(), id))
			h.faults.hit(at, how)
			err := h.planner().Plan(t.Context(), id)
			h.faults.hit(0, how)
			must(t, h.planner().Plan(t.Context(), id))
			if got := h.story(t); len(got) != 1 || h.store.waiting(lifecycle.JobExpire) != 1 {
				t.Errorf("fault %d at call %d: %v", how, at, got)
			}
			if err == nil {
				break
			}
		}
	}
}

// beaten is a store in which a newer notice is registered and planned between
// the planner's look at the identity and its opening of a request.
type beaten struct {
	*store
	first func()
}

func (s *beaten) SaveRequest(ctx context.Context, r lifecycle.Request, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	if first := s.first; first != nil && r.Revision == 1 {
		s.first = nil
		first()
	}
	return s.store.SaveRequest(ctx, r, e, next...)
}

func TestAPlanThatIsBeatenByANewerNoticeTakesItsRequestBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleObserver))
	id := h.receive(t, "hr", person("Payments"), h.now(), time.Time{})
	must(t, h.registrar().Register(t.Context(), id))
	s := &beaten{store: h.store, first: func() {
		h.pass(time.Second)
		h.receive(t, "hr", ended(person("Payments")), h.now(), time.Time{})
		h.store.take(lifecycle.JobPlan, string(id)) // that step is the one under way
		h.work(t)
	}}
	must(t, lifecycle.NewPlanner(s, s, h.pager, h, h.brakes(), h.mode, h.now).Plan(t.Context(), id))
	for _, r := range h.requests(t) {
		if r.Kind == lifecycle.RequestJoiner && r.State != lifecycle.Withdrawn {
			t.Errorf("the joiner's request is %s after they left: %v", r.State, h.story(t))
		}
	}
}

func TestAMissingTeamIsGivenWithoutWhatOtherFindingsAreAbout(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Rules = append(h.policy.Rules, rule("both", "payments", lifecycle.RoleResponder, "Platform", lifecycle.TeamResponder, nil))
	h.pager.put(account(lifecycle.RoleResponder))
	h.known(t, person("Payments"))
	h.call(t)
	want := []string{"drift pending [grant Payments:  → responder]", "drift pending [grant Platform:  → responder]"}
	if diff := cmp.Diff(want, h.story(t)); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestAMissingAccountThatMayBeThereUnderASecondAddressIsNotCreated(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := person("Payments")
	p.Emails = append(p.Emails, "ode@acme.test")
	h.known(t, p)
	h.pager.put(lifecycle.Account{ID: "PALIAS", Email: "ode@acme.test", Name: "B. Ode", BaseRole: lifecycle.RoleRestricted})
	h.call(t)
	for _, r := range h.requests(t) {
		if r.Subject.Email == "ben@acme.test" {
			t.Errorf("asked: %v", say(r.Changes))
		}
	}
	if h.alarms(t, "second address") != 1 {
		t.Errorf("security was told %q", h.alerts)
	}
}
