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

// interact sends an interaction; the caller holds mu, which is released.
func (w *Workspace) interact(ctx context.Context, payload object, confirm string) (Outcome, error) {
	before := w.version
	d := Delivery{ID: w.id("I"), Kind: KindInteraction, Type: str(payload, "type"), Payload: encode(payload)}
	w.mu.Unlock()
	a, err := w.deliver(ctx, d)
	return Outcome{Before: before, Acked: a.took, TriggerID: str(payload, "trigger_id"), ResponseURL: str(payload, "response_url"),
		Confirm: confirm, DeliveryID: d.ID}, err
}

// Command acts as a person who types a slash command in a conversation. The outcome's Reply is what the
// acknowledgement showed. It fails with ErrImpossible when they cannot, or no such command is registered; with
// ErrTrouble when the app answered what Slack does not accept.
func (w *Workspace) Command(ctx context.Context, userID, channelID, command, text string) (Outcome, error) {
	w.mu.Lock()
	u, c, err := w.commander(userID, channelID, command)
	if err != nil {
		w.mu.Unlock()
		return Outcome{}, fmt.Errorf("command %s as %s: %w", command, userID, err)
	}
	out := Outcome{Before: w.version, TriggerID: w.newTrigger(userID, false), ResponseURL: w.newResponseURL(channelID, userID, nil), DeliveryID: w.id("I")}
	d := Delivery{ID: out.DeliveryID, Kind: KindCommand, Type: command, Payload: encode(object{
		"token": "deprecated", "team_id": w.cfg.TeamID, "team_domain": w.cfg.TeamDomain, "channel_id": channelID, "channel_name": w.channelName(c),
		"user_id": userID, "user_name": u.Name, "command": command, "text": text, "api_app_id": w.cfg.AppID,
		"is_enterprise_install": "false", "response_url": out.ResponseURL, "trigger_id": out.TriggerID,
	})}
	w.mu.Unlock()
	a, err := w.deliver(ctx, d)
	out.Acked = a.took
	if err != nil {
		return out, err
	}
	out.Reply, err = w.showAnswer(userID, channelID, d, a)
	return out, err
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

func (w *Workspace) showAnswer(userID, channelID string, d Delivery, a answer) (*Message, error) {
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
	w.mu.Lock()
	c, m, err := w.messageFor(userID, channelID, ts)
	if err != nil {
		w.mu.Unlock()
		return Outcome{}, fmt.Errorf("shortcut %s as %s: %w", callbackID, userID, err)
	}
	payload := w.interaction("message_action", userID, false)
	payload["callback_id"], payload["action_ts"], payload["message_ts"] = callbackID, w.stamp(), m.TS
	payload["channel"] = object{"id": c.ID, "name": w.channelName(c)}
	payload["message"] = w.messageJSON(m)
	payload["response_url"] = w.newResponseURL(c.ID, userID, nil)
	return w.interact(ctx, payload, "")
}

// GlobalShortcut acts as a person who picks the app's shortcut from the search or the composer.
func (w *Workspace) GlobalShortcut(ctx context.Context, userID, callbackID string) (Outcome, error) {
	w.mu.Lock()
	if _, err := w.person(userID); err != nil {
		w.mu.Unlock()
		return Outcome{}, fmt.Errorf("shortcut %s as %s: %w", callbackID, userID, err)
	}
	payload := w.interaction("shortcut", userID, false)
	payload["callback_id"], payload["action_ts"] = callbackID, w.stamp()
	return w.interact(ctx, payload, "")
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
