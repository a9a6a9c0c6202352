package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func TestHelp(t *testing.T) {
	t.Parallel()
	help := command(t, "--help").exits(t, 0)
	golden(t, "help.txt", help.out)
	if bare := command(t); bare.code != 0 || bare.out != help.out {
		t.Errorf("without a word it exits %d and says\n%s", bare.code, bare.out)
	}
}

func TestAMistypedCommandIsUnderstood(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"rekoncile":                          "did you mean reconcile?",
		"request aprove":                     "did you mean approve?",
		"polcy check":                        "did you mean policy?",
		"frobnicate":                         `there is no command "frobnicate"`,
		"demo --storry":                      "did you mean --story?",
		"reconcile --dryrun":                 "did you mean --dry-run?",
		"serve --port 1":                     "unknown flag: --port",
		"serve now":                          "Usage: rolecall serve",
		"request approve":                    "Usage: rolecall request approve ID --as EMAIL",
		"request approve req_x":              "--as EMAIL",
		"request undo req_x":                 "--as EMAIL",
		"request choose":                     "Usage: rolecall request choose ID --as EMAIL",
		"request choose req_x --to a@b":      "--as EMAIL",
		"audit verify one two":               "Usage: rolecall audit verify [FILE]",
		"audit tail --lines many":            `invalid argument "many" for "-n, --lines" flag`,
		"request list --state open":          "is not one of pending, approved",
		"request deny x --as a --until yo":   `"yo"`,
		"policy explain":                     "--email EMAIL, or --id",
		"policy explain --given a --email b": "either --email EMAIL, or --id",
		"policy explain --given a --id b":    "either --email EMAIL, or --id",
		"policy diff":                        "policy diff [OLD] NEW",
		"roster import people.xlsx":          "must end in .csv",
		"roster import gone.csv":             "no such file",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			o := command(t, strings.Fields(line)...).exits(t, exitUsage)
			if !strings.Contains(o.err, says) || o.out != "" || strings.Contains(o.err, "strconv") {
				t.Errorf("it says %q and prints %q, want %q", o.err, o.out, says)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if o := command(t, "version").exits(t, 0); !strings.HasPrefix(o.out, "rolecall ") || !strings.Contains(o.out, "go1.") {
		t.Errorf("version says %q", o.out)
	}
	var v struct{ Version, Revision, Go string }
	if err := json.Unmarshal([]byte(command(t, "version", "--json").exits(t, 0).out), &v); err != nil || v.Version == "" || v.Revision == "" || v.Go == "" {
		t.Errorf("version --json is %+v: %v", v, err)
	}
}

const roster = `employee_id,status,emails,name,department,location,country,title,employment,manager_id,groups,start_date,end_date,timezone
E1,active,ana@acme.test,Ana Kim,Payments,Tokyo,JP,SRE II,employee,,,2024-05-01,,Asia/Tokyo
E2,ended,ben@acme.test;ben.ode@acme.test,"Ode, Ben",Platform,Berlin,DE,SRE I,contractor,E1,oncall;web,,2026-01-31,
`

func TestRoster(t *testing.T) {
	p := settle(t, nil)
	file := filepath.Join(p.dir, "people.csv")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, "migrate").exits(t, 0)
	write(roster)
	if o := command(t, "roster", "import", file).exits(t, 0); !strings.HasPrefix(o.out, "2 rows, 2 of them news.\nIt is the first roster of roster:") {
		t.Errorf("import says %q", o.out)
	}
	if o := command(t, "roster", "import", file, "--json").exits(t, 0); strings.Join(strings.Fields(o.out), "") != `{"changed":0,"held":0,"rows":2}` {
		t.Errorf("the same file again is %s", o.out)
	}
	write("employee_id,status,emails\nE3,active,cho@acme.test\nE4,retired,no-address\n")
	wrong := command(t, "roster", "import", file).exits(t, exitUsage)
	if !strings.Contains(wrong.err, "nothing was imported") || !strings.Contains(wrong.err, "retired") || !strings.Contains(wrong.err, "no-address") {
		t.Errorf("a wrong file is answered with %q", wrong.err)
	}

	s := p.serve() // which makes people of rows
	p.until("both are known", func() bool { return strings.Count(command(t, "roster", "export").exits(t, 0).out, "\n") == 3 })
	exported := command(t, "roster", "export").exits(t, 0).out
	if !sameLines(exported, roster) {
		t.Errorf("exported:\n%s\nimported:\n%s", exported, roster)
	}
	for _, name := range []string{"out.csv", "out.jsonl"} {
		path := filepath.Join(p.dir, name)
		command(t, "roster", "export", "--file", path).exits(t, 0)
		if o := command(t, "roster", "import", path, "--json").exits(t, 0); !strings.Contains(o.out, `"rows": 2`) {
			t.Errorf("%s cannot be imported: %s", name, o.out)
		}
		if o := command(t, "roster", "export", "--file", path).exits(t, exitUsage); !strings.Contains(o.err, "exists") {
			t.Errorf("exporting onto a file says %q", o.err)
		}
	}
	if again := command(t, "roster", "export").exits(t, 0).out; again != exported {
		t.Errorf("importing what was exported changed it to\n%s", again)
	}
	s.stop()
}

func sameLines(a, b string) bool {
	lines := func(s string) map[string]bool {
		m := map[string]bool{}
		for line := range strings.Lines(s) {
			m[line] = true
		}
		return m
	}
	got, want := lines(a), lines(b)
	for line := range want {
		if !got[line] {
			return false
		}
	}
	return len(got) == len(want)
}

func TestPolicyCommands(t *testing.T) {
	p := settle(t, nil)
	file := filepath.Join("testdata", "policy.yaml")
	if o := command(t, "policy", "check").exits(t, 0); !strings.HasPrefix(o.out, file+" is in order: 2 rules, 2 teams, sha256 ") {
		t.Errorf("check says %q", o.out)
	}
	if o := command(t, "policy", "check", file, "--json").exits(t, 0); strings.TrimSpace(o.out) != "[]" {
		t.Errorf("check --json is %q", o.out)
	}
	if o := command(t, "policy", "test").exits(t, 0); o.out != "1 test passed.\n" {
		t.Errorf("test says %q", o.out)
	}
	if o := command(t, "policy", "test", "--json").exits(t, 0); strings.TrimSpace(o.out) != "[]" {
		t.Errorf("test --json is %q", o.out)
	}
	golden(t, "explain.txt", command(t, "policy", "explain", "--given", "department=Payments,title=SRE II,employment=employee").exits(t, 0).out)
	var answers []map[string]any
	o := command(t, "policy", "explain", "--given", "title=SRE", "--json").exits(t, 0)
	if err := json.Unmarshal([]byte(o.out), &answers); err != nil || len(answers) != 2 || answers[0]["rule"] == "" {
		t.Errorf("explain --json is %s: %v", o.out, err)
	}
	if o := command(t, "policy", "explain", "--given", "wings=2").exits(t, exitUsage); !strings.Contains(o.err, `"wings" is not an attribute; there are`) {
		t.Errorf("an attribute that there is not is answered with %q", o.err)
	}
	command(t, "migrate").exits(t, 0)
	if o := command(t, "policy", "explain", "--email", "nobody@acme.test").exits(t, exitUsage); !strings.Contains(o.err, "Nobody with the address") {
		t.Errorf("somebody unknown is answered with %q", o.err)
	}

	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(p.dir, "bad.yaml")
	text := strings.NewReplacer("department: [Payments], title", "depatment: [Payments], title", "n: 1,", "n: none,").Replace(string(whole))
	if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	checked := command(t, "policy", "check", bad).exits(t, exitUsage)
	for _, want := range []string{bad + ":16:12: ", `did you mean "department"?`, bad + ":4:", "^"} {
		if !strings.Contains(checked.err, want) {
			t.Errorf("check does not say %q:\n%s", want, checked.err)
		}
	}
	var mistakes []struct {
		File, Path, Message string
		Line, Column        int
	}
	o = command(t, "policy", "check", bad, "--json").exits(t, exitUsage)
	if err := json.Unmarshal([]byte(o.out), &mistakes); err != nil || len(mistakes) < 2 || mistakes[0].File != bad || mistakes[0].Line != 4 || mistakes[0].Message == "" {
		t.Errorf("check --json is %s: %v", o.out, err)
	}
	fails := filepath.Join(p.dir, "fails.yaml")
	if err := os.WriteFile(fails, []byte(strings.Replace(string(whole), "expect: {rules: [payments-sre], base_role: limited_user", "expect: {rules: [payments-sre], base_role: admin", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	tested := command(t, "policy", "test", fails).exits(t, exitUsage)
	if !strings.Contains(tested.out, fails+": line 24: base_role: want Global Admin (admin), got Responder (limited_user)") {
		t.Errorf("test says\n%s", tested.out)
	}
	for _, args := range [][]string{{"serve"}, {"digest", "--dry-run"}, {"reconcile"}} {
		t.Setenv("ROLECALL_POLICY", bad)
		if o := command(t, args...).exits(t, exitUsage); !strings.Contains(o.err, bad+":16:12") {
			t.Errorf("%v starts with a policy that is wrong, or does not say where: %q", args, o.err)
		}
	}
}

// hostile is a name that would move the cursor, colour the terminal, turn the
// line around or forge another one.
const hostile = "Eve\x1b[2J\x1b]0;pwned\a\u202eevil\u2066\nWhole: 9 lines\r\u009b1mX"

func TestNoNameMovesTheCursor(t *testing.T) {
	p := settle(t, nil)
	command(t, "migrate").exits(t, 0)
	db, err := storage.Open(t.Context(), storage.Config{URL: p.database, Role: storage.Command, Log: quiet(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	plant(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.pd.RenameAs("sam@acme.test", p.pd.Users()[1].ID, "", "")
	for _, args := range [][]string{
		{"request", "list"},
		{"request", "show", "req_hostile"},
		{"audit", "tail"},
		{"digest", "--dry-run"},
		{"who", "eve@acme.test"},
		{"who", "eve@" + hostile},
		{"who", hostile},
		{"policy", "explain", "--email", "eve@acme.test"},
		{"policy", "explain", "--id", "E9"},
		{"policy", "explain", "--id", hostile},
		{"policy", "diff", filepath.Join("testdata", "policy.yaml"), "--all"},
		{"policy", "diff", hostile},
		{"request", "show", hostile},
		{"request", "approve", "req_hostile", "--as", hostile},
		{"request", "choose", "req_hostile"},
		{"request", "choose", "req_hostile", "--as", "priya@acme.test", "--to", hostile},
		{"request", "choose", "req_hostile", "--as", "priya@acme.test", "--change", hostile + "=" + hostile},
		{"request", "undo", "req_hostile", "--as", hostile, "--reason", hostile},
		{hostile},
		{"demo", "--" + hostile},
		{"audit", "verify", "/" + hostile},
		{"policy", "explain", "--given", hostile + "=1"},
		{"request", "list", "--state", hostile},
		{"roster", "import", hostile + ".csv"},
	} {
		o := command(t, args...)
		for _, r := range o.out + o.err {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Errorf("%q lets %U through:\n%q", args, r, o.out+o.err)
				break
			}
		}
		if strings.Contains(o.out+o.err, "\nWhole:") {
			t.Errorf("%q lets a line be forged:\n%s", args, o.out+o.err)
		}
	}
}

// plant keeps a request, a line and a person whose words are all hostile.
func plant(t *testing.T, db *storage.DB) {
	t.Helper()
	ctx, at := context.Background(), now()
	person := lifecycle.Person{EmployeeID: "E9", Status: lifecycle.StatusActive, Emails: []string{"eve@acme.test"}, Name: hostile, Department: hostile, Title: hostile}
	i := lifecycle.Identity{ID: "idn_hostile", Revision: 1, Keys: map[string]string{"hr": "E9"}, Person: person, Observed: at}
	r := lifecycle.Request{
		ID: "req_hostile", Kind: lifecycle.RequestJoiner, State: lifecycle.Pending, Revision: 1, Subject: lifecycle.Subject{ID: i.ID, Email: "eve@acme.test", Name: hostile},
		Duties:     []lifecycle.Duty{{Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: "PS", Name: hostile}, Serves: []string{hostile}}},
		Candidates: []lifecycle.Candidate{{AccountCard: lifecycle.AccountCard{ID: "PE", Email: hostile, Name: hostile}, Duties: []string{"PS"}}},
		Changes: []lifecycle.Change{{
			ID: "chg_2", Op: lifecycle.OpHandover, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: "PS", Name: hostile}},
			From: "PX", To: "PE", Successor: lifecycle.AccountCard{Name: hostile}, State: lifecycle.ChangePlanned, Error: hostile,
		}, {ID: "chg_1", Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(lifecycle.Team{ID: "PX", Name: hostile}, "responder"), To: "responder", State: lifecycle.ChangePlanned, Error: hostile}},
		Why:       lifecycle.Why{Rule: hostile, Event: hostile},
		Effects:   []string{hostile},
		Used:      lifecycle.Signal{Proxy: hostile},
		Approvers: []string{"priya@acme.test", hostile}, Needed: 2, Note: hostile, OpenedAt: at, UpdatedAt: at,
		Decisions: []lifecycle.Decision{{By: hostile, ByID: "idn_x", Verdict: lifecycle.Approve, Reason: hostile, At: at, Via: lifecycle.ViaSlack}},
	}
	e := lifecycle.AuditEvent{At: at, Actor: hostile, Kind: lifecycle.EventRequestOpened, Ref: hostile, Detail: map[string]string{"why": hostile, hostile: "x"}}
	if err := db.SaveIdentity(ctx, i, nil, e); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveRequest(ctx, r, e); err != nil {
		t.Fatal(err)
	}
}

func TestTheDemoWantsAPortThatThereIs(t *testing.T) {
	t.Parallel()
	for _, port := range []string{"99999", "-1", "http"} {
		if o := command(t, "demo", "--port="+port).exits(t, exitUsage); !strings.Contains(o.err, "--port") || o.out != "" {
			t.Errorf("port %s: it says %q and prints %q", port, o.err, o.out)
		}
	}
}
