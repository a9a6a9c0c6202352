package slacktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"rolecall/bot/slacktest"
)

// dial opens a bare socket, for what the real client would not do, and reads the hello.
func (w *world) dial(t *testing.T) (*websocket.Conn, socketmode.Request) {
	t.Helper()
	_, url, err := w.api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	t.Cleanup(func() { conn.Close() })
	return conn, next(t, conn)
}

func next(t *testing.T, conn *websocket.Conn) socketmode.Request {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var got socketmode.Request
	if err := conn.ReadJSON(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheSocketURLIsOnTheHostThatWasAskedAndWorksOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, url, err := w.api.StartSocketModeContext(t.Context())
	if err != nil || !strings.HasPrefix(url, strings.Replace(w.base, "http", "ws", 1)+"/") {
		t.Fatalf("got %s, %v", url, err)
	}
	for i, ok := range []bool{true, false} {
		conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
		if (err == nil) != ok {
			t.Errorf("dial %d: %v", i, err)
		}
		if err == nil {
			conn.Close()
		}
		response.Body.Close()
	}
	if found := w.Violations(); len(found) != 1 || found[0].Code != "invalid_ticket" {
		t.Errorf("got %+v", found)
	}
}

func TestHelloCountsConnectionsAndGhosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, hello := w.dial(t)
	if hello.Type != "hello" || hello.NumConnections != 1 || hello.ConnectionInfo.AppID != "A0ROLECALL" || hello.DebugInfo.ApproximateConnectionTime != 18060 {
		t.Errorf("got %+v", hello)
	}
	w.AddGhosts(2)
	if _, hello := w.dial(t); hello.NumConnections != 4 {
		t.Errorf("got %d connections, want 4", hello.NumConnections)
	}
	w.ClearGhosts()
	if got := w.Connections(); got != 2 {
		t.Errorf("got %d connections, want 2", got)
	}
}

func TestTheEleventhConnectionIsTurnedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddGhosts(10)
	if _, got := w.dial(t); got.Type != "disconnect" || got.Reason != "too_many_websockets" {
		t.Errorf("got %+v", got)
	}
}

func TestDeliveriesGoRoundAndGhostsSwallowThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, impatient, lenient)
	w.app(t, acking)
	w.AddGhosts(1)
	var lost int
	for range 4 {
		if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); errors.Is(err, slacktest.ErrNotAcknowledged) {
			lost++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if lost != 2 {
		t.Errorf("%d of 4 were lost, want every second one", lost)
	}
}

func TestTheRealClientReconnectsWhenAskedAndWhenCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hellos := make(chan struct{}, 10)
	w.app(t, func(c *socketmode.Client, e socketmode.Event) {
		acking(c, e)
		if e.Type == socketmode.EventTypeHello {
			hellos <- struct{}{}
		}
	})
	<-hellos
	for name, cut := range map[string]func(){
		"asked": func() { w.Disconnect("refresh_requested") },
		"cut":   w.DropConnections,
	} {
		cut()
		select {
		case <-hellos:
		case <-soon(t).Done():
			t.Fatalf("%s: the client did not come back", name)
		}
		if err := w.Until(soon(t), func() bool { return w.Connections() == 1 }); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); err != nil {
			t.Errorf("%s: a command after the reconnection: %v", name, err)
		}
	}
}

func TestOneOfTwoConnectionsCanBeCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if w.DropConnection() {
		t.Error("cut a connection that is not there")
	}
	oldest, _ := w.dial(t)
	w.app(t, acking)
	if !w.DropConnection() || w.Connections() != 1 {
		t.Errorf("%d connections are left, want 1", w.Connections())
	}
	if _, _, err := oldest.ReadMessage(); err == nil {
		t.Error("the oldest connection is still open")
	}
	if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); err != nil {
		t.Error(err)
	}
}

func TestTheServerPings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *slacktest.Config) { c.PingInterval = time.Millisecond })
	conn, _ := w.dial(t)
	pinged := errors.New("pinged")
	conn.SetPingHandler(func(string) error { return pinged })
	if _, _, err := conn.ReadMessage(); !errors.Is(err, pinged) {
		t.Errorf("got %v, want a ping", err)
	}
}

func TestAcknowledgementsAreHeldToTheRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer func(envelope string) string
		code   string
	}{
		"for no envelope":  {func(string) string { return `{"envelope_id":"unknown"}` }, "late_acknowledgement"},
		"without envelope": {func(string) string { return `{"ok":true}` }, "bad_acknowledgement"},
		"no JSON":          {func(string) string { return `ok` }, "bad_acknowledgement"},
		"20,480 bytes": {func(id string) string {
			head := fmt.Sprintf(`{"envelope_id":%q,"payload":{"text":"`, id)
			return head + strings.Repeat("x", 20_480-len(head)-3) + `"}}`
		}, "answer_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, impatient)
			conn, _ := w.dial(t)
			answered := make(chan error, 1)
			go func() {
				var got socketmode.Request
				if err := conn.ReadJSON(&got); err != nil {
					answered <- err
					return
				}
				answered <- conn.WriteMessage(websocket.TextMessage, []byte(tt.answer(got.EnvelopeID)))
			}()
			if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); !errors.Is(err, slacktest.ErrNotAcknowledged) {
				t.Errorf("got %v, want ErrNotAcknowledged", err)
			}
			if err := <-answered; err != nil {
				t.Fatal(err)
			}
			if err := w.Until(soon(t), func() bool { return len(w.Violations()) > 0 }); err != nil {
				t.Fatal(err)
			}
			if got := w.Violations()[0].Code; got != tt.code {
				t.Errorf("got %s, want %s", got, tt.code)
			}
		})
	}
}

func TestAnAnswerJustBelowTheLimitIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, func(c *socketmode.Client, e socketmode.Event) {
		if e.Type != socketmode.EventTypeSlashCommand {
			acking(c, e)
			return
		}
		_ = c.Ack(*e.Request, map[string]string{"text": strings.Repeat("x", 20_300)})
	})
	out, err := w.Command(soon(t), marco, payments, "/rolecall", "")
	if err != nil || out.Reply == nil || len(out.Reply.Text) != 20_300 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestEventsAreRetriedInteractionsAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // no app yet
	if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); !errors.Is(err, slacktest.ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
	if _, err := w.OpenHome(soon(t), marco); !errors.Is(err, slacktest.ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
	if err := w.Until(soon(t), func() bool { return len(w.Deliveries(slacktest.KindEvent)) == 4 }); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for i, d := range w.Deliveries(slacktest.KindEvent) {
		ids[d.ID] = true
		if d.Attempt != i || d.Error == "" {
			t.Errorf("attempt %d: %+v", i, d)
		}
	}
	if len(ids) != 1 || len(w.Deliveries(slacktest.KindCommand)) != 1 {
		t.Errorf("event ids %v, %d commands; want one of each", ids, len(w.Deliveries(slacktest.KindCommand)))
	}
}

func TestEventsComeInTheEventsAPIShape(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := make(chan slackevents.EventsAPIEvent, 5)
	attempts := make(chan int, 5)
	w.app(t, func(c *socketmode.Client, e socketmode.Event) {
		acking(c, e)
		if event, ok := e.Data.(slackevents.EventsAPIEvent); ok {
			attempts <- e.Request.RetryAttempt
			seen <- event
		}
	})
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}
	if _, err := w.api.PublishView(marco, home, ""); err != nil {
		t.Fatal(err)
	}
	out, err := w.OpenHome(soon(t), marco)
	if err != nil {
		t.Fatal(err)
	}
	got := <-seen
	opened, ok := got.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent)
	if !ok || opened.User != marco || opened.Tab != "home" || opened.Channel != w.DirectMessage(marco) || opened.View == nil || got.TeamID != "T0ACME" {
		t.Errorf("got %+v", got)
	}
	if id := got.Data.(*slackevents.EventsAPICallbackEvent).EventID; id != out.DeliveryID {
		t.Errorf("got event %s, want %s", id, out.DeliveryID)
	}
	if err := w.Redeliver(soon(t), out.DeliveryID); err != nil {
		t.Fatal(err)
	}
	again := <-seen
	if id := again.Data.(*slackevents.EventsAPICallbackEvent).EventID; id != out.DeliveryID || <-attempts != 0 || <-attempts != 1 {
		t.Errorf("the retry should carry the same event id and say that it is one: %+v", again)
	}
	if err := w.Redeliver(soon(t), "Ev0"); err == nil {
		t.Error("redelivered an event that never was")
	}
}

func TestEventsOfYourOwnMaking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, acking)
	id, err := w.Emit(soon(t), map[string]any{"type": "user_change", "user": map[string]any{"id": marco}})
	if err != nil {
		t.Fatal(err)
	}
	var outer struct {
		EventID string `json:"event_id"`
		Event   struct{ Type string }
	}
	if err := json.Unmarshal(w.Deliveries(slacktest.KindEvent)[0].Payload, &outer); err != nil || outer.EventID != id || outer.Event.Type != "user_change" {
		t.Errorf("got %+v, %v", outer, err)
	}
}

func TestAConnectionThatWasAskedToLeaveGetsNothingMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaving, _ := w.dial(t)
	w.Disconnect("warning")
	if got := next(t, leaving); got.Type != "disconnect" || got.Reason != "warning" {
		t.Errorf("got %+v", got)
	}
	w.app(t, acking)
	for range 4 {
		if _, err := w.Command(soon(t), marco, payments, "/rolecall", ""); err != nil {
			t.Errorf("a command went to the connection that leaves: %v", err)
		}
	}
}

func TestDebugReconnectsAreAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, url, err := w.api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), url+"&debug_reconnects=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	response.Body.Close()
	if got := next(t, conn); got.DebugInfo.ApproximateConnectionTime != 360 {
		t.Errorf("got %+v", got)
	}
}
