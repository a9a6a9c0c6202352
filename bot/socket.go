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

// A link knows which of our Socket Mode connections stand.
type link struct {
	mu    sync.Mutex
	up    map[int]bool
	cause error // why there is none
}

func newLink() *link {
	return &link{up: map[int]bool{}, cause: errors.New("slack has not greeted us yet")}
}

func (l *link) set(conn int, up bool, cause error) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.up, conn)
	if up {
		l.up[conn] = true
	}
	if cause != nil {
		l.cause = cause
	}
	return len(l.up)
}

func (l *link) connected() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.up) == 0 {
		return fmt.Errorf("slack is not connected: %w", l.cause)
	}
	return nil
}

// runSocket keeps the connections until ctx ends, which is no error, or Slack
// refuses one of the tokens.
func (b *Bot) runSocket(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.introduce(ctx) }) // a refused token would let every card fail
	for conn := range connections {
		group.Go(func() error { return b.connect(ctx, conn) })
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("connect to Slack: %w", err)
	}
	return nil
}

// connect keeps one connection. The library reconnects by itself; it gives up
// only when the token is refused.
func (b *Bot) connect(ctx context.Context, conn int) error {
	client := socketmode.New(b.socketAPI(), socketmode.OptionReadLimit(readLimit), socketmode.OptionLog(log.New(io.Discard, "", 0)))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return client.RunContext(ctx) })
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case e := <-client.Events:
				b.hear(ctx, conn, client, e)
			}
		}
	})
	err := group.Wait()
	b.link.set(conn, false, err)
	return err
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
func (b *Bot) hear(ctx context.Context, conn int, client *socketmode.Client, e socketmode.Event) {
	switch data := e.Data.(type) {
	case *slack.ConnectingEvent:
		b.link.set(conn, false, errors.New("it is reconnecting"))
		return
	case *slack.ConnectionErrorEvent:
		b.link.set(conn, false, data.ErrorObj)
		b.log.WarnContext(ctx, "slack connection failed", slog.Int("connection", conn), slog.Duration("again_in", data.Backoff), slog.Any("err", data.ErrorObj))
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
		b.greeted(ctx, conn, e.Request.NumConnections)
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

// greeted notes that a connection stands. Connections that Slack counts beyond
// all that we ever open are another replica's, or half-open ones that Slack
// still delivers to: what people press is then lost without a trace.
func (b *Bot) greeted(ctx context.Context, conn, counted int) {
	up := b.link.set(conn, true, nil)
	b.log.InfoContext(ctx, "slack connected", slog.Int("connection", conn), slog.Int("up", up), slog.Int("slack_counts", counted))
	if counted > connections {
		b.log.WarnContext(ctx, "slack counts more connections than this process has: unless another replica runs, some presses are lost",
			slog.Int("ours", connections), slog.Int("slack_counts", counted))
	}
}
