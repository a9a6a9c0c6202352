package bot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// The people, and where they talk.
const (
	marco    = "U0MARCO" // owns Payments
	ines     = "U0INES"  // owns Payments too
	omar     = "U0OMAR"  // owns Platform
	priya    = "U0PRIYA" // is Security
	lee      = "U0LEE"   // is Security too
	ben      = "U0BEN"   // whom the requests are about
	guest    = "U0GUEST"
	stranger = "U0STRANGER"
	nobody   = "U0NOBODY" // of this workspace, and known to no source
	payments = "C0PAYMENTS"
	secured  = "C0SECURITY"
)

// transport is how Slack reaches the bot.
type transport string

const (
	overSocket transport = "socket"
	overHTTP   transport = "http"
)

// eachTransport runs the test over both.
func eachTransport(t *testing.T, f func(t *testing.T, over transport)) {
	for _, over := range []transport{overSocket, overHTTP} {
		t.Run(string(over), func(t *testing.T) {
			t.Parallel()
			f(t, over)
		})
	}
}

// clock is what everybody's watch shows.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var today = time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)

// house is a workspace with people, and the real bot in it.
type house struct {
	*slacktest.Workspace
	store   *memory
	clock   *clock
	bot     *bot.Bot
	api     *slack.Client // the bot's own token, to put cards up
	hook    string        // base of the bot's endpoints, over HTTP
	rolls   chan lifecycle.Actor
	stopped chan error // what Run returned
	stop    context.CancelFunc
	reviews *bot.Reviewer
	log     *logbook
}

// relayed lets alter change what Slack sends over the socket.
func relayed(t *testing.T, alter func([]byte) []byte) func(string) string {
	return func(base string) string { return newRelay(t, base, alter).URL }
}

func newHouse(t testing.TB, over transport, between ...func(base string) string) *house {
	t.Helper()
	h := &house{clock: &clock{now: today}, store: newMemory(policy()), rolls: make(chan lifecycle.Actor, 8), stopped: make(chan error, 1), log: &logbook{}}
	h.store.now = h.clock.Now
	h.Workspace = slacktest.New(slacktest.Config{Now: h.clock.Now, NoRateLimits: true, RetryDelays: []time.Duration{0, time.Millisecond, time.Millisecond}})
	h.populate()
	base, err := h.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	h.api = slack.New(h.Config().BotToken, slack.OptionAPIURL(base+"/api/"), slack.OptionHTTPClient(&http.Client{Timeout: 10 * time.Second}))
	for _, f := range between {
		base = f(base)
	}
	if h.bot, err = bot.New(h.config(over, base)); err != nil {
		t.Fatal(err)
	}
	h.run(t, over)
	return h
}

func (h *house) config(over transport, base string) bot.Config {
	var bc bot.Config
	m := h.store
	bc.Secrets = bot.Secrets{BotToken: h.Config().BotToken}
	if over == overSocket {
		bc.Secrets.AppToken = h.Config().AppToken
	} else {
		bc.Secrets.SigningSecret = h.Config().SigningSecret
	}
	bc.CountAgain = 50 * time.Millisecond
	bc.APIURL, bc.Client = base+"/api/", &http.Client{Timeout: 10 * time.Second}
	bc.Approvals = lifecycle.NewApprovals(m, m, h.clock.Now)
	bc.Directory = lifecycle.NewDirectory(m, m, h.clock.Now)
	bc.Desk = lifecycle.NewDesk(m, bc.Approvals, m, h.clock.Now)
	bc.Digests = lifecycle.NewDigests(m, bc.Desk, bc.Directory, m, daily{}, h.clock.Now)
	bc.Policies, bc.Tallies, bc.Store = m, m, m
	bc.Matcher = lifecycle.NewMatcher(answering{m: m}, m, h.clock.Now)
	bc.Planner = lifecycle.NewPlanner(wishing{m: m}, wishing{m: m}, wishing{m: m}, m, nil, lifecycle.Enforce, h.clock.Now)
	bc.Brakes, bc.Sources = lifecycle.NewBrakes(m, m, h.clock.Now), lifecycle.NewSources(m, m, h.clock.Now)
	bc.Absences = lifecycle.NewAbsences(m, m, h.clock.Now)
	h.reviews = &bot.Reviewer{Now: h.clock.Now, Found: func() []lifecycle.Finding { m.mu.Lock(); defer m.mu.Unlock(); return slices.Clone(m.found) }, Put: m.reviewed}
	bc.Reviews = h.reviews
	bc.Groups = lifecycle.NewGroups(m, bc.Directory, m, h.clock.Now)
	bc.RollCall = func(_ context.Context, by lifecycle.Actor) error { h.rolls <- by; return nil }
	bc.Mode, bc.Location, bc.Now, bc.Log = lifecycle.Enforce, time.UTC, h.clock.Now, slog.New(h.log)
	return bc
}

// run connects the bot, and takes it down before the workspace closes.
func (h *house) run(t testing.TB, over transport) {
	t.Helper()
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.stopped <- h.bot.Run(ctx) })
	t.Cleanup(func() {
		h.stop()
		h.DropConnections()
		running.Wait()
	})
	if over == overHTTP {
		server := httptest.NewServer(h.bot.HTTP())
		t.Cleanup(server.Close)
		h.hook = server.URL
		h.UseHTTP(h.hook+"/slack/events", h.hook+"/slack/commands", h.hook+"/slack/interactions")
	}
	h.await(t, "the bot is connected", func() bool {
		return h.bot.Connected() == nil && (over == overHTTP || h.log.count(slog.LevelInfo, "slack connected") == 2)
	})
}

func (h *house) populate() {
	us := h.Config().BotUserID
	for id, name := range map[string]string{marco: "marco", ines: "ines", omar: "omar", priya: "priya", lee: "lee", ben: "ben"} {
		h.AddUser(slacktest.User{ID: id, Email: name + "@acme.test", RealName: strings.ToUpper(name[:1]) + name[1:]})
		h.store.identities[lifecycle.IdentityID("idn_"+name)] = lifecycle.Identity{
			ID: lifecycle.IdentityID("idn_" + name), Revision: 1,
			Keys: map[string]string{"okta": name}, Person: lifecycle.Person{
				EmployeeID: name, Status: lifecycle.StatusActive, Emails: []string{name + "@acme.test"},
				Name: strings.ToUpper(name[:1]) + name[1:], Department: "Payments",
			},
		}
	}
	h.AddUser(slacktest.User{ID: guest, Email: "guest@acme.test", Restricted: true})
	h.AddUser(slacktest.User{ID: stranger, Email: "marco@acme.test", TeamID: "T0OTHER"})
	h.AddUser(slacktest.User{ID: nobody, Email: "eve@acme.test"})
	h.AddChannel(slacktest.Channel{ID: payments, Name: "payments", Members: []string{us, marco, ines, omar, priya, ben, guest, stranger, nobody}})
	h.AddChannel(slacktest.Channel{ID: secured, Name: "security", Members: []string{us, priya, lee, ben, marco}})
	h.store.accounts = []lifecycle.Account{
		{ID: "PMARCO", Email: "marco@acme.test", Name: "Marco", BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{{Team: paymentsTeam, Role: lifecycle.TeamManager}}},
		{ID: "PBEN", Email: "ben@acme.test", Name: "Ben", BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{{Team: paymentsTeam, Role: lifecycle.TeamResponder}}},
	}
	h.store.called = today.Add(-time.Hour)
}

var (
	paymentsTeam = lifecycle.Team{ID: "PPAYSRE", Name: "Payments"}
	platformTeam = lifecycle.Team{ID: "PPLATFM", Name: "Platform"}
)

func policy() lifecycle.Policy {
	return lifecycle.Policy{
		SHA256: "7c1e0000", Domains: []string{"acme.test"},
		Defaults: lifecycle.Defaults{Approval: lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: 1, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners}}},
		Security: lifecycle.Security{Channel: "C0SECURITY", Members: []string{"priya@acme.test", "lee@acme.test"}},
		Teams: []lifecycle.TeamPolicy{
			{Name: "Payments", ID: paymentsTeam.ID, Owners: []string{"ines@acme.test", "marco@acme.test"}, Channel: payments},
			{Name: "Platform", ID: platformTeam.ID, Owners: []string{"omar@acme.test"}},
		},
		Rules: []lifecycle.Rule{{
			Name: "payments-sre", Rollout: lifecycle.RolloutEnforce, BaseRole: lifecycle.RoleResponder,
			When:  lifecycle.Selector{Match: []lifecycle.Match{{Attribute: lifecycle.AttrDepartment, Patterns: []string{"payments"}}}},
			Teams: []lifecycle.TeamGrant{{Team: "Payments", Role: lifecycle.TeamResponder}},
		}},
	}
}

// daily strikes every 24 hours.
type daily struct{}

func (daily) Next(t time.Time) time.Time { return t.Add(24 * time.Hour) }

// await waits until ready reports true, and fails the test when it never does.
func (h *house) await(t testing.TB, what string, ready func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond) // not everything waited for is seen in the workspace
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never came: %s\nlog: %s", what, h.log)
		}
	}
}

// clean fails the test for anything that Slack would have refused.
func (h *house) clean(t testing.TB) {
	t.Helper()
	for _, v := range h.Violations() {
		t.Errorf("Slack refused %s: %s %v %v", v.Method, v.Code, v.Detail, v.Args)
	}
}

// told returns the private lines that somebody was told in a channel.
func (h *house) told(user string) string {
	var all []string
	for _, m := range h.Ephemerals(user) {
		all = append(all, m.Text, slacktest.PlainText(m.Blocks))
	}
	if dm := h.DirectMessage(user); dm != "" {
		for _, m := range h.Messages(dm) {
			all = append(all, m.Text, slacktest.PlainText(m.Blocks))
		}
	}
	return strings.Join(all, "\n")
}

func (h *house) awaitTold(t testing.TB, user, words string) {
	t.Helper()
	h.await(t, fmt.Sprintf("%s is told %q (told: %q)", user, words, h.told(user)), func() bool { return strings.Contains(h.told(user), words) })
}

func (h *house) awaitState(t testing.TB, id lifecycle.RequestID, s lifecycle.RequestState) {
	t.Helper()
	h.await(t, fmt.Sprintf("%s is %s", id, s), func() bool { return h.store.request(id).State == s })
}

func (h *house) awaitModal(t testing.TB, user string) slacktest.View {
	t.Helper()
	h.await(t, user+" has a modal", func() bool { _, ok := h.Modal(user); return ok })
	v, _ := h.Modal(user)
	return v
}

// open puts a pending request about Ben into the store.
func (h *house) open(id lifecycle.RequestID, adjust ...func(*lifecycle.Request)) lifecycle.Request {
	r := lifecycle.Request{
		ID: id, Kind: lifecycle.RequestMover, State: lifecycle.Pending, Revision: 1, Needed: 1,
		Subject: lifecycle.Subject{ID: "idn_ben", Email: "ben@acme.test", Name: "Ben"}, Account: lifecycle.AccountRef{ID: "PBEN"},
		Changes:  []lifecycle.Change{{ID: "chg_1", Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamResponder), To: "responder", State: lifecycle.ChangePlanned}},
		Why:      lifecycle.Why{Rule: "payments-sre", Event: "Moved to Payments.", Policy: "7c1e0000"},
		From:     []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
		OpenedAt: h.clock.Now(), UpdatedAt: h.clock.Now(),
	}
	for _, f := range adjust {
		f(&r)
	}
	h.store.change(func(m *memory) { m.requests[id] = r })
	return r
}

// deletion makes the request one that destroys.
func deletion(r *lifecycle.Request) {
	r.Changes = []lifecycle.Change{{ID: "chg_1", Op: lifecycle.OpDelete, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}, From: "limited_user", State: lifecycle.ChangePlanned}}
	r.Holds = []lifecycle.Grant{{Account: "PBEN", Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamResponder)}}
}

// drift makes the request one about a finding.
func drift(r *lifecycle.Request) {
	r.Kind, r.Why.Find = lifecycle.RequestDrift, "fnd_1"
	r.Changes = []lifecycle.Change{{ID: "chg_1", Op: lifecycle.OpRevoke, Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamManager), From: "manager", State: lifecycle.ChangePlanned}}
}

// card puts a card with every button up in a channel, and returns its ts. It
// is not the bot's own drawing: the buttons are what counts here.
func (h *house) card(t testing.TB, channel string, r lifecycle.Request, thread string) string {
	t.Helper()
	value := fmt.Sprintf("%s:%d", r.ID, r.Revision)
	button := func(id, label string) slack.BlockElement {
		return slack.NewButtonBlockElement(id, value, slack.NewTextBlockObject(slack.PlainTextType, label, false, false))
	}
	options := []slack.MsgOption{slack.MsgOptionText("card", false), slack.MsgOptionBlocks(
		slack.NewActionBlock("a", button(bot.ActionApprove, "Approve"), button(bot.ActionDeny, "Deny"), button(bot.ActionUndo, "Undo"),
			button(bot.ActionRetry, "Retry"), button(bot.ActionKeep, "Keep"), button(bot.ActionRevoke, "Revoke"), button(bot.ActionChoose, "Choose replacement…")))}
	if thread != "" {
		options = append(options, slack.MsgOptionTS(thread))
	}
	_, ts, err := h.api.PostMessageContext(t.Context(), channel, options...)
	if err != nil {
		t.Fatal(err)
	}
	h.store.change(func(m *memory) {
		m.messages = append(m.messages, lifecycle.Message{Key: "card/" + string(r.ID) + "/" + channel, Request: r.ID, Channel: channel, TS: ts, Revision: r.Revision})
	})
	return ts
}

// press presses and fails the test unless that is acknowledged.
func (h *house) press(t testing.TB, user, channel, ts, action string) slacktest.Outcome {
	t.Helper()
	out, err := h.Press(t.Context(), user, channel, ts, action)
	if err != nil {
		t.Fatalf("%v\nlog: %s", err, h.log)
	}
	return out
}

// logbook keeps what was logged.
type logbook struct {
	mu    sync.Mutex
	lines []slog.Record
}

func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (l *logbook) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logbook) WithGroup(string) slog.Handler            { return l }

func (l *logbook) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Clone())
	return nil
}

// count returns how many lines of at least the level have the message.
func (l *logbook) count(level slog.Level, message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.lines {
		if r.Level >= level && r.Message == message {
			n++
		}
	}
	return n
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, r := range l.lines {
		fmt.Fprintf(&b, "%s %s", r.Level, r.Message)
		r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b, " %s", a); return true })
		b.WriteString("\n")
	}
	return b.String()
}

// altered returns the payload of a delivery with one field changed.
func altered(t testing.TB, payload json.RawMessage, change func(map[string]any)) json.RawMessage {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(payload, &v); err != nil {
		t.Fatal(err)
	}
	change(v)
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
