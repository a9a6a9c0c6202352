package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Suggest acts as a person who types into an external_select of the modal before them, and returns what the app
// offers. It fails with ErrImpossible when there is no such menu, and with ErrTrouble when the app's answer is not a
// list of at most 100 options, or of groups of them.
func (w *Workspace) Suggest(ctx context.Context, userID, actionID, typed string) ([]Option, error) {
	d, err := w.suggestion(userID, actionID, typed)
	if err != nil {
		return nil, fmt.Errorf("suggest for %s as %s: %w", actionID, userID, err)
	}
	a, err := w.deliver(ctx, d)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var offered object
	if err := json.Unmarshal(a.body, &offered); err != nil || offered == nil {
		return nil, w.trouble("block_suggestion", invalid("invalid_options", "the answer is no object"), a.body)
	}
	offered["type"] = "static_select" // the answer is held to what a menu with fixed options may have
	k := &checker{surface: onModal, newID: w.elementID, blockIDs: map[string]bool{}}
	k.suggested(offered)
	if len(k.problems) > 0 {
		return nil, w.trouble("block_suggestion", invalid("invalid_options", k.problems...), a.body)
	}
	return controlOf(input{element: offered}).Options, nil
}

// suggested checks an answer; unlike a menu it may be empty.
func (k *checker) suggested(offered object) {
	if options, given := offered["options"].([]any); given && len(options) == 0 {
		return
	}
	k.staticSelect("", offered)
}

func (w *Workspace) suggestion(userID, actionID, typed string) (Delivery, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.top(userID)
	if _, err := w.person(userID); err != nil {
		return Delivery{}, err
	}
	if v == nil {
		return Delivery{}, fmt.Errorf("%w: they have no modal open", ErrImpossible)
	}
	for _, in := range elementsOf(v.blocks) {
		if in.action != actionID || !strings.HasSuffix(str(in.element, "type"), "external_select") {
			continue
		}
		payload := w.payload("block_suggestion", userID, false)
		delete(payload, "trigger_id") // typing opens nothing
		payload["action_id"], payload["block_id"], payload["value"] = in.action, in.block, typed
		payload["container"], payload["view"] = object{"type": "view", "view_id": v.id}, w.viewJSON(v)
		return Delivery{ID: w.id("I"), Kind: KindInteraction, Type: "block_suggestion", Payload: encode(payload)}, nil
	}
	return Delivery{}, fmt.Errorf("%w: the modal has no external_select %s", ErrImpossible, actionID)
}
