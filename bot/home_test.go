package bot_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func (h *house) homeText(user string) string {
	v, _ := h.Home(user)
	return slacktest.PlainText(v.Blocks)
}

func TestHomeIsDrawnWhenItIsOpened(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		h.open("req_1")
		for user, want := range map[string][]string{
			marco: {"Inbox", "Ben", "[Approve", "My access", "My teams", "Payments"},
			ben:   {"Nothing waits for you", "My access", "Responder"},
		} {
			if _, err := h.OpenHome(t.Context(), user); err != nil {
				t.Fatal(err)
			}
			h.await(t, "home of "+user, func() bool { _, ok := h.Home(user); return ok })
			for _, words := range want {
				if got := h.homeText(user); !strings.Contains(got, words) {
					t.Errorf("home of %s lacks %q:\n%s", user, words, got)
				}
			}
		}
		h.clean(t)
	})
}

func TestADecisionOnHomeShowsThere(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		other := h.open("req_2", func(r *lifecycle.Request) {
			r.Subject.Email, r.Subject.ID, r.Subject.Name = "zoe@acme.test", "idn_zoe", "Zoe"
		})
		h.openHome(t, marco)
		if _, err := h.PressHome(t.Context(), marco, bot.ActionApprove, slacktest.WithValue("req_1:1")); err != nil {
			t.Fatal(err)
		}
		h.awaitState(t, r.ID, lifecycle.Approved)
		h.await(t, "home without Ben's buttons", func() bool {
			v, _ := h.Home(marco)
			return !strings.Contains(string(v.Blocks), "req_1:") && strings.Contains(string(v.Blocks), "req_2:")
		})
		if _, err := h.PressHome(t.Context(), marco, bot.ActionDeny); err != nil {
			t.Fatal(err)
		}
		h.awaitModal(t, marco)
		if red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "No."}); err != nil || len(red) > 0 {
			t.Fatalf("submit: %v %v", red, err)
		}
		h.awaitState(t, other.ID, lifecycle.Denied)
		h.await(t, "an empty inbox", func() bool { return strings.Contains(h.homeText(marco), "Nothing waits for you") })
		h.clean(t)
	})
}

func TestHomeIsNotPublishedAgainUnchanged(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		h.openHome(t, marco)
		out, err := h.OpenHome(t.Context(), marco)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Redeliver(t.Context(), out.DeliveryID); err != nil {
			t.Fatal(err)
		}
		h.ask(t, marco, "inbox") // by its answer, what came before it has been worked on
		if n := len(h.Calls("views.publish")); n != 1 {
			t.Errorf("published %d times, want once", n)
		}
		h.open("req_1")
		if _, err := h.OpenHome(t.Context(), marco); err != nil {
			t.Fatal(err)
		}
		h.await(t, "the Home tab after a change", func() bool { return strings.Contains(h.homeText(marco), "[Approve") })
	})
}

func TestHomeOfAnotherReplicaIsPutRight(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.openHome(t, marco)
	other := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}
	if _, err := h.api.PublishViewContext(t.Context(), slack.PublishViewContextRequest{UserID: marco, View: other}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.OpenHome(t.Context(), marco); err != nil {
		t.Fatal(err)
	}
	h.await(t, "the inbox", func() bool { return strings.Contains(h.homeText(marco), "Inbox") })
}

func TestAnEventDeliveredAgainIsWorkedOnOnce(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		h.openHome(t, marco)
		event := h.Deliveries(slacktest.KindEvent)[0]
		h.open("req_1") // worked on again, the event would show this
		if err := h.Redeliver(t.Context(), event.ID); err != nil {
			t.Fatal(err)
		}
		h.ask(t, marco, "inbox") // and would have done so by now
		if n := len(h.Calls("views.publish")); n != 1 {
			t.Errorf("published %d times, want once", n)
		}
	})
}

func TestAnEventThatWasLostArrivesByRetry(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	h.AddGhosts(1)
	lost := 0
	for range 3 { // of two connections and a ghost, each gets its turn
		if _, err := h.OpenHome(t.Context(), ben); err != nil {
			lost++
		}
	}
	if lost != 1 {
		t.Errorf("%d of three events were lost, want the ghost's", lost)
	}
	events := h.Deliveries(slacktest.KindEvent)
	if i := slices.IndexFunc(events, func(d slacktest.Delivery) bool { return d.Error != "" }); i < 0 {
		t.Error("no event was lost")
	} else {
		h.await(t, "the retry of the lost one is acknowledged", func() bool {
			return slices.ContainsFunc(h.Deliveries(slacktest.KindEvent), func(d slacktest.Delivery) bool { return d.ID == events[i].ID && d.Error == "" })
		})
	}
}

func TestWhoIsNobodyHasNoHome(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	if _, err := h.OpenHome(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	h.await(t, "a Home tab that says why", func() bool {
		return strings.Contains(h.homeText(nobody), "Nobody with the address eve@acme.test is known")
	})
	if told := h.told(nobody); told != "" {
		t.Errorf("who only looked was told %q", told)
	}
}

func (h *house) openHome(t testing.TB, user string) {
	t.Helper()
	if _, err := h.OpenHome(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	h.await(t, "home of "+user, func() bool { _, ok := h.Home(user); return ok })
}
