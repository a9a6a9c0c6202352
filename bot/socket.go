package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"
)

const (
	// Slack asks connections to leave every few hours; with two of them one
	// is always there. Each payload goes to one of them only.
	connections = 2
	readLimit   = 4 << 20
	// The library queues acknowledgements, and stops taking them while it
	// reconnects. Slack gives up on them after three seconds.
	ackTime = 500 * time.Millisecond
)

// runSocket keeps the connections until ctx ends, which is no error, or Slack
// refuses one of the tokens.
func (b *Bot) runSocket(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.introduce(ctx) }) // a refused token would let every card fail
	for conn := range connections {
		group.Go(func() error { return b.connect(ctx, conn) })
	}
	if err := errors.Join(group.Wait(), b.lines.Wait()); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("connect to Slack: %w", err)
	}
	return nil
}

// connect keeps one connection, and makes it anew when that is due: the new one
// stands before the old one goes.
func (b *Bot) connect(ctx context.Context, conn int) error {
	is := b.dial(ctx, conn, false)
	defer func() { is.hangUp() }()
	for {
		select {
		case err := <-is.ended:
			return err
		case <-b.link.anew[conn].C:
			next := b.dial(ctx, conn, true)
			if err := next.await(); err != nil {
				is.hangUp()
				is = next
				return err
			}
			is.hangUp()
			is = next
		}
	}
}

// A line is one client of the library's: a connection, and what it reconnects as.
type line struct {
	conn    int
	counts  bool          // it was made to hear again how many Slack counts
	hello   chan struct{} // closed once Slack has greeted it
	ended   chan error    // why it gave up; buffered
	hangUp  context.CancelFunc
	greeted sync.Once
}

const helloTime = 20 * time.Second

// await returns once Slack has greeted the line, or has not for long: the library
// goes on trying, and what stood before is of no more use than that. It returns
// why the line gave up.
func (l *line) await() error {
	late := time.NewTimer(helloTime)
	defer late.Stop()
	select {
	case err := <-l.ended:
		return err
	case <-l.hello:
	case <-late.C:
	}
	return nil
}

// dial starts a line. The library reconnects by itself; it gives up only when
// the token is refused.
func (b *Bot) dial(ctx context.Context, conn int, counts bool) *line {
	ctx, cancel := context.WithCancel(ctx)
	is := &line{conn: conn, counts: counts, hello: make(chan struct{}), ended: make(chan error, 1), hangUp: cancel}
	b.link.opened(is)
	client := socketmode.New(b.socketAPI(), socketmode.OptionReadLimit(readLimit), socketmode.OptionLog(log.New(io.Discard, "", 0)))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return client.RunContext(ctx) })
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case e := <-client.Events:
				b.hear(ctx, is, client, e)
			}
		}
	})
	b.lines.Go(func() error {
		err := group.Wait()
		b.link.closed(is, err)
		is.ended <- err
		return nil // whoever keeps the line says what came of it
	})
	return is
}

func (b *Bot) socketAPI() *slack.Client {
	options := []slack.Option{slack.OptionAppLevelToken(b.cfg.Secrets.AppToken), slack.OptionHTTPClient(b.cfg.Client)}
	if b.cfg.APIURL != "" {
		options = append(options, slack.OptionAPIURL(b.cfg.APIURL))
	}
	return slack.New(b.cfg.Secrets.BotToken, options...)
}

// hear handles one event of a connection, and never blocks: while it does,
// the library does not answer Slack's pings.
func (b *Bot) hear(ctx context.Context, is *line, client *socketmode.Client, e socketmode.Event) {
	switch data := e.Data.(type) {
	case *slack.ConnectingEvent:
		b.link.set(is, false, errors.New("it is reconnecting"))
		return
	case *slack.ConnectionErrorEvent:
		b.link.set(is, false, data.ErrorObj)
		b.log.WarnContext(ctx, "slack connection failed", slog.Int("connection", is.conn), slog.Duration("again_in", data.Backoff), slog.Any("err", data.ErrorObj))
		return
	case *socketmode.ErrorWriteFailed:
		b.log.WarnContext(ctx, "acknowledge slack", slog.String("envelope", data.Response.EnvelopeID), slog.Any("err", data.Cause))
		return
	case *socketmode.ErrorBadMessage:
		b.reread(ctx, client, data)
		return
	}
	switch {
	case e.Request == nil:
	case e.Type == socketmode.EventTypeHello:
		b.greeted(ctx, is, e.Request.NumConnections)
	case e.Request.EnvelopeID != "":
		b.open(ctx, client, *e.Request)
	}
}

// reread takes in what the library could not decode: blocks, or events, that
// are newer than it. What was pressed matters, not what stands around it.
func (b *Bot) reread(ctx context.Context, client *socketmode.Client, bad *socketmode.ErrorBadMessage) {
	var r socketmode.Request
	if err := json.Unmarshal(bad.Message, &r); err != nil || r.EnvelopeID == "" {
		b.log.WarnContext(ctx, "slack sent what cannot be read", slog.Any("err", bad.Cause))
		return
	}
	b.open(ctx, client, r)
}

func (b *Bot) open(ctx context.Context, client *socketmode.Client, r socketmode.Request) {
	acknowledge := func(reply any) { b.acknowledge(ctx, client, r.EnvelopeID, reply) }
	if err := b.take(ctx, r.Type, r.Payload, acknowledge); err != nil {
		b.log.WarnContext(ctx, "slack envelope turned away", slog.String("envelope", r.EnvelopeID), slog.String("type", r.Type), slog.Any("err", err))
		acknowledge(nil) // it would not be better the second time
	}
}

func (b *Bot) acknowledge(ctx context.Context, client *socketmode.Client, envelope string, reply any) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTime)
	defer cancel()
	if err := client.AckCtx(ctx, envelope, reply); err != nil {
		b.log.WarnContext(ctx, "acknowledge slack", slog.String("envelope", envelope), slog.Any("err", err))
	}
}
