package slacktest

import (
	"slices"
	"strconv"
	"strings"
)

// state is what a person has chosen or typed in one element.
type state struct {
	kind    string   // type of the element
	picked  []string // text, or values, ids, dates; none when it is empty
	options []any    // the option objects behind picked, of elements that have options
}

func (s state) empty() bool { return len(s.picked) == 0 }

// input is an element that holds a value, and where it stands.
type input struct {
	block, action string
	element       object
	frame         object // the block around it
	required      bool   // in an input block that is not optional
	isInput       bool   // in an input block
}

func (in input) key() string { return in.block + "\x00" + in.action }

// inputsOf lists the elements that hold a value, in reading order.
func inputsOf(blocks []any) []input {
	var out []input
	for _, e := range elementsOf(blocks) {
		if !holdsValue(str(e.element, "type")) {
			continue
		}
		e.isInput = str(e.frame, "type") == "input"
		e.required = e.isInput && !boolean(e.frame, "optional")
		out = append(out, e)
	}
	return out
}

func holdsValue(kind string) bool {
	switch kind {
	case "button", "overflow", "workflow_button", "icon_button", "feedback_buttons":
		return false
	default:
		return true
	}
}

// elementsOf lists every interactive element of the blocks, in reading order, those of nested blocks included.
func elementsOf(blocks []any) []input {
	var out []input
	for _, b := range objects(blocks) {
		for _, e := range ownElements(b) {
			if str(e, "action_id") != "" {
				out = append(out, input{block: str(b, "block_id"), action: str(e, "action_id"), element: e, frame: b})
			}
		}
		out = append(out, elementsOf(nestedBlocks(b))...)
	}
	return out
}

// ownElements lists the elements that stand directly in a block.
func ownElements(b object) []object {
	out := objects(list(b, "elements"))
	for _, field := range []string{"accessory", "element"} {
		if e := obj(b, field); e != nil {
			out = append(out, e)
		}
	}
	if str(b, "type") != "data_table" {
		return out
	}
	for _, r := range list(b, "rows") {
		row, _ := r.([]any)
		for _, cell := range objects(row) {
			if e := obj(cell, "element"); e != nil {
				out = append(out, e)
			}
		}
	}
	return out
}

// nestedBlocks lists the blocks inside a container or a layout.
func nestedBlocks(b object) []any {
	out := slices.Clone(list(b, "child_blocks"))
	if str(b, "type") != "layout" {
		return out
	}
	for _, row := range objects(list(b, "rows")) {
		for _, item := range objects(list(row, "items")) {
			out = append(out, item["block"])
		}
	}
	return out
}

// initialState is what is filled in before the person touches anything.
func initialState(blocks []any) map[string]state {
	out := map[string]state{}
	for _, in := range inputsOf(blocks) {
		out[in.key()] = initialOf(in.element)
	}
	return out
}

func initialOf(e object) state {
	s := state{kind: str(e, "type")}
	field, _ := valueField(s.kind)
	what := strings.Replace(field, "selected_", "initial_", 1)
	if strings.HasPrefix(what, "initial_option") {
		for _, o := range append(objects(list(e, "initial_options")), obj(e, "initial_option")) {
			if o != nil {
				s.picked, s.options = append(s.picked, str(o, "value")), append(s.options, o)
			}
		}
		return s
	}
	if field == "value" {
		what = "initial_value"
	}
	if given := str(e, what); given != "" {
		s.picked = []string{given}
	}
	s.picked = append(s.picked, texts(list(e, what))...)
	if at, given := number(e, what); given {
		s.picked = []string{strconv.Itoa(at)}
	}
	return s
}

// stateValues is the state.values object of payloads.
func stateValues(blocks []any, states map[string]state) object {
	out := object{}
	for _, in := range inputsOf(blocks) {
		of, _ := out[in.block].(object)
		if of == nil {
			of = object{}
			out[in.block] = of
		}
		of[in.action] = valueJSON(in.element, states[in.key()])
	}
	return out
}

// valueJSON is one element's state, with the field that its type uses; null where nothing is chosen.
func valueJSON(e object, s state) object {
	kind := str(e, "type")
	field, many := valueField(kind)
	out := object{"type": kind}
	switch {
	case field == "selected_options":
		out[field] = append([]any{}, s.options...)
	case many:
		out[field] = append([]string{}, s.picked...)
	case s.empty():
		out[field] = nil
	case field == "selected_option":
		out[field] = s.options[0]
	case field == "selected_date_time":
		at, _ := strconv.Atoi(s.picked[0]) // choose lets numbers through only
		out[field] = at
	case field == "rich_text_value":
		out[field] = richText(s.picked[0])
	default:
		out[field] = s.picked[0]
	}
	return out
}

// valueField names the field that carries the value of a type of element, and tells whether it is a list.
func valueField(kind string) (string, bool) {
	switch kind {
	case "checkboxes", "multi_static_select", "multi_external_select":
		return "selected_options", true
	case "static_select", "external_select", "radio_buttons", "overflow":
		return "selected_option", false
	case "datepicker":
		return "selected_date", false
	case "timepicker":
		return "selected_time", false
	case "datetimepicker":
		return "selected_date_time", false
	case "rich_text_input":
		return "rich_text_value", false
	case "file_input":
		return "files", true
	}
	noun, many := strings.CutPrefix(kind, "multi_")
	noun = strings.TrimSuffix(noun, "_select") // users, conversations, channels
	switch {
	case noun == kind:
		return "value", false
	case many:
		return "selected_" + noun, true
	default:
		return "selected_" + strings.TrimSuffix(noun, "s"), false
	}
}

func richText(text string) object {
	return object{"type": "rich_text", "elements": []any{
		object{"type": "rich_text_section", "elements": []any{object{"type": "text", "text": text}}},
	}}
}
