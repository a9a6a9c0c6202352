package bot_test

import (
	"runtime"
	"testing"
	"time"

	"rolecall/bot"
)

// It runs by itself: goroutines of other tests would be counted too.
func TestStoppingLeavesNothingRunning(t *testing.T) {
	for _, over := range []transport{overHTTP, overSocket} {
		before := runtime.NumGoroutine()
		t.Run(string(over), func(t *testing.T) {
			h := newHouse(t, over)
			r := h.open("req_1")
			ts := h.card(t, payments, r, "")
			h.press(t, marco, payments, ts, bot.ActionDeny)
			h.awaitModal(t, marco)
			h.openHome(t, ben)
			h.ask(t, priya, "findings")
			if over == overSocket {
				for range 3 { // a storm of reconnections
					h.DropConnections()
				}
			}
		})
		patience := time.After(5 * time.Second)
		for runtime.NumGoroutine() > before { // the last of them are on their way out
			select {
			case <-patience:
				buf := make([]byte, 1<<20)
				t.Fatalf("%s: %d goroutines before, %d after:\n%s", over, before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
			case <-time.After(time.Millisecond):
			}
		}
	}
}
