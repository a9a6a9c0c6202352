package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// grouped has the policy name a Slack user group beside Marco as owner of Payments.
func grouped(t *testing.T, members ...string) *house {
	t.Helper()
	h := newHouse(t, overHTTP)
	h.AddUserGroup(slacktest.UserGroup{ID: "S0PAY", Name: "Payments on-call", Handle: "payments-oncall", Users: members})
	h.store.change(func(m *memory) {
		m.policy.Teams[0].Owners, m.policy.Teams[0].Groups = []string{"marco@acme.test"}, []lifecycle.GroupID{"S0PAY"}
	})
	h.reads(t)
	return h
}

// reads asks Slack who is in the groups.
func (h *house) reads(t *testing.T) {
	t.Helper()
	if err := h.bot.Handlers()[lifecycle.JobGroups](context.Background(), lifecycle.Attempt{}); err != nil {
		t.Fatal(err)
	}
}

func TestAGroupIsAskedByItsName(t *testing.T) {
	t.Parallel()
	h := grouped(t, ines, guest, stranger, ben)
	r := h.open("req_1")
	if err := h.bot.Handlers()[lifecycle.JobShow](t.Context(), lifecycle.Attempt{Ref: string(r.ID)}); err != nil {
		t.Fatal(err)
	}
	sent := h.Messages(payments)[0]
	card := slacktest.PlainText(sent.Blocks)
	if !strings.Contains(card, "somebody of <!subteam^S0PAY> (owns Payments)") || strings.Contains(card, ines) {
		t.Errorf("the card says:\n%s", card)
	}
	var copies []string
	h.store.change(func(m *memory) {
		for _, sent := range m.messages {
			if to, is := strings.CutPrefix(sent.Key, "dm/req_1/"); is {
				copies = append(copies, to)
			}
		}
	})
	if len(copies) != 1 || copies[0] != "marco@acme.test" {
		t.Errorf("copies were sent to %v, want to Marco alone", copies)
	}
	ts := sent.TS
	h.press(t, ben, payments, ts, bot.ActionApprove)
	h.awaitTold(t, ben, "No one decides on their own access.")
	h.press(t, ines, payments, ts, bot.ActionApprove)
	h.awaitState(t, "req_1", lifecycle.Approved)
	h.clean(t)
}

// A group in which many are is read from a listing of the workspace, and one that
// is disabled has nobody in it, at once.
func TestAGroupIsReadWholeOrNot(t *testing.T) {
	t.Parallel()
	h := grouped(t, ines)
	owners := func() string {
		p, err := h.store.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(p.Teams[0].Owners, " ")
	}
	if got := owners(); got != "marco@acme.test ines@acme.test" {
		t.Errorf("they are %s", got)
	}
	h.Fail("users.info", slacktest.Fault{Error: "internal_error", Times: 1})
	h.AddUserGroup(slacktest.UserGroup{ID: "S0PAY", Name: "Payments on-call", Handle: "payments-oncall", Users: []string{omar, lee}})
	h.reads(t)
	if got := owners(); got != "marco@acme.test ines@acme.test" {
		t.Errorf("when half of it was read they are %s", got)
	}
	h.reads(t)
	if got := owners(); got != "marco@acme.test lee@acme.test omar@acme.test" {
		t.Errorf("when all of it was read they are %s", got)
	}
	h.Fail("usergroups.list", slacktest.Fault{Error: "missing_scope", Times: 9})
	h.clock.forward(25 * time.Hour)
	h.reads(t)
	h.reads(t)
	failed := 0
	h.store.change(func(m *memory) {
		for _, e := range m.events {
			if e.Kind == lifecycle.EventGroupFailed {
				failed++
			}
		}
	})
	if got := owners(); got != "marco@acme.test" || failed != 1 {
		t.Errorf("when it cannot be read for a day they are %s, and that is said %d times", got, failed)
	}
}

func TestADisabledGroupHasNobodyInIt(t *testing.T) {
	t.Parallel()
	h := grouped(t, ines)
	h.AddUserGroup(slacktest.UserGroup{ID: "S0PAY", Name: "Payments on-call", Handle: "payments-oncall", Users: []string{ines}, Disabled: true})
	h.reads(t)
	p, err := h.store.Current(t.Context())
	if err != nil || len(p.Teams[0].Owners) != 1 {
		t.Errorf("the owners are %v, %v", p.Teams[0].Owners, err)
	}
}
