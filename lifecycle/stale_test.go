package lifecycle_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

const byAnalytics = "signed in, by PagerDuty's analytics, which may be a day old"

func TestWhatNobodyUses(t *testing.T) {
	t.Parallel()
	ago := func(days int) time.Time { return monday.AddDate(0, 0, -days) }
	placed := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	with := func(change func(*lifecycle.Account)) lifecycle.Account {
		a := placed
		change(&a)
		return a
	}
	signIn := func(at time.Time) lifecycle.Usage {
		return lifecycle.Usage{By: lifecycle.UsageBySignIn, Signals: map[lifecycle.AccountID]lifecycle.Signal{"PBEN": {At: at, Proxy: byAnalytics}}}
	}
	byPlace := lifecycle.Usage{By: lifecycle.UsageByPlace}
	nowhere := func(a *lifecycle.Account) { a.Teams = nil }
	for name, tt := range map[string]struct {
		have  lifecycle.Account
		usage lifecycle.Usage
		want  []string
	}{
		"signed in last month": {placed, signIn(ago(30)), nil},
		"signed in long ago": {placed, signIn(ago(91)), []string{
			"stale low: Ben Ode: was last used on 2 Feb 2026, and has no place on call. (" + byAnalytics + ")",
		}},
		"signed in long ago, and may do much": {with(func(a *lifecycle.Account) { a.BaseRole = lifecycle.RoleManager }), signIn(ago(91)), []string{
			"stale medium: Ben Ode: was last used on 2 Feb 2026, and has no place on call. (" + byAnalytics + ")",
		}},
		"signed in long ago, and answers the phone": {with(func(a *lifecycle.Account) { a.Duties = []string{"level 1 of Payments-Crit"} }), signIn(ago(91)), nil},
		"has never signed in": {placed, signIn(time.Time{}), []string{
			"stale low: Ben Ode: has never signed in, and has no place on call. (" + byAnalytics + ")",
		}},
		"has never signed in, and came last week": {with(func(a *lifecycle.Account) { a.SeenAt = ago(7) }), signIn(time.Time{}), nil},
		"sign-ins do not tell of the account":     {placed, lifecycle.Usage{By: lifecycle.UsageBySignIn}, nil},
		"sign-ins could not be read":              {with(nowhere), lifecycle.Usage{}, nil},
		"the plan shows no sign-ins, and the account has no place anywhere": {with(nowhere), byPlace, []string{
			"stale low: Ben Ode: is in no schedule, escalation policy or team. (PagerDuty's plan does not show sign-ins)",
		}},
		"the plan shows no sign-ins, and the account is on a team":  {placed, byPlace, nil},
		"the plan shows no sign-ins, and the account has just come": {with(func(a *lifecycle.Account) { a.Teams, a.SeenAt = nil, ago(2) }), byPlace, nil},
		"a stakeholder has no place, and needs none":                {with(func(a *lifecycle.Account) { a.Teams, a.BaseRole = nil, lifecycle.RoleStakeholder }), byPlace, nil},
		"the account owner is left alone":                           {with(func(a *lifecycle.Account) { a.Teams, a.BaseRole = nil, lifecycle.RoleOwner }), byPlace, nil},
		"a protected account is left alone":                         {with(func(a *lifecycle.Account) { a.Teams, a.Email = nil, "breakglass@acme.test" }), byPlace, nil},
		"invited a week ago": {with(func(a *lifecycle.Account) { a.Invited, a.InvitedAt = true, ago(7) }), signIn(time.Time{}), []string{
			"invite_pending low: Ben Ode: was invited and has not accepted, seen pending since 27 Apr 2026: cannot be paged.",
		}},
		"invited yesterday": {with(func(a *lifecycle.Account) { a.Invited, a.InvitedAt = true, ago(1) }), signIn(time.Time{}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rules()
			p.Protected = []string{"breakglass@acme.test"}
			who := person("Payments")
			who.Emails = []string{lifecycle.FoldEmail(tt.have.Email)}
			roll := lifecycle.Roll{
				Policy: p, Identities: []lifecycle.Identity{known(who)}, Usage: tt.usage, Now: monday,
				Have: lifecycle.Snapshot{Accounts: []lifecycle.Account{tt.have}, Coverage: lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Accounts: []lifecycle.AccountID{"PSAM"}})}}},
			}
			var got []string
			for _, f := range lifecycle.Reconcile(roll) {
				if f.Kind != lifecycle.FoundStale && f.Kind != lifecycle.FoundInvitePending {
					continue
				}
				got = append(got, fmt.Sprintf("%s %s: %s", f.Kind, f.Severity, f.Story()))
				if f.Decidable() {
					t.Errorf("an owner is asked about %s", f.Sentence())
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// idle is a house whose Ben has not signed in for long.
func idle(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.pager.coverage = lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Accounts: []lifecycle.AccountID{"PSAM"}})}}
	h.pager.signals = map[lifecycle.AccountID]lifecycle.Signal{"PBEN": {At: monday.AddDate(0, 0, -100), Proxy: byAnalytics}}
	return h
}

func TestStaleAccessStandsWhileItCannotBeSeenThatItIsUsed(t *testing.T) {
	t.Parallel()
	seen := func(h *house) {}
	for name, tt := range map[string]struct {
		change func(*house)
		stands bool
		blind  string
	}{
		"nothing has changed":     {seen, true, ""},
		"has signed in":           {func(h *house) { h.pager.signals["PBEN"] = lifecycle.Signal{At: h.now(), Proxy: byAnalytics} }, false, ""},
		"is called on call":       {func(h *house) { h.pager.coverage.Policies[0].Levels[0].Accounts[0] = "PBEN" }, false, ""},
		"sign-ins cannot be read": {func(h *house) { h.pager.noUsage = errors.New("502") }, true, "PagerDuty could not be asked who has signed in"},
		"on-call cannot be read":  {func(h *house) { h.pager.coverage = lifecycle.Coverage{} }, true, "Who answers on call could not be read"},
		"the account is gone":     {func(h *house) { h.pager.drop("PBEN") }, false, ""},
		"the plan shows it no more": {func(h *house) {
			h.pager.noUsage = lifecycle.Refuse(lifecycle.ErrForbidden, "The plan has no analytics.")
		}, false, "The plan has no analytics."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := idle(t)
			f := h.found(t)
			tt.change(h)
			h.pass(4 * time.Hour)
			result := h.call(t)
			var stands bool
			for _, is := range result.Open {
				stands = stands || is.ID == f.ID
			}
			if stands != tt.stands || !strings.HasPrefix(strings.Join(result.Blind, " "), tt.blind) {
				t.Errorf("stands: %t, want %t; blind: %q, want %q", stands, tt.stands, result.Blind, tt.blind)
			}
		})
	}
}

func TestAnInvitationIsPendingFromWhenItWasFirstSeen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	a.Invited = true
	h.pager.put(a)
	h.known(t, person("Payments"))
	h.call(t)
	for range 18 { // three days, by the schedule
		h.pass(4 * time.Hour)
		if result := h.call(t); len(result.Open) != 0 {
			t.Fatalf("after %s: %v", h.now().Sub(monday), result.Open)
		}
	}
	h.pass(4 * time.Hour)
	f := h.found(t)
	d, err := h.digests(time.UTC).Compose(t.Context(), "marco@acme.test")
	must(t, err)
	if f.Kind != lifecycle.FoundInvitePending || len(h.requests(t)) != 0 || len(d.Findings) != 1 || d.Findings[0].ID != f.ID {
		t.Errorf("found %+v; in the digest of Payments' owner: %v", f, d.Findings)
	}
	a.Invited = false
	h.pager.put(a)
	h.pass(4 * time.Hour)
	if result := h.call(t); len(result.Cleared) != 1 {
		t.Errorf("accepted: %+v", result)
	}
	a.Invited = true // invited anew, to another address say
	h.pager.put(a)
	h.pass(100 * time.Hour)
	if result := h.call(t); len(result.Open) != 0 {
		t.Errorf("the old invitation's time counts for the new: %v", result.Open)
	}
}
