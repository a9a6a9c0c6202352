package bot_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func TestAModalSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fill map[string]any
		want map[string]string
	}{
		"only blanks":          {map[string]any{"reason": "   "}, map[string]string{"reason": "Say why, in a sentence. It goes on the record."}},
		"an end that is today": {map[string]any{"reason": "ok", "until": "2026-05-02"}, map[string]string{"until": "Pick a day after today."}},
		"an end that is past":  {map[string]any{"reason": "ok", "until": "2025-01-01"}, map[string]string{"until": "Pick a day after today."}},
		"an end that is far":   {map[string]any{"reason": "ok", "until": "2028-01-01"}, map[string]string{"until": "Pick a day within a year. It is asked again then."}},
		"both":                 {map[string]any{"reason": " ", "until": "2025-01-01"}, map[string]string{"reason": "Say why, in a sentence. It goes on the record.", "until": "Pick a day after today."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachTransport(t, func(t *testing.T, over transport) {
				h := newHouse(t, over)
				r := h.open("req_1", drift)
				h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionKeep)
				h.awaitModal(t, marco)
				red, err := h.Submit(t.Context(), marco, tt.fill)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, red); diff != "" {
					t.Errorf("what stands in red (-want +got):\n%s", diff)
				}
				if got := h.store.request(r.ID); got.State != lifecycle.Pending {
					t.Errorf("request is %s", got.State)
				}
				// Corrected, it comes back under the same hash, and counts.
				if red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "Covers the night.", "until": "2026-07-31"}); err != nil || len(red) > 0 {
					t.Fatalf("corrected: %v %v", red, err)
				}
				want := time.Date(2026, 7, 31, 23, 59, 59, 0, time.UTC)
				if got := h.store.exceptions; len(got) != 1 || !got[0].Until.Equal(want) || got[0].Reason != "Covers the night." {
					t.Errorf("exceptions are %+v, want one until %s", got, want)
				}
				h.clean(t)
			})
		})
	}
}

func TestWhoeverLostTheirSayMeanwhileIsToldInTheModal(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionDeny)
		h.awaitModal(t, marco)
		h.store.change(func(m *memory) { m.policy.Teams[0].Owners = []string{"ines@acme.test"} })
		if red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "No."}); err != nil || len(red) > 0 {
			t.Fatalf("submit: %v %v", red, err)
		}
		v, open := h.Modal(marco)
		if text := slacktest.PlainText(v.Blocks); !open || !strings.Contains(text, "Only ines@acme.test can decide this.") {
			t.Errorf("the modal says %q", text)
		}
		if got := h.store.request(r.ID); got.State != lifecycle.Pending {
			t.Errorf("request is %s", got.State)
		}
		h.clean(t)
	})
}

func TestAModalWhoseAnswerTakesTooLongClosesAndTellsApart(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionDeny)
		h.awaitModal(t, marco)
		gate := make(chan struct{})
		h.store.change(func(m *memory) { m.slow = gate; m.policy.Teams[0].Owners = []string{"ines@acme.test"} })
		if red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "No."}); err != nil || len(red) > 0 {
			t.Fatalf("submit: %v %v", red, err)
		}
		if _, open := h.Modal(marco); open {
			t.Error("the modal is still open")
		}
		if told := h.told(marco); told != "" {
			t.Errorf("told %q before anything is known", told)
		}
		close(gate)
		h.awaitTold(t, marco, "Only ines@acme.test can decide this.")
		for _, d := range h.Deliveries(slacktest.KindInteraction) {
			if d.Error != "" || d.Took >= 3*time.Second {
				t.Errorf("%s took %s %s", d.Type, d.Took, d.Error)
			}
		}
		h.clean(t)
	})
}

func TestAReplayedModalDecidesOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1")
	h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionDeny)
	h.awaitModal(t, marco)
	if red, err := h.Submit(t.Context(), marco, map[string]any{"reason": "No."}); err != nil || len(red) > 0 {
		t.Fatalf("submit: %v %v", red, err)
	}
	h.store.change(func(m *memory) { // as if the request could be decided again
		again := m.requests[r.ID]
		again.State, again.Decisions = lifecycle.Pending, nil
		m.requests[r.ID] = again
	})
	all := h.Deliveries(slacktest.KindInteraction)
	h.post(t, all[len(all)-1], today, http.StatusOK)
	if got := h.store.request(r.ID); got.State != lifecycle.Pending {
		t.Errorf("request is %s: the replay decided", got.State)
	}
}

func TestATriggerThatRanOutIsSaid(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		ts := h.card(t, payments, r, "")
		gate := make(chan struct{})
		h.store.change(func(m *memory) { m.slow = gate })
		h.press(t, marco, payments, ts, bot.ActionDeny)
		h.clock.forward(4 * time.Second)
		close(gate)
		h.awaitTold(t, marco, "That took longer than Slack allows, and nothing was changed. Please press again.")
	})
}
