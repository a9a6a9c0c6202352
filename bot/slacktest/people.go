package slacktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Outcome is what became of a person's act by the time the app had acknowledged it. What the app does afterwards is
// followed with Wait or Until, from Before.
type Outcome struct {
	Before      uint64        // Version before the act
	Acked       time.Duration // how long the acknowledgement took
	TriggerID   string
	ResponseURL string
	Confirm     string   // text of the confirmation dialog that the person agreed to; "" for none
	Reply       *Message // what a command's acknowledgement showed; nil for nothing
	DeliveryID  string
}

// act is something a person does that the app is to hear of.
type act struct {
	delivery Delivery
	outcome  Outcome
}

// interaction makes an act of a payload. The caller holds mu.
func (w *Workspace) interaction(payload object, confirm string) act {
	d := Delivery{ID: w.id("I"), Kind: KindInteraction, Type: str(payload, "type"), Payload: encode(payload)}
	return act{delivery: d, outcome: Outcome{
		Before: w.version, TriggerID: str(payload, "trigger_id"),
		ResponseURL: str(payload, "response_url"), Confirm: confirm, DeliveryID: d.ID,
	}}
}

// do prepares an act while mu is held, then lets the app hear of it.
func (w *Workspace) do(ctx context.Context, what string, prepare func() (act, error)) (Outcome, answer, error) {
	w.mu.Lock()
	a, err := prepare()
	w.mu.Unlock()
	if err != nil {
		return Outcome{}, answer{}, fmt.Errorf("%s: %w", what, err)
	}
	said, err := w.deliver(ctx, a.delivery)
	a.outcome.Acked = said.took
	return a.outcome, said, err
}

// Command acts as a person who types a slash command in a conversation. The outcome's Reply is what the
// acknowledgement showed. It fails with ErrImpossible when they cannot, or no such command is registered; with
// ErrTrouble when the app answered what Slack does not accept.
func (w *Workspace) Command(ctx context.Context, userID, channelID, command, text string) (Outcome, error) {
	out, said, err := w.do(ctx, "command "+command+" as "+userID, func() (act, error) {
		return w.commanded(userID, channelID, command, text)
	})
	if err != nil {
		return out, err
	}
	out.Reply, err = w.showAnswer(userID, channelID, said)
	return out, err
}

func (w *Workspace) commanded(userID, channelID, command, text string) (act, error) {
	u, c, err := w.commander(userID, channelID, command)
	if err != nil {
		return act{}, err
	}
	out := Outcome{Before: w.version, TriggerID: w.newTrigger(userID, false), ResponseURL: w.newResponseURL(channelID, userID, nil), DeliveryID: w.id("I")}
	return act{outcome: out, delivery: Delivery{ID: out.DeliveryID, Kind: KindCommand, Type: command, Payload: encode(object{
		"token": "deprecated", "team_id": w.cfg.TeamID, "team_domain": w.cfg.TeamDomain, "channel_id": channelID, "channel_name": w.channelName(c),
		"user_id": userID, "user_name": u.Name, "command": command, "text": text, "api_app_id": w.cfg.AppID,
		"is_enterprise_install": "false", "response_url": out.ResponseURL, "trigger_id": out.TriggerID,
	})}}, nil
}

func (w *Workspace) commander(userID, channelID, command string) (*User, *channel, error) {
	u, err := w.person(userID)
	if err != nil {
		return nil, nil, err
	}
	c := w.channels[channelID]
	switch {
	case c == nil || !canSee(u, c):
		return nil, nil, fmt.Errorf("%w: %s is not in conversation %s", ErrImpossible, userID, channelID)
	case w.cfg.Commands != nil && !slices.Contains(w.cfg.Commands, command):
		return nil, nil, fmt.Errorf("%w: %s is not a valid command", ErrImpossible, command)
	}
	return u, c, nil
}

func (w *Workspace) showAnswer(userID, channelID string, a answer) (*Message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, err := w.commandAnswer(&responseURL{channel: channelID, user: userID}, a)
	if err != nil {
		return nil, w.trouble("command", err, a.body)
	}
	if m == nil {
		return nil, nil
	}
	shown := m.shown()
	return &shown, nil
}

// trouble records that an acknowledgement was not acceptable. The caller holds mu.
func (w *Workspace) trouble(method string, err error, body []byte) error {
	code, detail := "invalid_response", []string{err.Error()}
	if r, ok := errors.AsType[*refusal](err); ok {
		code, detail = r.code, r.detail
	}
	w.violate(method, code, map[string]string{"response": string(body)}, detail...)
	return fmt.Errorf("%w: %s %v", ErrTrouble, code, detail)
}

// MessageShortcut acts as a person who picks the app's shortcut in a message's menu.
func (w *Workspace) MessageShortcut(ctx context.Context, userID, channelID, ts, callbackID string) (Outcome, error) {
	out, _, err := w.do(ctx, "shortcut "+callbackID+" as "+userID, func() (act, error) {
		c, m, err := w.messageFor(userID, channelID, ts)
		if err != nil {
			return act{}, err
		}
		payload := w.payload("message_action", userID, false)
		payload["callback_id"], payload["action_ts"], payload["message_ts"] = callbackID, w.stamp(), m.TS
		payload["channel"] = object{"id": c.ID, "name": w.channelName(c)}
		payload["message"] = w.messageJSON(m)
		payload["response_url"] = w.newResponseURL(c.ID, userID, nil)
		return w.interaction(payload, ""), nil
	})
	return out, err
}

// GlobalShortcut acts as a person who picks the app's shortcut from the search or the composer.
func (w *Workspace) GlobalShortcut(ctx context.Context, userID, callbackID string) (Outcome, error) {
	out, _, err := w.do(ctx, "shortcut "+callbackID+" as "+userID, func() (act, error) {
		if _, err := w.person(userID); err != nil {
			return act{}, err
		}
		payload := w.payload("shortcut", userID, false)
		payload["callback_id"], payload["action_ts"] = callbackID, w.stamp()
		return w.interaction(payload, ""), nil
	})
	return out, err
}

// Say acts as a person who writes in a conversation, or in a thread of it. It fails with ErrImpossible when they
// cannot. No event is sent: rolecall does not listen to messages.
func (w *Workspace) Say(userID, channelID, threadTS, text string) (Message, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u, err := w.person(userID)
	if err != nil {
		return Message{}, fmt.Errorf("say in %s: %w", channelID, err)
	}
	c := w.channels[channelID]
	if c == nil || !canSee(u, c) || c.Archived {
		return Message{}, fmt.Errorf("%w: %s cannot write in %s", ErrImpossible, userID, channelID)
	}
	thread, err := c.threadFor(threadTS)
	if err != nil || (threadTS != "" && thread == "") {
		return Message{}, fmt.Errorf("%w: there is no thread %s in %s", ErrImpossible, threadTS, channelID)
	}
	m := &message{Message: Message{User: userID, Text: text, ThreadTS: thread}}
	w.add(c, m)
	return m.shown(), nil
}
