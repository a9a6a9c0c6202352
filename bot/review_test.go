package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// stale are n findings alike about accounts on Payments.
func stale(n int) []lifecycle.Finding {
	all := make([]lifecycle.Finding, n)
	for i := range all {
		all[i] = lifecycle.Finding{
			ID: lifecycle.FindingID(fmt.Sprintf("fnd_%026d", i)), Kind: lifecycle.FoundStale, Severity: lifecycle.SeverityLow,
			Account:     lifecycle.AccountCard{ID: lifecycle.AccountID(fmt.Sprint("PACC", i)), Email: fmt.Sprintf("p%03d@acme.test", i), Name: fmt.Sprintf("Person %02d", i), BaseRole: lifecycle.RoleResponder},
			Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamResponder), From: "responder", Since: today.Add(-time.Hour), Source: "roll call",
			Note: "has not signed in for 120 days.", Proxy: "PagerDuty analytics, up to 24 h old",
		}
	}
	return all
}

// dig puts findings up in Marco's digest, and returns where that stands.
func (h *house) dig(t testing.TB, found []lifecycle.Finding) (channel, ts string) {
	t.Helper()
	h.store.change(func(m *memory) {
		m.found = found
		for _, f := range found {
			m.accounts = append(m.accounts, lifecycle.Account{ID: f.Account.ID, Email: f.Account.Email, Name: f.Account.Name, BaseRole: f.Account.BaseRole, Teams: []lifecycle.Membership{{Team: paymentsTeam, Role: lifecycle.TeamResponder}}})
		}
		for _, email := range []string{"marco@acme.test", "ines@acme.test"} {
			m.digests[email] = today.Add(-25 * time.Hour)
		}
	})
	if err := h.bot.Handlers()[lifecycle.JobDigests](t.Context(), lifecycle.Attempt{}); err != nil {
		t.Fatal(err)
	}
	channel = h.DirectMessage(marco)
	all := h.Messages(channel)
	if len(all) != 1 {
		t.Fatalf("Marco was told %d things", len(all))
	}
	return channel, all[0].TS
}

func TestAFindingIsDecidedWhereItStands(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		action string
		what   lifecycle.Review
		power  lifecycle.BaseRole
		modal  string
		fill   map[string]any
	}{
		"reduce in one click":           {bot.ActionReduce, lifecycle.ReviewReduce, lifecycle.RoleResponder, "", nil},
		"revoke in one click":           {bot.ActionRevoke, lifecycle.ReviewRevoke, lifecycle.RoleResponder, "", nil},
		"keep says why and until when":  {bot.ActionKeep, lifecycle.ReviewKeep, lifecycle.RoleResponder, bot.ModalKeep, map[string]any{"reason": "Covers August.", "until": "2026-06-30"}},
		"great power is taken with why": {bot.ActionRevoke, lifecycle.ReviewRevoke, lifecycle.RoleAdmin, bot.ModalRevoke, map[string]any{"reason": "Nobody needs it."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			found := stale(1)
			found[0].Account.BaseRole = tt.power
			channel, ts := h.dig(t, found)
			h.press(t, marco, channel, ts, tt.action)
			if tt.modal != "" {
				if v := h.awaitModal(t, marco); v.CallbackID != tt.modal || !strings.Contains(slacktest.PlainText(v.Blocks), "has not signed in for 120 days.") {
					t.Errorf("the modal is %s: %s", v.CallbackID, slacktest.PlainText(v.Blocks))
				}
				if red, err := h.Submit(t.Context(), marco, tt.fill); err != nil || len(red) > 0 {
					t.Fatal(red, err)
				}
			}
			h.await(t, "it is decided", func() bool {
				return slices.ContainsFunc(h.reviews.Asked(), func(v lifecycle.Verdicts) bool { return v.Reason == fmt.Sprint(tt.fill["reason"]) || tt.fill == nil })
			})
			all := h.reviews.Asked()
			v := all[len(all)-1]
			if v.What != tt.what || v.By.ID != "idn_marco" || v.Via != lifecycle.ViaSlack || v.Shown.IsZero() || len(v.Findings) != 1 {
				t.Errorf("decided %+v", v)
			}
			if tt.what == lifecycle.ReviewKeep && !v.Until.Equal(time.Date(2026, 6, 30, 23, 59, 59, 0, time.UTC)) {
				t.Errorf("kept until %s", v.Until)
			}
			h.await(t, "the digest says who decided", func() bool {
				m, _ := h.Message(channel, ts)
				return m.Edited && strings.Contains(slacktest.PlainText(m.Blocks), "<@"+marco+">") && !slices.ContainsFunc(slacktest.Buttons(m.Blocks), func(c slacktest.Control) bool { return c.ActionID == bot.ActionRevoke })
			})
			h.clean(t)
		})
	}
}

func TestTheOtherOwnersDigestSaysWhoDecided(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	channel, ts := h.dig(t, stale(1))
	theirs := h.Messages(h.DirectMessage(ines))
	h.press(t, marco, channel, ts, bot.ActionRevoke)
	h.await(t, "the digest of Ines says so", func() bool {
		m, _ := h.Message(theirs[0].Channel, theirs[0].TS)
		return strings.Contains(slacktest.PlainText(m.Blocks), "<@"+marco+"> ") && len(slacktest.Buttons(m.Blocks)) == 0
	})
	h.clean(t)
}

func TestManyAreReviewedTogether(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		found  int
		fill   map[string]any
		submit string
		ids    int
	}{
		"those that are ticked":             {12, map[string]any{"what": "revoke", "scope": "these", "picked": []string{"fnd_" + fmt.Sprintf("%026d", 3), "fnd_" + fmt.Sprintf("%026d", 7)}, "picked_2": []string{"fnd_" + fmt.Sprintf("%026d", 11)}, "reason": "Unused."}, "Revoke 3", 3},
		"all of them, said so":              {12, map[string]any{"what": "reduce", "scope": "all", "reason": "Unused."}, "Reduce 12", 12},
		"kept until a day":                  {4, map[string]any{"what": "keep", "scope": "all", "until": "2026-06-30", "reason": "Summer."}, "Keep 4", 4},
		"a hundred, of which there is more": {130, map[string]any{"what": "revoke", "scope": "all", "reason": strings.Repeat("long ", 390)}, "Revoke 100", 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			channel, ts := h.dig(t, stale(tt.found))
			h.press(t, marco, channel, ts, bot.ActionReview)
			v := h.awaitModal(t, marco)
			for block, chosen := range v.Values {
				if len(chosen[block]) > 0 && block != "until" { // the day is proposed, and nothing else
					t.Errorf("%s opens with %s chosen: %v", v.CallbackID, block, chosen)
				}
			}
			if red, err := h.Submit(t.Context(), marco, tt.fill); err != nil || len(red) > 0 {
				t.Fatal(red, err)
			}
			h.await(t, "it is asked whether that is meant", func() bool { v, ok := h.Modal(marco); return ok && v.CallbackID == bot.ModalConfirm })
			v, _ = h.Modal(marco)
			if v.Submit != tt.submit || strings.Count(slacktest.PlainText(v.Blocks), "• Person") != tt.ids || len(h.reviews.Asked()) != 0 {
				t.Errorf("it asks %q:\n%s", v.Submit, slacktest.PlainText(v.Blocks))
			}
			if red, err := h.Submit(t.Context(), marco, nil); err != nil || len(red) > 0 {
				t.Fatal(red, err)
			}
			h.awaitTold(t, marco, fmt.Sprintf("You decided %d of %d", tt.ids, tt.ids))
			got := h.reviews.Asked()
			if len(got) != 1 || len(got[0].Findings) != tt.ids || got[0].Reason != strings.TrimSpace(fmt.Sprint(tt.fill["reason"])) || !got[0].Shown.Equal(today) {
				t.Errorf("decided %d times, %+v", len(got), got)
			}
			h.await(t, "the digest is edited", func() bool { m, _ := h.Message(channel, ts); return m.Edited })
			h.clean(t)
		})
	}
}

func TestAReviewThatIsNotWholeIsHeldBack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fill map[string]any
		red  string
	}{
		"nothing was ticked":  {map[string]any{"what": "revoke", "scope": "these", "reason": "Unused."}, "scope"},
		"all, and some":       {map[string]any{"what": "revoke", "scope": "all", "picked": []string{"fnd_" + fmt.Sprintf("%026d", 0)}, "reason": "Unused."}, "scope"},
		"a day that has been": {map[string]any{"what": "keep", "scope": "all", "until": "2026-01-01", "reason": "Unused."}, "until"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			channel, ts := h.dig(t, stale(4))
			h.press(t, marco, channel, ts, bot.ActionReview)
			h.awaitModal(t, marco)
			red, err := h.Submit(t.Context(), marco, tt.fill)
			if err != nil || red[tt.red] == "" {
				t.Errorf("got %v %v", red, err)
			}
			if len(h.reviews.Asked()) > 0 {
				t.Error("something was decided")
			}
			h.clean(t)
		})
	}
}

func TestWhatCannotBeDoneIsLeftOutAndSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	found := stale(4)
	h.reviews.Held = map[lifecycle.FindingID]string{found[1].ID: "Is on call: choose who takes over on the card first."}
	h.reviews.Not = map[lifecycle.FindingID]error{found[2].ID: lifecycle.Refuse(lifecycle.ErrConflict, "Ines has decided this already.")}
	channel, ts := h.dig(t, found)
	h.press(t, marco, channel, ts, bot.ActionReview)
	h.awaitModal(t, marco)
	if red, err := h.Submit(t.Context(), marco, map[string]any{"what": "revoke", "scope": "all", "reason": "Unused."}); err != nil || len(red) > 0 {
		t.Fatal(red, err)
	}
	h.await(t, "it is asked whether that is meant", func() bool { v, ok := h.Modal(marco); return ok && v.CallbackID == bot.ModalConfirm })
	v, _ := h.Modal(marco)
	if text := slacktest.PlainText(v.Blocks); v.Submit != "Revoke 3" || !strings.Contains(text, "*Left out* (1)\n• Person 01: Is on call") {
		t.Errorf("%s\n%s", v.Submit, text)
	}
	if _, err := h.Submit(t.Context(), marco, nil); err != nil {
		t.Fatal(err)
	}
	h.awaitTold(t, marco, "You decided 2 of 3: revoke.")
	h.awaitTold(t, marco, "Ines has decided this already.")
	h.clean(t)
}

func TestABundleIsOnlyForWhoCanDecideIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	channel, ts := h.dig(t, stale(4))
	m, _ := h.Message(channel, ts)
	value := ""
	for _, c := range slacktest.Buttons(m.Blocks) {
		value = c.Value
	}
	_, copied, err := h.api.PostMessageContext(t.Context(), payments, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(
		slack.NewActionBlock("a", slack.NewButtonBlockElement(bot.ActionReview, value, slack.NewTextBlockObject(slack.PlainTextType, "Review", false, false)))))
	if err != nil {
		t.Fatal(err)
	}
	h.press(t, omar, payments, copied, bot.ActionReview)
	h.awaitTold(t, omar, "Nothing of this is yours to decide now")
	h.press(t, ines, payments, copied, bot.ActionReview)
	h.awaitModal(t, ines)
	h.clean(t)
}
