package slacktest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// choose turns what a person enters into the state of an element. It fails when that person could not enter it.
// The caller holds mu.
func (w *Workspace) choose(e object, values []string) (state, error) {
	s := state{kind: str(e, "type")}
	values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	field, many := valueField(s.kind)
	if !many && len(values) > 1 {
		return s, fmt.Errorf("%w: %s takes one value, not %d", ErrImpossible, s.kind, len(values))
	}
	if most, limited := number(e, "max_selected_items"); limited && len(values) > most {
		return s, fmt.Errorf("%w: at most %d can be selected", ErrImpossible, most)
	}
	for _, v := range values {
		if err := w.enterable(&s, e, field, v); err != nil {
			return s, err
		}
		s.picked = append(s.picked, v)
	}
	return s, nil
}

// enterable checks one value, and adds its option to s where the element has options.
func (w *Workspace) enterable(s *state, e object, field, v string) error {
	problem := false
	switch field {
	case "selected_option", "selected_options":
		option := findOption(allOptions(e), v)
		if strings.HasSuffix(s.kind, "external_select") {
			option = object{"text": object{"type": "plain_text", "text": v, "emoji": true}, "value": v}
		}
		problem = option == nil
		s.options = append(s.options, option)
	case "selected_user", "selected_users":
		problem = w.users[v] == nil
	case "selected_channel", "selected_channels", "selected_conversation", "selected_conversations":
		problem = w.channels[v] == nil && w.users[v] == nil
	case "selected_date":
		_, err := time.Parse(time.DateOnly, v)
		problem = err != nil
	case "selected_time":
		_, err := time.Parse("15:04", v)
		problem = err != nil
	case "selected_date_time":
		_, err := strconv.Atoi(v)
		problem = err != nil
	}
	if problem {
		return fmt.Errorf("%w: %s does not offer %q", ErrImpossible, s.kind, v)
	}
	return nil
}

func allOptions(e object) []any {
	out := slices.Clone(list(e, "options"))
	for _, g := range objects(list(e, "option_groups")) {
		out = append(out, list(g, "options")...)
	}
	return out
}

// complaint is what Slack's own form says about an input before it asks the app; "" when it is content.
func complaint(in input, s state) string {
	if !in.isInput {
		return ""
	}
	if s.empty() {
		if in.required {
			return "Please complete this required field."
		}
		return ""
	}
	return lengthComplaint(in.element, s)
}

func lengthComplaint(e object, s state) string {
	n := utf8.RuneCountInString(s.picked[0])
	least, hasLeast := number(e, "min_length")
	most, hasMost := number(e, "max_length")
	if str(e, "type") == "plain_text_input" && !hasMost {
		most, hasMost = maxInputLength, true
	}
	switch kind := str(e, "type"); {
	case hasLeast && n < least:
		return fmt.Sprintf("Must be at least %d characters.", least)
	case hasMost && n > most:
		return fmt.Sprintf("Must be no more than %d characters.", most)
	case kind == "email_text_input" && !strings.Contains(s.picked[0], "@"):
		return "Please enter a valid email address."
	case kind == "url_text_input" && !strings.Contains(s.picked[0], "://"):
		return "Please enter a valid URL."
	case kind == "number_input" && !isNumber(e, s.picked[0]):
		return "Please enter a valid number."
	}
	return ""
}

func isNumber(e object, text string) bool {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || (!boolean(e, "is_decimal_allowed") && n != float64(int64(n))) {
		return false
	}
	for field, outside := range map[string]func(limit float64) bool{
		"min_value": func(limit float64) bool { return n < limit },
		"max_value": func(limit float64) bool { return n > limit },
	} {
		if limit, err := strconv.ParseFloat(str(e, field), 64); err == nil && outside(limit) {
			return false
		}
	}
	return true
}
