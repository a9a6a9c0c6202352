package slacktest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Control is an interactive element as a person meets it.
type Control struct {
	Type      string
	BlockID   string
	ActionID  string
	Text      string // of a button; the placeholder of a menu; the label of an input
	Value     string
	URL       string
	Style     string // "", "primary" or "danger"
	Confirm   *Confirm
	Options   []Option
	VisibleTo []string // user ids; empty for everybody
	Optional  bool     // of an input
	Multiline bool
}

// Confirm is the dialog that stands before a control's effect.
type Confirm struct{ Title, Text, Confirm, Deny string }

// Option is one entry of a menu.
type Option struct{ Text, Value, Description string }

// Controls lists every interactive element of an array of blocks, in reading order; nil when it is no such array.
func Controls(blocks json.RawMessage) []Control {
	var out []Control
	for _, in := range elementsOf(decodeBlocks(blocks)) {
		out = append(out, controlOf(in))
	}
	return out
}

// Buttons lists the buttons of an array of blocks, in reading order.
func Buttons(blocks json.RawMessage) []Control {
	var out []Control
	for _, c := range Controls(blocks) {
		if c.Type == "button" || c.Type == "icon_button" || c.Type == "workflow_button" {
			out = append(out, c)
		}
	}
	return out
}

func decodeBlocks(raw json.RawMessage) []any {
	var blocks []any
	if json.Unmarshal(raw, &blocks) != nil {
		return nil
	}
	return blocks
}

func controlOf(in input) Control {
	e := in.element
	c := Control{
		Type: str(e, "type"), BlockID: in.block, ActionID: in.action, Text: textOf(e["text"]), Value: str(e, "value"),
		URL: str(e, "url"), Style: str(e, "style"), VisibleTo: texts(list(e, "visible_to_user_ids")),
		Optional: boolean(in.frame, "optional"), Multiline: boolean(e, "multiline"),
	}
	if str(in.frame, "type") == "input" {
		c.Text = textOf(in.frame["label"])
	}
	if c.Text == "" {
		c.Text = textOf(e["placeholder"])
	}
	if q := obj(e, "confirm"); q != nil {
		c.Confirm = &Confirm{Title: textOf(q["title"]), Text: textOf(q["text"]), Confirm: textOf(q["confirm"]), Deny: textOf(q["deny"])}
	}
	for _, o := range objects(allOptions(e)) {
		c.Options = append(c.Options, Option{Text: textOf(o["text"]), Value: str(o, "value"), Description: textOf(o["description"])})
	}
	return c
}

func textOf(v any) string {
	o, _ := v.(object)
	return str(o, "text")
}

// PlainText is every word a person reads in an array of blocks, in order, one line for each text: headings, sections,
// fields, labels, buttons in [brackets], table rows with " | " between cells. Mark-up stays as the app wrote it.
func PlainText(blocks json.RawMessage) string {
	var r reader
	r.blocks(decodeBlocks(blocks))
	return strings.Join(r.lines, "\n")
}

// reader collects lines.
type reader struct{ lines []string }

func (r *reader) line(text string) {
	if text != "" {
		r.lines = append(r.lines, text)
	}
}

func (r *reader) blocks(blocks []any) {
	for _, b := range objects(blocks) {
		r.block(b)
	}
}

func (r *reader) block(b object) {
	for _, field := range []string{"title", "subtitle", "caption", "label", "text"} {
		if s := str(b, field); s != "" {
			r.line(s)
		} else {
			r.line(textOf(b[field]))
		}
	}
	for _, f := range list(b, "fields") {
		r.line(textOf(f))
	}
	r.elements(b)
	r.rows(b)
	for _, field := range []string{"hint", "alt_text"} {
		if s := str(b, field); s != "" {
			r.line(s)
		}
		r.line(textOf(b[field]))
	}
	r.chart(obj(b, "chart"))
	r.blocks(nestedBlocks(b))
}

func (r *reader) elements(b object) {
	if str(b, "type") == "rich_text" {
		for _, e := range objects(list(b, "elements")) {
			r.line(richLine(e))
		}
		return
	}
	var parts []string
	for _, e := range objects(list(b, "elements")) {
		parts = append(parts, elementText(e))
	}
	r.line(strings.Join(parts, " "))
	for _, field := range []string{"accessory", "element"} {
		if e := obj(b, field); e != nil {
			r.line(elementText(e))
		}
	}
}

func elementText(e object) string {
	switch kind := str(e, "type"); kind {
	case "plain_text", "mrkdwn":
		return str(e, "text")
	case "image":
		return str(e, "alt_text")
	case "button", "icon_button", "workflow_button":
		return "[" + textOf(e["text"]) + "]"
	case "feedback_buttons":
		return "[" + textOf(obj(e, "positive_button")["text"]) + "] [" + textOf(obj(e, "negative_button")["text"]) + "]"
	}
	parts := []string{textOf(e["placeholder"]), str(e, "initial_value")}
	for _, o := range objects(allOptions(e)) {
		parts = append(parts, strings.TrimSpace(textOf(o["text"])+" "+textOf(o["description"])))
	}
	return strings.Join(nonEmpty(parts), " / ")
}

func nonEmpty(parts []string) []string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// richLine is one element of a rich text as a line; mentions stay ids.
func richLine(e object) string {
	var b strings.Builder
	for _, part := range objects(list(e, "elements")) {
		switch str(part, "type") {
		case "user":
			b.WriteString("<@" + str(part, "user_id") + ">")
		case "usergroup":
			b.WriteString("<!subteam^" + str(part, "usergroup_id") + ">")
		case "channel":
			b.WriteString("<#" + str(part, "channel_id") + ">")
		case "emoji":
			b.WriteString(":" + str(part, "name") + ":")
		case "link":
			b.WriteString(strings.Join(nonEmpty([]string{str(part, "text"), str(part, "url")}), " "))
		case "rich_text_section":
			b.WriteString("• " + richLine(part) + "\n")
		default:
			b.WriteString(str(part, "text"))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func (r *reader) rows(b object) {
	if kind := str(b, "type"); kind != "table" && kind != "data_table" {
		return
	}
	for _, row := range list(b, "rows") {
		cells, _ := row.([]any)
		var parts []string
		for _, cell := range objects(cells) {
			parts = append(parts, cellText(cell))
		}
		r.line(strings.Join(parts, " | "))
	}
}

func cellText(cell object) string {
	switch {
	case str(cell, "text") != "":
		return str(cell, "text")
	case cell["value"] != nil:
		return fmt.Sprint(cell["value"])
	case obj(cell, "element") != nil:
		return elementText(obj(cell, "element"))
	default:
		return richLine(object{"elements": cell["elements"]})
	}
}

func (r *reader) chart(chart object) {
	for _, s := range objects(list(chart, "segments")) {
		r.line(fmt.Sprintf("%s %v", str(s, "label"), s["value"]))
	}
	for _, s := range objects(list(chart, "series")) {
		parts := []string{str(s, "name")}
		for _, p := range objects(list(s, "data")) {
			parts = append(parts, fmt.Sprintf("%s %v", str(p, "label"), p["value"]))
		}
		r.line(strings.Join(parts, ", "))
	}
}
