package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// away notes that somebody is away for a day from now.
func (h *house) away(t *testing.T, name, delegate string) lifecycle.Absence {
	t.Helper()
	l := lifecycle.Leave{By: h.who(t, name), Until: h.now().Add(24 * time.Hour), Via: lifecycle.ViaSlack}
	if delegate != "" {
		l.Delegate = delegate + "@acme.test"
	}
	a, err := h.absences().Away(t.Context(), l)
	must(t, err)
	h.work(t)
	return a
}

// manages makes somebody the subject's manager, as the source of truth has it.
func (h *house) manages(t *testing.T, name string) {
	t.Helper()
	h.hearOf(t, name, func(*lifecycle.Person) {})
	p := person("Payments")
	p.ManagerID = name
	h.pass(time.Second)
	h.hear(t, p)
}

// inPagerDuty makes somebody a manager of Payments there, which a roll call sees.
func (h *house) inPagerDuty(t *testing.T, name string) {
	t.Helper()
	h.pager.put(lifecycle.Account{ID: lifecycle.AccountID("P" + strings.ToUpper(name)), Email: name + "@acme.test", Name: name, BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{on(payments, lifecycle.TeamManager)}})
	_, err := h.rollCall().Run(t.Context(), "schedule")
	must(t, err)
}

// described says a route in a few words.
func described(r lifecycle.Route) []string {
	words := []string{}
	for _, a := range r {
		w := strings.TrimSuffix(a.Email, "@acme.test") + " " + a.As
		if a.For != "" {
			w += ", for " + strings.TrimSuffix(a.For, "@acme.test")
		}
		if !a.Asked {
			w += ", away"
		}
		words = append(words, w)
	}
	return words
}

func TestWhoIsAsked(t *testing.T) {
	t.Parallel()
	nobodyOwns := func(h *house) { h.policy.Teams[0].Owners = nil }
	for name, tt := range map[string]struct {
		how  func(*testing.T, *house)
		r    func(*lifecycle.Request)
		want []string
	}{
		"the owners, and nobody else": {want: []string{"marco owns Payments", "ines owns Payments"}},
		"security where nobody is nearer": {
			how: func(_ *testing.T, h *house) { nobodyOwns(h) }, want: []string{"priya security", "lee security"},
		},
		"whom PagerDuty calls a manager of the team, before security": {
			how: func(t *testing.T, h *house) {
				h.hearOf(t, "gus", func(*lifecycle.Person) {})
				h.inPagerDuty(t, "gus")
				nobodyOwns(h)
			},
			want: []string{"gus manages Payments in PagerDuty"},
		},
		"the subject's manager, before security": {
			how:  func(t *testing.T, h *house) { h.manages(t, "gus"); nobodyOwns(h) },
			want: []string{"gus manages Ben Ode"},
		},
		"one after the other until they are as many as have to agree": {
			how: func(t *testing.T, h *house) {
				h.manages(t, "gus")
				h.policy.Teams[0].Owners = []string{"marco@acme.test"}
			},
			r:    func(r *lifecycle.Request) { r.Needed = 2 },
			want: []string{"marco owns Payments", "gus manages Ben Ode"},
		},
		"security too, once nobody has answered": {
			r: func(r *lifecycle.Request) { r.Escalated = true }, want: []string{"marco owns Payments", "ines owns Payments", "priya security", "lee security"},
		},
		"who stands in for somebody who is away": {
			how:  func(t *testing.T, h *house) { h.away(t, "marco", "omar") },
			want: []string{"omar owns Payments, for marco", "ines owns Payments", "marco owns Payments, away"},
		},
		"the other owner alone, where nobody stands in": {
			how:  func(t *testing.T, h *house) { h.away(t, "marco", "") },
			want: []string{"ines owns Payments", "marco owns Payments, away"},
		},
		"an owner in their own right, also when they stand in": {
			how:  func(t *testing.T, h *house) { h.away(t, "marco", "ines") },
			want: []string{"ines owns Payments", "marco owns Payments, away"},
		},
		"who stands in for who stands in": {
			how:  func(t *testing.T, h *house) { h.away(t, "omar", "priya"); h.away(t, "marco", "omar") },
			want: []string{"priya owns Payments, for marco", "ines owns Payments", "marco owns Payments, away"},
		},
		"security, where all are away and stand in for one another": {
			how:  func(t *testing.T, h *house) { h.away(t, "ines", "marco"); h.away(t, "marco", "ines") },
			want: []string{"priya security", "lee security", "marco owns Payments, away", "ines owns Payments, away"},
		},
		"nobody stands in who has left": {
			how: func(t *testing.T, h *house) {
				h.hearOf(t, "gus", func(*lifecycle.Person) {})
				h.away(t, "marco", "gus")
				h.hearOf(t, "gus", as("ended"))
			},
			want: []string{"ines owns Payments", "marco owns Payments, away"},
		},
		"nor the subject": {
			how:  func(t *testing.T, h *house) { h.away(t, "marco", "ben") },
			want: []string{"ines owns Payments", "marco owns Payments, away"},
		},
		"nor anybody for a subject who owns the team": {
			how: func(t *testing.T, h *house) {
				h.policy.Teams[0].Owners = []string{"ben@acme.test", "ines@acme.test"}
				h.away(t, "ben", "omar")
			},
			want: []string{"ines owns Payments"},
		},
		"what Security alone decides goes to nobody else": {
			how:  func(t *testing.T, h *house) { h.manages(t, "gus"); h.away(t, "priya", "lee") },
			r:    func(r *lifecycle.Request) { r.From, r.Needed = []lifecycle.ApproverSource{lifecycle.FromSecurity}, 2 },
			want: []string{"lee security", "priya security, away"},
		},
		"whom somebody who may decide has handed it to": {
			r: func(r *lifecycle.Request) {
				r.Assigned = []lifecycle.Assignment{{From: "marco@acme.test", To: "omar@acme.test"}}
			},
			want: []string{"marco owns Payments", "ines owns Payments", "omar owns Payments, for marco"},
		},
		"and nobody whom somebody who may not has": {
			r: func(r *lifecycle.Request) {
				r.Assigned = []lifecycle.Assignment{{From: "omar@acme.test", To: "priya@acme.test"}}
			},
			want: []string{"marco owns Payments", "ines owns Payments"},
		},
		"nor the subject, whoever hands it to them": {
			r: func(r *lifecycle.Request) {
				r.Assigned = []lifecycle.Assignment{{From: "marco@acme.test", To: "ben@acme.test"}}
			},
			want: []string{"marco owns Payments", "ines owns Payments"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			if tt.how != nil {
				tt.how(t, h)
			}
			if tt.r != nil {
				tt.r(&r)
			}
			route, err := h.approvals().Route(t.Context(), r)
			must(t, err)
			if diff := cmp.Diff(tt.want, described(route)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestAStandInDecides is a holiday: Omar decides for Marco, and the record says so.
func TestAStandInDecides(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	a := h.away(t, "marco", "omar")
	if concerned, err := h.absences().Concerned(t.Context(), a); err != nil || len(concerned) != 1 {
		t.Errorf("what was open already is not shown to who stands in: %v, %v", concerned, err)
	}
	h.approve(t, r, "omar")
	done := h.only(t, lifecycle.Done)
	if d, _ := done.DecidedBy(); d.By != "omar@acme.test" || d.For != "marco@acme.test" {
		t.Errorf("the record says that %s decided for %q", d.By, d.For)
	}
	_, err := h.absences().Back(t.Context(), h.who(t, "marco"), "", lifecycle.ViaSlack)
	must(t, err)
	route, err := h.approvals().Route(t.Context(), r)
	must(t, err)
	if diff := cmp.Diff([]string{"marco owns Payments", "ines owns Payments"}, described(route)); diff != "" {
		t.Errorf("when he is back (-want +got):\n%s", diff)
	}
	if _, err := h.absences().Back(t.Context(), h.who(t, "marco"), a.ID, lifecycle.ViaSlack); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("back twice: %v", err)
	}
}

// One person is one approval, whoever they stand in for.
func TestAStandInIsOnePerson(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	r.Needed, r.Revision = 2, r.Revision+1
	must(t, h.store.SaveRequest(t.Context(), r, lifecycle.AuditEvent{At: h.now(), Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}))
	h.away(t, "marco", "ines")
	_, err := h.press(t, r, "ines", lifecycle.Approve, "")
	must(t, err)
	if _, err := h.press(t, r, "ines", lifecycle.Approve, "for Marco"); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("she approves for two: %v", err)
	}
}

func TestAnAbsenceEndsByItself(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.away(t, "marco", "omar")
	h.pass(25 * time.Hour)
	route, err := h.approvals().Route(t.Context(), r)
	must(t, err)
	if _, may := route.Of("omar@acme.test"); may {
		t.Error("Omar still stands in")
	}
}

func TestWhatIsNoAbsence(t *testing.T) {
	t.Parallel()
	day := func(h *house, n int) time.Time { return h.now().Add(time.Duration(n) * 24 * time.Hour) }
	for name, tt := range map[string]struct {
		change func(*testing.T, *house, *lifecycle.Leave)
		kind   error
	}{
		"one that is over":               {func(_ *testing.T, h *house, l *lifecycle.Leave) { l.Until = day(h, -1) }, lifecycle.ErrInvalid},
		"one that ends before it begins": {func(_ *testing.T, h *house, l *lifecycle.Leave) { l.From, l.Until = day(h, 3), day(h, 2) }, lifecycle.ErrInvalid},
		"one of years":                   {func(_ *testing.T, h *house, l *lifecycle.Leave) { l.Until = day(h, 400) }, lifecycle.ErrInvalid},
		"oneself as the stand-in":        {func(_ *testing.T, _ *house, l *lifecycle.Leave) { l.Delegate = "Marco@acme.test" }, lifecycle.ErrInvalid},
		"nobody who is known":            {func(_ *testing.T, _ *house, l *lifecycle.Leave) { l.Delegate = "zed@acme.test" }, lifecycle.ErrInvalid},
		"who has left": {
			func(t *testing.T, h *house, l *lifecycle.Leave) {
				h.hearOf(t, "gus", as("ended"))
				l.Delegate = "gus@acme.test"
			}, lifecycle.ErrInvalid,
		},
		"of somebody else, by no one of Security": {func(t *testing.T, h *house, l *lifecycle.Leave) { l.Who = h.who(t, "ines") }, lifecycle.ErrForbidden},
		"of Security, with nobody of Security": {
			func(t *testing.T, h *house, l *lifecycle.Leave) {
				l.By, l.Delegate = h.who(t, "priya"), "omar@acme.test"
			}, lifecycle.ErrInvalid,
		},
		"with a reason like a book": {func(_ *testing.T, _ *house, l *lifecycle.Leave) { l.Reason = strings.Repeat("é", 301) }, lifecycle.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := asking(t)
			l := lifecycle.Leave{By: h.who(t, "marco"), Until: day(h, 1), Via: lifecycle.ViaCLI}
			tt.change(t, h, &l)
			if _, err := h.absences().Away(t.Context(), l); !errors.Is(err, tt.kind) || lifecycle.ReasonOf(err) == "" {
				t.Errorf("it is %v, want a refusal that is %v", err, tt.kind)
			}
			if all, err := h.absences().Of(t.Context(), l.By.ID); err != nil || len(all) != 0 {
				t.Errorf("it left %v, %v", all, err)
			}
		})
	}
}

// Whoever says it twice is away once, as they said last.
func TestTheLastWordOnBeingAwayCounts(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.away(t, "marco", "omar")
	h.away(t, "marco", "")
	route, err := h.approvals().Route(t.Context(), r)
	must(t, err)
	if diff := cmp.Diff([]string{"ines owns Payments", "marco owns Payments, away"}, described(route)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if all, err := h.absences().Of(t.Context(), h.who(t, "marco").ID); err != nil || len(all) != 1 {
		t.Errorf("he is away %d times: %v", len(all), err)
	}
}
