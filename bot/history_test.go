package bot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// settled is a request with a story.
func settled(r *lifecycle.Request) {
	r.State, r.Revision, r.UpdatedAt = lifecycle.Done, 5, today.Add(20*time.Minute)
	r.Decisions = []lifecycle.Decision{{By: "ines@acme.test", ByID: "idn_ines", Verdict: lifecycle.Approve, Reason: "She <!channel> moved.", At: today.Add(5 * time.Minute), Via: lifecycle.ViaSlack}}
	r.Changes[0].State, r.Changes[0].VerifiedAt = lifecycle.ChangeVerified, today.Add(19*time.Minute)
}

// plainCard puts up a card without buttons, as a settled one is, in thread
// unless that is "". Its metadata says what it is.
func (h *house) plainCard(t *testing.T, channel, thread, key string, request lifecycle.RequestID) string {
	t.Helper()
	options := []slack.MsgOption{slack.MsgOptionText("Done.", false), slack.MsgOptionMetadata(slack.SlackMetadata{EventType: bot.MetadataEvent, EventPayload: map[string]any{bot.MetadataKey: key}})}
	if thread != "" {
		options = append(options, slack.MsgOptionTS(thread))
	}
	_, ts, err := h.api.PostMessageContext(t.Context(), channel, options...)
	if err != nil {
		t.Fatal(err)
	}
	if request != "" {
		h.store.change(func(m *memory) {
			m.messages = append(m.messages, lifecycle.Message{Key: key, Request: request, Channel: channel, TS: ts})
		})
	}
	return ts
}

func (h *house) showHistory(t *testing.T, user, channel, ts string) {
	t.Helper()
	if _, err := h.MessageShortcut(t.Context(), user, channel, ts, bot.ShortcutHistory); err != nil {
		t.Fatal(err)
	}
}

func TestACardTellsItsHistory(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(*house, *testing.T, lifecycle.Request) string{
		"with buttons": func(h *house, t *testing.T, r lifecycle.Request) string { return h.card(t, payments, r, "") },
		"without buttons, by metadata": func(h *house, t *testing.T, r lifecycle.Request) string {
			return h.plainCard(t, payments, "", "card/x", r.ID)
		},
		"in a thread, without buttons": func(h *house, t *testing.T, r lifecycle.Request) string {
			return h.plainCard(t, payments, h.plainCard(t, payments, "", "other", ""), "note/x", r.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachTransport(t, func(t *testing.T, over transport) {
				h := newHouse(t, over)
				ts := put(h, t, h.open("req_1", settled))
				h.showHistory(t, ben, payments, ts) // whom it is about may read it
				got := slacktest.PlainText(h.awaitModal(t, ben).Blocks)
				for _, want := range []string{
					"Ben: joins Payments as responder", "`Sat 2 May 09:00 UTC` Opened. Moved to Payments. Rule payments-sre.",
					"`Sat 2 May 09:05 UTC` *ines@acme.test* approved (slack). “She &lt;!channel&gt; moved.”",
					"`Sat 2 May 09:19 UTC` joins Payments as responder: done, and read back from PagerDuty.", "Now done.",
				} {
					if !strings.Contains(got, want) {
						t.Errorf("the story lacks %q:\n%s", want, got)
					}
				}
				h.clean(t)
			})
		})
	}
}

func TestHistoryIsNotForEverybodyNorOfAnything(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1", settled)
	card := h.card(t, payments, r, "")
	h.showHistory(t, omar, payments, card)
	h.awaitTold(t, omar, "Only those who decide on it, its subject and Security can read the story of a request.")
	said, err := h.Say(ines, payments, "", "lunch?")
	if err != nil {
		t.Fatal(err)
	}
	h.showHistory(t, ines, payments, said.TS)
	h.awaitTold(t, ines, "That message is not the card of a request.")
	forged := h.plainCard(t, payments, "", "card/forged", "") // nothing of ours: the store does not know it
	h.showHistory(t, priya, payments, forged)
	h.awaitTold(t, priya, "That message is not the card of a request.")
	h.store.change(func(m *memory) { m.messages = nil })
	h.showHistory(t, marco, payments, card)
	h.awaitTold(t, marco, "That message is not the card of a request.")
	for _, user := range []string{omar, ines, priya, marco} {
		if _, open := h.Modal(user); open {
			t.Errorf("a modal opened for %s", user)
		}
	}
}

func TestEveryTurnOfAStoryIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		turn func(*lifecycle.Request)
		want []string
	}{
		"a step that failed": {func(r *lifecycle.Request) {
			settled(r)
			r.State = lifecycle.Failed
			r.Changes[0].State, r.Changes[0].Error = lifecycle.ChangeFailed, "he is a target of policy *Refunds*"
		}, []string{"failed. he is a target of policy ∗Refunds∗", "Now failed."}},
		"a handover": {func(r *lifecycle.Request) {
			settled(r)
			handing(r)
			r.Chosen = lifecycle.Chosen{By: "marco@acme.test", At: today.Add(2 * time.Minute), Via: lifecycle.ViaCLI}
			r.Changes[1].State, r.Changes[1].VerifiedAt = lifecycle.ChangeVerified, today.Add(19*time.Minute)
		}, []string{
			"`Sat 2 May 09:02 UTC` *marco@acme.test* chose who takes over (cli).", "level 2 of Payments-Crit: needs somebody: not made.",
			"`Sat 2 May 09:19 UTC` a seat in Payments primary → Ines: done, and read back from PagerDuty.",
			"`Sat 2 May 09:18 UTC` Payments primary was kept as it was, so that this can be undone.",
		}},
		"an undo": {func(r *lifecycle.Request) {
			settled(r)
			r.Undoes = "req_before"
		}, []string{"It takes back what request req_before did."}},
		"a step that is under way": {func(r *lifecycle.Request) {
			settled(r)
			r.State, r.Changes[0].State = lifecycle.Applying, lifecycle.ChangeApplied
		}, []string{"sent to PagerDuty, not read back yet."}},
		"a hold": {func(r *lifecycle.Request) {
			settled(r)
			r.State, r.HoldUntil, r.Changes[0].State = lifecycle.Holding, today.Add(10*time.Minute), lifecycle.ChangePlanned
		}, []string{"`Sat 2 May 09:10 UTC` End of the hold.", "not made.", "approved, holding until Sat 2 May 09:10 UTC"}},
		"a finding that was kept": {func(r *lifecycle.Request) {
			drift(r)
			r.State, r.Note = lifecycle.Denied, "Covers the night."
			r.Decisions = []lifecycle.Decision{{By: "marco@acme.test", Verdict: lifecycle.Deny, Reason: "Covers the night.", Until: today.AddDate(0, 1, 0), At: today, Via: lifecycle.ViaCLI}}
		}, []string{"*marco@acme.test* kept until 2 Jun 2026 (cli). “Covers the night.”"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			h.store.originals = map[lifecycle.ChangeID]lifecycle.Original{"chg_seat": {Object: lifecycle.Object{Name: "Payments primary"}, KeptAt: today.Add(18 * time.Minute)}}
			h.showHistory(t, priya, payments, h.card(t, payments, h.open("req_1", tt.turn), ""))
			got := slacktest.PlainText(h.awaitModal(t, priya).Blocks)
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("the story lacks %q:\n%s", want, got)
				}
			}
			h.clean(t)
		})
	}
}
