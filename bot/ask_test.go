package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// threadCard puts a card up as this version draws its buttons.
func (h *house) threadCard(t *testing.T, r lifecycle.Request) string {
	t.Helper()
	if err := h.bot.Handlers()[lifecycle.JobShow](context.Background(), lifecycle.Attempt{Ref: string(r.ID)}); err != nil {
		t.Fatal(err)
	}
	return h.Messages(payments)[0].TS
}

func (h *house) filled(t *testing.T, user string, values map[string]any) map[string]string {
	t.Helper()
	red, err := h.Submit(t.Context(), user, values)
	if err != nil {
		t.Fatal(err)
	}
	return red
}

func TestSomebodyAsksAndIsAnswered(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		r := h.open("req_1")
		ts := h.threadCard(t, r)
		h.press(t, marco, payments, ts, bot.ActionAsk)
		h.hears(t, slacktest.PlainText(h.awaitModal(t, marco).Blocks), "It goes to <@"+ben+">")
		if red := h.filled(t, marco, map[string]any{"question": "   "}); red["question"] != "Ask something, in a sentence." {
			t.Errorf("in red: %v", red)
		}
		if red := h.filled(t, marco, map[string]any{"question": "Why now?"}); len(red) > 0 {
			t.Fatalf("in red: %v", red)
		}
		h.await(t, "the question is kept", func() bool { return len(h.store.request(r.ID).Questions) == 1 })
		h.press(t, marco, payments, ts, bot.ActionAsk)
		h.awaitTold(t, marco, "You have asked already")
		h.threadCard(t, r)
		dm := h.DirectMessage(ben)
		asked := h.Messages(dm)[len(h.Messages(dm))-1]
		h.press(t, ben, dm, asked.TS, bot.ActionReply)
		h.hears(t, slacktest.PlainText(h.awaitModal(t, ben).Blocks), "“Why now?”")
		if red := h.filled(t, ben, map[string]any{"answer": "The team asked."}); len(red) > 0 {
			t.Fatalf("in red: %v", red)
		}
		h.await(t, "the answer is kept", func() bool { return h.store.request(r.ID).Questions[0].Answer == "The team asked." })
		h.press(t, ines, payments, ts, bot.ActionApprove)
		h.awaitState(t, r.ID, lifecycle.Approved)
		h.press(t, ben, dm, asked.TS, bot.ActionReply)
		h.awaitTold(t, ben, "The answer is not needed any more")
		h.clean(t)
	})
}

func TestWhoMayNotDecideNeitherAsksNorHandsOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	ts := h.threadCard(t, h.open("req_1"))
	h.press(t, omar, payments, ts, bot.ActionAsk)
	h.awaitTold(t, omar, "can decide this")
	if _, err := h.Press(t.Context(), ben, payments, ts, bot.ActionMore, slacktest.Pick("assign:req_1:1")); err != nil {
		t.Fatal(err)
	}
	h.awaitTold(t, ben, "No one decides on their own access.")
	if n := h.store.recorded(lifecycle.EventRequestRefused); n != 2 {
		t.Errorf("%d attempts on the record, want 2", n)
	}
	for _, user := range []string{omar, ben} {
		if _, open := h.Modal(user); open {
			t.Errorf("a modal opened for %s", user)
		}
	}
	h.clean(t)
}

// Whoever puts a request off is not asked till then; the others are.
func TestARequestIsPutOffFromTheMenu(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	r := h.open("req_1")
	ts := h.threadCard(t, r)
	pick := func(user string) {
		t.Helper()
		if _, err := h.Press(t.Context(), user, payments, ts, bot.ActionMore, slacktest.Pick("snooze:req_1:1")); err != nil {
			t.Fatal(err)
		}
	}
	pick(marco)
	h.awaitTold(t, marco, "Put off until ")
	if got := h.store.request(r.ID).SnoozedBy("marco@acme.test"); !got.Equal(today.Add(24 * time.Hour)) {
		t.Errorf("put off until %s", got)
	}
	if told := h.ask(t, marco, "inbox"); !strings.Contains(told, "Nothing waits for you") {
		t.Errorf("his inbox: %s", told)
	}
	if told := h.ask(t, ines, "inbox"); !strings.Contains(told, "Ben") {
		t.Errorf("her inbox: %s", told)
	}
	pick(omar)
	h.awaitTold(t, omar, "can decide this")
	h.clean(t)
}

func TestARequestIsHandedOnFromTheMenu(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1")
	ts := h.threadCard(t, r)
	seen := "1"
	pick := func(user, what string) {
		t.Helper()
		if _, err := h.Press(t.Context(), user, payments, ts, bot.ActionMore, slacktest.Pick(what+":req_1:"+seen)); err != nil {
			t.Fatal(err)
		}
	}
	pick(marco, "assign")
	h.awaitModal(t, marco)
	if red := h.filled(t, marco, map[string]any{"to": ben, "reason": "x"}); !strings.Contains(red["to"], "no one decides on their own access") {
		t.Errorf("in red: %v", red)
	}
	if red := h.filled(t, marco, map[string]any{"to": omar, "reason": "He knows them."}); len(red) > 0 {
		t.Fatalf("in red: %v", red)
	}
	h.await(t, "it is handed on", func() bool { return len(h.store.request(r.ID).Assigned) == 1 })
	h.threadCard(t, r)
	seen = "2"
	pick(omar, "plan")
	h.hears(t, slacktest.PlainText(h.awaitModal(t, omar).Blocks), "PagerDuty is asked to have Ben on the team Payments as responder.")
	pick(ines, "history")
	h.hears(t, slacktest.PlainText(h.awaitModal(t, ines).Blocks), "*marco@acme.test* handed it to *omar@acme.test*: “He knows them.”")
	h.press(t, omar, payments, ts, bot.ActionApprove)
	h.awaitState(t, r.ID, lifecycle.Approved)
	if d := h.store.request(r.ID).Decisions[0]; d.For != "marco@acme.test" {
		t.Errorf("decided for %q", d.For)
	}
	h.clean(t)
}

func TestForgedValuesOfThreadsChangeNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ action, value string }{
		"a question of nothing":        {bot.ActionReply, "x:req_1:1"},
		"a question that there is not": {bot.ActionReply, "7:req_1:1"},
		"a menu of nothing":            {bot.ActionMore, "assign"},
		"a menu of another version":    {bot.ActionMore, "dance:req_1:1"},
		"a request that is gone":       {bot.ActionAsk, "req_gone:1"},
		"a revision to come":           {bot.ActionAsk, "req_1:9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			r := h.open("req_1")
			_, ts, err := h.api.PostMessageContext(t.Context(), payments, slack.MsgOptionText("card", false), slack.MsgOptionBlocks(slack.NewActionBlock("a",
				slack.NewButtonBlockElement(tt.action, tt.value, slack.NewTextBlockObject(slack.PlainTextType, "Press", false, false)))))
			if err != nil {
				t.Fatal(err)
			}
			h.press(t, marco, payments, ts, tt.action)
			h.await(t, "Marco is told", func() bool { return strings.TrimSpace(h.told(marco)) != "" })
			if told := h.told(marco); strings.Contains(told, "went wrong") {
				t.Errorf("told as a fault: %s", told)
			}
			if got := h.store.request(r.ID); got.Revision != 1 {
				t.Errorf("revision is %d", got.Revision)
			}
		})
	}
}

// What people say in the thread decides nothing.
func TestACommentInTheThreadIsOnlyAComment(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1")
	ts := h.threadCard(t, r)
	jobs := len(h.store.jobs)
	for _, user := range []string{marco, ines, ben} {
		if _, err := h.Emit(t.Context(), map[string]any{"type": "message", "channel": payments, "user": user, "text": "approve", "thread_ts": ts, "ts": "1.1"}); err != nil {
			t.Fatal(err)
		}
	}
	h.press(t, omar, payments, ts, bot.ActionApprove) // what is answered after them was taken in after them
	h.awaitTold(t, omar, "can decide this")
	if got := h.store.request(r.ID); got.Revision != 1 || len(got.Decisions) != 0 || len(h.store.jobs) != jobs {
		t.Errorf("the comments counted: %+v", got)
	}
}

func TestATriggerThatRanOutAsksNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	r := h.open("req_1")
	ts := h.threadCard(t, r)
	gate := make(chan struct{})
	h.store.change(func(m *memory) { m.slow = gate })
	h.press(t, marco, payments, ts, bot.ActionAsk)
	h.clock.forward(4 * time.Second)
	close(gate)
	h.awaitTold(t, marco, "That took longer than Slack allows, and nothing was changed. Please press again.")
	if n := len(h.store.request(r.ID).Questions); n != 0 {
		t.Errorf("%d questions", n)
	}
}
