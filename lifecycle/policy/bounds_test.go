package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestEverySectionIsRead(t *testing.T) {
	t.Parallel()
	p, err := Load("testdata/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := lifecycle.Policy{
		Shared: p.Shared, Sources: p.Sources, Reserve: p.Reserve, Breaker: p.Breaker,
		Ceilings: p.Ceilings, Segregation: p.Segregation, Exceptions: p.Exceptions,
	}
	want := lifecycle.Policy{
		Shared: []string{"oncall-*@acme.test", "*@alerts.acme.test"},
		Sources: lifecycle.SourceOrder{Default: []string{"hris", "okta"}, By: map[lifecycle.Attribute][]string{
			"department": {"hris"}, "status": {"okta", "hris"}, "end_date": {"hris"}, "timezone": {"okta"},
		}},
		Reserve: 4380 * time.Hour,
		Breaker: lifecycle.Breaker{Removals: 5, Percent: 2, Window: 24 * time.Hour, Gather: 10 * time.Minute, Movers: 20, MoversPercent: 5},
		Ceilings: map[lifecycle.Employment]lifecycle.Ceiling{
			lifecycle.Contractor: {BaseRole: lifecycle.RoleResponder, TeamRole: lifecycle.TeamResponder, Line: 23},
			lifecycle.Vendor:     {BaseRole: lifecycle.RoleObserver, Line: 24},
		},
		Segregation: []lifecycle.Segregation{{
			Name: "pay-or-run", Why: "Who runs the machines must not move money", Line: 26,
			Not: []lifecycle.Toxic{{Team: "Payments", Role: lifecycle.TeamManager}, {Team: "Platform", Role: lifecycle.TeamManager}, {BaseRole: lifecycle.RoleAdmin}},
		}},
		Exceptions: []lifecycle.PolicyException{
			{Who: "dora@acme.test", Why: "Trains the new lead", Line: 30, Team: "Payments", Role: lifecycle.TeamManager, Until: "2026-12-31"},
			{Who: "dora@acme.test", Why: "Moves the old schedules", Line: 31, BaseRole: lifecycle.RoleManager, Until: "2020-01-31"},
		},
	}
	if diff := cmp.Diff(want, got, ignoreIndex); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if failures := Test(p); len(failures) > 0 {
		t.Errorf("its own tests fail: %v", failures)
	}
}

// bounds are cases of what bounds the rules.
func bounds() map[string]said {
	contractor := func(ceiling, grant string) string {
		return "ceilings: {contractor: " + ceiling + "}\nrules: [{name: a, when: {employment: 'Contr*'}, grant: " + grant + "}]"
	}
	apart := func(not string) string { return "segregation: [{name: s, why: w, not: " + not + "}]" }
	const both = "{team: Payments, role: responder}, {base_role: user}"
	except := func(e string) string {
		return apart("["+both+"]") + "\nexceptions: [{who: ana@acme.test, why: w, until: 2020-01-31, " + e + "}]"
	}
	return map[string]said{
		"a ceiling of nobody known":                        {"ceilings: {contracter: {base_role: observer}}", `p:5:12: ceilings.contracter: unknown key (did you mean "contractor"?)`},
		"a ceiling of nothing":                             {"ceilings: {contractor: {}}", "p:5:24: ceilings.contractor: caps nothing; name a base_role or a team_role"},
		"a ceiling as high as can be":                      {"ceilings: {contractor: {base_role: owner}}", "p:5:36: ceilings.contractor.base_role: owner (Account Owner) is never granted by a policy: PagerDuty hands it over only by hand"},
		"a rule above its own ceiling":                     {contractor("{base_role: observer}", "{base_role: limited_user}"), "p:6:68: rules[0].grant.base_role: limited_user (Responder) is never granted: the ceiling in line 5 lets a base role of at most observer (Observer) through for contractor"},
		"a role on a team above its own ceiling":           {contractor("{team_role: observer}", "{teams: [{team: Payments, role: manager}]}"), "p:6:72: rules[0].grant.teams[0].team: manager is never granted: the ceiling in line 5 lets at most observer on a team through for contractor"},
		"a rule beneath its own ceiling":                   {contractor("{base_role: limited_user, team_role: responder}", "{base_role: observer, teams: [{team: Payments, role: responder}]}"), ""},
		"a rule for others too":                            {"ceilings: {contractor: {base_role: observer}}\nrules: [{name: a, when: {employment: [contractor, employee]}, grant: {base_role: limited_user}}]", ""},
		"a rule for whoever":                               {"ceilings: {contractor: {base_role: observer}}\nrules: [{name: a, when: {title: x}, grant: {base_role: limited_user}}]", ""},
		"a rule whose employment is asked for further in":  {"ceilings: {contractor: {base_role: observer}}\nrules: [{name: a, when: {all: [{employment: contractor}]}, grant: {base_role: limited_user}}]", "p:6:79: rules[0].grant.base_role: limited_user (Responder) is never granted: the ceiling in line 5 lets a base role of at most observer (Observer) through for contractor"},
		"a segregation without a name":                     {"segregation: [{why: w, not: [" + both + "]}]", "p:5:15: segregation[0]: name is missing"},
		"a segregation without a reason":                   {"segregation: [{name: s, not: [" + both + "]}]", "p:5:15: segregation[0]: why is missing"},
		"a segregation of one":                             {apart("[{base_role: user}]"), "p:5:38: segregation[0].not: names fewer than two entitlements; there is nothing to keep apart"},
		"a segregation of one team from itself":            {apart("[{team: Payments, role: observer}, {team: PPAYSRE, role: manager}]"), "p:5:73: segregation[0].not[1]: Payments is named twice, and who holds the higher role there holds the lower too"},
		"a segregation of base roles":                      {apart("[{base_role: user}, {base_role: admin}]"), "p:5:58: segregation[0].not[1]: a base role is named twice, and who holds the higher holds the lower too"},
		"a segregation of what everybody holds":            {apart("[{team: Payments, role: observer}, {base_role: restricted_access}]"), "p:5:73: segregation[0].not[1]: everybody holds at least restricted_access (Restricted Access); name a base role above it"},
		"a segregation of a team that is not there":        {apart("[{team: Paymnts, role: observer}, {base_role: user}]"), `p:5:46: segregation[0].not[0].team: "Paymnts" is not one of the teams of this policy (did you mean "Payments"?); add it under teams, with its owners`},
		"a segregation of a team without a role":           {apart("[{team: Payments}, {base_role: user}]"), "p:5:39: segregation[0].not[0]: names either a base_role, or a team with a role"},
		"a segregation of a team and a base role at once":  {apart("[{team: Payments, role: observer, base_role: user}, {base_role: user}]"), "p:5:39: segregation[0].not[0]: names either a base_role, or a team with a role"},
		"two segregations of one name":                     {"segregation: [{name: s, why: w, not: [" + both + "]}, {name: s, why: w, not: [" + both + "]}]", `p:5:102: segregation[1].name: another segregation has the name "s", in line 5`},
		"a rule that grants what nobody may hold together": {apart("["+both+"]") + "\nrules: [{name: a, when: {title: x}, grant: {base_role: user, teams: [{team: Payments, role: manager}]}}]", "p:6:44: rules[0].grant: grants what segregation s in line 5 lets nobody hold together"},
		"a rule that grants less":                          {apart("["+both+"]") + "\nrules: [{name: a, when: {title: x}, grant: {base_role: user, teams: [{team: Payments, role: observer}]}}]", ""},
		"an exception that is past":                        {except("base_role: user"), ""},
		"an exception without an end":                      {"exceptions: [{who: ana@acme.test, why: w, base_role: user}]", "p:5:14: exceptions[0]: until is missing"},
		"an exception without a reason":                    {"exceptions: [{who: ana@acme.test, until: 2026-12-31, base_role: user}]", "p:5:14: exceptions[0]: why is missing"},
		"an exception until a day that there is not":       {"exceptions: [{who: ana@acme.test, why: w, until: 2026-02-30, base_role: user}]", `p:5:50: exceptions[0].until: "2026-02-30" is not a day such as 2026-12-31`},
		"an exception until some time":                     {"exceptions: [{who: ana@acme.test, why: w, until: never, base_role: user}]", `p:5:50: exceptions[0].until: "never" is not a day such as 2026-12-31`},
		"an exception for nothing":                         {"exceptions: [{who: ana@acme.test, why: w, until: 2026-12-31}]", "p:5:14: exceptions[0]: names either a base_role, or a team with a role"},
		"an exception for the owner's role":                {"exceptions: [{who: ana@acme.test, why: w, until: 2026-12-31, base_role: owner}]", "p:5:73: exceptions[0].base_role: owner (Account Owner) is never granted by a policy: PagerDuty hands it over only by hand"},
		"an exception of a group":                          {"exceptions: [{who: platform, why: w, until: 2026-12-31, base_role: user}]", `p:5:20: exceptions[0].who: "platform" is not an e-mail address such as ana@acme.test`},
		"an exception twice":                               {except("base_role: user}, {who: Ana@acme.test, why: w, until: 2026-12-31, base_role: admin"), "p:6:86: exceptions[1].who: the exception in line 6 is for the same person and the same entitlement; let one of the two go"},
		"exceptions that break a segregation":              {except("base_role: user}, {who: ana@acme.test, why: w, until: 2026-12-31, team: Payments, role: manager"), "p:6:86: exceptions[1].who: with the other exceptions of ana@acme.test it lets them hold what segregation s in line 5 lets nobody hold together; an exception lifts no segregation"},
		"exceptions of two people":                         {except("base_role: user}, {who: bo@acme.test, why: w, until: 2026-12-31, team: Payments, role: manager"), ""},
		"an order of sources":                              {"sources: {order: hris, department: [hris, okta]}", ""},
		"a source twice":                                   {"sources: {order: [hris, okta, hris]}", "p:5:31: sources.order[2]: hris is named twice"},
		"an order for nothing known":                       {"sources: {departement: [hris]}", `p:5:11: sources.departement: unknown key (did you mean "department"?)`},
		"an order of nobody":                               {"sources: {order: []}", "p:5:18: sources.order: the list is empty; name at least one"},
		"shared addresses of nobody":                       {"shared: []", ""},
		"everybody is shared":                              {"shared: ['*@*']", `p:5:10: shared[0]: "*@*" would match everybody`},
		"a shared address that is half a one":              {"shared: [oncall-*]", `p:5:10: shared[0]: "oncall-*" is not a pattern of whole addresses, such as oncall-*@acme.test`},
		"a shared address twice":                           {"shared: [a@b.c, A@b.c]", "p:5:17: shared[1]: a@b.c is named twice"},
		"a shared address that is an owner's":              {"shared: ['*@acme.test']", "p:5:10: shared[0]: covers marco@acme.test, whom this policy names"},
		"an address reserved for days":                     {"reserve: 365d", `p:5:10: reserve: "365d" is not a duration: days and weeks are written in hours (did you mean 8760h?)`},
		"an address reserved for no time":                  {"reserve: 0s", ""},
		"movers":                                           {"breaker: {gather: 0s, movers: 0, movers_percent: 2.5}", ""},
		"movers below nothing":                             {"breaker: {movers: -1}", "p:5:19: breaker.movers: must be at least 0"},
		"movers beyond all":                                {"breaker: {movers_percent: 100.5}", "p:5:27: breaker.movers_percent: must be from 0 to 100"},
		"a test of what is held":                           {"tests: [{given: {title: x, end_date: 2026-12-31}, expect: {held: true}}]", ""},
		"a test of what is perhaps held":                   {"tests: [{given: {title: x}, expect: {held: perhaps}}]", `p:5:44: tests[0].expect.held: "perhaps" is not one of true, false`},
		"a test of somebody whose end is not a day":        {"tests: [{given: {end_date: soon}, expect: {held: true}}]", `p:5:28: tests[0].given.end_date: "soon" is not a day such as 2026-12-31`},
	}
}

func TestMistakesOfBounds(t *testing.T) {
	t.Parallel()
	for name, tt := range bounds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(mistakes(t, head+tt.text), "\n"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
