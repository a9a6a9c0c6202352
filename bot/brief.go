package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// Keys under which it is noted when something for a channel was sent last.
const briefSent = "#security"

func teamSent(t lifecycle.TeamPolicy) string { return "#team/" + string(t.ID) }

// channels sends what is due to the channels: the digest of each team whose
// policy asks for one, and Security's brief.
func (o *outbound) channels(ctx context.Context) error {
	p, err := o.Policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	var failed []error
	for _, t := range p.Teams {
		if t.Digest && t.Channel != "" {
			failed = append(failed, o.whenDue(ctx, teamSent(t), func(ctx context.Context) (string, error) { return o.teamDigest(ctx, t) }))
		}
	}
	if p.Security.Channel != "" {
		failed = append(failed, o.whenDue(ctx, briefSent, func(ctx context.Context) (string, error) { return o.brief(ctx, p) }))
	}
	return errors.Join(failed...)
}

// whenDue sends what is due under the key, and notes how that went.
func (o *outbound) whenDue(ctx context.Context, key string, send func(context.Context) (string, error)) error {
	due, err := o.Digests.DueNow(ctx, key)
	if err != nil || !due {
		return err
	}
	how, err := send(ctx)
	if err != nil {
		return err
	}
	return o.Digests.Sent(ctx, key, how)
}

// teamDigest tells a team's channel what there is about the team. Nothing to say is quiet.
func (o *outbound) teamDigest(ctx context.Context, t lifecycle.TeamPolicy) (how string, err error) {
	is, err := o.Digests.ComposeTeam(ctx, t)
	if err != nil {
		return "", fmt.Errorf("compose the digest of team %s: %w", t.ID, err)
	}
	if is.Empty() {
		return "nothing to say", nil
	}
	v, err := o.digestView(ctx, lifecycle.Digest{At: is.At, Findings: is.Findings, Waiting: is.Waiting, Bundles: is.Bundles, Others: is.Others, Ending: is.Ending, Done: is.Done}, o.Location)
	if err != nil {
		return "", err
	}
	v.team, v.security = foreign(t.Name, maxTeam), securityInbox{}
	return o.inChannel(ctx, digestKey(teamSent(t), is.At.In(o.Location)), t.Channel, v.message())
}

// inChannel says m in the channel once. One that cannot be reached is Security's business.
func (o *outbound) inChannel(ctx context.Context, key, channel string, m message) (how string, err error) {
	err = o.once(ctx, parcel{Key: key, Channel: channel, Message: m})
	if unreachable(err) {
		e := lifecycle.AuditEvent{At: o.Now(), Actor: lifecycle.System, Kind: lifecycle.EventCardFailed, Ref: channel, Detail: map[string]string{"why": "the channel cannot be reached in Slack, so no digest was sent: " + detailOf(err)}}
		told := lifecycle.Job{Kind: lifecycle.JobAlert, Ref: fmt.Sprintf("The policy names the channel %s, which rolecall cannot reach (%s): it gets no digest. Invite rolecall there, or correct the policy.", channel, slackCode(err))}
		if err := o.Store.Record(ctx, e, told); err != nil {
			return "", fmt.Errorf("record unreachable channel: %w", err)
		}
		return "cannot be reached in Slack", nil
	}
	return "sent", err
}

// brief tells Security's channel where the house stands, with the trend as a picture.
func (o *outbound) brief(ctx context.Context, p lifecycle.Policy) (how string, err error) {
	is, err := o.Digests.Brief(ctx)
	if err != nil {
		return "", fmt.Errorf("compose the brief: %w", err)
	}
	if is.Empty() {
		return "nothing to say", nil
	}
	since := lifecycle.Date(is.At.UTC().AddDate(0, 0, -trendDays).Format(time.DateOnly))
	if is.Trend, err = o.Tallies.Tallies(ctx, since); err != nil {
		return "", fmt.Errorf("load the trend: %w", err)
	}
	v := briefView{frame: frame{p: p, mode: o.Mode, now: is.At, loc: o.Location}, b: is, trend: trendOf(is.Trend, is.At)}
	key := digestKey(briefSent, is.At.In(o.Location))
	if was, err := o.message(ctx, key); err != nil || was.TS != "" {
		return "already sent today", err
	}
	if v.picture, err = o.draw90(ctx, v.trend); err != nil {
		return "", err
	}
	return o.inChannel(ctx, key, p.Security.Channel, v.message())
}

// draw90 uploads the picture of the trend and returns its file, "" where there
// is none: the words tell the numbers too, and are not kept back for it.
func (o *outbound) draw90(ctx context.Context, t trend) (string, error) {
	if !t.drawable() {
		return "", nil
	}
	drawn, err := t.png()
	if err != nil {
		return "", err
	}
	id, err := o.box.upload(ctx, picture{Name: "trend.png", Alt: t.words(), PNG: drawn})
	if later, ok := errors.AsType[*lifecycle.JobError](err); ok {
		return "", later
	}
	if err != nil {
		o.Log.WarnContext(ctx, "the trend goes without its picture", slog.Any("err", err))
		return "", nil
	}
	return id, nil
}

// briefView is Security's brief as it is drawn.
type briefView struct {
	frame
	b       lifecycle.Brief
	trend   trend
	picture string // the file of the trend; "" for none
}

func (v briefView) message() message {
	blocks := []slack.Block{header("PagerDuty access brief, " + v.b.At.In(v.loc).Format("Mon 2 Jan"))}
	if v.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	if len(v.b.Leavers) > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*Leavers still present* (%d)\n%s", len(v.b.Leavers), findingLines(v.b.Leavers, digestFindings))))
	}
	if len(v.b.Teams) > 0 {
		blocks = append(blocks, section("*By team*\n"+v.teams()))
	}
	if len(v.b.Ending) > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*Exceptions ending within a week*: %d. Each is asked again when it ends.", len(v.b.Ending))))
	}
	if words := v.trend.words(); words != "" {
		blocks = append(blocks, section(fmt.Sprintf("*Findings over %d days*\n%s", trendDays, words)))
	}
	if v.picture != "" {
		blocks = append(blocks, slack.NewImageBlockSlackFile(&slack.SlackFileObject{ID: v.picture}, clip(v.trend.words(), maxFileAlt), "", nil))
	}
	blocks = append(blocks, contextLine(v.asOf()+" Nothing here asks for a press: the owners have their own digests. All of it: `"+Command+" findings`."))
	m := message{Text: v.push(), Blocks: blocks}
	m.Blocks = withBlockIDs(blocks, m.digest()[:12])
	return m
}

func (v briefView) teams() string {
	lines := make([]string, len(v.b.Teams))
	for i, t := range v.b.Teams {
		name := foreign(t.Team.Name, maxTeam)
		if name == "" {
			name = "Of no team in the policy"
		}
		lines[i] = fmt.Sprintf("• %s: %s", name, count(t.Findings, "finding", "findings"))
		if t.Findings > 0 {
			lines[i] += fmt.Sprintf(" (%d about great power, %d stale, %d drift)", t.Privileged, t.Stale, t.Drift)
		}
		if t.Waiting > 0 {
			lines[i] += ", " + count(t.Waiting, "request waits", "requests wait")
		}
	}
	return packLines(lines, digestDone, seeMore("`"+Command+" findings`"))
}

func (v briefView) asOf() string {
	if v.b.LastCall.IsZero() {
		return "No roll call has been held yet."
	}
	return "As of the roll call of " + moment(v.b.LastCall, v.loc) + "."
}

func (v briefView) push() string {
	findings, waiting := 0, 0
	for _, t := range v.b.Teams {
		findings, waiting = findings+t.Findings, waiting+t.Waiting
	}
	return fmt.Sprintf("PagerDuty access brief: %s, %s, %s.", count(len(v.b.Leavers), "leaver still present", "leavers still present"),
		count(findings, "finding", "findings"), count(waiting, "request waits", "requests wait"))
}
