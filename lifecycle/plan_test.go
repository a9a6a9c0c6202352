package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// say writes changes as "op what: from → to", to compare them at a glance.
func say(changes []lifecycle.Change) []string {
	lines := []string{}
	for _, c := range changes {
		what := string(c.Entitlement.Kind)
		if c.Entitlement.Kind == lifecycle.KindTeamRole {
			what = c.Entitlement.Team.Name
		}
		switch c.Entitlement.Kind {
		case lifecycle.KindSession:
			what += " " + c.Entitlement.Role
		case lifecycle.KindSchedule, lifecycle.KindEscalationPolicy, lifecycle.KindIncident:
			what = c.Entitlement.String()
		default:
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s → %s", c.Op, what, c.From, c.To))
	}
	return lines
}

func TestPlanJoin(t *testing.T) {
	t.Parallel()
	restricted := account(lifecycle.RoleRestricted)
	manager := account(lifecycle.RoleManager, on(payments, lifecycle.TeamManager))
	owner := account(lifecycle.RoleOwner)
	for name, tt := range map[string]struct {
		person  lifecycle.Person
		account *lifecycle.Account
		want    []string
		held    string
	}{
		"nobody yet: the account, then the team":         {person("Payments"), nil, []string{"create account:  → limited_user", "grant Payments:  → responder"}, ""},
		"an account with too little: raised":             {person("Payments"), &restricted, []string{"replace base_role: restricted_access → limited_user", "grant Payments:  → responder"}, ""},
		"an account with more: nothing is taken":         {person("Payments"), &manager, []string{}, ""},
		"the account owner's base role is left alone":    {person("Payments"), &owner, []string{}, ""},
		"no rule: held, and said":                        {person("Catering"), nil, []string{}, "No rule"},
		"department in another case is the same":         {person("pAYMENTS"), &manager, []string{}, ""},
		"an attribute that was not sent matches no rule": {person(""), nil, []string{}, "No rule"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := lifecycle.PlanJoin(rules(), tt.person, tt.account)
			if diff := cmp.Diff(tt.want, say(plan.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if !strings.HasPrefix(plan.Held, tt.held) || (tt.held == "") != (plan.Held == "") {
				t.Errorf("held: got %q, want it to start with %q", plan.Held, tt.held)
			}
		})
	}
}

func TestPlanMove(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before, after lifecycle.Person
		account       lifecycle.Account
		want          []string
	}{
		"the new team arrives before the old one leaves": {
			person("Payments"), person("Platform"), account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)),
			[]string{"grant Platform:  → responder", "revoke Payments: responder → "},
		},
		"off the old team whatever the role there": {
			person("Payments"), person("Platform"), account(lifecycle.RoleResponder, on(payments, lifecycle.TeamManager)),
			[]string{"grant Platform:  → responder", "revoke Payments: manager → "},
		},
		"a team that no rule gave is for the roll call": {
			person("Payments"), person("Platform"), account(lifecycle.RoleResponder, on(lifecycle.Team{ID: "PX", Name: "X"}, lifecycle.TeamManager)),
			[]string{"grant Platform:  → responder"},
		},
		"the base role that the old job asked for is lowered": {
			person("Site Admin"), person("Payments"), account(lifecycle.RoleAdmin),
			[]string{"replace base_role: admin → limited_user", "grant Payments:  → responder"},
		},
		"a base role given by hand is not lowered unasked": {
			person("Platform"), person("Payments"), account(lifecycle.RoleManager),
			[]string{"grant Payments:  → responder"},
		},
		"to a job that no rule knows: nothing": {
			person("Payments"), person("Catering"), account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)), []string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := lifecycle.PlanMove(rules(), tt.before, tt.after, &tt.account)
			if diff := cmp.Diff(tt.want, say(plan.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanContain(t *testing.T) {
	t.Parallel()
	a := account(lifecycle.RoleManager, on(payments, lifecycle.TeamManager), on(platform, lifecycle.TeamResponder))
	plan := lifecycle.PlanContain(a, lifecycle.Holdings{Duties: []lifecycle.Duty{level("PPAY", 2)}, Sessions: 2, Calendar: "9f3a"})
	if diff := cmp.Diff([]string{
		"contain session sign-ins: open → ", "contain session calendar: 9f3a → ", "contain base_role: user → restricted_access",
		"contain Payments: manager → observer", "contain Platform: responder → ",
	}, say(plan.Changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Stays on Payments until somebody takes over: level 2 of Payments-Crit."}, plan.Effects); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	for name, low := range map[string]lifecycle.BaseRole{"restricted is low enough": lifecycle.RoleRestricted, "a stakeholder is not raised": lifecycle.RoleLimitedStakeholder} {
		if got := lifecycle.PlanContain(account(low), lifecycle.Holdings{Calendar: "9f3a"}); len(got.Changes) != 0 {
			t.Errorf("%s: got %v, want no change", name, say(got.Changes))
		}
	}
}

func TestARuleThatCannotBeToldHoldsThePlan(t *testing.T) {
	t.Parallel()
	p := rules()
	p.Rules[0].When.Not = []lifecycle.Selector{{Match: []lifecycle.Match{{Attribute: lifecycle.AttrCountry, Patterns: []string{"ru"}}}}}
	plan := lifecycle.PlanJoin(p, person("Payments"), nil)
	if len(plan.Changes) != 0 || !strings.Contains(plan.Held, "payments") {
		t.Errorf("got %v, held %q; want nothing, held for rule payments: a missing country must not grant by negation", say(plan.Changes), plan.Held)
	}
}

func TestTwoRulesThatDisagreeHoldThePlan(t *testing.T) {
	t.Parallel()
	p := rules()
	p.Rules = append(p.Rules, rule("more", "payments", lifecycle.RoleResponder, "Payments", lifecycle.TeamManager, nil))
	if plan := lifecycle.PlanJoin(p, person("Payments"), nil); len(plan.Changes) != 0 || !strings.Contains(plan.Held, "Payments") {
		t.Errorf("got %v, held %q; want nothing", say(plan.Changes), plan.Held)
	}
}
