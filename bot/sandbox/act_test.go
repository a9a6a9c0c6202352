package sandbox_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rolecall/bot/sandbox"
)

// press is what the button of an element on the card in #payments sends.
func (s *stage) press(action string, more ...string) string {
	q := url.Values{"on": {"message"}, "channel": {payments}, "ts": {s.app.card}, "block": {"decide"}, "action": {action}, "value": {"req_1"}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q.Encode()
}

// heardOnly fails the test unless the app has heard exactly this.
func (s *stage) heardOnly(want ...string) {
	s.t.Helper()
	if got := s.app.said(); !slices.Equal(got, want) {
		s.t.Errorf("the app heard %q, want %q", got, want)
	}
}

func TestAPressReachesTheAppAndChangesTheCard(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	card := s.page("/u/" + marco + "/c/" + payments)
	contains(t, card, `data-action="request.approve.v1"`, `name="press" value="`+strings.ReplaceAll(s.press("request.approve.v1"), "&", "&amp;")+`"`)

	after := s.post("/u/"+marco+"/press", url.Values{"press": {s.press("request.approve.v1")}})

	s.heardOnly("block_actions " + marco + " request.approve.v1")
	contains(t, after, "<strong>Done, checked in PagerDuty</strong> ✅", "(edited)", "1 reply", `data-testid="panel-member-platform-ben"`)
	lacks(t, after, `data-action="request.approve.v1"`)
}

func TestAConfirmationStandsBeforeThePress(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	asked := s.post("/u/"+marco+"/press", url.Values{"press": {s.press("finding.revoke.v1")}})
	contains(t, asked, `data-testid="confirm"`, "Revoke now?", "This cannot be <strong>undone</strong>.", "Leave it")
	s.heardOnly()
	s.post("/u/"+marco+"/press", url.Values{"press": {s.press("finding.revoke.v1")}, "confirmed": {"yes"}})
	s.heardOnly("block_actions " + marco + " finding.revoke.v1")
}

func TestAChoiceInAMenuIsSent(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	chosen := url.Values{"press": {s.press("handover.choose.v1", "value", "", "pick", "omar", "picks", "1")}, "back": {"/u/" + ines + "/c/" + payments}}
	contains(t, s.post("/u/"+ines+"/press", chosen), `data-action="handover.choose.v1">Omar Haddad<span`)
	contains(t, s.page("/u/"+marco+"/c/"+payments), `data-action="handover.choose.v1">Choose replacement…<span`)
	s.post("/u/"+ines+"/press", url.Values{"press": {s.press("request.more.v1", "value", "", "block", "", "pick", "plan", "picks", "1")}})
	s.heardOnly("block_actions "+ines+" handover.choose.v1 omar", "block_actions "+ines+" request.more.v1 plan")
}

func TestACommandIsAnsweredInPrivate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	answered := s.post("/u/"+marco+"/say", url.Values{"channel": {payments}, "text": {" /rolecall   who <payments> "}})
	s.heardOnly("command " + marco + " who <payments>")
	contains(t, answered, `data-testid="ephemeral"`, "Only visible to you")
	lacks(t, s.page("/u/"+ines+"/c/"+payments), `data-testid="ephemeral"`)
	ts := s.ws.Ephemerals(marco)[0].TS
	lacks(t, s.post("/u/"+marco+"/dismiss", url.Values{"ts": {ts}}), `data-testid="ephemeral"`)
}

func TestWhatCannotBeSaidIsExcused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for name, tt := range map[string]struct {
		form url.Values
		want string
	}{
		"an unknown command":       {url.Values{"channel": {payments}, "text": {"/pager now"}}, "/pager is not a command here. Try /rolecall."},
		"a command in a thread":    {url.Values{"channel": {payments}, "thread": {s.app.card}, "text": {"/rolecall help"}}, "Slash commands do not work in threads."},
		"words in an archive":      {url.Values{"channel": {archived}, "text": {"hello"}}, "cannot write in"},
		"words in another's rooms": {url.Values{"channel": {security}, "text": {"hello"}}, "cannot write in"},
		"a command in another's":   {url.Values{"channel": {security}, "text": {"/rolecall help"}}, "is not in conversation"},
		"a thread that is not":     {url.Values{"channel": {payments}, "thread": {"1.000001"}, "text": {"hello"}}, "there is no thread"},
	} {
		t.Run(name, func(t *testing.T) {
			contains(t, s.post("/u/"+marco+"/say", tt.form), `class="toast bad"`, tt.want)
		})
	}
	s.heardOnly()
}

func TestWordsAreKeptAsTyped(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	said := s.post("/u/"+marco+"/say", url.Values{"channel": {payments}, "text": {"a < b & c <@U0INES> <https://evil.test|bank>"}})
	contains(t, said, "a &lt; b &amp; c &lt;@U0INES&gt; &lt;https://evil.test|bank&gt;")
	contains(t, s.post("/u/"+marco+"/say", url.Values{"channel": {payments}, "thread": {s.app.card}, "text": {"in the thread"}}), "1 reply")
	thread := s.page("/u/" + ines + "/c/" + payments + "?thread=" + s.app.card)
	contains(t, thread, `data-testid="thread"`, "in the thread", "Reply in the thread")
}

func TestAnAppThatDoesNotAnswerIsSaidInWords(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.app.silence()
	contains(t, s.post("/u/"+marco+"/press", url.Values{"press": {s.press("request.approve.v1")}}), `class="toast bad"`, "rolecall did not answer within 500ms")
	s.ws.UseHTTP("", "", "")
	contains(t, s.post("/u/"+marco+"/say", url.Values{"channel": {payments}, "text": {"/rolecall help"}}), "rolecall cannot be reached: it is not running, or not connected.")
	contains(t, s.post("/u/"+marco+"/press", url.Values{"press": {s.press("no.such.v1")}}), "That cannot be done here any more: nothing to press with action id no.such.v1.")
	home := s.post("/u/"+marco+"/home", url.Values{})
	contains(t, home, "rolecall cannot be reached", `data-testid="home-empty"`)
}

func TestTheHomeTabIsOpenedAndPressed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	contains(t, s.page("/u/"+ben+"/home"), `data-testid="home-empty"`, "Ben Ode looks")
	opened := s.post("/u/"+ben+"/home", url.Values{})
	contains(t, opened, `data-testid="home"`, "My access", "You hold <strong>Payments: manager</strong>", `data-action="request.open.v1"`)
	s.post("/u/"+ben+"/press", url.Values{"press": {"on=home&action=request.open.v1"}, "back": {"/u/" + ben + "/home"}})
	s.heardOnly("event app_home_opened "+ben, "block_actions "+ben+" request.open.v1")
}

func TestWordsOfOneAuthorAreJoinedAndCardsAreNot(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, text := range []string{"one", "two", "three"} {
		if _, err := s.ws.Say(ines, payments, "", text); err != nil {
			t.Fatal(err)
		}
	}
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "second card", "blocks": cardBlocks("")})
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "third card", "blocks": cardBlocks("")})
	page := s.page("/u/" + marco + "/c/" + payments)
	if joined, all := strings.Count(page, `class="message joined"`), strings.Count(page, `data-testid="message"`); joined != 2 || all != 6 {
		t.Errorf("%d of %d messages are joined, want 2 of 6", joined, all)
	}
}

func TestALongConversationBeginsLate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range 160 {
		if _, err := s.ws.Say(ines, payments, "", "again"); err != nil {
			t.Fatal(err)
		}
	}
	contains(t, s.page("/u/"+marco+"/c/"+payments), "Show 11 earlier messages")
	all := s.page("/u/" + marco + "/c/" + payments + "?all=yes")
	if n := strings.Count(all, `data-testid="message"`); n != 161 {
		t.Errorf("%d messages of 161 are shown", n)
	}
}

func TestAShortcutIsPickedInTheMenuOfAMessage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	contains(t, s.page("/u/"+marco+"/c/"+payments), `data-shortcut="show_history"`, "Show history")
	s.post("/u/"+marco+"/shortcut", url.Values{"channel": {payments}, "ts": {s.app.card}, "callback": {"show_history"}})
	s.heardOnly("message_action " + marco + " show_history")
}

func TestDirectMessagesAreOpenedWhenSomebodyWritesThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	contains(t, s.page("/u/"+ben+"/dm"), "Direct messages between rolecall and Ben Ode", "Nothing was said here yet.")
	answered := s.post("/u/"+ben+"/say", url.Values{"text": {"/rolecall status"}, "back": {"/u/" + ben + "/dm"}})
	contains(t, answered, "You asked for <strong>status</strong>.")
}

func TestTheGuideRunsItsSteps(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	begin := s.page("/u/" + marco + "/c/" + payments)
	contains(t, begin, `data-testid="guide-step-1" data-step="joiner" data-done="false"`, "0 of 4", `data-testid="guide-run">Send the joiner notice`, "Act as Ben Ode and open the Home of rolecall")

	ran := s.post("/u/"+marco+"/step", url.Values{"step": {"joiner"}})
	contains(t, ran, "1 of 4", `data-step="joiner" data-done="true"`, "The notice is on its way.", `data-testid="panel-member-payments-ana"`, "Ana Lima joined Payments as responder")

	contains(t, s.post("/u/"+marco+"/step", url.Values{"step": {"dm"}}), "Send what fails: intake answered 503.", `data-step="dm" data-done="false"`)
	contains(t, s.post("/u/"+marco+"/step", url.Values{"step": {"home"}}), `data-step="home" data-done="true"`)
	contains(t, s.post("/u/"+marco+"/step", url.Values{"step": {"none"}}), "There is no such step in the guide.")
	s.pd.moveBen()
	contains(t, s.page("/u/"+marco+"/c/"+payments), `data-step="approve" data-done="true"`, "3 of 4")
}

func TestNobodyActsWhoIsNotThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, path := range []string{
		"/u/U0GONE/c/" + payments, "/u/" + s.ws.Config().BotUserID + "/dm", "/u/U0NOBODY", "/u/" + marco + "/c/" + security, "/u/" + marco + "/c/C0NONE", "/none", "/static/none",
	} {
		if status, body := s.get(path); status != http.StatusNotFound {
			t.Errorf("GET %s: %d\n%s", path, status, body)
		}
	}
}

func TestWhatIsUnreadIsMarkedUntilItIsRead(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	contains(t, s.page("/u/"+ines+"/home"), `data-testid="unread">1`)
	s.page("/u/" + ines + "/c/" + payments)
	lacks(t, s.page("/u/"+ines+"/home"), `data-testid="unread"`)
	if _, err := s.ws.Say(marco, payments, "", "news"); err != nil {
		t.Fatal(err)
	}
	contains(t, s.page("/u/"+ines+"/home"), `data-testid="unread">1`)
	lacks(t, s.page("/u/"+marco+"/home"), `data-testid="unread">2`)

	s.app.call("chat.postMessage", map[string]any{"channel": ben, "text": "You are getting Responder"})
	contains(t, s.page("/u/"+marco+"/home"), "Something unread waits for them")
}

func TestPeopleAreFoundAmongMany(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	all := s.page("/u/" + marco + "/home")
	contains(t, all, "Find one of 204 people", "owns Payments", "moves to Platform", "Ines Duarte", "more: type a part of a name")
	lacks(t, all, "Gone Person", `data-testid="act-as-person199"`)
	found := s.page("/u/" + marco + "/home?who=NUMBER+199")
	contains(t, found, `data-testid="act-as-person199"`)
	lacks(t, found, `data-testid="act-as-ines"`, `data-testid="act-as-ben"`)
	contains(t, s.page("/u/"+marco+"/home?who=nobody+at+all"), "Nobody is called like that.")
}

// TestThePlaceIsKeptWhenOneBecomesSomebodyElse, where they can be there.
func TestThePlaceIsKeptWhenOneBecomesSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]string{
		"/":                                "/u/" + marco + "/c/" + payments,
		"/u/" + ines + "?open=" + security: "/u/" + ines + "/c/" + security,
		"/u/" + ben + "?open=" + security:  "/u/" + ben + "/c/" + payments,
		"/u/" + ben + "?open=home":         "/u/" + ben + "/home",
		"/u/" + ben + "?open=dm":           "/u/" + ben + "/dm",
		"/u/U0GUEST?open=" + payments:      "/u/U0GUEST/dm",
	} {
		response, err := client.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Location"); got != want {
			t.Errorf("GET %s leads to %q, want %q", path, got, want)
		}
	}
}

func TestWhoAnswersIsShownAndWhatHasNobodyIsLoud(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	page := s.page("/u/" + marco + "/c/" + payments)
	contains(t, page, `data-testid="panel-level-payments-crit-1"`, "<b>Ben Ode</b>", "by Primary", "then Marco Rossi", "nobody at the moment", "#7 Checkout is &lt;down&gt;")
	lacks(t, page, `data-testid="panel-gaps"`, "NOBODY")

	s.pd.change("Marco left Payments-Crit", func(p *sandbox.Panel) {
		p.OnCall.Levels = append([]sandbox.PanelLevel{}, p.OnCall.Levels...)
		p.OnCall.Levels[1].Answers, p.OnCall.Gaps = nil, []string{"level 2 of escalation policy Payments-Crit"}
	})
	contains(t, s.page("/u/"+marco+"/c/"+payments), `data-testid="panel-gaps"`, "Nobody is on call for", "<li>level 2 of escalation policy Payments-Crit</li>", `class="gap"`, "NOBODY")
}
