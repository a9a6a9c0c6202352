package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func known(p lifecycle.Person) lifecycle.Identity {
	return lifecycle.Identity{ID: "idn_ben", Keys: map[string]string{"hr": p.EmployeeID}, Person: p}
}

func ended(p lifecycle.Person) lifecycle.Person {
	p.Status = lifecycle.StatusEnded
	return p
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	good := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	admin := account(lifecycle.RoleAdmin, on(payments, lifecycle.TeamManager))
	both := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamManager))
	twin := good
	twin.ID = "PBEN2"
	policyOnly := lifecycle.Identity{ID: "idn_ben", Person: lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"ben@acme.test"}}}
	for name, tt := range map[string]struct {
		who  []lifecycle.Identity
		have []lifecycle.Account
		last []lifecycle.Account
		want []string
	}{
		"agreement is silent":                       {[]lifecycle.Identity{known(person("Payments"))}, []lifecycle.Account{good}, nil, nil},
		"nobody's account":                          {nil, []lifecycle.Account{good}, nil, []string{"orphan account limited_user → "}},
		"the account owner is left alone":           {nil, []lifecycle.Account{account(lifecycle.RoleOwner)}, nil, nil},
		"who left and is still there":               {[]lifecycle.Identity{known(ended(person("Payments")))}, []lifecycle.Account{good}, nil, []string{"leaver_present account limited_user → "}},
		"who left and is contained":                 {[]lifecycle.Identity{known(ended(person("Payments")))}, []lifecycle.Account{account(lifecycle.RoleRestricted)}, nil, []string{"leaver_present account restricted_access → "}},
		"more than policy, seen for the first time": {[]lifecycle.Identity{known(person("Payments"))}, []lifecycle.Account{both}, nil, []string{"excess team_role manager → "}},
		"more than policy, and more than last time": {
			[]lifecycle.Identity{known(person("Payments"))},
			[]lifecycle.Account{admin},
			[]lifecycle.Account{good},
			[]string{"drift base_role admin → limited_user"},
		},
		"more than policy, as it was last time": {
			[]lifecycle.Identity{known(person("Payments"))},
			[]lifecycle.Account{admin},
			[]lifecycle.Account{admin},
			[]string{"excess base_role admin → limited_user"},
		},
		"less than policy":  {[]lifecycle.Identity{known(person("Payments"))}, []lifecycle.Account{account(lifecycle.RoleResponder)}, nil, []string{"missing team_role  → responder"}},
		"nothing at all":    {[]lifecycle.Identity{known(person("Payments"))}, nil, nil, []string{"missing account  → limited_user"}},
		"nothing is wanted": {[]lifecycle.Identity{known(person("Catering"))}, nil, nil, nil},
		"two accounts for one address": {
			[]lifecycle.Identity{known(person("Payments"))},
			[]lifecycle.Account{good, twin},
			nil,
			[]string{"disputed account  → ", "disputed account  → "},
		},
		"known from the policy alone: nothing is concluded": {[]lifecycle.Identity{policyOnly}, []lifecycle.Account{admin}, nil, nil},
		"known from the policy alone, but risen":            {[]lifecycle.Identity{policyOnly}, []lifecycle.Account{admin}, []lifecycle.Account{good}, []string{"drift base_role admin → limited_user"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			last := map[lifecycle.AccountID]lifecycle.Account{}
			for _, a := range tt.last {
				last[a.ID] = a
			}
			found := lifecycle.Reconcile(lifecycle.Roll{Policy: rules(), Identities: tt.who, Have: lifecycle.Snapshot{Accounts: tt.have}, Last: last, Now: monday})
			var got []string
			for _, f := range found {
				got = append(got, fmt.Sprintf("%s %s %s → %s", f.Kind, f.Entitlement.Kind, f.From, f.To))
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnObservedRuleHidesNoAdmin(t *testing.T) {
	t.Parallel()
	p := rules()
	p.Rules[0].Rollout = lifecycle.RolloutObserve
	found := lifecycle.Reconcile(lifecycle.Roll{
		Policy: p, Identities: []lifecycle.Identity{known(person("Payments"))}, Now: monday,
		Have: lifecycle.Snapshot{Accounts: []lifecycle.Account{account(lifecycle.RoleAdmin)}},
	})
	if len(found) != 1 || found[0].Kind != lifecycle.FoundExcess || found[0].Severity != lifecycle.SeverityHigh {
		t.Errorf("got %+v, want one excess of high severity", found)
	}
}

func TestOnlyWhatALeaverWasGivenBackIsSaid(t *testing.T) {
	t.Parallel()
	roll := lifecycle.Roll{
		Policy: rules(), Identities: []lifecycle.Identity{known(ended(person("Payments")))}, Now: monday,
		Have: lifecycle.Snapshot{Accounts: []lifecycle.Account{account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))}},
		Last: map[lifecycle.AccountID]lifecycle.Account{"PBEN": account(lifecycle.RoleRestricted, on(payments, lifecycle.TeamResponder))},
	}
	want := "Ben Ode has left, and was given back Responder (limited_user) with no decision on file."
	if found := lifecycle.Reconcile(roll); len(found) != 1 || found[0].Sentence() != want {
		t.Errorf("found %+v, want %s", found, want)
	}
	roll.Last["PBEN"] = roll.Have.Accounts[0]
	if found := lifecycle.Reconcile(roll); len(found) != 1 || found[0].Kind != lifecycle.FoundLeaverPresent {
		t.Errorf("nothing was given back: %+v", found)
	}
}

// What is left of a leaver is told from its note, to which nothing is added.
func TestALeaverLeftBehindBeforeTheFirstRollCallIsKnownAsSuch(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleRestricted))
	h.known(t, ended(person("Payments")))
	f := h.found(t)
	if f.Note != "has left, and the contained account has not been deleted" || h.only(t, lifecycle.Pending).Risk() != lifecycle.Destructive {
		t.Errorf("found %+v: %v", f, h.story(t))
	}
}

func TestAFindingKeepsItsIDFromOneRollCallToTheNext(t *testing.T) {
	t.Parallel()
	roll := lifecycle.Roll{
		Policy: rules(), Identities: []lifecycle.Identity{known(person("Payments"))}, Now: monday,
		Have: lifecycle.Snapshot{Accounts: []lifecycle.Account{account(lifecycle.RoleAdmin, on(payments, lifecycle.TeamResponder))}},
		Last: map[lifecycle.AccountID]lifecycle.Account{"PBEN": account(lifecycle.RoleResponder)},
	}
	first := lifecycle.Reconcile(roll)
	roll.Last = map[lifecycle.AccountID]lifecycle.Account{"PBEN": roll.Have.Accounts[0]}
	second := lifecycle.Reconcile(roll)
	if len(first) != 1 || len(second) != 1 || first[0].ID != second[0].ID {
		t.Errorf("got %v then %v, want one finding with one id", first, second)
	}
}

func BenchmarkReconcile(b *testing.B) {
	p := rules()
	for i := range 200 {
		p.Rules = append(p.Rules, rule(fmt.Sprintf("r%d", i), fmt.Sprintf("dept %d", i), lifecycle.RoleResponder, "Payments", lifecycle.TeamResponder, nil))
	}
	const people = 100_000
	roll := lifecycle.Roll{Policy: p, Now: monday}
	for i := range people {
		who := person(fmt.Sprintf("Dept %d", i%200))
		who.Emails = []string{fmt.Sprintf("p%d@acme.test", i)}
		id := fmt.Sprintf("%d", i)
		roll.Identities = append(roll.Identities, lifecycle.Identity{ID: lifecycle.IdentityID(id), Keys: map[string]string{"hr": id}, Person: who, Account: lifecycle.AccountID("P" + id)})
		roll.Have.Accounts = append(roll.Have.Accounts, lifecycle.Account{ID: lifecycle.AccountID("P" + id), Email: who.Emails[0], BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{on(payments, lifecycle.TeamResponder)}})
	}
	b.ReportAllocs()
	for b.Loop() {
		lifecycle.Reconcile(roll)
	}
	b.ReportMetric(float64(b.Elapsed().Seconds())/float64(b.N), "s/roll")
}
