package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// reviewOf returns what the button makes of a finding.
func reviewOf(action string) lifecycle.Review {
	switch action {
	case ActionKeep, ModalKeep:
		return lifecycle.ReviewKeep
	case ActionReduce, ModalReduce:
		return lifecycle.ReviewReduce
	default:
		return lifecycle.ReviewRevoke
	}
}

// isFindingID reports whether the value of a button names a finding.
func isFindingID(value string) bool {
	return strings.HasPrefix(value, "fnd_") && len(value) <= maxValue && !strings.ContainsAny(value, ":|, ")
}

// pressFinding decides a finding where it stands, or opens the modal that asks
// for the rest. The domain is asked before: whoever may not decide is refused,
// and is on the record for having tried; of whoever may, it asks for a reason.
func (b *Bot) pressFinding(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	v := lifecycle.Verdicts{Findings: []lifecycle.FindingID{lifecycle.FindingID(a.Value)}, By: by, What: reviewOf(a.ActionID), Shown: stampTime(in.Container.MessageTS), Via: lifecycle.ViaSlack}
	out, err := b.decideOne(ctx, v)
	if errors.Is(err, lifecycle.ErrInvalid) {
		return b.askFinding(ctx, in, a, v)
	}
	if err != nil {
		return err
	}
	b.settledFindings(ctx, in.where(), in.Container.MessageTS, by, []lifecycle.Outcome{out})
	return nil
}

// decideOne decides one finding; what is wrong with that one is the error.
func (b *Bot) decideOne(ctx context.Context, v lifecycle.Verdicts) (lifecycle.Outcome, error) {
	out, err := b.cfg.Reviews.Decide(ctx, v)
	if err != nil {
		return lifecycle.Outcome{}, err
	}
	if len(out) != 1 {
		return lifecycle.Outcome{}, fmt.Errorf("decide finding %s: %d outcomes came of it", v.Findings[0], len(out))
	}
	return out[0], out[0].Err
}

// askFinding opens the modal that restates the finding and asks for the reason.
func (b *Bot) askFinding(ctx context.Context, in interaction, a action, v lifecycle.Verdicts) error {
	seen, err := b.cfg.Reviews.Preview(ctx, v.Findings, v.What)
	if err != nil {
		return err
	}
	if len(seen) != 1 {
		return fmt.Errorf("preview finding %s: %d came of it", v.Findings[0], len(seen))
	}
	if seen[0].Held != "" {
		return lifecycle.Refuse(lifecycle.ErrConflict, "%s", seen[0].Held)
	}
	at := place{Channel: in.where().channel, TS: in.Container.MessageTS}
	meta := encodeMeta(a.Value, at) + "|" + strconv.FormatInt(b.cfg.Now().Unix(), 10)
	return b.openModal(ctx, in.TriggerID, findingModal(seen[0], v.What, b.plainFrame(), meta))
}

func (b *Bot) plainFrame() frame {
	return frame{mode: b.cfg.Mode, now: b.cfg.Now(), loc: b.cfg.Location}
}

// findingModal restates a finding and what follows, and asks why.
func findingModal(seen lifecycle.Preview, what lifecycle.Review, f frame, meta string) slack.ModalViewRequest {
	callback, title, question := ModalRevoke, "Revoke", "Why is this right?"
	switch what {
	case lifecycle.ReviewKeep:
		callback, title, question = ModalKeep, "Keep as it is", "Why is this departure from policy right?"
	case lifecycle.ReviewReduce:
		callback, title = ModalReduce, "Reduce"
	case lifecycle.ReviewRevoke:
	}
	blocks := []slack.Block{section("*" + findingWords(seen.Finding) + "*\n" + followsWords(seen, what))}
	if f.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	blocks = append(blocks, reasonInput(question, reasonHint))
	if what == lifecycle.ReviewKeep {
		blocks = append(blocks, untilInput(f, false))
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callback, PrivateMetadata: meta,
		Title: plainText(title, maxTitle), Submit: plainText(title, maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

func untilInput(f frame, optional bool) slack.Block {
	until := slack.NewDatePickerBlockElement(InputUntil)
	until.InitialDate = f.now.In(f.loc).AddDate(0, 0, keepDays).Format(time.DateOnly)
	label, hint := "Until", "The last day of the exception, within a year."
	if optional {
		label, hint = "Until, where they are kept", "It counts for Keep only: the last day, within a year."
	}
	return slack.NewInputBlock(InputUntil, plainText(label, maxButton), plainText(hint, maxButton), until).WithOptional(optional)
}

// followsWords says what a press does to one finding.
func followsWords(seen lifecycle.Preview, what lifecycle.Review) string {
	if what == lifecycle.ReviewKeep {
		return "If kept: nothing is changed in PagerDuty, and it is asked again when the exception ends."
	}
	title := map[lifecycle.Review]string{lifecycle.ReviewReduce: "If reduced: ", lifecycle.ReviewRevoke: "If revoked: "}[what]
	words := title + changesWords(seen.Changes) + "."
	for _, e := range seen.Effects {
		words += " " + foreign(fullStop(e), maxPhrase)
	}
	return words
}

// changesWords says what a few changes do, in one line: roles first, which matter
// most where there is little room.
func changesWords(changes []lifecycle.Change) string {
	roles, others := []lifecycle.Change{}, []lifecycle.Change{}
	for _, c := range changes {
		if c.OnAccount() {
			roles = append(roles, c)
		} else {
			others = append(others, c)
		}
	}
	changes = append(roles, others...)
	words := make([]string, len(changes))
	for i, c := range changes {
		words[i] = changeWords(c)
	}
	if len(words) == 0 {
		return "nothing is changed in PagerDuty"
	}
	return listed(words, manySteps, " · ")
}

// findingModal decides with what was filled in.
func (b *Bot) findingModal(ctx context.Context, in interaction) error {
	reason, until, err := b.filledIn(in.View)
	if err != nil {
		return err
	}
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return err
	}
	value, from := decodeMeta(in.View.Metadata)
	out, err := b.decideOne(ctx, lifecycle.Verdicts{
		Findings: []lifecycle.FindingID{lifecycle.FindingID(value)}, By: by, What: reviewOf(in.View.Callback),
		Reason: reason, Until: until, Shown: metaTime(in.View.Metadata), Via: lifecycle.ViaSlack,
	})
	if err != nil {
		return err
	}
	b.settledFindings(ctx, in.origin(), from.TS, by, []lifecycle.Outcome{out})
	return nil
}

// metaTime returns when a modal was opened, or the zero time.
func metaTime(meta string) time.Time {
	parts := append(strings.SplitN(meta, "|", 4), "", "", "", "")
	stamp, _, _ := strings.Cut(parts[3], "|")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// stampTime returns when the message was sent, or the zero time.
func stampTime(ts string) time.Time {
	whole, _, _ := strings.Cut(ts, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// settledFindings lets people see what came of a press on findings: the digests
// that show them are edited. Where that is not where it was pressed, a line says it.
func (b *Bot) settledFindings(ctx context.Context, at where, ts string, by lifecycle.Identity, out []lifecycle.Outcome) {
	var rs []lifecycle.Request
	for _, o := range out {
		if o.Err == nil {
			rs = append(rs, o.Request)
		}
	}
	if len(rs) > 0 {
		b.drawSoon(ctx, slog.String("digests", "today's"), func(ctx context.Context) error { return b.jobs.redigest(ctx, rs) })
	}
	if at.channel == "" {
		b.refresh(ctx, by)
		return
	}
	if len(out) == 1 && out[0].Err == nil && !b.jobs.isDigest(ctx, by, at.channel, ts) {
		b.say(ctx, at, "Noted. "+requestLine(out[0].Request)+" · "+b.stateWords(out[0].Request))
	}
}

// isDigest reports whether the message is a digest of today, which will say what came of a press.
func (o *outbound) isDigest(ctx context.Context, by lifecycle.Identity, channel, ts string) bool {
	loc, err := o.zoneOf(ctx, string(by.Slack))
	if err != nil {
		return false
	}
	m, err := o.message(ctx, digestKey(by.Person.Email(), o.Now().In(loc)))
	return err == nil && m.Channel == channel && m.TS == ts
}
