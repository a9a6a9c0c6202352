package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestInlineTests(t *testing.T) {
	t.Parallel()
	const rules = `rules:
  - {name: sre, when: {title: "SRE*"}, grant: {base_role: limited_user, teams: [{team: Payments, role: responder}]}}
  - {name: lead, when: {department: Payments, title: "*Lead"}, grant: {teams: [{team: Payments, role: manager}]}}
  - {name: watched, when: {title: Analyst}, grant: {base_role: observer}, rollout: observe}
tests:
  - `
	for name, tt := range map[string]struct {
		test string
		want []TestFailure
	}{
		"as expected":                      {test: "{given: {title: SRE II}, expect: {rules: [sre], base_role: limited_user, teams: [{team: PPAYSRE, role: responder}]}}"},
		"nothing, as expected":             {test: "{given: {title: Cook}, expect: {rules: [], teams: []}}"},
		"only what is written is asserted": {test: "{given: {title: SRE II}, expect: {base_role: limited_user}}"},
		"a rule that does not match": {
			test: "{given: {title: Analyst, department: Payments}, expect: {rules: [lead]}}",
			want: []TestFailure{{Line: 10, Asserted: "rules", Want: "lead", Got: "none", Why: `lead: NO  department="Payments" ok (line 7) | title="Analyst" not in [*lead] (line 7)`}},
		},
		"a rule that is only observed": {
			test: "{given: {title: Analyst}, expect: {rules: [watched]}}",
			want: []TestFailure{{Line: 10, Asserted: "rules", Want: "watched", Got: "none", Why: `watched: YES, but only observed  title="Analyst" ok (line 8)`}},
		},
		"a rule that should not match": {
			test: "{given: {title: SRE I}, expect: {rules: [], base_role: observer, teams: []}}",
			want: []TestFailure{
				{Line: 10, Asserted: "rules", Want: "none", Got: "sre", Why: `sre: YES  title="SRE I" ok (line 6)`},
				{Line: 10, Asserted: "base_role", Want: "Observer (observer)", Got: "Responder (limited_user)", Why: `sre: YES  title="SRE I" ok (line 6)`},
				{Line: 10, Asserted: "teams", Want: "none", Got: "Payments: responder", Why: `sre: YES  title="SRE I" ok (line 6)`},
			},
		},
		"rules that disagree": {
			test: "{given: {department: Payments, title: SRE Lead}, expect: {rules: [sre, lead]}}",
			want: []TestFailure{{
				Line: 10, Asserted: "outcome", Want: "rules that agree", Got: "rules give Payments different roles on one team, and rule lead makes it manager",
				Why: `sre: YES  title="SRE Lead" ok (line 6); lead: YES  department="Payments" ok (line 7) | title="SRE Lead" ok (line 7)`,
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Parse("p", []byte(head+rules+tt.test))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, Test(p)); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFailureIsOneLine(t *testing.T) {
	t.Parallel()
	f := TestFailure{Line: 10, Asserted: "rules", Want: "lead", Got: "none", Why: "lead: NO  title not known"}
	if want := "line 10: rules: want lead, got none: lead: NO  title not known"; f.String() != want {
		t.Errorf("got %q, want %q", f, want)
	}
	if got := Test(lifecycle.Policy{Tests: []lifecycle.PolicyTest{{Rules: []string{"x"}}}}); len(got) != 1 || !strings.Contains(got[0].Why, "no rules") {
		t.Errorf("got %v, want one failure of a policy without rules", got)
	}
}

func TestConditionsSayWhatHolds(t *testing.T) {
	t.Parallel()
	ana := lifecycle.Person{Title: "Lead", Country: "RU", Groups: []string{"a", "b"}, Emails: []string{"Ana@acme.test"}, ManagerID: "7", EmployeeID: "E1", Location: "Oslo"}
	for name, tt := range map[string]struct{ when, want string }{
		"excluded":                       {"{not: {country: RU}}", `r: NO  country="RU" excluded by [ru] (line 5)`},
		"not excluded":                   {"{not: {groups: c}}", `r: YES  groups="a, b" ok, not in [c] (line 5)`},
		"excluded by several":            {"{not: [{country: RU, manager_id: 7}]}", `r: NO  excluded by: country="RU" ok (line 5) and manager_id="7" ok (line 5)`},
		"not excluded by several":        {"{not: {country: RU, location: Rome}}", `r: YES  ok, not excluded by: country="RU" ok (line 5) and location="Oslo" not in [rome] (line 5)`},
		"perhaps excluded by several":    {"{not: {country: RU, department: X}}", `r: CANNOT TELL  perhaps excluded by: country="RU" ok (line 5) and department not known, wanted in [x] (line 5)`},
		"all of several":                 {"{all: [{employee_id: E1}, {email: '*@acme.test'}]}", `r: YES  employee_id="E1" ok (line 5) | email="ana@acme.test" ok (line 5)`},
		"none of the alternatives":       {"{any: [{title: Cook, country: SE}, {groups: c}]}", `r: NO  none of: title="Lead" not in [cook] (line 5) and country="RU" not in [se] (line 5) or groups="a, b" not in [c] (line 5)`},
		"an alternative cannot be told":  {"{any: [{title: Cook}, {not: {department: X}}]}", `r: CANNOT TELL  cannot tell: title="Lead" not in [cook] (line 5) or department not known, and [x] excluded (line 5)`},
		"the first alternative of those": {"{any: [{title: Cook}, {groups: b}, {title: Lead}]}", `r: YES  groups="a, b" ok (line 5)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Parse("p", []byte(head+"rules: [{name: r, when: "+tt.when+", grant: {base_role: observer}}]"))
			if err != nil {
				t.Fatal(err)
			}
			if got := verdicts(p, ana)[0].String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
