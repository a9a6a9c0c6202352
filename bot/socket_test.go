package bot_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func TestAConnectionThatIsAskedToLeaveComesBack(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"warning", "refresh_requested", "link_disabled"} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overSocket)
			h.await(t, "two connections", func() bool { return h.Connections() == 2 })
			greeted := h.log.count(slog.LevelInfo, "slack connected")
			h.Disconnect(reason)
			h.await(t, "two more greetings", func() bool { return h.log.count(slog.LevelInfo, "slack connected") >= greeted+2 })
			r := h.open("req_1")
			h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionApprove)
			h.awaitState(t, r.ID, lifecycle.Approved)
			h.clean(t)
		})
	}
}

func TestConnectedTellsTheTruth(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	h.Fail("apps.connections.open", slacktest.Fault{Error: "internal_error"})
	h.DropConnections()
	h.await(t, "not connected", func() bool { return h.bot.Connected() != nil })
	h.await(t, "and why", func() bool { return strings.Contains(h.bot.Connected().Error(), "internal_error") })
	h.ClearFaults()
	h.await(t, "connected again", func() bool { return h.bot.Connected() == nil })
}

func TestARefusedTokenEndsTheRun(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	h.Fail("apps.connections.open", slacktest.Fault{Error: "invalid_auth"})
	h.DropConnections()
	select {
	case err := <-h.stopped:
		if err == nil || !strings.Contains(err.Error(), "invalid_auth") {
			t.Errorf("Run returns %v, want the refusal", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Run goes on with a refused token")
	}
}

func (h *house) ghostLines(state string) int {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	n := 0
	for _, e := range h.store.events {
		if e.Kind == lifecycle.EventSlackGhost && e.Detail["state"] == state {
			n++
		}
	}
	return n
}

func TestConnectionsThatNobodyAnswersOnAreAnAlarmUntilTheyAreGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	if h.bot.Ghosts() != 0 || h.ghostLines("found") != 0 {
		t.Errorf("our own connections are an alarm")
	}
	h.AddGhosts(2)
	h.Disconnect("warning")
	h.await(t, "the alarm", func() bool { return h.bot.Ghosts() == 2 && h.ghostLines("found") == 1 })
	greeted := h.log.count(slog.LevelInfo, "slack connected")
	h.await(t, "it is counted again", func() bool { return h.log.count(slog.LevelInfo, "slack connected") > greeted+1 })
	h.ClearGhosts()
	h.await(t, "the end of it", func() bool { return h.bot.Ghosts() == 0 && h.ghostLines("gone") == 1 })
	if n := h.ghostLines("found"); n != 1 {
		t.Errorf("the alarm was raised %d times", n)
	}
	var told []string
	h.store.change(func(m *memory) {
		for _, j := range m.jobs {
			if j.Kind == lifecycle.JobAlert {
				told = append(told, j.Ref)
			}
		}
	})
	if len(told) != 2 || !strings.Contains(told[0], "press again") || !strings.Contains(told[0], "2 of them are not rolecall's") || !strings.Contains(told[1], "any more") {
		t.Errorf("Security is told %q", told)
	}
	r := h.open("req_1")
	h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionApprove)
	h.awaitState(t, r.ID, lifecycle.Approved)
	h.clean(t)
}

func TestAMessageThatNoLibraryKnowsCanBePressed(t *testing.T) {
	t.Parallel()
	newer := func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte(`"blocks":[`), []byte(`"blocks":[{"type":"actions","elements":[{"type":"hologram","depth":{"z":1}}]},{"type":"context","elements":[{"type":"smell"}]},`))
	}
	h := newHouse(t, overSocket, relayed(t, newer))
	r := h.open("req_1")
	h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionApprove)
	h.awaitState(t, r.ID, lifecycle.Approved)
	denied := h.open("req_2")
	ts := h.card(t, payments, denied, "")
	h.press(t, marco, payments, ts, bot.ActionDeny)
	h.awaitModal(t, marco)
	if red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "No."}); err != nil || len(red) > 0 {
		t.Fatalf("submit: %v %v", red, err)
	}
	h.awaitState(t, denied.ID, lifecycle.Denied)
	h.showHistory(t, marco, payments, ts)
	h.awaitModal(t, marco)
}

func TestWhatCannotBeReadIsAcknowledgedAllTheSame(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func([]byte) []byte{
		"an unknown event": func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"app_home_opened"`), []byte(`"tomorrows_event"`))
		},
		"an unknown envelope": func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"type":"events_api"`), []byte(`"type":"telepathy"`))
		},
		"a payload of text": func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"payload":{`), []byte(`"payload":"x","was":{`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overSocket, relayed(t, alter))
			if _, err := h.OpenHome(t.Context(), marco); err != nil {
				t.Errorf("not acknowledged: %v\n%s", err, h.log)
			}
		})
	}
}

func TestTheWorkInHandIsFinishedAtTheEnd(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		ts := h.card(t, payments, r, "")
		gate := make(chan struct{})
		h.store.change(func(m *memory) { m.slow = gate })
		h.press(t, marco, payments, ts, bot.ActionApprove)
		h.stop()
		close(gate)
		if err := <-h.stopped; err != nil {
			t.Errorf("Run returns %v", err)
		}
		if got := h.store.request(r.ID); got.State != lifecycle.Approved {
			t.Errorf("request is %s: what was acknowledged is lost", got.State)
		}
	})
}
