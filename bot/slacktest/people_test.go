package slacktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"rolecall/bot/slacktest"
)

// An app that opens a modal on approve and updates the card on submission: the whole way round with real clients.
func TestAPressOpensAModalAndTheSubmissionUpdatesTheCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	channel, ts := w.post(t, payments, slack.MsgOptionText("Ben asks", false), slack.MsgOptionBlocks(card()...))
	w.app(t, func(c *socketmode.Client, e socketmode.Event) {
		acking(c, e)
		press, ok := e.Data.(slack.InteractionCallback)
		switch {
		case !ok:
		case press.Type == slack.InteractionTypeBlockActions:
			if _, err := c.OpenViewContext(context.WithoutCancel(t.Context()), press.TriggerID, reasonModal(press.ActionCallback.BlockActions[0].Value)); err != nil {
				t.Error(err)
			}
		case press.Type == slack.InteractionTypeViewSubmission:
			said := press.View.State.Values["reason"]["reason"].Value
			if _, _, _, err := c.UpdateMessageContext(context.WithoutCancel(t.Context()), channel, ts, slack.MsgOptionText("Denied: "+said, false), slack.MsgOptionBlocks()); err != nil {
				t.Error(err)
			}
		}
	})

	if _, err := w.Press(soon(t), marco, channel, ts, "request.deny.v1"); err != nil {
		t.Fatal(err)
	}
	open := func() bool { _, ok := w.Modal(marco); return ok }
	if err := w.Until(soon(t), open); err != nil {
		t.Fatal(err)
	}
	if errs, err := w.Submit(soon(t), marco, map[string]any{"reason": "left the team"}); err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	if err := w.Until(soon(t), func() bool { m, _ := w.Message(channel, ts); return m.Text == "Denied: left the team" }); err != nil {
		t.Fatal(err)
	}
	if m, _ := w.Message(channel, ts); m.Blocks != nil || !m.Edited {
		t.Errorf("the card still has blocks or is not edited: %+v", m)
	}
	if _, err := w.Press(soon(t), marco, channel, ts, "request.deny.v1"); !errors.Is(err, slacktest.ErrImpossible) {
		t.Errorf("pressing a button that is gone: %v", err)
	}
	if found := w.Violations(); len(found) > 0 {
		t.Errorf("violations: %+v", found)
	}
}

func reasonModal(id string) slack.ModalViewRequest {
	input := slack.NewInputBlock("reason", plain("Reason"), nil, slack.NewPlainTextInputBlockElement(nil, "reason"))
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("Deny"), Submit: plain("Deny"), Close: plain("Back"),
		PrivateMetadata: id, CallbackID: "deny", Blocks: slack.Blocks{BlockSet: []slack.Block{input}},
	}
}

// pressIn posts a message of one block in payments and presses in it; it returns what the app was sent.
func pressIn(t *testing.T, w *world, block slack.Block, user, action string, choices ...slacktest.Choice) (slack.InteractionCallback, error) {
	t.Helper()
	seen := make(chan slack.InteractionCallback, 1)
	w.app(t, func(c *socketmode.Client, e socketmode.Event) {
		acking(c, e)
		if said, ok := e.Data.(slack.InteractionCallback); ok {
			seen <- said
		}
	})
	_, ts := w.post(t, payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(block))
	if _, err := w.Press(soon(t), user, payments, ts, action, choices...); err != nil {
		return slack.InteractionCallback{}, err
	}
	return <-seen, nil
}

func TestAPressCarriesTheWholeMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := pressIn(t, w, card()[1], marco, "request.approve.v1")
	if err != nil {
		t.Fatal(err)
	}
	act := got.ActionCallback.BlockActions[0]
	if act.Type != "button" || act.BlockID != "decide" || act.Value != "req_1" || act.Text.Text != "Approve" || act.ActionTs == "" {
		t.Errorf("got action %+v", act)
	}
	if got.User.ID != marco || got.User.TeamID != "T0ACME" || got.Team.Domain != "acme" || got.APIAppID != "A0ROLECALL" || got.TriggerID == "" || got.ResponseURL == "" {
		t.Errorf("got %+v", got)
	}
	if got.Container.MessageTs != got.Message.Timestamp || got.Container.ChannelID != payments || got.Container.IsEphemeral || got.Channel.Name != "payments" {
		t.Errorf("got container %+v", got.Container)
	}
	if got.Message.User != "U0ROLECALL" || got.Message.BotID != "B0ROLECALL" || len(got.Message.Blocks.BlockSet) != 1 {
		t.Errorf("got message %+v", got.Message)
	}
}

func TestChoicesTravelInTheFieldOfTheirElement(t *testing.T) {
	t.Parallel()
	options := []*slack.OptionBlockObject{slack.NewOptionBlockObject("a", plain("A"), nil), slack.NewOptionBlockObject("b", plain("B"), nil)}
	for name, tt := range map[string]struct {
		element slack.BlockElement
		pick    []string
		check   func(*slack.BlockAction) bool
	}{
		"overflow": {
			slack.NewOverflowBlockElement("e", options...),
			[]string{"b"},
			func(a *slack.BlockAction) bool { return a.SelectedOption.Value == "b" && a.Type == "overflow" },
		},
		"select": {
			slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, "e", options...),
			[]string{"a"},
			func(a *slack.BlockAction) bool { return a.SelectedOption.Text.Text == "A" },
		},
		"select emptied": {
			slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, "e", options...), nil,
			func(a *slack.BlockAction) bool { return a.SelectedOption.Value == "" },
		},
		"checkboxes": {
			slack.NewCheckboxGroupsBlockElement("e", options...),
			[]string{"a", "b"},
			func(a *slack.BlockAction) bool { return len(a.SelectedOptions) == 2 },
		},
		"radio buttons": {
			slack.NewRadioButtonsBlockElement("e", options...),
			[]string{"b"},
			func(a *slack.BlockAction) bool { return a.SelectedOption.Value == "b" },
		},
		"people": {
			slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, "e"),
			[]string{ines},
			func(a *slack.BlockAction) bool { return a.SelectedUser == ines },
		},
		"several people": {
			slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeUser, nil, "e"),
			[]string{ines, marco},
			func(a *slack.BlockAction) bool { return len(a.SelectedUsers) == 2 },
		},
		"a channel": {
			slack.NewOptionsSelectBlockElement(slack.OptTypeChannels, nil, "e"),
			[]string{payments},
			func(a *slack.BlockAction) bool { return a.SelectedChannel == payments },
		},
		"a conversation": {
			slack.NewOptionsSelectBlockElement(slack.OptTypeConversations, nil, "e"),
			[]string{payments},
			func(a *slack.BlockAction) bool { return a.SelectedConversation == payments },
		},
		"a date": {
			slack.NewDatePickerBlockElement("e"),
			[]string{"2026-06-30"},
			func(a *slack.BlockAction) bool { return a.SelectedDate == "2026-06-30" },
		},
		"a time": {
			slack.NewTimePickerBlockElement("e"),
			[]string{"09:30"},
			func(a *slack.BlockAction) bool { return a.SelectedTime == "09:30" },
		},
		"a moment": {
			slack.NewDateTimePickerBlockElement("e"),
			[]string{"1767225600"},
			func(a *slack.BlockAction) bool { return a.SelectedDateTime == 1767225600 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := pressIn(t, newWorld(t), slack.NewActionBlock("b", tt.element), marco, "e", slacktest.Pick(tt.pick...))
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(got.ActionCallback.BlockActions[0]) {
				t.Errorf("got %+v", got.ActionCallback.BlockActions[0])
			}
			held := got.BlockActionState.Values["b"]["e"]
			if act := got.ActionCallback.BlockActions[0]; act.Type != "overflow" && !tt.check(&held) {
				t.Errorf("the state does not hold it: %+v", held)
			}
		})
	}
}

func TestPressingWhatCannotBePressed(t *testing.T) {
	t.Parallel()
	hidden := button("hidden", "", "Secret")
	hidden.VisibleToUserIDs = []string{ines}
	twins := slack.NewActionBlock("b", button("one", "1", "One"), hidden,
		slack.NewOverflowBlockElement("menu", slack.NewOptionBlockObject("a", plain("A"), nil)))
	for name, tt := range map[string]struct {
		user, action string
		choices      []slacktest.Choice
		ok           bool
	}{
		"by a member":                  {user: marco, action: "one", ok: true},
		"by one of those who see it":   {user: ines, action: "hidden", ok: true},
		"an element that is not there": {user: marco, action: "two"},
		"a value that is not there":    {user: marco, action: "one", choices: []slacktest.Choice{slacktest.WithValue("2")}},
		"a block that is not there":    {user: marco, action: "one", choices: []slacktest.Choice{slacktest.InBlock("c")}},
		"what is shown to others only": {user: marco, action: "hidden"},
		"a menu without a choice":      {user: marco, action: "menu"},
		"what the menu does not offer": {user: marco, action: "menu", choices: []slacktest.Choice{slacktest.Pick("z")}},
		"by a guest who is not in it":  {user: guest, action: "one"},
		"by a stranger":                {user: stranger, action: "one"},
		"by somebody deactivated":      {user: gone, action: "one"},
		"by the bot":                   {user: "U0ROLECALL", action: "one"},
		"by nobody":                    {user: "U0NOBODY", action: "one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := pressIn(t, w, twins, tt.user, tt.action, tt.choices...)
			if errors.Is(err, slacktest.ErrImpossible) == tt.ok || (tt.ok && err != nil) {
				t.Errorf("got %v", err)
			}
			if !tt.ok && len(w.Deliveries("")) > 0 {
				t.Error("the app was told")
			}
		})
	}
}

func TestTwinsAreToldApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, acking)
	_, ts := w.post(t, payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(
		slack.NewActionBlock("a", button("go", "1", "One")), slack.NewActionBlock("b", button("go", "2", "Two"))))
	if _, err := w.Press(soon(t), marco, payments, ts, "go"); !errors.Is(err, slacktest.ErrImpossible) {
		t.Errorf("got %v, want to be asked which", err)
	}
	for _, choice := range []slacktest.Choice{slacktest.InBlock("b"), slacktest.WithValue("2")} {
		if _, err := w.Press(soon(t), marco, payments, ts, "go", choice); err != nil {
			t.Error(err)
		}
	}
	for _, d := range w.Deliveries(slacktest.KindInteraction) {
		if !strings.Contains(string(d.Payload), `"block_id":"b","text":{"emoji":false,"text":"Two"`) {
			t.Errorf("got %s", d.Payload)
		}
	}
}

func TestConfirmationsAreReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, acking)
	sure := button("go", "1", "Delete").WithConfirm(slack.NewConfirmationBlockObject(plain("Sure?"), mrkdwn("It is final."), plain("Yes"), plain("No")))
	_, ts := w.post(t, payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(slack.NewActionBlock("a", sure)))
	out, err := w.Press(soon(t), marco, payments, ts, "go")
	if err != nil || out.Confirm != "It is final." {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestAPressThatIsNotAcknowledgedIsAnErrorForThePerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, impatient)
	w.app(t, func(*socketmode.Client, socketmode.Event) {})
	_, ts := w.post(t, payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(card()...))
	if _, err := w.Press(soon(t), marco, payments, ts, "request.approve.v1"); !errors.Is(err, slacktest.ErrNotAcknowledged) {
		t.Errorf("got %v, want ErrNotAcknowledged", err)
	}
}

func TestPressingInEphemeralMessagesAndHomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, acking)
	if _, err := w.api.PostEphemeralContext(t.Context(), payments, marco, slack.MsgOptionText("psst", false), slack.MsgOptionBlocks(card()...)); err != nil {
		t.Fatal(err)
	}
	ts := w.Ephemerals(marco)[0].TS
	if _, err := w.Press(soon(t), ines, payments, ts, "request.approve.v1"); !errors.Is(err, slacktest.ErrImpossible) {
		t.Errorf("somebody else pressed: %v", err)
	}
	if _, err := w.Press(soon(t), marco, payments, ts, "request.approve.v1"); err != nil {
		t.Fatal(err)
	}
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: card()}}
	if _, err := w.api.PublishView(marco, home, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PressHome(soon(t), marco, "request.approve.v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PressHome(soon(t), ines, "request.approve.v1"); !errors.Is(err, slacktest.ErrImpossible) {
		t.Errorf("pressed in a home that is not there: %v", err)
	}
	sent := w.Deliveries(slacktest.KindInteraction)
	if first := string(sent[0].Payload); strings.Contains(first, `"message":`) || !strings.Contains(first, `"is_ephemeral":true`) {
		t.Errorf("an ephemeral message is not repeated: %s", first)
	}
	if second := string(sent[1].Payload); strings.Contains(second, `"response_url"`) || !strings.Contains(second, `"container":{"type":"view"`) {
		t.Errorf("a home has no response URL: %s", second)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *slacktest.Config) { c.Commands = []string{"/rolecall"} })
	seen := make(chan slack.SlashCommand, 5)
	w.app(t, func(c *socketmode.Client, e socketmode.Event) {
		said, ok := e.Data.(slack.SlashCommand)
		if !ok {
			acking(c, e)
			return
		}
		seen <- said
		_ = c.Ack(*e.Request, map[string]any{"text": "Hello " + said.UserName})
	})
	out, err := w.Command(soon(t), ines, secret, "/rolecall", "help")
	if err != nil || out.Reply.Text != "Hello ines" || !out.Reply.Ephemeral || len(w.Ephemerals(ines)) != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	if got := <-seen; got.ChannelName != "privategroup" || got.ChannelID != secret || got.Text != "help" || got.TeamDomain != "acme" {
		t.Errorf("got %+v", got)
	}
	for name, try := range map[string][3]string{
		"where they are not":    {marco, secret, "/rolecall"},
		"that is not installed": {marco, payments, "/rollcall"},
		"when deactivated":      {gone, payments, "/rolecall"},
	} {
		if _, err := w.Command(soon(t), try[0], try[1], try[2], ""); !errors.Is(err, slacktest.ErrImpossible) {
			t.Errorf("%s: got %v, want ErrImpossible", name, err)
		}
	}
}

func TestShortcuts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, acking)
	_, ts := w.post(t, payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(card()...))
	if out, err := w.MessageShortcut(soon(t), marco, payments, ts, "show_history"); err != nil || out.TriggerID == "" || out.ResponseURL == "" {
		t.Errorf("got %+v, %v", out, err)
	}
	if out, err := w.GlobalShortcut(soon(t), marco, "request_access"); err != nil || out.TriggerID == "" || out.ResponseURL != "" {
		t.Errorf("got %+v, %v", out, err)
	}
	var got []slack.InteractionCallback
	for _, d := range w.Deliveries(slacktest.KindInteraction) {
		var one slack.InteractionCallback
		if err := json.Unmarshal(d.Payload, &one); err != nil {
			t.Fatal(err)
		}
		got = append(got, one)
	}
	if got[0].Type != slack.InteractionTypeMessageAction || got[0].CallbackID != "show_history" || got[0].Message.Timestamp != ts || got[0].Channel.ID != payments {
		t.Errorf("got %+v", got[0])
	}
	if got[1].Type != slack.InteractionTypeShortcut || got[1].CallbackID != "request_access" || got[1].Channel.ID != "" {
		t.Errorf("got %+v", got[1])
	}
	if _, err := w.MessageShortcut(soon(t), guest, payments, ts, "show_history"); !errors.Is(err, slacktest.ErrImpossible) {
		t.Errorf("got %v, want ErrImpossible", err)
	}
}

func TestSaying(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said, err := w.Say(marco, payments, "", "hello")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Say(ines, payments, said.TS, "hi"); err != nil {
		t.Fatal(err)
	}
	if got := sayings(w.Thread(payments, said.TS)); got != "hello|hi" {
		t.Errorf("got %s", got)
	}
	for name, try := range map[string][3]string{
		"where they are not":    {marco, secret, ""},
		"in the archive":        {marco, archived, ""},
		"in a thread of nobody": {marco, payments, "1.000001"},
	} {
		if _, err := w.Say(try[0], try[1], try[2], "x"); !errors.Is(err, slacktest.ErrImpossible) {
			t.Errorf("%s: got %v, want ErrImpossible", name, err)
		}
	}
}

func TestTheSidebarShowsWhatAPersonMayOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(t, marco, slack.MsgOptionText("x", false))
	for user, want := range map[string]string{
		marco: "C0PAYMENTS C0ARCHIVED C0LOBBY D0MARCO", ines: "C0PAYMENTS C0SECRET C0ARCHIVED C0LOBBY", guest: "", "U0NOBODY": "",
	} {
		var ids []string
		for _, c := range w.Channels(user) {
			ids = append(ids, c.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: got %q, want %q", user, got, want)
		}
	}
}

func TestFeedbackButtonsAreChosenByTheirValue(t *testing.T) {
	t.Parallel()
	rate := slack.NewContextActionsBlock("rate", slack.NewFeedbackButtonsBlockElement("rate",
		slack.NewFeedbackButton(plain("Good"), "good"), slack.NewFeedbackButton(plain("Bad"), "bad")))
	got, err := pressIn(t, newWorld(t), rate, marco, "rate", slacktest.Pick("bad"))
	if err != nil || got.ActionCallback.BlockActions[0].Value != "bad" {
		t.Errorf("got %+v, %v", got.ActionCallback, err)
	}
	if _, err := pressIn(t, newWorld(t), rate, marco, "rate"); !errors.Is(err, slacktest.ErrImpossible) {
		t.Errorf("got %v, want to be asked which", err)
	}
}

func TestInputsInModalsActOnlyWhenTheyDispatch(t *testing.T) {
	t.Parallel()
	for name, dispatch := range map[string]bool{"they do": true, "they do not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.app(t, acking)
			view := reasonModal("x")
			view.Blocks.BlockSet[0].(*slack.InputBlock).DispatchAction = dispatch
			if _, err := w.api.OpenViewContext(t.Context(), w.trigger(t), view); err != nil {
				t.Fatal(err)
			}
			_, err := w.PressModal(soon(t), marco, "reason", slacktest.Pick("so"))
			if errors.Is(err, slacktest.ErrImpossible) == dispatch {
				t.Errorf("got %v", err)
			}
			top, _ := w.Modal(marco)
			if got := len(top.Values["reason"]["reason"]) == 1; got != dispatch {
				t.Errorf("the modal holds %v", top.Values)
			}
		})
	}
}

func TestChannelsAndPeopleChangeUnderTheApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(t, payments, slack.MsgOptionText("x", false))
	if !w.ChangeChannel(payments, func(c *slacktest.Channel) { c.Archived = true }) || w.ChangeChannel("C0NONE", func(*slacktest.Channel) {}) {
		t.Error("the wrong channel changed")
	}
	if err := w.say(t.Context(), payments); code(err) != "is_archived" {
		t.Errorf("got %v, want is_archived", err)
	}
	w.AddChannel(slacktest.Channel{ID: payments, Name: "payments-2", Members: []string{"U0ROLECALL"}})
	if err := w.say(t.Context(), payments); err != nil || len(w.Messages(payments)) != 2 {
		t.Errorf("a replaced channel keeps its messages: %v, %v", w.Messages(payments), err)
	}
	u, ok := w.User(marco)
	if !ok || u.Name != "marco" || u.TeamID != "T0ACME" || len(w.Users()) != 6 {
		t.Errorf("got %+v", u)
	}
	if _, ok := w.User("U0NOBODY"); ok {
		t.Error("found nobody")
	}
	if made := w.AddUser(slacktest.User{Email: "new@acme.test"}); !strings.HasPrefix(made.ID, "U") || made.Name != "new" || made.TZ != "Etc/UTC" {
		t.Errorf("got %+v", made)
	}
}
