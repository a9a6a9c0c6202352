package slacktest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"rolecall/bot/slacktest"
)

// trigger lets a person run a command and returns the trigger it gave the app.
func (w *world) trigger(t *testing.T) string {
	t.Helper()
	if w.Connections() == 0 {
		w.app(t, acking)
	}
	out, err := w.Command(soon(t), marco, payments, "/rolecall", "")
	if err != nil {
		t.Fatal(err)
	}
	return out.TriggerID
}

// modal is a whole modal as JSON, with fields that replace or add to the usual ones.
func modal(fields map[string]any) string {
	view := map[string]any{"type": "modal", "title": json.RawMessage(text("plain_text", "t")), "blocks": []any{json.RawMessage(divider(0))}}
	for name, value := range fields {
		view[name] = value
	}
	out, err := json.Marshal(view)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func rawText(s string) json.RawMessage { return json.RawMessage(text("plain_text", s)) }

func blockList(s string) json.RawMessage { return json.RawMessage("[" + s + "]") }

func jsonInput(id, rest string) string {
	return fmt.Sprintf(`{"type":"input","block_id":%q,"label":%s,"element":{"type":"plain_text_input","action_id":"a"%s}}`, id, text("plain_text", "l"), rest)
}

func TestViewsAreHeldToSlacksLimits(t *testing.T) {
	t.Parallel()
	input := blockList(jsonInput("i", ""))
	for name, tt := range map[string]struct {
		view       string
		code, want string
	}{
		"a plain modal":             {view: modal(nil)},
		"title of 24":               {view: modal(map[string]any{"title": rawText(runes(24))})},
		"title of 25":               {modal(map[string]any{"title": rawText(runes(25))}), "invalid_arguments", "must be less than 25 characters [json-pointer:/view/title/text]"},
		"no title":                  {modal(map[string]any{"title": nil}), "invalid_arguments", "missing required field [json-pointer:/view/title]"},
		"submit of 25":              {modal(map[string]any{"submit": rawText(runes(25))}), "invalid_arguments", "/view/submit/text"},
		"close of 25":               {modal(map[string]any{"close": rawText(runes(25))}), "invalid_arguments", "/view/close/text"},
		"input and submit":          {view: modal(map[string]any{"blocks": input, "submit": rawText("Go")})},
		"input without submit":      {modal(map[string]any{"blocks": input}), "invalid_arguments", "needs a submit button"},
		"private_metadata of 3000":  {view: modal(map[string]any{"private_metadata": runes(3000)})},
		"private_metadata of 3001":  {modal(map[string]any{"private_metadata": runes(3001)}), "invalid_arguments", "/view/private_metadata"},
		"callback_id of 256":        {modal(map[string]any{"callback_id": runes(256)}), "invalid_arguments", "/view/callback_id"},
		"external_id of 256":        {modal(map[string]any{"external_id": runes(256)}), "invalid_arguments", "/view/external_id"},
		"100 blocks":                {view: modal(map[string]any{"blocks": blockList(times(100, divider))})},
		"101 blocks":                {modal(map[string]any{"blocks": blockList(times(101, divider))}), "invalid_arguments", "no more than 100 items allowed"},
		"no blocks":                 {modal(map[string]any{"blocks": nil}), "invalid_arguments", "missing required field [json-pointer:/view/blocks]"},
		"a home in views.open":      {modal(map[string]any{"type": "home"}), "invalid_arguments", "must be modal"},
		"a field that is not known": {modal(map[string]any{"size": "large"}), "invalid_arguments", "invalid additional property: size"},
		"markdown in a modal":       {modal(map[string]any{"blocks": blockList(`{"type":"markdown","text":"x"}`)}), "invalid_arguments", "unsupported type: markdown"},
		"an alert in a modal":       {view: modal(map[string]any{"blocks": blockList(`{"type":"alert","level":"warning","text":` + text("plain_text", "x") + `}`)})},
		"an alert of 201":           {modal(map[string]any{"blocks": blockList(`{"type":"alert","text":` + text("plain_text", runes(201)) + `}`)}), "invalid_arguments", "must be less than 201 characters"},
		"an unknown alert level":    {modal(map[string]any{"blocks": blockList(`{"type":"alert","level":"panic","text":` + text("plain_text", "x") + `}`)}), "invalid_arguments", "unsupported level"},
		"two elements with focus":   {modal(map[string]any{"submit": rawText("Go"), "blocks": blockList(jsonInput("i", `,"focus_on_load":true`) + "," + jsonInput("j", `,"focus_on_load":true`))}), "invalid_arguments", "focus_on_load"},
		"more than 250 kB":          {modal(map[string]any{"blocks": blockList(times(85, func(int) string { return jsonSection(runes(750)) }))}), "view_too_large", "at most 250000"},
		"not an object":             {`[]`, "invalid_arguments", "not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			body := fmt.Sprintf(`{"trigger_id":%q,"view":%s}`, w.trigger(t), tt.view)
			_, got := w.raw(t, "views.open", jsonBody, w.Config().BotToken, body)
			checkRefusal(t, got, tt.code, tt.want)
			if _, open := w.Modal(marco); open != (tt.want == "") {
				t.Errorf("a modal is open: %v", open)
			}
		})
	}
}

func simple(title string) slack.ModalViewRequest {
	return slack.ModalViewRequest{Type: slack.VTModal, Title: plain(title), Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}
}

func TestTriggersWorkOnceWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trigger := w.trigger(t)
	w.clock.Forward(3 * time.Second)
	if _, err := w.api.OpenViewContext(t.Context(), trigger, simple("in time")); err != nil {
		t.Errorf("after exactly three seconds: %v", err)
	}
	if _, err := w.api.OpenViewContext(t.Context(), trigger, simple("again")); code(err) != "exchanged_trigger_id" {
		t.Errorf("got %v, want exchanged_trigger_id", err)
	}
	late := w.trigger(t)
	w.clock.Forward(3*time.Second + time.Millisecond)
	if _, err := w.api.OpenViewContext(t.Context(), late, simple("late")); code(err) != "expired_trigger_id" {
		t.Errorf("got %v, want expired_trigger_id", err)
	}
	if _, err := w.api.OpenViewContext(t.Context(), "1.2.invented", simple("x")); code(err) != "invalid_trigger_id" {
		t.Errorf("got %v, want invalid_trigger_id", err)
	}
}

func TestAnInvalidViewDoesNotUseTheTriggerUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trigger := w.trigger(t)
	if _, err := w.api.OpenViewContext(t.Context(), trigger, simple(runes(25))); code(err) != "invalid_arguments" {
		t.Fatalf("got %v, want invalid_arguments", err)
	}
	if _, err := w.api.OpenViewContext(t.Context(), trigger, simple("short")); err != nil {
		t.Error(err)
	}
}

func TestModalsStackThreeHigh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	last := make(chan string, 10)
	w.app(t, func(c *socketmode.Client, e socketmode.Event) {
		acking(c, e)
		if press, ok := e.Data.(slack.InteractionCallback); ok {
			last <- press.TriggerID
		}
	})
	first, err := w.api.OpenViewContext(t.Context(), w.trigger(t), pressable("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.PushViewContext(t.Context(), w.trigger(t), pressable("x")); code(err) != "invalid_trigger_id" {
		t.Errorf("a push with a trigger from outside: got %v", err)
	}
	for _, tt := range []struct{ title, want string }{{"two", ""}, {"three", ""}, {"four", "push_limit_reached"}} {
		if _, err := w.PressModal(soon(t), marco, "more"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.api.PushViewContext(t.Context(), <-last, pressable(tt.title)); code(err) != tt.want {
			t.Errorf("push %s: got %v, want %q", tt.title, err, tt.want)
		}
	}
	stack := w.Modals(marco)
	if len(stack) != 3 || stack[2].Title != "three" || stack[2].RootViewID != first.ID || stack[2].PreviousViewID != stack[1].ID {
		t.Errorf("got %+v", stack)
	}
	if err := w.CloseModal(soon(t), marco); err != nil {
		t.Fatal(err)
	}
	if top, _ := w.Modal(marco); top.Title != "two" {
		t.Errorf("got %s on top, want two", top.Title)
	}
}

// pressable is a modal with one button, "more".
func pressable(title string) slack.ModalViewRequest {
	view := simple(title)
	view.Blocks.BlockSet = append(view.Blocks.BlockSet, slack.NewActionBlock("acts", button("more", "1", "More")))
	return view
}

func TestViewsAreUpdatedByIDAndHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	view := reasonModal("req_1")
	view.ExternalID = "ext-1"
	opened, err := w.api.OpenViewContext(t.Context(), w.trigger(t), view)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Fill(marco, map[string]any{"reason": "typed"}); err != nil {
		t.Fatal(err)
	}
	view.Title = plain("Changed")
	updated, err := w.api.UpdateViewContext(t.Context(), view, "", opened.Hash, opened.ID)
	if err != nil || updated.Hash == opened.Hash {
		t.Fatalf("got %+v, %v", updated, err)
	}
	if top, _ := w.Modal(marco); top.Title != "Changed" || !slices.Equal(top.Values["reason"]["reason"], []string{"typed"}) {
		t.Errorf("got %+v, want what was typed under the new title", top)
	}
	if _, err := w.api.UpdateViewContext(t.Context(), view, "", opened.Hash, opened.ID); code(err) != "hash_conflict" {
		t.Errorf("got %v, want hash_conflict", err)
	}
	if _, err := w.api.UpdateViewContext(t.Context(), view, "ext-1", "", ""); err != nil {
		t.Errorf("by external id: %v", err)
	}
	if _, err := w.api.OpenViewContext(t.Context(), w.trigger(t), view); code(err) != "duplicate_external_id" {
		t.Errorf("got %v, want duplicate_external_id", err)
	}
	if err := w.CloseModal(soon(t), marco); err != nil {
		t.Fatal(err)
	}
	if _, err := w.api.UpdateViewContext(t.Context(), view, "", "", opened.ID); code(err) != "not_found" {
		t.Errorf("got %v, want not_found", err)
	}
}

func TestHomesArePublishedWithAnOptimisticLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewHeaderBlock(plain("Inbox"))}}}
	publish := func(user, hash string) (*slack.ViewResponse, error) { return w.api.PublishView(user, home, hash) }
	first, err := publish(marco, "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := publish(marco, first.Hash)
	if err != nil || second.ID != first.ID || second.Hash == first.Hash {
		t.Fatalf("got %+v, %v", second, err)
	}
	if _, err := publish(marco, first.Hash); code(err) != "hash_conflict" {
		t.Errorf("got %v, want hash_conflict", err)
	}
	if _, err := publish("U0NOBODY", ""); code(err) != "invalid_arguments" {
		t.Errorf("got %v, want invalid_arguments", err)
	}
	if got, ok := w.Home(marco); !ok || slacktest.PlainText(got.Blocks) != "Inbox" {
		t.Errorf("got %+v", got)
	}
	if _, ok := w.Home(ines); ok {
		t.Error("Ines has a home that nobody published")
	}
	if found := w.Violations(); len(found) != 1 {
		t.Errorf("got %+v, want only the invalid user: a hash conflict is no violation", found)
	}
}
