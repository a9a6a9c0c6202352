package slacktest_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
)

func (w *world) say(ctx context.Context, channel string) error {
	_, _, err := w.api.PostMessageContext(ctx, channel, slack.MsgOptionText("x", false))
	return err
}

func TestFaultsAnswerAsAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault slacktest.Fault
		check func(error) bool
	}{
		"an error code": {slacktest.Fault{Error: "internal_error"}, func(err error) bool { return code(err) == "internal_error" }},
		"a status": {slacktest.Fault{Status: 503}, func(err error) bool {
			status, ok := errors.AsType[slack.StatusCodeError](err)
			return ok && status.Code == http.StatusServiceUnavailable
		}},
		"a rate limit": {slacktest.Fault{RetryAfter: 1500 * time.Millisecond}, func(err error) bool {
			limited, ok := errors.AsType[*slack.RateLimitedError](err)
			return ok && limited.RetryAfter == 2*time.Second
		}},
		"a lost request": {slacktest.Fault{LostRequest: true}, func(err error) bool { return err != nil && code(err) != "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Fail("chat.postMessage", tt.fault)
			if err := w.say(t.Context(), payments); !tt.check(err) {
				t.Errorf("got %v", err)
			}
			calls := w.Calls("chat.postMessage")
			if len(w.Messages(payments)) > 0 || len(w.Violations()) > 0 || len(calls) != 1 || !calls[0].Fault {
				t.Errorf("posted %v, violations %v, calls %+v", w.Messages(payments), w.Violations(), calls)
			}
			w.ClearFaults()
			if err := w.say(t.Context(), payments); err != nil {
				t.Errorf("after the faults were cleared: %v", err)
			}
		})
	}
}

func TestALostAnswerWasDoneAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fail("chat.postMessage", slacktest.Fault{LostAnswer: true, Times: 1})
	if err := w.say(t.Context(), payments); err == nil {
		t.Error("want the connection to break")
	}
	if got := len(w.Messages(payments)); got != 1 {
		t.Errorf("got %d messages, want 1", got)
	}
}

func TestAHangingCallEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fail("*", slacktest.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := w.say(ctx, payments); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if got := len(w.Messages(payments)); got != 0 {
		t.Errorf("got %d messages, want none", got)
	}
}

func TestAHangingCallEndsWithTheWorkspace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fail("*", slacktest.Fault{Hang: true})
	var calling sync.WaitGroup
	calling.Go(func() {
		if err := w.say(t.Context(), payments); err == nil {
			t.Error("want an error")
		}
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	calling.Wait()
}

func TestAGateHoldsACallUntilItOpens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gate := make(chan struct{})
	w.Fail("chat.postMessage", slacktest.Fault{Gate: gate, Channel: payments})
	held := make(chan error, 1)
	go func() { held <- w.say(t.Context(), payments) }()
	if err := w.say(t.Context(), lobby); err != nil {
		t.Errorf("a call beside the gate: %v", err)
	}
	close(gate)
	if err := <-held; err != nil {
		t.Error(err)
	}
	if got := len(w.Messages(payments)); got != 1 {
		t.Errorf("got %d messages, want 1", got)
	}
}

func TestFaultsHitTheCallsTheyAreMeantFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault slacktest.Fault
		want  [4]bool // of four calls, to payments, lobby, payments, lobby: which fail
	}{
		"all":              {slacktest.Fault{}, [4]bool{true, true, true, true}},
		"the first":        {slacktest.Fault{Times: 1}, [4]bool{true, false, false, false}},
		"the third on":     {slacktest.Fault{Nth: 3}, [4]bool{false, false, true, true}},
		"the second alone": {slacktest.Fault{Nth: 2, Times: 1}, [4]bool{false, true, false, false}},
		"one channel":      {slacktest.Fault{Channel: lobby}, [4]bool{false, true, false, true}},
		"its second":       {slacktest.Fault{Channel: lobby, Nth: 2}, [4]bool{false, false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.fault.Error = "internal_error"
			w.Fail("chat.update", tt.fault)
			w.Fail("chat.postMessage", tt.fault)
			for i, channel := range []string{payments, lobby, payments, lobby} {
				if got := w.say(t.Context(), channel) != nil; got != tt.want[i] {
					t.Errorf("call %d failed: %v, want %v", i+1, got, tt.want[i])
				}
			}
		})
	}
}

func TestResponseURLsFailToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := commandURL(t, w)
	w.Fail("response_url", slacktest.Fault{Status: 500, Times: 1})
	if err := respond(t, url, slack.WebhookMessage{Text: "x"}); err == nil {
		t.Error("want an error")
	}
	if err := respond(t, url, slack.WebhookMessage{Text: "x"}); err != nil {
		t.Error(err)
	}
}
