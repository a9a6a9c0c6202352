package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"rolecall/bot/slacktest"
)

// app is a small bot behind the workspace, in HTTP mode.
type app struct {
	t    *testing.T
	ws   *slacktest.Workspace
	base string
	pd   *pagerduty
	card string // timestamp of the card in #payments
	mute chan struct{}

	mu     sync.Mutex
	silent bool
	heard  []string
}

func newApp(t *testing.T, ws *slacktest.Workspace, base string, pd *pagerduty) *app {
	a := &app{t: t, ws: ws, base: base, pd: pd, mute: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /commands", a.command)
	mux.HandleFunc("POST /interactions", a.interaction)
	mux.HandleFunc("POST /events", a.event)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(a.mute) })
	ws.UseHTTP(server.URL+"/events", server.URL+"/commands", server.URL+"/interactions")
	a.card = a.call("chat.postMessage", map[string]any{"channel": payments, "text": "Ben Ode: Payments Manager to Platform Responder", "blocks": cardBlocks("")})["ts"].(string)
	return a
}

func cardBlocks(outcome string) []any {
	text := func(kind, s string) map[string]any { return map[string]any{"type": kind, "text": s} }
	button := func(action, label, style string, extra map[string]any) map[string]any {
		b := map[string]any{"type": "button", "action_id": action, "value": "req_1", "text": text("plain_text", label)}
		if style != "" {
			b["style"] = style
		}
		for k, v := range extra {
			b[k] = v
		}
		return b
	}
	out := []any{
		map[string]any{"type": "header", "text": text("plain_text", "Ben Ode: Payments Manager → off the team · Platform: Responder")},
		map[string]any{"type": "section", "text": text("mrkdwn", "*Why* Moved Payments → Platform on 2 May (okta). Rule `platform-sre`, asked of <@U0MARCO> in <#C0PAYMENTS>."), "fields": []any{
			text("mrkdwn", "*Now*\nResponder (`limited_user`)\nPayments: _manager_"), text("mrkdwn", "*After*\nResponder (`limited_user`)\nPlatform: _responder_"),
		}, "accessory": map[string]any{"type": "overflow", "action_id": "request.more.v1", "options": []any{
			map[string]any{"text": text("plain_text", "Snooze 1 day"), "value": "snooze"}, map[string]any{"text": text("plain_text", "Show plan"), "value": "plan"},
		}}},
		map[string]any{"type": "section", "text": text("mrkdwn", "*Effect* 2nd level in Payments-Crit and on call Thu 09:00.\n• Needs a replacement\n> Nobody else is on that level.")},
		map[string]any{"type": "context", "elements": []any{text("mrkdwn", "Decide by <!date^1777741200^{date_short} {time}|Tue 17:00>, then it is asked of Security. You own Payments. <@U0INES> can decide too.")}},
	}
	if outcome != "" {
		return append(out, map[string]any{"type": "section", "text": text("mrkdwn", outcome)})
	}
	confirm := map[string]any{"title": text("plain_text", "Revoke now?"), "text": text("mrkdwn", "This cannot be *undone*."), "confirm": text("plain_text", "Revoke"), "deny": text("plain_text", "Leave it")}
	return append(out, map[string]any{"type": "divider"}, map[string]any{"type": "actions", "block_id": "decide", "elements": []any{
		button("request.approve.v1", "Approve", "primary", nil), button("request.deny.v1", "Deny…", "danger", nil),
		button("finding.revoke.v1", "Revoke", "danger", map[string]any{"confirm": confirm}),
		map[string]any{"type": "static_select", "action_id": "handover.choose.v1", "placeholder": text("plain_text", "Choose replacement…"), "options": []any{
			map[string]any{"text": text("plain_text", "Ines Duarte"), "value": "ines"}, map[string]any{"text": text("plain_text", "Omar Haddad"), "value": "omar"},
		}},
	}})
}

func denyModal() map[string]any {
	text := func(s string) map[string]any { return map[string]any{"type": "plain_text", "text": s} }
	option := func(label, value string) map[string]any { return map[string]any{"text": text(label), "value": value} }
	because := func(o map[string]any, why string) map[string]any {
		o["description"] = text(why)
		return o
	}
	ines := because(option("Ines Duarte", "ines"), "on Payments too · has a phone")
	input := func(block, label string, optional bool, element map[string]any) map[string]any {
		return map[string]any{"type": "input", "block_id": block, "label": text(label), "optional": optional, "element": element, "hint": text("Everybody on the thread reads it.")}
	}
	return map[string]any{"type": "modal", "callback_id": "deny", "title": text("Deny the move"), "submit": text("Deny"), "close": text("Cancel"), "blocks": []any{
		map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": "*Ben Ode* stays Manager of Payments."}},
		input("reason", "Reason", false, map[string]any{"type": "plain_text_input", "action_id": "text", "multiline": true}),
		input("until", "Until", true, map[string]any{"type": "datepicker", "action_id": "date"}),
		input("tell", "Tell", true, map[string]any{"type": "checkboxes", "action_id": "who", "options": []any{option("The manager", "manager"), option("Security", "security")}}),
		input("kind", "Kind", true, map[string]any{"type": "radio_buttons", "action_id": "kind", "options": []any{option("Wrong person", "person"), option("Wrong team", "team")}}),
		input("stand_in", "Stand-in", true, map[string]any{"type": "static_select", "action_id": "who", "initial_option": ines, "options": []any{ines, because(option("Omar Haddad", "omar"), "no phone: cannot be woken")}}),
		input("teams", "Teams", true, map[string]any{"type": "multi_static_select", "action_id": "teams", "options": []any{option("Payments, Platform", "a, b"), option("Search", "b")}}),
		input("people", "These people", true, map[string]any{"type": "multi_static_select", "action_id": "people", "option_groups": []any{
			map[string]any{"label": text("Legal <&>"), "options": []any{option("Ana", "ntc_1"), option("Bo", "ntc_2")}},
			map[string]any{"label": text("Sales"), "options": []any{option("Cy", "ntc_3")}},
		}}),
	}}
}

// planModal has an input, and a button that leads on.
func planModal(title, action string) map[string]any {
	text := func(s string) map[string]any { return map[string]any{"type": "plain_text", "text": s} }
	return map[string]any{"type": "modal", "title": text(title), "submit": text("Send"), "blocks": []any{
		map[string]any{"type": "input", "block_id": "note", "label": text("Note"), "element": map[string]any{"type": "plain_text_input", "action_id": "text"}},
		map[string]any{"type": "actions", "block_id": "on", "elements": []any{
			map[string]any{"type": "button", "action_id": action, "value": "go", "text": text("Show a step")},
			map[string]any{"type": "static_select", "action_id": "sort", "options": []any{map[string]any{"text": text("Newest"), "value": "new"}}},
		}},
	}}
}

// call asks the Web API; it fails the test when Slack refuses.
func (a *app) call(method string, args map[string]any) map[string]any {
	body, err := json.Marshal(args)
	if err != nil {
		a.t.Error(err)
		return nil
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, a.base+"/api/"+method, bytes.NewReader(body))
	if err != nil {
		a.t.Error(err)
		return nil
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Authorization", "Bearer "+a.ws.Config().BotToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Error(err)
		return nil
	}
	defer response.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil || out["ok"] != true {
		a.t.Errorf("%s: %v %v", method, out, err)
	}
	return out
}

// hear notes what arrived, and reports whether the app is to answer at all.
func (a *app) hear(what string) bool {
	a.mu.Lock()
	a.heard = append(a.heard, what)
	silent := a.silent
	a.mu.Unlock()
	if silent {
		<-a.mute
	}
	return !silent
}

func (a *app) silence() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.silent = true
}

func (a *app) said() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string{}, a.heard...)
}

func (a *app) command(w http.ResponseWriter, r *http.Request) {
	text := r.FormValue("text")
	if !a.hear("command " + r.FormValue("user_id") + " " + text) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"response_type":"ephemeral","text":"You asked for *%s*."}`, text)
}

func (a *app) event(_ http.ResponseWriter, r *http.Request) {
	var e struct{ Event struct{ Type, User string } }
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		a.t.Error(err)
	}
	if !a.hear("event "+e.Event.Type+" "+e.Event.User) || e.Event.Type != "app_home_opened" {
		return
	}
	a.call("views.publish", map[string]any{"user_id": e.Event.User, "view": map[string]any{"type": "home", "blocks": []any{
		map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": "My access"}},
		map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": "You hold *Payments: manager* since 2 May."}},
		map[string]any{"type": "actions", "elements": []any{map[string]any{"type": "button", "action_id": "request.open.v1", "text": map[string]any{"type": "plain_text", "text": "Request more"}}}},
	}}})
}

type payload struct {
	Type     string
	User     struct{ ID string }
	Trigger  string `json:"trigger_id"`
	Callback string `json:"callback_id"`
	Actions  []struct {
		ID     string                 `json:"action_id"`
		Picked struct{ Value string } `json:"selected_option"`
	}
	View struct {
		State struct {
			Values map[string]map[string]json.RawMessage
		}
	}
}

func (a *app) interaction(w http.ResponseWriter, r *http.Request) {
	var p payload
	if err := json.Unmarshal([]byte(r.FormValue("payload")), &p); err != nil {
		a.t.Error(err)
	}
	what := p.Type + " " + p.User.ID + " " + p.Callback
	for _, act := range p.Actions {
		what = strings.TrimSpace(p.Type + " " + p.User.ID + " " + act.ID + " " + act.Picked.Value)
	}
	if !a.hear(strings.TrimSpace(what)) {
		return
	}
	switch {
	case p.Type == "view_submission":
		a.submitted(w, p)
	case p.Type == "block_actions":
		a.pressed(p)
	}
}

func (a *app) pressed(p payload) {
	switch p.Actions[0].ID {
	case "request.approve.v1":
		a.pd.moveBen()
		a.call("chat.update", map[string]any{"channel": payments, "ts": a.card, "text": "Done", "blocks": cardBlocks("*Done, checked in PagerDuty* :white_check_mark:")})
		a.call("chat.postMessage", map[string]any{"channel": payments, "thread_ts": a.card, "text": "Step 1 of 2 applied."})
	case "request.more.v1":
		a.call("views.open", map[string]any{"trigger_id": p.Trigger, "view": planModal("Plan", "next.v1")})
	case "next.v1":
		a.call("views.push", map[string]any{"trigger_id": p.Trigger, "view": planModal("Step 1", "last.v1")})
	case "request.deny.v1":
		a.call("views.open", map[string]any{"trigger_id": p.Trigger, "view": denyModal()})
	}
}

func (a *app) submitted(w http.ResponseWriter, p payload) {
	var reason struct{ Value string }
	_ = json.Unmarshal(p.View.State.Values["reason"]["text"], &reason)
	if len(reason.Value) < 10 {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"response_action":"errors","errors":{"reason":"Say it in a sentence: at least 10 characters."}}`)
		return
	}
	a.call("chat.update", map[string]any{"channel": payments, "ts": a.card, "text": "Denied", "blocks": cardBlocks("*Denied* by <@" + p.User.ID + ">: " + reason.Value)})
}
