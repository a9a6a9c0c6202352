package lifecycle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// segregated lets nobody respond for Payments and Platform, nor be a Manager with
// either.
func segregated() lifecycle.Policy {
	p := rules()
	p.Segregation = []lifecycle.Segregation{{
		Name: "pay-or-run", Why: "Who runs the machines must not move money", Line: 30,
		Not: []lifecycle.Toxic{{Team: "Payments", Role: lifecycle.TeamResponder}, {Team: "PPLA", Role: lifecycle.TeamResponder}, {BaseRole: lifecycle.RoleManager}},
	}}
	return p.At(monday)
}

const forbidden = "which segregation pay-or-run (line 30) lets nobody: Who runs the machines must not move money."

func TestRulesThatTogetherGrantWhatNobodyMayHoldAreAConflict(t *testing.T) {
	t.Parallel()
	p := segregated()
	p.Rules = append(p.Rules, rule("both", "payments", lifecycle.RoleResponder, "Platform", lifecycle.TeamManager, nil))
	want := p.Want(person("Payments"))
	if want.Conflict != "segregation pay-or-run (line 30) lets nobody hold Payments: responder and Platform: manager together" {
		t.Errorf("conflict: %q", want.Conflict)
	}
	if plan := lifecycle.PlanJoin(p, person("Payments"), nil); plan.Held == "" || len(plan.Changes) != 0 {
		t.Errorf("got %v, want nothing", say(plan.Changes))
	}
	p.Rules[len(p.Rules)-1].Teams[0].Role = lifecycle.TeamObserver
	if want := p.Want(person("Payments")); want.Conflict != "" {
		t.Errorf("an observer there is none: %q", want.Conflict)
	}
}

func TestAPlanThatWouldBreakASegregationIsHeld(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		have lifecycle.Account
		move bool // from Payments, to Platform
		want []string
		held string
	}{
		"with nothing yet":                         {account(lifecycle.RoleResponder), false, []string{"grant Platform:  → responder"}, ""},
		"with what is held already":                {account(lifecycle.RoleResponder, on(payments, lifecycle.TeamManager)), false, []string{}, "Would hold Payments: manager and Platform: responder together, " + forbidden},
		"with too little there to matter":          {account(lifecycle.RoleResponder, on(payments, lifecycle.TeamObserver)), false, []string{"grant Platform:  → responder"}, ""},
		"with a base role":                         {account(lifecycle.RoleManager), false, []string{}, "Would hold Platform: responder and Manager (user) together, " + forbidden},
		"what is broken already is not held here":  {account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)), false, []string{}, ""},
		"a move, of which the old leaves first":    {account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)), true, []string{"revoke Payments: responder → ", "grant Platform:  → responder"}, ""},
		"a move with more than the old in the way": {account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder)), true, []string{}, "Would hold Platform: responder and Manager (user) together, " + forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := lifecycle.PlanJoin(segregated(), person("Platform"), &tt.have)
			if tt.move {
				plan = lifecycle.PlanMove(segregated(), person("Payments"), person("Platform"), &tt.have)
			}
			if diff := cmp.Diff(tt.want, say(plan.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if plan.Held != tt.held {
				t.Errorf("held: got  %q\nwant %q", plan.Held, tt.held)
			}
		})
	}
}

func TestWhatIsHeldAgainstASegregationIsFound(t *testing.T) {
	t.Parallel()
	const why = " Segregation pay-or-run (line 30) lets nobody hold "
	const end = " together: Who runs the machines must not move money."
	excepted := segregated()
	excepted.Exceptions = []lifecycle.PolicyException{
		{Who: "ben@acme.test", Team: "Platform", Role: lifecycle.TeamManager, Until: "2027-01-01"},
		{Who: "ben@acme.test", Team: "Payments", Role: lifecycle.TeamManager, Until: "2027-01-01"},
	}
	for name, tt := range map[string]struct {
		p    lifecycle.Policy
		dept string
		have lifecycle.Account
		want []string
	}{
		"what policy does not grant goes": {
			segregated(), "Payments", account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)),
			[]string{"Ben Ode holds Platform: responder; policy says nothing of the kind." + why + "Payments: responder and Platform: responder" + end},
		},
		"also where it is named first": {
			segregated(), "Platform", account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)),
			[]string{"Ben Ode holds Payments: responder; policy says nothing of the kind." + why + "Payments: responder and Platform: responder" + end},
		},
		"an exception does not lift it: they go beneath it": {
			excepted, "Payments", account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamManager)),
			[]string{"Ben Ode holds Platform: manager; policy says Platform: observer." + why + "Payments: responder and Platform: manager" + end},
		},
		"where policy grants neither, the one named later goes": {
			excepted, "Catering", account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)),
			[]string{"Ben Ode holds Platform: responder; policy says Platform: observer." + why + "Payments: responder and Platform: responder" + end},
		},
		"of three, two go": {
			excepted, "Payments", account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)),
			[]string{
				"Ben Ode holds Manager (user); policy says Responder (limited_user)." + why + "Payments: responder and Platform: responder and Manager (user)" + end,
				"Ben Ode holds Platform: responder; policy says Platform: observer." + why + "Payments: responder and Platform: responder and Manager (user)" + end,
			},
		},
		"one alone is nothing": {segregated(), "Payments", account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamObserver)), []string{"Ben Ode holds Platform: observer; policy says nothing of the kind."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, sentences(tt.p, person(tt.dept), tt.have)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			for _, f := range foundOf(tt.p, person(tt.dept), tt.have) {
				if (f.Apart != "") != (f.Severity == lifecycle.SeverityHigh) {
					t.Errorf("%s is %s", f.Sentence(), f.Severity)
				}
			}
		})
	}
}

func TestAFindingSaysWhichSegregationItIsOfForAsLongAsItIs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	if f := h.found(t); f.Apart != "" {
		t.Fatalf("no segregation yet: %q", f.Apart)
	}
	*h.policy = segregated()
	if f := h.found(t); f.Apart == "" || f.Severity != lifecycle.SeverityHigh {
		t.Errorf("got %q, %s", f.Apart, f.Severity)
	}
	*h.policy = rules()
	if f := h.found(t); f.Apart != "" || f.Severity != lifecycle.SeverityMedium {
		t.Errorf("got %q, %s, want none any more", f.Apart, f.Severity)
	}
}
