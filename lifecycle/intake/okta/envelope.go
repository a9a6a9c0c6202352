package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const typeEnvelope = "com.okta.event_hook"

// An envelope is one delivery: the events in it that can be read, and what is
// wrong with the others.
type envelope struct {
	events []event
	wrong  []lifecycle.FieldError
}

// readEnvelope returns the envelope that body is. What is no JSON, or no envelope
// of an event hook, is a Refusal.
func readEnvelope(body []byte) (envelope, error) {
	if _, err := intake.ReadJSON(body); err != nil {
		return envelope{}, err
	}
	var said struct {
		EventType string `json:"eventType"`
		Data      struct {
			Events []json.RawMessage `json:"events"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return envelope{}, lifecycle.Refuse(lifecycle.ErrInvalid, "this is no delivery of an event hook: %s", mistyped(err))
	}
	if said.EventType != typeEnvelope || len(said.Data.Events) == 0 {
		return envelope{}, lifecycle.Refuse(lifecycle.ErrInvalid, "eventType must be %s, and data.events must have an event", typeEnvelope)
	}
	var e envelope
	for i, raw := range said.Data.Events {
		read, err := readEvent(raw)
		if err != nil {
			e.blame(fmt.Sprintf("data.events[%d]", i), lifecycle.ReasonOf(err))
			continue
		}
		e.events = append(e.events, read)
	}
	slices.SortStableFunc(e.events, func(a, b event) int { return a.Published.Compare(b.Published) })
	return e, nil
}

// mistyped says where something else stands than belongs there.
func mistyped(err error) string {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok:
		return err.Error()
	case wrong.Field == "":
		return "it is " + wrong.Value
	default:
		return wrong.Field + " is " + wrong.Value
	}
}

func (e *envelope) blame(path, what string) {
	e.wrong = append(e.wrong, lifecycle.FieldError{Path: path, Message: what})
}

// keep keeps every event that says something, in the order in which it was so. A
// fault ends it: all of it is sent again, and what is kept is then a repeat.
// What cannot be kept is refused after all else is: Okta does not send it again.
func (h *Hook) keep(ctx context.Context, e envelope) error {
	thin := map[string]int{}
	for _, ev := range e.events {
		if ev.meaning().values {
			thin[ev.EventType]++
		}
		fact, ok := ev.fact()
		if !ok {
			continue
		}
		_, _, err := h.config.Inbox.Receive(ctx, fact)
		if refused, ok := errors.AsType[*lifecycle.Refusal](err); ok {
			e.blame("event "+ev.UUID, refused.Reason)
		} else if err != nil {
			return fmt.Errorf("keep event %s: %w", ev.UUID, err)
		}
	}
	if err := h.follow(ctx, thin); err != nil {
		return err
	}
	if len(e.wrong) == 0 {
		return nil
	}
	return &lifecycle.Refusal{
		Kind: lifecycle.ErrInvalid, Fields: e.wrong,
		Reason: fmt.Sprintf("%d of the events cannot be kept: %s: %s", len(e.wrong), e.wrong[0].Path, e.wrong[0].Message),
	}
}

// follow has what changed read, where it can be read, and puts on the record that
// it was heard.
func (h *Hook) follow(ctx context.Context, thin map[string]int) error {
	if len(thin) == 0 {
		return nil
	}
	var said []string
	for _, name := range slices.Sorted(maps.Keys(thin)) {
		said = append(said, fmt.Sprintf("%d × %s", thin[name], name))
	}
	what := "events that carry no values: " + strings.Join(said, ", ")
	if h.config.ResyncAfter == 0 {
		return h.config.Inbox.Heard(ctx, Source, what+". Nothing is read, because Okta's log is not")
	}
	step := lifecycle.Job{Kind: lifecycle.JobResync, Ref: Source, At: h.config.Now().Add(h.config.ResyncAfter)}
	return h.config.Inbox.Heard(ctx, Source, what+". What they speak of is read", step)
}
