package bot

import (
	"context"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// What the menu on a card offers. They stand in messages already sent.
const (
	moreAssign  = "assign"
	moreSnooze  = "snooze"
	morePlan    = "plan"
	moreHistory = "history"
)

// more returns the menu beside the buttons of a card that waits.
func (c cardData) more() slack.BlockElement {
	option := func(what, label string) *slack.OptionBlockObject {
		return slack.NewOptionBlockObject(prefixed(what, encodeValue(c.ID, c.Revision)), plainText(label, maxOption), nil)
	}
	return slack.NewOverflowBlockElement(ActionMore,
		option(moreAssign, "Reassign…"), option(moreSnooze, "Snooze 1 day"), option(morePlan, "Show plan"), option(moreHistory, "Show history"))
}

// prefixed returns a value that says what it is about of a request.
func prefixed(what, value string) string { return what + ":" + value }

// unprefixed returns what prefixed put in; the rest is for decodeValue.
func unprefixed(value string) (what, rest string) {
	what, rest, _ = strings.Cut(value, ":")
	return what, rest
}

// pressMore does what somebody picked in the menu of a card.
func (b *Bot) pressMore(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	what, value := unprefixed(a.chosen())
	id, seen, err := decodeValue(value)
	if err != nil {
		return err
	}
	switch what {
	case moreHistory:
		return b.openHistory(ctx, in.TriggerID, id, by)
	case morePlan:
		return b.openPlan(ctx, in.TriggerID, id, by)
	case moreAssign:
		return gone(b.pressAssign(ctx, in, value, lifecycle.Press{Request: id, Seen: seen, By: by, Via: lifecycle.ViaSlack}))
	case moreSnooze:
		return gone(b.snooze(ctx, in, id, by))
	default:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "This menu is of another version of rolecall, and nothing was changed. What waits for you: `%s inbox`.", Command)
	}
}

// snooze puts the request off for whoever asks, for a day.
func (b *Bot) snooze(ctx context.Context, in interaction, id lifecycle.RequestID, by lifecycle.Identity) error {
	until := b.cfg.Now().Add(24 * time.Hour)
	if _, err := b.cfg.Approvals.Snooze(ctx, lifecycle.Snoozing{Request: id, By: by, Until: until, Via: lifecycle.ViaSlack}); err != nil {
		return err
	}
	b.say(ctx, in.where(), "Put off until "+moment(until, b.cfg.Location)+": it is out of your inbox and your digest, and you are reminded then. Others are still asked, and its deadline stays.")
	if in.where().channel == "" {
		b.refresh(ctx, by)
	}
	return nil
}

// frameOf returns the frame in which a modal about r is drawn, with the names of
// the people.
func (b *Bot) frameOf(ctx context.Context, people ...string) (frame, error) {
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return frame{}, err
	}
	f := frame{p: policy, mode: b.cfg.Mode, now: b.cfg.Now(), loc: b.cfg.Location}
	f.names, err = b.jobs.names(ctx, people...)
	return f, err
}

// threadModal is a modal about a request that says what it is about first.
func threadModal(callback, title, submit, meta string, m cardMaker, blocks ...slack.Block) slack.ModalViewRequest {
	v := slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callback, PrivateMetadata: meta,
		Title: plainText(title, maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: append([]slack.Block{section("*" + m.title() + "*\n" + m.why())}, blocks...)},
	}
	if submit != "" {
		v.Submit = plainText(submit, maxTitle)
	}
	return v
}

// textInput asks for a text of at most that many characters.
func textInput(block, label, hint string, most int) slack.Block {
	input := slack.NewPlainTextInputBlockElement(nil, block)
	input.Multiline, input.MinLength, input.MaxLength = true, 1, most
	return slack.NewInputBlock(block, plainText(label, maxButton), plainText(hint, maxHint), input)
}

const maxHint = 150

// saidAt returns how a line ends that says when something was said, and how.
func saidAt(t time.Time, via lifecycle.Via, loc *time.Location) string {
	words := moment(t, loc)
	if via == lifecycle.ViaCLI {
		words += ", at the command line"
	}
	return words
}
