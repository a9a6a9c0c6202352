package lifecycle_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// asking is a house in which Ben's joining Payments is asked.
func asking(t *testing.T) (*house, lifecycle.Request) {
	t.Helper()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleObserver))
	h.hear(t, person("Payments"))
	return h, h.only(t, lifecycle.Pending)
}

// hearOf makes hr say something of somebody other than Ben.
func (h *house) hearOf(t *testing.T, name string, change func(*lifecycle.Person)) {
	t.Helper()
	p := lifecycle.Person{EmployeeID: name, Status: lifecycle.StatusActive, Emails: []string{name + "@acme.test"}, Name: name, Department: "Owners"}
	change(&p)
	h.pass(time.Second)
	h.hear(t, p)
}

func TestWhoMayDecideIsComputedAtTheClick(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(*testing.T, *house)
		who       string
		refused   error
	}{
		"an owner":                              {who: "marco"},
		"an owner of another team":              {who: "omar", refused: lifecycle.ErrForbidden},
		"security, who was not asked":           {who: "priya", refused: lifecycle.ErrForbidden},
		"the subject":                           {who: "ben", refused: lifecycle.ErrForbidden},
		"an owner who has left":                 {func(t *testing.T, h *house) { h.hearOf(t, "marco", as("ended")) }, "marco", lifecycle.ErrForbidden},
		"an owner who is suspended":             {func(t *testing.T, h *house) { h.hearOf(t, "marco", as("suspended")) }, "marco", lifecycle.ErrForbidden},
		"an owner on leave":                     {func(t *testing.T, h *house) { h.hearOf(t, "marco", as("leave")) }, "marco", lifecycle.ErrForbidden},
		"an owner whose last day is over":       {func(t *testing.T, h *house) { h.hearOf(t, "marco", until("2026-05-04")); h.pass(16 * time.Hour) }, "marco", lifecycle.ErrForbidden},
		"who is no owner any more":              {func(_ *testing.T, h *house) { h.policy.Teams[0].Owners = []string{"ines@acme.test"} }, "marco", lifecycle.ErrForbidden},
		"who has become an owner":               {func(_ *testing.T, h *house) { h.policy.Teams[0].Owners = []string{"omar@acme.test"} }, "omar", nil},
		"a domain that is not trusted any more": {func(_ *testing.T, h *house) { h.policy.Domains = []string{"other.test"} }, "marco", lifecycle.ErrForbidden},
		"an owner who goes by the subject's address too": {
			func(t *testing.T, h *house) {
				h.hearOf(t, "marco", func(p *lifecycle.Person) { p.Emails = append(p.Emails, "Ben@acme.test") })
			}, "marco", lifecycle.ErrForbidden,
		},
		"the subject by a second address of theirs that the policy names": {
			func(t *testing.T, h *house) {
				p := person("Payments")
				p.Emails = append(p.Emails, "marco@acme.test")
				h.pass(time.Second)
				must(t, h.registrar().Register(t.Context(), h.receive(t, "hr", p, h.now(), time.Time{})))
			}, "marco", lifecycle.ErrForbidden,
		},
		"an owner who has the subject's account": {
			func(t *testing.T, h *house) {
				ben := h.who(t, "ben")
				ben.Account, ben.Revision = "", ben.Revision+1
				marco := h.who(t, "marco")
				marco.Account, marco.Revision = "PBEN", marco.Revision+1
				for _, i := range []lifecycle.Identity{ben, marco} {
					must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityLinked, Ref: string(i.ID)}))
				}
			}, "marco", lifecycle.ErrForbidden,
		},
		"security, when every owner has gone": {
			func(_ *testing.T, h *house) { h.policy.Teams[0].Owners = nil }, "priya", nil,
		},
		"an address that the policy protects by now": {
			func(_ *testing.T, h *house) { h.policy.Protected = []string{"ben@acme.test"} }, "marco", lifecycle.ErrConflict,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			if tt.meanwhile != nil {
				tt.meanwhile(t, h)
			}
			got, err := h.press(t, r, tt.who, lifecycle.Approve, "")
			if !errors.Is(err, tt.refused) {
				t.Fatalf("got %v, want %v", err, tt.refused)
			}
			if stored := h.request(t, r.ID); stored.State != got.State || (tt.refused == nil) != (stored.State == lifecycle.Approved) {
				t.Errorf("it is %s, and %s was answered", stored.State, got.State)
			}
			if n := h.trail(lifecycle.EventRequestRefused); (n == 1) != errors.Is(tt.refused, lifecycle.ErrForbidden) {
				t.Errorf("%d refusals on record", n)
			}
		})
	}
}

func TestWhoTheCallerSaysSomebodyIsCountsForNothing(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	forged := h.who(t, "omar")
	forged.Person = h.who(t, "marco").Person // a stale or forged copy: Omar's id with Marco's address
	_, err := h.approvals().Decide(t.Context(), lifecycle.Press{Request: r.ID, Seen: 1, By: forged, Verdict: lifecycle.Approve, Via: lifecycle.ViaSlack})
	if !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("got %v, want it refused", err)
	}
}

func TestUndoAndRetryAreForWhoMayDecide(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		who     string
		early   bool
		refused error
	}{
		"an owner while it holds":  {who: "ines"},
		"somebody else":            {who: "omar", refused: lifecycle.ErrForbidden},
		"before there is anything": {who: "ines", early: true, refused: lifecycle.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			away(t, h)
			r := h.only(t, lifecycle.Pending)
			if !tt.early {
				r = h.approve(t, r, "marco")
			}
			is, err := h.approvals().Undo(t.Context(), lifecycle.Press{Request: r.ID, By: h.who(t, tt.who)})
			if !errors.Is(err, tt.refused) {
				t.Fatalf("got %v, want %v", err, tt.refused)
			}
			if (err == nil) != (is.State == lifecycle.Withdrawn) {
				t.Errorf("it is %s", is.State)
			}
			h.later(t, 30*day)
			if _, there := h.pager.see("PBEN"); there != (tt.refused == nil || tt.early) {
				t.Errorf("the account is there: %t", there)
			}
		})
	}
}

func TestAReasonIsCountedInCharacters(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	if _, err := h.press(t, r, "marco", lifecycle.Deny, strings.Repeat("é", 2001)); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("2001 characters: got %v", err)
	}
	if _, err := h.press(t, r, "marco", lifecycle.Deny, "  \n "); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("blanks alone: got %v", err)
	}
	is, err := h.press(t, r, "marco", lifecycle.Deny, strings.Repeat("é", 2000))
	if err != nil || is.State != lifecycle.Denied {
		t.Errorf("2000 characters: got %s, %v", is.State, err)
	}
}

func TestAQuorum(t *testing.T) {
	t.Parallel()
	two := func(t *testing.T) (*house, lifecycle.Request) {
		h := newHouse(t)
		h.policy.Defaults.Approval.N = 2
		h.pager.put(account(lifecycle.RoleObserver))
		h.hear(t, person("Payments"))
		return h, h.only(t, lifecycle.Pending)
	}
	t.Run("needs two people", func(t *testing.T) {
		t.Parallel()
		h, r := two(t)
		r = h.approve(t, r, "marco")
		if _, err := h.press(t, r, "marco", lifecycle.Approve, ""); !errors.Is(err, lifecycle.ErrDuplicate) {
			t.Errorf("the same person again: %v", err)
		}
		if inbox, err := h.desk().Inbox(t.Context(), h.who(t, "marco")); err != nil || len(inbox) != 0 {
			t.Errorf("Marco's inbox: %v, %v; want it empty, he has decided", inbox, err)
		}
		if r = h.approve(t, r, "ines"); r.State != lifecycle.Done {
			t.Errorf("after two it is %s", r.State)
		}
	})
	t.Run("is not made by who has left since", func(t *testing.T) {
		t.Parallel()
		h, r := two(t)
		h.approve(t, r, "marco")
		h.hearOf(t, "marco", as("ended"))
		if r = h.approve(t, r, "ines"); r.State != lifecycle.Pending || r.Approvals() != 1 || !r.Decisions[0].Lapsed {
			t.Errorf("it is %s with %d approvals: %+v", r.State, r.Approvals(), r.Decisions)
		}
		if r = h.approve(t, r, "priya"); r.State != lifecycle.Done { // too few owners are left, so security is asked
			t.Errorf("after security it is %s", r.State)
		}
	})
	t.Run("one denial is enough", func(t *testing.T) {
		t.Parallel()
		h, r := two(t)
		r = h.approve(t, r, "marco")
		if is, err := h.press(t, r, "ines", lifecycle.Deny, "not yet"); err != nil || is.State != lifecycle.Denied {
			t.Errorf("got %s, %v", is.State, err)
		}
	})
}

func TestManyAtOnceDecideOnce(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	counted := map[lifecycle.RequestState]int{}
	for i := range 8 {
		name, verdict := []string{"marco", "ines"}[i%2], []lifecycle.Verdict{lifecycle.Approve, lifecycle.Deny}[i/4]
		by := h.who(t, name)
		wg.Go(func() {
			is, err := h.approvals().Decide(t.Context(), lifecycle.Press{Request: r.ID, Seen: 1, By: by, Verdict: verdict, Reason: "at once", Via: lifecycle.ViaSlack})
			if err != nil && !errors.Is(err, lifecycle.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				counted[is.State]++
			}
		})
	}
	wg.Wait()
	if len(counted) != 1 {
		t.Errorf("decided as %v, want one outcome once", counted)
	}
	if is := h.request(t, r.ID); len(is.Decisions) != 1 || counted[is.State] != 1 {
		t.Errorf("it is %s with %d decisions", is.State, len(is.Decisions))
	}
	if n := h.store.waiting(lifecycle.JobApply); n > 1 {
		t.Errorf("%d steps apply it", n)
	}
}

func TestKeepingAFinding(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		until   time.Time
		refused error
		want    time.Time
	}{
		"for 90 days when nothing is said": {want: monday.Add(90 * day)},
		"until a day":                      {until: monday.Add(5 * day), want: monday.Add(5 * day)},
		"not until yesterday":              {until: monday.Add(-day), refused: lifecycle.ErrInvalid},
		"not for ever":                     {until: monday.Add(1000 * day), refused: lifecycle.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pager.put(account(lifecycle.RoleAdmin))
			h.known(t, person("Payments"))
			h.call(t)
			r := h.requests(t, lifecycle.Pending)[0]
			_, err := h.approvals().Decide(t.Context(), lifecycle.Press{Request: r.ID, Seen: 1, By: h.who(t, "priya"), Verdict: lifecycle.Deny, Reason: "until Sam is back", Until: tt.until, Via: lifecycle.ViaSlack})
			if !errors.Is(err, tt.refused) {
				t.Fatalf("got %v, want %v", err, tt.refused)
			}
			_, exceptions, err := h.store.Findings(t.Context(), h.now())
			must(t, err)
			var ends []time.Time
			for _, x := range exceptions {
				ends = append(ends, x.Until)
			}
			want := []time.Time{tt.want}
			if tt.refused != nil {
				want = nil
			}
			if diff := cmp.Diff(want, ends, equateEmpty); diff != "" {
				t.Errorf("ends (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADecisionThatCrashesAnywhereCountsOnce(t *testing.T) {
	t.Parallel()
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h, r := asking(t)
			marco := h.who(t, "marco")
			press := lifecycle.Press{Request: r.ID, Seen: 1, By: marco, Verdict: lifecycle.Approve, Via: lifecycle.ViaSlack}
			h.faults.hit(at, how)
			_, err := h.approvals().Decide(t.Context(), press)
			h.faults.hit(0, how)
			if _, again := h.approvals().Decide(t.Context(), press); again != nil && !errors.Is(again, lifecycle.ErrConflict) {
				t.Fatalf("fault %d at call %d: %v", how, at, again)
			}
			if is := h.request(t, r.ID); is.State != lifecycle.Approved || len(is.Decisions) != 1 || h.store.waiting(lifecycle.JobApply) != 1 {
				t.Errorf("fault %d at call %d: %s, %d decisions, %d steps", how, at, is.State, len(is.Decisions), h.store.waiting(lifecycle.JobApply))
			}
			if err == nil {
				break
			}
		}
	}
}
