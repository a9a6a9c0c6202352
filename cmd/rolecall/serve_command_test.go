package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// contract fails the test unless text is a JSON array (or, with one, a single
// value) of what the schema describes, and returns it.
func contract(t *testing.T, schema, text string, one bool) []map[string]any {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("testdata", schema))
	if err != nil {
		t.Fatal(err)
	}
	if one {
		text = "[" + text + "]"
	}
	var values []map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		t.Fatalf("this is not JSON: %v\n%s", err, text)
	}
	for _, v := range values {
		if err := s.Validate(v); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
	return values
}

// requestAbout returns the id of the one request about who.
func requestAbout(t *testing.T, who string) string {
	t.Helper()
	for _, r := range contract(t, "request.schema.json", command(t, "request", "list", "--all", "--json").exits(t, 0).out, false) {
		if r["subject"].(map[string]any)["email"] == email(who) {
			return r["id"].(string)
		}
	}
	t.Fatalf("there is no request about %s", who)
	return ""
}

func (p *place) decidesAtTheCommandLine(t *testing.T) {
	p.hire("tomo")
	p.joins("tomo")
	p.card(payments, "Tomo Test", "[Approve]")
	id := requestAbout(t, "tomo")
	contract(t, "request.schema.json", command(t, "request", "show", id, "--json").exits(t, 0).out, true)

	kofi := command(t, "request", "approve", id, "--as", email("omar")).exits(t, exitRefused)
	if !strings.Contains(kofi.err, "marco@acme.test") || kofi.out != "" {
		t.Errorf("the refusal does not say who may: %q, and prints %q", kofi.err, kofi.out)
	}
	stranger := command(t, "request", "approve", id, "--as", "nobody@acme.test").exits(t, exitRefused)
	if !strings.Contains(stranger.err, "Nobody with the address nobody@acme.test is known") {
		t.Errorf("a stranger is told %q", stranger.err)
	}
	command(t, "request", "deny", id, "--as", email("marco")).exits(t, exitUsage) // without a reason
	if cards, _ := p.cards(payments, "Tomo Test"); len(cards) != 1 || cards[0].Edited {
		t.Error("what did not count changed the card")
	}

	approved := command(t, "request", "approve", id, "--as", email("marco"), "--json").exits(t, 0)
	if got := contract(t, "request.schema.json", approved.out, true)[0]["state"]; got != "approved" {
		t.Errorf("approving printed a request that is %v", got)
	}
	p.card(payments, "Tomo Test", "Done, checked in PagerDuty")
	again := command(t, "request", "approve", id, "--as", email("ines")).exits(t, exitConflict)
	if !strings.Contains(again.err, "already") || !strings.Contains(again.err, "marco@acme.test") {
		t.Errorf("who comes too late is told %q", again.err)
	}
	shown := contract(t, "request.schema.json", command(t, "request", "show", id, "--json").exits(t, 0).out, true)[0]
	decision := shown["decisions"].([]any)[0].(map[string]any)
	if shown["state"] != "done" || decision["via"] != "cli" || decision["by"] != "marco@acme.test" {
		t.Errorf("the request is %v, decided by %v via %v", shown["state"], decision["by"], decision["via"])
	}
	told := command(t, "request", "show", id).exits(t, 0).out
	for _, line := range []string{
		"Request    " + id + ", joiner, done\n", "Who        Tomo Test <tomo@acme.test>\n", "Change     account: none → Responder (limited_user) (verified)\n",
		"Change     Payments: none → responder (verified)\n", "Decision   approve by marco@acme.test via cli, ",
	} {
		if !strings.Contains(told, line) {
			t.Errorf("show does not say %q:\n%s", line, told)
		}
	}
	if listed := command(t, "request", "list").exits(t, 0).out; strings.Contains(listed, id) {
		t.Errorf("what is settled is listed:\n%s", listed)
	}
	if done := command(t, "request", "list", "--state", "done").exits(t, 0).out; !strings.Contains(done, id+"  joiner  done") {
		t.Errorf("--state done does not list it:\n%s", done)
	}
	unknown := command(t, "request", "show", "req_nothing").exits(t, exitUsage)
	if !strings.Contains(unknown.err, "request list --all") {
		t.Errorf("an unknown request is answered with %q", unknown.err)
	}
}

// takesTheNoticeOfTheReadme runs the shell script that the README shows.
func (p *place) takesTheNoticeOfTheReadme(t *testing.T) {
	for _, tool := range []string{"bash", "openssl", "curl", "xxd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the README's script needs %s", tool)
		}
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)```sh\n(body=.*?)```").FindSubmatch(readme)
	if script == nil {
		t.Fatal("the README shows no script that sends a notice")
	}
	run := func() string {
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", strings.ReplaceAll(string(script[1]), "127.0.0.1:8080", p.listen))
		answer, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("the README's script failed: %v\n%s", err, answer)
		}
		return string(answer)
	}
	if first := run(); !strings.Contains(first, `"duplicate":false`) || !strings.Contains(first, `"id":"ntc_`) {
		t.Errorf("the README's notice is answered with %s", first)
	}
	if second := run(); !strings.Contains(second, `"duplicate":true`) {
		t.Errorf("its repeat is answered with %s", second)
	}
	p.card(payments, "Mina Ito", "[Approve]")
}

func (p *place) callsTheRoll(t *testing.T) {
	stray := p.pd.AddUser(pagerdutytest.User{Name: "Jo Temp", Email: "jo@contractors.example", Role: "limited_user"})
	p.pd.AddMember("PTPLA02", stray.ID, "responder")
	dry := contract(t, "finding.schema.json", command(t, "reconcile", "--dry-run", "--json").exits(t, 0).out, false)
	if len(dry) == 0 || dry[0]["kind"] != "orphan" {
		t.Fatalf("the roll found %v", dry)
	}
	if cards, said := p.cards(security, "Jo Temp"); len(cards) > 0 {
		t.Errorf("a dry run asked: %s", said)
	}

	p.pd.Fail(pagerdutytest.Fault{Method: http.MethodGet, Path: "/teams/*/members", Times: -1, Kind: pagerdutytest.Status(http.StatusInternalServerError, "")})
	broken := command(t, "reconcile").exits(t, exitPartial)
	p.pd.Heal()
	if !strings.Contains(broken.err, "nothing was concluded") || broken.out != "" {
		t.Errorf("a roll call that broke off says %q and prints %q", broken.err, broken.out)
	}
	if tail := command(t, "audit", "tail", "-n", "5").exits(t, 0).out; !strings.Contains(tail, "rollcall.failed") {
		t.Errorf("the record ends\n%s", tail)
	}
	if metrics := p.page(t, "/metrics"); strings.Contains(metrics, "rolecall_findings_open{") {
		t.Errorf("a roll call that broke off left findings:\n%s", metrics)
	}
	p.pd.Fail(pagerdutytest.Fault{Method: http.MethodGet, Path: "/teams/*/members", Kind: pagerdutytest.Status(http.StatusForbidden, `{"error":{"message":"Access Denied","code":2010}}`)})
	denied := command(t, "reconcile", "--dry-run").exits(t, exitPartial)
	if !strings.Contains(denied.err, "does not let rolecall's key do that") {
		t.Errorf("a key that may not read members is explained as %q", denied.err)
	}

	found := contract(t, "finding.schema.json", command(t, "reconcile", "--json").exits(t, 0).out, false)
	if len(found) != len(dry) {
		t.Errorf("the roll found %d, and %d in its dry run", len(found), len(dry))
	}
	p.until("the finding is asked about", func() bool {
		cards, _ := p.cards("C0PLATFORM", "Jo Temp")
		return len(cards) == 1
	})
	if metrics := p.page(t, "/metrics"); !strings.Contains(metrics, `rolecall_findings_open{kind="orphan"} 1`) {
		t.Errorf("the finding is not in the metrics:\n%s", metrics)
	}
}

// page returns a page that must be there.
func (p *place) page(t *testing.T, path string) string {
	t.Helper()
	status, body := p.get(path)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, body)
	}
	return body
}

func (p *place) saysHowItIs(t *testing.T) {
	if got := p.page(t, "/healthz"); got != "ok\n" {
		t.Errorf("/healthz says %q", got)
	}
	if got := p.page(t, "/readyz"); got != "ready\n" {
		t.Errorf("/readyz says %q", got)
	}
	if got := command(t, "health").exits(t, 0).out; got != "ready\n" {
		t.Errorf("health says %q", got)
	}
	for _, metric := range []string{"rolecall_http_requests_total", "rolecall_http_seconds_bucket", "rolecall_last_roll_call_timestamp_seconds", "rolecall_requests", "go_goroutines"} {
		if !strings.Contains(p.page(t, "/metrics"), "\n"+metric) {
			t.Errorf("/metrics has no %s", metric)
		}
	}
	if status, _ := p.get("/nothing"); status != http.StatusNotFound {
		t.Errorf("a page that is not there is answered with %d", status)
	}
	if status, _ := p.get("/v1/lifecycle"); status != http.StatusMethodNotAllowed {
		t.Errorf("reading where notices are posted is answered with %d", status)
	}
	if strings.Contains(p.page(t, "/metrics"), "/nothing") {
		t.Error("a stranger can make series in the metrics")
	}
}

func (p *place) servesAlone(t *testing.T) {
	for _, args := range [][]string{{"serve"}, {"migrate"}} {
		if o := command(t, args...).exits(t, exitFault); !strings.Contains(o.err, "another rolecall serves") {
			t.Errorf("a second %v says %q", args, o.err)
		}
	}
}

func (p *place) backsUp(t *testing.T) {
	file := filepath.Join(p.dir, "copy.db")
	if o := command(t, "backup", file).exits(t, 0); !strings.Contains(o.out, "rolecall audit verify "+file) {
		t.Errorf("backup says %q", o.out)
	}
	command(t, "audit", "verify", file).exits(t, 0)
	if o := command(t, "backup", file).exits(t, exitFault); !strings.Contains(o.err, "is there already") {
		t.Errorf("a backup onto a file says %q", o.err)
	}
}

// keepsQuiet fails the test where a log says what it must not.
func keepsQuiet(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{webhookSecret, pagerDutyKey, "xoxb-slacktest", "xapp-slacktest", "slacktest-signing-secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret was written: %q in\n%s", secret, text)
		}
	}
	if found := regexp.MustCompile(`[a-z]+@acme\.test`).FindString(text); found != "" {
		t.Errorf("the log names %s:\n%s", found, text)
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Errorf("this line of the log is not JSON: %s", line)
		}
	}
	if !strings.Contains(text, `"msg":"serving"`) {
		t.Error(fmt.Errorf("the log does not say that it serves:\n%s", text))
	}
}

func (p *place) followsTheRecord(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var out transcript
	var running sync.WaitGroup
	code := make(chan int, 1)
	running.Go(func() {
		code <- run(ctx, []string{"audit", "tail", "-f", "-n", "1", "--json"}, strings.NewReader(""), &out, &out)
	})
	p.until("the last line is printed", func() bool { return strings.Count(out.String(), "\n") >= 1 })
	p.joins("kofi")
	p.until("what is new is printed", func() bool { return strings.Contains(out.String(), `"kind":"notice.received"`) })
	stop()
	running.Wait()
	if got := <-code; got != 0 {
		t.Errorf("it exits %d when it is told to stop", got)
	}
	last := int64(0)
	for line := range strings.Lines(out.String()) {
		var l struct {
			Seq         int64
			Kind, Actor string
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Kind == "" || l.Actor == "" || last != 0 && l.Seq != last+1 {
			t.Errorf("line %d, after %d, is %+v: %v", l.Seq, last, l, err)
		}
		last = l.Seq
	}
}

func (p *place) tellsPeople(t *testing.T) {
	dry := command(t, "digest", "--dry-run").exits(t, 0).out
	if !strings.Contains(dry, "marco@acme.test\n  waits for you   Mina Ito: account: none → Responder (limited_user); Payments: none → responder (req_") {
		t.Errorf("the digests are\n%s", dry)
	}
	var digests []struct {
		For                             string
		Waiting, Findings, Ending, Done []any
	}
	text := command(t, "digest", "--dry-run", "--json").exits(t, 0).out
	if err := json.Unmarshal([]byte(text), &digests); err != nil || len(digests) == 0 {
		t.Fatalf("the digests are %s: %v", text, err)
	}
	for _, d := range digests {
		if d.For == "" || d.Waiting == nil || d.Findings == nil || d.Ending == nil || d.Done == nil {
			t.Errorf("a list that is empty is not a list: %+v", d)
		}
	}
	if o := command(t, "digest").exits(t, 0); !strings.HasPrefix(o.out, "Asked for.") {
		t.Errorf("digest says %q", o.out)
	}
}
