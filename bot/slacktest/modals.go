package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PressModal is Press on the modal that the person has before them.
func (w *Workspace) PressModal(ctx context.Context, userID, actionID string, choices ...Choice) (Outcome, error) {
	out, _, err := w.do(ctx, "press "+actionID+" as "+userID, func() (act, error) {
		return w.pressView(userID, w.top(userID), actionID, choices)
	})
	return out, err
}

// PressHome is Press on the person's App Home.
func (w *Workspace) PressHome(ctx context.Context, userID, actionID string, choices ...Choice) (Outcome, error) {
	out, _, err := w.do(ctx, "press "+actionID+" as "+userID, func() (act, error) {
		return w.pressView(userID, w.homes[userID], actionID, choices)
	})
	return out, err
}

// pressView prepares a press in a view. The caller holds mu.
func (w *Workspace) pressView(userID string, v *view, actionID string, choices []Choice) (act, error) {
	if _, err := w.person(userID); err != nil {
		return act{}, err
	}
	if v == nil {
		return act{}, fmt.Errorf("%w: they have no such view open", ErrImpossible)
	}
	action, confirm, err := w.action(userID, v.blocks, v.state, actionID, choices)
	if err != nil {
		return act{}, err
	}
	payload := w.payload("block_actions", userID, v.kind == "modal")
	payload["actions"] = []any{action}
	payload["container"] = object{"type": "view", "view_id": v.id}
	payload["view"] = w.viewJSON(v)
	return w.interaction(payload, confirm), nil
}

// OpenHome acts as a person who opens the app's Home tab: the app gets app_home_opened. It fails with ErrImpossible
// for those who cannot, and when the app does not acknowledge; the retries follow by themselves.
func (w *Workspace) OpenHome(ctx context.Context, userID string) (Outcome, error) {
	w.mu.Lock()
	if _, err := w.person(userID); err != nil {
		w.mu.Unlock()
		return Outcome{}, fmt.Errorf("open home as %s: %w", userID, err)
	}
	before := w.version
	dm, _ := w.directMessage(userID)
	event := object{"type": "app_home_opened", "user": userID, "channel": dm.ID, "tab": "home"}
	if home := w.homes[userID]; home != nil {
		event["view"] = w.viewJSON(home)
	}
	d := w.eventDelivery(event)
	w.mu.Unlock()
	return Outcome{Before: before, DeliveryID: d.ID}, w.deliverEvent(ctx, d)
}

// Fill types or chooses values in inputs of the person's topmost modal without submitting it. Values are a string or
// a []string by block id; where a block has several elements, by "block_id/action_id". It fails with ErrImpossible
// when there is no such input or it does not offer the value.
func (w *Workspace) Fill(userID string, values map[string]any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.top(userID)
	if v == nil {
		return fmt.Errorf("%w: %s has no modal open", ErrImpossible, userID)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := w.fillOne(v, name, values[name]); err != nil {
			return fmt.Errorf("fill %s: %w", name, err)
		}
	}
	w.bump()
	return nil
}

func (w *Workspace) fillOne(v *view, name string, value any) error {
	entered, err := entries(value)
	if err != nil {
		return err
	}
	for _, in := range inputsOf(v.blocks) {
		if in.block != name && in.block+"/"+in.action != name {
			continue
		}
		s, err := w.choose(in.element, entered)
		if err != nil {
			return err
		}
		v.state[in.key()] = s
		return nil
	}
	return fmt.Errorf("%w: the modal has no input %q", ErrImpossible, name)
}

// entries reads a value as a form or a JSON decoder gives it.
func entries(value any) ([]string, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []string:
		return v, nil
	case []any:
		if out := texts(v); len(out) == len(v) {
			return out, nil
		}
	}
	return nil, fmt.Errorf("%w: a value is a string or a list of strings, not %T", ErrImpossible, value)
}

// Submit acts as a person who fills in inputs of their topmost modal (values as for Fill) and presses its submit
// button. It returns the messages that stand in red under inputs, by block id, whether Slack's form or the app put
// them there; the modal then stays open. It fails with ErrImpossible, ErrUnreachable, ErrNotAcknowledged, or with
// ErrTrouble when the app's answer is not acceptable.
func (w *Workspace) Submit(ctx context.Context, userID string, values map[string]any) (map[string]string, error) {
	if err := w.Fill(userID, values); err != nil {
		return nil, fmt.Errorf("submit as %s: %w", userID, err)
	}
	v, d, errs, err := w.submission(userID)
	if err != nil || len(errs) > 0 {
		return errs, err
	}
	a, err := w.deliver(ctx, d)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.afterSubmit(v, a)
}

// submission prepares the payload, or returns what Slack's form complains of.
func (w *Workspace) submission(userID string) (*view, Delivery, map[string]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.person(userID)
	v := w.top(userID)
	switch {
	case err != nil:
		return nil, Delivery{}, nil, fmt.Errorf("submit: %w", err)
	case v == nil || v.spec["submit"] == nil:
		return nil, Delivery{}, nil, fmt.Errorf("%w: there is no submit button", ErrImpossible)
	}
	v.errors = v.complaints()
	if len(v.errors) > 0 {
		w.bump()
		return v, Delivery{}, maps.Clone(v.errors), nil
	}
	payload := w.payload("view_submission", userID, true)
	payload["view"], payload["response_urls"] = w.viewJSON(v), []any{}
	return v, Delivery{ID: w.id("I"), Kind: KindInteraction, Type: "view_submission", Payload: encode(payload)}, nil, nil
}

func (v *view) complaints() map[string]string {
	out := map[string]string{}
	for _, in := range inputsOf(v.blocks) {
		if c := complaint(in, v.state[in.key()]); c != "" {
			out[in.block] = c
		}
	}
	return out
}

// afterSubmit does what the app's answer to a submission says. The caller holds mu.
func (w *Workspace) afterSubmit(v *view, a answer) (map[string]string, error) {
	var said struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   json.RawMessage   `json:"view"`
	}
	body := strings.TrimSpace(string(a.body))
	if body != "" && body != "null" {
		if err := json.Unmarshal([]byte(body), &said); err != nil {
			return nil, w.trouble("view_submission", err, a.body)
		}
	}
	var err error
	switch said.Action {
	case "":
		w.closeView(v)
	case "clear":
		w.stacks[v.user] = nil
		w.bump()
	case "errors":
		return w.showErrors(v, said.Errors, a.body)
	case "update":
		err = w.replaceView(v, said.View)
	case "push":
		err = w.pushAnswer(v, said.View)
	default:
		err = invalid("invalid_response_action", said.Action)
	}
	if err != nil {
		return nil, w.trouble("view_submission", err, a.body)
	}
	return nil, nil
}

// showErrors puts the app's messages under its inputs. Keys that name no input block are not accepted.
func (w *Workspace) showErrors(v *view, errs map[string]string, body []byte) (map[string]string, error) {
	blocks := map[string]bool{}
	for _, in := range inputsOf(v.blocks) {
		blocks[in.block] = in.isInput
	}
	if len(errs) == 0 {
		return nil, w.trouble("view_submission", invalid("invalid_errors", "errors is empty"), body)
	}
	for _, id := range slices.Sorted(maps.Keys(errs)) {
		if !blocks[id] {
			return nil, w.trouble("view_submission", invalid("invalid_errors", fmt.Sprintf("%q is not the block_id of an input block", id)), body)
		}
	}
	v.errors = maps.Clone(errs)
	w.bump()
	return errs, nil
}

func (w *Workspace) replaceView(v *view, raw json.RawMessage) error {
	spec, err := w.checkView(string(raw), onModal)
	if err != nil {
		return err
	}
	w.fill(v, spec)
	w.bump()
	return nil
}

func (w *Workspace) pushAnswer(v *view, raw json.RawMessage) error {
	spec, err := w.checkView(string(raw), onModal)
	if err != nil {
		return err
	}
	return w.push(w.newView(v.user, spec))
}

// CloseModal acts as a person who cancels their topmost modal; the whole stack goes when it has clear_on_close. An
// app that asked for it gets view_closed. It fails with ErrImpossible when nothing is open, or when the app does not
// acknowledge.
func (w *Workspace) CloseModal(ctx context.Context, userID string) error {
	v, told, err := w.cancel(userID)
	if err != nil || !told {
		return err
	}
	_, _, err = w.do(ctx, "close modal as "+userID, func() (act, error) {
		payload := w.payload("view_closed", userID, false)
		delete(payload, "trigger_id") // a closed view opens nothing
		payload["view"], payload["is_cleared"] = w.viewJSON(v), boolean(v.spec, "clear_on_close")
		return w.interaction(payload, ""), nil
	})
	return err
}

// cancel takes the topmost modal away, and tells whether the app wants to know.
func (w *Workspace) cancel(userID string) (*view, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.top(userID)
	if v == nil {
		return nil, false, fmt.Errorf("%w: %s has no modal open", ErrImpossible, userID)
	}
	w.closeView(v)
	if boolean(v.spec, "clear_on_close") {
		w.stacks[userID] = nil
	}
	return v, boolean(v.spec, "notify_on_close"), nil
}
