package oktatest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"
)

// A Hook is an event hook as an administrator registers it.
type Hook struct {
	URL    string
	Secret string // for the header Authorization
	Types  []string
	Client *http.Client // http.DefaultClient when nil
	Batch  int          // events in a delivery at most; 1 when 0
}

type hook struct {
	Hook
	verified bool
	on       bool
	fate     func(n int) Fate
	sent     int
}

// A Fate is what happens to a delivery.
type Fate int

// The fates. Okta promises at least once at best, and no order.
const (
	Arrives Fate = iota
	Lost         // it is never sent
	Doubled      // it arrives, and once more
	Late         // it arrives after all others
)

// answerWithin is how long Okta waits. Source: Okta, "Event hooks", "Timeout and retry".
const answerWithin = 3 * time.Second

// A Delivery is what became of one.
type Delivery struct {
	Events   []string // uuids
	Statuses []int    // of each try; 0 is a timeout or a broken connection
}

func (h hook) wants(eventType string) bool {
	return h.on && slices.Contains(h.Types, eventType)
}

// Register registers the hook. Events before that are not sent.
func (o *Org) Register(h Hook) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if h.Client == nil {
		h.Client = http.DefaultClient
	}
	h.Batch = max(1, h.Batch)
	o.hook = hook{Hook: h, on: true, fate: func(int) Fate { return Arrives }}
	o.pending = nil
}

// Decide says what happens to the n-th delivery, from 0.
func (o *Org) Decide(fate func(n int) Fate) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hook.fate = fate
}

// Verify asks the hook once whether it is whose it says, as Okta does. It returns why it does not believe it.
func (o *Org) Verify(ctx context.Context) error {
	h := o.registered()
	const challenge = "ZtIMY8dG5S9Qm1nVWJ9e7nQy4WzFkV6lU3ZuWBbQ"
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return fmt.Errorf("verify the hook: %w", err)
	}
	req.Header.Set("X-Okta-Verification-Challenge", challenge)
	res, err := h.Client.Do(req)
	if err != nil {
		return fmt.Errorf("verify the hook: %w", err)
	}
	defer res.Body.Close()
	var said struct {
		Verification string `json:"verification"`
	}
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || res.StatusCode != http.StatusOK {
		return fmt.Errorf("verify the hook: it answered %s, %q", res.Status, res.Header.Get("Content-Type"))
	}
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil || said.Verification != challenge {
		return fmt.Errorf("verify the hook: it said %q: %w", said.Verification, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hook.verified = true
	return nil
}

func (o *Org) registered() hook {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hook
}

// Deliver sends what the hook was not sent yet, and returns what became of each delivery. A hook that was not verified is an error.
func (o *Org) Deliver(ctx context.Context) ([]Delivery, error) {
	batches, h, err := o.batches()
	if err != nil {
		return nil, err
	}
	var all []Delivery
	for _, events := range batches {
		d, err := h.deliver(ctx, events)
		if err != nil {
			return all, err
		}
		all = append(all, d)
	}
	return all, nil
}

// batches returns what is to be sent, in the order in which it arrives.
func (o *Org) batches() ([][]logged, hook, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.hook.on || !o.hook.verified {
		return nil, hook{}, fmt.Errorf("deliver: no hook was registered and verified")
	}
	var now, late [][]logged
	for places := range slices.Chunk(o.pending, o.hook.Batch) {
		var events []logged
		for _, p := range places {
			events = append(events, o.log[p])
		}
		switch o.hook.fate(o.hook.sent) {
		case Lost:
		case Doubled:
			now = append(now, events, events)
		case Late:
			late = append(late, events)
		case Arrives:
			now = append(now, events)
		}
		o.hook.sent++
	}
	o.pending = nil
	return append(now, late...), o.hook, nil
}

// deliver tries once, and once more after a 5xx or a timeout.
func (h hook) deliver(ctx context.Context, events []logged) (Delivery, error) {
	d := Delivery{}
	raw := make([]json.RawMessage, len(events))
	for i, e := range events {
		raw[i] = e.raw
		d.Events = append(d.Events, e.UUID)
	}
	body, err := json.Marshal(map[string]any{
		"eventType": "com.okta.event_hook", "eventTypeVersion": "1.0", "cloudEventsVersion": "0.1", "contentType": "application/json",
		"eventId": "evt-" + d.Events[0], "eventTime": events[0].Published.Format(time.RFC3339Nano),
		"source": "https://acme.okta.com/api/v1/eventHooks/who1", "data": map[string]any{"events": raw},
	})
	if err != nil {
		return d, fmt.Errorf("deliver: %w", err)
	}
	for range 2 {
		status, err := h.try(ctx, body)
		if err != nil {
			return d, err
		}
		d.Statuses = append(d.Statuses, status)
		if status != 0 && status < http.StatusInternalServerError {
			break
		}
	}
	return d, nil
}

// try returns the status, or 0 when no answer came in time.
func (h hook) try(ctx context.Context, body []byte) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("deliver: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", h.Secret)
	res, err := h.Client.Do(req)
	if err != nil {
		return 0, nil //nolint:nilerr // it is an outcome of a delivery
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, nil //nolint:nilerr // as above
	}
	return res.StatusCode, nil
}
