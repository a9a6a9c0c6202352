package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
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
		{
			ID: "joiner", Title: "A joiner arrives", Text: "HR says that Ana joins Payments. Send the notice and watch PagerDuty.", Open: payments, ActAs: marco,
			Action: "Send the joiner notice", Said: "The notice is on its way.", Run: func(context.Context) error { s.pd.join("Ana Lima"); return nil },
		},
		{
			ID: "approve", Title: "Marco approves Ben's move", Text: "The card says what happens. Press Approve.", ActAs: marco, Open: payments,
			Done: func() bool { return s.pd.moved() },
		},
		{ID: "home", Title: "Ben looks at his own access", Text: "The Home tab of the app shows what one holds.", ActAs: ben, Open: sandbox.Home},
		{
			ID: "dm", Title: "A step that fails", Text: "It cannot be sent.", Open: sandbox.DM, Action: "Send what fails",
			Run: func(context.Context) error { return errors.New("intake answered 503") },
		},
	}
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
