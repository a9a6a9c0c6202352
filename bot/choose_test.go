package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// handing makes the request one that hands over two of Ben's duties: a level
// that nobody takes yet and where others stay, and a seat that Ines is proposed for.
func handing(r *lifecycle.Request) {
	r.Duties = []lifecycle.Duty{
		{Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: "PCRIT", Name: "Payments-Crit"}, Level: 2, Team: paymentsTeam.ID, Others: []lifecycle.AccountID{"POMAR"}},
		{Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: "PSCHED", Name: "Payments primary"}, Team: paymentsTeam.ID},
	}
	for _, name := range []string{"Ines", "Marco", "Omar"} {
		id := lifecycle.AccountID("P" + strings.ToUpper(name))
		r.Candidates = append(r.Candidates, lifecycle.Candidate{AccountCard: lifecycle.AccountCard{ID: id, Name: name, Email: strings.ToLower(name) + "@acme.test"}, Reachable: true})
	}
	r.Changes = []lifecycle.Change{
		{ID: "chg_level", Op: lifecycle.OpHandover, Entitlement: r.Duties[0].Entitlement(), From: "PBEN", State: lifecycle.ChangePlanned},
		{ID: "chg_seat", Op: lifecycle.OpHandover, Entitlement: r.Duties[1].Entitlement(), From: "PBEN", To: "PINES", Successor: r.Candidates[0].AccountCard, State: lifecycle.ChangePlanned},
		{ID: "chg_team", Op: lifecycle.OpRevoke, Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamResponder), From: "responder", State: lifecycle.ChangePlanned},
	}
}

// goesTo returns who takes over, by change.
func goesTo(r lifecycle.Request) map[lifecycle.ChangeID]string {
	to := map[lifecycle.ChangeID]string{}
	for _, c := range r.Changes {
		if c.Op == lifecycle.OpHandover {
			to[c.ID] = c.To
		}
	}
	return to
}

// choosing lets Marco press Choose, and returns his modal.
func (h *house) choosing(t testing.TB, r lifecycle.Request) slacktest.View {
	t.Helper()
	h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionChoose)
	v := h.awaitModal(t, marco)
	if v.CallbackID != bot.ModalChoose {
		t.Fatalf("modal is %s", v.CallbackID)
	}
	return v
}

func (h *house) submit(t testing.TB, values map[string]any) map[string]string {
	t.Helper()
	red, err := h.Submit(t.Context(), marco, values)
	if err != nil {
		t.Fatal(err)
	}
	return red
}

func TestAnOwnerChoosesWhoTakesOverAndApprovesThat(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1", handing)
		v := h.choosing(t, r)
		if got := v.Values["replacement"]["replacement"]; len(got) > 0 {
			t.Errorf("%q stands in for the level that nobody was found for", got)
		}
		if got := v.Values["replacement_2"]["replacement"]; !cmp.Equal(got, []string{"PINES"}) {
			t.Errorf("the proposal for the seat is %q", got)
		}
		if red := h.submit(t, nil); !cmp.Equal(red, map[string]string{"replacement": "Please complete this required field."}) {
			t.Errorf("what stands in red: %v", red)
		}
		if red := h.submit(t, map[string]any{"replacement": lifecycle.NoSuccessor, "replacement_2": "PMARCO"}); len(red) > 0 {
			t.Fatalf("what stands in red: %v", red)
		}
		want := map[lifecycle.ChangeID]string{"chg_level": lifecycle.NoSuccessor, "chg_seat": "PMARCO"}
		got := h.store.request(r.ID)
		if diff := cmp.Diff(want, goesTo(got)); diff != "" {
			t.Errorf("who takes over (-want +got):\n%s", diff)
		}
		if got.State != lifecycle.Pending || got.Chosen.By != "marco@acme.test" || got.Chosen.Via != lifecycle.ViaSlack {
			t.Errorf("request is %s, chosen by %+v", got.State, got.Chosen)
		}
		h.await(t, "the plan on the card", func() bool {
			return strings.Contains(slacktest.PlainText(h.Messages(payments)[0].Blocks), "→ *Marco*")
		})
		h.press(t, marco, payments, h.Messages(payments)[0].TS, bot.ActionApprove)
		h.awaitState(t, r.ID, lifecycle.Approved)
		h.clean(t)
	})
}

func TestApproveAsksFirstForWhoeverIsMissing(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1", handing)
		h.press(t, marco, payments, h.card(t, payments, r, ""), bot.ActionApprove)
		if v := h.awaitModal(t, marco); v.CallbackID != bot.ModalChoose {
			t.Errorf("modal is %s", v.CallbackID)
		}
		if got := h.store.request(r.ID); got.State != lifecycle.Pending {
			t.Errorf("request is %s", got.State)
		}
		h.clean(t)
	})
}

func TestAChoiceThatCannotBeIsSaidWhereItWasMade(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1", handing)
		h.choosing(t, r)
		h.store.change(func(m *memory) { // Marco cannot be on call any more
			is := m.requests[r.ID]
			is.Candidates = is.Candidates[:1]
			m.requests[r.ID] = is
		})
		red := h.submit(t, map[string]any{"replacement": "PINES", "replacement_2": "PMARCO"})
		want := map[string]string{"replacement_2": "PMARCO is not among those who could take over a seat in Payments primary."}
		if diff := cmp.Diff(want, red); diff != "" {
			t.Errorf("what stands in red (-want +got):\n%s", diff)
		}
		if red := h.submit(t, map[string]any{"replacement_2": "PINES"}); len(red) > 0 {
			t.Errorf("corrected: %v", red)
		}
		if got := goesTo(h.store.request(r.ID)); got["chg_level"] != "PINES" || got["chg_seat"] != "PINES" {
			t.Errorf("who takes over: %v", got)
		}
		h.clean(t)
	})
}

func TestAModalThatWasOvertakenSaysWhatMoved(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(*house, lifecycle.Request) error
		words     []string
	}{
		"somebody else chose": {func(h *house, r lifecycle.Request) error {
			_, err := lifecycle.NewApprovals(h.store, h.store, h.clock.Now).Choose(context.Background(), lifecycle.Choice{
				Request: r.ID, Seen: 1, By: h.store.identities["idn_ines"], Via: lifecycle.ViaSlack,
				Successors: map[lifecycle.ChangeID]lifecycle.AccountID{"chg_level": "POMAR", "chg_seat": "PMARCO"},
			})
			return err
		}, []string{"level 2 of Payments-Crit goes to Omar now; a seat in Payments primary goes to Marco now", "Nothing of what you chose was kept."}},
		"it was denied": {func(h *house, r lifecycle.Request) error {
			_, err := lifecycle.NewApprovals(h.store, h.store, h.clock.Now).Decide(context.Background(), lifecycle.Press{
				Request: r.ID, Seen: 1, By: h.store.identities["idn_ines"], Verdict: lifecycle.Deny, Reason: "He stays.", Via: lifecycle.ViaSlack,
			})
			return err
		}, []string{"This request is already denied, by ines@acme.test"}},
		"it is about other things": {func(h *house, r lifecycle.Request) error {
			h.store.change(func(m *memory) {
				is := m.requests[r.ID]
				is.Changes = is.Changes[1:]
				m.requests[r.ID] = is
			})
			return nil
		}, []string{"what is to be handed over has changed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			r := h.open("req_1", handing)
			h.choosing(t, r)
			if err := tt.meanwhile(h, r); err != nil {
				t.Fatal(err)
			}
			before := goesTo(h.store.request(r.ID))
			if red := h.submit(t, map[string]any{"replacement": "PMARCO", "replacement_2": "PINES"}); len(red) > 0 {
				t.Fatalf("what stands in red: %v", red)
			}
			v, open := h.Modal(marco)
			text := slacktest.PlainText(v.Blocks)
			for _, words := range tt.words {
				if !open || !strings.Contains(text, words) {
					t.Errorf("the modal lacks %q: %q", words, text)
				}
			}
			if diff := cmp.Diff(before, goesTo(h.store.request(r.ID))); diff != "" {
				t.Errorf("what was overtaken counted (-before +after):\n%s", diff)
			}
			h.clean(t)
		})
	}
}

func TestWhoMayNotDecideDoesNotChooseEither(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1", handing)
	h.press(t, omar, payments, h.card(t, payments, r, ""), bot.ActionChoose)
	h.awaitTold(t, omar, "Only ines@acme.test or marco@acme.test can decide this.")
	if _, open := h.Modal(omar); open {
		t.Error("a modal opened for somebody who may not decide")
	}
	if n := h.store.recorded(lifecycle.EventRequestRefused); n != 1 {
		t.Errorf("%d attempts are on the record, want 1", n)
	}
}

// done makes the request one that took Ben's role away, and was checked.
func done(r *lifecycle.Request) {
	drift(r)
	r.Kind, r.Why.Find, r.State, r.Revision = lifecycle.RequestMover, "", lifecycle.Done, 4
	r.Changes[0].State, r.Changes[0].VerifiedAt = lifecycle.ChangeVerified, today
}

func TestWhatWasDoneIsTakenBackWithAReason(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1", done)
		ts := h.card(t, payments, r, "")
		h.press(t, omar, payments, ts, bot.ActionUndo)
		h.awaitTold(t, omar, "can decide this")
		h.press(t, marco, payments, ts, bot.ActionUndo)
		v := h.awaitModal(t, marco)
		if text := slacktest.PlainText(v.Blocks); v.CallbackID != bot.ModalUndo || !strings.Contains(text, "*Is put back*\n• joins Payments as manager") {
			t.Errorf("modal %s says %q", v.CallbackID, text)
		}
		if red := h.submit(t, map[string]any{"reason": "  "}); !cmp.Equal(red, map[string]string{"reason": "Say why, in a sentence. It goes on the record."}) {
			t.Errorf("what stands in red: %v", red)
		}
		if red := h.submit(t, map[string]any{"reason": "It was the wrong Ben."}); len(red) > 0 {
			t.Fatalf("what stands in red: %v", red)
		}
		h.awaitTold(t, marco, "Noted. Ben: undo, joins Payments as manager · approved since")
		undo := h.store.undoOf(r.ID)
		if undo.State != lifecycle.Approved || len(undo.Decisions) != 1 || undo.Decisions[0].Reason != "It was the wrong Ben." || undo.Decisions[0].By != "marco@acme.test" {
			t.Errorf("the undo is %s with %+v", undo.State, undo.Decisions)
		}
		h.clock.forward(time.Minute)
		h.press(t, marco, payments, ts, bot.ActionUndo)
		h.awaitTold(t, marco, "This is undone already, or about to be, by request")
		h.clean(t)
	})
}

// undoOf returns the request that undoes the one with that id.
func (m *memory) undoOf(id lifecycle.RequestID) lifecycle.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.requests {
		if r.Undoes == id {
			return r
		}
	}
	return lifecycle.Request{}
}
