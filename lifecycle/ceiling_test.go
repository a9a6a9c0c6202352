package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// bounded is the rules with a ceiling for contractors, and a rule that makes
// leads of Payments managers there.
func bounded() lifecycle.Policy {
	p := rules()
	p.Ceilings = map[lifecycle.Employment]lifecycle.Ceiling{
		lifecycle.Contractor: {BaseRole: lifecycle.RoleObserver, TeamRole: lifecycle.TeamObserver, Line: 12},
		lifecycle.Vendor:     {TeamRole: lifecycle.TeamResponder, Line: 13},
	}
	return p.At(monday)
}

func employed(e lifecycle.Employment, p lifecycle.Person) lifecycle.Person {
	p.Employment = e
	return p
}

func TestACeilingCapsWhatRulesGrant(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		who    lifecycle.Person
		want   []string
		capped []string
		held   string
	}{
		"an employee has none": {employed(lifecycle.Employee, person("Payments")), []string{"create account:  → limited_user", "grant Payments:  → responder"}, nil, ""},
		"a contractor's base role and team role": {employed(lifecycle.Contractor, person("Payments")), []string{"create account:  → observer", "grant Payments:  → observer"}, []string{
			"Responder (limited_user) of rule payments down to Observer (observer), by the ceiling of contractor in line 12",
			"Payments: responder of rule payments down to observer, by the ceiling of contractor in line 12",
		}, ""},
		"however the source writes the employment":              {employed("Contractor", person("Payments")), []string{"create account:  → observer", "grant Payments:  → observer"}, []string{"", ""}, ""},
		"a ceiling that is high enough":                         {employed(lifecycle.Vendor, person("Payments")), []string{"create account:  → limited_user", "grant Payments:  → responder"}, nil, ""},
		"nobody knows whether a contractor or not: nothing yet": {person("Payments"), []string{}, nil, "payments, because a ceiling may cap it for their employment, and none was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, want := lifecycle.PlanJoin(bounded(), tt.who, nil), bounded().Want(tt.who)
			if diff := cmp.Diff(tt.want, say(plan.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if len(want.Capped) != len(tt.capped) || len(tt.capped) > 0 && tt.capped[0] != "" && !cmp.Equal(tt.capped, want.Capped) {
				t.Errorf("capped: got %q, want %q", want.Capped, tt.capped)
			}
			if !strings.Contains(plan.Held, tt.held) || (tt.held == "") != (plan.Held == "") {
				t.Errorf("held: got %q, want %q in it", plan.Held, tt.held)
			}
		})
	}
}

func TestWhatACeilingCapsIsApprovedAsItsRuleSays(t *testing.T) {
	t.Parallel()
	p := bounded()
	if j := p.Judge(lifecycle.PlanJoin(p, employed(lifecycle.Contractor, person("Platform")), nil)); j.Mode != lifecycle.ApprovalAuto {
		t.Errorf("got %s, want the rule's own auto: less than it grants is no more to ask about", j.Mode)
	}
}

func TestWhatIsHeldAboveACeilingIsFound(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		who  lifecycle.Person
		have lifecycle.Account
		want []string
	}{
		"a contractor who holds what the rule grants employees": {
			employed(lifecycle.Contractor, person("Payments")), account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)),
			[]string{"Ben Ode holds Responder (limited_user); policy says Observer (observer).", "Ben Ode holds Payments: responder; policy says Payments: observer."},
		},
		"a contractor of whom no rule speaks":        {employed(lifecycle.Contractor, person("Catering")), account(lifecycle.RoleResponder), []string{"Ben Ode holds Responder (limited_user); policy says Observer (observer)."}},
		"an employee of whom no rule speaks":         {employed(lifecycle.Employee, person("Catering")), account(lifecycle.RoleResponder), nil},
		"a contractor beneath it":                    {employed(lifecycle.Contractor, person("Payments")), account(lifecycle.RoleObserver, on(payments, lifecycle.TeamObserver)), nil},
		"somebody whose employment nobody has sent":  {person("Payments"), account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)), nil},
		"that, with more than any rule could grant":  {person("Payments"), account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder)), []string{"Ben Ode holds Manager (user); policy says Responder (limited_user)."}},
		"somebody unspoken of with privileged power": {employed(lifecycle.Contractor, person("Catering")), account(lifecycle.RoleAdmin), []string{"Ben Ode holds Global Admin (admin); policy says Observer (observer)."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, sentences(bounded(), tt.who, tt.have)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// sentences returns what a roll call on Monday finds of one person.
func sentences(p lifecycle.Policy, who lifecycle.Person, have lifecycle.Account) []string {
	var said []string
	for _, f := range foundOf(p, who, have) {
		said = append(said, f.Story())
	}
	return said
}

func foundOf(p lifecycle.Policy, who lifecycle.Person, have lifecycle.Account) []lifecycle.Finding {
	return lifecycle.Reconcile(lifecycle.Roll{Policy: p, Identities: []lifecycle.Identity{known(who)}, Have: lifecycle.Snapshot{Accounts: []lifecycle.Account{have}}, Now: monday})
}

func TestWhoBecomesAContractorStepsDown(t *testing.T) {
	t.Parallel()
	have := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	byHand := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamManager))
	for name, tt := range map[string]struct {
		have lifecycle.Account
		want []string
	}{
		"what the rule gave":         {have, []string{"replace Payments: responder → observer", "replace base_role: limited_user → observer"}},
		"not what was given by hand": {byHand, []string{"replace base_role: limited_user → observer"}},
	} {
		plan := lifecycle.PlanMove(bounded(), employed(lifecycle.Employee, person("Payments")), employed(lifecycle.Contractor, person("Payments")), &tt.have)
		if diff := cmp.Diff(tt.want, say(plan.Changes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestARuleThatEndsWithTheEndDate(t *testing.T) {
	t.Parallel()
	p := rules()
	p.Rules[0].Expires = lifecycle.ExpiryEndDate
	until := func(d lifecycle.Date) lifecycle.Person {
		who := person("Payments")
		who.EndDate = d
		return who
	}
	for name, tt := range map[string]struct {
		p     lifecycle.Policy
		who   lifecycle.Person
		rules int
		until lifecycle.Date
		held  string
	}{
		"until the last day":                      {p.At(monday), until("2026-05-04"), 1, "2026-05-04", ""},
		"not after it":                            {p.At(monday), until("2026-05-03"), 0, "", "No rule"},
		"cannot be told without one":              {p.At(monday), until(""), 0, "", "Cannot tell whether these rules apply: payments, because it ends with their end date, and none was sent."},
		"a policy that is not dated ends nothing": {p, until("2020-01-01"), 1, "2020-01-01", ""},
	} {
		want, plan := tt.p.Want(tt.who), lifecycle.PlanJoin(tt.p, tt.who, nil)
		if len(want.Rules) != tt.rules || want.Until != tt.until || !strings.HasPrefix(plan.Held, tt.held) || (tt.held == "") != (plan.Held == "") {
			t.Errorf("%s: got rules %v until %q, held %q", name, want.Rules, want.Until, plan.Held)
		}
	}
	if said := sentences(p, until(""), account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))); said != nil {
		t.Errorf("found %v: what cannot be told is no excess", said)
	}
}

func TestARuleThatIsOnlyObservedHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	p := rules()
	tried := rule("tried", "payments", lifecycle.RoleResponder, "Payments", lifecycle.TeamManager, nil)
	tried.Rollout, tried.Expires = lifecycle.RolloutObserve, lifecycle.ExpiryEndDate
	p.Rules = append(p.Rules, tried)
	if plan := lifecycle.PlanJoin(p, person("Payments"), nil); plan.Held != "" || len(plan.Changes) != 2 {
		t.Errorf("got %v, held %q", say(plan.Changes), plan.Held)
	}
}

func TestAnExceptionOfThePolicy(t *testing.T) {
	t.Parallel()
	with := func(e ...lifecycle.PolicyException) lifecycle.Policy {
		p := bounded()
		p.Exceptions = e
		return p
	}
	onPlatform := lifecycle.PolicyException{Who: "ben@acme.test", Team: "PPLA", Role: lifecycle.TeamResponder, Until: "2026-05-04", Line: 40}
	manager := lifecycle.PolicyException{Who: "ben@acme.test", BaseRole: lifecycle.RoleManager, Until: "2026-06-01", Line: 41}
	over, ofAna := onPlatform, onPlatform
	over.Until, ofAna.Who = "2026-05-03", "ana@acme.test"
	employee, contractor := employed(lifecycle.Employee, person("Payments")), employed(lifecycle.Contractor, person("Payments"))
	both := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder))
	for name, tt := range map[string]struct {
		p    lifecycle.Policy
		who  lifecycle.Person
		have lifecycle.Account
		want []string
	}{
		"satisfies a finding on its last day": {with(onPlatform), employee, both, nil},
		"and not a day longer":                {with(over), employee, both, []string{"Ben Ode holds Platform: responder; policy says nothing of the kind."}},
		"nor for somebody else":               {with(ofAna), employee, both, []string{"Ben Ode holds Platform: responder; policy says nothing of the kind."}},
		"more than it is still too much": {
			with(onPlatform), employee, account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamManager)),
			[]string{"Ben Ode holds Platform: manager; policy says Platform: responder."},
		},
		"of a base role":                            {with(manager), employee, account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder)), nil},
		"of whom no rule speaks":                    {with(manager), employed(lifecycle.Employee, person("Catering")), account(lifecycle.RoleManager), nil},
		"goes above a ceiling":                      {with(manager), contractor, account(lifecycle.RoleManager, on(payments, lifecycle.TeamObserver)), nil},
		"takes nothing from whom no rule speaks of": {with(lifecycle.PolicyException{Who: "ben@acme.test", BaseRole: lifecycle.RoleObserver, Until: "2027-01-01"}), employed(lifecycle.Employee, person("Catering")), account(lifecycle.RoleResponder), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, p := range map[string]lifecycle.Policy{"linear": tt.p, "indexed": tt.p.Indexed()} {
				if diff := cmp.Diff(tt.want, sentences(p, tt.who, tt.have)); diff != "" {
					t.Errorf("%s findings (-want +got):\n%s", kind, diff)
				}
			}
		})
	}
	p := with(onPlatform, manager)
	if plan := lifecycle.PlanJoin(p, employee, nil); len(plan.Changes) != 2 || plan.Changes[0].To != "limited_user" {
		t.Errorf("got %v: an exception grants nothing by itself", say(plan.Changes))
	}
	if diff := cmp.Diff([]string{"Platform: responder until 2026-05-04, by the exception in line 40", "Manager (user) until 2026-06-01, by the exception in line 41"}, p.Want(employee).Excepted); diff != "" {
		t.Errorf("excepted (-want +got):\n%s", diff)
	}
}

func TestAMoverKeepsWhatAnExceptionLetsThemHold(t *testing.T) {
	t.Parallel()
	p := rules()
	p.Exceptions = []lifecycle.PolicyException{{Who: "ben@acme.test", Team: "Payments", Role: lifecycle.TeamResponder, Until: "2026-12-31", Line: 40}}
	p = p.At(monday)
	for role, want := range map[lifecycle.TeamRole][]string{
		lifecycle.TeamResponder: {"grant Platform:  → responder"},
		lifecycle.TeamManager:   {"grant Platform:  → responder", "replace Payments: manager → responder"},
	} {
		have := account(lifecycle.RoleResponder, on(payments, role))
		plan := lifecycle.PlanMove(p, person("Payments"), person("Platform"), &have)
		if diff := cmp.Diff(want, say(plan.Changes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", role, diff)
		}
		if role == lifecycle.TeamResponder && !cmp.Equal(plan.Effects, []string{"Keeps Payments: responder: the policy makes an exception."}) {
			t.Errorf("effects: %q", plan.Effects)
		}
	}
}
