package sandbox

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rawElement is the union of the fields that interactive elements have.
type rawElement struct {
	Type          string      `json:"type"`
	ActionID      string      `json:"action_id"`
	Text          textObject  `json:"text"`
	Value         string      `json:"value"`
	URL           string      `json:"url"`
	Style         string      `json:"style"`
	Label         string      `json:"accessibility_label"`
	Placeholder   textObject  `json:"placeholder"`
	Options       []rawOption `json:"options"`
	Groups        []rawGroup  `json:"option_groups"`
	Multiline     bool        `json:"multiline"`
	Focus         bool        `json:"focus_on_load"`
	VisibleTo     []string    `json:"visible_to_user_ids"`
	ImageURL      string      `json:"image_url"`
	File          slackFile   `json:"slack_file"`
	AltText       string      `json:"alt_text"`
	InitialValue  string      `json:"initial_value"`
	InitialDate   string      `json:"initial_date"`
	InitialTime   string      `json:"initial_time"`
	InitialStamp  int64       `json:"initial_date_time"`
	InitialOption rawOption   `json:"initial_option"`
	InitialMany   []rawOption `json:"initial_options"`
	InitialUser   string      `json:"initial_user"`
	InitialUsers  []string    `json:"initial_users"`
	Positive      *rawElement `json:"positive_button"`
	Negative      *rawElement `json:"negative_button"`
}

type rawOption struct {
	Text        textObject `json:"text"`
	Description textObject `json:"description"`
	Value       string     `json:"value"`
	URL         string     `json:"url"`
}

type rawGroup struct {
	Label   textObject  `json:"label"`
	Options []rawOption `json:"options"`
}

// element is an interactive element as the page draws it.
type element struct {
	Kind     string
	ID       string // in the page; stays when the message is edited
	ActionID string
	Name     string // of the form field that holds its value
	Press    string // what the press button sends, see target
	Place    place

	Text, Label string
	URL, Style  string
	Image       *image
	Placeholder string
	Value       string // what is filled in, as form fields take it
	Chosen      string // the words of the chosen option
	Options     []option
	Grouped     bool
	Multiline   bool
	Focus       bool
	Dispatch    bool   // an input that tells the app when it changes
	Field       string // type of the form field: text, date, time…
	Many        bool
}

// option is one entry of a menu.
type option struct {
	Text, Description template.HTML
	Words, Why        string // Text and Description without mark-up, for native menus
	Value, URL        string
	Press             string
	Group             string // title of the group that begins here
	Chosen            bool
	ID                string
}

// place is where an element stands.
type place struct {
	Surface string // "message", "home" or "modal"
	Channel string
	TS      string
	View    string
}

// target names one element at one place, and what was chosen in it. Buttons send it as one form field.
type target struct {
	place
	block, action, value string
	picked               bool // something was chosen in it, be it nothing
	pick                 []string
}

func (t target) String() string {
	q := url.Values{"on": {t.Surface}, "block": {t.block}, "action": {t.action}}
	for key, v := range map[string]string{"channel": t.Channel, "ts": t.TS, "value": t.value} {
		if v != "" {
			q.Set(key, v)
		}
	}
	if t.picked {
		q["pick"] = append([]string{}, t.pick...)
		q.Set("picks", "1")
	}
	return q.Encode()
}

func parseTarget(text string) (target, error) {
	q, err := url.ParseQuery(text)
	if err != nil {
		return target{}, fmt.Errorf("read what was pressed: %w", err)
	}
	return target{
		place: place{Surface: q.Get("on"), Channel: q.Get("channel"), TS: q.Get("ts")},
		block: q.Get("block"), action: q.Get("action"), value: q.Get("value"), picked: q.Has("picks"), pick: q["pick"],
	}, nil
}

func (c *canvas) element(blockID string, e rawElement) element {
	at := target{place: c.place, block: blockID, action: e.ActionID, value: e.Value}
	out := element{
		Kind: e.Type, ActionID: e.ActionID, Name: "in:" + blockID + "/" + e.ActionID, Press: at.String(), Place: c.place,
		ID:   c.newID(e),
		Text: e.Text.Text, Label: e.Label, Style: e.Style, Placeholder: e.Placeholder.Text, Multiline: e.Multiline || e.Type == "rich_text_input",
		Focus: e.Focus, Many: strings.HasPrefix(e.Type, "multi_") || e.Type == "checkboxes",
	}
	if safeLink(e.URL) {
		out.URL = e.URL
	}
	if e.Type == "image" {
		out.Image = picture(e.AltText, e.ImageURL, e.File)
	}
	filled := c.filled(blockID, e)
	out.Value = strings.Join(filled, ", ")
	out.Kind, out.Field = c.control(e.Type)
	c.fillOptions(&out, e)
	c.settleOptions(&out, at, filled)
	return out
}

// newID makes an id from what stays the same when a message is edited, so that the focus can stay where it was.
func (c *canvas) newID(e rawElement) string {
	id := "e-" + digest([]byte(strings.Join([]string{c.place.Surface, c.place.Channel, c.place.TS, c.place.View, e.ActionID, e.Value}, "\x00")))
	if c.taken == nil {
		c.taken = map[string]int{}
	}
	c.taken[id]++
	if n := c.taken[id]; n > 1 {
		return fmt.Sprintf("%s-%d", id, n)
	}
	return id
}

// control says which kind of control the page uses for a type of element, and the type of its form field.
func (c *canvas) control(kind string) (string, string) {
	switch kind {
	case "button", "icon_button", "workflow_button":
		return "button", ""
	case "image", "overflow", "feedback_buttons", "file_input":
		return kind, ""
	case "datepicker":
		return "field", "date"
	case "timepicker":
		return "field", "time"
	case "datetimepicker":
		return "field", "datetime-local"
	case "number_input":
		return "field", "text"
	case "email_text_input":
		return "field", "email"
	case "url_text_input":
		return "field", "url"
	case "plain_text_input", "rich_text_input", "external_select", "multi_external_select":
		return "field", "text"
	case "checkboxes":
		return "checks", "checkbox"
	case "radio_buttons":
		return "checks", "radio"
	default: // static and picked from the workspace, one or many
		return "select", ""
	}
}

// filled returns what stands in an element: what the view knows, else what the app filled in.
func (c *canvas) filled(blockID string, e rawElement) []string {
	values, known := c.values[blockID][e.ActionID]
	if !known {
		values = e.initial()
	}
	if e.Type != "datetimepicker" || len(values) == 0 {
		return values
	}
	seconds, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil {
		return nil
	}
	return []string{time.Unix(seconds, 0).In(zone(c.user)).Format(fieldTime)}
}

// fieldTime is how a browser's field for date and time writes a moment.
const fieldTime = "2006-01-02T15:04"

func (e rawElement) initial() []string {
	var out []string
	for _, o := range append(e.InitialMany, e.InitialOption) {
		out = append(out, o.Value)
	}
	out = append(out, e.InitialUsers...)
	out = append(out, e.InitialValue, e.InitialDate, e.InitialTime, e.InitialUser)
	if e.InitialStamp != 0 {
		out = append(out, strconv.FormatInt(e.InitialStamp, 10))
	}
	return slices.DeleteFunc(out, func(v string) bool { return v == "" })
}

func (c *canvas) fillOptions(out *element, e rawElement) {
	switch {
	case e.Type == "feedback_buttons" && e.Positive != nil && e.Negative != nil:
		out.Options = []option{c.option(rawOption{Text: e.Positive.Text, Value: e.Positive.Value}), c.option(rawOption{Text: e.Negative.Text, Value: e.Negative.Value})}
	case strings.HasSuffix(e.Type, "users_select") && c.people != nil:
		out.Options = c.people()
	case (strings.HasSuffix(e.Type, "channels_select") || strings.HasSuffix(e.Type, "conversations_select")) && c.rooms != nil:
		out.Options = c.rooms()
	}
	for _, o := range e.Options {
		out.Options = append(out.Options, c.option(o))
	}
	for _, g := range e.Groups {
		out.Grouped = true
		for i, o := range g.Options {
			drawn := c.option(o)
			if i == 0 {
				drawn.Group = g.Label.Text
			}
			out.Options = append(out.Options, drawn)
		}
	}
}

// settleOptions marks what is chosen and gives every option its press.
func (c *canvas) settleOptions(out *element, at target, filled []string) {
	for i := range out.Options {
		o := &out.Options[i]
		at.picked, at.pick = true, []string{o.Value}
		o.Press, o.ID = at.String(), fmt.Sprintf("%s-%d", out.ID, i)
		o.Chosen = slices.Contains(filled, o.Value)
		if o.Chosen {
			out.Chosen = strings.TrimPrefix(out.Chosen+", "+o.Words, ", ")
		}
	}
}

func (c *canvas) option(o rawOption) option {
	out := option{Text: c.text(o.Text), Description: c.text(o.Description), Words: o.Text.Text, Why: o.Description.Text, Value: o.Value}
	if safeLink(o.URL) {
		out.URL = o.URL
	}
	return out
}
