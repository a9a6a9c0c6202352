package bot_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/lifecycle"
)

// workers is how many deliveries the bot works on at once.
const workers = 64

func TestWhenAllHandsAreFullPeopleAreToldSo(t *testing.T) {
	t.Parallel()
	const busy = "I am busy just now, and nothing was changed."
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		ts := h.card(t, payments, r, "")
		h.press(t, marco, payments, ts, bot.ActionDeny)
		h.awaitModal(t, marco)
		gate := make(chan struct{})
		h.store.change(func(m *memory) { m.slow = gate })
		for range workers {
			h.press(t, ines, payments, ts, bot.ActionApprove)
		}
		h.press(t, omar, payments, ts, bot.ActionApprove)
		h.awaitTold(t, omar, busy)
		if got := h.ask(t, priya, "inbox"); !strings.Contains(got, busy) {
			t.Errorf("a command is answered %q", got)
		}
		red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "No."})
		if err != nil || !strings.Contains(red["reason"], busy) {
			t.Errorf("the modal says %v %v", red, err)
		}
		if _, err := h.OpenHome(t.Context(), ben); err != nil {
			t.Error(err)
		}
		close(gate)
		h.awaitState(t, r.ID, lifecycle.Approved)
		h.await(t, "and then all is well again", func() bool {
			if _, err := h.OpenHome(t.Context(), ben); err != nil {
				t.Fatal(err)
			}
			_, ok := h.Home(ben)
			return ok
		})
		h.clean(t)
	})
}

// BenchmarkPressAck presses 200 times a second, and reports how long Slack
// waits for the acknowledgement. The budget is 50 ms at the 99th percentile.
func BenchmarkPressAck(b *testing.B) {
	for _, over := range []transport{overHTTP, overSocket} {
		b.Run(string(over), func(b *testing.B) {
			h := newHouse(b, over)
			cards := make([]string, b.N)
			for i := range cards {
				cards[i] = h.card(b, payments, h.open(lifecycle.RequestID(fmt.Sprint("req_", i))), "")
			}
			acks := make([]time.Duration, b.N)
			beat := time.NewTicker(time.Second / 200)
			defer beat.Stop()
			b.ResetTimer()
			var pressing sync.WaitGroup
			for i := range b.N {
				<-beat.C
				pressing.Go(func() {
					out, err := h.Press(b.Context(), marco, payments, cards[i], bot.ActionApprove)
					if err != nil {
						b.Error(err)
					}
					acks[i] = out.Acked
				})
			}
			pressing.Wait()
			b.StopTimer()
			slices.Sort(acks)
			b.ReportMetric(float64(acks[b.N*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(acks[b.N/2].Microseconds())/1000, "p50-ms")
			h.await(b, "every press decided", func() bool { return h.store.recorded(lifecycle.EventRequestApproved) == b.N })
			if n := h.log.count(slog.LevelWarn, "press dropped: too busy even to say so"); n > 0 {
				b.Errorf("%d presses were dropped", n)
			}
			if told := h.told(marco); told != "" {
				b.Errorf("Marco was told %q", told[:min(len(told), 200)])
			}
		})
	}
}
