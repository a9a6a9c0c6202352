package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Limits of views (docs.slack.dev).
const (
	maxViewBytes       = 250_000
	maxViewTitle       = 24
	maxPrivateMetadata = 3000
	maxStack           = 3
)

// View is a modal or an App Home as its person sees it.
type View struct {
	ID              string
	Type            string // "modal" or "home"
	User            string
	Title           string
	Submit          string // label of the submit button; "" for none
	Close           string // label of the close button; "" for Slack's own
	CallbackID      string
	PrivateMetadata string
	ExternalID      string
	Hash            string
	RootViewID      string
	PreviousViewID  string
	Blocks          json.RawMessage
	Errors          map[string]string              // by block id: what stands in red under the inputs
	Values          map[string]map[string][]string // what is filled in, by block id and action id: texts, option values, ids, dates
}

// view is a View with what the fake needs to run it.
type view struct {
	id, user, kind       string
	spec                 object // as the app sent it, ids filled in
	blocks               []any
	hash, root, previous string
	state                map[string]state // block/action → what is chosen
	errors               map[string]string
}

func (v *view) shown() View {
	values := map[string]map[string][]string{}
	for _, in := range inputsOf(v.blocks) {
		if s, ok := v.state[in.key()]; ok {
			if values[in.block] == nil {
				values[in.block] = map[string][]string{}
			}
			values[in.block][in.action] = slices.Clone(s.picked)
		}
	}
	return View{
		ID: v.id, Type: v.kind, User: v.user, Title: str(obj(v.spec, "title"), "text"), Submit: str(obj(v.spec, "submit"), "text"),
		Close: str(obj(v.spec, "close"), "text"), CallbackID: str(v.spec, "callback_id"), PrivateMetadata: str(v.spec, "private_metadata"),
		ExternalID: str(v.spec, "external_id"), Hash: v.hash, RootViewID: v.root, PreviousViewID: v.previous,
		Blocks: encode(v.blocks), Errors: maps.Clone(v.errors), Values: values,
	}
}

// viewJSON is v in the shape of the Web API and of payloads.
func (w *Workspace) viewJSON(v *view) object {
	out := object{
		"id": v.id, "team_id": w.cfg.TeamID, "type": v.kind, "blocks": v.blocks, "private_metadata": str(v.spec, "private_metadata"),
		"callback_id": str(v.spec, "callback_id"), "hash": v.hash, "title": v.spec["title"], "close": v.spec["close"],
		"submit": v.spec["submit"], "clear_on_close": boolean(v.spec, "clear_on_close"), "notify_on_close": boolean(v.spec, "notify_on_close"),
		"external_id": str(v.spec, "external_id"), "root_view_id": v.root, "previous_view_id": nil, "app_id": w.cfg.AppID,
		"bot_id": w.cfg.BotID, "app_installed_team_id": w.cfg.TeamID, "state": object{"values": stateValues(v.blocks, v.state)},
	}
	if v.previous != "" {
		out["previous_view_id"] = v.previous
	}
	return out
}

// checkView decodes a view and refuses what Slack would refuse. The caller holds mu.
func (w *Workspace) checkView(raw string, want surface) (object, error) {
	if len(raw) > maxViewBytes {
		return nil, invalid("view_too_large", fmt.Sprintf("the view has %d bytes, at most %d are allowed", len(raw), maxViewBytes))
	}
	spec, err := decodeObject(raw)
	if err != nil || spec == nil {
		return nil, invalid("invalid_arguments", "view is not a JSON object [json-pointer:/view]")
	}
	k := &checker{surface: want, newID: w.elementID, hasFile: w.hasFile, blockIDs: map[string]bool{}}
	if str(spec, "type") != string(want) {
		k.bad("/view/type", "must be %s", want)
	}
	k.viewFields(spec, want)
	blocks, ok := spec["blocks"].([]any)
	if !ok {
		k.bad("/view/blocks", "missing required field")
	}
	k.blocks("/view/blocks", blocks)
	if want == onModal {
		k.modalFields(spec)
	}
	if len(k.problems) > 0 {
		return nil, invalid("invalid_arguments", k.problems...)
	}
	return spec, nil
}

func (k *checker) viewFields(spec object, want surface) {
	k.atMost("/view/private_metadata", str(spec, "private_metadata"), maxPrivateMetadata)
	k.atMost("/view/callback_id", str(spec, "callback_id"), maxID)
	k.atMost("/view/external_id", str(spec, "external_id"), maxID)
	known := []string{"type", "blocks", "private_metadata", "callback_id", "external_id"}
	if want == onModal {
		known = append(known, "title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled")
	}
	for _, key := range slices.Sorted(maps.Keys(spec)) {
		if !slices.Contains(known, key) {
			k.bad("/view", "invalid additional property: %s", key)
		}
	}
}

func (k *checker) modalFields(spec object) {
	k.text("/view/title", spec["title"], textRule{max: maxViewTitle, plain: true, required: true})
	k.text("/view/submit", spec["submit"], textRule{max: maxViewTitle, plain: true})
	k.text("/view/close", spec["close"], textRule{max: maxViewTitle, plain: true})
	if k.inputs > 0 && spec["submit"] == nil {
		k.bad("/view/submit", "missing required field: a view with an input block needs a submit button")
	}
}

// newView makes a view that nobody sees yet. The caller holds mu.
func (w *Workspace) newView(userID string, spec object) *view {
	v := &view{id: w.id("V"), user: userID, kind: str(spec, "type")}
	v.root = v.id
	w.fill(v, spec)
	return v
}

// fill gives v new content. Inputs that keep their block id, action id and type keep what the person typed.
func (w *Workspace) fill(v *view, spec object) {
	old := v.state
	v.spec, v.errors = spec, nil
	v.blocks, _ = spec["blocks"].([]any)
	v.state = initialState(v.blocks)
	for _, in := range inputsOf(v.blocks) {
		if typed, ok := old[in.key()]; ok && typed.kind == str(in.element, "type") {
			v.state[in.key()] = typed
		}
	}
	w.serial++
	v.hash = fmt.Sprintf("%d.%08x", w.cfg.Now().Unix(), 0xcafe_0000+w.serial)
}

// findView returns an open modal or a home by its id, or nil. The caller holds mu.
func (w *Workspace) findView(match func(*view) bool) *view {
	for _, stack := range w.stacks {
		if i := slices.IndexFunc(stack, match); i >= 0 {
			return stack[i]
		}
	}
	for _, home := range w.homes {
		if match(home) {
			return home
		}
	}
	return nil
}

// push opens v on top of its person's stack, or refuses when the stack is full. The caller holds mu.
func (w *Workspace) push(v *view) error {
	stack := w.stacks[v.user]
	if len(stack) >= maxStack {
		return invalid("push_limit_reached")
	}
	if n := len(stack); n > 0 {
		v.root, v.previous = stack[0].id, stack[n-1].id
	}
	w.stacks[v.user] = append(stack, v)
	w.bump()
	return nil
}

// top returns the modal that a person has before them, or nil. The caller holds mu.
func (w *Workspace) top(userID string) *view {
	stack := w.stacks[userID]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// closeView takes v off its person's stack. The caller holds mu.
func (w *Workspace) closeView(v *view) {
	w.stacks[v.user] = slices.DeleteFunc(slices.Clone(w.stacks[v.user]), func(other *view) bool { return other == v })
	w.bump()
}
