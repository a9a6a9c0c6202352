package bot

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// refresh shows the Home tab anew to somebody who decided there. The decision
// stands whatever becomes of that.
func (b *Bot) refresh(ctx context.Context, who lifecycle.Identity) {
	if err := b.publishHome(ctx, slackRef{ID: string(who.Slack)}, ""); err != nil {
		b.log.WarnContext(ctx, "show home after a decision", slog.String("identity", string(who.ID)), slog.Any("err", err))
	}
}

// publishHome shows the person what waits for them, what they hold, and what
// they own, unless that is what stands: the private metadata of the view that
// they see. A tab is opened far more often than it changes.
func (b *Bot) publishHome(ctx context.Context, ref slackRef, stands string) error {
	release, err := b.jobs.locks.take(ctx, "home/"+ref.ID) // so that an older view never lands after a newer one
	if err != nil {
		return err
	}
	defer release()
	v, err := b.home(ctx, ref)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode home: %w", err)
	}
	if v.PrivateMetadata = fmt.Sprintf("%x", sha256.Sum256(raw)); v.PrivateMetadata == stands {
		return nil
	}
	if err := b.out.publishHome(ctx, ref.ID, v); err != nil {
		return fmt.Errorf("publish home of %s: %w", ref.ID, err)
	}
	return nil
}

// home draws the person's Home tab. To whoever is refused it says why, and
// nothing that stood there before.
func (b *Bot) home(ctx context.Context, ref slackRef) (slack.HomeTabViewRequest, error) {
	who, err := b.people.reader(ctx, ref)
	if reason := lifecycle.ReasonOf(err); reason != "" {
		return closedHome(reasonWords(reason)), nil
	}
	if err != nil {
		return slack.HomeTabViewRequest{}, err
	}
	d, err := b.homeData(ctx, who)
	return homeView(d), err
}

func (b *Bot) homeData(ctx context.Context, who lifecycle.Identity) (homeData, error) {
	d := homeData{frame: frame{mode: b.cfg.Mode, now: b.cfg.Now(), loc: b.cfg.Location}, Viewer: who}
	var err error
	if d.p, err = b.cfg.Policies.Current(ctx); err != nil {
		return d, fmt.Errorf("read the policy in force: %w", err)
	}
	if d.Inbox, err = b.cfg.Desk.Inbox(ctx, who); err != nil {
		return d, err
	}
	if d.Standing, err = b.cfg.Desk.Standing(ctx, who); err != nil {
		return d, err
	}
	if d.Findings, err = b.cfg.Desk.FindingsFor(ctx, who); err != nil {
		return d, err
	}
	if d.Ending, err = b.cfg.Desk.EndingFor(ctx, who, d.now.Add(endingSoon)); err != nil {
		return d, err
	}
	if d.Away, err = b.cfg.Absences.Of(ctx, who.ID); err != nil {
		return d, err
	}
	if d.Teams, err = b.teamsOf(ctx, d.p, who); err != nil {
		return d, err
	}
	if d, err = b.withSecurity(ctx, d); err != nil {
		return d, err
	}
	d.names, err = b.jobs.names(ctx, named(d)...)
	return d, err
}

func (b *Bot) teamsOf(ctx context.Context, p lifecycle.Policy, who lifecycle.Identity) ([]homeTeam, error) {
	var teams []homeTeam
	for _, t := range p.Teams {
		if !owns(t, who) {
			continue
		}
		team, holders, err := b.cfg.Desk.Team(ctx, t.Name)
		if err != nil {
			return nil, err
		}
		teams = append(teams, homeTeam{Team: team, Holders: holders})
	}
	return teams, nil
}

// named returns the addresses that the inbox names, and what waits for Security.
func named(d homeData) []string {
	var emails []string
	for _, r := range d.Inbox {
		emails = append(emails, r.Subject.Email)
		emails = append(emails, r.Approvers...)
	}
	for _, a := range d.Away {
		emails = append(emails, a.Delegate)
	}
	if d.Security != nil {
		emails = slices.Concat(emails, d.p.Security.Members, d.Security.in.deciders())
	}
	return emails
}
