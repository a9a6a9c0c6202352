package slacktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"rolecall/bot/slacktest"
)

// clock is a workspace clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a workspace with people and channels, and a real client of it.
type world struct {
	*slacktest.Workspace
	clock *clock
	base  string
	api   *slack.Client
}

const (
	marco    = "U0MARCO"
	ines     = "U0INES"
	guest    = "U0GUEST"
	stranger = "U0STRANGER"
	gone     = "U0GONE"
	payments = "C0PAYMENTS"
	secret   = "C0SECRET"
	archived = "C0ARCHIVED"
	lobby    = "C0LOBBY" // public, the bot is not in it
)

func newWorld(t *testing.T, adjust ...func(*slacktest.Config)) *world {
	t.Helper()
	c := &clock{now: time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)}
	cfg := slacktest.Config{Now: c.Now, RetryDelays: []time.Duration{0, time.Millisecond, time.Millisecond}}
	for _, f := range adjust {
		f(&cfg)
	}
	w := &world{Workspace: slacktest.New(cfg), clock: c}
	populate(w.Workspace)
	var err error
	if w.base, err = w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	w.api = slack.New(w.Config().BotToken, slack.OptionAPIURL(w.base+"/api/"), slack.OptionAppLevelToken(w.Config().AppToken),
		slack.OptionHTTPClient(&http.Client{Timeout: 10 * time.Second}))
	return w
}

func populate(w *slacktest.Workspace) {
	bot := w.Config().BotUserID
	w.AddUser(slacktest.User{ID: marco, Email: "marco@acme.test", RealName: "Marco Rossi", TZ: "Europe/Rome", TZOffset: 7200})
	w.AddUser(slacktest.User{ID: ines, Email: "ines@acme.test", RealName: "Ines Duarte"})
	w.AddUser(slacktest.User{ID: guest, Email: "guest@vendor.test", Restricted: true})
	w.AddUser(slacktest.User{ID: stranger, Email: "eve@other.test", TeamID: "T0OTHER"})
	w.AddUser(slacktest.User{ID: gone, Email: "gone@acme.test", Deleted: true})
	w.AddChannel(slacktest.Channel{ID: payments, Name: "payments", Members: []string{bot, marco, ines}})
	w.AddChannel(slacktest.Channel{ID: secret, Name: "secret", Private: true, Members: []string{ines}})
	w.AddChannel(slacktest.Channel{ID: archived, Name: "old", Archived: true, Members: []string{bot, marco}})
	w.AddChannel(slacktest.Channel{ID: lobby, Name: "lobby", Members: []string{marco}})
	w.AddUserGroup(slacktest.UserGroup{ID: "S0OWNERS", Handle: "payments-owners", Name: "Payments owners", Users: []string{marco, ines}})
}

func lenient(c *slacktest.Config) { c.NoRateLimits = true }

func impatient(c *slacktest.Config) { c.AckTimeout = 500 * time.Millisecond }

// app runs a real Socket Mode client until the test ends; handle answers each event.
func (w *world) app(t *testing.T, handle func(*socketmode.Client, socketmode.Event)) *socketmode.Client {
	t.Helper()
	quiet := socketmode.OptionLog(log.New(io.Discard, "", 0))
	client := socketmode.New(w.api, quiet, socketmode.OptionPingInterval(10*time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	before := w.Connections() // counted before there can be one more
	var running sync.WaitGroup
	running.Go(func() {
		if err := client.RunContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("socket mode ended: %v", err)
		}
	})
	running.Go(func() {
		for {
			select {
			case e := <-client.Events:
				handle(client, e)
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		w.DropConnections()
		running.Wait()
	})
	if err := w.AwaitConnections(soon(t), before+1); err != nil {
		t.Fatal(err)
	}
	return client
}

// acking answers everything with nothing.
func acking(c *socketmode.Client, e socketmode.Event) {
	if e.Request != nil && e.Request.EnvelopeID != "" {
		_ = c.Ack(*e.Request)
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, false)
}

func button(action, value, text string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, value, plain(text))
}

// card is a message with two buttons.
func card() []slack.Block {
	return []slack.Block{
		slack.NewSectionBlock(mrkdwn("*Ben* asks"), nil, nil),
		slack.NewActionBlock("decide", button("request.approve.v1", "req_1", "Approve"), button("request.deny.v1", "req_1", "Deny…")),
	}
}

func (w *world) post(t *testing.T, channel string, options ...slack.MsgOption) (string, string) {
	t.Helper()
	ch, ts, err := w.api.PostMessageContext(t.Context(), channel, options...)
	if err != nil {
		t.Fatal(err)
	}
	return ch, ts
}

// code is Slack's error code in err, or "".
func code(err error) string {
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return refused.Err
	}
	if _, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return "ratelimited"
	}
	if err != nil {
		return "other: " + err.Error()
	}
	return ""
}

// raw posts form or JSON as it is and returns the decoded answer.
func (w *world) raw(t *testing.T, method, contentType, auth, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.base+"/api/"+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if auth != "" {
		r.Header.Set("Authorization", "Bearer "+auth)
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, map[string]any) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return response.StatusCode, out
}
