package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/bot/sandbox"
	"rolecall/bot/slacktest"
)

const (
	marco    = "U0MARCO"
	ines     = "U0INES"
	ben      = "U0BEN"
	payments = "C0PAYMENTS"
	security = "C0SECURITY"
	archived = "C0OLD"
)

// stage is a workspace with people, an app, a PagerDuty that changes, and the page over it.
type stage struct {
	t       *testing.T
	ws      *slacktest.Workspace
	app     *app
	pd      *pagerduty
	handler http.Handler
	url     string
}

// newStage begins with a card from the app in #payments. Configuration can be adjusted before the page is made.
func newStage(t *testing.T, adjust ...func(*sandbox.Config)) *stage {
	t.Helper()
	s := &stage{t: t, pd: newPagerDuty()}
	s.ws = slacktest.New(slacktest.Config{NoRateLimits: true, Commands: []string{"/rolecall"}, AckTimeout: 500 * time.Millisecond, RetryDelays: []time.Duration{}})
	populate(s.ws)
	base, err := s.ws.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.ws.Close(); err != nil {
			t.Error(err)
		}
	})
	s.app = newApp(t, s.ws, base, s.pd)
	cfg := sandbox.Config{
		Workspace: s.ws, Panel: s.pd.panel, Watch: s.pd.wait, Story: s.story(),
		Actors:    []sandbox.Actor{{UserID: marco, Role: "owns Payments"}, {UserID: ben, Role: "moves to Platform"}},
		Shortcuts: []sandbox.Shortcut{{Name: "Show history", CallbackID: "show_history"}},
	}
	for _, f := range adjust {
		f(&cfg)
	}
	if s.handler, err = sandbox.New(cfg); err != nil {
		t.Fatal(err)
	}
	s.serve()
	return s
}

func (s *stage) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewUnstartedServer(s.handler)
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	s.t.Cleanup(func() {
		cancel()
		server.Close()
	})
	s.url = server.URL
}

func populate(w *slacktest.Workspace) {
	bot := w.Config().BotUserID
	w.AddUser(slacktest.User{ID: marco, Email: "marco@acme.test", RealName: "Marco Rossi", TZ: "UTC"})
	w.AddUser(slacktest.User{ID: ines, Email: "ines@acme.test", RealName: "Ines Duarte", TZ: "UTC"})
	w.AddUser(slacktest.User{ID: ben, Email: "ben@acme.test", RealName: "Ben Ode", TZ: "UTC"})
	w.AddUser(slacktest.User{ID: "U0GONE", Email: "gone@acme.test", RealName: "Gone Person", Deleted: true})
	w.AddUser(slacktest.User{ID: "U0GUEST", Email: "guest@vendor.test", RealName: "Gus Guest", Restricted: true})
	for i := range 200 {
		w.AddUser(slacktest.User{Email: fmt.Sprintf("person%03d@acme.test", i), RealName: fmt.Sprintf("Person Number %03d", i), TZ: "UTC"})
	}
	w.AddChannel(slacktest.Channel{ID: payments, Name: "payments", Members: []string{bot, marco, ines, ben}})
	w.AddChannel(slacktest.Channel{ID: security, Name: "security", Private: true, Members: []string{bot, ines}})
	w.AddChannel(slacktest.Channel{ID: archived, Name: "old-pagers", Archived: true, Members: []string{bot, marco}})
}

func (s *stage) story() []sandbox.Step {
	return []sandbox.Step{
		{ID: "joiner", Title: "A joiner arrives", Text: "HR says that Ana joins Payments. Send the notice and watch PagerDuty.", Open: payments, ActAs: marco,
			Action: "Send the joiner notice", Run: func(context.Context) error { s.pd.join("Ana Lima"); return nil }},
		{ID: "approve", Title: "Marco approves Ben's move", Text: "The card says what happens. Press Approve.", ActAs: marco, Open: payments,
			Done: func() bool { return s.pd.moved() }},
		{ID: "home", Title: "Ben looks at his own access", Text: "The Home tab of the app shows what one holds.", ActAs: ben, Open: sandbox.Home},
		{ID: "dm", Title: "A step that fails", Text: "It cannot be sent.", Open: sandbox.DM, Action: "Send what fails",
			Run: func(context.Context) error { return errors.New("intake answered 503") }},
	}
}

// pagerduty is what the panel shows.
type pagerduty struct {
	mu      sync.Mutex
	version uint64
	changed chan struct{}
	state   sandbox.Panel
	benLeft bool
}

func newPagerDuty() *pagerduty {
	return &pagerduty{version: 1, changed: make(chan struct{}), state: sandbox.Panel{
		Counts: []sandbox.PanelCount{{Label: "accounts", N: 214}, {Label: "teams", N: 2}},
		Teams: []sandbox.PanelTeam{
			{Name: "Payments", Members: []sandbox.PanelMember{
				{Name: "Marco Rossi", Email: "marco@acme.test", TeamRole: "Manager", BaseRole: "Manager (user)"},
				{Name: "Ben Ode", Email: "ben@acme.test", TeamRole: "Manager", BaseRole: "Responder (limited_user)"},
			}},
			{Name: "Platform", Members: []sandbox.PanelMember{
				{Name: "Omar Haddad", Email: "omar@acme.test", TeamRole: "Manager", BaseRole: "Manager (user)"},
				{Name: "Lena Vogt", Email: "lena@acme.test", TeamRole: "Responder", BaseRole: "Restricted Access (restricted_access)", Contained: true},
			}},
		},
	}}
}

func (p *pagerduty) panel() sandbox.Panel {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.state
	out.Teams = nil
	for _, t := range p.state.Teams {
		t.Members = append([]sandbox.PanelMember{}, t.Members...)
		out.Teams = append(out.Teams, t)
	}
	out.Writes = append([]sandbox.PanelWrite{}, p.state.Writes...)
	return out
}

func (p *pagerduty) change(sentence string, f func(*sandbox.Panel)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.state)
	p.state.Writes = append([]sandbox.PanelWrite{{At: time.Now(), Sentence: sentence}}, p.state.Writes...)
	p.version++
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pagerduty) join(name string) {
	p.change(name+" joined Payments as responder", func(s *sandbox.Panel) {
		s.Teams[0].Members = append(s.Teams[0].Members, sandbox.PanelMember{Name: name, Email: "ana@acme.test", TeamRole: "Responder", BaseRole: "Responder (limited_user)"})
	})
}

func (p *pagerduty) moveBen() {
	p.change("Ben Ode left Payments and joined Platform as responder", func(s *sandbox.Panel) {
		p.benLeft = true
		s.Teams[0].Members = append(s.Teams[0].Members[:1:1], s.Teams[0].Members[2:]...)
		s.Teams[1].Members = append(s.Teams[1].Members, sandbox.PanelMember{Name: "Ben Ode", Email: "ben@acme.test", TeamRole: "Responder", BaseRole: "Responder (limited_user)"})
	})
}

func (p *pagerduty) moved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.benLeft
}

func (p *pagerduty) wait(ctx context.Context, since uint64) (uint64, error) {
	for {
		p.mu.Lock()
		version, changed := p.version, p.changed
		p.mu.Unlock()
		if version > since {
			return version, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return version, ctx.Err()
		}
	}
}

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
	input := func(block, label string, optional bool, element map[string]any) map[string]any {
		return map[string]any{"type": "input", "block_id": block, "label": text(label), "optional": optional, "element": element, "hint": text("Everybody on the thread reads it.")}
	}
	return map[string]any{"type": "modal", "callback_id": "deny", "title": text("Deny the move"), "submit": text("Deny"), "close": text("Cancel"), "blocks": []any{
		map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": "*Ben Ode* stays Manager of Payments."}},
		input("reason", "Reason", false, map[string]any{"type": "plain_text_input", "action_id": "text", "multiline": true}),
		input("until", "Until", true, map[string]any{"type": "datepicker", "action_id": "date"}),
		input("tell", "Tell", true, map[string]any{"type": "checkboxes", "action_id": "who", "options": []any{option("The manager", "manager"), option("Security", "security")}}),
		input("kind", "Kind", true, map[string]any{"type": "radio_buttons", "action_id": "kind", "options": []any{option("Wrong person", "person"), option("Wrong team", "team")}}),
		input("stand_in", "Stand-in", true, map[string]any{"type": "static_select", "action_id": "who", "options": []any{option("Ines Duarte", "ines"), option("Omar Haddad", "omar")}}),
		input("teams", "Teams", true, map[string]any{"type": "multi_static_select", "action_id": "teams", "options": []any{option("Payments, Platform", "a, b"), option("Search", "b")}}),
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

// get fetches a page.
func (s *stage) get(path string) (int, string) {
	s.t.Helper()
	response, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// page fetches a page that must be there.
func (s *stage) page(path string) string {
	s.t.Helper()
	status, body := s.get(path)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d\n%s", path, status, body)
	}
	return body
}

func (s *stage) token() string {
	s.t.Helper()
	found := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(s.page("/u/" + marco + "/c/" + payments))
	if found == nil {
		s.t.Fatal("the page has no token")
	}
	return found[1]
}

// post sends a form with the token, follows the redirect, and returns the page that follows.
func (s *stage) post(path string, form url.Values) string {
	s.t.Helper()
	form.Set("csrf", s.token())
	if !form.Has("back") {
		form.Set("back", "/u/"+marco+"/c/"+payments)
	}
	response, err := http.PostForm(s.url+path, form)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("POST %s: %d %v\n%s", path, response.StatusCode, err, body)
	}
	return string(body)
}

func contains(t *testing.T, where string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(where, want) {
			t.Errorf("missing %q in\n%s", want, where)
		}
	}
}

func lacks(t *testing.T, where string, unwanted ...string) {
	t.Helper()
	for _, one := range unwanted {
		if strings.Contains(where, one) {
			t.Errorf("%q must not be in\n%s", one, where)
		}
	}
}
