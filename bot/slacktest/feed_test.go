package slacktest_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"rolecall/bot/slacktest"
)

func TestWaitingReturnsAtTheNextChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.Version()
	got := make(chan uint64, 1)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		version, err := w.Wait(soon(t), before)
		if err != nil {
			t.Error(err)
		}
		got <- version
	})
	if _, err := w.Say(marco, payments, "", "x"); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	if version := <-got; version <= before || version > w.Version() {
		t.Errorf("got version %d after %d", version, before)
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Wait(ctx, w.Version()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := w.Until(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := w.Until(ctx, func() bool { return true }); err != nil {
		t.Errorf("what is already so needs no waiting: %v", err)
	}
}

func TestTheWorkspaceMayBeUsedFromEverywhereAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	w.app(t, acking)
	var busy sync.WaitGroup
	for _, user := range []string{marco, ines} {
		for range 5 {
			busy.Go(func() {
				if err := w.say(context.WithoutCancel(t.Context()), user); err != nil {
					t.Error(err)
				}
				if _, err := w.Command(soon(t), user, payments, "/rolecall", ""); err != nil {
					t.Error(err)
				}
				if _, err := w.Say(user, payments, "", "x"); err != nil {
					t.Error(err)
				}
				w.Messages(payments)
				w.Channels(user)
				w.ChangeUser(user, func(u *slacktest.User) { u.DisplayName = "x" })
			})
		}
	}
	busy.Wait()
	if a, b := len(w.Messages(payments)), len(w.Messages(w.DirectMessage(marco))); a != 10 || b != 5 {
		t.Errorf("got %d and %d messages, want 10 and 5", a, b)
	}
}
