package slacktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"rolecall/bot/slacktest"
)

// form is a modal with an input of every common kind.
func form() slack.ModalViewRequest {
	reason := slack.NewPlainTextInputBlockElement(nil, "reason").WithMinLength(3).WithMaxLength(5)
	options := []*slack.OptionBlockObject{
		slack.NewOptionBlockObject("8h", plain("8 hours"), nil), slack.NewOptionBlockObject("24h", plain("A day"), nil),
	}
	optional := func(b *slack.InputBlock) *slack.InputBlock { b.Optional = true; return b }
	view := slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Form"), Submit: plain("Send"), CallbackID: "form", PrivateMetadata: "req_1"}
	view.Blocks.BlockSet = []slack.Block{
		slack.NewSectionBlock(mrkdwn("Say why"), nil, nil, slack.SectionBlockOptionBlockID("intro")),
		slack.NewInputBlock("reason", plain("Reason"), nil, reason),
		optional(slack.NewInputBlock("until", plain("Until"), nil, slack.NewDatePickerBlockElement("until"))),
		optional(slack.NewInputBlock("length", plain("How long"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, "length", options...))),
		optional(slack.NewInputBlock("people", plain("These"), nil, slack.NewOptionsGroupMultiSelectBlockElement(slack.MultiOptTypeStatic, nil, "people",
			slack.NewOptionGroupBlockElement(plain("Legal"), slack.NewOptionBlockObject("ntc_1", plain("Ana"), nil), slack.NewOptionBlockObject("ntc_2", plain("Bo"), nil)),
			slack.NewOptionGroupBlockElement(plain("Sales"), slack.NewOptionBlockObject("ntc_3", plain("Cy"), nil))))),
		optional(slack.NewInputBlock("replacement", plain("Who"), nil, slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeUser, nil, "replacement"))),
	}
	return view
}

// submitter answers every submission with answer and hands the payload on.
func submitter(answer any, seen chan<- slack.InteractionCallback) func(*socketmode.Client, socketmode.Event) {
	return func(c *socketmode.Client, e socketmode.Event) {
		said, ok := e.Data.(slack.InteractionCallback)
		if !ok || said.Type != slack.InteractionTypeViewSubmission {
			acking(c, e)
			return
		}
		seen <- said
		_ = c.Ack(*e.Request, answer)
	}
}

// opened is a world whose app answers submissions with answer, and in which Marco has the form before him.
func opened(t *testing.T, answer any) (*world, chan slack.InteractionCallback) {
	t.Helper()
	w := newWorld(t)
	seen := make(chan slack.InteractionCallback, 5)
	w.app(t, submitter(answer, seen))
	if _, err := w.api.OpenViewContext(t.Context(), w.trigger(t), form()); err != nil {
		t.Fatal(err)
	}
	return w, seen
}

func TestASubmissionCarriesTheStateInSlacksShape(t *testing.T) {
	t.Parallel()
	w, seen := opened(t, nil)
	errs, err := w.Submit(soon(t), marco, map[string]any{
		"reason": "why", "until": "2026-06-30", "length": "24h", "replacement": []string{ines, marco}, "people": []string{"ntc_3", "ntc_1"},
	})
	if err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	got := (<-seen).View
	values := got.State.Values
	if picked := values["people"]["people"].SelectedOptions; len(picked) != 2 || picked[0].Text.Text != "Cy" || picked[1].Value != "ntc_1" {
		t.Errorf("of two groups were picked %+v", picked)
	}
	if values["reason"]["reason"].Value != "why" || values["until"]["until"].SelectedDate != "2026-06-30" ||
		values["length"]["length"].SelectedOption.Text.Text != "A day" ||
		!cmp.Equal(values["replacement"]["replacement"].SelectedUsers, []string{ines, marco}) {
		t.Errorf("got %+v", values)
	}
	if got.CallbackID != "form" || got.PrivateMetadata != "req_1" || got.Hash == "" || got.RootViewID != got.ID {
		t.Errorf("got %+v", got)
	}
	if len(w.Modals(marco)) > 0 {
		t.Error("the modal is still open")
	}
}

func TestSlacksFormChecksBeforeItAsksTheApp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ reason, want string }{
		"a required field left empty": {"", "complete this required field"},
		"too short":                   {"ab", "at least 3"},
		"too long, in characters":     {runes(6), "no more than 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, seen := opened(t, nil)
			errs, err := w.Submit(soon(t), marco, map[string]any{"reason": tt.reason})
			if err != nil || !strings.Contains(errs["reason"], tt.want) {
				t.Errorf("got %v, %v, want %q", errs, err, tt.want)
			}
			if top, _ := w.Modal(marco); top.Errors["reason"] != errs["reason"] {
				t.Errorf("the modal shows %v", top.Errors)
			}
			if len(seen) > 0 {
				t.Error("the app was asked")
			}
		})
	}
}

func TestWhatCannotBeEnteredIsImpossible(t *testing.T) {
	t.Parallel()
	w, _ := opened(t, nil)
	for name, values := range map[string]map[string]any{
		"an option that is not offered": {"length": "1y"},
		"a date in words":               {"until": "soon"},
		"a person who does not exist":   {"replacement": "U0NOBODY"},
		"two values for one field":      {"length": []string{"8h", "24h"}},
		"an input that is not there":    {"colour": "red"},
		"a number":                      {"reason": 7},
	} {
		if _, err := w.Submit(soon(t), marco, values); !errors.Is(err, slacktest.ErrImpossible) {
			t.Errorf("%s: got %v, want ErrImpossible", name, err)
		}
	}
	if _, err := w.Submit(soon(t), ines, nil); !errors.Is(err, slacktest.ErrImpossible) {
		t.Errorf("without a modal: got %v, want ErrImpossible", err)
	}
}

func TestAnswersToASubmission(t *testing.T) {
	t.Parallel()
	next, tooLong := simple("Next"), simple(runes(25))
	for name, tt := range map[string]struct {
		answer  any
		titles  []string // of the modals open afterwards
		errors  map[string]string
		trouble string // violation code
	}{
		"nothing closes it":               {titles: nil},
		"clear closes all":                {answer: slack.NewClearViewSubmissionResponse()},
		"update replaces it":              {answer: slack.NewUpdateViewSubmissionResponse(&next), titles: []string{"Next"}},
		"push puts one on top":            {answer: slack.NewPushViewSubmissionResponse(&next), titles: []string{"Form", "Next"}},
		"errors keep it open":             {answer: slack.NewErrorsViewSubmissionResponse(map[string]string{"reason": "No."}), titles: []string{"Form"}, errors: map[string]string{"reason": "No."}},
		"errors under a section":          {answer: slack.NewErrorsViewSubmissionResponse(map[string]string{"intro": "No."}), titles: []string{"Form"}, trouble: "invalid_errors"},
		"errors under nothing":            {answer: slack.NewErrorsViewSubmissionResponse(map[string]string{"colour": "No."}), titles: []string{"Form"}, trouble: "invalid_errors"},
		"no errors in errors":             {answer: slack.NewErrorsViewSubmissionResponse(nil), titles: []string{"Form"}, trouble: "invalid_errors"},
		"an update that Slack refuses":    {answer: slack.NewUpdateViewSubmissionResponse(&tooLong), titles: []string{"Form"}, trouble: "invalid_arguments"},
		"an action that Slack knows not":  {answer: map[string]string{"response_action": "shrug"}, titles: []string{"Form"}, trouble: "invalid_response_action"},
		"an answer that is not an object": {answer: []int{1}, titles: []string{"Form"}, trouble: "invalid_response"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := opened(t, tt.answer)
			errs, err := w.Submit(soon(t), marco, map[string]any{"reason": "why"})
			if errors.Is(err, slacktest.ErrTrouble) != (tt.trouble != "") || (err != nil && tt.trouble == "") {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(tt.errors, errs); diff != "" {
				t.Error(diff)
			}
			var titles []string
			for _, v := range w.Modals(marco) {
				titles = append(titles, v.Title)
			}
			if diff := cmp.Diff(tt.titles, titles); diff != "" {
				t.Error(diff)
			}
			if tt.trouble != "" && (len(w.Violations()) != 1 || w.Violations()[0].Code != tt.trouble) {
				t.Errorf("got violations %+v, want %s", w.Violations(), tt.trouble)
			}
		})
	}
}

func TestClosingTellsTheAppOnlyWhenItAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		notify, clear bool
		left          int
	}{
		"quietly":                    {left: 0},
		"with a word":                {notify: true},
		"with a word, the whole lot": {notify: true, clear: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.app(t, acking)
			view := simple("x")
			view.NotifyOnClose, view.ClearOnClose, view.PrivateMetadata = tt.notify, tt.clear, "kept"
			if _, err := w.api.OpenViewContext(t.Context(), w.trigger(t), view); err != nil {
				t.Fatal(err)
			}
			if err := w.CloseModal(soon(t), marco); err != nil {
				t.Fatal(err)
			}
			var closed []string
			for _, d := range w.Deliveries(slacktest.KindInteraction) {
				closed = append(closed, d.Type)
				if !strings.Contains(string(d.Payload), `"private_metadata":"kept"`) || strings.Contains(string(d.Payload), `"is_cleared":true`) != tt.clear {
					t.Errorf("got %s", d.Payload)
				}
			}
			if got := len(closed) == 1 && closed[0] == "view_closed"; got != tt.notify || len(w.Modals(marco)) > 0 {
				t.Errorf("deliveries %v, modals %d", closed, len(w.Modals(marco)))
			}
		})
	}
}

func TestInputsOfEveryKindAreChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		element string
		value   any
		want    string // part of the complaint
	}{
		"a whole number":                {`{"type":"number_input","is_decimal_allowed":false,"min_value":"1","max_value":"9"}`, "5", ""},
		"a fraction":                    {`{"type":"number_input","is_decimal_allowed":false}`, "1.5", "valid number"},
		"a fraction where it may be":    {`{"type":"number_input","is_decimal_allowed":true}`, "1.5", ""},
		"a number too small":            {`{"type":"number_input","is_decimal_allowed":false,"min_value":"1"}`, "0", "valid number"},
		"a number too large":            {`{"type":"number_input","is_decimal_allowed":false,"max_value":"9"}`, "10", "valid number"},
		"words for a number":            {`{"type":"number_input","is_decimal_allowed":false}`, "five", "valid number"},
		"an address":                    {`{"type":"email_text_input"}`, "ana@acme.test", ""},
		"words for an address":          {`{"type":"email_text_input"}`, "ana", "valid email"},
		"a URL":                         {`{"type":"url_text_input"}`, "https://x.test", ""},
		"words for a URL":               {`{"type":"url_text_input"}`, "x", "valid URL"},
		"rich text":                     {`{"type":"rich_text_input"}`, "hello", ""},
		"3001 characters without limit": {`{"type":"plain_text_input"}`, runes(3001), "no more than 3000"},
		"a list from a JSON decoder":    {`{"type":"multi_users_select"}`, []any{marco, ines}, ""},
		"nothing":                       {`{"type":"multi_users_select"}`, nil, "required"},
		"what is there from the start":  {`{"type":"static_select","options":[` + option(1) + `],"initial_option":` + option(1) + `}`, initial, ""},
		"a moment from the start":       {`{"type":"datetimepicker","initial_date_time":1767225600}`, initial, ""},
		"people from the start":         {`{"type":"multi_users_select","initial_users":["` + marco + `"]}`, initial, ""},
		"checkboxes from the start":     {`{"type":"checkboxes","options":[` + option(1) + `],"initial_options":[` + option(1) + `]}`, initial, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			block := `{"type":"input","block_id":"i","label":` + text("plain_text", "l") + `,"element":` + tt.element + `}`
			view := modal(map[string]any{"submit": rawText("Go"), "blocks": blockList(block)})
			body := fmt.Sprintf(`{"trigger_id":%q,"view":%s}`, w.trigger(t), view)
			if _, got := w.raw(t, "views.open", jsonBody, w.Config().BotToken, body); got["ok"] != true {
				t.Fatal(got)
			}
			values := map[string]any{"i": tt.value}
			if tt.value == initial {
				values = nil
			}
			errs, err := w.Submit(soon(t), marco, values)
			if err != nil || (tt.want == "") != (len(errs) == 0) || !strings.Contains(errs["i"], tt.want) {
				t.Errorf("got %v, %v, want %q", errs, err, tt.want)
			}
		})
	}
}

// initial stands for leaving an input as it was opened.
const initial = "\x00"

func TestSuggestionsAreHeldToTheLimitsOfMenus(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer  string
		offered int
		trouble bool
	}{
		"two options":     {answer: `{"options":[` + times(2, option) + `]}`, offered: 2},
		"a group":         {answer: `{"option_groups":[{"label":` + text("plain_text", "g") + `,"options":[` + option(1) + `]}]}`, offered: 1},
		"none":            {answer: `{"options":[]}`},
		"101 options":     {answer: `{"options":[` + times(101, option) + `]}`, trouble: true},
		"an option of 76": {answer: `{"options":[{"value":"v","text":` + text("plain_text", runes(76)) + `}]}`, trouble: true},
		"nothing at all":  {answer: `{}`, trouble: true},
		"null":            {answer: `null`, trouble: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.app(t, func(c *socketmode.Client, e socketmode.Event) {
				if asked, ok := e.Data.(slack.InteractionCallback); ok && asked.Type == slack.InteractionTypeBlockSuggestion {
					if asked.Value != "an" || asked.ActionID != "who" {
						t.Errorf("got %+v", asked)
					}
					_ = c.Ack(*e.Request, json.RawMessage(tt.answer))
					return
				}
				acking(c, e)
			})
			view := simple("x")
			view.Blocks.BlockSet = append(view.Blocks.BlockSet, slack.NewActionBlock("b", slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, nil, "who")))
			if _, err := w.api.OpenViewContext(t.Context(), w.trigger(t), view); err != nil {
				t.Fatal(err)
			}
			got, err := w.Suggest(soon(t), marco, "who", "an")
			if errors.Is(err, slacktest.ErrTrouble) != tt.trouble || len(got) != tt.offered {
				t.Errorf("got %v, %v", got, err)
			}
			if _, err := w.Suggest(soon(t), marco, "nobody", "an"); !errors.Is(err, slacktest.ErrImpossible) {
				t.Errorf("got %v, want ErrImpossible", err)
			}
		})
	}
}
