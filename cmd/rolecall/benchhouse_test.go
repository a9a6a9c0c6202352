package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/storage"
)

// benchHouse is the company of the crash tests, to be measured.
type benchHouse struct {
	*testing.B
	slack    *slacktest.Workspace
	pd       *pagerdutytest.Account
	database string
	slackURL string
	pdURL    string
	log      transcript
}

func newBenchHouse(b *testing.B, c slacktest.Config) *benchHouse {
	b.Helper()
	h := &benchHouse{B: b, slack: slacktest.New(c), pd: pagerdutytest.New(pagerdutytest.Config{Token: demoToken}), database: filepath.Join(b.TempDir(), "rolecall.db")}
	for _, name := range []string{"marco", "priya"} {
		h.slack.AddUser(slacktest.User{ID: slackID(name), Name: name, RealName: name, Email: email(name)})
	}
	app := h.slack.Config().BotUserID
	h.slack.AddChannel(slacktest.Channel{ID: "C0PAYMENTS", Name: "payments", Members: []string{"U0MARCO", app}})
	h.slack.AddChannel(slacktest.Channel{ID: "C0SECURITY", Name: "security", Members: []string{"U0PRIYA", app}})
	h.pd.AddUser(pagerdutytest.User{Name: "Owner", Email: "owner@acme.test", Role: "owner"})
	h.pd.AddTeam(pagerdutytest.Team{ID: "PPAY", Name: "Payments"})
	var err, pdErr error
	h.slackURL, err = h.slack.Start()
	h.pdURL, pdErr = h.pd.Start()
	h.must(errors.Join(err, pdErr))
	b.Cleanup(func() { h.must(errors.Join(h.slack.Close(), h.pd.Close())) })
	return h
}

func (h *benchHouse) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *benchHouse) settings() settings {
	h.Helper()
	file := filepath.Join(h.TempDir(), "policy.yaml")
	h.must(os.WriteFile(file, []byte(crashPolicy), 0o600))
	secrets, err := intake.ParseSecrets(demoWebhook)
	h.must(err)
	is := h.slack.Config()
	return settings{
		database: h.database, policy: file, mode: lifecycle.Enforce, location: time.UTC, reconcile: every(24 * time.Hour), digest: every(24 * time.Hour),
		slack: bot.Secrets{BotToken: is.BotToken, AppToken: is.AppToken}, slackURL: h.slackURL + "/api/",
		pagerDuty: pagerduty.Config{Token: func() (string, error) { return demoToken, nil }, From: "owner@acme.test", APIURL: h.pdURL, Now: time.Now, Log: quiet()},
		doors:     doors{webhook: func() ([]intake.Secret, error) { return secrets, nil }},
		looks:     policyLooks, listen: "127.0.0.1:0", log: slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

func (h *benchHouse) service(s settings) *service {
	h.Helper()
	is, err := newService(h.Context(), s)
	h.must(err)
	return is
}

// run runs the service in this process until the benchmark ends, and returns
// its address once it is ready.
func (h *benchHouse) run(s settings) string {
	h.Helper()
	is := h.service(s)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := errors.Join(is.run(ctx), is.close()); err != nil {
			h.Error(err)
		}
	})
	h.Cleanup(func() { stop(); running.Wait() })
	h.until("the service is ready", func() bool { return h.ready(is.address()) })
	return is.address()
}

func (h *benchHouse) ready(address string) bool {
	res, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return false
	}
	res.Body.Close() //nolint:errcheck // nothing more is read
	return res.StatusCode == http.StatusOK
}

// rolled reports whether the service has called the roll.
func (h *benchHouse) rolled(address string) bool {
	res, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return err == nil && bytes.Contains(text, []byte("\nrolecall_last_roll_call"))
}

func (h *benchHouse) until(what string, reached func() bool) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-ctx.Done():
			h.Fatalf("waited in vain for %s; the service said:\n%s", what, h.log.String())
		case <-tick.C:
		}
	}
}

// signed is a notice that somebody joins Payments, ready to be sent.
type signed struct {
	name, email string
	header      http.Header
	body        string
}

func newSigned(b *testing.B) signed {
	b.Helper()
	who := strings.ToLower(rand.Text())
	n := signed{name: "Nora " + who, email: email(who)}
	body, id, err := noticeBody(lifecycle.Person{EmployeeID: who, Status: lifecycle.StatusActive, Emails: []string{n.email}, Name: n.name, Department: "Payments", Title: "SRE II"}, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	secrets, err := intake.ParseSecrets(demoWebhook)
	if err != nil {
		b.Fatal(err)
	}
	n.header, n.body = intake.Sign(secrets[0], id, time.Now(), []byte(body)), body
	n.header.Set("Content-Type", "application/cloudevents+json")
	return n
}

// sender returns what posts a notice to the intake at address, and returns an
// error unless it was kept.
func (h *benchHouse) sender(address string) func(signed) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchSenders}}
	h.Cleanup(client.CloseIdleConnections)
	return func(n signed) error {
		req, err := http.NewRequestWithContext(h.Context(), http.MethodPost, "http://"+address+intake.RouteLifecycle, strings.NewReader(n.body))
		if err != nil {
			return err
		}
		req.Header = n.header
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode != http.StatusAccepted {
			err = fmt.Errorf("the intake answered %d %s", res.StatusCode, answer)
		}
		return err
	}
}

// bareCommits returns what commits one row to the same file, as durably as the
// service does: on one connection, which is fastest, with statements prepared.
func (h *benchHouse) bareCommits() func() error {
	h.Helper()
	db, err := sql.Open("sqlite", "file:"+h.database+"?_busy_timeout=10000&_synchronous=FULL&_txlock=immediate")
	h.must(err)
	h.Cleanup(func() { h.must(db.Close()) })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(h.Context(), "CREATE TABLE bare (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)")
	h.must(err)
	insert, err := db.PrepareContext(h.Context(), "INSERT INTO bare (id, body) VALUES ($1, $2)")
	h.must(err)
	return func() error {
		_, err := insert.ExecContext(h.Context(), rand.Text(), "somebody joins Payments")
		return err
	}
}

// pending leaves n requests in the database that wait for Marco, with an
// account in PagerDuty and a card in Slack for each, and returns the cards.
func (h *benchHouse) pending(n int) []string {
	h.Helper()
	db := h.open()
	api := slack.New(h.slack.Config().BotToken, slack.OptionAPIURL(h.slackURL+"/api/"))
	cards := make([]string, n)
	for i := range n {
		u := h.pd.AddUser(pagerdutytest.User{Name: "Nora", Email: email(fmt.Sprint("nora", i)), Role: "limited_user"})
		r := openRequest(i, u.ID)
		e := lifecycle.AuditEvent{At: r.OpenedAt, Actor: lifecycle.System, Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}
		h.must(db.SaveRequest(h.Context(), r, e))
		button := slack.NewButtonBlockElement(bot.ActionApprove, fmt.Sprintf("%s:%d", r.ID, r.Revision), slack.NewTextBlockObject(slack.PlainTextType, "Approve", false, false))
		_, ts, err := api.PostMessageContext(h.Context(), "C0PAYMENTS", slack.MsgOptionText("A request", false), slack.MsgOptionBlocks(slack.NewActionBlock("", button)))
		h.must(err)
		cards[i] = ts
		m := lifecycle.Message{Key: "card/" + string(r.ID) + "/C0PAYMENTS", Request: r.ID, Channel: "C0PAYMENTS", TS: ts, Revision: r.Revision, Intended: r.OpenedAt}
		e.Kind = lifecycle.EventCardShown
		h.must(db.SaveMessage(h.Context(), m, e))
	}
	h.must(db.Close())
	return cards
}

func (h *benchHouse) open() *storage.DB {
	h.Helper()
	db, err := openDatabase(h.Context(), h.database, storage.Serve, quiet(), nil)
	h.must(err)
	h.must(db.Migrate(h.Context()))
	return db
}

// openRequest is a request to put somebody on the team of Payments.
func openRequest(i int, account string) lifecycle.Request {
	who := email(fmt.Sprint("nora", i))
	at := time.Now().UTC().Truncate(time.Microsecond)
	return lifecycle.Request{
		ID: lifecycle.RequestIDFor(who, "change"), Kind: lifecycle.RequestJoiner, State: lifecycle.Pending, Revision: 1,
		Subject: lifecycle.Subject{Email: who, Name: "Nora"}, Account: lifecycle.AccountRef{ID: lifecycle.AccountID(account)},
		Changes: []lifecycle.Change{{
			ID: lifecycle.NewChangeID(), Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(lifecycle.Team{ID: "PPAY", Name: "Payments"}, lifecycle.TeamResponder),
			To: string(lifecycle.TeamResponder), State: lifecycle.ChangePlanned,
		}},
		Why: lifecycle.Why{Rule: "payments", Event: "Joined."}, Needed: 1, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners}, Approvers: []string{email("marco")},
		Decisions: []lifecycle.Decision{}, OpenedAt: at, UpdatedAt: at, DecideBy: at.Add(72 * time.Hour),
	}
}

// populate leaves so many people and requests in the database, and an account
// in PagerDuty for each person.
func (h *benchHouse) populate(people, requests int) {
	h.Helper()
	db := h.open()
	for i := range people {
		who := fmt.Sprint("nora", i)
		u := h.pd.AddUser(pagerdutytest.User{Name: "Nora", Email: email(who), Role: "limited_user"})
		is := lifecycle.Identity{
			ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{demoSource: who}, Account: lifecycle.AccountID(u.ID), Observed: time.Now(),
			Person: lifecycle.Person{EmployeeID: who, Status: lifecycle.StatusActive, Emails: []string{email(who)}, Name: "Nora", Department: "Payments", Title: "SRE II"},
		}
		h.must(db.SaveIdentity(h.Context(), is, nil, lifecycle.AuditEvent{At: time.Now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(is.ID)}))
		if i < requests {
			r := openRequest(i, u.ID)
			h.must(db.SaveRequest(h.Context(), r, lifecycle.AuditEvent{At: r.OpenedAt, Actor: lifecycle.System, Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}))
		}
	}
	h.must(db.Close())
}

// card returns Marco's card about who, once it can be pressed.
func (h *benchHouse) card(who string) (ts string) {
	h.Helper()
	h.must(h.slack.Until(h.Context(), func() bool {
		for _, m := range h.slack.Messages("C0PAYMENTS") {
			if strings.Contains(slacktest.PlainText(m.Blocks), who) && slices.ContainsFunc(slacktest.Buttons(m.Blocks), func(c slacktest.Control) bool { return c.ActionID == bot.ActionApprove }) {
				ts = m.TS
			}
		}
		return ts != ""
	}))
	return ts
}

// written returns when PagerDuty was first asked to change something about who.
func (h *benchHouse) written(who string) time.Time {
	h.Helper()
	for version := uint64(0); ; {
		for _, w := range h.pd.Writes() {
			if strings.Contains(w.Body, who) {
				return w.At
			}
		}
		var err error
		version, err = h.pd.Wait(h.Context(), version)
		h.must(err)
	}
}
