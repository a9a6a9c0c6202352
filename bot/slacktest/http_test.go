package slacktest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"rolecall/bot/slacktest"
)

// receiver is an app in HTTP mode that verifies every request as slack-go does.
type receiver struct {
	*httptest.Server
	secret string

	mu      sync.Mutex
	got     []received
	respond http.HandlerFunc
}

type received struct {
	path, body  string
	header      http.Header
	command     slack.SlashCommand
	interaction slack.InteractionCallback
	err         error
}

func newReceiver(t *testing.T, w *world) *receiver {
	t.Helper()
	app := &receiver{secret: w.Config().SigningSecret, respond: func(http.ResponseWriter, *http.Request) {}}
	app.Server = httptest.NewServer(app)
	t.Cleanup(app.Close)
	w.UseHTTP(app.URL+"/events", app.URL+"/commands", app.URL+"/interactions")
	return app
}

func (a *receiver) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	one := received{path: r.URL.Path, header: r.Header}
	body, err := io.ReadAll(r.Body)
	one.body, one.err = string(body), err
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch r.URL.Path {
	case "/commands":
		one.command, one.err = slack.SlashCommandParse(r)
	case "/interactions":
		one.interaction, one.err = slack.InteractionCallbackParse(r)
	}
	a.mu.Lock()
	a.got = append(a.got, one)
	respond := a.respond
	a.mu.Unlock()
	respond(rw, r)
}

func (a *receiver) all() []received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]received{}, a.got...)
}

func (a *receiver) answer(respond http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.respond = respond
}

// realNow makes the workspace's clock the real one, which slack-go's verifier uses.
func realNow(c *slacktest.Config) { c.Now = time.Now }

func (a *receiver) verify(t *testing.T, one received) {
	t.Helper()
	verifier, err := slack.NewSecretsVerifier(one.header, a.secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Write([]byte(one.body)); err != nil {
		t.Fatal(err)
	}
	if err := verifier.Ensure(); err != nil {
		t.Errorf("%s is not signed: %v", one.path, err)
	}
}

func TestEverythingArrivesSignedOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, realNow)
	app := newReceiver(t, w)
	_, ts := w.post(t, payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(card()...))
	if _, err := w.Command(soon(t), marco, payments, "/rolecall", "who payments"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Press(soon(t), marco, payments, ts, "request.approve.v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.OpenHome(soon(t), marco); err != nil {
		t.Fatal(err)
	}
	got := app.all()
	if len(got) != 3 {
		t.Fatalf("got %d requests, want 3", len(got))
	}
	for _, one := range got {
		app.verify(t, one)
		if one.err != nil {
			t.Errorf("%s: %v", one.path, one.err)
		}
	}
	if c := got[0].command; c.Text != "who payments" || c.UserID != marco || c.ChannelName != "payments" || c.TriggerID == "" || c.ResponseURL == "" {
		t.Errorf("got %+v", c)
	}
	if a := got[1].interaction.ActionCallback.BlockActions; len(a) != 1 || a[0].ActionID != "request.approve.v1" || a[0].Value != "req_1" {
		t.Errorf("got %+v", got[1].interaction)
	}
	if event, err := slackevents.ParseEvent([]byte(got[2].body), slackevents.OptionNoVerifyToken()); err != nil || event.InnerEvent.Type != "app_home_opened" {
		t.Errorf("got %+v, %v", event, err)
	}
}

func TestEventsAreRetriedOverHTTPWithTheirReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, realNow)
	app := newReceiver(t, w)
	app.answer(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Slack-Retry-Num") != "2" {
			http.Error(rw, "no", http.StatusInternalServerError)
		}
	})
	if _, err := w.OpenHome(soon(t), marco); !errors.Is(err, slacktest.ErrNotAcknowledged) {
		t.Errorf("got %v, want ErrNotAcknowledged", err)
	}
	if err := w.Until(soon(t), func() bool { return len(w.Deliveries(slacktest.KindEvent)) == 3 }); err != nil {
		t.Fatal(err)
	}
	for i, one := range app.all() {
		app.verify(t, one)
		want := [][2]string{{"", ""}, {"1", "http_error"}, {"2", "http_error"}}[i]
		if got := [2]string{one.header.Get("X-Slack-Retry-Num"), one.header.Get("X-Slack-Retry-Reason")}; got != want {
			t.Errorf("attempt %d: got %v, want %v", i, got, want)
		}
	}
}

func TestAnAppCanAskNotToBeRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, realNow)
	app := newReceiver(t, w)
	app.answer(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("X-Slack-No-Retry", "1")
		rw.WriteHeader(http.StatusInternalServerError)
	})
	if _, err := w.OpenHome(soon(t), marco); err == nil {
		t.Error("want an error")
	}
	if err := w.Close(); err != nil { // waits for retries
		t.Fatal(err)
	}
	if got := len(app.all()); got != 1 {
		t.Errorf("got %d attempts, want 1", got)
	}
}

func TestAnAppThatIsSlowOrDownLosesInteractions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, realNow, impatient)
	app := newReceiver(t, w)
	app.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); !errors.Is(err, slacktest.ErrNotAcknowledged) {
		t.Errorf("slow: got %v, want ErrNotAcknowledged", err)
	}
	app.Close()
	if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); !errors.Is(err, slacktest.ErrUnreachable) {
		t.Errorf("down: got %v, want ErrUnreachable", err)
	}
	if got := len(w.Deliveries(slacktest.KindCommand)); got != 2 {
		t.Errorf("got %d deliveries, want 2: commands are not retried", got)
	}
}

func TestAnswersToACommandOverHTTP(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		contentType, body string
		reply             string
		inChannel         bool
		trouble           bool
	}{
		"nothing":              {},
		"plain text is shown":  {contentType: "text/plain", body: "On it.", reply: "On it."},
		"JSON to one person":   {contentType: "application/json", body: `{"text":"psst"}`, reply: "psst"},
		"JSON to everybody":    {contentType: "application/json", body: `{"text":"hear","response_type":"in_channel"}`, reply: "hear", inChannel: true},
		"JSON sent as text":    {contentType: "text/plain", body: `{"text":"psst"}`, reply: `{"text":"psst"}`},
		"JSON that is broken":  {contentType: "application/json", body: `{"text":`, trouble: true},
		"blocks Slack refuses": {contentType: "application/json", body: `{"blocks":[{"type":"marquee"}]}`, trouble: true},
		"an empty object":      {contentType: "application/json", body: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, realNow)
			newReceiver(t, w).answer(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", tt.contentType)
				_, _ = io.WriteString(rw, tt.body)
			})
			out, err := w.Command(soon(t), marco, payments, "/rolecall", "")
			if errors.Is(err, slacktest.ErrTrouble) != tt.trouble || (err != nil && !tt.trouble) {
				t.Fatalf("got %v", err)
			}
			if got := out.Reply; (got == nil) != (tt.reply == "") || (got != nil && got.Text != tt.reply) {
				t.Errorf("got reply %+v, want %q", got, tt.reply)
			}
			if got := len(w.Messages(payments)) == 1; got != tt.inChannel {
				t.Errorf("in the channel: %v, want %v", got, tt.inChannel)
			}
		})
	}
}

func TestTheURLIsVerifiedWithAChallenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, realNow)
	app := newReceiver(t, w)
	if err := w.VerifyURL(soon(t)); !errors.Is(err, slacktest.ErrNotAcknowledged) {
		t.Errorf("an app that is silent: %v", err)
	}
	app.answer(func(rw http.ResponseWriter, _ *http.Request) {
		event, err := slackevents.ParseEvent([]byte(app.all()[1].body), slackevents.OptionNoVerifyToken())
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(rw, event.Data.(*slackevents.EventsAPIURLVerificationEvent).Challenge)
	})
	if err := w.VerifyURL(soon(t)); err != nil {
		t.Error(err)
	}
	app.verify(t, app.all()[1])
}

func TestRequestsCanBeReplayedAgedAndForged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, realNow)
	app := newReceiver(t, w)
	if _, err := w.Command(soon(t), marco, payments, "/rolecall", "x"); err != nil {
		t.Fatal(err)
	}
	delivered := w.Deliveries(slacktest.KindCommand)[0]
	for name, tt := range map[string]struct {
		at     time.Time
		forge  bool
		wanted error
	}{
		"replayed": {at: time.Now()},
		"aged":     {at: time.Now().Add(-6 * time.Minute), wanted: slack.ErrExpiredTimestamp},
		"forged":   {at: time.Now(), forge: true, wanted: slack.ErrInvalidSignature},
	} {
		r, err := w.Request(t.Context(), app.URL+"/commands", delivered, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if tt.forge {
			body = append(body, "&user_id=U0INES"...)
		}
		verifier, err := slack.NewSecretsVerifier(r.Header, app.secret)
		if err == nil {
			_, _ = verifier.Write(body)
			err = verifier.Ensure()
		}
		if !errors.Is(err, tt.wanted) {
			t.Errorf("%s: got %v, want %v", name, err, tt.wanted)
		}
	}
}
