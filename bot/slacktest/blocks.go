package slacktest

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// surface is where blocks are shown; limits and permitted blocks differ.
type surface string

const (
	onMessage surface = "message"
	onModal   surface = "modal"
	onHome    surface = "home"
)

// Block Kit's limits, counted in Unicode code points (docs.slack.dev, @slack/types).
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxID            = 255
	maxTextObject    = 3000
	maxFields        = 10
	maxField         = 2000
	maxHeader        = 150
	maxContext       = 10
	maxActions       = 25
	maxLabel         = 2000
	maxMarkdown      = 12_000
	maxURL           = 3000
	maxAlt           = 2000
)

// checker walks blocks, notes what Slack would refuse, and fills in the ids that the app left out, as Slack does.
type checker struct {
	surface  surface
	newID    func() string
	hasFile  func(id, url string) bool
	problems []string
	blockIDs map[string]bool
	count    int // blocks that count toward the surface's limit
	inputs   int
	markdown int
	tables   int
	focused  int
}

// bad notes a problem at a JSON pointer.
func (k *checker) bad(pointer, format string, values ...any) {
	k.problems = append(k.problems, fmt.Sprintf(format, values...)+" [json-pointer:"+pointer+"]")
}

// checkMessageBlocks refuses blocks that Slack would refuse in a message. The caller holds mu.
func (w *Workspace) checkMessageBlocks(blocks []any) error {
	k := &checker{surface: onMessage, newID: w.elementID, hasFile: w.hasFile, blockIDs: map[string]bool{}}
	k.blocks("/blocks", blocks)
	if len(k.problems) > 0 {
		return invalid("invalid_blocks", k.problems...)
	}
	return nil
}

func (w *Workspace) elementID() string {
	w.serial++
	return fmt.Sprintf("s%04x", w.serial)
}

func (k *checker) blocks(pointer string, blocks []any) {
	k.takeBlockIDs(pointer, blocks)
	k.count += len(blocks)
	for i, b := range objects(blocks) {
		k.block(fmt.Sprintf("%s/%d", pointer, i), b)
	}
	most := maxViewBlocks
	if k.surface == onMessage {
		most = maxMessageBlocks
	}
	if k.count > most {
		k.bad(pointer, "no more than %d items allowed", most)
	}
	if k.markdown > maxMarkdown {
		k.bad(pointer, "markdown blocks together must be less than %d characters", maxMarkdown+1)
	}
	if k.tables > 1 {
		k.bad(pointer, "only_one_table_allowed")
	}
	if k.focused > 1 {
		k.bad(pointer, "focus_on_load can only be set on one element")
	}
}

// takeBlockIDs checks the ids that were given and fills in the others.
func (k *checker) takeBlockIDs(pointer string, blocks []any) {
	k.each(pointer, blocks, func(at string, b object) {
		id := str(b, "block_id")
		if id == "" {
			b["block_id"] = k.newID()
			return
		}
		k.length(at+"/block_id", id, 1, maxID)
		if k.blockIDs[id] {
			k.bad(at+"/block_id", "`block_id` %q already exists", id)
		}
		k.blockIDs[id] = true
	})
}

func (k *checker) block(at string, b object) {
	kind := str(b, "type")
	if !k.permits(kind) {
		k.bad(at+"/type", "unsupported type: %s", kind)
		return
	}
	k.known(at, b, blockFields(kind))
	switch kind {
	case "section":
		k.section(at, b)
	case "header":
		k.text(at+"/text", b["text"], textRule{max: maxHeader, plain: true, required: true})
	case "context":
		k.context(at, b)
	case "actions":
		k.actions(at, b, maxActions, actionElements())
	case "context_actions":
		k.actions(at, b, 5, []string{"feedback_buttons", "icon_button"})
	case "input":
		k.input(at, b)
	case "image":
		k.image(at, b)
		k.text(at+"/title", b["title"], textRule{max: maxAlt, plain: true})
	case "markdown":
		k.markdown += utf8.RuneCountInString(str(b, "text"))
		k.length(at+"/text", str(b, "text"), 1, maxMarkdown)
	default:
		k.richBlock(at, kind, b)
	}
}

// permits reports whether a type of block may stand on the surface. Types that the Web API does not accept in
// chat.postMessage (card, carousel, task_card, plan) and alerts outside modals are refused.
func (k *checker) permits(kind string) bool {
	switch kind {
	case "section", "header", "context", "actions", "input", "image", "divider", "rich_text", "video", "container", "layout":
		return true
	case "context_actions", "markdown", "table", "data_table", "data_visualization", "file":
		return k.surface == onMessage
	case "alert":
		return k.surface == onModal
	default:
		return false
	}
}

func (k *checker) section(at string, b object) {
	fields := list(b, "fields")
	if b["text"] == nil && len(fields) == 0 {
		k.bad(at, "missing required field: text or fields")
	}
	k.text(at+"/text", b["text"], textRule{max: maxTextObject})
	if len(fields) > maxFields {
		k.bad(at+"/fields", "no more than %d items allowed", maxFields)
	}
	for i, f := range fields {
		k.text(fmt.Sprintf("%s/fields/%d", at, i), f, textRule{max: maxField, required: true})
	}
	if b["accessory"] != nil {
		k.element(at+"/accessory", b["accessory"], append(actionElements(), "image"), map[string]bool{})
	}
}

func (k *checker) context(at string, b object) {
	elements := list(b, "elements")
	k.items(at+"/elements", len(elements), 1, maxContext)
	k.each(at+"/elements", elements, func(here string, e object) {
		switch str(e, "type") {
		case "image":
			k.image(here, e)
		case "plain_text", "mrkdwn":
			k.text(here, e, textRule{max: maxTextObject, required: true})
		default:
			k.bad(here+"/type", "unsupported type: %s", str(e, "type"))
		}
	})
}

func (k *checker) actions(at string, b object, most int, permitted []string) {
	elements := list(b, "elements")
	k.items(at+"/elements", len(elements), 1, most)
	seen := map[string]bool{}
	for i, e := range elements {
		k.element(fmt.Sprintf("%s/elements/%d", at, i), e, permitted, seen)
	}
}

func (k *checker) input(at string, b object) {
	k.inputs++
	k.text(at+"/label", b["label"], textRule{max: maxLabel, plain: true, required: true})
	k.text(at+"/hint", b["hint"], textRule{max: maxLabel, plain: true})
	k.element(at+"/element", b["element"], inputElements(), map[string]bool{})
}

func (k *checker) image(at string, b object) {
	k.length(at+"/alt_text", str(b, "alt_text"), 1, maxAlt)
	url, file := str(b, "image_url"), obj(b, "slack_file")
	if (url == "") == (file == nil) {
		k.bad(at, "exactly one of image_url and slack_file is required")
	}
	k.atMost(at+"/image_url", url, maxURL)
	k.slackFile(at+"/slack_file", file)
}

// textRule is what a text object must be.
type textRule struct {
	max      int
	plain    bool // plain_text only
	required bool
}

func (k *checker) text(at string, v any, rule textRule) {
	if v == nil {
		if rule.required {
			k.bad(at, "missing required field")
		}
		return
	}
	t, ok := v.(object)
	kind := str(t, "type")
	switch {
	case !ok || !slices.Contains([]string{"plain_text", "mrkdwn"}, kind):
		k.bad(at, "failed to match all allowed schemas: not a text object")
		return
	case rule.plain && kind != "plain_text":
		k.bad(at+"/type", "must be plain_text")
	case kind == "mrkdwn" && t["emoji"] != nil:
		k.bad(at, "invalid additional property: emoji")
	case kind == "plain_text" && t["verbatim"] != nil:
		k.bad(at, "invalid additional property: verbatim")
	}
	k.known(at, t, []string{"type", "text", "emoji", "verbatim"})
	k.length(at+"/text", str(t, "text"), 1, rule.max)
	settle(t, kind)
}

// settle fills in what Slack fills in when it stores a text object.
func settle(t object, kind string) {
	switch {
	case kind == "plain_text" && t["emoji"] == nil:
		t["emoji"] = true
	case kind == "mrkdwn" && t["verbatim"] == nil:
		t["verbatim"] = false
	}
}

// each calls f for every item that is an object and notes those that are not.
func (k *checker) each(at string, items []any, f func(at string, o object)) {
	for i, item := range items {
		here := fmt.Sprintf("%s/%d", at, i)
		if o, ok := item.(object); ok {
			f(here, o)
		} else {
			k.bad(here, "must be an object")
		}
	}
}

func (k *checker) length(at, s string, least, most int) {
	switch n := utf8.RuneCountInString(s); {
	case n < least:
		k.bad(at, "must be more than %d characters", least-1)
	case n > most:
		k.bad(at, "must be less than %d characters", most+1)
	}
}

func (k *checker) atMost(at, s string, most int) { k.length(at, s, 0, most) }

func (k *checker) items(at string, n, least, most int) {
	switch {
	case n < least:
		k.bad(at, "must contain at least %d items", least)
	case n > most:
		k.bad(at, "no more than %d items allowed", most)
	}
}
