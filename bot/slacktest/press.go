package slacktest

import (
	"context"
	"fmt"
	"slices"
)

// Choice narrows down which element is pressed, or says what is chosen in it.
type Choice func(*choice)

type choice struct {
	block, value string
	values       []string
}

// InBlock means the element in the block with this id.
func InBlock(blockID string) Choice { return func(c *choice) { c.block = blockID } }

// WithValue means the button that carries this value.
func WithValue(value string) Choice { return func(c *choice) { c.value = value } }

// Pick says what is chosen in a select, an overflow menu, checkboxes, a date picker…: option values, ids, dates.
func Pick(values ...string) Choice { return func(c *choice) { c.values = values } }

// Press acts as a person who presses a button, or chooses in a menu, on a message they can see: in a channel, a
// direct message, or one that only they see. It fails with ErrImpossible when the element is not there for them (any
// more), or several match; with ErrUnreachable or ErrNotAcknowledged when the app does not answer.
func (w *Workspace) Press(ctx context.Context, userID, channelID, ts, actionID string, choices ...Choice) (Outcome, error) {
	out, _, err := w.do(ctx, "press "+actionID+" as "+userID, func() (act, error) {
		c, m, err := w.messageFor(userID, channelID, ts)
		if err != nil {
			return act{}, err
		}
		return w.pressMessage(userID, c, m, actionID, choices)
	})
	return out, err
}

// pressMessage prepares a press on a message. The caller holds mu.
func (w *Workspace) pressMessage(userID string, c *channel, m *message, actionID string, choices []Choice) (act, error) {
	held := m.heldBy(userID)
	action, confirm, err := w.action(userID, m.blocks, held, actionID, choices)
	if err != nil {
		return act{}, err
	}
	payload := w.payload("block_actions", userID, false)
	payload["actions"] = []any{action}
	payload["container"] = containerOf(m)
	payload["channel"] = object{"id": c.ID, "name": w.channelName(c)}
	payload["state"] = object{"values": stateValues(m.blocks, held)}
	payload["response_url"] = w.newResponseURL(c.ID, userID, m)
	if !m.Ephemeral { // Slack does not repeat a message that only one person sees
		payload["message"] = w.messageJSON(m)
	}
	return w.interaction(payload, confirm), nil
}

// heldBy is what a person has chosen in the message's inputs so far.
func (m *message) heldBy(userID string) map[string]state {
	if m.state == nil {
		m.state = map[string]map[string]state{}
	}
	if m.state[userID] == nil {
		m.state[userID] = initialState(m.blocks)
	}
	return m.state[userID]
}

// messageFor finds a message that a person can see. The caller holds mu.
func (w *Workspace) messageFor(userID, channelID, ts string) (*channel, *message, error) {
	u, err := w.person(userID)
	if err != nil {
		return nil, nil, err
	}
	c := w.channels[channelID]
	if c == nil || !canSee(u, c) {
		return nil, nil, fmt.Errorf("%w: %s is not in conversation %s", ErrImpossible, userID, channelID)
	}
	if m := c.find(ts); m != nil {
		return c, m, nil
	}
	for _, m := range w.ephemerals[userID] {
		if m.TS == ts && m.Channel == channelID {
			return c, m, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: no message %s in %s", ErrImpossible, ts, channelID)
}

// person finds somebody who can act. The caller holds mu.
func (w *Workspace) person(id string) (*User, error) {
	u := w.users[id]
	switch {
	case u == nil:
		return nil, fmt.Errorf("%w: there is no user %s", ErrImpossible, id)
	case u.Bot || u.Deleted:
		return nil, fmt.Errorf("%w: %s is a bot or deactivated", ErrImpossible, id)
	}
	return u, nil
}

// canSee reports whether a person can open a conversation: members always, others public channels unless they are
// guests or strangers.
func canSee(u *User, c *channel) bool {
	return c.has(u.ID) || (!c.Private && !u.Restricted && !u.UltraRestricted && !u.Stranger)
}

// action finds the element, enters what is chosen, and returns the action and the confirmation it asks for.
// The caller holds mu.
func (w *Workspace) action(userID string, blocks []any, held map[string]state, actionID string, choices []Choice) (object, string, error) {
	var want choice
	for _, set := range choices {
		set(&want)
	}
	in, err := findElement(userID, blocks, actionID, want)
	if err != nil {
		return nil, "", err
	}
	action := object{"type": in.element["type"], "action_id": in.action, "block_id": in.block, "action_ts": w.stamp()}
	if err := w.enter(action, in, held, want.values); err != nil {
		return nil, "", err
	}
	return action, str(obj(obj(in.element, "confirm"), "text"), "text"), nil
}

// findElement finds the one element that the person means and can see.
func findElement(userID string, blocks []any, actionID string, want choice) (input, error) {
	var found []input
	for _, in := range elementsOf(blocks) {
		if in.action == actionID && (want.block == "" || in.block == want.block) && (want.value == "" || str(in.element, "value") == want.value) {
			found = append(found, in)
		}
	}
	switch {
	case len(found) == 0:
		return input{}, fmt.Errorf("%w: nothing to press with action id %s", ErrImpossible, actionID)
	case len(found) > 1:
		return input{}, fmt.Errorf("%w: %d elements have action id %s; say which with InBlock or WithValue", ErrImpossible, len(found), actionID)
	}
	visible := texts(list(found[0].element, "visible_to_user_ids"))
	if len(visible) > 0 && !slices.Contains(visible, userID) {
		return input{}, fmt.Errorf("%w: %s is not shown to %s", ErrImpossible, actionID, userID)
	}
	if str(found[0].frame, "type") == "input" && !boolean(found[0].frame, "dispatch_action") {
		return input{}, fmt.Errorf("%w: input %s sends nothing by itself; use Fill or Submit", ErrImpossible, actionID)
	}
	return found[0], nil
}

// enter puts what is chosen into the action and keeps it.
func (w *Workspace) enter(action object, in input, held map[string]state, values []string) error {
	kind := str(in.element, "type")
	switch kind {
	case "button", "icon_button", "workflow_button":
		for _, field := range []string{"text", "value", "style"} {
			if v := in.element[field]; v != nil && v != "" {
				action[field] = v
			}
		}
		return nil
	case "feedback_buttons":
		return feedback(action, in.element, values)
	}
	s, err := w.choose(in.element, values)
	if err != nil {
		return err
	}
	if s.empty() && kind == "overflow" {
		return fmt.Errorf("%w: say what is chosen in the overflow menu with Pick", ErrImpossible)
	}
	if holdsValue(kind) {
		held[in.key()] = s
	}
	for field, v := range valueJSON(in.element, s) {
		action[field] = v
	}
	if in.element["placeholder"] != nil {
		action["placeholder"] = in.element["placeholder"]
	}
	return nil
}

func feedback(action, element object, values []string) error {
	for _, side := range []string{"positive_button", "negative_button"} {
		b := obj(element, side)
		if len(values) == 1 && values[0] == str(b, "value") {
			action["value"], action["text"] = b["value"], b["text"]
			return nil
		}
	}
	return fmt.Errorf("%w: pick the value of one of the two feedback buttons", ErrImpossible)
}
