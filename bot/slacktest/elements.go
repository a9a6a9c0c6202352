package slacktest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of interactive elements (docs.slack.dev, @slack/types).
const (
	maxButtonText  = 75
	maxValue       = 2000
	maxPlaceholder = 150
	maxOptions     = 100
	maxOptionText  = 75
	maxOptionValue = 150
	maxInputLength = 3000
)

// actionElements may stand in actions blocks and beside sections.
func actionElements() []string {
	return []string{
		"button", "overflow", "checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker", "workflow_button",
		"static_select", "external_select", "users_select", "conversations_select", "channels_select",
		"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select",
	}
}

// inputElements may stand in input blocks.
func inputElements() []string {
	return append([]string{"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input"},
		slices.DeleteFunc(actionElements(), func(kind string) bool {
			return kind == "button" || kind == "overflow" || kind == "workflow_button"
		})...)
}

// element checks one element; seen holds the action ids of its block.
func (k *checker) element(at string, v any, permitted []string, seen map[string]bool) {
	e, ok := v.(object)
	kind := str(e, "type")
	if !ok || !slices.Contains(permitted, kind) {
		k.bad(at+"/type", "unsupported type: %s", kind)
		return
	}
	if kind == "image" {
		k.image(at, e)
		return
	}
	k.known(at, e, elementFields(kind))
	k.actionID(at, e, seen)
	k.confirm(at+"/confirm", e["confirm"])
	k.text(at+"/placeholder", e["placeholder"], textRule{max: maxPlaceholder, plain: true})
	if boolean(e, "focus_on_load") {
		k.focused++
	}
	k.visibleTo(at, e)
	k.elementBody(at, kind, e)
}

func (k *checker) elementBody(at, kind string, e object) {
	switch {
	case kind == "button" || kind == "workflow_button":
		k.button(at, e)
	case kind == "icon_button":
		k.text(at+"/text", e["text"], textRule{max: maxButtonText, plain: true, required: true})
		k.length(at+"/icon", str(e, "icon"), 1, maxID)
	case kind == "feedback_buttons":
		for _, side := range []string{"positive_button", "negative_button"} {
			k.text(at+"/"+side+"/text", obj(e, side)["text"], textRule{max: maxButtonText, plain: true, required: true})
			k.length(at+"/"+side+"/value", str(obj(e, side), "value"), 1, maxValue)
		}
	case kind == "overflow":
		k.options(at, e, 1, 5)
	case kind == "checkboxes" || kind == "radio_buttons":
		k.options(at, e, 1, 10)
	case strings.HasSuffix(kind, "static_select"):
		k.staticSelect(at, e)
	case strings.HasSuffix(kind, "_input"):
		k.textInput(at, kind, e)
	case strings.HasSuffix(kind, "picker"):
		k.picker(at, e)
	}
	if most, given := number(e, "max_selected_items"); given && most < 1 {
		k.bad(at+"/max_selected_items", "must be at least 1")
	}
}

func (k *checker) actionID(at string, e object, seen map[string]bool) {
	id := str(e, "action_id")
	if id == "" {
		e["action_id"] = k.newID()
		return
	}
	k.length(at+"/action_id", id, 1, maxID)
	if seen[id] {
		k.bad(at+"/action_id", "`action_id` %q already exists in this block", id)
	}
	seen[id] = true
}

func (k *checker) button(at string, e object) {
	k.text(at+"/text", e["text"], textRule{max: maxButtonText, plain: true, required: true})
	k.atMost(at+"/value", str(e, "value"), maxValue)
	k.atMost(at+"/url", str(e, "url"), maxURL)
	k.atMost(at+"/accessibility_label", str(e, "accessibility_label"), maxButtonText)
	k.style(at, e)
}

func (k *checker) style(at string, e object) {
	if style, given := e["style"]; given && style != "primary" && style != "danger" {
		k.bad(at+"/style", "must be one of: primary, danger")
	}
}

func (k *checker) visibleTo(at string, e object) {
	ids, given := e["visible_to_user_ids"]
	if !given {
		return
	}
	items, _ := ids.([]any)
	k.items(at+"/visible_to_user_ids", len(items), 1, 10)
}

func (k *checker) confirm(at string, v any) {
	if v == nil {
		return
	}
	c, _ := v.(object)
	k.text(at+"/title", c["title"], textRule{max: 100, plain: true, required: true})
	k.text(at+"/text", c["text"], textRule{max: 300, required: true})
	k.text(at+"/confirm", c["confirm"], textRule{max: 30, plain: true, required: true})
	k.text(at+"/deny", c["deny"], textRule{max: 30, plain: true, required: true})
	k.style(at, c)
	k.known(at, c, []string{"title", "text", "confirm", "deny", "style"})
}

func (k *checker) options(at string, e object, least, most int) {
	options := list(e, "options")
	k.items(at+"/options", len(options), least, most)
	for i, o := range options {
		k.option(fmt.Sprintf("%s/options/%d", at, i), o, str(e, "type"))
	}
	k.initial(at, e, options)
}

func (k *checker) option(at string, v any, kind string) {
	o, _ := v.(object)
	k.known(at, o, []string{"text", "value", "description", "url"})
	rich := kind == "checkboxes" || kind == "radio_buttons" // only these take mrkdwn
	k.text(at+"/text", o["text"], textRule{max: maxOptionText, plain: !rich, required: true})
	k.text(at+"/description", o["description"], textRule{max: maxOptionText, plain: !rich})
	k.length(at+"/value", str(o, "value"), 1, maxOptionValue)
	url := str(o, "url")
	if url != "" && kind != "overflow" {
		k.bad(at+"/url", "invalid additional property: url")
	}
	k.atMost(at+"/url", url, maxURL)
}

func (k *checker) staticSelect(at string, e object) {
	groups := list(e, "option_groups")
	if (groups == nil) == (list(e, "options") == nil) {
		k.bad(at, "exactly one of options and option_groups is required")
		return
	}
	if groups == nil {
		k.options(at, e, 1, maxOptions)
		return
	}
	k.items(at+"/option_groups", len(groups), 1, maxOptions)
	var all []any
	k.each(at+"/option_groups", groups, func(here string, g object) {
		k.text(here+"/label", g["label"], textRule{max: maxOptionText, plain: true, required: true})
		options := list(g, "options")
		k.items(here+"/options", len(options), 1, maxOptions)
		for j, o := range options {
			k.option(fmt.Sprintf("%s/options/%d", here, j), o, str(e, "type"))
		}
		all = append(all, options...)
	})
	k.initial(at, e, all)
}

// initial checks that what is chosen from the start is one of the options.
func (k *checker) initial(at string, e object, options []any) {
	chosen := objects(list(e, "initial_options"))
	if one := obj(e, "initial_option"); one != nil {
		chosen = append(chosen, one)
	}
	for _, c := range chosen {
		if findOption(options, str(c, "value")) == nil {
			k.bad(at+"/initial_option", "initial option %q is not one of the options", str(c, "value"))
		}
	}
}

func findOption(options []any, value string) object {
	for _, o := range objects(options) {
		if str(o, "value") == value {
			return o
		}
	}
	return nil
}

func (k *checker) textInput(at, kind string, e object) {
	least, _ := number(e, "min_length")
	most, limited := number(e, "max_length")
	switch {
	case least < 0 || least > maxInputLength:
		k.bad(at+"/min_length", "must be between 0 and %d", maxInputLength)
	case limited && (most < 1 || most > maxInputLength):
		k.bad(at+"/max_length", "must be between 1 and %d", maxInputLength)
	case limited && least > most:
		k.bad(at+"/min_length", "must be no more than max_length")
	}
	if _, given := e["is_decimal_allowed"]; kind == "number_input" && !given {
		k.bad(at+"/is_decimal_allowed", "missing required field")
	}
	if most, given := number(e, "max_files"); given && (most < 1 || most > 10) {
		k.bad(at+"/max_files", "must be between 1 and 10")
	}
}

func (k *checker) picker(at string, e object) {
	for field, layout := range map[string]string{"initial_date": time.DateOnly, "initial_time": "15:04"} {
		if given := str(e, field); given != "" {
			if _, err := time.Parse(layout, given); err != nil {
				k.bad(at+"/"+field, "must be in the form %s", layout)
			}
		}
	}
}
