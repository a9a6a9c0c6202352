package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// crashAfter names the environment variable that makes TestCrashChild serve,
// and die by SIGKILL right after that many lines of the trail were committed.
const crashAfter = "ROLECALL_TEST_CRASH_AFTER"

// TestCrashChild is the process that is killed. In an ordinary run it is
// nobody's child, and there is nothing to do.
func TestCrashChild(t *testing.T) {
	limit, err := strconv.Atoi(os.Getenv(crashAfter))
	if err != nil {
		return
	}
	s, err := configured(serveLogger(&terminal{err: os.Stderr}))
	if err != nil {
		t.Fatal(err)
	}
	var lines atomic.Int64
	s.committed = func(lifecycle.EventKind) {
		if int(lines.Add(1)) == limit {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if err := serve(ctx, s); err != nil {
		t.Fatal(err)
	}
}

// A life is what happens to Nora in one run, and what it must leave in PagerDuty.
type life struct {
	live    func(*crashHouse)
	effects []string
}

var lives = map[string]life{
	"a joiner": {(*crashHouse).join, []string{"POST /users", "PUT /teams/PPAY/users/*"}},
	"a leaver": {(*crashHouse).leave, []string{"POST /users/*/regenerate_private_url_key", "PUT /users/*", "DELETE /teams/PPAY/users/*", "DELETE /users/*"}},
	"a leaver on call": {(*crashHouse).leaveOnCall, []string{
		"POST /users/*/regenerate_private_url_key", "PUT /users/*", "PUT /teams/PPAY/users/*",
		"PUT /escalation_policies/PCRIT", "PUT /schedules/PSCHED", "DELETE /teams/PPAY/users/*", "DELETE /users/*",
	}},
}

// TestNothingIsLostOrDoubledWhereverTheProcessIsKilled lets a joiner or a
// leaver go all the way, once undisturbed to see which lines of the trail that
// writes, then once for each step, killed right after it and started again.
func TestNothingIsLostOrDoubledWhereverTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	for name, l := range lives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var points map[int]lifecycle.EventKind
			t.Run("undisturbed", func(t *testing.T) { // whose service is to be gone before the others begin
				h := newCrashHouse(t)
				h.start(0)
				h.whole(l)
				points = h.steps()
			})
			if len(points) < 12 {
				t.Fatalf("the undisturbed run took %d steps; it cannot have gone all the way", len(points))
			}
			for n, kind := range points {
				if !looked(n) {
					continue
				}
				t.Run(fmt.Sprintf("killed after line %d, %s", n, kind), func(t *testing.T) {
					t.Parallel()
					h := newCrashHouse(t)
					h.start(n)
					h.whole(l)
				})
			}
		})
	}
}

// looked reports whether the n-th of many like cases is tried. What each of them
// shows does not hang on the race detector, which sees enough in every fifth.
func looked(n int) bool { return !raceDetector || n%5 == 0 }

// TestNothingIsDoubledWhenKilledWhilePagerDutyAnswers kills between a write to
// PagerDuty and its answer: the process cannot know that it was done.
func TestNothingIsDoubledWhenKilledWhilePagerDutyAnswers(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]struct{ life, method, path string }{
		"creating the account":              {"a joiner", http.MethodPost, "/users"},
		"adding to the team":                {"a joiner", http.MethodPut, "/teams/*/users/*"},
		"replacing the key of the calendar": {"a leaver", http.MethodPost, "/users/*/regenerate_private_url_key"},
		"handing over a level":              {"a leaver on call", http.MethodPut, "/escalation_policies/*"},
		"handing over a seat":               {"a leaver on call", http.MethodPut, "/schedules/*"},
		"lowering the role":                 {"a leaver", http.MethodPut, "/users/*"},
		"taking off the team":               {"a leaver", http.MethodDelete, "/teams/*/users/*"},
		"deleting the account":              {"a leaver", http.MethodDelete, "/users/*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newCrashHouse(t)
			h.pd.Fail(pagerdutytest.Fault{Method: call.method, Path: call.path, Kind: pagerdutytest.After(h.kill)})
			h.start(0)
			h.whole(lives[call.life])
			if armed := h.pd.Armed(); len(armed) > 0 {
				t.Errorf("never struck: %v", armed)
			}
		})
	}
}

// TestNoMessageIsDoubledWhenKilledWhileSlackAnswers kills between a post in
// Slack and its answer: the process cannot know that the message stands.
func TestNoMessageIsDoubledWhenKilledWhileSlackAnswers(t *testing.T) {
	t.Parallel()
	for nth := 1; nth <= 4; nth++ {
		t.Run(fmt.Sprintf("post %d", nth), func(t *testing.T) {
			t.Parallel()
			h := newCrashHouse(t)
			h.slack.Fail("chat.postMessage", slacktest.Fault{LostAnswer: true, Nth: nth, Times: 1})
			h.start(0)
			h.killOnce(func() bool { return len(h.slack.Calls("chat.postMessage")) >= nth })
			h.whole(lives["a joiner"])
		})
	}
}
