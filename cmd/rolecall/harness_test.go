package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/storage/storagetest"
)

var (
	testdata = func() string { // where it is, wherever a test goes
		dir, err := filepath.Abs("testdata")
		if err != nil {
			panic(err)
		}
		return dir
	}()
	update   = flag.Bool("update", false, "rewrite the goldens and docs/demo.png")
	postgres storagetest.Postgres
)

// asCommand names the environment variable that makes of the test's binary the
// program itself: for a command that is to have surroundings of its own.
const asCommand = "ROLECALL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	flag.Parse()
	if err := waitTogether(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		code = 1
	}
	os.Exit(code)
}

// waitTogether lets more tests run at once than there are processors, unless
// -parallel says how many: these wait, for children, for holds and for Slack's
// pace, far more than they compute.
func waitTogether() error {
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if said {
		return nil
	}
	return flag.Set("test.parallel", "8")
}

// outcome is what one command left behind.
type outcome struct {
	code     int
	out, err string
}

// command runs rolecall in process, as a terminal would.
func command(t *testing.T, args ...string) outcome {
	t.Helper()
	return commandFor(t, patience, args...)
}

func commandFor(t *testing.T, long time.Duration, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var out, errOut bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &out, &errOut)
	return outcome{code, out.String(), errOut.String()}
}

// exits fails the test unless the command ended with code.
func (o outcome) exits(t *testing.T, code int) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit %d, want %d\nstdout: %s\nstderr: %s", o.code, code, o.out, o.err)
	}
	return o
}

const (
	patience      = slowness * 30 * time.Second // for what should take milliseconds, and waits its turn where Slack sets the pace
	storyTime     = slowness * 3 * time.Minute
	webhookSecret = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cy1vZi1yb2xlY2FsbCE="
	pagerDutyKey  = "u+key-of-the-tests"
	payments      = "C0PAYMENTS"
	security      = "C0SECURITY"
)

// place is where commands run: fakes of Slack and PagerDuty over real HTTP, a
// policy file, and the environment that names them. Because of that
// environment these tests do not run in parallel.
type place struct {
	t        *testing.T
	slack    *slacktest.Workspace
	pd       *pagerdutytest.Account
	dir      string
	database string
	listen   string
}

// settle makes a place. Where set is given, those variables differ.
func settle(t *testing.T, set map[string]string) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), listen: anAddress(t)}
	p.database = filepath.Join(p.dir, "rolecall.db")
	env := map[string]string{
		"DATABASE": p.database, "POLICY": filepath.Join("testdata", "policy.yaml"), "LISTEN": p.listen, "MODE": "enforce", "TIMEZONE": "UTC",
		"RECONCILE_SCHEDULE": "0 */4 * * *", "DIGEST_SCHEDULE": "0 9 * * 1-5",
		"SLACK_API_URL": p.startSlack(), "PAGERDUTY_API_URL": p.startPagerDuty(),
		"SLACK_BOT_TOKEN": p.slack.Config().BotToken, "SLACK_APP_TOKEN": p.slack.Config().AppToken,
		"PAGERDUTY_TOKEN": pagerDutyKey, "PAGERDUTY_REGION": "eu", "PAGERDUTY_FROM": "rolecall@acme.test", "WEBHOOK_SECRET": webhookSecret,
	}
	for name, value := range set {
		env[name] = value
	}
	bareEnvironment(t)
	for name, value := range env {
		if value != "" {
			t.Setenv("ROLECALL_"+name, value)
		}
	}
	p.database = env["DATABASE"]
	return p
}

// bareEnvironment unsets every variable of ours until the test is over.
func bareEnvironment(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "ROLECALL_") {
			t.Setenv(name, "") // which puts it back afterwards
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func anAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func (p *place) startSlack() string {
	p.t.Helper()
	p.slack = slacktest.New(slacktest.Config{Commands: []string{"/rolecall"}})
	bot := p.slack.Config().BotUserID
	members := []string{bot}
	for _, name := range []string{"marco", "ines", "omar", "priya", "lee", "kofi"} {
		p.hire(name)
		members = append(members, slackID(name))
	}
	p.slack.AddChannel(slacktest.Channel{ID: payments, Name: "payments", Members: members})
	p.slack.AddChannel(slacktest.Channel{ID: "C0PLATFORM", Name: "platform", Members: members})
	p.slack.AddChannel(slacktest.Channel{ID: security, Name: "security", Private: true, Members: []string{bot, slackID("priya"), slackID("lee")}})
	base, err := p.slack.Start()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { p.close("Slack", p.slack.Close) })
	return base + "/api/"
}

func (p *place) startPagerDuty() string {
	p.t.Helper()
	p.pd = pagerdutytest.New(pagerdutytest.Config{Token: pagerDutyKey})
	p.pd.AddUser(pagerdutytest.User{Name: "Break Glass", Email: "breakglass@acme.test", Role: pagerdutytest.Owner})
	p.pd.AddUser(pagerdutytest.User{Name: "rolecall", Email: "rolecall@acme.test", Role: pagerdutytest.Admin})
	p.pd.AddTeam(pagerdutytest.Team{ID: "PTPAY01", Name: "Payments"})
	p.pd.AddTeam(pagerdutytest.Team{ID: "PTPLA02", Name: "Platform"})
	base, err := p.pd.Start()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { p.close("PagerDuty", p.pd.Close) })
	return base
}

func (p *place) close(what string, f func() error) {
	if err := f(); err != nil {
		p.t.Errorf("close %s: %v", what, err)
	}
}

func slackID(name string) string { return "U0" + strings.ToUpper(name) }
func email(name string) string   { return name + "@acme.test" }

// hire makes somebody a member of the workspace.
func (p *place) hire(name string) {
	p.slack.AddUser(slacktest.User{ID: slackID(name), Name: name, RealName: strings.ToUpper(name[:1]) + name[1:], Email: email(name)})
}

// noViolations fails the test where Slack or PagerDuty would have objected.
func (p *place) noViolations() {
	p.t.Helper()
	for _, v := range p.slack.Violations() {
		p.t.Errorf("Slack objects to %s: %s %v", v.Method, v.Code, v.Detail)
	}
	for _, v := range p.pd.Violations() {
		p.t.Errorf("PagerDuty objects: %s", v)
	}
}

// transcript takes what a running command writes.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// serving is a serve that runs until it is stopped, at the latest when the test ends.
type serving struct {
	stop func() outcome
	log  *transcript
}

// serve starts serve in process and returns when it is ready.
func (p *place) serve() serving {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var s serving
	var out transcript
	s.log = &transcript{}
	code := make(chan int, 1)
	var running sync.WaitGroup
	running.Go(func() { code <- run(ctx, []string{"serve"}, strings.NewReader(""), &out, s.log) })
	s.stop = sync.OnceValue(func() outcome {
		cancel()
		running.Wait()
		return outcome{<-code, out.String(), s.log.String()}
	})
	p.t.Cleanup(func() {
		if o := s.stop(); o.code != 0 || p.t.Failed() {
			p.t.Errorf("serve exited %d and logged\n%s", o.code, o.err)
		}
	})
	p.until("serve is ready", func() bool {
		res, _ := p.get("/readyz")
		return res == http.StatusOK
	})
	p.until("the roll was called once", func() bool {
		_, metrics := p.get("/metrics")
		return strings.Contains(metrics, "\nrolecall_last_roll_call")
	})
	return s
}

// until fails the test where something that should happen soon does not.
func (p *place) until(what string, reached func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-ctx.Done():
			p.t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

// get returns the status, 0 for none, and the body of one of serve's pages.
func (p *place) get(path string) (int, string) {
	p.t.Helper()
	res, err := http.Get("http://" + p.listen + path)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Errorf("read %s: %v", path, err)
	}
	return res.StatusCode, string(body)
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(testdata, name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
func now() time.Time      { return time.Now() }
