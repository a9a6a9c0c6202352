package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// onDuty puts somebody on Payments whom no source of truth knows, at a level of its own.
func (p *place) onDuty() {
	u := p.pd.AddUser(pagerdutytest.User{Name: "Jo Temp", Email: "jo@contractors.example", LastSignInAt: time.Now().AddDate(0, 0, -3)})
	p.pd.AddMember("PTPAY01", u.ID, "responder")
	p.pd.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "Crit", TeamIDs: []string{"PTPAY01"}, Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(u.ID)}}}})
}

func TestWhoHoldsWhat(t *testing.T) {
	p := settle(t, nil)
	p.onDuty()
	p.kept(handover())
	if o := command(t, "who", "jo@contractors.example").exits(t, exitUsage); !strings.Contains(o.err, "Nobody with the address") {
		t.Errorf("before the roll was called it says %q", o.err)
	}
	command(t, "reconcile").exits(t, 0)

	person := command(t, "who", "Jo@Contractors.example").exits(t, 0).out
	for _, line := range []string{
		"whom no source of truth and no policy knows\n", ", Responder (limited_user), as of the roll call of 20", "Team       Payments: responder\n", "Duty       level 1 of Crit\n",
		"Last used  20", "by PagerDuty's analytics, which may be a day old)\n", "Finding    Jo Temp has a PagerDuty account",
	} {
		if !strings.Contains(person, line) {
			t.Errorf("of a person it does not say %q:\n%s", line, person)
		}
	}
	if o := command(t, "who", "marco@acme.test").exits(t, 0).out; !strings.Contains(o, "Who        marco@acme.test") || !strings.Contains(o, "Account    none, as of the roll call of 20") {
		t.Errorf("of an owner without an account it says\n%s", o)
	}

	team := command(t, "who", "payments").exits(t, 0).out
	for _, line := range []string{
		"Payments, owned by marco@acme.test, ines@acme.test: 1 account, as of the roll call of 20", "Jo Temp  jo@contractors.example  responder  Responder (limited_user)", "level 1 of Crit\n",
		"Finding    Jo Temp has a PagerDuty account", "Request    Ana Ito: req_handover, pending: ",
	} {
		if !strings.Contains(team, line) {
			t.Errorf("of a team it does not say %q:\n%s", line, team)
		}
	}
	if o := command(t, "who", "paiments").exits(t, exitUsage); !strings.Contains(o.err, `No team of the policy is called "paiments"; there are Payments, Platform.`) {
		t.Errorf("of no team it says %q", o.err)
	}
	if o := command(t, "who", "plat").exits(t, exitUsage); !strings.Contains(o.err, `"plat"; there are Platform.`) {
		t.Errorf("of half a name it says %q", o.err)
	}

	var jo personAnswer
	text := command(t, "who", "jo@contractors.example", "--json").exits(t, 0).out
	if err := json.Unmarshal([]byte(text), &jo); err != nil || jo.Identity != nil || jo.Account == nil || len(jo.Account.Duties) != 1 || len(jo.Findings) == 0 || jo.Requests == nil || jo.AsOf.IsZero() {
		t.Errorf("for programs a person is %s: %v", text, err)
	}
	var payments teamAnswer
	text = command(t, "who", "Payments", "--json").exits(t, 0).out
	if err := json.Unmarshal([]byte(text), &payments); err != nil || payments.Team.ID != "PTPAY01" || len(payments.Members) != 1 || len(payments.Requests) != 1 || len(payments.Owners) != 2 {
		t.Errorf("for programs a team is %s: %v", text, err)
	}
}

// What could not be seen is said beside what was found, and who made it so.
func TestARollCallSaysWhoMadeItSoAndWhatItCouldNotSee(t *testing.T) {
	p := settle(t, nil)
	p.pd.AddUser(pagerdutytest.User{Name: "Sam Ito", Email: "sam@acme.test", Role: pagerdutytest.Admin})
	command(t, "migrate").exits(t, 0)
	command(t, "reconcile").exits(t, 0)
	if err := p.pd.SetMemberAs("sam@acme.test", "PTPLA02", p.pd.Users()[0].ID, "manager"); err != nil {
		t.Fatal(err)
	}
	id, err := p.pd.CreateUserAs("sam@acme.test", pagerdutytest.User{Name: "Jo Temp", Email: "jo@contractors.example"})
	if err != nil {
		t.Fatal(err)
	}
	p.pd.Fail(pagerdutytest.Fault{Method: "POST", Path: "/analytics/raw/users", Times: -1, Kind: pagerdutytest.Status(402, `{"error":{"message":"Account does not have the abilities to perform the action","code":2012}}`)})
	o := command(t, "reconcile", "--dry-run").exits(t, 0)
	if !strings.Contains(o.out, "Sam Ito in the web app at ") || !strings.Contains(o.out, "MADE BY") {
		t.Errorf("it does not say who made the account %s:\n%s", id, o.out)
	}
	if _, blind, found := strings.Cut(o.out, "\nNot seen: "); !found || strings.Contains(blind, "finding") {
		t.Errorf("it does not end with what it could not see:\n%s", o.out)
	}
	programs := command(t, "reconcile", "--dry-run", "--json").exits(t, 0)
	found := contract(t, "finding.schema.json", programs.out, false)
	if len(found) == 0 || !strings.Contains(programs.err, "Not seen: ") || strings.Contains(programs.out, "Not seen") {
		t.Errorf("for programs it prints %s and says %s", programs.out, programs.err)
	}
}
