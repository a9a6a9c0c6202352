package slacktest_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
)

// respond posts to a response URL with slack-go's own call.
func respond(t *testing.T, url string, m slack.WebhookMessage) error {
	t.Helper()
	return slack.PostWebhookContext(t.Context(), url, &m)
}

// commandURL is the response URL of a command that Marco ran.
func commandURL(t *testing.T, w *world) string {
	t.Helper()
	w.app(t, acking)
	out, err := w.Command(soon(t), marco, payments, "/rolecall", "")
	if err != nil {
		t.Fatal(err)
	}
	return out.ResponseURL
}

func TestAResponseURLWorksFiveTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := commandURL(t, w)
	for i := range 6 {
		err := respond(t, url, slack.WebhookMessage{Text: fmt.Sprint(i)})
		if (err == nil) != (i < 5) {
			t.Errorf("use %d: %v", i+1, err)
		}
	}
	if got := sayings(w.Ephemerals(marco)); got != "0|1|2|3|4" {
		t.Errorf("got %s", got)
	}
	if found := w.Violations(); len(found) != 1 || found[0].Code != "used_url" {
		t.Errorf("got %+v", found)
	}
}

func TestAResponseURLLivesThirtyMinutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := commandURL(t, w)
	w.clock.Forward(30 * time.Minute)
	if err := respond(t, url, slack.WebhookMessage{Text: "in time"}); err != nil {
		t.Error(err)
	}
	w.clock.Forward(time.Second)
	err := respond(t, url, slack.WebhookMessage{Text: "late"})
	if status, ok := errors.AsType[slack.StatusCodeError](err); !ok || status.Code != 404 {
		t.Errorf("got %v, want 404", err)
	}
	if found := w.Violations(); len(found) != 1 || found[0].Code != "expired_url" {
		t.Errorf("got %+v", found)
	}
}

func TestResponsesToACommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := commandURL(t, w)
	if err := respond(t, url, slack.WebhookMessage{Text: "all", ResponseType: "in_channel"}); err != nil {
		t.Fatal(err)
	}
	blocks := slack.Blocks{BlockSet: card()}
	if err := respond(t, url, slack.WebhookMessage{Text: "you", Blocks: &blocks}); err != nil {
		t.Fatal(err)
	}
	if got := w.Ephemerals(marco); sayings(w.Messages(payments)) != "all" || len(got) != 1 || len(slacktest.Buttons(got[0].Blocks)) != 2 {
		t.Errorf("channel %v, private %v", w.Messages(payments), got)
	}
	for body, want := range map[string]string{`{"text":""}`: "no_text", `{"blocks":1}`: "invalid_blocks_format", `{"attachments":"["}`: "invalid_attachments"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", jsonBody)
		if _, got := do(t, r); got["error"] != want {
			t.Errorf("%s: got %v, want %s", body, got, want)
		}
	}
}

func TestResponsesToAPressReplaceOrDeleteTheMessage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ephemeral bool
		response  slack.WebhookMessage
		left      string // what stands where the card stood
	}{
		"replace a message":         {response: slack.WebhookMessage{Text: "new", ReplaceOriginal: true}, left: "new"},
		"delete a message":          {response: slack.WebhookMessage{DeleteOriginal: true}},
		"replace a private message": {ephemeral: true, response: slack.WebhookMessage{Text: "new", ReplaceOriginal: true}, left: "new"},
		"delete a private message":  {ephemeral: true, response: slack.WebhookMessage{DeleteOriginal: true}},
		"add to a private message":  {ephemeral: true, response: slack.WebhookMessage{Text: "new"}, left: "card|new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.app(t, acking)
			ts, standing := postCard(t, w, tt.ephemeral)
			out, err := w.Press(soon(t), marco, payments, ts, "request.approve.v1")
			if err != nil {
				t.Fatal(err)
			}
			if err := respond(t, out.ResponseURL, tt.response); err != nil {
				t.Fatal(err)
			}
			if got := sayings(standing()); got != tt.left {
				t.Errorf("got %q, want %q", got, tt.left)
			}
		})
	}
}

func postCard(t *testing.T, w *world, ephemeral bool) (string, func() []slacktest.Message) {
	t.Helper()
	said := []slack.MsgOption{slack.MsgOptionText("card", false), slack.MsgOptionBlocks(card()...)}
	if !ephemeral {
		_, ts := w.post(t, payments, said...)
		return ts, func() []slacktest.Message { return w.Messages(payments) }
	}
	ts, err := w.api.PostEphemeralContext(t.Context(), payments, marco, said...)
	if err != nil {
		t.Fatal(err)
	}
	return ts, func() []slacktest.Message { return w.Ephemerals(marco) }
}
