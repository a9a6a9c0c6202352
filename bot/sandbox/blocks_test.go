package sandbox_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestEveryBlockIsDrawn holds, for each type of block, the part of the page that makes it what it is.
func TestEveryBlockIsDrawn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "all", "blocks": everyBlock("Words *here*")})
	page := s.page("/u/" + marco + "/c/" + payments)
	last := strings.LastIndex(page, `data-testid="message"`)
	drawn := regexp.MustCompile(`>\s+<`).ReplaceAllString(page[last:], "><")
	for name, want := range map[string]string{
		"a header is plain":           `<h3 class="b-header">Words *here*</h3>`,
		"a section has marks":         `<div class="text">Words <strong>here</strong><div class="fields"><div>Words <strong>here</strong></div><div>Words *here*</div></div></div><div class="accessory">`,
		"an overflow is a menu":       `<details class="menu overflow"`,
		"a menu entry is a press":     `data-action="over" data-value="second" formnovalidate>Second</button>`,
		"an image is a link":          `<a href="https://acme.test/a.png" target="_blank" rel="noopener noreferrer">Words *here*</a>`,
		"a context has parts":         `<div class="b-context"><span>Words <strong>here</strong></span><span>Words *here*</span><span class="image">`,
		"a danger button":             `<button class="button danger"`,
		"a select is a menu":          `Words *here*<span class="caret" aria-hidden="true">▾</span></summary><ul><li class="group">Words *here*</li>`,
		"a chosen radio":              `<summary class="button" data-action="radios">Second<span`,
		"checkboxes are set together": `<input type="checkbox" name="pick" value="second"><span>Second</span></label><input type="hidden" name="picks" value="1"><button class="button"`,
		"a date is a field":           `type="date" name="pick" value="2026-05-02"`,
		"people are a menu":           `data-action="user" data-value="` + ines + `" formnovalidate>Ines Duarte`,
		"channels are a menu":         `data-action="channel" data-value="` + payments + `" formnovalidate>#payments`,
		"rich text has styles":        `<strong><em><s><code>Words *here*</code></s></em></strong>`,
		"rich text names people":      `<span class="mention">@Marco Rossi</span>`,
		"rich text has lists":         `<ol><li><div>Words *here*</div></li></ol><blockquote>Words *here*</blockquote><pre>Words *here*</pre>`,
		"a table has a head":          `<th scope="col">Words *here*</th><th scope="col" class="num">Since</th>`,
		"a chart is bars":             `<dt>Words *here*</dt><dd><meter min="0" max="100" value="100">3</meter><span>3</span></dd>`,
		"a container has children":    `<section class="b-container"><h4>Words *here*</h4><p>Words <strong>here</strong></p><div class="b-section">`,
		"a divider":                   `<hr>`,
		"an input has a label":        `<label for="e-`,
	} {
		if !strings.Contains(drawn, want) {
			t.Errorf("%s: %s is not in\n%s", name, want, drawn)
		}
	}
	lacks(t, drawn, `href="javascript`)
	ids := map[string]bool{}
	for _, found := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[found[1]] {
			t.Errorf("the id %s is used twice", found[1])
		}
		ids[found[1]] = true
	}
}

func TestOnlyThoseMeantSeeAButton(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "one", "blocks": []any{map[string]any{"type": "actions", "elements": []any{
		map[string]any{"type": "button", "action_id": "secret.v1", "text": map[string]any{"type": "plain_text", "text": "Approve"}, "visible_to_user_ids": []any{ines}},
	}}}})
	contains(t, s.page("/u/"+ines+"/c/"+payments), `data-action="secret.v1"`)
	lacks(t, s.page("/u/"+marco+"/c/"+payments), `data-action="secret.v1"`)
}

func TestBroadcastsAndTombstonesShow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if _, err := s.ws.Say(marco, payments, s.app.card, "reply"); err != nil {
		t.Fatal(err)
	}
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "for all", "thread_ts": s.app.card, "reply_broadcast": true})
	contains(t, s.page("/u/"+marco+"/c/"+payments), "also sent to the conversation", "2 replies", `title="On a phone: for all"`)
	s.app.call("chat.delete", map[string]any{"channel": payments, "ts": s.app.card})
	contains(t, s.page("/u/"+marco+"/c/"+payments), "This message was deleted.")
}
