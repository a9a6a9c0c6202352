package slacktest

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// content is what a message says.
type content struct {
	text        string
	blocks      []any
	hasBlocks   bool
	attachments json.RawMessage
}

// content checks the text, blocks and attachments of the call.
func (w *Workspace) content(c *call) (content, error) {
	out := content{text: c.args["text"], hasBlocks: c.args.has("blocks")}
	if words := c.args["markdown_text"]; words != "" {
		return content{text: words}, markdownText(c.args)
	}
	if c.args["attachments"] != "" {
		var attachments []any
		if err := c.jsonArg("attachments", "invalid_attachments", &attachments); err != nil {
			return content{}, err
		}
		if len(attachments) > 100 {
			return content{}, invalid("too_many_attachments")
		}
		if len(attachments) > 0 {
			out.attachments = encode(attachments)
		}
	}
	if !out.hasBlocks || c.args["blocks"] == "" {
		return out, nil
	}
	if err := c.jsonArg("blocks", "invalid_blocks_format", &out.blocks); err != nil {
		return content{}, err
	}
	return out, w.checkMessageBlocks(out.blocks)
}

// markdownText refuses markdown_text beside text or blocks, or beyond its limit.
func markdownText(a args) error {
	switch {
	case a["text"] != "" || a["blocks"] != "":
		return invalid("markdown_text_conflict")
	case utf8.RuneCountInString(a["markdown_text"]) > maxMarkdown:
		return invalid("msg_too_long")
	}
	return nil
}

func (c content) empty() bool {
	return strings.TrimSpace(c.text) == "" && len(c.blocks) == 0 && c.attachments == nil
}

func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit])
}

// messageMetadata checks the metadata argument; nil when it is absent or {}.
func messageMetadata(c *call) (json.RawMessage, error) {
	if c.args["metadata"] == "" {
		return nil, nil
	}
	var given struct {
		EventType    string `json:"event_type"`
		EventPayload object `json:"event_payload"`
	}
	if err := c.jsonArg("metadata", "invalid_metadata_format", &given); err != nil {
		return nil, err
	}
	if given.EventType == "" && len(given.EventPayload) == 0 {
		return nil, nil
	}
	if given.EventType == "" || given.EventPayload == nil {
		return nil, invalid("invalid_metadata_format", "event_type and event_payload are both required")
	}
	if len(c.args["metadata"]) > maxMetadata {
		return nil, invalid("metadata_too_large")
	}
	for key, value := range given.EventPayload {
		if !flatEnough(value) {
			return nil, invalid("invalid_metadata_format", "event_payload."+key+" is nested deeper than one level")
		}
	}
	return encode(object{"event_type": given.EventType, "event_payload": given.EventPayload}), nil
}

// flatEnough reports whether a metadata value is a scalar, an object of scalars, or an array of either.
func flatEnough(value any) bool {
	switch v := value.(type) {
	case object:
		return allScalars(v)
	case []any:
		for _, item := range v {
			if o, nested := item.(object); (nested && !allScalars(o)) || (!nested && !scalar(item)) {
				return false
			}
		}
	}
	return true
}

func allScalars(o object) bool {
	for _, v := range o {
		if !scalar(v) {
			return false
		}
	}
	return true
}

func scalar(v any) bool {
	switch v.(type) {
	case object, []any:
		return false
	}
	return true
}
