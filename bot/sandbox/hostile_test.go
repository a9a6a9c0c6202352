package sandbox_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"rolecall/bot/sandbox"
	"rolecall/bot/slacktest"
)

// hostile breaks out of an attribute and of an element where it is not escaped.
const hostile = `'"></textarea></title><img src=x onerror=alert(1)><script>alert(1)</script>`

// TestHostileTextIsShownAndNotObeyed puts the same text into every place that shows text from outside.
func TestHostileTextIsShownAndNotObeyed(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(c *sandbox.Config) {
		c.Title = hostile
		c.Actors = append(c.Actors, sandbox.Actor{UserID: ines, Role: hostile})
		c.Shortcuts = []sandbox.Shortcut{{Name: hostile, CallbackID: hostile}}
		c.Story = []sandbox.Step{{ID: "x", Title: hostile, Text: hostile, Action: hostile, Run: func(context.Context) error { return errHostile{} }, Open: payments, ActAs: ines}}
		c.Panel = func() sandbox.Panel {
			return sandbox.Panel{
				Teams:  []sandbox.PanelTeam{{Name: hostile, Members: []sandbox.PanelMember{{Name: hostile, Email: hostile, TeamRole: hostile, BaseRole: hostile}}}},
				Counts: []sandbox.PanelCount{{Label: hostile, N: 1}}, Writes: []sandbox.PanelWrite{{At: time.Now(), Sentence: hostile}},
			}
		}
	})
	s.ws.ChangeUser(marco, func(u *slacktest.User) {
		u.RealName, u.DisplayName, u.Name, u.Email = hostile, hostile, hostile, hostile
	})
	s.ws.ChangeChannel(payments, func(c *slacktest.Channel) { c.Name = hostile })
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": hostile, "blocks": everyBlock(hostile)})
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "<@" + marco + "> <#" + payments + "|" + hostile + "> " + hostile})
	s.app.call("chat.postEphemeral", map[string]any{"channel": payments, "user": marco, "text": hostile})
	s.app.call("views.publish", map[string]any{"user_id": marco, "view": map[string]any{"type": "home", "blocks": homeBlocks(hostile)}})
	if _, err := s.ws.Say(marco, payments, s.app.card, hostile); err != nil {
		t.Fatal(err)
	}
	s.post("/u/"+marco+"/press", url.Values{"press": {s.press("request.deny.v1")}})
	view, _ := s.ws.Modal(marco)
	pages := map[string]string{
		"conversation": s.page("/u/" + marco + "/c/" + payments + "?who=" + url.QueryEscape(hostile)),
		"thread":       s.page("/u/" + marco + "/c/" + payments + "?thread=" + s.app.card),
		"home":         s.page("/u/" + marco + "/home"),
		"dialog":       s.post("/u/"+marco+"/modal", url.Values{"view": {view.ID}, "do": {"submit"}, "in:reason/text": {hostile}, "has:reason/text": {"1"}}),
		"failed step":  s.post("/u/"+marco+"/step", url.Values{"step": {"x"}}),
		"said":         s.post("/u/"+marco+"/say", url.Values{"channel": {payments}, "text": {"/" + hostile}}),
		"asked":        s.page("/u/" + ines + "/c/" + payments + "?ask=" + url.QueryEscape(s.press("finding.revoke.v1")) + "&said=" + url.QueryEscape(hostile)),
	}
	_, pages["lost"] = s.get("/u/" + url.PathEscape(hostile) + "/home")
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			lacks(t, page, "<img", "<script>", "</script><", "onerror=alert(1)>")
			contains(t, page, "alert(1)")
		})
	}
}

type errHostile struct{}

func (errHostile) Error() string { return hostile }

func homeBlocks(text string) []any {
	var out []any
	for _, b := range everyBlock(text) {
		if kind := b.(map[string]any)["type"]; kind != "table" && kind != "markdown" && kind != "data_visualization" {
			out = append(out, b)
		}
	}
	return out
}

// everyBlock is one block of every type that a message can have, each saying text.
func everyBlock(text string) []any {
	type o = map[string]any
	short := text[:min(len(text), 75)]
	plain, mark := o{"type": "plain_text", "text": text}, o{"type": "mrkdwn", "text": text}
	small := o{"type": "plain_text", "text": short}
	options := []any{o{"text": small, "value": text, "description": small}, o{"text": o{"type": "plain_text", "text": "Second"}, "value": "second"}}
	leaf := func(kind string, extra o) o {
		out := o{"type": kind, "text": text}
		for k, v := range extra {
			out[k] = v
		}
		return out
	}
	rich := []any{
		o{"type": "rich_text_section", "elements": []any{
			leaf("text", o{"style": o{"bold": true, "italic": true, "strike": true, "code": true}}), leaf("link", o{"url": "https://acme.test/" + text}),
			leaf("link", o{"url": "javascript:" + text}),
			o{"type": "user", "user_id": marco},
			o{"type": "channel", "channel_id": payments},
			o{"type": "usergroup", "usergroup_id": text},
			o{"type": "emoji", "name": text},
			o{"type": "broadcast", "range": text},
		}},
		o{"type": "rich_text_list", "style": "ordered", "elements": []any{o{"type": "rich_text_section", "elements": []any{leaf("text", nil)}}}},
		o{"type": "rich_text_quote", "elements": []any{leaf("text", nil)}},
		o{"type": "rich_text_preformatted", "elements": []any{leaf("text", nil)}},
	}
	return []any{
		o{"type": "header", "text": plain},
		o{"type": "section", "text": mark, "fields": []any{mark, plain}, "accessory": o{"type": "overflow", "action_id": "over", "options": options}},
		o{"type": "section", "text": plain, "accessory": o{"type": "image", "image_url": "https://acme.test/" + text, "alt_text": text}},
		o{"type": "context", "elements": []any{mark, plain, o{"type": "image", "image_url": "https://acme.test/a.png", "alt_text": text}}},
		o{"type": "actions", "block_id": "acts", "elements": []any{
			o{"type": "button", "action_id": text, "text": small, "value": text, "style": "danger"},
			o{"type": "button", "action_id": "link", "text": small, "url": "javascript:alert(1)"},
			o{"type": "static_select", "action_id": "one", "placeholder": plain, "option_groups": []any{o{"label": small, "options": options}}},
			o{"type": "multi_static_select", "action_id": "many", "placeholder": plain, "options": options},
			o{"type": "checkboxes", "action_id": "boxes", "options": options},
			o{"type": "radio_buttons", "action_id": "radios", "options": options, "initial_option": options[1]},
			o{"type": "datepicker", "action_id": "date", "initial_date": "2026-05-02", "placeholder": plain},
			o{"type": "users_select", "action_id": "user", "placeholder": plain},
			o{"type": "channels_select", "action_id": "channel"},
		}},
		o{"type": "image", "image_url": "https://acme.test/a.png", "alt_text": text, "title": plain},
		o{"type": "rich_text", "elements": rich},
		o{"type": "markdown", "text": text},
		o{"type": "table", "rows": []any{
			[]any{o{"type": "raw_text", "text": text}, o{"type": "raw_text", "text": "Since"}},
			[]any{o{"type": "rich_text", "elements": rich[:1]}, o{"type": "raw_text", "text": text}},
		}, "column_settings": []any{o{"align": "left"}, o{"align": "right"}}},
		o{"type": "data_visualization", "title": text[:min(len(text), 50)], "chart": o{"type": "pie", "segments": []any{o{"label": text[:min(len(text), 20)], "value": 3}, o{"label": "rest", "value": 1}}}},
		o{"type": "container", "title": plain, "subtitle": mark, "child_blocks": []any{o{"type": "section", "text": mark}}},
		o{"type": "divider"},
		o{"type": "input", "label": plain, "hint": plain, "element": o{"type": "plain_text_input", "action_id": "typed", "initial_value": text, "placeholder": plain}},
	}
}
