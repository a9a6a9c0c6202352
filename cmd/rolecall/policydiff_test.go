package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// reorganised is the demo's policy after Payments has become a part of Checkout:
// its people are asked for by both departments, and nobody is on Payments.
func reorganised(c company) string {
	return strings.NewReplacer(
		"department: [Checkout]", "department: [Checkout, Payments]",
		"breaker: {removals: 5", "breaker: {removals: 8",
		"name: Checkout, pagerduty: "+demoTeamID(c, "Checkout")+", owners: [", "name: Checkout, pagerduty: "+demoTeamID(c, "Checkout")+", owners: [marco@acme.test, ",
		"members: [priya@acme.test, lee@acme.test]", "members: [priya@acme.test, sam@acme.test]",
	).Replace(without(c.policyFile(), "  - name: payments-engineers\n", "  - name: platform-engineers\n"))
}

func demoTeamID(c company, name string) string {
	t, _ := c.team(name)
	return t.id
}

// without is the text without what is from one line up to another, and without its tests.
func without(text, from, to string) string {
	head, rest, _ := strings.Cut(text, from)
	_, tail, _ := strings.Cut(rest, to)
	text, _, _ = strings.Cut(head+to+tail, "tests:\n")
	return text
}

// called is the demo's company right after a roll call, and the diff of what a
// text would make of it.
func called(t *testing.T) (w *world, diff func(next string) lifecycle.PolicyDiff) {
	t.Helper()
	w, err := newWorld(t.Context(), filepath.Join(t.TempDir(), "rolecall.db"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Errorf("close the demo: %v", err)
		}
	})
	if _, err := w.service.flows.rollCall.Run(t.Context(), lifecycle.System); err != nil {
		t.Fatal(err)
	}
	people, err := w.service.db.Identities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := w.service.db.Baseline(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w, func(text string) lifecycle.PolicyDiff {
		next, err := policy.Parse("new.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return lifecycle.Diff(w.service.live.Written(), next, people, accounts, w.started)
	}
}

func TestADiffCanSayWhoIsOnCallTonight(t *testing.T) {
	t.Parallel()
	w, diff := called(t)
	d := diff(reorganised(w.company))
	duties := map[lifecycle.AccountID][]lifecycle.Duty{}
	for _, id := range d.LosersOnCall() {
		h, err := w.service.pd.Holdings(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		duties[id] = h.Duties
	}
	d = d.WithShifts(duties, w.started)
	ana := d.Moves[slices.IndexFunc(d.Moves, func(p lifecycle.PersonDiff) bool { return p.Email == "ana@acme.test" })]
	if len(duties) != d.OnCall || d.Tonight == 0 || !slices.Contains(ana.Tonight, "a seat in Payments Primary") {
		t.Errorf("of %d in schedules %d are on call tonight; Ana by %q", d.OnCall, d.Tonight, ana.Tonight)
	}
	var b bytes.Buffer
	if err := printDiffText(&b, d, w.started, false); err != nil || !strings.Contains(b.String(), fmt.Sprintf("(%d on call within 24 hours)", d.Tonight)) || !strings.Contains(b.String(), "WITHIN 24 HOURS") {
		t.Errorf("it says (%v)\n%s", err, b.String())
	}
}

func TestADiffOfAReorganisationReadsWell(t *testing.T) {
	t.Parallel()
	w, diff := called(t)
	d := diff(reorganised(w.company))
	for name, write := range map[string]func(*bytes.Buffer) error{
		"diff.txt": func(b *bytes.Buffer) error { return printDiffText(b, d, w.started, false) },
		"diff.md":  func(b *bytes.Buffer) error { return policy.WriteMarkdown(b, d, false) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, strings.ReplaceAll(b.String(), lastRoll(w.started), "the roll call"))
	}
	if back := diff(w.company.policyFile()); back.Moved() || len(back.Unclear)+len(back.Asked)+len(back.Rules)+len(back.Other) > 0 {
		t.Errorf("the same policy: %+v", back)
	}
}

func TestPolicyDiff(t *testing.T) {
	p := settle(t, nil)
	file := filepath.Join("testdata", "policy.yaml")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(p.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	roster := write("people.csv", "employee_id,status,name,emails,department,title,employment,location\n"+
		"E1,active,Ana Kim,ana@acme.test,Payments,SRE II,employee,Tokyo\nE2,active,Bo | <b> @all,bo@acme.test,Payments,SRE I,employee,Tokyo\n")
	next := write("next.yaml", strings.Replace(string(whole), "{team: Payments, role: responder}", "{team: Payments, role: observer}", 1))
	o := command(t, "policy", "diff", next, "--roster", roster).exits(t, 0)
	if !strings.HasPrefix(o.out, "2 people lose.") || !strings.Contains(o.out, "everybody was taken to hold what the old policy gives") || !strings.Contains(o.out, "Payments: responder → observer") {
		t.Errorf("diff says\n%s", o.out)
	}
	command(t, "policy", "diff", file, file, "--roster", roster, "--fail-on-loss").exits(t, 0)
	if o := command(t, "policy", "diff", file, next, "--roster", roster, "--fail-on-loss").exits(t, exitRefused); !strings.Contains(o.err, "2 people would lose something") {
		t.Errorf("with a loss it says %q", o.err)
	}
	o = command(t, "policy", "diff", next, "--roster", roster, "--markdown").exits(t, 0)
	if !strings.Contains(o.out, `| Bo \| &lt;b&gt; @<!-- -->all (bo@acme.test) |`) {
		t.Errorf("a name can write Markdown:\n%s", o.out)
	}
	var d lifecycle.PolicyDiff
	o = command(t, "policy", "diff", next, "--roster", roster, "--json").exits(t, 0)
	if err := json.Unmarshal([]byte(o.out), &d); err != nil || d.Lose != 2 || len(d.Moves) != 2 || !d.Assumed {
		t.Errorf("diff --json is %s: %v", o.out, err)
	}
	broken := write("broken.yaml", "version: 2\n")
	if o := command(t, "policy", "diff", broken, write("other.yaml", "rules: none\n"), "--roster", roster).exits(t, exitUsage); !strings.Contains(o.err, "broken.yaml:1:10") || !strings.Contains(o.err, "other.yaml:1:8") {
		t.Errorf("two broken files are answered with %q", o.err)
	}
	if o := command(t, "policy", "diff", next, "--roster", roster, "--tonight").exits(t, 0); !strings.HasPrefix(o.out, "2 people lose.") {
		t.Errorf("where nobody's account is known, whose shifts are looked at: %s", o.out)
	}
	command(t, "policy", "diff", next, "--json", "--markdown").exits(t, exitUsage)
	command(t, "migrate").exits(t, 0)
	if o := command(t, "policy", "diff", next).exits(t, 0); !strings.HasPrefix(o.out, "No source of truth has sent anybody") {
		t.Errorf("with nobody known it says %q", o.out)
	}
}

func TestPolicyExplainFindsSomebodyByAnyKey(t *testing.T) {
	p := settle(t, nil)
	command(t, "migrate").exits(t, 0)
	db, err := storage.Open(t.Context(), storage.Config{URL: p.database, Role: storage.Command, Log: quiet(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for key, name := range map[string]string{"hr E1": "ana", "okta 00u7": "bo", "legacy E2": "cleo", "hr E2": "dana"} {
		source, at, _ := strings.Cut(key, " ")
		i := lifecycle.Identity{ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{source: at}, Person: lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{email(name)}, Name: name, Department: "Payments", Title: "SRE II", Employment: lifecycle.Employee}, Observed: now()}
		if err := db.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if o := command(t, "policy", "explain", "E1").exits(t, 0); !strings.HasPrefix(o.out, "payments-sre: YES") {
		t.Errorf("without a flag it says\n%s", o.out)
	}
	for _, id := range []string{"E1", "00u7"} {
		if o := command(t, "policy", "explain", "--id", id).exits(t, 0); !strings.HasPrefix(o.out, "payments-sre: YES") {
			t.Errorf("--id %s says\n%s", id, o.out)
		}
	}
	if o := command(t, "policy", "explain", "--id", "E2").exits(t, exitConflict); !strings.Contains(o.err, "2 people are known by E2: ") {
		t.Errorf("an id that two sources give is answered with %q", o.err)
	}
	if o := command(t, "policy", "explain", "--id", "E3").exits(t, exitUsage); !strings.Contains(o.err, "Nobody is known by E3. Give ") {
		t.Errorf("an id that nobody has is answered with %q", o.err)
	}
}
