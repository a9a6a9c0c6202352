package slacktest_test

import (
	"context"
	"errors"
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
	return slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Deny"), Submit: plain("Deny"), Close: plain("Back"),
		PrivateMetadata: id, CallbackID: "deny", Blocks: slack.Blocks{BlockSet: []slack.Block{input}}}
}
