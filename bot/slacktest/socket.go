package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxConnections  = 10     // of one app
	maxSocketAnswer = 20_480 // bytes; Slack drops an answer this large without a word
	ordinaryLife    = 18_060 // seconds that hello promises
	debugLife       = 360    // seconds with debug_reconnects
)

// socketHub keeps the Socket Mode connections of the app. It is guarded by the workspace's mu.
type socketHub struct {
	tickets map[string]bool // URLs not used yet
	conns   []*socketConn
	next    int // round robin
	waiting map[string]*envelope
	expired map[string]bool // envelopes whose connection went away before the answer
}

func newSocketHub() socketHub {
	return socketHub{tickets: map[string]bool{}, waiting: map[string]*envelope{}, expired: map[string]bool{}}
}

// socketConn is one connection; a ghost has nobody at the other end.
type socketConn struct {
	ws    *websocket.Conn // nil for a ghost
	out   chan any        // written by one goroutine only
	gone  chan struct{}   // closed when the connection ends
	ghost bool
	leave bool // was asked to go; gets nothing more while others are there
}

// envelope is a delivery that waits for its acknowledgement.
type envelope struct {
	conn   *socketConn
	answer chan json.RawMessage // buffered; at most one
}

func (w *Workspace) connectionsOpen(c *call) (object, error) {
	w.serial++
	ticket := fmt.Sprintf("%08x-slacktest", 0xfeed_0000+w.serial)
	w.socket.tickets[ticket] = true
	url := fmt.Sprintf("%s://%s/link?ticket=%s&app_id=%s", c.scheme, c.host, ticket, w.cfg.AppID)
	return object{"url": url}, nil
}

func (w *Workspace) serveSocket(rw http.ResponseWriter, r *http.Request) {
	if !w.useTicket(r.URL.Query().Get("ticket")) {
		http.Error(rw, "the URL was used before, or never issued", http.StatusForbidden)
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := upgrader.Upgrade(rw, r, nil)
	if err != nil {
		w.cfg.Log.WarnContext(r.Context(), "upgrade slack socket", slog.Any("err", err))
		return
	}
	ws.SetReadLimit(maxBody)
	conn := &socketConn{ws: ws, out: make(chan any, 64), gone: make(chan struct{})}
	life := ordinaryLife
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = debugLife
	}
	if w.register(conn, life) {
		w.listen(conn)
	}
}

func (w *Workspace) useTicket(ticket string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	valid := w.socket.tickets[ticket]
	delete(w.socket.tickets, ticket)
	if !valid {
		w.violate("socket", "invalid_ticket", nil, "a WebSocket URL works once")
	}
	return valid
}

// register adds a connection and greets it, or turns it away when there are ten already.
func (w *Workspace) register(conn *socketConn, life int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.socket.conns) >= maxConnections || w.life.Err() != nil {
		w.violate("socket", "too_many_websockets", nil)
		err := errors.Join(conn.ws.WriteJSON(goodbye("too_many_websockets")), conn.ws.Close())
		w.cfg.Log.Debug("turn slack socket away", slog.Any("err", err))
		return false
	}
	w.socket.conns = append(w.socket.conns, conn)
	conn.out <- object{
		"type": "hello", "num_connections": len(w.socket.conns), "connection_info": object{"app_id": w.cfg.AppID},
		"debug_info": object{"host": "slacktest", "build_number": 1, "approximate_connection_time": life},
	}
	w.spawn(func() { w.speak(conn, time.Duration(life)*time.Second) })
	w.bump()
	return true
}

// speak is the one goroutine that writes to a connection: envelopes, pings, and the goodbye at the end of its life.
func (w *Workspace) speak(conn *socketConn, life time.Duration) {
	ping := time.NewTicker(w.cfg.PingInterval)
	defer ping.Stop()
	end := time.NewTimer(life)
	defer end.Stop()
	for {
		var err error
		select {
		case <-conn.gone:
			return
		case message := <-conn.out:
			err = conn.ws.WriteJSON(message)
		case <-ping.C:
			err = conn.ws.WriteControl(websocket.PingMessage, []byte("slacktest"), time.Now().Add(time.Second))
		case <-end.C:
			err = conn.ws.WriteJSON(goodbye("refresh_requested"))
		}
		if err != nil {
			w.drop(conn)
			return
		}
	}
}

func goodbye(reason string) object {
	return object{"type": "disconnect", "reason": reason, "debug_info": object{"host": "slacktest"}}
}

// listen takes acknowledgements until the connection ends.
func (w *Workspace) listen(conn *socketConn) {
	defer w.drop(conn)
	for {
		_, body, err := conn.ws.ReadMessage()
		if err != nil {
			return
		}
		w.acknowledge(body)
	}
}

func (w *Workspace) acknowledge(body []byte) {
	var ack struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := json.Unmarshal(body, &ack); err != nil || ack.EnvelopeID == "" {
		w.violate("socket", "bad_acknowledgement", nil, "an answer is {envelope_id[, payload]}")
		return
	}
	if len(body) >= maxSocketAnswer {
		w.violate("socket", "answer_too_large", nil, fmt.Sprintf("%d bytes; Slack drops answers of %d bytes or more", len(body), maxSocketAnswer))
		return
	}
	waiting := w.socket.waiting[ack.EnvelopeID]
	switch {
	case waiting != nil:
		delete(w.socket.waiting, ack.EnvelopeID)
		waiting.answer <- ack.Payload
	case !w.socket.expired[ack.EnvelopeID]:
		w.violate("socket", "late_acknowledgement", nil, "no envelope "+ack.EnvelopeID+" waits for an answer")
	}
}

// drop forgets a connection and closes it. What was sent over it stays unanswered.
func (w *Workspace) drop(conn *socketConn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.socket.conns, conn)
	if i < 0 {
		return
	}
	w.socket.conns = slices.Delete(w.socket.conns, i, i+1)
	for id, e := range w.socket.waiting {
		if e.conn == conn {
			delete(w.socket.waiting, id)
			w.socket.expired[id] = true
		}
	}
	close(conn.gone)
	w.bump()
	if conn.ghost {
		return
	}
	if err := conn.ws.Close(); err != nil {
		w.cfg.Log.Debug("close slack socket", slog.Any("err", err))
	}
}

// Connections tells how many Socket Mode connections the workspace believes in, ghosts included.
func (w *Workspace) Connections() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.socket.conns)
}

// AwaitConnections returns when there are at least n connections, or the error of ctx.
func (w *Workspace) AwaitConnections(ctx context.Context, n int) error {
	return w.Until(ctx, func() bool { return w.Connections() >= n })
}

// Disconnect asks every connection to leave, with a reason such as "warning" or "refresh_requested".
func (w *Workspace) Disconnect(reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range w.socket.conns {
		if !conn.ghost {
			conn.leave = conn.send(goodbye(reason))
		}
	}
}

// send hands a message to the connection's writer; false when the connection is gone or hopelessly behind.
func (c *socketConn) send(message any) bool {
	select {
	case <-c.gone:
		return false
	case c.out <- message:
		return true
	default:
		return false
	}
}

// DropConnections cuts every connection without a word.
func (w *Workspace) DropConnections() {
	w.mu.Lock()
	conns := slices.Clone(w.socket.conns)
	w.mu.Unlock()
	for _, conn := range conns {
		w.drop(conn)
	}
}

// DropConnection cuts the oldest connection that is no ghost, without a word. It reports whether there was one.
func (w *Workspace) DropConnection() bool {
	w.mu.Lock()
	i := slices.IndexFunc(w.socket.conns, func(c *socketConn) bool { return !c.ghost })
	if i < 0 {
		w.mu.Unlock()
		return false
	}
	conn := w.socket.conns[i]
	w.mu.Unlock()
	w.drop(conn)
	return true
}

// AddGhosts registers n connections that nobody listens to, as half-open sockets do: deliveries routed to them are lost.
func (w *Workspace) AddGhosts(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		w.socket.conns = append(w.socket.conns, &socketConn{ghost: true, out: make(chan any), gone: make(chan struct{})})
	}
	w.bump()
}

// ClearGhosts removes the ghosts.
func (w *Workspace) ClearGhosts() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.socket.conns = slices.DeleteFunc(w.socket.conns, func(c *socketConn) bool { return c.ghost })
	w.bump()
}

// pick returns the connection whose turn it is, or nil. The caller holds mu.
func (w *Workspace) pick() *socketConn {
	if len(w.socket.conns) == 0 {
		return nil
	}
	for range w.socket.conns {
		w.socket.next++
		if conn := w.socket.conns[w.socket.next%len(w.socket.conns)]; !conn.leave {
			return conn
		}
	}
	return w.socket.conns[0]
}
