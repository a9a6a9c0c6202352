package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// kept opens the place's database, knows the people of its policy, and keeps the requests there.
func (p *place) kept(requests ...lifecycle.Request) {
	p.t.Helper()
	command(p.t, "migrate").exits(p.t, 0)
	db, err := storage.Open(p.t.Context(), storage.Config{URL: p.database, Role: storage.Command, Log: quiet(), Now: now})
	if err != nil {
		p.t.Fatal(err)
	}
	defer p.close("the database", db.Close)
	rules, err := policy.Load("testdata/policy.yaml")
	if err != nil {
		p.t.Fatal(err)
	}
	ctx := context.Background()
	if err := lifecycle.NewDirectory(db, asWritten{rules}, now).Admit(ctx, rules); err != nil {
		p.t.Fatal(err)
	}
	for _, r := range requests {
		e := lifecycle.AuditEvent{At: now(), Actor: lifecycle.System, Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}
		if err := db.SaveRequest(ctx, r, e); err != nil {
			p.t.Fatal(err)
		}
	}
}

var (
	onPayments  = lifecycle.Team{ID: "PTPAY01", Name: "Payments"}
	inesAccount = lifecycle.Candidate{AccountCard: lifecycle.AccountCard{ID: "PINES", Email: "ines@acme.test", Name: "Ines Roy"}, Teams: []lifecycle.TeamID{"PTPAY01"}, Duties: []string{"PPOL"}, Load: 2, Reachable: true}
	kofiAccount = lifecycle.Candidate{AccountCard: lifecycle.AccountCard{ID: "PKOFI", Email: "kofi@acme.test", Name: "Kofi Mensah"}, Teams: []lifecycle.TeamID{"PTPAY01"}}
)

// handover is what the owners of Payments are asked about Ana: a level that
// somebody is proposed for, a seat that nobody fits, and an incident that others have too.
func handover() lifecycle.Request {
	level := lifecycle.Duty{
		Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: "PPOL", Name: "Payments-Crit"}, Level: 2, Team: "PTPAY01", Pin: "1",
		Shifts: []lifecycle.Shift{{From: time.Now().Add(-time.Hour)}},
	}
	seat := lifecycle.Duty{
		Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: "PSCH", Name: "Nights"}, Team: "PTPAY01", Others: []lifecycle.AccountID{"PKOFI"},
		Serves: []string{"level 1 of Payments-Crit"}, Pin: "2", Shifts: []lifecycle.Shift{{From: time.Now().Add(time.Hour), Until: time.Now().Add(9 * time.Hour)}},
	}
	incident := lifecycle.Duty{Kind: lifecycle.KindIncident, Object: lifecycle.Object{ID: "QINC", Name: "#7 Checkout is down"}, Team: "PTPAY01", Others: []lifecycle.AccountID{"PINES"}, Pin: "3"}
	change := func(id string, d lifecycle.Duty) lifecycle.Change {
		e := d.Entitlement()
		e.Team = onPayments
		return lifecycle.Change{ID: lifecycle.ChangeID(id), Op: lifecycle.OpHandover, Entitlement: e, From: "PANA", State: lifecycle.ChangePlanned}
	}
	r := lifecycle.Request{
		ID: "req_handover", Kind: lifecycle.RequestLeaver, State: lifecycle.Pending, Revision: 1, Subject: lifecycle.Subject{ID: "idn_ana", Email: "ana@acme.test", Name: "Ana Ito"},
		Account: lifecycle.AccountRef{ID: "PANA"}, Duties: []lifecycle.Duty{level, seat, incident}, Candidates: []lifecycle.Candidate{inesAccount, kofiAccount},
		Changes: []lifecycle.Change{change("chg_incident", incident), change("chg_level", level), change("chg_seat", seat)},
		From:    []lifecycle.ApproverSource{lifecycle.FromTeamOwners}, Approvers: []string{"marco@acme.test"}, Needed: 1, Decisions: []lifecycle.Decision{},
		Why: lifecycle.Why{Event: "Left on 24 Nov (hr/acme).", Policy: strings.Repeat("0", 64)}, Effects: []string{"Nobody else is in level 2 of Payments-Crit."},
		Used:     lifecycle.Signal{At: now(), Proxy: "signed in, by PagerDuty's analytics, which may be a day old"},
		OpenedAt: now(), UpdatedAt: now(), DecideBy: time.Now().Add(time.Hour),
	}
	r.Changes[1].To, r.Changes[1].Successor = "PINES", inesAccount.AccountCard
	return r
}

func TestWhoTakesOverIsChosenAtTheCommandLine(t *testing.T) {
	p := settle(t, nil)
	p.kept(handover())
	const id = "req_handover"

	listed := command(t, "request", "choose", id).exits(t, 0).out
	for _, row := range []string{
		"chg_level     level 2 of Payments-Crit      on call now ", "NOBODY YET", "nobody else", "1 other", "ines@acme.test",
		"Kofi Mensah  kofi@acme.test  0     NO PHONE", "Ines Roy     ines@acme.test  2     yes        level 2 of Payments-Crit  Payments-Crit",
	} {
		if !strings.Contains(listed, row) {
			t.Errorf("the list does not say %q:\n%s", row, listed)
		}
	}
	var programs choices
	if err := json.Unmarshal([]byte(command(t, "request", "choose", id, "--json").exits(t, 0).out), &programs); err != nil || len(programs.Changes) != 3 || len(programs.Candidates) != 2 || len(programs.Duties) != 3 {
		t.Errorf("the list for programs is %+v: %v", programs, err)
	}
	shown := command(t, "request", "show", id).exits(t, 0).out
	for _, line := range []string{
		"Change     level 2 of Payments-Crit: Ana Ito → Ines Roy (planned)\n", "Change     a seat in Nights: Ana Ito → nobody chosen yet (planned)\n",
		"Duty       a seat in Nights; called by level 1 of Payments-Crit; on call 20", "; 1 other\n", "Effect     Nobody else is in level 2", "Last used  20", "which may be a day old)\n",
	} {
		if !strings.Contains(shown, line) {
			t.Errorf("show does not say %q:\n%s", line, shown)
		}
	}

	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"by nobody":                     {[]string{"--to", "ines@acme.test"}, exitUsage, "--as EMAIL"},
		"by the owner of another team":  {[]string{"--as", "omar@acme.test", "--to", "ines@acme.test"}, exitRefused, "Only marco@acme.test or ines@acme.test can decide this."},
		"a stranger":                    {[]string{"--as", "marco@acme.test", "--to", "zoe@acme.test"}, exitUsage, `"zoe@acme.test" is not the address of anybody who could take over`},
		"a change that there is not":    {[]string{"--as", "marco@acme.test", "--change", "chg_x=ines@acme.test"}, exitUsage, `hands over nothing by "chg_x"`},
		"a change without an address":   {[]string{"--as", "marco@acme.test", "--change", "chg_seat"}, exitUsage, "must be formatted as key=value"},
		"nobody where somebody must be": {[]string{"--as", "marco@acme.test", "--change", "chg_seat=none"}, exitUsage, "Somebody must take over a seat in Nights"},
	} {
		if o := command(t, append([]string{"request", "choose", id}, tt.args...)...).exits(t, tt.code); !strings.Contains(o.err, tt.says) || o.out != "" {
			t.Errorf("%s: it says %q and prints %q, want %q", name, o.err, o.out, tt.says)
		}
	}
	if early := command(t, "request", "approve", id, "--as", "marco@acme.test", "--reason", "Agreed with both.").exits(t, exitUsage); !strings.Contains(early.err, "choose who takes over first: incident #7 Checkout is down, a seat in Nights") {
		t.Errorf("approving too early is answered with %q", early.err)
	}

	chose := command(t, "request", "choose", id, "--as", "marco@acme.test", "--change", "chg_incident=none", "--change", "chg_level=kofi@acme.test", "--to", "Ines@Acme.test").exits(t, 0).out
	for _, line := range []string{
		"incident #7 Checkout is down: Ana Ito → nobody: the others there stay\n", "level 2 of Payments-Crit: Ana Ito → Kofi Mensah\n", "a seat in Nights: Ana Ito → Ines Roy\n", "Nothing is approved by it",
	} {
		if !strings.Contains(chose, line) {
			t.Errorf("choosing does not say %q:\n%s", line, chose)
		}
	}
	contract(t, "request.schema.json", command(t, "request", "choose", id, "--as", "marco@acme.test", "--to", "ines@acme.test", "--json").exits(t, 0).out, true)
	approved := command(t, "request", "approve", id, "--as", "marco@acme.test", "--reason", "Agreed with both.").exits(t, 0)
	if !strings.HasPrefix(approved.out, id+" is ") {
		t.Errorf("approving says %q", approved.out)
	}
	if late := command(t, "request", "choose", id, "--as", "marco@acme.test", "--to", "ines@acme.test").exits(t, exitConflict); !strings.Contains(late.err, "already") {
		t.Errorf("choosing too late is answered with %q", late.err)
	}
}

// contained is a leaver who was contained, and is back.
func contained() lifecycle.Request {
	r := handover()
	r.ID, r.State, r.Duties, r.Candidates, r.Effects = "req_contained", lifecycle.Done, nil, nil, nil
	r.Changes = []lifecycle.Change{
		{ID: "chg_session", Op: lifecycle.OpContain, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindSession, Role: lifecycle.SessionSignIns}, From: "open", State: lifecycle.ChangeVerified},
		{ID: "chg_base", Op: lifecycle.OpContain, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "restricted_access"}, From: "limited_user", To: "restricted_access", State: lifecycle.ChangeVerified},
		{ID: "chg_team", Op: lifecycle.OpContain, Entitlement: lifecycle.OnTeam(onPayments, "responder"), From: "responder", State: lifecycle.ChangeVerified},
	}
	return r
}

func TestWhatIsDoneIsUndoneAtTheCommandLine(t *testing.T) {
	p := settle(t, nil)
	waiting := contained()
	waiting.ID, waiting.State, waiting.HoldUntil = "req_holding", lifecycle.Holding, time.Now().Add(time.Hour)
	for i := range waiting.Changes {
		waiting.Changes[i].State = lifecycle.ChangePlanned
	}
	p.kept(contained(), waiting)

	if o := command(t, "request", "undo", "req_contained", "--as", "marco@acme.test").exits(t, exitUsage); !strings.Contains(o.err, "needs a reason") {
		t.Errorf("without a reason it says %q", o.err)
	}
	if o := command(t, "request", "choose", "req_contained", "--as", "marco@acme.test", "--to", "ines@acme.test").exits(t, exitConflict); !strings.Contains(o.err, "req_contained hands nothing over") {
		t.Errorf("choosing where there is nothing to choose says %q", o.err)
	}
	if o := command(t, "request", "undo", "req_contained", "--as", "omar@acme.test", "--reason", "He is my friend.").exits(t, exitRefused); !strings.Contains(o.err, "can decide this") {
		t.Errorf("to somebody who may not it says %q", o.err)
	}
	undone := command(t, "request", "undo", "req_contained", "--as", "marco@acme.test", "--reason", "HR ended the wrong Ana.").exits(t, 0).out
	for _, line := range []string{
		" undoes req_contained, and is ", "  puts back  Payments: none → responder\n", "  puts back  base role: Restricted Access (restricted_access) → Responder (limited_user)\n",
		"  cannot     Sessions stay ended: they sign in again.\n",
	} {
		if !strings.Contains(undone, line) {
			t.Errorf("undoing does not say %q:\n%s", line, undone)
		}
	}
	again, _, _ := strings.Cut(undone, " ")
	if !strings.HasPrefix(again, "req_") {
		t.Fatalf("undoing prints no id: %s", undone)
	}
	if o := command(t, "request", "undo", "req_contained", "--as", "marco@acme.test", "--reason", "Twice.").exits(t, exitConflict); !strings.Contains(o.err, again) {
		t.Errorf("undoing twice says %q", o.err)
	}
	shown := contract(t, "request.schema.json", command(t, "request", "show", again, "--json").exits(t, 0).out, true)[0]
	if shown["undoes"] != "req_contained" {
		t.Errorf("the request that undoes is %v", shown)
	}
	if o := command(t, "request", "show", "req_contained").exits(t, 0).out; !strings.Contains(o, "Undone by  "+again+", ") || !strings.Contains(o, "Change     web and mobile sessions: open → ended (verified)\n") {
		t.Errorf("show does not say that it was undone:\n%s", o)
	}
	if o := command(t, "request", "undo", "req_holding", "--as", "marco@acme.test").exits(t, 0).out; o != "req_holding is withdrawn, and nothing was changed.\n" {
		t.Errorf("undoing what still holds says %q", o)
	}
	if o := command(t, "request", "undo", "req_holding", "--as", "marco@acme.test").exits(t, exitConflict); !strings.Contains(o.err, "nothing to undo") {
		t.Errorf("undoing what is withdrawn says %q", o.err)
	}
}
