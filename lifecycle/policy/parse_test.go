package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// Around these lines a case writes its own.
const head = `version: 1
domains: [acme.test]
security: {channel: C0SECURITY, members: [priya@acme.test]}
teams: [{name: Payments, pagerduty: PPAYSRE, owners: [marco@acme.test]}, {name: Platform, owners: [omar@acme.test]}]
`

func mistakes(t *testing.T, text string) []string {
	t.Helper()
	_, err := Parse("p", []byte(text))
	if err == nil {
		return nil
	}
	ms, ok := errors.AsType[Mistakes](err)
	if !ok {
		t.Fatalf("got %T, want Mistakes", err)
	}
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return lines
}

func TestMistakesOfTheFile(t *testing.T) {
	t.Parallel()
	deep := "version: " + strings.Repeat("[", maxDepth+5) + strings.Repeat("]", maxDepth+5)
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"nothing at all":                   {"", []string{"p:1:1: the file says nothing; a policy begins with version: 1"}},
		"only a comment":                   {"# soon\n", []string{"p:1:1: the file says nothing; a policy begins with version: 1"}},
		"only a marker":                    {"---\n", []string{"p:1:1: the file says nothing; a policy begins with version: 1"}},
		"a list":                           {"- a\n", []string{"p:1:1: wants keys with values, but this is a list"}},
		"text":                             {"hello", []string{`p:1:1: wants keys with values, but this is the text "hello"`}},
		"a second document":                {head + "---\nversion: 1\n", []string{"p:5:1: a second document begins here; a policy is one document, take out the ---"}},
		"a tab that indents":               {"defaults:\n\thold: 1m\n", []string{"p:2:1: a tab cannot indent here; use spaces"}},
		"a tab after text":                 {"rules:\n  - name: a\n\t- name: b\n", []string{"p:3:1: a tab cannot indent here; use spaces"}},
		"a colon in text":                  {"version: 1: 2\n", []string{"p:1:11: a colon is not expected here; text with a colon in it needs quotes, and keys must be indented alike"}},
		"text that begins with an at sign": {"domains: [@acme.test]\n", []string{"p:1:11: text that begins with '@' needs quotes"}},
		"a quote that is not closed":       {"version: 1\nwhy: \"because\n", []string{"p:2:6: not YAML: found unexpected end of stream while scanning a quoted scalar"}},
		"a bracket that is not closed":     {"domains: [acme.test\nrules: []\n", []string{"p:1:10: not YAML: did not find expected ',' or ']' while parsing a flow sequence"}},
		"an alias of nothing":              {"domains: *all\n", []string{"p:1:10: not YAML: unknown anchor 'all' referenced"}},
		"Latin-1":                          {"version: 1\nwhy: caf\xe9\n", []string{"p:2:9: this is not UTF-8 text; save the file as UTF-8"}},
		"UTF-16":                           {"\xff\xfev\x00", []string{"p:1:1: this is not UTF-8 text; save the file as UTF-8"}},
		"text that runs backwards":         {"version: 1 # \u202Eoops\n", []string{"p:1:14: the character U+202E cannot be seen for what it is; take it out"}},
		"a line end that does not show":    {"version: 1 # x\u2028extra: 1\n", []string{"p:1:15: the character U+2028 cannot be seen for what it is; take it out"}},
		"a lone carriage return":           {"version: 1\rextra: 1\n", []string{"p:1:11: the character U+000D cannot be seen for what it is; take it out"}},
		"an escape that hides":             {head + `rules: [{name: "a\u202Eb", when: {title: x}, grant: {base_role: observer}}]`, []string{"p:5:16: rules[0].name: holds a character that cannot be seen for what it is; take it out"}},
		"too large":                        {strings.Repeat("#", maxSize+1), []string{"p:1:1: the file is larger than 1 MiB; that cannot be a policy"}},
		"nested too deep":                  {"domains: [a.b]\nsecurity: {channel: C12, members: [x@a.b]}\n" + deep, []string{"p:3:10: version: wants text, but this is a list", "p:3:42: version" + strings.Repeat("[0]", 32) + ": nested deeper than 32 levels; say it more simply"}},
		"hardly anything":                  {"leaver: {contain: ask}\n", []string{"p:1:1: version is missing", "p:1:1: domains is missing", "p:1:1: security is missing"}},
		"keys without values":              {"version:\ndomains:\nsecurity:\n", []string{"p:1:9: version: wants text, but this is empty", "p:2:9: domains: wants a list, but this is empty", "p:3:10: security: wants keys with values, but this is empty"}},
		"a key that is a list":             {head + "? [a]\n: 1\n", []string{"p:5:3: a key must be a word"}},
		"a list where text belongs":        {head + "protected: [[a@acme.test]]\n", []string{"p:5:13: protected[0]: wants text, but this is a list"}},
		"text where a list belongs":        {head + "rules: none\n", []string{`p:5:8: rules: wants a list, but this is the text "none"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, mistakes(t, tt.text)); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

// A said is what a case writes below the head, and the mistake in it; "" is none.
type said struct{ text, want string }

func sense() map[string]said {
	rule := func(s string) string { return "rules: [{name: a, when: {title: x}, " + s + "}]" }
	return map[string]said{
		"lists and keys that are empty":        {"protected: []\nbreaker: {}\n", ""},
		"an anchor on text":                    {"leaver: {contain: &x auto}", "p:5:19: leaver.contain: the anchor &x is refused: write the value out wherever it is meant"},
		"approval without asking oneself":      {rule("grant: {base_role: observer}, approval: {not_self: true}"), ""},
		"approval by oneself":                  {rule("grant: {base_role: observer}, approval: {not_self: false}"), "p:5:88: rules[0].approval.not_self: must be true or left out: no one decides on their own access"},
		"a boss among the approvers":           {rule("grant: {base_role: observer}, approval: {from: boss}"), `p:5:84: rules[0].approval.from: "boss" is not one of team-owners, team-managers, manager, security`},
		"an approver source twice":             {rule("grant: {base_role: observer}, approval: {from: [security, security]}"), "p:5:95: rules[0].approval.from[1]: security is named twice"},
		"a manager given automatically":        {rule("grant: {base_role: user}, approval: {mode: auto}"), "p:5:80: rules[0].approval.mode: user (Manager) is never granted without asking; let the approval's mode be quorum"},
		"an admin automatic by default":        {"defaults: {approval: {mode: auto}}\n" + rule("grant: {base_role: admin}"), "p:6:56: rules[0].grant.base_role: admin (Global Admin) is never granted without asking; let the approval's mode be quorum"},
		"an admin somebody is asked for":       {rule("grant: {base_role: admin}"), ""},
		"an empty list of granted teams":       {rule("grant: {teams: []}"), "p:5:44: rules[0].grant: grants nothing; name a base_role or teams"},
		"no grant":                             {"rules: [{name: a, when: {title: x}}]", "p:5:9: rules[0]: grant is missing"},
		"a team twice in a grant":              {rule("grant: {teams: [{team: Payments, role: observer}, {team: PPAYSRE, role: manager}]}"), "p:5:94: rules[0].grant.teams[1].team: Payments is named twice in this list"},
		"a team without a role":                {rule("grant: {teams: [{team: Payments}]}"), "p:5:53: rules[0].grant.teams[0]: role is missing"},
		"a team that is not there":             {rule("grant: {teams: [{team: Search, role: observer}]}"), `p:5:60: rules[0].grant.teams[0].team: "Search" is not one of the teams of this policy; add it under teams, with its owners`},
		"a base role as a team role":           {rule("grant: {teams: [{team: Payments, role: admin}]}"), "p:5:76: rules[0].grant.teams[0].role: admin (Global Admin) is a base role, not a role on a team; those are observer, responder, manager"},
		"a base role nobody has heard of":      {rule("grant: {base_role: wizard}"), `p:5:56: rules[0].grant.base_role: unknown base role "wizard"; there are read_only_limited_user (Limited Stakeholder), read_only_user (Stakeholder), restricted_access (Restricted Access), observer (Observer), limited_user (Responder), user (Manager), admin (Global Admin)`},
		"a base role by its title":             {rule("grant: {base_role: Global Admin}"), `p:5:56: rules[0].grant.base_role: unknown base role "Global Admin" (did you mean admin (Global Admin)?)`},
		"a rule name with a comma":             {"rules: [{name: 'a, b', when: {title: x}, grant: {base_role: observer}}]", "p:5:16: rules[0].name: the name of a rule has no comma: records list rules with commas between them"},
		"a rule name with space around it":     {"rules: [{name: ' a', when: {title: x}, grant: {base_role: observer}}]", "p:5:16: rules[0].name: must be one line without space around it"},
		"an attribute by its old name":         {"rules: [{name: a, when: {employment_type: employee}, grant: {base_role: observer}}]", `p:5:26: rules[0].when.employment_type: unknown key (did you mean "employment"?)`},
		"an empty condition that is excluded":  {"rules: [{name: a, when: {title: x, not: {}}, grant: {base_role: observer}}]", `p:5:41: rules[0].when.not: says nothing, so it would match everybody; write email: ["*"] if that is meant`},
		"an empty list of exclusions":          {"rules: [{name: a, when: {title: x, not: []}, grant: {base_role: observer}}]", "p:5:41: rules[0].when.not: the list is empty; leave the key out or write a condition"},
		"employment by a pattern":              {"rules: [{name: a, when: {employment: 'CONTR*'}, grant: {base_role: observer}}]", ""},
		"the same when for the same role":      {"rules: [{name: a, when: {title: x}, grant: {teams: [{team: Payments, role: observer}]}}, {name: b, when: {title: X}, grant: {teams: [{team: Payments, role: observer}]}}]", ""},
		"another when for another role":        {"rules: [{name: a, when: {title: x}, grant: {teams: [{team: Payments, role: observer}]}}, {name: b, when: {title: y}, grant: {teams: [{team: Payments, role: manager}]}}]", ""},
		"a negative duration":                  {"leaver: {delete_after: -1s}", "p:5:24: leaver.delete_after: -1s is negative; a duration is 0 or more"},
		"a percentage beyond all":              {"breaker: {percent: 101}", "p:5:20: breaker.percent: must be from 0 to 100"},
		"a percentage that is not a number":    {"breaker: {percent: NaN}", "p:5:20: breaker.percent: must be from 0 to 100"},
		"removals below nothing":               {"breaker: {removals: -1}", "p:5:21: breaker.removals: must be at least 0"},
		"two weeks":                            {"leaver: {delete_after: 2w}", `p:5:24: leaver.delete_after: "2w" is not a duration: days and weeks are written in hours (did you mean 336h?)`},
		"a duration in words":                  {"leaver: {delete_after: soon}", `p:5:24: leaver.delete_after: "soon" is not a duration such as 10m, 4h or 336h`},
		"a duration beyond all":                {"leaver: {delete_after: 99999999999d}", `p:5:24: leaver.delete_after: "99999999999d" is not a duration such as 10m, 4h or 336h`},
		"a credential nobody may revoke":       {"credentials: [{name: k, purpose: p, owner: priya@acme.test, rotate_every: 1h}]", "p:5:15: credentials[0]: revoker is missing"},
		"a credential of an outsider":          {"credentials: [{name: k, purpose: p, owner: priya@acme.test, revoker: eve@evil.test, rotate_every: 1h}]", "p:5:70: credentials[0].revoker: eve@evil.test is not on acme.test, so they could never decide; add the domain or name somebody else"},
		"a test of a rule that is not there":   {"tests: [{given: {title: x}, expect: {rules: [a]}}]", `p:5:46: tests[0].expect.rules[0]: there is no rule "a"`},
		"a display name in an address":         {"protected: ['Ana <ana@acme.test>']", `p:5:13: protected[0]: "Ana <ana@acme.test>" is not an e-mail address such as ana@acme.test`},
		"a notice's field in a test":           {"tests: [{given: {emails: [a@b.c]}, expect: {rules: []}}]", `p:5:18: tests[0].given.emails: unknown key (did you mean "email"?)`},
		"a value for unmatched that is not in": {"defaults: {unmatched: drop}", "p:5:23: defaults.unmatched: can only be hold"},
	}
}

func TestMistakesOfSense(t *testing.T) {
	t.Parallel()
	for name, tt := range sense() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(mistakes(t, head+tt.text), "\n"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestMistakesOfTeamsAndDomains(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ domains, security, teams, want string }{
		"a domain that is none":            {domains: "[acme]", want: `p:2:11: domains[0]: "acme" is not a domain such as acme.test`},
		"a domain twice":                   {domains: "[acme.test, ACME.test]", want: "p:2:22: domains[1]: acme.test is named twice"},
		"no domain":                        {domains: "[]", want: "p:2:10: domains: the list is empty; name at least one"},
		"security by a group alone":        {security: "{channel: C0SEC, group: S0SEC}", want: "p:3:11: security: members is missing"},
		"security by a group and nobody":   {security: "{channel: C0SEC, group: S0SEC, members: []}", want: "p:3:51: security.members: names nobody; name at least one, who can decide while Slack does not say who is in a group"},
		"security by a group's handle":     {security: "{channel: C0SEC, group: '@security', members: [lee@acme.test]}", want: `p:3:35: security.group: "@security" is not the id of a Slack user group, such as S0ABC123; copy it from its details in Slack`},
		"security without a channel":       {security: "{members: [lee@acme.test]}", want: "p:3:11: security: channel is missing"},
		"security of nobody":               {security: "{channel: C0SEC, members: []}", want: "p:3:37: security.members: names nobody; name at least one, who can decide while Slack does not say who is in a group"},
		"security of an outsider":          {security: "{channel: C0SEC, members: [eve@acme.test.evil]}", want: "p:3:38: security.members[0]: eve@acme.test.evil is not on acme.test, so they could never decide; add the domain or name somebody else"},
		"a channel by its name":            {security: "{channel: '#security', members: [lee@acme.test]}", want: `p:3:21: security.channel: "#security" is not the id of a Slack channel, such as C0ABC123; copy it from its details in Slack`},
		"a team named like another's id":   {teams: "[{name: A, pagerduty: P1, owners: [a@acme.test]}, {name: P1, owners: [a@acme.test]}]", want: `p:4:65: teams[1].name: another team has the name "P1"; rules could not tell the two apart`},
		"an owner twice":                   {teams: "[{name: A, owners: [a@acme.test, A@acme.test]}]", want: "p:4:41: teams[0].owners[1]: a@acme.test is named twice"},
		"a group twice":                    {teams: "[{name: A, owners: [S0PAY, S0PAY], channel: C0PAY}]", want: "p:4:35: teams[0].owners[1]: S0PAY is named twice"},
		"a group by its handle":            {teams: "[{name: A, owners: [payments-team]}]", want: `p:4:28: teams[0].owners[0]: "payments-team" is neither an e-mail address such as ana@acme.test nor the id of a Slack user group such as S0ABC123`},
		"a group in small letters":         {teams: "[{name: A, owners: [S0pay]}]", want: `p:4:28: teams[0].owners[0]: "S0pay" is neither an e-mail address such as ana@acme.test nor the id of a Slack user group such as S0ABC123`},
		"a copy for who is no owner":       {teams: "[{name: A, owners: [a@acme.test], notify: [lee@acme.test]}]", want: "p:4:50: teams[0].notify: lee@acme.test is not one of the owners; there are a@acme.test"},
		"a copy for somebody of a group":   {teams: "[{name: A, owners: [S0PAY], notify: [a@acme.test]}]"},
		"a copy for a group":               {teams: "[{name: A, owners: [S0PAY], channel: C0P, notify: [S0PAY]}]", want: `p:4:59: teams[0].notify[0]: "S0PAY" is not an e-mail address such as ana@acme.test`},
		"copies for nobody":                {teams: "[{name: A, owners: [a@acme.test], notify: []}]", want: "p:4:50: teams[0].notify: tells nobody: without a channel, somebody must be sent the card"},
		"a digest without a channel":       {teams: "[{name: A, owners: [a@acme.test], digest: true}]", want: "p:4:50: teams[0].digest: a digest is posted to the team's channel, and there is none; name the channel"},
		"no digest without a channel":      {teams: "[{name: A, owners: [a@acme.test], digest: false}]"},
		"groups alone without a channel":   {teams: "[{name: A, owners: [S0PAY]}]", want: "p:4:27: teams[0].owners: a group is asked in the team's channel, and there is none; name the channel, or an owner by address"},
		"a zone by its letters":            {teams: "[{name: A, owners: [a@acme.test], timezone: MEZ}]", want: `p:4:52: teams[0].timezone: "MEZ" is not a time zone such as Europe/London`},
		"a zone that is the machine's":     {teams: "[{name: A, owners: [a@acme.test], timezone: Local}]", want: `p:4:52: teams[0].timezone: "Local" is not a time zone such as Europe/London`},
		"a team whose name looks a number": {teams: "[{name: 1.10, owners: [a@acme.test]}]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			or := func(s, usual string) string {
				if s == "" {
					return usual
				}
				return s
			}
			text := fmt.Sprintf("version: 1\ndomains: %s\nsecurity: %s\nteams: %s\n",
				or(tt.domains, "[acme.test]"), or(tt.security, "{channel: C0SEC, members: [lee@acme.test]}"), or(tt.teams, "[]"))
			got := strings.Join(mistakes(t, text), "\n")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestTextIsKeptAsItIsWritten(t *testing.T) {
	t.Parallel()
	p, err := Parse("p", []byte("\uFEFF"+head+`rules:
  - name: 1.10
    why: |
      Because:
      it is so.
    when: {country: [NO, SE], employee_id: [0123, 1e3, 2026-05-31], manager_id: true}
    grant: {base_role: observer}
tests:
  - given: {employee_id: 0123, country: NO, groups: yes}
    expect: {rules: []}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []lifecycle.Match{
		{Attribute: lifecycle.AttrCountry, Patterns: []string{"no", "se"}, Line: 10},
		{Attribute: lifecycle.AttrEmployeeID, Patterns: []string{"0123", "1e3", "2026-05-31"}, Line: 10},
		{Attribute: lifecycle.AttrManagerID, Patterns: []string{"true"}, Line: 10},
	}
	if diff := cmp.Diff(want, p.Rules[0].When.Match); diff != "" {
		t.Errorf("patterns (-want +got):\n%s", diff)
	}
	if r := p.Rules[0]; r.Name != "1.10" || r.Why != "Because:\nit is so." {
		t.Errorf("got rule %q because %q, want the text as written", r.Name, r.Why)
	}
	if diff := cmp.Diff(lifecycle.Person{EmployeeID: "0123", Country: "NO", Groups: []string{"yes"}}, p.Tests[0].Given); diff != "" {
		t.Errorf("given (-want +got):\n%s", diff)
	}
	if p.Tests[0].Rules == nil || p.Tests[0].Teams != nil {
		t.Errorf("got rules %#v and teams %#v, want no rules asserted and teams not asserted", p.Tests[0].Rules, p.Tests[0].Teams)
	}
}

func TestAFileThatSaysLittleGetsTheDefaults(t *testing.T) {
	t.Parallel()
	p, err := Parse("p", []byte(head+`rules:
  - {name: a, when: {title: x}, grant: {base_role: observer}}
  - {name: b, when: {title: y}, grant: {base_role: observer}, approval: {from: security, remind_after: 0s}}
defaults: {approval: {n: 2, expire_after: 1h}}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := standing().Defaults
	want.Approval.N, want.Approval.ExpireAfter = 2, time.Hour
	if diff := cmp.Diff(want, p.Defaults); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if p.Rules[0].Approval != nil {
		t.Errorf("got approval %+v of a rule that says none, want nil", p.Rules[0].Approval)
	}
	own := want.Approval
	own.From, own.RemindAfter = []lifecycle.ApproverSource{lifecycle.FromSecurity}, 0
	if diff := cmp.Diff(&own, p.Rules[1].Approval); diff != "" {
		t.Errorf("approval over defaults that are written below it (-want +got):\n%s", diff)
	}
	if p.Breaker != (lifecycle.Breaker{Removals: 5, Percent: 2, Window: 24 * time.Hour, Gather: 5 * time.Minute, Movers: 10, MoversPercent: 10}) || p.Reserve != 8760*time.Hour || p.Leaver.DeleteAfter != 336*time.Hour || p.Leaver.AskToContain {
		t.Errorf("got breaker %+v and leaver %+v, want the documented defaults", p.Breaker, p.Leaver)
	}
}

func TestLoadTellsAMissingFileFromAMistakenOne(t *testing.T) {
	t.Parallel()
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
	path := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(path, []byte(strings.Repeat("#\n", maxSize)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, lifecycle.ErrInvalid) || !strings.Contains(err.Error(), "1 MiB") {
		t.Errorf("got %v, want that it is too large", err)
	}
}

func TestALongLineIsCutAroundTheColumn(t *testing.T) {
	t.Parallel()
	_, err := Parse("p", []byte(head+"protected: ["+strings.Repeat("a@b.test, ", 1)+strings.Repeat(" ", 500)+"\"x\u00e9\"]"))
	ms, _ := errors.AsType[Mistakes](err)
	if len(ms) != 1 {
		t.Fatalf("got %v, want one mistake", err)
	}
	line, caret, _ := strings.Cut(ms[0].Excerpt(), "\n")
	if want := strings.Repeat(" ", 84) + `"xé"]`; line != want || caret != strings.Repeat(" ", 84)+"^" {
		t.Errorf("got\n%s\n%s\nwant the mistake with 80 characters before it", line, caret)
	}
}

// The fuzzer's own minimizing takes a minute for each find; -fuzzminimizetime 10x keeps it at the work.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"policy.yaml", "mistakes.yaml", "explain.yaml", "everything.yaml"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("---\n? {}\n: !!binary x\n"))
	f.Add([]byte("rules: [{when: {not: [{any: [{all: []}]}]}}]"))
	for _, tt := range bounds() {
		f.Add([]byte(head + tt.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse("p", b)
		if err == nil {
			Test(p)
			return
		}
		ms, ok := errors.AsType[Mistakes](err)
		if !ok || len(ms) == 0 || err.Error() == "" {
			t.Fatalf("got %T with %d mistakes, want at least one", err, len(ms))
		}
		for _, m := range ms {
			if m.Line < 1 || m.Column < 1 || m.Message == "" {
				t.Errorf("got %+v, want a line, a column and a message", m)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	text.WriteString(head + "rules:\n")
	for i := range 200 {
		fmt.Fprintf(&text, "  - name: rule-%d\n    why: Somebody has to\n    when: {department: [Payments, \"Dept %d\"], title: [\"SRE*\"], employment: [employee], not: {country: [RU]}}\n    grant: {base_role: limited_user, teams: [{team: Payments, role: responder}]}\n    approval: {mode: auto}\n", i, i)
	}
	file := []byte(text.String())
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("p", file); err != nil {
			b.Fatal(err)
		}
	}
}
