package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// A Bot talks with the people in one Slack workspace.
type Bot struct {
	cfg    Config
	out    *outbox
	jobs   *outbound
	people *people
	seen   *seen
	log    *slog.Logger

	working *pool // what was taken in
	telling *pool // whoever could not be served
	drawing *pool // what was pressed
	link    *link // of Socket Mode
	lines   errgroup.Group
}

// New returns a bot, or an error that names every mistake in cfg.
func New(cfg Config) (*Bot, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	out, err := newOutbox(cfg)
	if err != nil {
		return nil, fmt.Errorf("make the way out to Slack: %w", err)
	}
	return &Bot{
		cfg: cfg, out: out, jobs: newOutbound(cfg, out), people: newPeople(out, cfg), seen: newSeen(cfg.Now), log: cfg.Log,
		working: newPool(workers), telling: newPool(tellers), drawing: newPool(drawers), link: newLink(cfg.Replicas, cfg.CountAgain),
	}, nil
}

// Handlers returns what does each step of the flow that is the bot's.
func (b *Bot) Handlers() map[lifecycle.JobKind]func(context.Context, lifecycle.Attempt) error {
	return b.jobs.handlers()
}

// Run keeps the bot connected until ctx ends, and then waits for the work in
// hand. It returns an error when Slack refuses the credentials for good.
func (b *Bot) Run(ctx context.Context) error {
	var err error
	if b.cfg.Secrets.AppToken != "" {
		err = b.runSocket(ctx)
	} else {
		err = b.introduce(ctx)
	}
	return errors.Join(err, b.working.close(), b.telling.close(), b.drawing.close())
}

// Connected returns nil when what people press can arrive, and be answered:
// Slack has accepted the bot token and, in Socket Mode, greeted a connection that stands.
func (b *Bot) Connected() error {
	if err := b.people.introduced(); err != nil {
		return err
	}
	if b.cfg.Secrets.AppToken != "" {
		return b.link.connected()
	}
	return nil
}

func (c Config) check() error {
	var wrong []error
	need := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, errors.New(what))
		}
	}
	s := c.Secrets
	need(s.BotToken != "", "the Slack bot token (xoxb-…) is missing")
	need((s.AppToken != "") != (s.SigningSecret != ""), "give either a Slack app token (xapp-…, Socket Mode) or a signing secret (HTTP), not both and not neither")
	need(s.AppToken == "" || strings.HasPrefix(s.AppToken, "xapp-"), "the Slack app token does not begin with xapp-")
	need(c.APIURL == "" || strings.HasSuffix(c.APIURL, "/"), "the Slack API URL must end in /")
	need(c.Client != nil, "the HTTP client is missing")
	need(c.Approvals != nil && c.Directory != nil && c.Desk != nil && c.Digests != nil, "one of approvals, directory, desk and digests is missing")
	need(c.Matcher != nil && c.Brakes != nil && c.Sources != nil && c.Absences != nil && c.Groups != nil && c.Reviews != nil, "one of matcher, brakes, sources, absences, groups and reviews is missing")
	need(c.Planner != nil, "the planner, of whom people ask for access, is missing")
	need(c.Policies != nil && c.Tallies != nil, "the policy source or the trend is missing")
	need(c.Store != nil, "the store is missing")
	need(c.RollCall != nil, "the way to ask for a roll call is missing")
	need(c.Location != nil && c.Now != nil && c.Log != nil, "one of location, clock and log is missing")
	if _, err := lifecycle.ParseMode(string(c.Mode)); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}
