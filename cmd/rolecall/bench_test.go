package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// The limits that README promises under "Measured"; each benchmark below
// fails where it is over its own.
const (
	intakeShare  = 50.0 // % of bare commits
	ackLimit     = 50 * time.Millisecond
	writeLimit   = 500 * time.Millisecond
	readyLimit   = 2 * time.Second
	idleMemory   = 60 << 20 // bytes
	idleCPU      = 2.0      // % of a core
	pressRate    = 200      // a second
	presses      = 1000
	joiners      = 20
	idleFor      = 5 * time.Second
	benchSenders = 16
)

// BenchmarkIntake has 16 senders post signed notices to the intake, over HTTP,
// and measures how many a second are answered 202 and so are kept. Alone, the
// service does nothing else, and what the intake does is compared with the
// commits that 16 writers of bare rows make on the same file in turn. At work,
// the service deals with the notices meanwhile.
func BenchmarkIntake(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		h := newBenchHouse(b, slacktest.Config{})
		s := h.service(h.settings())
		server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: time.Second}
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				b.Error(err)
			}
		})
		b.Cleanup(func() { h.must(server.Close()); serving.Wait(); h.must(s.close()) })
		bare := h.bareCommits()
		kept, commits := benchIntake(b, h.sender(s.address()), bare)
		share := kept / commits * 100
		b.ReportMetric(commits, "bare-commits/s")
		b.ReportMetric(share, "%-of-bare")
		if share < intakeShare {
			b.Errorf("the intake keeps %.0f%% of what the file can, want %.0f%%", share, intakeShare)
		}
	})
	b.Run("at work", func(b *testing.B) {
		h := newBenchHouse(b, slacktest.Config{})
		benchIntake(b, h.sender(h.run(h.settings())), nil)
	})
}

// benchIntake returns how many notices a second are kept, and how often a
// second bare, unless nil, succeeds. They take turns, so that a noisy moment
// hits both, and each has at least two seconds.
func benchIntake(b *testing.B, post func(signed) error, bare func() error) (kept, commits float64) {
	const block, least = 800, 2 * time.Second
	var n int
	var ours, theirs time.Duration
	b.ResetTimer()
	for i := 0; i < b.N || ours < least; i += block {
		b.StopTimer()
		queue := make(chan signed, block)
		for range block {
			queue <- newSigned(b)
		}
		b.StartTimer()
		ours += together(b, block, func() error { return post(<-queue) })
		b.StopTimer()
		if bare != nil {
			theirs += together(b, block, bare)
		}
		b.StartTimer()
		n += block
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // an operation is a whole block
	b.ReportMetric(float64(n)/ours.Seconds(), "notices/s")
	return float64(n) / ours.Seconds(), float64(n) / theirs.Seconds()
}

// together has 16 goroutines call f n times in all, and returns how long that took.
func together(b *testing.B, n int, f func() error) time.Duration {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	begun := time.Now()
	var g errgroup.Group
	for range benchSenders {
		g.Go(func() error {
			for left.Add(-1) >= 0 {
				if err := f(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}

// BenchmarkPressToAck presses Approve on a thousand cards, 200 a second, and
// measures how long Slack waits for the acknowledgement. The service decides
// and applies them all meanwhile.
func BenchmarkPressToAck(b *testing.B) {
	h := newBenchHouse(b, slacktest.Config{NoRateLimits: true})
	var approved atomic.Int64
	s := h.settings()
	s.committed = func(kind lifecycle.EventKind) {
		if kind == lifecycle.EventRequestApproved {
			approved.Add(1)
		}
	}
	cards := h.pending(presses * b.N)
	h.run(s)
	beat := time.NewTicker(time.Second / pressRate)
	defer beat.Stop()
	acks := make([]time.Duration, len(cards))
	b.ResetTimer()
	var g errgroup.Group
	for i, ts := range cards {
		<-beat.C
		g.Go(func() error {
			out, err := h.slack.Press(b.Context(), "U0MARCO", "C0PAYMENTS", ts, bot.ActionApprove)
			acks[i] = out.Acked
			return err
		})
	}
	h.must(g.Wait())
	b.StopTimer()
	report(b, acks, 99, ackLimit)
	h.until("every press to count", func() bool { return int(approved.Load()) == len(cards) })
}

// BenchmarkPressToFirstWrite lets people join, presses Approve on each card,
// and measures how long it takes until PagerDuty is first asked to change
// anything. Slack and PagerDuty keep their rate limits; nothing holds.
func BenchmarkPressToFirstWrite(b *testing.B) {
	h := newBenchHouse(b, slacktest.Config{})
	post := h.sender(h.run(h.settings()))
	var took []time.Duration
	for range b.N {
		for range joiners {
			n := newSigned(b)
			h.must(post(n))
			card := h.card(n.name)
			pressed := time.Now()
			if _, err := h.slack.Press(b.Context(), "U0MARCO", "C0PAYMENTS", card, bot.ActionApprove); err != nil {
				b.Fatal(err)
			}
			took = append(took, h.written(n.email).Sub(pressed))
		}
	}
	b.StopTimer()
	report(b, took, 95, writeLimit)
}

// BenchmarkStartToReady starts the service, as a process, on a database that
// knows 5,000 people and 2,000 requests, and measures the time until /readyz
// is content. PagerDuty has an account for each of them.
func BenchmarkStartToReady(b *testing.B) {
	h := newBenchHouse(b, slacktest.Config{})
	h.populate(5000, 2000)
	var took []time.Duration
	for range max(b.N, 5) {
		begun := time.Now()
		stop := h.start().stop
		took = append(took, time.Since(begun))
		stop()
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took[len(took)/2].Seconds(), "s-median")
	b.ReportMetric(took[len(took)-1].Seconds(), "s-max")
	if worst := took[len(took)-1]; worst > readyLimit {
		b.Errorf("a start took %s, want at most %s", worst, readyLimit)
	}
}

// BenchmarkIdle measures what the service, as a process, takes of the machine
// while nothing happens.
func BenchmarkIdle(b *testing.B) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		b.Skip("needs /proc: ", err)
	}
	h := newBenchHouse(b, slacktest.Config{})
	child := h.start()
	h.until("the first roll call is over", func() bool { return h.rolled(child.address) })
	before, begun := child.cpu(b), time.Now()
	<-time.After(idleFor)
	share := (child.cpu(b) - before).Seconds() / time.Since(begun).Seconds() * 100
	memory := child.memory(b)
	child.stop()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(memory)/(1<<20), "MB-RSS")
	b.ReportMetric(share, "%-CPU")
	if memory > idleMemory || share > idleCPU {
		b.Errorf("idle takes %d MB and %.1f%% of a core, want at most %d MB and %.0f%%", memory>>20, share, idleMemory>>20, idleCPU)
	}
}

// report reports the median and the given percentile, which must be within limit.
func report(b *testing.B, took []time.Duration, percentile int, limit time.Duration) {
	b.Helper()
	slices.Sort(took)
	p := took[min(len(took)-1, len(took)*percentile/100)]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(p.Microseconds())/1000, fmt.Sprintf("ms-p%d", percentile))
	if p > limit {
		b.Errorf("the %dth percentile is %s, want at most %s", percentile, p, limit)
	}
}
