package bot

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// The kinds of delivery, by the names that Socket Mode gives its envelopes.
const (
	kindEvent       = "events_api"
	kindCommand     = "slash_commands"
	kindInteraction = "interactive"
)

// The types of interaction that are acted on.
const (
	typePress    = "block_actions"
	typeSubmit   = "view_submission"
	typeShortcut = "message_action"
	typeGlobal   = "shortcut"
)

// interaction is as little of an interaction as is acted on. The message that
// was pressed is left out on purpose: it may hold blocks that no library knows
// yet, and a decision must not fail, or be trusted, because of what stands there.
type interaction struct {
	Type        string    `json:"type"`
	User        slackRef  `json:"user"`
	Channel     slackRef  `json:"channel"`
	Container   container `json:"container"`
	TriggerID   string    `json:"trigger_id"`
	ResponseURL string    `json:"response_url"`
	CallbackID  string    `json:"callback_id"`
	Actions     []action  `json:"actions"`
	View        view      `json:"view"`
	MessageTS   string    `json:"message_ts"` // of a message shortcut
	ActionTS    string    `json:"action_ts"`  // of a message shortcut
	State       state     `json:"state"`      // of the inputs in a message
}

// state is what was typed or picked, by block and action.
type state struct {
	Values map[string]map[string]input `json:"values"`
}

// picked returns what the person has picked with the action, beside the button
// that they pressed, or "".
func (in interaction) picked(beside action, id string) string {
	for _, s := range []state{in.State, in.View.State} {
		if v := s.Values[beside.BlockID][id].Option.Value; v != "" {
			return v
		}
	}
	return ""
}

type slackRef struct {
	ID     string `json:"id"`
	TeamID string `json:"team_id"`
}

type container struct {
	Type      string `json:"type"`
	MessageTS string `json:"message_ts"`
	ChannelID string `json:"channel_id"`
	ThreadTS  string `json:"thread_ts"`
	ViewID    string `json:"view_id"`
}

type action struct {
	ActionID string `json:"action_id"`
	BlockID  string `json:"block_id"`
	Value    string `json:"value"`
	ActionTS string `json:"action_ts"`
	Selected picked `json:"selected_option"` // of a menu
}

// chosen returns what the button or the menu's option carries.
func (a action) chosen() string {
	if a.Value != "" {
		return a.Value
	}
	return a.Selected.Value
}

type view struct {
	ID       string `json:"id"`
	Hash     string `json:"hash"`
	Type     string `json:"type"`
	Callback string `json:"callback_id"`
	Metadata string `json:"private_metadata"`
	State    state  `json:"state"`
}

type input struct {
	Value   string   `json:"value"`
	Date    string   `json:"selected_date"`
	Option  picked   `json:"selected_option"`
	Options []picked `json:"selected_options"`
	User    string   `json:"selected_user"`
}

type picked struct {
	Value string `json:"value"`
}

// all returns what was picked in the input block, where it takes many.
func (v view) all(block string) []string {
	var values []string
	for _, in := range v.State.Values[block] {
		for _, o := range in.Options {
			values = append(values, o.Value)
		}
	}
	return values
}

// entered returns what was typed or picked in the input block, trimmed.
func (v view) entered(block string) string {
	for _, in := range v.State.Values[block] {
		switch {
		case in.Date != "":
			return in.Date
		case in.Option.Value != "":
			return in.Option.Value
		case in.User != "":
			return in.User
		default:
			return strings.TrimSpace(in.Value)
		}
	}
	return ""
}

// slashCommand is as little of a slash command as is acted on.
type slashCommand struct {
	TeamID      string `json:"team_id"`
	ChannelID   string `json:"channel_id"`
	UserID      string `json:"user_id"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	ResponseURL string `json:"response_url"`
	TriggerID   string `json:"trigger_id"`
}

// outerEvent is the wrapper that the Events API puts around what happened.
type outerEvent struct {
	Type      string     `json:"type"`
	Challenge string     `json:"challenge"`
	EventID   string     `json:"event_id"`
	TeamID    string     `json:"team_id"`
	Event     innerEvent `json:"event"`
}

type innerEvent struct {
	Type string `json:"type"`
	User string `json:"user"`
	Tab  string `json:"tab"`
	View struct {
		Metadata string `json:"private_metadata"`
	} `json:"view"` // that stands on the tab
}

// decode reads body into a fresh T. Fields that are not known are skipped:
// Slack adds some every month.
func decode[T any](body []byte) (T, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("read payload: %w", err)
	}
	return v, nil
}

// payloadOf returns the JSON of what was posted to an HTTP endpoint, whatever
// the encoding that endpoint has. Only the body counts, which is what was signed.
func payloadOf(kind string, body []byte) ([]byte, error) {
	if kind == kindEvent {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	if kind == kindInteraction {
		if len(form["payload"]) != 1 {
			return nil, fmt.Errorf("read form: it has %d payloads, not 1", len(form["payload"]))
		}
		return []byte(form.Get("payload")), nil
	}
	fields := make(map[string]string, len(form))
	for name := range form {
		fields[name] = form.Get(name)
	}
	payload, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	return payload, nil
}
