package slacktest_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/bot/slacktest"
)

func TestPlainTextIsWhatAPersonReadsInOrder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ blocks, want string }{
		"header, section, fields and accessory": {
			`{"type":"header","text":{"type":"plain_text","text":"Ben Ode"}},
			 {"type":"section","text":{"type":"mrkdwn","text":"*Why* moved"},"fields":[{"type":"mrkdwn","text":"Now"},{"type":"mrkdwn","text":"After"}],
			  "accessory":{"type":"button","action_id":"a","text":{"type":"plain_text","text":"Open"}}}`,
			"Ben Ode\n*Why* moved\nNow\nAfter\n[Open]",
		},
		"context and actions": {
			`{"type":"context","elements":[{"type":"image","image_url":"u","alt_text":"logo"},{"type":"mrkdwn","text":"by rolecall"}]},
			 {"type":"actions","elements":[` + jsonButton("Approve", "") + `,` + jsonButton("Deny…", "") + `]}`,
			"logo by rolecall\n[Approve] [Deny…]",
		},
		"menus and inputs": {
			`{"type":"input","label":{"type":"plain_text","text":"Reason"},"element":{"type":"plain_text_input","initial_value":"so"},"hint":{"type":"plain_text","text":"One line"}},
			 {"type":"actions","elements":[{"type":"overflow","options":[{"text":{"type":"plain_text","text":"Snooze"},"value":"s","description":{"type":"plain_text","text":"a day"}}]}]}`,
			"Reason\nso\nOne line\nSnooze a day",
		},
		"tables": {
			`{"type":"table","rows":[[{"type":"raw_text","text":"Who"},{"type":"raw_text","text":"Role"}],[{"type":"raw_number","value":3},{"type":"rich_text","elements":[{"type":"text","text":"x"}]}]]},
			 {"type":"data_table","caption":"Stale","rows":[[{"type":"raw_text","text":"A"}],[{"type":"action_cell","element":` + jsonButton("Keep", "") + `}]]}`,
			"Who | Role\n3 | x\nStale\nA\n[Keep]",
		},
		"rich text": {
			`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"Hi "},{"type":"user","user_id":"U1"},{"type":"emoji","name":"wave"},{"type":"link","url":"https://x.test","text":"here"}]},
			  {"type":"rich_text_list","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"one"}]},{"type":"rich_text_section","elements":[{"type":"text","text":"two"}]}]}]}`,
			"Hi <@U1>:wave:here https://x.test\n• one\n• two",
		},
		"containers, layouts, markdown, charts": {
			`{"type":"container","title":{"type":"plain_text","text":"Stale"},"child_blocks":[{"type":"section","text":{"type":"mrkdwn","text":"child"}}]},
			 {"type":"layout","label":"L","rows":[{"items":[{"block":{"type":"section","text":{"type":"mrkdwn","text":"cell"}}}]}]},
			 {"type":"markdown","text":"**md**"},{"type":"data_visualization","title":"Trend","chart":{"type":"pie","segments":[{"label":"stale","value":7}]}},{"type":"divider"}`,
			"Stale\nchild\nL\ncell\n**md**\nTrend\nstale 7",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, slacktest.PlainText(json.RawMessage("["+tt.blocks+"]"))); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := slacktest.PlainText(nil); got != "" {
		t.Errorf("nothing reads as %q", got)
	}
}

func TestControlsAreListedWhereverTheyStand(t *testing.T) {
	t.Parallel()
	blocks := json.RawMessage(`[
		{"type":"section","block_id":"s","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"static_select","action_id":"pick","placeholder":{"type":"plain_text","text":"Which?"},
		 "option_groups":[{"label":{"type":"plain_text","text":"g"},"options":[{"text":{"type":"plain_text","text":"A"},"value":"a"}]}]}},
		{"type":"container","block_id":"c","child_blocks":[{"type":"actions","block_id":"inner","elements":[{"type":"button","action_id":"go","value":"v","style":"danger","url":"https://x.test",
		 "text":{"type":"plain_text","text":"Go"},"visible_to_user_ids":["U1"],
		 "confirm":{"title":{"type":"plain_text","text":"T"},"text":{"type":"mrkdwn","text":"Q"},"confirm":{"type":"plain_text","text":"Y"},"deny":{"type":"plain_text","text":"N"}}}]}]},
		{"type":"data_table","block_id":"d","rows":[[],[{"type":"action_cell","element":{"type":"button","action_id":"keep","text":{"type":"plain_text","text":"Keep"}}}]]},
		{"type":"input","block_id":"i","optional":true,"label":{"type":"plain_text","text":"Reason"},"element":{"type":"plain_text_input","action_id":"reason","multiline":true}}]`)
	want := []slacktest.Control{
		{Type: "static_select", BlockID: "s", ActionID: "pick", Text: "Which?", Options: []slacktest.Option{{Text: "A", Value: "a"}}},
		{
			Type: "button", BlockID: "inner", ActionID: "go", Text: "Go", Value: "v", URL: "https://x.test", Style: "danger",
			Confirm: &slacktest.Confirm{Title: "T", Text: "Q", Confirm: "Y", Deny: "N"}, VisibleTo: []string{"U1"},
		},
		{Type: "button", BlockID: "d", ActionID: "keep", Text: "Keep"},
		{Type: "plain_text_input", BlockID: "i", ActionID: "reason", Text: "Reason", Optional: true, Multiline: true},
	}
	if diff := cmp.Diff(want, slacktest.Controls(blocks)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[1:3], slacktest.Buttons(blocks)); diff != "" {
		t.Error(diff)
	}
	if got := slacktest.Buttons(json.RawMessage(`{"not":"an array"}`)); got != nil {
		t.Errorf("got %+v", got)
	}
}
