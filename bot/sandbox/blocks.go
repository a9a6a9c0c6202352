package sandbox

import (
	"encoding/json"
	"html/template"
	"slices"

	"rolecall/bot/slacktest"
)

// textObject is Slack's text object, or a bare string where a block has one.
type textObject struct{ Type, Text string }

// UnmarshalJSON accepts {"type":…,"text":…} and "…".
func (t *textObject) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		t.Type = "plain_text"
		return json.Unmarshal(raw, &t.Text)
	}
	type object textObject
	return json.Unmarshal(raw, (*object)(t))
}

// rawBlock is the union of the fields that blocks have.
type rawBlock struct {
	Type      string            `json:"type"`
	BlockID   string            `json:"block_id"`
	Text      textObject        `json:"text"`
	Label     textObject        `json:"label"`
	Hint      textObject        `json:"hint"`
	Title     textObject        `json:"title"`
	Subtitle  textObject        `json:"subtitle"`
	Caption   string            `json:"caption"`
	Level     any               `json:"level"` // of a header a number, of an alert a word
	Optional  bool              `json:"optional"`
	Dispatch  bool              `json:"dispatch_action"`
	Fields    []textObject      `json:"fields"`
	Accessory *rawElement       `json:"accessory"`
	Element   *rawElement       `json:"element"`
	Elements  []json.RawMessage `json:"elements"`
	Children  json.RawMessage   `json:"child_blocks"`
	Rows      []json.RawMessage `json:"rows"`
	Columns   []tableColumn     `json:"column_settings"`
	Chart     *rawChart         `json:"chart"`
	ImageURL  string            `json:"image_url"`
	File      slackFile         `json:"slack_file"`
	AltText   string            `json:"alt_text"`
}

// block is one block as the page draws it. Which fields are set follows from Kind.
type block struct {
	Kind      string
	Text      template.HTML
	Title     template.HTML
	Fields    []template.HTML
	Accessory *element
	Elements  []element
	Parts     []part // of a context
	Image     *image
	Table     *table
	Chart     *chart
	Input     *input
	Children  []block
	Level     string // of an alert
}

// part is one piece of a context: words or a small image.
type part struct {
	Text  template.HTML
	Image *image
}

// input is an input block: an element with a label, a hint and what is wrong with it.
type input struct {
	Label, Hint template.HTML
	Error       string
	Optional    bool
	Element     element
	ID          string // of the element in the page
	Block       string
}

// canvas is what blocks are drawn on: for whom, where, and what has been filled in.
type canvas struct {
	scribe
	user   slacktest.User
	place  place
	values map[string]map[string][]string // of a view
	errors map[string]string              // of a view
	people func() []option                // for pickers of users
	rooms  func() []option                // for pickers of channels
	taken  map[string]int                 // ids in the page, and how often
}

// draw returns blocks as the page shows them; nil when raw is no array of blocks.
func (c *canvas) draw(raw json.RawMessage) []block {
	var blocks []rawBlock
	if err := json.Unmarshal(raw, &blocks); err != nil {
		return nil
	}
	out := make([]block, 0, len(blocks))
	for _, b := range blocks {
		out = append(out, c.block(b))
	}
	return out
}

func (c *canvas) block(b rawBlock) block {
	out := block{Kind: b.Type}
	switch b.Type {
	case "section":
		out.Text, out.Accessory = c.text(b.Text), c.optional(b.BlockID, b.Accessory)
		for _, f := range b.Fields {
			out.Fields = append(out.Fields, c.text(f))
		}
	case "header":
		out.Text = c.plain(b.Text.Text)
	case "markdown":
		out.Text = c.mrkdwn(b.Text.Text)
	case "context":
		out.Parts = c.parts(b.Elements)
	case "actions", "context_actions":
		out.Kind, out.Elements = "actions", c.elements(b.BlockID, b.Elements)
	case "input":
		out.Input = c.input(b)
	case "image":
		out.Image, out.Title = picture(b.AltText, b.ImageURL, b.File), c.plain(b.Title.Text)
	case "alert":
		out.Text = c.text(b.Text)
		out.Level, _ = b.Level.(string)
	case "rich_text":
		out.Text = c.richText(b.Elements)
	case "container":
		out.Title, out.Text, out.Children = c.plain(b.Title.Text), c.text(b.Subtitle), c.draw(b.Children)
	default:
		c.figure(&out, b)
	}
	return out
}

// figure draws the blocks that hold numbers; what the page cannot draw it names.
func (c *canvas) figure(out *block, b rawBlock) {
	switch b.Type {
	case "divider":
	case "table", "data_table":
		out.Kind, out.Table = "table", c.table(b)
	case "data_visualization":
		out.Title, out.Chart = c.plain(b.Title.Text), chartOf(b.Chart)
	case "layout":
		out.Kind, out.Children = "container", c.layoutItems(b.Rows)
	default:
		out.Kind = "unknown"
		out.Text = c.plain("A block of type " + b.Type + " stands here.")
	}
}

func (c *canvas) layoutItems(rows []json.RawMessage) []block {
	var out []block
	for _, raw := range rows {
		var row struct {
			Items []struct {
				Block rawBlock `json:"block"`
			} `json:"items"`
		}
		if json.Unmarshal(raw, &row) != nil {
			continue
		}
		for _, item := range row.Items {
			out = append(out, c.block(item.Block))
		}
	}
	return out
}

func (c *canvas) text(t textObject) template.HTML {
	if t.Type == "mrkdwn" {
		return c.mrkdwn(t.Text)
	}
	return c.plain(t.Text)
}

func (c *canvas) parts(raw []json.RawMessage) []part {
	var out []part
	for _, one := range raw {
		var t textObject
		if json.Unmarshal(one, &t) != nil {
			continue
		}
		if t.Type != "image" {
			out = append(out, part{Text: c.text(t)})
			continue
		}
		var pic struct {
			ImageURL string    `json:"image_url"`
			File     slackFile `json:"slack_file"`
			AltText  string    `json:"alt_text"`
		}
		if json.Unmarshal(one, &pic) == nil {
			out = append(out, part{Image: picture(pic.AltText, pic.ImageURL, pic.File)})
		}
	}
	return out
}

func (c *canvas) input(b rawBlock) *input {
	if b.Element == nil {
		return nil
	}
	e := c.element(b.BlockID, *b.Element)
	e.Dispatch = b.Dispatch
	return &input{
		Label: c.plain(b.Label.Text), Hint: c.plain(b.Hint.Text), Error: c.errors[b.BlockID],
		Optional: b.Optional, Element: e, ID: e.ID, Block: b.BlockID,
	}
}

func (c *canvas) optional(blockID string, e *rawElement) *element {
	if e == nil || !e.visibleTo(c.user.ID) {
		return nil
	}
	drawn := c.element(blockID, *e)
	return &drawn
}

func (c *canvas) elements(blockID string, raw []json.RawMessage) []element {
	var out []element
	for _, one := range raw {
		var e rawElement
		if json.Unmarshal(one, &e) == nil && e.visibleTo(c.user.ID) {
			out = append(out, c.element(blockID, e))
		}
	}
	return out
}

func (e rawElement) visibleTo(userID string) bool {
	return len(e.VisibleTo) == 0 || slices.Contains(e.VisibleTo, userID)
}
