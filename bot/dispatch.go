package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	workers  = 64               // deliveries worked on at once; more are told to come again
	tellers  = 8                // people told so at once
	drawers  = 4                // cards drawn anew at once, for who pressed them
	workTime = 15 * time.Second // for one delivery
	tellTime = 5 * time.Second  // for telling what became of it
	drawTime = 8 * time.Second  // for drawing the card that was pressed
	patience = 2 * time.Second  // for what a modal is to say; Slack gives up after 3 s
	tooBusy  = "I am busy just now, and nothing was changed. Please do that again in a moment."
)

// An ack acknowledges one delivery, with what is to be shown or nil. It is
// called exactly once, and does not block.
type ack func(reply any)

// where is how one person is reached without anybody else seeing it.
type where struct {
	user        string
	channel     string // "" in App Home
	thread      string
	responseURL string
	command     bool // the answer goes where the command was typed
}

// take acknowledges one delivery, whatever carried it, and has it worked on. It
// never waits for the work. A payload that cannot be read is an error, and is
// not acknowledged.
func (b *Bot) take(ctx context.Context, kind string, payload []byte, ack ack) error {
	switch kind {
	case kindEvent:
		return b.takeEvent(ctx, payload, ack)
	case kindCommand:
		return b.takeCommand(ctx, payload, ack)
	case kindInteraction:
		return b.takeInteraction(ctx, payload, ack)
	default:
		ack(nil)
		return nil
	}
}

func (b *Bot) takeEvent(ctx context.Context, payload []byte, ack ack) error {
	e, err := decode[outerEvent](payload)
	if err != nil {
		return err
	}
	key := []string{kindEvent, e.EventID}
	if e.Event.Type != "app_home_opened" || e.Event.Tab != "home" || !b.seen.first(key...) {
		ack(nil)
		return nil
	}
	at := where{user: e.Event.User}
	show := func(ctx context.Context) error {
		return b.publishHome(ctx, slackRef{ID: at.user}, e.Event.View.Metadata)
	}
	if !b.ackThen(ctx, at, ack, nil, show) {
		b.seen.forget(key...)
		b.log.WarnContext(ctx, "home not shown: too busy", slog.String("user", e.Event.User))
	}
	return nil
}

func (b *Bot) takeCommand(ctx context.Context, payload []byte, ack ack) error {
	c, err := decode[slashCommand](payload)
	if err != nil {
		return err
	}
	key := []string{kindCommand, c.TriggerID}
	if !b.seen.first(key...) {
		ack(nil)
		return nil
	}
	at := where{user: c.UserID, responseURL: c.ResponseURL, command: true}
	busy := map[string]string{"response_type": slack.ResponseTypeEphemeral, "text": tooBusy}
	if !b.ackThen(ctx, at, ack, busy, func(ctx context.Context) error { return b.command(ctx, c) }) {
		b.seen.forget(key...)
	}
	return nil
}

func (b *Bot) takeInteraction(ctx context.Context, payload []byte, ack ack) error {
	in, err := decode[interaction](payload)
	if err != nil {
		return err
	}
	switch in.Type {
	case typePress:
		b.takePress(ctx, in, ack)
	case typeSubmit:
		b.takeSubmit(ctx, in, ack)
	case typeGlobal:
		b.takeGlobal(ctx, in, ack)
	case typeShortcut:
		b.takeShortcut(ctx, in, payload, ack)
	default:
		ack(nil)
	}
	return nil
}

func (b *Bot) takePress(ctx context.Context, in interaction, ack ack) {
	if len(in.Actions) == 0 {
		ack(nil)
		return
	}
	a := in.Actions[0] // Slack sends one
	b.once(ctx, in, ack, a.ActionID, a.ActionTS, func(ctx context.Context) error { return b.press(ctx, in, a) })
}

func (b *Bot) takeShortcut(ctx context.Context, in interaction, payload []byte, ack ack) {
	if in.CallbackID != ShortcutHistory {
		ack(nil)
		return
	}
	b.once(ctx, in, ack, in.CallbackID, in.ActionTS, func(ctx context.Context) error { return b.history(ctx, in, payload) })
}

// takeGlobal has a shortcut worked on that is on no message.
func (b *Bot) takeGlobal(ctx context.Context, in interaction, ack ack) {
	if in.CallbackID != ShortcutWish {
		ack(nil)
		return
	}
	b.once(ctx, in, ack, in.CallbackID, in.ActionTS, func(ctx context.Context) error { return b.wishShortcut(ctx, in) })
}

// once has what somebody did worked on, the first time that it arrives. There
// is no room in the acknowledgement of a press to say that we are busy, so
// that is said apart.
func (b *Bot) once(ctx context.Context, in interaction, ack ack, what, ts string, work func(context.Context) error) {
	at := in.where()
	key := []string{in.Type, at.channel, in.messageTS(), in.Container.ViewID, at.user, what, ts}
	if !b.seen.first(key...) {
		ack(nil)
		return
	}
	if b.ackThen(ctx, at, ack, nil, work) {
		return
	}
	b.seen.forget(key...)
	ctx = context.WithoutCancel(ctx)
	if !b.telling.try(func() { b.say(ctx, at, tooBusy) }) {
		b.log.WarnContext(ctx, "press dropped: too busy even to say so", slog.String("user", at.user))
	}
}

// ackThen acknowledges and then works, or acknowledges with busy and returns
// false when there is nobody free to work.
func (b *Bot) ackThen(ctx context.Context, at where, ack ack, busy any, work func(context.Context) error) bool {
	acked := make(chan struct{})
	ctx = context.WithoutCancel(ctx) // the work outlives the request that brought it
	if !b.working.try(func() { <-acked; b.do(ctx, at, work) }) {
		ack(busy)
		return false
	}
	ack(nil)
	close(acked)
	return true
}

// do works, and tells the person what they need to know of how it went.
func (b *Bot) do(ctx context.Context, at where, work func(context.Context) error) {
	if words := b.words(ctx, at, b.guarded(ctx, work)); words != "" {
		b.say(ctx, at, words)
	}
}

// guarded works within its time, and turns a panic into an error.
func (b *Bot) guarded(ctx context.Context, work func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return work(ctx)
}

// words returns what the person is told of err: nothing when there is none, the
// reason of a refusal, or the number under which a fault is logged, here and once.
func (b *Bot) words(ctx context.Context, at where, err error) string {
	if err == nil {
		return ""
	}
	if reason := lifecycle.ReasonOf(err); reason != "" {
		return reasonWords(reason)
	}
	if later, ok := errors.AsType[*lifecycle.JobError](err); ok && later.RetryAfter > 0 {
		b.log.WarnContext(ctx, "slack is busy", slog.String("user", at.user), slog.Any("err", err))
		return fmt.Sprintf("Slack is busy, and nothing was changed. Please do that again in %s.", span(later.RetryAfter))
	}
	id := "inc_" + strings.ToLower(rand.Text()[:10])
	b.log.ErrorContext(ctx, "answer slack", slog.String("incident", id), slog.String("user", at.user), slog.Any("err", err))
	return fmt.Sprintf("Something went wrong on our side (%s). Nothing was changed.", id)
}

// reasonWords returns a reason as it is told. It may be set in code, but has
// no other power than words: what it quotes comes from outside.
func reasonWords(reason string) string { return literally.Replace(plain(fullStop(reason))) }

// literally keeps what a reason quotes, such as a name, from being a mention or a link.
var literally = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// say tells one person privately, and logs when that does not work: there is
// nobody left to tell.
func (b *Bot) say(ctx context.Context, at where, text string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	if err := b.tell(ctx, at, text, nil); err != nil {
		b.log.ErrorContext(ctx, "tell privately", slog.String("user", at.user), slog.Any("err", err))
	}
}

// tell answers one person where they asked, so that only they see it. Where
// Slack does not let us do it there, it is a line in their direct messages.
func (b *Bot) tell(ctx context.Context, at where, text string, blocks []slack.Block) error {
	var err error
	switch {
	case at.command:
		err = b.out.respond(ctx, at.responseURL, text, blocks)
	case at.channel == "" || strings.HasPrefix(at.channel, "D"):
		return b.line(ctx, at.user, text, blocks)
	default:
		err = b.out.ephemeral(ctx, at.channel, at.user, at.thread, text)
	}
	if err == nil {
		return nil
	}
	// Somebody who reads a public channel without having joined it can press, but gets no ephemeral message there.
	if !at.command && at.responseURL != "" && b.out.respond(ctx, at.responseURL, text, blocks) == nil {
		return nil
	}
	if dmErr := b.line(ctx, at.user, text, blocks); dmErr != nil {
		return errors.Join(err, dmErr)
	}
	return nil
}

// line posts to the person's direct messages.
func (b *Bot) line(ctx context.Context, user, text string, blocks []slack.Block) error {
	channel, err := b.out.dm(ctx, user)
	if err != nil {
		return fmt.Errorf("open direct messages of %s: %w", user, err)
	}
	if _, _, err := b.out.post(ctx, channel, "", message{Text: text, Blocks: blocks, Rank: awaited}); err != nil {
		return fmt.Errorf("post to %s: %w", user, err)
	}
	return nil
}

func (in interaction) where() where {
	at := where{user: in.User.ID, channel: in.Container.ChannelID, responseURL: in.ResponseURL}
	if at.channel == "" {
		at.channel = in.Channel.ID
	}
	// The parent of a thread stands in the channel as well, and that is where it is seen.
	if in.Container.ThreadTS != in.Container.MessageTS {
		at.thread = in.Container.ThreadTS
	}
	return at
}

func (in interaction) messageTS() string {
	if in.MessageTS != "" {
		return in.MessageTS
	}
	return in.Container.MessageTS
}
