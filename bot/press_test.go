package bot_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func TestAnOwnerApprovesWithOneClick(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		ts := h.card(t, payments, r, "")
		out := h.press(t, marco, payments, ts, bot.ActionApprove)
		h.awaitState(t, r.ID, lifecycle.Approved)
		got := h.store.request(r.ID).Decisions
		if len(got) != 1 || got[0].ByID != "idn_marco" || got[0].Via != lifecycle.ViaSlack || got[0].Seen != 1 {
			t.Errorf("decisions are %+v, want one of Marco's, through Slack, on revision 1", got)
		}
		if out.Acked > time.Second {
			t.Errorf("acknowledged after %s", out.Acked)
		}
		if told := h.told(marco); told != "" {
			t.Errorf("Marco is told %q, want nothing: the card changes", told)
		}
		h.clean(t)
	})
}

func TestADecisionThatNeedsAReasonOpensAModal(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		adjust  func(*lifecycle.Request)
		action  string
		modal   string
		state   lifecycle.RequestState
		verdict lifecycle.Verdict
	}{
		"deny":               {func(*lifecycle.Request) {}, bot.ActionDeny, bot.ModalDeny, lifecycle.Denied, lifecycle.Deny},
		"keep a finding":     {drift, bot.ActionKeep, bot.ModalKeep, lifecycle.Denied, lifecycle.Deny},
		"approve a deletion": {deletion, bot.ActionApprove, bot.ModalApprove, lifecycle.Approved, lifecycle.Approve},
		"revoke destroys":    {func(r *lifecycle.Request) { drift(r); deletion(r) }, bot.ActionRevoke, bot.ModalRevoke, lifecycle.Approved, lifecycle.Approve},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachTransport(t, func(t *testing.T, over transport) {
				h := newHouse(t, over)
				r := h.open("req_1", tt.adjust)
				h.press(t, marco, payments, h.card(t, payments, r, ""), tt.action)
				if v := h.awaitModal(t, marco); v.CallbackID != tt.modal {
					t.Fatalf("modal is %s, want %s", v.CallbackID, tt.modal)
				}
				if got := h.store.request(r.ID).State; got != lifecycle.Pending {
					t.Fatalf("state is %s before a reason was given", got)
				}
				red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "Because I know them."})
				if err != nil || len(red) > 0 {
					t.Fatalf("submit: %v %v", red, err)
				}
				got := h.store.request(r.ID)
				if got.State != tt.state || got.Decisions[0].Verdict != tt.verdict || got.Decisions[0].Reason != "Because I know them." {
					t.Errorf("request is %s with %+v", got.State, got.Decisions)
				}
				if _, open := h.Modal(marco); open {
					t.Error("the modal is still open")
				}
				h.clean(t)
			})
		})
	}
}

func TestARevocationThatDestroysNothingIsOneClick(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1", drift)
		h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionRevoke)
		h.awaitState(t, r.ID, lifecycle.Approved)
	})
}

func TestWhoMayNotDecideIsToldPrivatelyAndAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		who, words string
		recorded   bool
	}{
		"owner of another team": {omar, "Only ines@acme.test or marco@acme.test can decide this.", true},
		"subject":               {ben, "No one decides on their own access.", true},
		"guest":                 {guest, "Guests cannot use rolecall.", false},
		"stranger":              {stranger, "Only members of this workspace can use rolecall.", false},
		"unknown":               {nobody, "Nobody with the address eve@acme.test is known", false},
	} {
		for _, action := range []string{bot.ActionApprove, bot.ActionDeny} {
			t.Run(name+" "+action, func(t *testing.T) {
				t.Parallel()
				eachTransport(t, func(t *testing.T, over transport) {
					h := newHouse(t, over)
					r := h.open("req_1")
					ts := h.card(t, payments, r, "")
					before := len(h.Messages(payments))
					h.press(t, tt.who, payments, ts, action)
					h.awaitTold(t, tt.who, tt.words)
					if got := h.store.request(r.ID); got.State != lifecycle.Pending || got.Revision != 1 {
						t.Errorf("request is %s at revision %d, want untouched", got.State, got.Revision)
					}
					if _, open := h.Modal(tt.who); open {
						t.Error("a modal opened for somebody who may not decide")
					}
					if got := h.store.recorded(lifecycle.EventRequestRefused) == 1; got != tt.recorded {
						t.Errorf("attempt on the record: %v, want %v", got, tt.recorded)
					}
					if after := len(h.Messages(payments)); after != before {
						t.Errorf("%d messages in the channel, want %d: a refusal is nobody else's business", after, before)
					}
					h.clean(t)
				})
			})
		}
	}
}

func TestSomebodyDeactivatedOrABotIsRefusedWithinAMinute(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*slacktest.User)
		words  string
	}{
		"deactivated": {func(u *slacktest.User) { u.Deleted = true }, "This Slack user is deactivated."},
		"bot":         {func(u *slacktest.User) { u.Bot = true }, "A bot cannot use rolecall."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			r := h.open("req_1", func(r *lifecycle.Request) { r.Needed = 2 })
			ts := h.card(t, payments, r, "")
			h.press(t, marco, payments, ts, bot.ActionApprove)
			h.await(t, "Marco's first press counts", func() bool { return h.store.request(r.ID).Revision == 2 })
			pressed := h.Deliveries(slacktest.KindInteraction)[0]
			h.clock.forward(61 * time.Second)
			h.ChangeUser(marco, tt.change)
			// Slack lets nobody deactivated press, but a press can be under way.
			pressed.Payload = altered(t, pressed.Payload, func(p map[string]any) { p["actions"].([]any)[0].(map[string]any)["action_ts"] = "1.2" })
			h.post(t, pressed, h.clock.Now(), 200)
			h.await(t, name+" is logged or told", func() bool {
				return h.log.count(slog.LevelError, "tell privately") > 0 || strings.Contains(h.told(marco), tt.words)
			})
			if got := h.store.request(r.ID); got.Revision != 2 {
				t.Errorf("revision is %d: the press counted", got.Revision)
			}
		})
	}
}

func TestADoubleClickIsOneDecision(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1", func(r *lifecycle.Request) { r.Needed = 2 })
		ts := h.card(t, payments, r, "")
		h.press(t, marco, payments, ts, bot.ActionApprove)
		h.press(t, marco, payments, ts, bot.ActionApprove)
		h.awaitTold(t, marco, "You have already decided on this; 1 of 2 have approved.")
		if got := h.store.request(r.ID); len(got.Decisions) != 1 || got.State != lifecycle.Pending {
			t.Errorf("request is %s with %d decisions, want pending with 1", got.State, len(got.Decisions))
		}
		h.clean(t)
	})
}

func TestARefusalStaysWhereThePressWas(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		root := h.card(t, payments, r, "")
		reply := h.card(t, payments, r, root)
		h.press(t, omar, payments, reply, bot.ActionApprove)
		h.awaitTold(t, omar, "can decide this")
		if got := h.Ephemerals(omar); len(got) != 1 || got[0].ThreadTS != root {
			t.Errorf("private lines are %+v, want one in thread %s", got, root)
		}
		dm, _, _, err := h.api.OpenConversationContext(t.Context(), openWith(omar))
		if err != nil {
			t.Fatal(err)
		}
		copied := h.card(t, dm.ID, r, "")
		h.press(t, omar, dm.ID, copied, bot.ActionApprove)
		h.await(t, "a line in the direct message", func() bool { return len(h.Messages(dm.ID)) == 2 })
		h.clean(t)
	})
}

func TestUndoAndRetry(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		holding := h.open("req_1", func(r *lifecycle.Request) { r.State = lifecycle.Holding; r.HoldUntil = today.Add(time.Hour) })
		failed := h.open("req_2", func(r *lifecycle.Request) {
			r.State = lifecycle.Failed
			r.Changes[0].State = lifecycle.ChangeFailed
		})
		h.press(t, omar, payments, h.card(t, payments, holding, ""), bot.ActionUndo)
		h.awaitTold(t, omar, "can decide this")
		h.press(t, marco, payments, h.card(t, payments, holding, ""), bot.ActionUndo)
		h.awaitState(t, holding.ID, lifecycle.Withdrawn)
		h.press(t, marco, payments, h.card(t, payments, failed, ""), bot.ActionRetry)
		h.awaitState(t, failed.ID, lifecycle.Applying)
		h.press(t, marco, payments, h.card(t, payments, failed, ""), bot.ActionRetry)
		h.awaitTold(t, marco, "There is nothing to retry")
		h.clean(t)
	})
}

func TestAFaultIsToldWithANumberAndLoggedOnce(t *testing.T) {
	t.Parallel()
	for name, break_ := range map[string]func(*memory){
		"error": func(m *memory) { m.broken = errors.New("disk full at /var/lib/secret.db") },
		"panic": func(m *memory) { m.boom = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachTransport(t, func(t *testing.T, over transport) {
				h := newHouse(t, over)
				r := h.open("req_1")
				ts := h.card(t, payments, r, "")
				h.store.change(break_)
				h.press(t, marco, payments, ts, bot.ActionApprove)
				h.awaitTold(t, marco, "Something went wrong on our side (inc_")
				told := h.told(marco)
				if strings.Contains(told, "disk") || strings.Contains(told, "store") {
					t.Errorf("Marco is told our insides: %q", told)
				}
				if n := h.log.count(slog.LevelError, "answer slack"); n != 1 {
					t.Errorf("logged %d times, want once", n)
				}
				h.store.change(func(m *memory) { m.broken, m.boom = nil, false })
				h.press(t, marco, payments, ts, bot.ActionApprove)
				h.awaitState(t, r.ID, lifecycle.Approved)
			})
		})
	}
}

func TestABrokenValueChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1")
	h.press(t, marco, payments, h.card(t, payments, lifecycle.Request{ID: "x", Revision: 1}, ""), bot.ActionApprove)
	h.awaitTold(t, marco, "does not say which request")
	h.press(t, marco, payments, h.card(t, payments, lifecycle.Request{ID: r.ID, Revision: 7}, ""), bot.ActionApprove)
	h.awaitTold(t, marco, "Revision 7 of this request does not exist")
	if got := h.store.request(r.ID); got.Revision != 1 {
		t.Errorf("revision is %d, want 1", got.Revision)
	}
}

func TestANameInARefusalIsOnlyAName(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.store.change(func(m *memory) {
		i := m.identities["idn_marco"]
		i.Slack, i.Person.Name = "U0OTHER", "Marco\u202E\u200B\n✅ <!channel>"
		m.identities["idn_marco"] = i
	})
	r := h.open("req_1")
	h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionApprove)
	h.awaitTold(t, marco, "Marco · &lt;!channel&gt; is already linked to another Slack user.")
}

func TestAButtonOfAnotherTimeIsAnswered(t *testing.T) {
	t.Parallel()
	for name, button := range map[string][2]string{
		"of a later version":                {"request.approve.v2", "req_1:1"},
		"of what rolecall can no longer do": {"access.review.v1", "req_1:1"},
		"about a request that is gone":      {bot.ActionApprove, "req_gone:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			h.open("req_1")
			_, ts, err := h.api.PostMessageContext(t.Context(), payments, slack.MsgOptionText("card", false), slack.MsgOptionBlocks(slack.NewActionBlock("a",
				slack.NewButtonBlockElement(button[0], button[1], slack.NewTextBlockObject(slack.PlainTextType, "Approve", false, false)))))
			if err != nil {
				t.Fatal(err)
			}
			h.press(t, marco, payments, ts, button[0])
			h.awaitTold(t, marco, "`/rolecall inbox`")
			if told := h.told(marco); strings.Contains(told, "went wrong") {
				t.Errorf("what is no fault is told as one: %s", told)
			}
			if got := h.store.request("req_1").State; got != lifecycle.Pending {
				t.Errorf("the request is %s", got)
			}
		})
	}
}

func TestADecisionOnWhatIsNoCardIsAnswered(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		other := h.open("req_2", deletion)
		h.ask(t, marco, "inbox")
		list := h.Ephemerals(marco)[0]
		pick := func(action string, id lifecycle.RequestID) {
			t.Helper()
			if _, err := h.Press(t.Context(), marco, payments, list.TS, action, slacktest.WithValue(string(id)+":1")); err != nil {
				t.Fatal(err)
			}
		}
		pick(bot.ActionApprove, r.ID)
		h.awaitTold(t, marco, "Noted. Ben: joins Payments as responder · approved since Sat 2 May 09:00 UTC")
		pick(bot.ActionDeny, other.ID)
		h.awaitModal(t, marco)
		if red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "Not yet."}); err != nil || len(red) > 0 {
			t.Fatalf("submit: %v %v", red, err)
		}
		h.awaitTold(t, marco, "Noted. Ben: delete the PagerDuty account for good · denied since")
		h.clean(t)
	})
}

func TestSomebodyWhoHasNotJoinedTheChannelIsStillToldThere(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		ts := h.card(t, payments, h.open("req_1"), "")
		h.Fail("chat.postEphemeral", slacktest.Fault{Error: "user_not_in_channel"})
		h.press(t, omar, payments, ts, bot.ActionApprove)
		h.awaitTold(t, omar, "can decide this")
		if n := len(h.Messages(h.DirectMessage(omar))); n != 0 {
			t.Errorf("%d direct messages as well, want none", n)
		}
	})
}

func TestWhereSlackLetsUsSayNothingPrivatelyItIsSaidInADirectMessage(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		ts := h.card(t, payments, h.open("req_1"), "")
		h.Fail("chat.postEphemeral", slacktest.Fault{Error: "user_not_in_channel"})
		h.Fail("response_url", slacktest.Fault{Status: 404})
		h.press(t, omar, payments, ts, bot.ActionApprove)
		h.await(t, "a direct message", func() bool { return strings.Contains(h.told(omar), "can decide this") })
		if dm := h.DirectMessage(omar); dm == "" || len(h.Messages(dm)) != 1 {
			t.Errorf("not one line in the direct messages: %q", h.told(omar))
		}
	})
}

func TestWhenSlackIsBusyThePersonIsToldWhen(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	ts := h.card(t, payments, h.open("req_1"), "")
	h.Fail("users.info", slacktest.Fault{RetryAfter: 30 * time.Second})
	h.press(t, marco, payments, ts, bot.ActionApprove)
	h.awaitTold(t, marco, "Slack is busy, and nothing was changed. Please do that again in 30 seconds.")
}
