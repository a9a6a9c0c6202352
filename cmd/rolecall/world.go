package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"rolecall/bot"
	"rolecall/bot/sandbox"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// world is the demo: the real service over real HTTP, with real signatures,
// against strict fakes of Slack and PagerDuty that know the invented company.
type world struct {
	company company
	slack   *slacktest.Workspace
	pd      *pagerdutytest.Account
	service *service
	secret  intake.Secret
	policy  string // path of the file, which may be edited while the demo runs
	started time.Time
	cleanup []func() error
}

const (
	demoToken   = "demo-pagerduty-key"
	demoFrom    = "rolecall@acme.test"
	demoGlance  = 5 * time.Second
	demoLead    = 3 * time.Second // minutes in life, so that a crash meanwhile is made up for
	demoSource  = "hr/acme"
	demoWebhook = "whsec_ZGVtby1zZWNyZXQtZGVtby1zZWNyZXQtZGVtbyE=" // opens nothing but the demo's own loopback listener
)

// newWorld builds the world over a new database. Nothing runs yet.
func newWorld(ctx context.Context, database string, log *slog.Logger) (_ *world, err error) {
	w := &world{company: newCompany(), started: time.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	slackURL, err := w.startSlack()
	if err != nil {
		return nil, err
	}
	pdURL, err := w.startPagerDuty()
	if err != nil {
		return nil, err
	}
	s, err := w.settings(database, log)
	if err != nil {
		return nil, err
	}
	s.slackURL, s.pagerDuty.APIURL = slackURL+"/api/", pdURL
	if w.service, err = newService(ctx, s); err != nil {
		return nil, err
	}
	w.cleanup = append(w.cleanup, w.service.close)
	here := "http://" + w.service.address()
	w.slack.UseHTTP(here+"/slack/events", here+"/slack/commands", here+"/slack/interactions")
	return w, w.seed(ctx)
}

func (w *world) settings(database string, log *slog.Logger) (settings, error) {
	secrets, err := intake.ParseSecrets(demoWebhook)
	if err != nil {
		return settings{}, fmt.Errorf("read the demo's webhook secret: %w", err)
	}
	w.secret = secrets[0]
	daily, err := cron.ParseStandard("0 9 * * *")
	if err != nil {
		return settings{}, fmt.Errorf("read the demo's schedule: %w", err)
	}
	dir, err := os.MkdirTemp("", "rolecall-demo-")
	if err != nil {
		return settings{}, fmt.Errorf("make a place for the demo's files: %w", err)
	}
	w.cleanup = append(w.cleanup, func() error { return os.RemoveAll(dir) })
	w.policy = filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(w.policy, []byte(w.company.policyFile()), 0o600); err != nil {
		return settings{}, fmt.Errorf("write the demo's policy: %w", err)
	}
	if database == "" {
		database = filepath.Join(dir, "rolecall.db")
	}
	slack := w.slack.Config()
	return settings{
		database: database, policy: w.policy, mode: lifecycle.Enforce, location: time.UTC, reconcile: every(4 * time.Hour), watch: every(demoGlance), digest: daily,
		slack:     bot.Secrets{BotToken: slack.BotToken, SigningSecret: slack.SigningSecret},
		pagerDuty: pagerduty.Config{Token: func() (string, error) { return demoToken, nil }, From: demoFrom, Lead: demoLead, Now: time.Now, Log: log},
		doors:     doors{webhook: func() ([]intake.Secret, error) { return secrets, nil }},
		settle:    time.Second,
		looks:     policyLooks,
		listen:    "127.0.0.1:0", log: log,
	}, nil
}

func (w *world) startSlack() (string, error) {
	w.slack = slacktest.New(slacktest.Config{Commands: []string{"/rolecall"}})
	var everybody []string
	for _, p := range w.company.people {
		w.slack.AddUser(slacktest.User{ID: p.slack, Name: strings.ToLower(p.first), RealName: p.name(), DisplayName: p.name(), Email: p.email})
		everybody = append(everybody, p.slack)
	}
	app := w.slack.Config().BotUserID
	w.slack.AddChannel(slacktest.Channel{ID: "C0GENERAL", Name: "general", Members: everybody})
	w.slack.AddChannel(slacktest.Channel{ID: demoSecurity, Name: "security", Private: true, Members: append(w.slackOf("Security"), app)})
	if err := w.welcome(); err != nil {
		return "", err
	}
	for _, t := range w.company.teams {
		w.slack.AddChannel(slacktest.Channel{ID: t.channel, Name: slug(t.name), Members: append(append(w.slackOf(t.name), w.onlookers(t.name)...), app)})
	}
	base, err := w.slack.Start()
	if err != nil {
		return "", fmt.Errorf("start the demo's Slack: %w", err)
	}
	w.cleanup = append(w.cleanup, w.slack.Close)
	return base, nil
}

func (w *world) slackOf(department string) []string {
	var ids []string
	for _, p := range w.company.people {
		if p.department == department {
			ids = append(ids, p.slack)
		}
	}
	return ids
}

// welcome lets the first channel that one sees say what this is.
func (w *world) welcome() error {
	priya, _ := w.company.find("priya@acme.test")
	_, err := w.slack.Say(priya.slack, "C0GENERAL", "", "Welcome to Acme. rolecall asks the owner of a team before anybody's PagerDuty access changes, and checks afterwards. "+
		"The guide beside this goes through it; `/rolecall help` here says what else there is.")
	if err != nil {
		return fmt.Errorf("say welcome: %w", err)
	}
	return nil
}

// onlookers are the people of the story who are in a channel besides its team.
func (w *world) onlookers(team string) []string {
	var ids []string
	for _, p := range cast {
		if found, ok := w.company.find(p.email); ok && p.department != team {
			ids = append(ids, found.slack)
		}
	}
	return ids
}

func slug(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

func (w *world) teamID(name string) string {
	t, _ := w.company.team(name)
	return t.id
}

// seed makes the company known, as a roster that was imported long ago.
func (w *world) seed(ctx context.Context) error {
	for _, p := range w.company.people {
		i, err := w.unseeded(ctx, p)
		if err != nil {
			return err
		}
		if u, ok := w.pd.UserByEmail(p.email); ok {
			i.Account = lifecycle.AccountID(u.ID)
		}
		e := lifecycle.AuditEvent{At: w.started, Actor: lifecycle.BySource(demoSource), Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID), Detail: map[string]string{"why": "the demo's company"}}
		if err := w.service.db.SaveIdentity(ctx, i, nil, e); err != nil {
			return fmt.Errorf("make %s known: %w", p.email, err)
		}
	}
	return nil
}

// unseeded returns somebody of the company as they are to be known; the policy's
// people are known already.
func (w *world) unseeded(ctx context.Context, p demoPerson) (lifecycle.Identity, error) {
	known, err := w.service.db.IdentitiesByEmail(ctx, p.email)
	if err != nil {
		return lifecycle.Identity{}, fmt.Errorf("look up %s: %w", p.email, err)
	}
	i := lifecycle.Identity{ID: lifecycle.NewIdentityID()}
	if len(known) == 1 {
		i = known[0]
	}
	i.Revision++
	i.Keys, i.Person, i.Observed = map[string]string{demoSource: p.key}, p.person(w.started), w.started.AddDate(0, -1, 0)
	return i, nil
}

// page is what the workspace in the browser shows.
func (w *world) page() sandbox.Config {
	var actors []sandbox.Actor
	for _, p := range cast {
		found, _ := w.company.find(p.email)
		actors = append(actors, sandbox.Actor{UserID: found.slack, Role: w.role(found)})
	}
	return sandbox.Config{
		Workspace: w.slack, Title: "Acme: the rolecall demo", Panel: w.panel, Watch: w.pd.Wait, Story: w.steps(), Actors: actors,
		Shortcuts: []sandbox.Shortcut{{Name: "Show history", CallbackID: bot.ShortcutHistory}},
	}
}

func (w *world) role(p demoPerson) string {
	switch team, ok := w.company.team(p.department); {
	case p.department == "Security":
		return "security"
	case ok && slices.Contains(team.owners, p.email):
		return "owns " + p.department
	default:
		return p.title + ", " + p.department
	}
}

// ready waits until the service is, and has called the roll once.
func (w *world) ready(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := askReady(ctx, w.service.address()); err == nil {
			last, err := w.service.db.LastRollCall(ctx)
			if err != nil {
				return fmt.Errorf("look up the first roll call: %w", err)
			}
			if !last.IsZero() {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the demo did not become ready: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// send posts one signed notice about p to the real intake.
func (w *world) send(ctx context.Context, p lifecycle.Person) error {
	body, id, err := noticeBody(p, time.Now())
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.service.address()+"/v1/lifecycle", strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("send notice: %w", err)
	}
	req.Header = intake.Sign(w.secret, id, time.Now(), []byte(body))
	req.Header.Set("Content-Type", "application/cloudevents+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("send notice: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("send notice: the intake answered %s", res.Status)
	}
	return nil
}

// violations returns everything that the real Slack or PagerDuty would have
// objected to so far, and whatever was without anybody on call, or nil.
func (w *world) violations() error {
	var all []error
	for _, v := range w.slack.Violations() {
		all = append(all, fmt.Errorf("slack objects to %s: %s %s", v.Method, v.Code, strings.Join(v.Detail, "; ")))
	}
	for _, v := range w.pd.Violations() {
		all = append(all, fmt.Errorf("PagerDuty objects: %s", v))
	}
	for _, g := range w.pd.GapsSeen() {
		all = append(all, fmt.Errorf("nobody was on call: %s", g))
	}
	return errors.Join(all...)
}

func (w *world) close() error {
	var err error
	for i := len(w.cleanup) - 1; i >= 0; i-- {
		err = errors.Join(err, w.cleanup[i]())
	}
	return err
}
