package slacktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kinds of deliveries, named as Socket Mode names its envelopes.
const (
	KindEvent       = "events_api"
	KindCommand     = "slash_commands"
	KindInteraction = "interactive"
)

// Delivery is one attempt to hand something to the app.
type Delivery struct {
	ID      string // event_id of an event; our own id otherwise. The same for every attempt
	Kind    string
	Type    string // "block_actions", "view_submission", "app_home_opened", the command…
	Payload json.RawMessage
	Attempt int    // 0 for the first, then 1, 2, 3
	Reason  string // of a retry: "http_timeout", "http_error", "connection_failed"
	At      time.Time
	Took    time.Duration // until the acknowledgement
	Answer  []byte        // what came with the acknowledgement
	Error   string        // why it counts as not delivered; "" when it was acknowledged
}

// answer is an acknowledgement.
type answer struct {
	body []byte
	json bool // the body is JSON, not text to show
	took time.Duration
}

// failure is a delivery that was not acknowledged.
type failure struct {
	kind    error // ErrUnreachable or ErrNotAcknowledged
	reason  string
	cause   string
	noRetry bool // the app asked not to be retried
}

func (f *failure) Error() string { return f.kind.Error() + ": " + f.cause }
func (f *failure) Unwrap() error { return f.kind }

// deliver hands one delivery to the app and waits for the acknowledgement, at most Config.AckTimeout.
func (w *Workspace) deliver(ctx context.Context, d Delivery) (answer, error) {
	d.At = w.cfg.Now()
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, w.cfg.AckTimeout)
	defer cancel()
	send := w.overSocket
	if w.usesHTTP() {
		send = w.overHTTP
	}
	a, err := send(limited, d)
	a.took = time.Since(start)
	d.Took, d.Answer = a.took, a.body
	if err != nil {
		d.Error = err.Error()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deliveries.add(d)
	w.bump()
	if err != nil {
		return a, fmt.Errorf("deliver %s %s: %w", d.Kind, d.Type, err)
	}
	return a, nil
}

func (w *Workspace) overSocket(ctx context.Context, d Delivery) (answer, error) {
	id, e := w.sendEnvelope(d)
	if e == nil {
		return answer{}, &failure{kind: ErrUnreachable, reason: "connection_failed", cause: "no socket is open"}
	}
	defer w.forget(id)
	select {
	case body := <-e.answer:
		return answer{body: body, json: true}, nil
	case <-e.conn.gone:
		return answer{}, &failure{kind: ErrNotAcknowledged, reason: "connection_failed", cause: "the socket was closed"}
	case <-ctx.Done():
		return answer{}, &failure{kind: ErrNotAcknowledged, reason: "http_timeout", cause: fmt.Sprintf("no answer within %s", w.cfg.AckTimeout)}
	}
}

// sendEnvelope puts d on the connection whose turn it is. Without a connection the envelope is nil.
func (w *Workspace) sendEnvelope(d Delivery) (string, *envelope) {
	w.mu.Lock()
	defer w.mu.Unlock()
	conn := w.pick()
	if conn == nil {
		return "", nil
	}
	w.serial++
	id := fmt.Sprintf("%08x-0000-4000-8000-%012x", 0xe0000000+w.serial, w.serial)
	e := &envelope{conn: conn, answer: make(chan json.RawMessage, 1)}
	w.socket.waiting[id] = e
	message := object{"envelope_id": id, "type": d.Kind, "payload": d.Payload, "accepts_response_payload": acceptsAnswer(d)}
	if d.Kind == KindEvent {
		message["retry_attempt"], message["retry_reason"] = d.Attempt, d.Reason
	}
	if !conn.ghost {
		conn.send(message)
	}
	return id, e
}

func acceptsAnswer(d Delivery) bool {
	return d.Kind == KindCommand || d.Type == "view_submission" || d.Type == "block_suggestion"
}

func (w *Workspace) forget(envelopeID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.socket.waiting, envelopeID)
}

// deliverEvent hands an event to the app. When it is not acknowledged it is tried again in the background after each
// of Config.RetryDelays, as Slack does; the error is that of the first attempt.
func (w *Workspace) deliverEvent(ctx context.Context, d Delivery) error {
	_, err := w.deliver(ctx, d)
	f, failed := errors.AsType[*failure](err)
	if failed && !f.noRetry {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.spawn(func() { w.retry(d, f.reason) })
	}
	return err
}

func (w *Workspace) retry(d Delivery, reason string) {
	for i, delay := range w.cfg.RetryDelays {
		select {
		case <-time.After(delay):
		case <-w.life.Done():
			return
		}
		d.Attempt, d.Reason = i+1, reason
		_, err := w.deliver(w.life, d)
		f, failed := errors.AsType[*failure](err)
		if !failed || f.noRetry {
			return
		}
		reason = f.reason
	}
}

// Redeliver sends an event again that was delivered before, as a retry, whether or not it was acknowledged.
// It fails when there was no such event, or the app does not acknowledge.
func (w *Workspace) Redeliver(ctx context.Context, eventID string) error {
	var found *Delivery
	for _, d := range w.Deliveries(KindEvent) {
		if d.ID == eventID {
			found = &d
		}
	}
	if found == nil {
		return fmt.Errorf("redeliver event %s: never delivered", eventID)
	}
	again := *found
	again.Attempt, again.Reason = found.Attempt+1, "http_timeout"
	_, err := w.deliver(ctx, again)
	return err
}

// Deliveries returns the remembered attempts of a kind, oldest first; of every kind when kind is "".
func (w *Workspace) Deliveries(kind string) []Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Delivery
	for _, d := range w.deliveries.all() {
		if kind == "" || d.Kind == kind {
			out = append(out, d)
		}
	}
	return out
}

// Emit sends the app an event of your own making, such as {"type":"user_change",…}, wrapped as the Events API wraps
// it. It returns the event_id, and an error when the first attempt is not acknowledged; the retries follow by themselves.
func (w *Workspace) Emit(ctx context.Context, event map[string]any) (string, error) {
	w.mu.Lock()
	d := w.eventDelivery(event)
	w.mu.Unlock()
	return d.ID, w.deliverEvent(ctx, d)
}

// eventDelivery wraps an inner event. The caller holds mu.
func (w *Workspace) eventDelivery(event object) Delivery {
	id := w.id("Ev")
	if event["event_ts"] == nil {
		event["event_ts"] = w.stamp()
	}
	return Delivery{ID: id, Kind: KindEvent, Type: str(event, "type"), Payload: encode(object{
		"token": "deprecated", "team_id": w.cfg.TeamID, "context_team_id": w.cfg.TeamID, "context_enterprise_id": nil,
		"api_app_id": w.cfg.AppID, "event": event, "type": "event_callback", "event_id": id, "event_time": w.cfg.Now().Unix(),
		"authorizations": []any{object{
			"enterprise_id": nil, "team_id": w.cfg.TeamID, "user_id": w.cfg.BotUserID,
			"is_bot": true, "is_enterprise_install": false,
		}},
		"is_ext_shared_channel": false, "event_context": "4-" + id,
	})}
}
