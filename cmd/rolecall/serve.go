package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"rolecall/bot"
	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

func serveCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the bot: hear notices, ask in Slack, change PagerDuty, keep the record",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := configured(serveLogger(t))
			if err != nil {
				return err
			}
			return serve(cmd.Context(), s)
		},
	}
}

func serve(ctx context.Context, s settings) error {
	h, err := newService(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(h.run(ctx), h.close())
}

// configured returns the settings that the environment gives, or every mistake in it.
func configured(log *slog.Logger) (settings, error) {
	cfg, err := loadConfig(needDatabase, needPolicy, needPagerDuty, needSlack, needListen, needIntake, needClock)
	if err != nil {
		return settings{}, err
	}
	s := settings{database: cfg.Database, policy: cfg.Policy, listen: cfg.Listen, slackURL: cfg.SlackAPIUrl, settle: settleFor, looks: policyLooks, log: log}
	if s.doors, err = cfg.doors(); err != nil {
		return s, err
	}
	if s.mode, err = lifecycle.ParseMode(cfg.Mode); err != nil {
		return s, err
	}
	if s.location, err = time.LoadLocation(cfg.Timezone); err != nil {
		return s, fmt.Errorf("load zone %s: %w", cfg.Timezone, err)
	}
	if s.reconcile, err = cfg.schedule(cfg.ReconcileSchedule); err != nil {
		return s, err
	}
	if s.digest, err = cfg.schedule(cfg.DigestSchedule); err != nil {
		return s, err
	}
	if cfg.WatchSchedule != "" {
		if s.watch, err = cfg.schedule(cfg.WatchSchedule); err != nil {
			return s, err
		}
	}
	s.pagerDuty = cfg.pagerDuty(log)
	if s.replicas, err = cfg.replicas(); err != nil {
		return s, err
	}
	s.slack, err = cfg.slackSecrets()
	return s, err
}

// settleFor is how long what a source sends piece by piece is waited for, before
// it is told what has moved.
const settleFor = time.Minute

func (c config) doors() (d doors, err error) {
	d = doors{webhook: c.webhookSecrets, scim: c.scimClients, roster: c.rosterTokens, okta: c.oktaSecrets, oktaURL: c.OktaUrl, oktaToken: c.OktaToken.value}
	if c.OktaUrl != "" {
		if d.oktaSchedule, err = c.schedule(c.OktaSchedule); err != nil {
			return d, err
		}
	}
	d.issuers, err = c.issuers()
	return d, err
}

func (c config) slackSecrets() (s bot.Secrets, err error) {
	for _, part := range []struct {
		to   *string
		from secret
	}{{&s.BotToken, c.SlackBotToken}, {&s.AppToken, c.SlackAppToken}, {&s.SigningSecret, c.SlackSigningSecret}} {
		if *part.to, err = part.from.value(); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (c config) pagerDuty(log *slog.Logger) pagerduty.Config {
	p := pagerduty.Config{
		ClientID: c.PagerdutyClientID, Subdomain: c.PagerdutySubdomain, Region: c.PagerdutyRegion,
		APIURL: c.PagerdutyAPIUrl, TokenURL: c.PagerdutyTokenUrl, From: c.PagerdutyFrom, Now: time.Now, Log: log,
	}
	p.Concurrency, _ = c.concurrency() // what is no number was a mistake before
	if c.PagerdutyToken.isSet() {
		p.Token = c.PagerdutyToken.value
	} else {
		p.ClientSecret = c.PagerdutyClientSecret.value
	}
	return p
}

// rollCallOver is a roll call for a command: over the database, without Slack.
// progress is told of the calls to PagerDuty.
func rollCallOver(cfg config, rules lifecycle.Policy, db *storage.DB, log *slog.Logger, progress func(done, total int)) (*lifecycle.RollCall, error) {
	way := cfg.pagerDuty(log)
	way.Progress = progress
	pd, err := pagerduty.New(way)
	if err != nil {
		return nil, fmt.Errorf("set up PagerDuty: %w", err)
	}
	return lifecycle.NewRollCall(db, pd, lifecycle.NewTerms(policy.NewLive(rules, pd.Teams), db, time.Now), time.Now), nil
}
