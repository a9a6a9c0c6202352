package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/intake/okta/oktatest"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/storage"
)

// sourceHouse is a company of which its sources of truth tell the real service,
// over HTTP, beside the strict fakes of Slack, PagerDuty and Okta. Its people
// decide in Slack.
type sourceHouse struct {
	*place
	okta     *oktatest.Org
	settings settings
	secret   intake.Secret
	service  *service
	stop     func() // the service, and returns when it has ended
	log      transcript
}

// housePolicy is the policy of a house, with lines of its own beneath it. What
// takes minutes in life takes a second.
const housePolicy = `version: 1
defaults: {hold: 0s}
domains: [acme.test]
security: {channel: C0SECURITY, members: [priya@acme.test, lee@acme.test]}
protected: [breakglass@acme.test, rolecall@acme.test]
breaker: {removals: 5, percent: 2, window: 24h, gather: 3s, movers: 10, movers_percent: 10}
teams:
  - {name: Payments, pagerduty: PTPAY01, owners: [marco@acme.test], channel: C0PAYMENTS}
  - {name: Platform, pagerduty: PTPLA02, owners: [omar@acme.test], channel: C0PLATFORM}
rules:
  - name: payments
    when: {department: [Payments]}
    grant: {base_role: limited_user, teams: [{team: Payments, role: responder}]}
  - name: platform
    when: {department: [Platform]}
    grant: {base_role: limited_user, teams: [{team: Platform, role: responder}]}
leaver: {contain: auto, delete_after: 336h}
`

const (
	oktaClient   = "okta"
	entraClient  = "entra"
	oktaSecret   = "the-secret-of-the-event-hook-of-okta"
	oktaAPIToken = "00TheReadOnlyTokenOfTheStories"
	rosterToken  = "the-token-of-the-roster-of-the-stories"
)

func scimToken(client string) string { return client + "-token-of-the-stories-0123456789" }

// onEachDatabase tells the story on SQLite and on PostgreSQL.
func onEachDatabase(t *testing.T, policy string, story func(*sourceHouse)) {
	t.Helper()
	t.Run("on SQLite", func(t *testing.T) { t.Parallel(); onSQLite(t, policy, story) })
	t.Run("on PostgreSQL", func(t *testing.T) { t.Parallel(); tell(t, postgres.Database(t), policy, story) })
}

func onSQLite(t *testing.T, policy string, story func(*sourceHouse)) {
	t.Helper()
	tell(t, filepath.Join(t.TempDir(), "rolecall.db"), policy, story)
}

// tell tells the story in a house whose service runs, and looks that all is whole
// at the end.
func tell(t *testing.T, database, policy string, story func(*sourceHouse)) {
	t.Helper()
	h := newSourceHouse(t, database, policy)
	h.start()
	story(h)
	h.whole()
}

// newSourceHouse makes the house over a database. Nothing runs yet.
func newSourceHouse(t *testing.T, database, policy string) *sourceHouse {
	t.Helper()
	h := &sourceHouse{place: &place{t: t, dir: t.TempDir(), database: database}, okta: oktatest.New(oktatest.Config{Token: oktaAPIToken}), stop: func() {}}
	slackURL, pdURL := h.startSlack(), h.startPagerDuty()
	oktaURL, err := h.okta.Start()
	h.must(err)
	t.Cleanup(func() {
		if t.Failed() && h.service != nil {
			t.Log(h.told())
		}
		h.stop()
		h.close("Okta", h.okta.Close)
	})
	secrets, err := intake.ParseSecrets(demoWebhook)
	h.must(err)
	h.secret = secrets[0]
	file := filepath.Join(h.dir, "policy.yaml")
	h.must(os.WriteFile(file, []byte(policy), 0o600))
	is := h.slack.Config()
	h.settings = settings{
		database: database, policy: file, mode: lifecycle.Enforce, location: time.UTC, reconcile: every(24 * time.Hour), digest: every(24 * time.Hour),
		slack: bot.Secrets{BotToken: is.BotToken, AppToken: is.AppToken}, slackURL: slackURL,
		pagerDuty: pagerduty.Config{
			Token: func() (string, error) { return pagerDutyKey, nil }, APIURL: pdURL, From: "rolecall@acme.test", Now: time.Now, Log: quiet(),
			Backoff: time.Millisecond, Settle: 50 * time.Millisecond, Patience: 2 * time.Second,
		},
		doors: doors{
			webhook: func() ([]intake.Secret, error) { return secrets, nil },
			scim: func() ([]sender, error) {
				return scimSenders(oktaClient + "=" + scimToken(oktaClient) + " " + entraClient + "=" + scimToken(entraClient))
			},
			roster:  func() ([]sender, error) { return rosterSenders(rosterToken) },
			okta:    func() ([]string, error) { return []string{oktaSecret}, nil },
			oktaURL: oktaURL, oktaToken: func() (string, error) { return oktaAPIToken, nil }, oktaSchedule: every(24 * time.Hour),
		},
		settle: slowness * 2 * time.Second, looks: 50 * time.Millisecond, listen: "127.0.0.1:0", log: serveLogger(&terminal{err: &h.log}),
	}
	return h
}

func (h *sourceHouse) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// start starts the service, and returns when it is ready and has called the roll.
func (h *sourceHouse) start() {
	h.t.Helper()
	is, err := newService(h.t.Context(), h.settings)
	h.must(err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := errors.Join(is.run(ctx), is.close()); err != nil {
			h.t.Errorf("the service ended: %v", err)
		}
	})
	h.listen, h.service, h.stop = is.address(), is, sync.OnceFunc(func() { cancel(); running.Wait() })
	h.until("the service is ready", func() bool { return askReady(h.t.Context(), is.address()) == nil })
	h.until("the roll was called", func() bool {
		last, err := is.db.LastRollCall(h.t.Context())
		h.must(err)
		return !last.IsZero()
	})
}

// callsTheRoll calls the roll, and returns when that is over.
func (h *sourceHouse) callsTheRoll() {
	h.t.Helper()
	h.rests()
	_, err := h.service.flows.rollCall.Run(h.t.Context(), "test")
	h.must(err)
	h.rests()
}

// rests returns when nothing is left to do but what waits for its time.
func (h *sourceHouse) rests() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	h.must(h.service.db.Idle(ctx))
}

// told is what there is to see, for whoever reads a failure.
func (h *sourceHouse) told() string {
	var b strings.Builder
	for _, channel := range []string{security, payments, "C0PLATFORM"} {
		for _, m := range h.slack.Messages(channel) {
			fmt.Fprintf(&b, "--- %s\n%s\n%s\n", channel, m.Text, slacktest.PlainText(m.Blocks))
		}
	}
	lines, err := h.service.db.Tail(context.WithoutCancel(h.t.Context()), 0, 10_000)
	for _, l := range lines[max(0, len(lines)-40):] {
		fmt.Fprintf(&b, "%s %s %s %v\n", l.Kind, l.Actor, l.Ref, l.Detail)
	}
	fmt.Fprintf(&b, "%v\n%s", err, h.log.String())
	return b.String()
}

// whole fails the test unless Slack, PagerDuty and Okta have nothing to object
// to, and the record verifies once the service has stopped.
func (h *sourceHouse) whole() {
	h.t.Helper()
	h.rests()
	h.stop()
	h.noViolations()
	for _, v := range h.okta.Violations() {
		h.t.Errorf("Okta objects: %s", v)
	}
	report, err := storage.Verify(h.t.Context(), h.database, nil)
	if err != nil || !report.Whole {
		h.t.Errorf("verify: %+v, %v", report, err)
	}
}

// employs gives somebody the account that policy wants for the department.
func (h *sourceHouse) employs(name, department string) string {
	team := map[string]string{"Payments": "PTPAY01", "Platform": "PTPLA02"}[department]
	u := h.pd.AddUser(pagerdutytest.User{Name: full(name), Email: email(name), Role: pagerdutytest.Responder})
	h.pd.AddMember(team, u.ID, "responder")
	return u.ID
}

func full(name string) string { return strings.ToUpper(name[:1]) + name[1:] + " Test" }

// contained reports whether somebody has lost what the containment of a leaver takes.
func (h *sourceHouse) contained(name string) bool {
	u, there := h.pd.UserByEmail(email(name))
	return there && u.Role != pagerdutytest.Responder && len(h.pd.Roles(u.ID)) == 0
}

// untouched fails the test if anything was changed in PagerDuty.
func (h *sourceHouse) untouched(when string) {
	h.t.Helper()
	h.rests()
	for _, w := range h.pd.Effects() {
		h.t.Errorf("%s: %s %s %s", when, w.Method, w.Path, w.Body)
	}
}

// noCard fails the test where a message names who, once everything is done.
func (h *sourceHouse) noCard(channel, who string) {
	h.t.Helper()
	h.rests()
	if _, said := h.cards(channel, who); said != "" {
		h.t.Errorf("a card in %s names %s:\n%s", channel, who, said)
	}
}

// presses has somebody press a button, and fill in the modal that asks for more.
func (h *sourceHouse) presses(name string, m slacktest.Message, action string, fill map[string]any, choices ...slacktest.Choice) {
	h.t.Helper()
	h.press(name, m, action, choices...)
	if fill == nil {
		return
	}
	h.until("a modal opens for "+name, func() bool { _, open := h.slack.Modal(slackID(name)); return open })
	wrong, err := h.slack.Submit(h.t.Context(), slackID(name), fill)
	h.must(err)
	if len(wrong) > 0 {
		h.t.Fatalf("what %s filled in is wrong: %v", name, wrong)
	}
}

// answers answers the case on a card, with a reason where one is asked for.
func (h *sourceHouse) answers(name string, m slacktest.Message, answer, reason string) {
	h.t.Helper()
	for _, b := range slacktest.Buttons(m.Blocks) {
		if b.ActionID == bot.ActionAnswer && strings.HasSuffix(b.Value, ":"+answer) {
			var fill map[string]any
			if reason != "" {
				fill = map[string]any{bot.InputReason: reason}
			}
			h.presses(name, m, b.ActionID, fill, slacktest.WithValue(b.Value))
			return
		}
	}
	h.t.Fatalf("nothing on the card answers %s:\n%s", answer, slacktest.PlainText(m.Blocks))
}

// starts has Priya start a source on its card, and returns when it is acted on.
func (h *sourceHouse) starts(source string) {
	h.t.Helper()
	h.presses("priya", h.card(security, "Connected: "+source, "[Start it]"), bot.ActionStart, nil)
	h.until(source+" is started", func() bool {
		s, err := h.service.db.Source(h.t.Context(), source)
		h.must(err)
		return !s.Observed
	})
	h.rests()
}

// person returns who has the address.
func (h *sourceHouse) person(name string) lifecycle.Identity {
	h.t.Helper()
	found, err := h.service.db.IdentitiesByEmail(h.t.Context(), email(name))
	h.must(err)
	if len(found) != 1 {
		h.t.Fatalf("%d people have the address of %s", len(found), name)
	}
	return found[0]
}

// becomes waits until somebody's status is as wanted.
func (h *sourceHouse) becomes(name string, want lifecycle.Status) {
	h.t.Helper()
	h.until(name+" is "+string(want), func() bool {
		found, err := h.service.db.IdentitiesByEmail(h.t.Context(), email(name))
		h.must(err)
		return len(found) == 1 && found[0].Person.Status == want
	})
}

// command runs rolecall in a process of its own, beside the service.
func (h *sourceHouse) command(args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.Env = []string{asCommand + "=1", "ROLECALL_DATABASE=" + h.database, "ROLECALL_POLICY=" + h.settings.policy, "HOME=" + os.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}
	if err := cmd.Run(); err != nil {
		h.t.Fatalf("rolecall %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	return out.String()
}

// changes says how often who somebody is has changed.
func (h *sourceHouse) changes() string {
	h.t.Helper()
	_, page := h.get("/metrics")
	for line := range strings.Lines(page) {
		if value, ok := strings.CutPrefix(line, `rolecall_events_total{kind="identity.changed"}`); ok {
			return strings.TrimSpace(value)
		}
	}
	return "0"
}

// wantWords fails the test unless text says all of it.
func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
}

func wantNoWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(text, w) {
			t.Errorf("it says %q:\n%s", w, text)
		}
	}
}
