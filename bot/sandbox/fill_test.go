package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/bot/slacktest"
)

func TestAModalIsFilledInRefusedAndSubmitted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	opened := s.post("/u/"+marco+"/press", url.Values{"press": {s.press("request.deny.v1")}})
	contains(t, opened, `data-testid="modal"`, "Deny the move", "<strong>Ben Ode</strong> stays Manager of Payments.", "Everybody on the thread reads it.", `type="date"`, `<option value="ines" selected>Ines Duarte — on Payments too · has a phone</option>`, `<option value="omar">Omar Haddad — no phone: cannot be woken</option>`)
	view, ok := s.ws.Modal(marco)
	if !ok {
		t.Fatal("no modal is open")
	}
	lacks(t, s.page("/u/"+ines+"/c/"+payments), `data-testid="modal"`)

	filled := url.Values{"view": {view.ID}, "do": {"submit"}}
	for name, values := range map[string][]string{
		"reason/text": {"  no <b>"}, "until/date": {"2026-06-01"}, "tell/who": {"manager", "security"}, "kind/kind": {"team"}, "stand_in/who": {"omar"}, "teams/teams": {"a, b"},
		"people/people": {"ntc_1", "ntc_3"},
	} {
		filled["in:"+name], filled["has:"+name] = values, []string{"1"}
	}
	refused := s.post("/u/"+marco+"/modal", filled)
	contains(t, refused, "Say it in a sentence: at least 10 characters.", `aria-invalid="true"`, "  no &lt;b&gt;</textarea>", `value="2026-06-01"`,
		`value="manager" checked`, `value="security" checked`, `value="team" checked`, `<option value="omar" selected`, `<option value="a, b" selected`,
		`<optgroup label="Legal &lt;&amp;&gt;"><option value="ntc_1" selected>Ana</option><option value="ntc_2">Bo</option></optgroup><optgroup label="Sales"><option value="ntc_3" selected>Cy</option></optgroup></select>`)
	lacks(t, refused, `<option value="b" selected`, `value="person" checked`)

	filled["in:reason/text"] = []string{"He is on call all week"}
	delete(filled, "in:tell/who") // boxes without a tick are not sent
	done := s.post("/u/"+marco+"/modal", filled)
	lacks(t, done, `data-testid="modal"`)
	contains(t, done, `<strong>Denied</strong> by <span class="mention">@Marco Rossi</span>: He is on call all week`)
}

func TestAnEmptyRequiredInputIsComplainedOfAtTheField(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.post("/u/"+marco+"/press", url.Values{"press": {s.press("request.deny.v1")}})
	view, _ := s.ws.Modal(marco)
	refused := s.post("/u/"+marco+"/modal", url.Values{"view": {view.ID}, "do": {"submit"}, "has:reason/text": {"1"}})
	contains(t, refused, `data-testid="field-error"`, "Please complete this required field.")
	s.post("/u/"+marco+"/modal", url.Values{"view": {view.ID}, "do": {"close"}})
	if _, open := s.ws.Modal(marco); open {
		t.Error("the modal is still open")
	}
	gone := s.post("/u/"+marco+"/modal", url.Values{"view": {view.ID}, "do": {"submit"}})
	contains(t, gone, "This dialog is not open any more.")
}

func TestWhatIsTypedOutlivesAPressInTheModalAndAModalAboveIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.post("/u/"+marco+"/press", url.Values{"press": {s.press("request.more.v1", "value", "", "block", "", "pick", "plan", "picks", "1")}})
	first, _ := s.ws.Modal(marco)
	form := func(view, press string) url.Values {
		return url.Values{"view": {view}, "in:note/text": {"half a note"}, "has:note/text": {"1"}, "press": {press}}
	}
	picked := s.post("/u/"+marco+"/modal", form(first.ID, "on=modal&block=on&action=sort&pick=new&picks=1"))
	contains(t, picked, `value="half a note"`, `data-action="sort">Newest<span`)

	above := s.post("/u/"+marco+"/modal", form(first.ID, "on=modal&block=on&action=next.v1&value=go"))
	contains(t, above, "<small>Plan ›</small> Step 1", `data-action="last.v1"`)
	lacks(t, above, `value="half a note"`)
	second, _ := s.ws.Modal(marco)
	back := s.post("/u/"+marco+"/modal", url.Values{"view": {second.ID}, "do": {"close"}})
	contains(t, back, `value="half a note"`, `data-action="next.v1"`)
	s.heardOnly("block_actions "+marco+" request.more.v1 plan", "block_actions "+marco+" sort new", "block_actions "+marco+" next.v1")
}

func TestSeveralChoicesAreSentTogetherAndTakenBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	option := func(value string) map[string]any {
		return map[string]any{"text": map[string]any{"type": "plain_text", "text": value}, "value": value}
	}
	ask := map[string]any{"type": "plain_text", "text": "Sure?"}
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "who", "blocks": []any{map[string]any{"type": "actions", "block_id": "who", "elements": []any{
		map[string]any{"type": "checkboxes", "action_id": "boxes", "options": []any{option("a"), option("b"), option("c")}, "confirm": map[string]any{"title": ask, "text": ask, "confirm": ask, "deny": ask}},
	}}}})
	ts := s.ws.Messages(payments)[1].TS
	boxes := "on=message&channel=" + payments + "&ts=" + ts + "&block=who&action=boxes"

	asked := s.post("/u/"+marco+"/press", url.Values{"press": {boxes}, "pick": {"a", "c"}, "picks": {"1"}})
	found := regexp.MustCompile(`name="press" value="([^"]+)" data-testid="confirm-yes"`).FindStringSubmatch(asked)
	if found == nil {
		t.Fatalf("nothing was asked:\n%s", asked)
	}
	set := s.post("/u/"+marco+"/press", url.Values{"press": {html.UnescapeString(found[1])}, "confirmed": {"yes"}})
	contains(t, set, `value="a" checked`, `value="c" checked`)
	lacks(t, set, `value="b" checked`)
	lacks(t, s.post("/u/"+marco+"/press", url.Values{"press": {boxes}, "picks": {"1"}, "confirmed": {"yes"}}), `value="a" checked`, `value="b" checked`, `value="c" checked`)

	var sent []string
	for _, d := range s.ws.Deliveries(slacktest.KindInteraction) {
		var p struct {
			Actions []struct {
				Selected []struct{ Value string } `json:"selected_options"`
			}
		}
		if err := json.Unmarshal(d.Payload, &p); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, fmt.Sprint(p.Actions[0].Selected))
	}
	if want := []string{"[{a} {c}]", "[]"}; !slices.Equal(sent, want) {
		t.Errorf("the app was sent %q, want %q", sent, want)
	}
}

func TestAMomentIsEnteredInThePersonsZone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ws.ChangeUser(marco, func(u *slacktest.User) { u.TZ, u.TZOffset = "No/Where", 7200 })
	s.app.call("chat.postMessage", map[string]any{"channel": payments, "text": "when", "blocks": []any{map[string]any{"type": "actions", "block_id": "when", "elements": []any{
		map[string]any{"type": "datetimepicker", "action_id": "at", "initial_date_time": 1777741200},
	}}}})
	contains(t, s.page("/u/"+marco+"/c/"+payments), `type="datetime-local" name="pick" value="2026-05-02T19:00"`)
	ts := s.ws.Messages(payments)[1].TS
	s.post("/u/"+marco+"/press", url.Values{"press": {"on=message&channel=" + payments + "&ts=" + ts + "&block=when&action=at"}, "pick": {"2026-05-02T20:00"}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	delivered := func() bool {
		all := s.ws.Deliveries(slacktest.KindInteraction)
		return len(all) == 1 && strings.Contains(string(all[0].Payload), `"selected_date_time":1777744800`)
	}
	if err := s.ws.Until(ctx, delivered); err != nil {
		t.Errorf("the app did not hear of the moment: %v", err)
	}
}
