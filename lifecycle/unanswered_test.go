package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// crit is an escalation policy of Payments with these levels.
func crit(levels ...lifecycle.Level) lifecycle.Escalation {
	return lifecycle.Escalation{Object: lifecycle.Object{ID: "PCRIT", Name: "Payments-Crit"}, Team: payments.ID, Levels: levels}
}

// primary is a schedule of Payments with these seats, and places of deleted accounts.
func primary(seats []lifecycle.AccountID, gone ...string) lifecycle.Rota {
	return lifecycle.Rota{Object: lifecycle.Object{ID: "PPRIM", Name: "Payments-Primary"}, Teams: []lifecycle.TeamID{payments.ID}, Seats: seats, Gone: gone}
}

func TestWhereNobodyAnswers(t *testing.T) {
	t.Parallel()
	ben := []lifecycle.AccountID{"PBEN"}
	calls := lifecycle.Level{Rotas: []string{"PPRIM"}}
	for name, tt := range map[string]struct {
		coverage lifecycle.Coverage
		want     []string
	}{
		"everybody answers": {lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Accounts: ben}, calls)}, Rotas: []lifecycle.Rota{primary(ben)}}, nil},
		"a place in a schedule is of nobody, and others have theirs": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(calls)}, Rotas: []lifecycle.Rota{primary(ben, "Ana Ito", "Ana Ito")}},
			[]string{"orphan medium: Schedule Payments-Primary still has a place for Ana Ito, whose account was deleted: nobody answers there."},
		},
		"a schedule is of nobody any more": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(calls)}, Rotas: []lifecycle.Rota{primary(nil, "Ana Ito")}},
			[]string{"orphan high: Schedule Payments-Primary still has a place for Ana Ito, whose account was deleted: nobody answers there. Nobody else is in it."},
		},
		"a level calls somebody who was deleted, and nobody else": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Accounts: ben}, lifecycle.Level{Gone: []string{"Ana Ito"}})}},
			[]string{"orphan high: Level 2 of Payments-Crit still calls Ana Ito, whose account was deleted: nobody answers there."},
		},
		"a level calls somebody who was deleted, and a schedule with people in it": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Rotas: []string{"PPRIM"}, Gone: []string{"Ana Ito"}})}, Rotas: []lifecycle.Rota{primary(ben)}},
			[]string{"orphan medium: Level 1 of Payments-Crit still calls Ana Ito, whose account was deleted; others answer there."},
		},
		"a schedule that is called is empty, which is said once": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Accounts: ben}, calls)}, Rotas: []lifecycle.Rota{primary(nil)}},
			[]string{"missing high: Schedule Payments-Primary has nobody in it. It is called by level 2 of Payments-Crit."},
		},
		"a schedule that nothing calls is empty": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Accounts: ben})}, Rotas: []lifecycle.Rota{primary(nil)}},
			[]string{"missing low: Schedule Payments-Primary has nobody in it. No escalation policy calls it."},
		},
		"a level calls nobody at all": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{})}},
			[]string{"missing high: Level 1 of Payments-Crit calls nobody."},
		},
		"a schedule that is called could not be read: nothing is concluded": {
			lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(calls, lifecycle.Level{})}}, nil,
		},
		"no policy could be read: nothing is concluded": {lifecycle.Coverage{Rotas: []lifecycle.Rota{primary(nil)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			roll := lifecycle.Roll{Policy: rules(), Have: lifecycle.Snapshot{Coverage: tt.coverage, Teams: []lifecycle.Team{payments}}, Now: monday}
			var got []string
			for _, f := range lifecycle.Reconcile(roll) {
				got = append(got, fmt.Sprintf("%s %s: %s", f.Kind, f.Severity, f.Sentence()))
				if f.Decidable() || !f.Unanswered() || f.Entitlement.Team != payments {
					t.Errorf("%s is decidable: %t, of team %+v", f.Sentence(), f.Decidable(), f.Entitlement.Team)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPlaceKeepsItsIDWhenTheObjectIsRenamedAndOthersLeave(t *testing.T) {
	t.Parallel()
	c := lifecycle.Coverage{Policies: []lifecycle.Escalation{crit(lifecycle.Level{Rotas: []string{"PPRIM"}})}, Rotas: []lifecycle.Rota{primary([]lifecycle.AccountID{"PBEN"}, "Ana Ito")}}
	first := lifecycle.Reconcile(lifecycle.Roll{Policy: rules(), Have: lifecycle.Snapshot{Coverage: c}, Now: monday})
	c.Rotas = []lifecycle.Rota{primary(nil, "Ana Ito", "Bo Lind")}
	c.Rotas[0].Name = "Primary"
	second := lifecycle.Reconcile(lifecycle.Roll{Policy: rules(), Have: lifecycle.Snapshot{Coverage: c}, Now: monday})
	if len(first) != 1 || len(second) != 2 || first[0].ID != second[0].ID || second[0].ID == second[1].ID {
		t.Errorf("first %+v\nthen %+v", first, second)
	}
}

// watched is a house whose Ben has a seat in Payments' schedule, beside the place of somebody deleted.
func watched(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.pager.coverage = lifecycle.Coverage{
		Policies: []lifecycle.Escalation{crit(lifecycle.Level{Accounts: []lifecycle.AccountID{"PBEN"}, Rotas: []string{"PPRIM"}})},
		Rotas:    []lifecycle.Rota{primary([]lifecycle.AccountID{"PBEN"}, "Ana Ito")},
	}
	return h
}

func TestAPlaceOfNobodyStandsUntilItIsSeenToBeMended(t *testing.T) {
	t.Parallel()
	h := watched(t)
	f := h.found(t)
	if len(h.requests(t)) != 0 {
		t.Errorf("an owner is asked what no button mends: %v", h.story(t))
	}
	for _, name := range []string{"marco", "priya"} { // who owns Payments, and security
		if shown, err := h.desk().FindingsFor(t.Context(), h.who(t, name)); err != nil || len(shown) != 1 {
			t.Errorf("%s is shown %v, %v", name, shown, err)
		}
	}
	whole := h.pager.coverage
	h.pager.coverage = lifecycle.Coverage{}
	h.pass(4 * time.Hour)
	result := h.call(t)
	if len(result.Open) != 1 || !slices.ContainsFunc(result.Blind, func(s string) bool {
		return s == "Who answers on call could not be read as a whole, so nothing was concluded about it."
	}) {
		t.Errorf("on-call could not be read: open %v, blind %q", result.Open, result.Blind)
	}
	whole.Rotas[0].Gone = nil
	h.pager.coverage = whole
	h.pass(4 * time.Hour)
	if result = h.call(t); len(result.Open) != 0 || len(result.Cleared) != 1 || result.Cleared[0].ID != f.ID || len(result.Blind) != 0 {
		t.Errorf("mended: open %v, cleared %v, blind %q", result.Open, result.Cleared, result.Blind)
	}
}

func TestTheDeskKnowsWhatOnCallExpectsOfSomebodyAndWhenTheyWereLastSeen(t *testing.T) {
	t.Parallel()
	h := watched(t)
	h.pager.signals = map[lifecycle.AccountID]lifecycle.Signal{"PBEN": {At: monday.Add(-26 * time.Hour), Proxy: "signed in, by analytics"}}
	h.call(t)
	want := []string{"level 1 of Payments-Crit", "a seat in Payments-Primary"}
	used := lifecycle.Signal{At: time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC), Proxy: "signed in, by analytics"}
	s, err := h.desk().Standing(t.Context(), h.who(t, "ben"))
	must(t, err)
	if diff := cmp.Diff(want, s.Account.Duties); diff != "" || s.Account.Used != used {
		t.Errorf("used %+v; duties (-want +got):\n%s", s.Account.Used, diff)
	}
	_, holders, err := h.desk().Team(t.Context(), "payments")
	must(t, err)
	if len(holders) != 1 || !slices.Equal(holders[0].Account.Duties, want) {
		t.Errorf("holders of Payments: %+v", holders)
	}
	h.pager.coverage = lifecycle.Coverage{}
	h.pass(4 * time.Hour)
	h.call(t)
	if s, err = h.desk().Standing(t.Context(), h.who(t, "ben")); err != nil || !slices.Equal(s.Account.Duties, want) {
		t.Errorf("what was not told has been forgotten: %v, %v", s.Account.Duties, err)
	}
}
