package sandbox

import (
	"encoding/json"
	"html/template"
	"strings"
)

// rawRich is the union of the fields that elements of rich text have.
type rawRich struct {
	Type     string    `json:"type"`
	Text     string    `json:"text"`
	URL      string    `json:"url"`
	UserID   string    `json:"user_id"`
	GroupID  string    `json:"usergroup_id"`
	Channel  string    `json:"channel_id"`
	Name     string    `json:"name"`
	Range    string    `json:"range"`
	Style    any       `json:"style"` // of text an object, of a list a word
	Elements []rawRich `json:"elements"`
}

// richText draws the elements of a rich_text block.
func (c *canvas) richText(raw []json.RawMessage) template.HTML {
	var b strings.Builder
	for _, one := range raw {
		var e rawRich
		if json.Unmarshal(one, &e) == nil {
			c.rich(&b, e)
		}
	}
	return template.HTML(b.String()) //nolint:gosec // every piece was escaped as it was written
}

func (c *canvas) rich(b *strings.Builder, e rawRich) {
	open, end := "", ""
	switch e.Type {
	case "rich_text_section":
		open, end = `<div>`, `</div>`
	case "rich_text_quote":
		open, end = `<blockquote>`, `</blockquote>`
	case "rich_text_preformatted":
		open, end = `<pre>`, `</pre>`
	case "rich_text_list":
		c.richList(b, e)
		return
	default:
		c.richLeaf(b, e)
		return
	}
	b.WriteString(open)
	for _, child := range e.Elements {
		c.rich(b, child)
	}
	b.WriteString(end)
}

func (c *canvas) richList(b *strings.Builder, e rawRich) {
	tag := "ul"
	if e.Style == "ordered" {
		tag = "ol"
	}
	b.WriteString("<" + tag + ">")
	for _, child := range e.Elements {
		b.WriteString("<li>")
		c.rich(b, child)
		b.WriteString("</li>")
	}
	b.WriteString("</" + tag + ">")
}

func (c *canvas) richLeaf(b *strings.Builder, e rawRich) {
	switch e.Type {
	case "user":
		b.WriteString(mention("@" + c.called(e.UserID, "")))
	case "usergroup":
		b.WriteString(mention("@" + c.called(e.GroupID, "")))
	case "broadcast":
		b.WriteString(mention("@" + e.Range))
	case "channel":
		c.channel(b, e.Channel, "")
	case "emoji":
		b.WriteString(withEmoji(":" + template.HTMLEscapeString(e.Name) + ":"))
	case "link":
		if !c.anchor(b, slackEscape(e.URL), slackEscape(e.Text)) {
			b.WriteString(template.HTMLEscapeString(e.Text))
		}
	default:
		b.WriteString(styled(e))
	}
}

func styled(e rawRich) string {
	out := strings.ReplaceAll(template.HTMLEscapeString(e.Text), "\n", "<br>")
	style, _ := e.Style.(map[string]any)
	for _, s := range []struct{ name, tag string }{{"code", "code"}, {"strike", "s"}, {"italic", "em"}, {"bold", "strong"}} {
		if on, _ := style[s.name].(bool); on {
			out = "<" + s.tag + ">" + out + "</" + s.tag + ">"
		}
	}
	return out
}
