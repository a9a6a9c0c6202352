package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/robfig/cron/v3"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/intake/secevent"
	"rolecall/lifecycle/pagerduty"
)

// config is the environment, as text: each part is checked when a command
// needs it, so that a command asks only for what it uses. The names are made
// of the fields' (Url for _URL): given by a tag, envconfig would also read them
// without the prefix, where they may belong to another program.
type config struct {
	Database          string `default:"rolecall.db" desc:"path of the SQLite file, or postgres://…"`
	Policy            string `default:"policy.yaml" desc:"path of the policy file"`
	Listen            string `default:"127.0.0.1:8080" desc:"address of the HTTP listener"`
	Mode              string `default:"observe" desc:"observe (writes nothing to PagerDuty) or enforce"`
	Timezone          string `default:"UTC" desc:"zone in which schedules run and times are said"`
	ReconcileSchedule string `split_words:"true" default:"0 */4 * * *" desc:"cron spec of the roll call"`
	WatchSchedule     string `split_words:"true" default:"*/5 * * * *" desc:"cron spec of the glances between roll calls; empty: none"`
	DigestSchedule    string `split_words:"true" default:"0 9 * * 1-5" desc:"cron spec of the digest"`

	SlackBotToken      secret `split_words:"true" desc:"xoxb-…"`
	SlackAppToken      secret `split_words:"true" desc:"xapp-…, for Socket Mode"`
	SlackSigningSecret secret `split_words:"true" desc:"for HTTP mode, instead of the app token"`
	Replicas           string `default:"1" desc:"how many serve share the Slack app token; for more than one, the database is PostgreSQL"`
	SlackAPIUrl        string `split_words:"true" default:"https://slack.com/api/" desc:"where Slack's Web API is"`

	PagerdutyToken        secret `split_words:"true" desc:"account API key, or:"`
	PagerdutyClientID     string `split_words:"true" desc:"scoped OAuth app"`
	PagerdutyClientSecret secret `split_words:"true" desc:"of the scoped OAuth app"`
	PagerdutySubdomain    string `split_words:"true" desc:"of the account, for scoped OAuth"`
	PagerdutyRegion       string `split_words:"true" default:"us" desc:"us or eu"`
	PagerdutyAPIUrl       string `split_words:"true" desc:"where PagerDuty's REST API is; the region's by default"`
	PagerdutyTokenUrl     string `split_words:"true" desc:"where PagerDuty's OAuth tokens are; PagerDuty's by default"`
	PagerdutyConcurrency  string `split_words:"true" default:"4" desc:"how many calls to PagerDuty may be under way at a time"`
	PagerdutyFrom         string `split_words:"true" desc:"address of the PagerDuty user in whose name changes are made"`

	WebhookSecret secret `split_words:"true" desc:"whsec_…, one or two; without it /v1/lifecycle and /v1/findings are off"`
	ScimToken     secret `split_words:"true" desc:"NAME=TOKEN of each SCIM client, two a client while one replaces the other; without it /scim/v2 is off"`
	RosterToken   secret `split_words:"true" desc:"SOURCE=TOKEN of each sender of rosters, or a token for any, two each while one replaces the other; without it PUT /v1/roster is off"`
	OktaSecret    secret `split_words:"true" desc:"of the Okta event hook, one or two; without it /hooks/okta is off"`
	OktaUrl       string `split_words:"true" desc:"https://acme.okta.com: where what the hook lost is read"`
	OktaToken     secret `split_words:"true" desc:"Okta API token for that, read only"`
	OktaSchedule  string `split_words:"true" default:"*/10 * * * *" desc:"cron spec of that reading"`
	SetIssuers    string `split_words:"true" desc:"path of the JSON file of who may send security event tokens; without it /v1/security-events is off"`
}

const prefix = "ROLECALL"

// part is a piece of the configuration that a command may need.
type part int

const (
	needDatabase part = iota
	needPolicy
	needPagerDuty
	needSlack
	needListen
	needIntake
	needClock
)

// loadConfig reads the environment and returns every mistake in the parts
// that are needed, at once.
func loadConfig(needs ...part) (config, error) {
	var c config
	if err := envconfig.Process(prefix, &c); err != nil {
		return c, coded(exitUsage, err)
	}
	c.readSecretFiles()
	var wrong []string
	for _, need := range needs {
		wrong = append(wrong, c.check(need)...)
	}
	if len(wrong) > 0 {
		return c, coded(exitUsage, errors.New("the configuration is not in order:\n  "+strings.Join(wrong, "\n  ")))
	}
	return c, nil
}

func (c config) check(p part) []string {
	switch p {
	case needDatabase:
		return required("DATABASE", c.Database)
	case needPolicy:
		return c.checkPolicy()
	case needPagerDuty:
		return c.checkPagerDuty()
	case needSlack:
		return c.checkSlack()
	case needListen:
		return c.checkListen()
	case needIntake:
		return c.checkIntake()
	case needClock:
		return c.checkClock()
	default:
		return nil
	}
}

func (c config) checkPolicy() []string {
	if _, err := os.Stat(c.Policy); err != nil {
		return []string{fmt.Sprintf("ROLECALL_POLICY: %q cannot be read: %v", c.Policy, cause(err))}
	}
	return nil
}

func (c config) checkPagerDuty() []string {
	wrong := append(c.PagerdutyToken.mistakes("PAGERDUTY_TOKEN"), c.PagerdutyClientSecret.mistakes("PAGERDUTY_CLIENT_SECRET")...)
	switch oauth := c.PagerdutyClientID != "" || c.PagerdutyClientSecret.isSet() || c.PagerdutySubdomain != ""; {
	case c.PagerdutyToken.isSet() && oauth:
		wrong = append(wrong, "ROLECALL_PAGERDUTY_TOKEN: give either the token or the OAuth client, not both")
	case oauth:
		wrong = append(wrong, required("PAGERDUTY_CLIENT_ID", c.PagerdutyClientID)...)
		wrong = append(wrong, c.PagerdutyClientSecret.required("PAGERDUTY_CLIENT_SECRET")...)
		wrong = append(wrong, required("PAGERDUTY_SUBDOMAIN", c.PagerdutySubdomain)...)
	case !c.PagerdutyToken.isSet():
		wrong = append(wrong, "ROLECALL_PAGERDUTY_TOKEN: is not set (nor ROLECALL_PAGERDUTY_TOKEN_FILE; nor, for a scoped OAuth app, ROLECALL_PAGERDUTY_CLIENT_ID, _CLIENT_SECRET and _SUBDOMAIN)")
	}
	if c.PagerdutyRegion != "us" && c.PagerdutyRegion != "eu" {
		wrong = append(wrong, fmt.Sprintf("ROLECALL_PAGERDUTY_REGION: %q is neither us nor eu", c.PagerdutyRegion))
	}
	for name, value := range map[string]string{"PAGERDUTY_API_URL": c.PagerdutyAPIUrl, "PAGERDUTY_TOKEN_URL": c.PagerdutyTokenUrl} {
		if value != "" {
			wrong = append(wrong, checkURL(name, value)...)
		}
	}
	if _, err := lifecycle.ParseMode(c.Mode); err != nil {
		wrong = append(wrong, "ROLECALL_MODE: "+lifecycle.ReasonOf(err))
	}
	if !strings.Contains(c.PagerdutyFrom, "@") {
		wrong = append(wrong, "ROLECALL_PAGERDUTY_FROM: give the address of the PagerDuty user in whose name changes are made")
	}
	if _, err := c.concurrency(); err != nil {
		wrong = append(wrong, "ROLECALL_PAGERDUTY_CONCURRENCY: "+err.Error())
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return slices.Compact(wrong)
	}
	if _, err := pagerduty.New(c.pagerDuty(slog.New(slog.DiscardHandler))); err != nil {
		return strings.Split("ROLECALL_PAGERDUTY_…: "+err.Error(), "\n")
	}
	return nil
}

const mostCalls = 32 // at a time: PagerDuty counts 960 a minute, which few more would use up at once

func (c config) concurrency() (int, error) {
	n, err := strconv.Atoi(c.PagerdutyConcurrency)
	if err != nil || n < 1 || n > mostCalls {
		return 0, fmt.Errorf("%q is not a number from 1 to %d", c.PagerdutyConcurrency, mostCalls)
	}
	return n, nil
}

// mostReplicas may share an app: Slack gives one ten connections, and each takes two.
const mostReplicas = 5

func (c config) replicas() (int, error) {
	n, err := strconv.Atoi(c.Replicas)
	if err != nil || n < 1 || n > mostReplicas {
		return 0, fmt.Errorf("%q is not a number from 1 to %d", c.Replicas, mostReplicas)
	}
	return n, nil
}

func (c config) checkSlack() []string {
	wrong := c.SlackBotToken.required("SLACK_BOT_TOKEN")
	if _, err := c.replicas(); err != nil {
		wrong = append(wrong, "ROLECALL_REPLICAS: "+err.Error())
	}
	wrong = append(wrong, c.SlackAppToken.mistakes("SLACK_APP_TOKEN")...)
	wrong = append(wrong, c.SlackSigningSecret.mistakes("SLACK_SIGNING_SECRET")...)
	switch app, signing := c.SlackAppToken.isSet(), c.SlackSigningSecret.isSet(); {
	case app && signing:
		wrong = append(wrong, "ROLECALL_SLACK_APP_TOKEN: give either the app token (Socket Mode) or the signing secret (HTTP), not both")
	case !app && !signing:
		wrong = append(wrong, "ROLECALL_SLACK_APP_TOKEN: is not set (for Socket Mode; nor, for HTTP, ROLECALL_SLACK_SIGNING_SECRET)")
	}
	if !strings.HasSuffix(c.SlackAPIUrl, "/") {
		wrong = append(wrong, fmt.Sprintf("ROLECALL_SLACK_API_URL: %q must end in a slash", c.SlackAPIUrl))
	}
	return append(wrong, checkURL("SLACK_API_URL", c.SlackAPIUrl)...)
}

func (c config) checkListen() []string {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return []string{fmt.Sprintf("ROLECALL_LISTEN: %q is not an address like 127.0.0.1:8080", c.Listen)}
	}
	return nil
}

func (c config) checkIntake() []string {
	return slices.Concat(
		checkParsed("WEBHOOK_SECRET", c.WebhookSecret, intake.ParseSecrets),
		checkParsed("SCIM_TOKEN", c.ScimToken, scimSenders),
		checkParsed("ROSTER_TOKEN", c.RosterToken, rosterSenders),
		checkParsed("OKTA_SECRET", c.OktaSecret, parseSecretWords),
		c.checkOkta(),
		c.checkIssuers(),
	)
}

func (c config) checkIssuers() []string {
	_, err := c.issuers()
	if err == nil {
		return nil
	}
	why := lifecycle.ReasonOf(err)
	if why == "" {
		why = fmt.Sprintf("%q cannot be read: %v", c.SetIssuers, cause(err))
	}
	return []string{"ROLECALL_SET_ISSUERS: " + why}
}

// issuers returns who may send security event tokens.
func (c config) issuers() ([]secevent.Issuer, error) {
	if c.SetIssuers == "" {
		return nil, nil
	}
	b, err := os.ReadFile(c.SetIssuers)
	if err != nil {
		return nil, err
	}
	return secevent.ParseIssuers(b)
}

// checkOkta returns what is wrong with how Okta is read: it needs both or neither.
func (c config) checkOkta() []string {
	wrong := c.OktaToken.mistakes("OKTA_TOKEN")
	switch {
	case c.OktaUrl == "" && !c.OktaToken.isSet():
		return wrong
	case c.OktaUrl == "":
		return append(wrong, "ROLECALL_OKTA_URL: is not set, but ROLECALL_OKTA_TOKEN is")
	case !c.OktaToken.isSet():
		wrong = append(wrong, c.OktaToken.required("OKTA_TOKEN")...)
	}
	return append(wrong, checkURL("OKTA_URL", c.OktaUrl)...)
}

// webhookSecrets returns the secrets as they are now: a _FILE that changed is
// read again. None is not a mistake: the intake is off then.
func (c config) webhookSecrets() ([]intake.Secret, error) {
	return parsed(c.WebhookSecret, intake.ParseSecrets)
}

func (c config) scimClients() ([]sender, error)  { return parsed(c.ScimToken, scimSenders) }
func (c config) rosterTokens() ([]sender, error) { return parsed(c.RosterToken, rosterSenders) }
func (c config) oktaSecrets() ([]string, error)  { return parsed(c.OktaSecret, parseSecretWords) }

func (c config) checkClock() []string {
	var wrong []string
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		wrong = append(wrong, fmt.Sprintf("ROLECALL_TIMEZONE: %q is not a zone like Europe/Berlin", c.Timezone))
	}
	specs := map[string]string{"RECONCILE_SCHEDULE": c.ReconcileSchedule, "DIGEST_SCHEDULE": c.DigestSchedule}
	if c.WatchSchedule != "" {
		specs["WATCH_SCHEDULE"] = c.WatchSchedule
	}
	if c.OktaUrl != "" {
		specs["OKTA_SCHEDULE"] = c.OktaSchedule
	}
	for name, spec := range specs {
		if _, err := cron.ParseStandard(spec); err != nil {
			wrong = append(wrong, fmt.Sprintf("ROLECALL_%s: %q is not a cron spec like \"0 9 * * 1-5\": %v", name, spec, err))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// schedule returns the cron spec as it runs in the configured zone.
func (c config) schedule(spec string) (lifecycle.Schedule, error) {
	if !strings.Contains(spec, "TZ=") {
		spec = "CRON_TZ=" + c.Timezone + " " + spec
	}
	s, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("parse schedule %q: %w", spec, err)
	}
	return s, nil
}

func required(name, value string) []string {
	if value == "" {
		return []string{"ROLECALL_" + name + ": is not set"}
	}
	return nil
}

func checkURL(name, value string) []string {
	if u, err := url.Parse(value); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return []string{fmt.Sprintf("ROLECALL_%s: %q is not a URL", name, value)}
	}
	return nil
}

// cause returns what is wrong with a file without naming it once more.
func cause(err error) error {
	if of, ok := errors.AsType[*os.PathError](err); ok {
		return of.Err
	}
	return err
}
