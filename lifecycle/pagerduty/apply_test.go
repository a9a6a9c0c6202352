package pagerduty_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestWritesSayNoMoreThanTheyMean(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"create":       `{"user":{"email":"cy@example.com","name":"Cy Cedar","role":"limited_user","type":"user"}}`,
		"base role":    `{"user":{"role":"restricted_access","type":"user"}}`,
		"join a team":  `{"role":"responder"}`,
		"team role":    `{"role":"observer"}`,
		"leave a team": ``,
		"delete":       ``,
	}
	for name, w := range writes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			o := w.order(prepare(a, name))
			applied(t, a, c, o)
			got := a.Writes()[0]
			if got.Body != bodies[name] {
				t.Errorf("body is %s, want %s", got.Body, bodies[name])
			}
			if want := map[bool]string{true: "olga@example.com"}[name == "create"]; got.From != want {
				t.Errorf("From is %q, want %q", got.From, want)
			}
			if name == "create" { // the order does not know the account that it made
				o.Account = ""
			}
			if _, err := c.Apply(t.Context(), o); err != nil || len(a.Writes()) != 1 {
				t.Errorf("a second time: %v and %d writes, want 1", err, len(a.Writes()))
			}
		})
	}
}

// What PagerDuty would refuse, or should, is refused in words that a person can act on, and leaves everything as it was.
func TestRefusals(t *testing.T) {
	t.Parallel()
	core := func(w company) lifecycle.Order { return teamRole(w.bo, w.core, lifecycle.TeamManager, "") }
	for name, tt := range map[string]struct {
		fake   pagerdutytest.Config
		given  func(*pagerdutytest.Account, company)
		order  func(company) lifecycle.Order
		kind   error
		reason string
	}{
		"the owner's role": {
			order: func(w company) lifecycle.Order { return baseRole(w.owner, lifecycle.RoleManager) },
			kind:  lifecycle.ErrForbidden, reason: "Olga Owner is the Account Owner, whom PagerDuty lets nobody else change. Transfer ownership on PagerDuty's own pages first.",
		},
		"the owner's deletion": {
			order: func(w company) lifecycle.Order { return deletion(w.owner) },
			kind:  lifecycle.ErrForbidden, reason: "Olga Owner is the Account Owner",
		},
		"making an owner": {
			order: func(w company) lifecycle.Order { return baseRole(w.ada, lifecycle.RoleOwner) },
			kind:  lifecycle.ErrForbidden, reason: "Ada Admin cannot be made Account Owner",
		},
		"creating an owner": {
			order: func(company) lifecycle.Order { return creation("cy@example.com", "Cy", lifecycle.RoleOwner) },
			kind:  lifecycle.ErrForbidden, reason: "Cy cannot be made Account Owner",
		},
		"a base role that is none": {
			order: func(w company) lifecycle.Order { return baseRole(w.ann, "superuser") },
			kind:  lifecycle.ErrInvalid, reason: "superuser",
		},
		"an admin on a team": {
			order: func(w company) lifecycle.Order { return teamRole(w.ada, w.core, "", lifecycle.TeamManager) },
			kind:  lifecycle.ErrForbidden, reason: "Ada Admin is Global Admin (admin), who manages every team",
		},
		"a stakeholder on a team": {
			order: func(w company) lifecycle.Order { return teamRole(w.sue, w.core, "", lifecycle.TeamObserver) },
			kind:  lifecycle.ErrForbidden, reason: "Sue Stake is Stakeholder (read_only_user), whom PagerDuty lets have no role on a team",
		},
		"a team role that is none": {
			order: func(w company) lifecycle.Order { return teamRole(w.ann, w.web, "", "boss") },
			kind:  lifecycle.ErrInvalid, reason: "boss",
		},
		"leaving a team that calls them": {
			order: core, kind: lifecycle.ErrConflict,
			reason: "Bo Birch cannot be taken off Core while still on level 1 of Core-Crit. Give that to somebody else first.",
		},
		"becoming a stakeholder while on call": {
			order: func(w company) lifecycle.Order { return baseRole(w.ann, lifecycle.RoleStakeholder) },
			kind:  lifecycle.ErrConflict, reason: "A stakeholder cannot be on call, and Ann Ash is still on level 2 of Core-Crit.",
		},
		"deletion while on call": {
			given: func(a *pagerdutytest.Account, w company) {
				a.AddSchedule(pagerdutytest.Schedule{Name: "Core weekly", Layers: []pagerdutytest.Layer{{UserIDs: []string{w.ann.ID, w.bo.ID}}}})
			},
			order: func(w company) lifecycle.Order { return deletion(w.ann) },
			kind:  lifecycle.ErrConflict, reason: "Ann Ash cannot be deleted while still on level 2 of Core-Crit and the schedule Core weekly.",
		},
		"deletion that PagerDuty would allow but leaves a hole": {
			fake:  pagerdutytest.Config{Offboarding: pagerdutytest.Offboarding{Enabled: true, RestartIncidents: true}},
			order: func(w company) lifecycle.Order { return deletion(w.ann) },
			kind:  lifecycle.ErrConflict, reason: "level 2 of Core-Crit",
		},
		"deletion with an open incident": {
			given: func(a *pagerdutytest.Account, w company) {
				s := a.AddService(pagerdutytest.Service{Name: "API", EscalationPolicyID: w.policy.ID})
				a.AddIncident(pagerdutytest.Incident{Title: "It is slow", ServiceID: s.ID, EscalationPolicyID: w.policy.ID, AssigneeIDs: []string{w.ada.ID}})
			},
			order: func(w company) lifecycle.Order { return deletion(w.ada) },
			kind:  lifecycle.ErrConflict, reason: "Ada Admin cannot be deleted while still on open incident #1 (It is slow).",
		},
		"an address that is taken": {
			order: func(company) lifecycle.Order { return creation("bo@example.com", "Bo", lifecycle.RoleManager) },
			kind:  lifecycle.ErrConflict, reason: "PagerDuty shows Bo as Responder (limited_user) now, not as no account.",
		},
		"an address too short": {
			order: func(company) lifecycle.Order { return creation("a@b", "A", lifecycle.RoleManager) },
			kind:  lifecycle.ErrInvalid, reason: "6 to 100 characters",
		},
		"no seat": {
			given: func(a *pagerdutytest.Account, _ company) { a.SetSeats("FullUser", 4) },
			order: func(company) lifecycle.Order { return creation("cy@example.com", "Cy", lifecycle.RoleResponder) },
			kind:  lifecycle.ErrConflict, reason: "no free licence seat",
		},
		"a plan without stakeholders": {
			fake:  pagerdutytest.Config{Abilities: []string{pagerdutytest.AbilityTeams}},
			order: func(w company) lifecycle.Order { return baseRole(w.ada, lifecycle.RoleLimitedStakeholder) },
			kind:  lifecycle.ErrForbidden, reason: "This PagerDuty plan does not include what that takes: “The read_only_users account ability is required to use this role”.",
		},
		"somebody who is gone": {
			given: func(a *pagerdutytest.Account, w company) { must(a.DeleteUserAs("olga@example.com", w.sue.ID)) },
			order: func(w company) lifecycle.Order { return baseRole(w.sue, lifecycle.RoleResponder) },
			kind:  lifecycle.ErrNotFound, reason: "Sue Stake has no PagerDuty account any more.",
		},
		"a team that is gone": {
			order: func(w company) lifecycle.Order {
				return teamRole(w.ann, pagerdutytest.Team{ID: "PNOTEAM", Name: "Lost"}, "", lifecycle.TeamResponder)
			},
			kind: lifecycle.ErrNotFound, reason: "PagerDuty no longer has the team Lost, or Ann Ash.",
		},
		"a role that has moved since": {
			given: func(a *pagerdutytest.Account, w company) {
				must(a.SetRoleAs("olga@example.com", w.ann.ID, pagerdutytest.Observer))
			},
			order: func(w company) lifecycle.Order { return baseRole(w.ann, lifecycle.RoleRestricted) },
			kind:  lifecycle.ErrConflict, reason: "PagerDuty shows Ann Ash as Observer (observer) now, not as Manager (user).",
		},
		"a session": {
			order: func(w company) lifecycle.Order {
				return order(w.ann, lifecycle.OpContain, lifecycle.Entitlement{Kind: lifecycle.KindSession}, "", "")
			},
			kind: lifecycle.ErrInvalid, reason: "rolecall cannot change the session of an account.",
		},
		"nobody": {
			order: func(company) lifecycle.Order {
				return baseRole(pagerdutytest.User{Name: "Nobody"}, lifecycle.RoleManager)
			},
			kind: lifecycle.ErrInvalid, reason: "Nobody has no PagerDuty account to change.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, tt.fake)
			w := populate(a)
			if tt.given != nil {
				tt.given(a, w)
			}
			_, err := c.Apply(t.Context(), tt.order(w))
			if !errors.Is(err, tt.kind) || !strings.Contains(lifecycle.ReasonOf(err), tt.reason) {
				t.Errorf("error is %v with reason %q;\nwant %v with %q", err, lifecycle.ReasonOf(err), tt.kind, tt.reason)
			}
			if got := a.Effects(); len(got) > 0 {
				t.Errorf("effects are %+v, want none", got)
			}
		})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Two admins who are lowered at the same moment must not both go when nobody else is in charge.
func TestLastAdminStays(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	ada := a.AddUser(pagerdutytest.User{Name: "Ada", Email: "ada@example.com", Role: pagerdutytest.Admin})
	abe := a.AddUser(pagerdutytest.User{Name: "Abe", Email: "abe@example.com", Role: pagerdutytest.Admin})
	var wg sync.WaitGroup
	errs := make([]error, 2)
	wg.Go(func() { _, errs[0] = c.Apply(t.Context(), baseRole(ada, lifecycle.RoleManager)) })
	wg.Go(func() { _, errs[1] = c.Apply(t.Context(), deletion(abe)) })
	wg.Wait()
	if len(a.Effects()) != 1 || (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("errors are %v and effects %+v, want one of each", errs, a.Effects())
	}
	if reason := lifecycle.ReasonOf(errors.Join(errs...)); !strings.Contains(reason, "is the last Global Admin") {
		t.Errorf("reason is %q", reason)
	}
}

// PagerDuty locks the account for writes to users; ours never collide.
func TestUserWritesTakeTurns(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{AccountLock: true, Latency: 2e6})
	w := populate(a)
	var wg sync.WaitGroup
	for _, o := range []lifecycle.Order{
		baseRole(w.ann, lifecycle.RoleObserver), baseRole(w.bo, lifecycle.RoleObserver),
		creation("cy@example.com", "Cy", lifecycle.RoleObserver), creation("di@example.com", "Di", lifecycle.RoleObserver), deletion(w.sue),
	} {
		wg.Go(func() {
			if _, err := c.Apply(t.Context(), o); err != nil {
				t.Errorf("apply: %v", err)
			}
		})
	}
	wg.Wait()
	if got := a.Writes(); len(got) != 5 {
		t.Errorf("%d writes, want 5 and none refused: %+v", len(got), got)
	}
}

func TestCreatingNeedsSomebodyToActAs(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{"": "PagerDuty wants to know as whom", "gone@example.com": "PagerDuty knows no user with the address"} {
		a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.From = from })
		populate(a)
		_, err := c.Apply(t.Context(), creation("cy@example.com", "Cy", lifecycle.RoleObserver))
		if reason := lifecycle.ReasonOf(err); !strings.Contains(reason, want) || !strings.Contains(reason, "ROLECALL_PAGERDUTY_FROM") {
			t.Errorf("from %q: %v", from, err)
		}
	}
}

func TestReadBack(t *testing.T) {
	t.Parallel()
	t.Run("what was not made is not seen", func(t *testing.T) {
		t.Parallel()
		for name, w := range writes() {
			a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Patience = 1 })
			now, err := c.ReadBack(t.Context(), w.order(prepare(a, name)))
			if err == nil || lifecycle.ReasonOf(err) != "" {
				t.Errorf("%s: %+v, %v; want an error that may pass", name, now, err)
			}
		}
	})
	t.Run("a removal is seen only when user and team agree", func(t *testing.T) {
		t.Parallel()
		a, c := start(t, pagerdutytest.Config{})
		w := prepare(a, "leave a team")
		o := teamRole(w.ann, w.web, lifecycle.TeamManager, "")
		if _, err := c.Apply(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		still := pagerdutytest.Status(200, `{"members":[{"user":{"id":"`+w.ann.ID+`"},"role":"manager"}],"more":false}`)
		a.Fail(pagerdutytest.Fault{Path: "/teams/" + w.web.ID + "/members", Times: 3, Kind: still})
		now, err := c.ReadBack(t.Context(), o)
		if err != nil || len(now.Teams) != 1 {
			t.Errorf("read back: %+v, %v", now, err)
		}
	})
	t.Run("what somebody else made of it is a refusal", func(t *testing.T) {
		t.Parallel()
		a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Patience = 1 })
		w := populate(a)
		must(a.SetRoleAs("olga@example.com", w.ann.ID, pagerdutytest.Observer))
		_, err := c.ReadBack(t.Context(), baseRole(w.ann, lifecycle.RoleRestricted))
		if !errors.Is(err, lifecycle.ErrConflict) {
			t.Errorf("read back: %v, want a conflict", err)
		}
	})
	t.Run("a deletion of nobody in particular", func(t *testing.T) {
		t.Parallel()
		_, c := start(t, pagerdutytest.Config{})
		if _, err := c.ReadBack(t.Context(), deletion(pagerdutytest.User{Email: "x@example.com"})); !errors.Is(err, lifecycle.ErrInvalid) {
			t.Errorf("read back: %v, want ErrInvalid", err)
		}
	})
}

// Somebody quicker than us has done it: that is what was wanted.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	const olga = "olga@example.com"
	for name, quicker := range map[string]func(*pagerdutytest.Account, company) error{
		"leave a team": func(a *pagerdutytest.Account, w company) error { return a.RemoveMemberAs(olga, w.web.ID, w.ann.ID) },
		"delete":       func(a *pagerdutytest.Account, w company) error { return a.DeleteUserAs(olga, w.ada.ID) },
		"create": func(a *pagerdutytest.Account, _ company) error {
			_, err := a.CreateUserAs(olga, pagerdutytest.User{Name: "Cy", Email: "cy@example.com", Role: pagerdutytest.Responder})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := prepare(a, name)
			write := writes()[name]
			a.Fail(pagerdutytest.Fault{Method: write.method, Path: write.path, Kind: pagerdutytest.Before(func() { must(quicker(a, w)) })})
			if id, err := c.Apply(t.Context(), write.order(w)); err != nil || id == "" || len(a.Writes()) != 1 {
				t.Errorf("apply: %q, %v after %d writes", id, err, len(a.Writes()))
			}
		})
	}
}

// After a lost answer the account shows what somebody else made of it: that is not ours to write over.
func TestLostAnswerAndSomebodyElse(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	a.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.After(func() { must(a.SetRoleAs("olga@example.com", w.ann.ID, pagerdutytest.Observer)) })})
	a.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.LostAnswer()})
	_, err := c.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleRestricted))
	if !errors.Is(err, lifecycle.ErrConflict) || !strings.Contains(lifecycle.ReasonOf(err), "as Observer (observer) now") || len(a.Writes()) != 1 {
		t.Errorf("apply: %v after %d writes, want a conflict after one", err, len(a.Writes()))
	}
}

// PagerDuty's search also finds addresses of which the one looked for is a part.
func TestCreatingBesideALikeAddress(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	populate(a)
	applied(t, a, c, creation("nn@example.com", "Nn", lifecycle.RoleObserver))
}
