package bot

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// bulkMost is how many findings one modal decides: ten blocks of ten boxes.
const bulkMost = 100

// A bulkChoice is what a modal over many findings was filled in with.
type bulkChoice struct {
	what   lifecycle.Review
	until  time.Time
	ids    []lifecycle.FindingID
	at     place
	opened string // when the findings were first shown, in seconds
}

// encode returns the private metadata of the modal that asks whether it is meant.
func (k bulkChoice) encode() string {
	day := ""
	if !k.until.IsZero() {
		day = strconv.FormatInt(k.until.Unix(), 10)
	}
	ids := make([]string, len(k.ids))
	for i, id := range k.ids {
		ids[i] = strings.TrimPrefix(string(id), "fnd_")
	}
	return encodeMeta(string(k.what)+";"+day, k.at) + "|" + k.opened + "|" + strings.Join(ids, ",")
}

// decodeBulk returns what encode put in, or an error.
func decodeBulk(meta string) (bulkChoice, error) {
	parts := strings.SplitN(meta, "|", 5)
	if len(parts) != 5 {
		return bulkChoice{}, fmt.Errorf("read what the modal was opened with: it has %d parts", len(parts))
	}
	what, day, _ := strings.Cut(parts[0], ";")
	k := bulkChoice{at: place{Channel: parts[1], TS: parts[2]}, opened: parts[3]}
	var err error
	if k.what, err = lifecycle.ParseReview(what); err != nil {
		return bulkChoice{}, fmt.Errorf("read what the modal was opened with: %w", err)
	}
	if day != "" {
		seconds, err := strconv.ParseInt(day, 10, 64)
		if err != nil {
			return bulkChoice{}, fmt.Errorf("read what the modal was opened with: %w", err)
		}
		k.until = time.Unix(seconds, 0).UTC()
	}
	for id := range strings.SplitSeq(parts[4], ",") {
		k.ids = append(k.ids, lifecycle.FindingID("fnd_"+id))
	}
	return k, nil
}

// pressReview opens the modal over a bundle, as it is for whoever presses now.
func (b *Bot) pressReview(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	bundle, err := b.bundleOf(ctx, by, a.Value)
	if err != nil {
		return err
	}
	seen, err := b.bulkItems(ctx, bundle)
	if err != nil {
		return err
	}
	at := place{Channel: in.where().channel, TS: in.Container.MessageTS}
	meta := encodeMeta(a.Value, at) + "|" + strconv.FormatInt(b.cfg.Now().Unix(), 10)
	return b.openModal(ctx, in.TriggerID, bulkModal(bundle, seen, b.plainFrame(), meta))
}

// bundleOf returns what is undecided of the bundle, as far as it is the
// person's to decide, at most as much of it as one modal takes.
func (b *Bot) bundleOf(ctx context.Context, by lifecycle.Identity, key string) (lifecycle.Bundle, error) {
	d, err := b.cfg.Digests.Compose(ctx, by.Person.Email())
	if err != nil {
		return lifecycle.Bundle{}, err
	}
	i := slices.IndexFunc(d.Bundles, func(k lifecycle.Bundle) bool { return bundleKey(k) == key })
	if i < 0 {
		return lifecycle.Bundle{}, lifecycle.Refuse(lifecycle.ErrConflict, "Nothing of this is yours to decide now: it is decided already, or others own it. What waits for you: `%s inbox`.", Command)
	}
	bundle := d.Bundles[i]
	asked, err := b.jobs.askedAbout(ctx, []lifecycle.Bundle{bundle})
	if err != nil {
		return lifecycle.Bundle{}, err
	}
	v := digestView{asked: asked}
	bundle.Findings = slices.DeleteFunc(slices.Clone(bundle.Findings), func(f lifecycle.Finding) bool { _, ok := v.settled(f); return ok })
	if len(bundle.Findings) == 0 {
		return lifecycle.Bundle{}, lifecycle.Refuse(lifecycle.ErrConflict, "All of these have been decided already.")
	}
	return bundle, nil
}

// bulkItem is one finding of a bundle, and what each way to decide it does.
type bulkItem struct {
	finding        lifecycle.Finding
	revoke, reduce lifecycle.Preview
}

func (b *Bot) bulkItems(ctx context.Context, k lifecycle.Bundle) ([]bulkItem, error) {
	found := k.Findings[:min(len(k.Findings), bulkMost)]
	ids := make([]lifecycle.FindingID, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	revoke, err := b.cfg.Reviews.Preview(ctx, ids, lifecycle.ReviewRevoke)
	if err != nil {
		return nil, err
	}
	reduce := make([]lifecycle.Preview, len(ids))
	if k.Reducible {
		if reduce, err = b.cfg.Reviews.Preview(ctx, ids, lifecycle.ReviewReduce); err != nil {
			return nil, err
		}
	}
	if len(revoke) != len(ids) || len(reduce) != len(ids) {
		return nil, fmt.Errorf("preview %d findings: %d and %d came of it", len(ids), len(revoke), len(reduce))
	}
	items := make([]bulkItem, len(ids))
	for i, f := range found {
		items[i] = bulkItem{f, revoke[i], reduce[i]}
	}
	return items, nil
}

// reviewModal takes what is to be done, and answers with the modal that asks
// whether it is meant: how many, and what becomes of each.
func (b *Bot) reviewModal(ctx context.Context, in interaction) (any, error) {
	k, reason, err := b.filledBulk(ctx, in)
	if err != nil {
		return nil, err
	}
	seen, err := b.cfg.Reviews.Preview(ctx, k.ids, k.what)
	if err != nil {
		return nil, err
	}
	can := slices.DeleteFunc(slices.Clone(seen), func(p lifecycle.Preview) bool { return p.Held != "" })
	if len(can) == 0 {
		return nil, wrongInput(InputWhat, "Nothing can be done to any of them that way: "+fullStop(seen[0].Held))
	}
	k.ids = k.ids[:0]
	for _, p := range can {
		k.ids = append(k.ids, p.Finding.ID)
	}
	v := confirmModal(k, seen, reason, b.plainFrame())
	return slack.NewPushViewSubmissionResponse(&v), nil
}

// filledBulk returns what was chosen, or a Refusal that names each field.
func (b *Bot) filledBulk(ctx context.Context, in interaction) (bulkChoice, string, error) {
	reason, until, err := b.filledIn(in.View)
	what, whatErr := lifecycle.ParseReview(in.View.entered(InputWhat))
	if whatErr != nil {
		whatErr = wrongInput(InputWhat, "Choose what is to be done.")
	}
	if err := bothWrong(err, whatErr); err != nil {
		return bulkChoice{}, "", err
	}
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return bulkChoice{}, "", err
	}
	value, at := decodeMeta(in.View.Metadata)
	bundle, err := b.bundleOf(ctx, by, value)
	if err != nil {
		return bulkChoice{}, "", err
	}
	k := bulkChoice{what: what, at: at, opened: strconv.FormatInt(metaTime(in.View.Metadata).Unix(), 10)}
	if what == lifecycle.ReviewKeep {
		k.until = until
	}
	k.ids, err = bulkPicked(in.View, bundle)
	return k, reason, err
}

// bulkPicked returns the findings that are meant, of those that are still undecided.
func bulkPicked(v view, k lifecycle.Bundle) ([]lifecycle.FindingID, error) {
	var ticked []lifecycle.FindingID
	for n := range bulkMost / 10 {
		for _, id := range v.all(pickedBlock(n)) {
			ticked = append(ticked, lifecycle.FindingID(id))
		}
	}
	scope := v.entered(InputScope)
	switch {
	case scope == scopeAll && len(ticked) > 0:
		return nil, wrongInput(InputScope, "You chose all of them, and ticked some too. Choose one of the two.")
	case scope != scopeAll && len(ticked) == 0:
		return nil, wrongInput(InputScope, "Tick at least one, or choose all of them.")
	}
	var ids []lifecycle.FindingID
	for _, f := range k.Findings[:min(len(k.Findings), bulkMost)] {
		if scope == scopeAll || slices.Contains(ticked, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	shown, err := strconv.Atoi(scopeShown(v.Metadata))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read what the modal was opened with: %w", err)
	case scope == scopeAll && len(ids) != shown:
		return nil, lifecycle.Refuse(lifecycle.ErrConflict, "When you opened this, there were %d; now there are %d. Nothing was decided: press *Review* again to see them.", shown, len(ids))
	case scope != scopeAll && len(ids) != len(ticked):
		return nil, lifecycle.Refuse(lifecycle.ErrConflict, "Somebody has decided some of those that you ticked meanwhile. Nothing was decided: press *Review* again to see the rest.")
	}
	return ids, nil
}

// scopeShown returns how many findings the modal was opened with, as text.
func scopeShown(meta string) string {
	parts := strings.Split(meta, "|")
	return parts[len(parts)-1]
}

// confirmedModal decides what was meant, and tells what became of each.
func (b *Bot) confirmedModal(ctx context.Context, in interaction) (any, error) {
	reason, _, err := b.filledIn(in.View)
	if err != nil {
		return nil, err
	}
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return nil, err
	}
	k, err := decodeBulk(in.View.Metadata)
	if err != nil {
		return nil, err
	}
	out, err := b.cfg.Reviews.Decide(ctx, lifecycle.Verdicts{
		Findings: k.ids, By: by, What: k.what, Reason: reason, Until: k.until, Shown: openedTime(k.opened), Via: lifecycle.ViaSlack,
	})
	if err != nil {
		return nil, err
	}
	told := b.bulkOutcome(ctx, k.what, out)
	if err := b.line(ctx, in.User.ID, told.Text, told.Blocks); err != nil {
		b.log.ErrorContext(ctx, "tell what became of many findings", slog.String("user", in.User.ID), slog.Any("err", err))
	}
	b.settledFindings(ctx, where{user: in.User.ID, channel: k.at.Channel}, k.at.TS, by, out)
	return slack.NewClearViewSubmissionResponse(), nil
}

func openedTime(seconds string) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// bulkOutcome says what became of each finding.
func (b *Bot) bulkOutcome(ctx context.Context, what lifecycle.Review, out []lifecycle.Outcome) message {
	done := 0
	all := make([]string, len(out))
	for i, o := range out {
		switch reason := lifecycle.ReasonOf(o.Err); {
		case o.Err == nil:
			done++
			all[i] = "• " + requestLine(o.Request) + " · " + b.stateWords(o.Request)
		case reason != "":
			all[i] = "• Not decided (" + foreign(string(o.Finding), maxName) + "): " + reasonWords(reason)
		default:
			b.log.ErrorContext(ctx, "decide one of many findings", slog.String("finding", string(o.Finding)), slog.Any("err", o.Err))
			all[i] = "• Not decided (" + foreign(string(o.Finding), maxName) + "): something went wrong on our side, and nothing was changed."
		}
	}
	heading := fmt.Sprintf("You decided %d of %d: %s.", done, len(out), what)
	foot := contextLine("Each is on the record by itself, with your name and reason.")
	return message{Text: heading, Blocks: append(append([]slack.Block{section("*" + heading + "*")}, paragraphs(all)...), foot)}
}
