package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/storage"
)

// crashHouse is a company of four, and a service that may die.
type crashHouse struct {
	t        *testing.T
	slack    *slacktest.Workspace
	pd       *pagerdutytest.Account
	dir      string
	database string
	address  string
	secret   intake.Secret
	child    atomic.Pointer[exec.Cmd]
	log      transcript // what every child wrote
	env      []string
	ended    chan struct{} // the child that runs has ended
}

const crashPolicy = `version: 1
defaults: {hold: 0s}
domains: [acme.test]
security: {channel: C0SECURITY, members: [priya@acme.test]}
teams: [{name: Payments, pagerduty: PPAY, owners: [marco@acme.test], channel: C0PAYMENTS}]
rules:
  - name: payments
    when: {department: [Payments]}
    grant: {base_role: limited_user, teams: [{team: Payments, role: responder}]}
leaver: {contain: auto, delete_after: 0s}
`

func newCrashHouse(t *testing.T) *crashHouse {
	t.Helper()
	h := &crashHouse{t: t, dir: t.TempDir(), slack: slacktest.New(slacktest.Config{AckTimeout: time.Second}), pd: pagerdutytest.New(pagerdutytest.Config{Token: demoToken})}
	h.database = filepath.Join(h.dir, "rolecall.db")
	for _, name := range []string{"marco", "priya", "nora"} {
		h.slack.AddUser(slacktest.User{ID: "U0" + strings.ToUpper(name), Name: name, RealName: name, Email: name + "@acme.test"})
	}
	app := h.slack.Config().BotUserID
	h.slack.AddChannel(slacktest.Channel{ID: "C0PAYMENTS", Name: "payments", Members: []string{"U0MARCO", app}})
	h.slack.AddChannel(slacktest.Channel{ID: "C0SECURITY", Name: "security", Members: []string{"U0PRIYA", app}})
	h.pd.AddUser(pagerdutytest.User{Name: "Owner", Email: "owner@acme.test", Role: "owner"})
	h.pd.AddUser(pagerdutytest.User{Name: "Spare", Email: "spare@acme.test", Role: "admin"})
	h.pd.AddTeam(pagerdutytest.Team{ID: "PPAY", Name: "Payments"})
	slackURL, pdURL := h.up(h.slack.Start()), h.up(h.pd.Start())
	t.Cleanup(func() { h.kill(); <-h.ended; h.slack.Close(); h.pd.Close() })
	policy := filepath.Join(h.dir, "policy.yaml")
	if err := os.WriteFile(policy, []byte(crashPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets, err := intake.ParseSecrets(demoWebhook)
	if err != nil {
		t.Fatal(err)
	}
	h.secret, h.address = secrets[0], anAddress(t)
	h.env = []string{
		"ROLECALL_DATABASE=" + h.database, "ROLECALL_POLICY=" + policy, "ROLECALL_LISTEN=" + h.address, "ROLECALL_MODE=enforce",
		"ROLECALL_SLACK_BOT_TOKEN=" + h.slack.Config().BotToken, "ROLECALL_SLACK_APP_TOKEN=" + h.slack.Config().AppToken, "ROLECALL_SLACK_API_URL=" + slackURL + "/api/",
		"ROLECALL_PAGERDUTY_TOKEN=" + demoToken, "ROLECALL_PAGERDUTY_API_URL=" + pdURL, "ROLECALL_PAGERDUTY_FROM=owner@acme.test",
		"ROLECALL_WEBHOOK_SECRET=" + demoWebhook, "ROLECALL_RECONCILE_SCHEDULE=0 0 1 1 *", "ROLECALL_DIGEST_SCHEDULE=0 0 1 1 *",
	}
	return h
}

func (h *crashHouse) up(url string, err error) string {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
	return url
}

// start starts the service, to die after that many lines (0: never), and
// starts it again whenever it has died.
func (h *crashHouse) start(after int) {
	h.ended = make(chan struct{})
	ctx := h.t.Context()
	go func() {
		defer close(h.ended)
		for ctx.Err() == nil {
			child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=5m")
			child.Env = append(append(os.Environ(), h.env...), fmt.Sprintf("%s=%d", crashAfter, after))
			child.Stdout, child.Stderr = &h.log, &h.log
			if err := child.Start(); err != nil {
				h.t.Errorf("start the service: %v", err)
				return
			}
			h.child.Store(child)
			err := child.Wait()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				h.t.Errorf("the service ended by itself: %v\n%s", err, h.log.String())
				return
			}
			after = 0
		}
	}()
}

// kill kills the process that runs now.
func (h *crashHouse) kill() {
	if child := h.child.Load(); child != nil {
		_ = child.Process.Kill() // it may be dead already
	}
}

// killOnce kills as soon as when holds.
func (h *crashHouse) killOnce(when func() bool) {
	h.t.Helper()
	ctx := h.t.Context()
	go func() {
		if h.slack.Until(ctx, when) == nil {
			h.kill()
		}
	}()
}

// whole lets l happen, then counts what it left.
func (h *crashHouse) whole(l life) {
	h.t.Helper()
	l.live(h)
	h.await("quiet", h.quiet)
	h.countEffects(l.effects)
	h.countMessages()
	report, err := storage.Verify(h.t.Context(), h.database, nil)
	if err != nil || !report.Whole {
		h.t.Errorf("verify: %+v, %v", report, err)
	}
}

var noraOfPayments = lifecycle.Person{EmployeeID: "E1", Status: lifecycle.StatusActive, Emails: []string{"nora@acme.test"}, Name: "Nora Lind", Department: "Payments"}

// join lets Nora be approved, as the people concerned would, who try again
// when nothing answers.
func (h *crashHouse) join() {
	h.t.Helper()
	h.send("evt-join", noraOfPayments)
	h.approve("joins Payments", "")
	h.await("Nora on the team", func() bool {
		u, ok := h.pd.UserByEmail("nora@acme.test")
		return ok && h.pd.TeamRole("PPAY", u.ID) == "responder"
	})
	h.settled("joins Payments")
}

// employ gives Nora what an engineer of Payments has, and returns her id.
func (h *crashHouse) employ() string {
	u := h.pd.AddUser(pagerdutytest.User{Name: "Nora Lind", Email: "nora@acme.test", Role: "limited_user"})
	h.pd.AddMember("PPAY", u.ID, "responder")
	return u.ID
}

// leave lets Nora be contained and deleted.
func (h *crashHouse) leave() {
	h.t.Helper()
	h.employ()
	h.goes()
}

// leaveOnCall lets Nora be contained, replaced where the page wakes her alone, and deleted.
func (h *crashHouse) leaveOnCall() {
	h.t.Helper()
	nora := h.employ()
	ola := h.pd.AddUser(pagerdutytest.User{Name: "Ola", Email: "ola@acme.test"})
	h.pd.AddMember("PPAY", ola.ID, "responder")
	h.pd.AddContactMethod(ola.ID, pagerdutytest.ContactMethod{Type: "phone_contact_method", Label: "Mobile", Address: "5550100", CountryCode: 1})
	schedule := h.pd.AddSchedule(pagerdutytest.Schedule{ID: "PSCHED", Name: "Nights", TeamIDs: []string{"PPAY"}, Layers: []pagerdutytest.Layer{{UserIDs: []string{nora}}}})
	h.pd.AddEscalationPolicy(pagerdutytest.EscalationPolicy{ID: "PCRIT", Name: "Crit", TeamIDs: []string{"PPAY"}, Rules: []pagerdutytest.Rule{
		{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(schedule.ID)}}, {Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(nora)}},
	}})
	h.goes()
	for _, g := range h.pd.GapsSeen() {
		h.t.Errorf("nobody was on call: %s", g)
	}
}

// goes lets Nora's leaving take its course: whatever is asked is approved.
func (h *crashHouse) goes() {
	h.t.Helper()
	gone := noraOfPayments
	gone.Status = lifecycle.StatusEnded
	h.send("evt-leave", gone)
	if len(h.pd.EscalationPolicies()) > 0 {
		h.approve("hand over 2 on-call duties", "")
	}
	h.approve("delete the PagerDuty account for good", "She has left.")
	h.await("Nora deleted", func() bool { _, ok := h.pd.UserByEmail("nora@acme.test"); return !ok })
	h.settled("account deleted for good")
}

// send sends the notice until it is answered, as a sender must.
func (h *crashHouse) send(id string, p lifecycle.Person) {
	h.t.Helper()
	body, _, err := noticeBody(p, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	h.await("an answer to "+id, func() bool {
		req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "http://"+h.address+"/v1/lifecycle", strings.NewReader(body))
		if err != nil {
			h.t.Fatal(err)
		}
		req.Header = intake.Sign(h.secret, id, time.Now(), []byte(body))
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusAccepted || res.StatusCode == http.StatusOK
	})
}

// approve presses Approve on the card that says what, until it is no longer there to be pressed.
func (h *crashHouse) approve(what, reason string) {
	h.t.Helper()
	pressable := func() (slacktest.Message, bool) {
		for _, m := range h.slack.Messages("C0PAYMENTS") {
			if strings.Contains(slacktest.PlainText(m.Blocks), what) && slices.ContainsFunc(slacktest.Buttons(m.Blocks), func(c slacktest.Control) bool { return c.ActionID == bot.ActionApprove }) {
				return m, true
			}
		}
		return slacktest.Message{}, false
	}
	h.await("a card that says "+what, func() bool { _, ok := pressable(); return ok })
	h.await("its approval", func() bool {
		m, ok := pressable()
		if !ok {
			return true
		}
		if _, err := h.slack.Press(h.t.Context(), "U0MARCO", m.Channel, m.TS, bot.ActionApprove); err != nil {
			return false
		}
		h.answer(reason)
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
		defer cancel()
		return h.slack.Until(ctx, func() bool { _, still := pressable(); return !still }) == nil
	})
}

// answer fills in the modal, if the press opened one.
func (h *crashHouse) answer(reason string) {
	if reason == "" {
		return
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
	defer cancel()
	if h.slack.Until(ctx, func() bool { _, open := h.slack.Modal("U0MARCO"); return open }) != nil {
		return
	}
	if _, err := h.slack.Submit(ctx, "U0MARCO", map[string]any{"reason": reason}); err != nil {
		_ = h.slack.CloseModal(ctx, "U0MARCO") // nobody answered: a person closes it and presses again
	}
}

// settled waits until the card says that it is done and checked.
func (h *crashHouse) settled(what string) {
	h.t.Helper()
	h.await("the card that says "+what+" to be done", func() bool {
		return slices.ContainsFunc(h.slack.Messages("C0PAYMENTS"), func(m slacktest.Message) bool {
			text := slacktest.PlainText(m.Blocks)
			return strings.Contains(text, what) && strings.Contains(text, "✅ Done, checked in PagerDuty")
		})
	})
}

const crashPatience = 60 * time.Second

func (h *crashHouse) await(what string, reached func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), crashPatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-ctx.Done():
			h.t.Fatalf("%s did not come; the service said:\n%s\nand the record ends:\n%s", what, h.log.String(), h.tail())
		case <-tick.C:
		}
	}
}

// countEffects asserts one effect a change, in their order.
func (h *crashHouse) countEffects(want []string) {
	h.t.Helper()
	var got []string
	for _, w := range h.pd.Effects() {
		parts := strings.Split(w.Path, "/")
		for i := 1; i < len(parts); i++ {
			if parts[i-1] == "users" {
				parts[i] = "*"
			}
		}
		got = append(got, w.Method+" "+strings.Join(parts, "/"))
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("effects in PagerDuty: got %v, want %v", got, want)
	}
}

// countMessages asserts that no message stands twice, told apart by their keys.
func (h *crashHouse) countMessages() {
	h.t.Helper()
	for _, channel := range []string{"C0PAYMENTS", "C0SECURITY", h.slack.DirectMessage("U0MARCO"), h.slack.DirectMessage("U0NORA"), h.slack.DirectMessage("U0PRIYA")} {
		seen := map[string]int{}
		for _, m := range h.slack.Messages(channel) {
			for _, of := range append(h.slack.Thread(channel, m.TS), m) {
				if of.TS != m.TS || of.ThreadTS == "" || of.ThreadTS == of.TS {
					seen[string(of.Metadata)+of.TS]++
				}
			}
		}
		keys := map[string]int{}
		for key := range seen {
			meta, _, _ := strings.Cut(key, "}}")
			keys[meta]++
		}
		for meta, n := range keys {
			if n > 1 {
				h.t.Errorf("%d messages in %s are the same: %s", n, channel, meta)
			}
		}
	}
}

// quiet reports whether no step is left that could still do something.
func (h *crashHouse) quiet() bool {
	db, err := storage.Open(h.t.Context(), storage.Config{URL: h.database, Role: storage.Command, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return false
	}
	defer db.Close()
	stats, err := db.JobStats(h.t.Context())
	return err == nil && !slices.ContainsFunc(stats, func(s storage.JobStat) bool {
		return s.Count > 0 && (s.State == "available" || s.State == "running" || s.State == "retryable")
	})
}

// tail returns the last lines of the record.
func (h *crashHouse) tail() string {
	db, err := storage.Open(context.WithoutCancel(h.t.Context()), storage.Config{URL: h.database, Role: storage.Command, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return err.Error()
	}
	defer db.Close()
	stats, err := db.JobStats(h.t.Context())
	var out strings.Builder
	fmt.Fprintf(&out, "%v %v\n", stats, err)
	if err := tail(context.WithoutCancel(h.t.Context()), &terminal{out: &out}, db, 15, false); err != nil {
		return err.Error()
	}
	return out.String()
}

// steps returns the lines of the trail that are worth dying after: each step
// of the flow, and of the many messages the first three of a kind.
func (h *crashHouse) steps() map[int]lifecycle.EventKind {
	h.t.Helper()
	db, err := storage.Open(h.t.Context(), storage.Config{URL: h.database, Role: storage.Command, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	lines, err := db.Tail(h.t.Context(), 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	points, messages := map[int]lifecycle.EventKind{}, map[lifecycle.EventKind]int{}
	for i, l := range lines {
		if l.Kind == lifecycle.EventCardShown || l.Kind == lifecycle.EventMessageSent {
			if messages[l.Kind]++; messages[l.Kind] > 3 {
				continue
			}
		}
		points[i+1] = l.Kind
	}
	return points
}
