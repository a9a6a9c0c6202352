package bot_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func openWith(user string) *slack.OpenConversationParameters {
	return &slack.OpenConversationParameters{Users: []string{user}}
}

// post sends a delivery once more, signed as of at, and wants the status.
func (h *house) post(t testing.TB, d slacktest.Delivery, at time.Time, want int) {
	t.Helper()
	r, err := h.Request(t.Context(), h.hook+"/slack/interactions", d, at)
	if err != nil {
		t.Fatal(err)
	}
	h.send(t, r, want)
}

func (h *house) send(t testing.TB, r *http.Request, want int) string {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		body.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if resp.StatusCode != want {
		t.Errorf("status is %d (%s), want %d", resp.StatusCode, body.String(), want)
	}
	return body.String()
}

func TestAReplayedRequestDoesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1", func(r *lifecycle.Request) { r.Needed = 2 })
	h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionApprove)
	h.await(t, "the press counts", func() bool { return h.store.request(r.ID).Revision == 2 })
	pressed := h.Deliveries(slacktest.KindInteraction)[0]
	h.post(t, pressed, h.clock.Now(), http.StatusOK)
	h.clock.forward(4 * time.Minute)
	h.post(t, pressed, today, http.StatusOK)
	h.press(t, ines, payments, h.card(t, payments, r, ""), bot.ActionApprove) // whatever the replays did is done by now
	h.awaitState(t, r.ID, lifecycle.Approved)
	if told := h.told(marco); told != "" {
		t.Errorf("Marco is told %q: a replay was worked on", told)
	}
}

func TestWhatIsNotSignedByUsIsTurnedAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1")
	h.card(t, payments, r, "")
	form := "payload=" + `%7B%22type%22%3A%22block_actions%22%7D`
	for name, tt := range map[string]struct {
		spoil func(*http.Request)
		at    time.Time
	}{
		"another secret":      {func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("ab", 32)) }, today},
		"no signature":        {func(r *http.Request) { r.Header.Del("X-Slack-Signature") }, today},
		"no timestamp":        {func(r *http.Request) { r.Header.Del("X-Slack-Request-Timestamp") }, today},
		"a timestamp of text": {func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "now") }, today},
		"another timestamp":   {func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "1777712401") }, today},
		"too old":             {func(*http.Request) {}, today.Add(-5*time.Minute - time.Second)},
		"from the future":     {func(*http.Request) {}, today.Add(5*time.Minute + time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := h.SignedRequest(t.Context(), h.hook+"/slack/interactions", "application/x-www-form-urlencoded", form, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			tt.spoil(req)
			if body := h.send(t, req, http.StatusUnauthorized); strings.TrimSpace(body) != "Unauthorized" {
				t.Errorf("answer is %q: it says more than no", body)
			}
		})
	}
}

func TestWhatIsSignedButMalformedIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	for name, tt := range map[string]struct {
		path, body string
		want       int
	}{
		"half an event":       {"/slack/events", `{"type":"event_`, http.StatusBadRequest},
		"no payload":          {"/slack/interactions", "a=b", http.StatusBadRequest},
		"two payloads":        {"/slack/interactions", "payload=%7B%7D&payload=%7B%7D", http.StatusBadRequest},
		"a payload of text":   {"/slack/interactions", "payload=hello", http.StatusBadRequest},
		"a form that is none": {"/slack/commands", "%zz", http.StatusBadRequest},
		"too much":            {"/slack/events", strings.Repeat("x", 1<<20+1), http.StatusRequestEntityTooLarge},
		"an unknown type":     {"/slack/interactions", "payload=%7B%22type%22%3A%22dialog_submission%22%7D", http.StatusOK},
		"an unknown event":    {"/slack/events", `{"type":"event_callback","event_id":"Ev1","event":{"type":"tomorrow"}}`, http.StatusOK},
		"elsewhere":           {"/slack/other", "", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := h.SignedRequest(t.Context(), h.hook+tt.path, "application/x-www-form-urlencoded", tt.body, today)
			if err != nil {
				t.Fatal(err)
			}
			h.send(t, req, tt.want)
		})
	}
}

func TestTheQueryIsNeverThePayload(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1")
	h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionDeny)
	h.awaitModal(t, marco)
	payload := h.Deliveries(slacktest.KindInteraction)[0].Payload
	req, err := h.SignedRequest(t.Context(), h.hook+"/slack/interactions", "application/x-www-form-urlencoded", "", today)
	if err != nil {
		t.Fatal(err)
	}
	q := req.URL.Query()
	q.Set("payload", string(payload))
	req.URL.RawQuery = q.Encode()
	h.send(t, req, http.StatusBadRequest)
}

func TestSlackVerifiesTheURL(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	if err := h.VerifyURL(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInSocketModeNothingComesOverHTTP(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	for _, path := range []string{"/slack/events", "/slack/commands", "/slack/interactions"} {
		req, err := h.SignedRequest(t.Context(), "http://bot.test"+path, "application/json", "{}", today)
		if err != nil {
			t.Fatal(err)
		}
		w := record(h.bot.HTTP(), req)
		if w != http.StatusNotFound {
			t.Errorf("%s answers %d, want 404", path, w)
		}
	}
}

func record(handler http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code
}

func TestARefusedBotTokenEndsTheRun(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		h.Fail("auth.test", slacktest.Fault{Error: "token_revoked"})
		other, err := bot.New(h.config(over, h.Config().PublicURL))
		if err != nil {
			t.Fatal(err)
		}
		if other.Connected() == nil {
			t.Error("connected before Slack has said who we are")
		}
		if err := other.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "token_revoked") {
			t.Errorf("Run returns %v, want the refusal", err)
		}
	})
}
