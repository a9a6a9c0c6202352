package bot_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func aboutBen(options ...lifecycle.CaseOption) lifecycle.Case {
	return lifecycle.Case{ID: "cas_1", Kind: lifecycle.CaseSuspended, Revision: 1, Source: "scim:okta", Identity: "idn_ben", Label: "Ben", Why: "scim:okta does not count them active any more.", Options: options, OpenedAt: today}
}

var (
	theyLeft  = lifecycle.CaseOption{Answer: lifecycle.AnswerLeft, Label: "They have left", Effect: "They are contained."}
	theyStay  = lifecycle.CaseOption{Answer: lifecycle.AnswerStays, Label: "They have not left", Effect: "They keep what they have."}
	lefts     = []lifecycle.CaseOption{theyLeft, theyStay}
	leftValue = slacktest.WithValue("cas_1:1:left")
	stayValue = slacktest.WithValue("cas_1:1:stays")
)

func (h *house) pressOn(t testing.TB, user, ts, action string, choices ...slacktest.Choice) {
	t.Helper()
	if _, err := h.Press(t.Context(), user, secured, ts, action, choices...); err != nil {
		t.Fatalf("%v\nlog: %s", err, h.log)
	}
}

func (h *house) fill(t testing.TB, user string, values map[string]any) map[string]string {
	t.Helper()
	red, err := h.Submit(t.Context(), user, values)
	if err != nil {
		t.Fatal(err)
	}
	return red
}

func (h *house) caseNow(id lifecycle.CaseID) (c lifecycle.Case) {
	h.store.change(func(m *memory) { c = m.cases[id] })
	return c
}

func (h *house) holdNow() (hold lifecycle.Hold) {
	h.store.change(func(m *memory) { hold = m.holds["hld_1"] })
	return hold
}

// cardText is what the card in the channel of Security says.
func (h *house) cardText(ts string) string {
	m, _ := h.Message(secured, ts)
	return slacktest.PlainText(m.Blocks)
}

func (h *house) awaitCard(t testing.TB, ts, words string) {
	t.Helper()
	h.await(t, "a card that says "+words, func() bool { return strings.Contains(h.cardText(ts), words) })
}

func TestSecurityAnswersWithOneClick(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		c := h.opened(aboutBen(lefts...))
		ts := h.shown(t, lifecycle.JobCase, string(c.ID))
		h.pressOn(t, priya, ts, bot.ActionAnswer, stayValue)
		h.awaitCard(t, ts, "Answered by <@U0PRIYA>")
		if got := h.caseNow(c.ID); got.Answer != lifecycle.AnswerStays || got.ByID != "idn_priya" || got.Via != lifecycle.ViaSlack {
			t.Errorf("the case is %+v", got)
		}
		if told := h.told(priya); told != "" {
			t.Errorf("Priya is told %q, want nothing: the card changes", told)
		}
		h.clean(t)
	})
}

func TestAnAnswerThatTakesAccessAsksWhyFirst(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		c := h.opened(aboutBen(lefts...))
		ts := h.shown(t, lifecycle.JobCase, string(c.ID))
		h.pressOn(t, priya, ts, bot.ActionAnswer, leftValue)
		if v := h.awaitModal(t, priya); v.CallbackID != bot.ModalAnswer || !strings.Contains(slacktest.PlainText(v.Blocks), "They are contained.") {
			t.Fatalf("the modal is %s: %s", v.CallbackID, slacktest.PlainText(v.Blocks))
		}
		if got := h.caseNow(c.ID); !got.Open() {
			t.Fatalf("answered %q before a reason was given", got.Answer)
		}
		if red := h.fill(t, priya, map[string]any{"reason": "  "}); red["reason"] == "" {
			t.Errorf("a blank reason stands in red: %v", red)
		}
		if red := h.fill(t, priya, map[string]any{"reason": "HR told me."}); len(red) > 0 {
			t.Fatalf("refused: %v", red)
		}
		h.awaitCard(t, ts, "Why: HR told me.")
		if got := h.caseNow(c.ID); got.Answer != lifecycle.AnswerLeft || got.Reason != "HR told me." {
			t.Errorf("the case is %+v", got)
		}
		h.clean(t)
	})
}

func TestOfManyAnswersOneIsPickedAndThenMeant(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		c := aboutBen()
		c.Kind = lifecycle.CaseAccount
		for _, id := range []string{"PA", "PB", "PC", "PD", "PE"} {
			c.Options = append(c.Options, lifecycle.CaseOption{Answer: id, Label: "Ben " + id, Effect: "It is theirs."})
		}
		h.opened(c)
		ts := h.shown(t, lifecycle.JobCase, string(c.ID))
		h.pressOn(t, priya, ts, bot.ActionAnswer)
		h.awaitTold(t, priya, "Pick an answer in the menu first.")
		h.pressOn(t, priya, ts, bot.ActionPick, slacktest.Pick("PD"))
		h.pressOn(t, lee, ts, bot.ActionPick, slacktest.Pick("PA")) // their own copy of the menu
		h.pressOn(t, priya, ts, bot.ActionAnswer)
		h.awaitCard(t, ts, "Answered by <@U0PRIYA>")
		if got := h.caseNow(c.ID); got.Answer != "PD" || got.ByID != "idn_priya" {
			t.Errorf("the case is %+v", got)
		}
		h.clean(t)
	})
}

func TestWhoIsNotOfSecurityIsToldPrivately(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ user, ofCase, ofHold string }{
		"an owner":     {marco, "Only Security can say who is who: priya@acme.test or lee@acme.test.", "Only Security can decide this: priya@acme.test or lee@acme.test."},
		"a guest":      {guest, "Guests cannot use rolecall.", ""},
		"a stranger":   {stranger, "Only members of this workspace can use rolecall.", ""},
		"nobody":       {nobody, "Nobody with the address eve@acme.test is known", ""},
		"whom it's of": {lee, "No one decides who they are themselves; somebody else of Security must.", "You are among those whom this hold stops, and no one decides on their own access."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			h.AddChannel(slacktest.Channel{ID: secured, Name: "security", Members: []string{h.Config().BotUserID, marco, guest, stranger, nobody, lee, priya}})
			c := aboutBen(lefts...)
			c.Identity = "idn_lee"
			h.opened(c)
			hold := h.stopAll(6)
			h.store.change(func(m *memory) { m.removals[hold.ID][0].Identity = "idn_lee" })
			caseTS, holdTS := h.shown(t, lifecycle.JobCase, string(c.ID)), h.shown(t, lifecycle.JobHold, string(hold.ID))
			for _, p := range []struct {
				ts, action, words string
				choices           []slacktest.Choice
			}{
				{caseTS, bot.ActionAnswer, tt.ofCase, []slacktest.Choice{stayValue}},
				{caseTS, bot.ActionAnswer, tt.ofCase, []slacktest.Choice{leftValue}},
				{holdTS, bot.ActionRelease, cmp.Or(tt.ofHold, tt.ofCase), nil},
				{holdTS, bot.ActionRefuse, cmp.Or(tt.ofHold, tt.ofCase), nil},
			} {
				before := strings.Count(h.told(tt.user), p.words)
				h.pressOn(t, tt.user, p.ts, p.action, p.choices...)
				h.await(t, "a refusal of "+p.action, func() bool { return strings.Count(h.told(tt.user), p.words) > before })
			}
			if got := h.caseNow(c.ID); !got.Open() {
				t.Errorf("the case is answered: %+v", got)
			}
			if got := h.holdNow(); got.Revision != 1 {
				t.Errorf("the hold is %+v", got)
			}
			if _, open := h.Modal(tt.user); open {
				t.Error("a modal opened for somebody who may not decide")
			}
		})
	}
}

func TestTwoOfSecurityReleaseAHold(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		ts := h.shown(t, lifecycle.JobHold, string(h.stopAll(6).ID))
		h.pressOn(t, priya, ts, bot.ActionRelease)
		if v := h.awaitModal(t, priya); v.CallbackID != bot.ModalRelease {
			t.Fatalf("the modal is %s", v.CallbackID)
		}
		if red := h.fill(t, priya, map[string]any{"scope": "all", "reason": "HR has announced it."}); len(red) > 0 {
			t.Fatalf("refused: %v", red)
		}
		h.awaitCard(t, ts, "proposes to release all of them (6)")
		h.pressOn(t, priya, ts, bot.ActionConfirm)
		h.awaitTold(t, priya, "You have proposed this already; somebody else of Security must say the same: lee@acme.test.")
		m, _ := h.Message(secured, ts)
		for _, c := range slacktest.Buttons(m.Blocks) {
			if c.ActionID == bot.ActionConfirm && (c.Confirm == nil || c.Confirm.Title != "Release 6 leavers?") {
				t.Errorf("the dialog before it asks %+v", c.Confirm)
			}
		}
		h.pressOn(t, lee, ts, bot.ActionConfirm)
		h.awaitCard(t, ts, "Released by <@U0PRIYA> and <@U0LEE>")
		if got := h.holdNow(); got.State != lifecycle.HoldReleased || len(got.Decisions) != 2 || got.Decisions[1].ByID != "idn_lee" {
			t.Errorf("the hold is %+v", got)
		}
		h.clean(t)
	})
}

func TestSomeOfAHoldAreReleasedByDepartmentAndByName(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		ts := h.shown(t, lifecycle.JobHold, string(h.stopAll(6).ID))
		h.pressOn(t, priya, ts, bot.ActionRelease)
		v := h.awaitModal(t, priya)
		sales := ""
		for _, c := range slacktest.Controls(v.Blocks) {
			for _, o := range c.Options {
				if o.Text == "Everybody: Sales (3)" {
					sales = o.Value
				}
			}
		}
		if red := h.fill(t, priya, map[string]any{"scope": "these", "reason": " "}); red["people"] == "" || red["reason"] == "" {
			t.Errorf("in red stands only %v", red)
		}
		if red := h.fill(t, priya, map[string]any{"scope": "all", "people": []string{"ntc_00"}, "reason": "x"}); red["people"] == "" {
			t.Errorf("all, and some by name, stands in red: %v", red)
		}
		if red := h.fill(t, priya, map[string]any{"scope": "these", "people": []string{sales, "ntc_00"}, "reason": "They left."}); len(red) > 0 {
			t.Fatalf("refused: %v", red)
		}
		h.awaitCard(t, ts, "proposes to release 4 of them (Person 00, Person 01, Person 03, Person 05)")
		h.pressOn(t, lee, ts, bot.ActionConfirm)
		h.awaitCard(t, ts, "Of these: 2 still stopped, 4 released. The others are not acted on")
		h.clean(t)
	})
}

func TestAHoldIsRefusedByOne(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		ts := h.shown(t, lifecycle.JobHold, string(h.stopAll(6).ID))
		h.pressOn(t, lee, ts, bot.ActionRefuse)
		if v := h.awaitModal(t, lee); v.CallbackID != bot.ModalRefuse {
			t.Fatalf("the modal is %s", v.CallbackID)
		}
		if red := h.fill(t, lee, map[string]any{"reason": "The export was broken."}); len(red) > 0 {
			t.Fatalf("refused: %v", red)
		}
		h.awaitCard(t, ts, "Refused by <@U0LEE>")
		h.clean(t)
	})
}

func TestASourceIsStartedByOne(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		hold := lifecycle.Hold{ID: "hld_1", Kind: lifecycle.HoldSource, Revision: 1, Source: "scim:okta", State: lifecycle.HoldStands, Why: "scim:okta has connected: 12 people so far.", OpenedAt: today}
		h.store.change(func(m *memory) {
			m.holds[hold.ID], m.sources["scim:okta"] = hold, lifecycle.Source{Name: "scim:okta", Revision: 1, Observed: true}
		})
		ts := h.shown(t, lifecycle.JobHold, string(hold.ID))
		h.pressOn(t, marco, ts, bot.ActionStart)
		h.awaitTold(t, marco, "can decide this")
		h.pressOn(t, lee, ts, bot.ActionStart)
		h.awaitCard(t, ts, "Started by <@U0LEE>")
		h.clean(t)
	})
}

func TestAPressOnAnOutdatedCardIsAnswered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	c := h.opened(aboutBen(lefts...))
	hold := h.stopAll(6)
	caseTS, holdTS := h.shown(t, lifecycle.JobCase, string(c.ID)), h.shown(t, lifecycle.JobHold, string(hold.ID))
	h.store.change(func(m *memory) { // as another process would, whose card is not drawn yet
		c.Answer, c.Revision, c.By = lifecycle.AnswerStays, 2, "lee@acme.test"
		hold.State, hold.Revision = lifecycle.HoldRefused, 2
		m.cases[c.ID], m.holds[hold.ID] = c, hold
	})
	h.pressOn(t, priya, caseTS, bot.ActionAnswer, leftValue)
	h.awaitTold(t, priya, "This was answered already by lee@acme.test.")
	h.pressOn(t, priya, holdTS, bot.ActionRelease)
	h.awaitTold(t, priya, "This hold is already refused")
	if _, open := h.Modal(priya); open {
		t.Error("a modal opened for what is settled")
	}
	h.store.change(func(m *memory) { delete(m.cases, c.ID); delete(m.holds, hold.ID) })
	h.pressOn(t, lee, caseTS, bot.ActionAnswer, stayValue)
	h.awaitTold(t, lee, "There is no case cas_1.")
	h.pressOn(t, lee, holdTS, bot.ActionRefuse)
	h.awaitTold(t, lee, "does not know any more what this stopped")
}

func TestAnotherProposalIsNotConfirmedUnseen(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	hold := h.stopAll(6)
	hold.State, hold.Revision = lifecycle.HoldProposed, 2
	hold.Proposal = &lifecycle.ReleaseProposal{Only: []lifecycle.NoticeID{"ntc_00"}, By: "priya@acme.test", ByID: "idn_priya", Seen: 6, Made: 2}
	h.store.change(func(m *memory) { m.holds[hold.ID] = hold })
	ts := h.shown(t, lifecycle.JobHold, string(hold.ID))
	other := hold
	other.Revision, other.Proposal = 3, &lifecycle.ReleaseProposal{All: true, By: "priya@acme.test", ByID: "idn_priya", Seen: 6, Made: 3}
	h.store.change(func(m *memory) { m.holds[hold.ID] = other })
	h.pressOn(t, lee, ts, bot.ActionConfirm)
	h.awaitTold(t, lee, "What is proposed has changed since this card was drawn, and nothing was released.")
	if got := h.holdNow(); got.State != lifecycle.HoldProposed || got.Revision != 3 {
		t.Errorf("the hold is %+v", got)
	}
	lapsed := hold // whoever proposed it may not decide any more
	lapsed.Proposal = &lifecycle.ReleaseProposal{Only: []lifecycle.NoticeID{"ntc_00"}, By: "gone@acme.test", ByID: "idn_gone", Seen: 6, Made: 2}
	h.store.change(func(m *memory) { m.holds[hold.ID] = lapsed })
	h.pressOn(t, lee, ts, bot.ActionConfirm)
	h.awaitTold(t, lee, "What was proposed does not count any more, and nothing was released")
}

func TestTwoWhoAnswerAtOnceAreOneAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	c := h.opened(aboutBen(lefts...))
	ts := h.shown(t, lifecycle.JobCase, string(c.ID))
	h.store.mu.Lock() // until both have pressed, so that neither finds a card on which nothing can be pressed any more
	h.pressOn(t, priya, ts, bot.ActionAnswer, stayValue)
	h.pressOn(t, lee, ts, bot.ActionAnswer, stayValue)
	h.store.mu.Unlock()
	h.await(t, "one is told that it is answered", func() bool {
		return strings.Contains(h.told(priya)+h.told(lee), "This was answered already by")
	})
	if n := h.store.recorded(lifecycle.EventCaseAnswered); n != 1 {
		t.Errorf("answered %d times, want once", n)
	}
	h.clean(t)
}

func TestAReplayedAnswerIsOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	c := h.opened(aboutBen(lefts...))
	ts := h.shown(t, lifecycle.JobCase, string(c.ID))
	h.pressOn(t, priya, ts, bot.ActionAnswer, stayValue)
	h.awaitCard(t, ts, "Answered by")
	h.store.change(func(m *memory) { m.cases[c.ID] = c }) // as if it could be answered again
	all := h.Deliveries(slacktest.KindInteraction)
	h.post(t, all[len(all)-1], today, 200)
	h.ask(t, priya, "help") // by its answer, what came before it has been worked on
	if n := h.store.recorded(lifecycle.EventCaseAnswered); n != 1 {
		t.Errorf("answered %d times, want once", n)
	}
}

func TestAReleaseModalIsHeldAgainstWhoHasComeMeanwhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	ts := h.shown(t, lifecycle.JobHold, string(h.stopAll(6).ID))
	h.pressOn(t, priya, ts, bot.ActionRelease)
	h.awaitModal(t, priya)
	h.store.change(func(m *memory) {
		m.removals["hld_1"] = append(m.removals["hld_1"], lifecycle.Removal{Notice: "ntc_99", Label: "Late Lou", At: today.Add(time.Minute), Joined: 2, State: lifecycle.RemovalHeld})
	})
	if red := h.fill(t, priya, map[string]any{"scope": "all", "reason": "All of them."}); len(red) > 0 {
		t.Fatalf("in red: %v", red)
	}
	v, open := h.Modal(priya)
	if text := slacktest.PlainText(v.Blocks); !open || !strings.Contains(text, "When you opened this, 6 waited; now it is 7. Nothing was proposed") {
		t.Errorf("the modal says %q", text)
	}
	if got := h.holdNow(); got.Revision != 1 {
		t.Errorf("the hold is %+v", got)
	}
}

func TestWhatIsPickedForOneQuestionAnswersNoOther(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		for _, id := range []lifecycle.CaseID{"cas_1", "cas_2"} {
			c := aboutBen(lifecycle.CaseOption{Answer: lifecycle.AnswerNone, Label: "None of these", Effect: "They stay nobody's."})
			c.ID, c.Kind = id, lifecycle.CaseAccount
			for _, account := range []string{"PA", "PB", "PC", "PD"} {
				c.Options = append(c.Options, lifecycle.CaseOption{Answer: account, Label: "Ben " + account, Effect: "It is theirs."})
			}
			h.opened(c)
		}
		h.openHome(t, priya)
		v, _ := h.Home(priya)
		var blocks []string
		for _, c := range slacktest.Controls(v.Blocks) {
			if c.ActionID == bot.ActionPick {
				blocks = append(blocks, c.BlockID)
			}
		}
		if len(blocks) != 2 {
			t.Fatalf("%d menus, want 2", len(blocks))
		}
		press := func(block, action string, choices ...slacktest.Choice) {
			t.Helper()
			if _, err := h.PressHome(t.Context(), priya, action, append(choices, slacktest.InBlock(block))...); err != nil {
				t.Fatal(err)
			}
		}
		press(blocks[0], bot.ActionPick, slacktest.Pick(lifecycle.AnswerNone))
		press(blocks[1], bot.ActionAnswer)
		h.awaitTold(t, priya, "Pick an answer in the menu first.")
		press(blocks[0], bot.ActionAnswer)
		h.await(t, "the first is answered", func() bool { return !h.caseNow("cas_1").Open() })
		h.await(t, "a Home tab without it", func() bool { return strings.Count(h.homeText(priya), "Which PagerDuty account") == 1 })
		if c := h.caseNow("cas_2"); !c.Open() {
			t.Errorf("the second is answered %q", c.Answer)
		}
		h.clean(t)
	})
}
