package bot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

func TestWhatWasSeenIsForgottenAfterTwoHoursAtMost(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	s := newSeen(func() time.Time { return now })
	if !s.first("events_api", "Ev1") || s.first("events_api", "Ev1") {
		t.Fatal("Ev1 is first once")
	}
	if !s.first("events_apiEv1") {
		t.Error("parts run into each other")
	}
	now = now.Add(59 * time.Minute)
	if s.first("events_api", "Ev1") {
		t.Error("forgotten within the hour")
	}
	now = now.Add(time.Minute)
	if s.first("events_api", "Ev1") {
		t.Error("forgotten at the change of generation")
	}
	now = now.Add(time.Hour)
	if !s.first("events_api", "Ev1") {
		t.Error("remembered for ever")
	}
	s.forget("events_api", "Ev1")
	if !s.first("events_api", "Ev1") {
		t.Error("not forgotten when told to")
	}
}

func TestSeenIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	s := newSeen(func() time.Time { return now })
	s.most = 100
	for i := range 1000 {
		s.first(fmt.Sprint(i))
	}
	if n := len(s.young) + len(s.old); n > 2*s.most {
		t.Errorf("%d keys are held, want at most %d", n, 2*s.most)
	}
	if s.first("999") {
		t.Error("the newest is forgotten")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503", "1531420618", "token=xyzz0WbapA4vBCDEFsx")
	f.Add("", "", "")
	f.Add("v0=", "-9223372036854775808", "x")
	f.Fuzz(func(t *testing.T, signature, stamp, body string) {
		h := http.Header{"X-Slack-Signature": {signature}, "X-Slack-Request-Timestamp": {stamp}}
		if verify(h, []byte(body), "a secret that nobody guesses", time.Unix(1531420618, 0)) == nil {
			t.Errorf("a forged signature is accepted: %q %q %q", signature, stamp, body)
		}
	})
}

// TestVerifyKnowsSlacksOwnExample is the example of "Verifying requests from Slack".
func TestVerifyKnowsSlacksOwnExample(t *testing.T) {
	t.Parallel()
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	h := http.Header{"X-Slack-Signature": {"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"}, "X-Slack-Request-Timestamp": {"1531420618"}}
	if err := verify(h, []byte(body), "8f742231b10e8888abcd99yyyzzz85a5", time.Unix(1531420618, 0)); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"type":"block_actions","user":{"id":"U1","team_id":"T1"},"container":{"channel_id":"C1","message_ts":"1.2"},"actions":[{"action_id":"request.approve.v1","value":"req_1:1","action_ts":"1.3"}]}`)
	f.Add(`{"type":"view_submission","view":{"id":"V1","state":{"values":{"reason":{"reason":{"type":"plain_text_input","value":null}}}}}}`)
	f.Add(`{"message":{"blocks":[{"elements":[{"value":"req_1:1"}]},7,null],"metadata":{"event_type":"rolecall_message","event_payload":{"key":7}}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range []string{kindEvent, kindCommand, kindInteraction} {
			payload, err := payloadOf(kind, []byte(url.Values{"payload": {body}}.Encode()))
			if err == nil && kind == kindInteraction && string(payload) != body {
				t.Errorf("payload is %q, want %q", payload, body)
			}
		}
		in, err := decode[interaction]([]byte(body))
		if err != nil {
			return
		}
		in.where()
		in.origin()
		for _, a := range in.Actions {
			if id, revision, err := decodeValue(a.chosen()); err == nil && (!strings.HasPrefix(string(id), "req_") || revision < 1) {
				t.Errorf("value %q is request %q, revision %d", a.chosen(), id, revision)
			}
		}
		in.View.entered(InputReason)
		if card, err := decode[cardMessage]([]byte(body)); err == nil {
			requestIn(card.Message.Blocks)
			keyIn(card.Message.Metadata.Type, card.Message.Metadata.Payload)
		}
	})
}

func TestEditsAndNearest(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		typed, near string
	}{
		"two letters swapped": {"statsu", "status"},
		"a letter missing":    {"reconcle", "reconcile"},
		"a plural":            {"digests", "digest"},
		"a beginning":         {"rec", "reconcile"},
		"nothing like it":     {"abcdefgh", "help"},
		"very long":           {strings.Repeat("x", 10_000), "help"},
		"nothing":             {"", "help"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := nearest(tt.typed).name; got != tt.near {
				t.Errorf("nearest to %q is %s, want %s", clip(tt.typed, 20), got, tt.near)
			}
		})
	}
	if got := edits("kitten", "sitting"); got != 3 {
		t.Errorf("edits is %d, want 3", got)
	}
}

// BenchmarkDecode reads a press on a card of 45 blocks, of which none is decoded.
func BenchmarkDecode(b *testing.B) {
	section := map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": strings.Repeat("a", 500)}}
	blocks := make([]any, 45)
	for i := range blocks {
		blocks[i] = section
	}
	body, err := json.Marshal(map[string]any{
		"type": typePress, "message": map[string]any{"blocks": blocks},
		"actions": []any{map[string]any{"action_id": ActionApprove, "value": encodeValue(lifecycle.RequestID("req_1"), 1)}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if in, err := decode[interaction](body); err != nil || len(in.Actions) != 1 {
			b.Fatal(in, err)
		}
	}
}
