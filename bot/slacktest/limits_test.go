package slacktest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

func retryAfter(err error) time.Duration {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return limited.RetryAfter
	}
	return 0
}

func TestMessagesToAChannelAreLimitedToOneASecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 4 { // the burst
		if err := w.say(t.Context(), payments); err != nil {
			t.Fatal(err)
		}
	}
	if got := retryAfter(w.say(t.Context(), payments)); got != time.Second {
		t.Errorf("got Retry-After %s, want 1 s", got)
	}
	if err := w.say(t.Context(), lobby); err != nil {
		t.Errorf("another channel: %v", err)
	}
	w.clock.Forward(time.Second)
	if err := w.say(t.Context(), payments); err != nil {
		t.Errorf("a second later: %v", err)
	}
	if retryAfter(w.say(t.Context(), payments)) == 0 {
		t.Error("one second allowed two messages")
	}
	if found := w.Violations(); len(found) != 2 || found[0].Code != "ratelimited" {
		t.Errorf("got %+v", found)
	}
}

func TestMethodsHaveTheirTiers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		call  func(*world) error
		limit int
		wait  time.Duration
	}{
		"usergroups.list is of tier 2": {func(w *world) error { _, err := w.api.GetUserGroupsContext(context.Background()); return err }, 20, 3 * time.Second},
		"conversations.info is of tier 3": {func(w *world) error {
			_, err := w.api.GetConversationInfoContext(context.Background(), &slack.GetConversationInfoInput{ChannelID: payments})
			return err
		}, 50, 2 * time.Second},
		"users.info is of tier 4":  {func(w *world) error { _, err := w.api.GetUserInfoContext(context.Background(), marco); return err }, 100, time.Second},
		"auth.test takes hundreds": {func(w *world) error { _, err := w.api.AuthTestContext(context.Background()); return err }, 300, time.Second},
		"chat.update takes 50, not one a second": {func(w *world) error {
			_, _, _, err := w.api.UpdateMessageContext(context.Background(), payments, "1.000001", slack.MsgOptionText("x", false))
			if code(err) == "message_not_found" {
				return nil
			}
			return err
		}, 50, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i := range tt.limit {
				if err := tt.call(w); err != nil {
					t.Fatalf("call %d: %v", i+1, err)
				}
			}
			if got := retryAfter(tt.call(w)); got != tt.wait {
				t.Errorf("got Retry-After %s, want %s", got, tt.wait)
			}
			w.clock.Forward(time.Minute)
			if err := tt.call(w); err != nil {
				t.Errorf("a minute later: %v", err)
			}
		})
	}
}

func TestRateLimitsCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	for range 20 {
		if err := w.say(t.Context(), payments); err != nil {
			t.Fatal(err)
		}
	}
}
