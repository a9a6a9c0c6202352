package slacktest

import (
	"maps"
	"slices"
)

// known notes properties that Slack does not know ("invalid additional property"); nil fields permit everything.
func (k *checker) known(at string, o object, fields []string) {
	if fields == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(fields, name) {
			k.bad(at, "invalid additional property: %s", name)
		}
	}
}

// blockFields lists the properties of a type of block, or nil for types whose properties are still in motion.
func blockFields(kind string) []string {
	fields := []string{"type", "block_id"}
	switch kind {
	case "divider":
		return fields
	case "section":
		return append(fields, "text", "fields", "accessory", "expand")
	case "header":
		return append(fields, "text", "level")
	case "context", "actions", "context_actions", "rich_text":
		return append(fields, "elements")
	case "input":
		return append(fields, "label", "element", "hint", "optional", "dispatch_action")
	case "image":
		return append(fields, "image_url", "slack_file", "alt_text", "title")
	case "markdown":
		return append(fields, "text")
	default:
		return nil
	}
}

// elementFields lists the properties of a type of element, or nil for types whose properties are still in motion.
func elementFields(kind string) []string {
	fields := []string{"type", "action_id"}
	switch kind {
	case "button":
		return append(fields, "text", "url", "value", "style", "confirm", "accessibility_label", "visible_to_user_ids", "agent_prompt", "agent_prompt_display")
	case "overflow":
		return append(fields, "options", "confirm")
	case "checkboxes":
		return append(fields, "options", "initial_options", "confirm", "focus_on_load", "visible_to_user_ids")
	case "radio_buttons":
		return append(fields, "options", "initial_option", "confirm", "focus_on_load")
	case "static_select":
		return append(fields, "options", "option_groups", "initial_option", "confirm", "focus_on_load", "placeholder")
	case "plain_text_input":
		return append(fields, "multiline", "min_length", "max_length", "initial_value", "dispatch_action_config", "focus_on_load", "placeholder")
	case "datepicker":
		return append(fields, "initial_date", "confirm", "focus_on_load", "placeholder")
	default:
		return nil
	}
}
