package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slack-go/slack"
)

// message draws the card.
func (c cardData) message() message {
	var blocks []slack.Block
	if c.Banner != "" {
		blocks = append(blocks, contextLine(c.Banner))
	}
	blocks = append(blocks, section("*"+c.Title+"*\n"+c.Status))
	blocks = append(blocks, section(factLines(c.Facts)))
	for _, d := range c.Duties {
		blocks = append(blocks, section(d))
	}
	if len(c.Steps) > 0 {
		blocks = append(blocks, section(packLines(c.Steps, manySteps, seeMore("`rolecall request show`"))))
	}
	if c.Question != "" {
		blocks = append(blocks, section(c.Question))
	}
	if len(c.Record) > 0 {
		blocks = append(blocks, contextLine(strings.Join(c.Record, "\n")))
	}
	blocks = append(append(blocks, c.actions()...), contextLine(c.Foot))
	m := message{Text: c.Push, Blocks: blocks}
	m.Blocks = withBlockIDs(blocks, m.digest()[:12])
	return m
}

func factLines(facts []fact) string {
	lines := make([]string, len(facts))
	for i, f := range facts {
		lines[i] = "*" + f.Label + "*  " + f.Text
	}
	return strings.Join(lines, "\n")
}

// actions draws the buttons, if any: Slack takes no empty row of them. They
// carry the request and its revision, and no authority.
func (c cardData) actions() []slack.Block {
	if len(c.Buttons) == 0 {
		return nil
	}
	value := encodeValue(c.ID, c.Revision)
	elements := make([]slack.BlockElement, len(c.Buttons))
	for i, b := range c.Buttons {
		e := button(b.Action, value, b.Label)
		switch {
		case b.Action == ActionRevoke:
			e.WithStyle(slack.StyleDanger)
		case b.Loud:
			e.WithStyle(slack.StylePrimary)
		}
		elements[i] = e
	}
	if c.Menu {
		elements = append(elements, c.more())
	}
	return []slack.Block{slack.NewActionBlock("", elements...)}
}

// digest returns the SHA-256 of what the message shows, in hex. Block ids are
// part of it when they are set, and follow from it when they are not.
func (m message) digest() string {
	raw, err := json.Marshal(m.Blocks)
	if err != nil { // blocks of our own making always marshal
		raw = fmt.Appendf(nil, "%v", m.Blocks)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(m.Text), m.Text)
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil))
}
