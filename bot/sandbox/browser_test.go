package sandbox_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rolecall/bot/sandbox"
	"rolecall/bot/slacktest"
)

// tab is one tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// step is something to do in a tab.
type step = chromedp.Action[chromedp.Void]

// newTab opens a browser of its own, or skips the test where none is installed.
func newTab(t *testing.T, width, height int64, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(int(width), int(height)), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true))
	allocated, endAllocator := chromedp.NewExecAllocator(context.Background(), append(options, flags...)...)
	t.Cleanup(endAllocator)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return &tab{t: t, ctx: limited}
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	t.Skip("no Chromium is installed (looked for chromium, chromium-browser, google-chrome, chrome)")
	return ""
}

// do does steps in order and fails the test, with a picture, where one is not possible.
func (b *tab) do(steps ...step) {
	b.t.Helper()
	for i, s := range steps {
		limited, cancel := context.WithTimeout(b.ctx, 30*time.Second)
		err := chromedp.Do(limited, s)
		for err != nil && limited.Err() == nil { // its pane was swapped between finding and using it
			err = chromedp.Do(limited, s)
		}
		cancel()
		if err != nil {
			b.shoot("failed")
			b.t.Fatalf("browser step %d: %v", i, err)
		}
	}
}

// shoot keeps a picture of the page in the test's folder, or in SANDBOX_PICTURES to be looked at.
func (b *tab) shoot(name string) {
	b.t.Helper()
	folder := os.Getenv("SANDBOX_PICTURES")
	if folder == "" {
		folder = b.t.TempDir()
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, filepath.Base(b.t.Name())+"-"+name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Errorf("take a picture: %v", err)
	}
}

// says fails the test unless what is shown has the words soon: a pane may just be being swapped.
func (b *tab) says(selector chromedp.CSS, words string) {
	b.t.Helper()
	within, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		shown, err := chromedp.Run(within, chromedp.Text(selector))
		flat := strings.Join(strings.Fields(shown), " ")
		if err == nil && strings.Contains(flat, words) {
			return
		}
		select {
		case <-tick.C:
		case <-within.Done():
			b.shoot("silent")
			b.t.Errorf("%s says %q (%v), want %q in it", selector, flat, err, words)
			return
		}
	}
}

func id(testID string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + testID + `"]`) }

func field(actionID string) chromedp.CSS {
	return chromedp.CSS(`[data-input="` + actionID + `"]`)
}

func acts(actionID string) chromedp.CSS { return chromedp.CSS(`[data-action="` + actionID + `"]`) }

// TestInABrowser has one browser at a time: several would starve each other where there are few cores.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		test func(*testing.T)
	}{
		{"a newcomer goes through the story", theStory},
		{"another person's press shows without a reload", anotherPersonsPress},
		{"the keyboard is enough", withTheKeyboard},
		{"links and forms do without script", withoutScript},
		{"a phone has tabs", onAPhone},
		{"an act that takes long leads nobody back", aSlowAct},
		{"what is said twice is shown twice", theSameNote},
		{"a confirmation stands before a press, in the dark too", inTheDark},
	} {
		t.Run(tt.name, tt.test)
	}
}

// theStory goes through the page as a newcomer would.
func theStory(t *testing.T) {
	s := newStage(t)
	b := newTab(t, 1280, 800)

	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("message")))
	b.says(id("acting-as"), "Marco Rossi")
	b.shoot("begin")

	b.do(chromedp.Click(id("guide-run")), chromedp.WaitVisible(id("panel-member-payments-ana")), chromedp.WaitVisible(id("toast")))
	b.says(id("panel-member-payments-ana"), "new")
	b.says(id("panel-writes"), "Ana Lima joined Payments")
	b.shoot("joiner")

	b.do(chromedp.Click(acts("request.deny.v1")), chromedp.WaitVisible(id("modal")))
	b.shoot("modal")
	b.do(chromedp.SendKeys(field("text"), "no"), chromedp.Click(id("modal-submit")), chromedp.WaitVisible(id("field-error")))
	b.says(id("field-error"), "at least 10 characters")
	b.shoot("modal-error")
	b.do(chromedp.SetValue(chromedp.CSS(`select[name="in:stand_in/who"]`), "omar"), chromedp.SendKeys(field("text"), ", he is on call all week"), chromedp.Click(id("modal-submit")),
		chromedp.WaitNotPresent(id("modal")), chromedp.WaitVisible(id("edited")))
	b.says(id("message"), "Denied by @Marco Rossi: no, he is on call all week")
	if sent := s.submitted(); !strings.Contains(sent, `"selected_option":{"description":{"emoji":true,"text":"no phone: cannot be woken","type":"plain_text"},"text":{"emoji":true,"text":"Omar Haddad","type":"plain_text"},"value":"omar"}`) {
		t.Errorf("the app was sent %s", sent)
	}

	b.do(chromedp.SendKeys(id("say"), "/rolecall who payments\r"), chromedp.WaitVisible(id("ephemeral")))
	b.says(id("ephemeral"), "You asked for who payments.")
	b.says(id("ephemeral"), "Only visible to you")
	b.shoot("ephemeral")
	b.do(chromedp.Click(id("dismiss")), chromedp.WaitNotPresent(id("ephemeral")))

	b.do(chromedp.Click(id("act-as")), chromedp.WaitVisible(id("act-as-search")))
	b.shoot("people")
	b.do(chromedp.SendKeys(id("act-as-search"), "number 17"), chromedp.WaitVisible(id("act-as-person170")), chromedp.WaitNotPresent(id("act-as-ben")),
		chromedp.Click(id("act-as-person170")), chromedp.WaitVisible(chromedp.CSS(`[data-testid="acting-as"]`)))
	b.shoot("stranger")
}

// submitted returns the last modal that was submitted, as the app was sent it.
func (s *stage) submitted() string {
	all := s.ws.Deliveries(slacktest.KindInteraction)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Type == "view_submission" {
			return string(all[i].Payload)
		}
	}
	return ""
}

// anotherPersonsPress presses in the workspace and looks at a page that nobody touches.
func anotherPersonsPress(t *testing.T) {
	s := newStage(t)
	b := newTab(t, 1280, 800)
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("message")), chromedp.SendKeys(id("say"), "half a sen"))
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`window.untouched = true`)); err != nil {
		t.Fatal(err)
	}

	if _, err := s.ws.Press(b.ctx, ines, payments, s.app.card, "request.approve.v1"); err != nil {
		t.Fatal(err)
	}

	b.do(chromedp.WaitVisible(id("replies")), chromedp.WaitVisible(id("panel-member-platform-ben")))
	b.says(id("message"), "Done, checked in PagerDuty")
	b.says(id("panel-member-payments-ben"), "left")
	b.says(id("replies"), "1 reply")
	b.shoot("live")
	untouched, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`window.untouched === true && document.activeElement.dataset.testid === "say" && document.activeElement.value === "half a sen"`))
	if err != nil || !untouched {
		t.Errorf("the page was reloaded, or lost the focus or what was typed: %v %v", untouched, err)
	}

	b.do(chromedp.Click(id("replies")), chromedp.WaitVisible(id("thread")))
	b.says(id("thread"), "Step 1 of 2 applied.")
	b.shoot("thread")
}

// onAPhone goes through the tabs.
func onAPhone(t *testing.T) {
	s := newStage(t)
	b := newTab(t, 390, 844)
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("message")))
	b.shoot("chat")
	b.do(chromedp.Click(chromedp.CSS(`label:has(#tab-guide)`)), chromedp.WaitVisible(id("guide")))
	b.shoot("guide")
	b.do(chromedp.Click(id("guide-run")), chromedp.WaitVisible(id("toast")), chromedp.Click(chromedp.CSS(`label:has(#tab-pagerduty)`)),
		chromedp.WaitVisible(id("panel-member-payments-ana")))
	b.shoot("pagerduty")
	b.do(chromedp.Click(chromedp.CSS(`label:has(#tab-places)`)), chromedp.WaitVisible(id("open-home")))
	b.shoot("places")
	b.do(chromedp.Click(id("open-home")), chromedp.WaitVisible(acts("request.open.v1")))
	b.shoot("home")
	b.do(chromedp.Click(chromedp.CSS(`label:has(#tab-places)`)), chromedp.Click(id("channel-payments")), chromedp.WaitVisible(id("message")),
		chromedp.Click(acts("request.deny.v1")), chromedp.WaitVisible(id("modal")))
	b.shoot("modal")
}

// withoutScript uses the page as a browser without script shows it: links and forms.
func withoutScript(t *testing.T) {
	s := newStage(t)
	b := newTab(t, 1280, 800, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("refresh")), chromedp.Click(acts("request.deny.v1")), chromedp.WaitVisible(id("modal")))
	b.shoot("modal")
	b.do(chromedp.SendKeys(field("text"), "no"), chromedp.Click(id("modal-submit")), chromedp.WaitVisible(id("field-error")))
	b.do(chromedp.Click(id("modal-close")), chromedp.WaitNotPresent(id("modal")), chromedp.Click(acts("request.approve.v1")), chromedp.WaitVisible(id("replies")))
	b.says(id("message"), "Done, checked in PagerDuty")
	b.shoot("done")
}

// inTheDark declines a confirmation and approves.
func inTheDark(t *testing.T) {
	s := newStage(t)
	b := newTab(t, 1280, 800, chromedp.Flag("blink-settings", "preferredColorScheme=0"))
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("message")), chromedp.Click(id("guide-run")), chromedp.WaitVisible(id("panel-member-payments-ana")),
		chromedp.Click(acts("finding.revoke.v1")), chromedp.WaitVisible(id("confirm")))
	b.shoot("confirm")
	b.do(chromedp.Click(id("confirm-deny")), chromedp.WaitNotPresent(id("confirm")), chromedp.Click(acts("request.approve.v1")), chromedp.WaitVisible(id("replies")))
	b.shoot("done")
	if said := s.app.said(); len(said) != 1 {
		t.Errorf("only Approve should have reached the app, heard %q", said)
	}
}

// withTheKeyboard presses, closes and chooses with keys alone, and holds where the focus goes.
func withTheKeyboard(t *testing.T) {
	s := newStage(t)
	b := newTab(t, 1280, 800)
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("message")))

	b.do(chromedp.Focus(acts("request.deny.v1")), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(id("modal")))
	b.focused(`document.activeElement.dataset.input === "text"`)
	b.holds("the workspace behind a dialog cannot be reached", `document.getElementById("workspace").inert`)
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.WaitNotPresent(id("modal")))
	b.focused(`document.activeElement.dataset.action === "request.deny.v1"`)
	b.holds("the workspace can be reached again", `!document.getElementById("workspace").inert`)

	b.do(chromedp.Focus(chromedp.CSS(`summary[data-action="handover.choose.v1"]`)), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible(chromedp.CSS(`button[data-value="omar"]`)))
	b.shoot("menu")
	b.do(chromedp.Focus(chromedp.CSS(`button[data-value="omar"]`)), chromedp.KeyEvent(kb.Enter))
	b.holds("the menu is closed and says what was chosen", `!document.querySelector("details.menu[open]") && document.activeElement.innerText.startsWith("Omar Haddad")`)

	b.do(chromedp.Focus(acts("finding.revoke.v1")), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(id("confirm")))
	b.focused(`document.activeElement.dataset.testid === "confirm-yes"`)
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitNotPresent(id("confirm")))
	b.holds("the question is gone from the address", `!location.search`)

	b.do(chromedp.Focus(chromedp.CSS("#step-home summary")), chromedp.KeyEvent(kb.Enter), chromedp.Focus(id("guide-go-3")), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(acts("request.open.v1")))
	b.says(id("acting-as"), "Ben Ode")
	b.do(chromedp.NavigateBack(), chromedp.WaitVisible(id("message")))
	b.says(id("acting-as"), "Marco Rossi")
	s.heardOnly("block_actions "+marco+" request.deny.v1", "block_actions "+marco+" handover.choose.v1 omar",
		"block_actions "+marco+" finding.revoke.v1", "event app_home_opened "+ben)
}

// focused fails the test unless an expression about the focus becomes true.
func (b *tab) focused(expression string) {
	b.t.Helper()
	b.holds("the focus is where it should be", expression)
}

// holds fails the test unless an expression becomes true.
func (b *tab) holds(what, expression string) {
	b.t.Helper()
	limited, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if _, err := chromedp.Run(limited, chromedp.Poll[bool](expression)); err != nil {
		b.shoot("not")
		b.t.Errorf("not so: %s (%s): %v", what, expression, err)
	}
}

// aSlowAct begins a step that takes long, and goes on elsewhere before it ends.
func aSlowAct(t *testing.T) {
	ended := make(chan struct{})
	s := newStage(t, func(c *sandbox.Config) {
		c.Story = []sandbox.Step{{ID: "slow", Title: "Slow", Text: "It takes long.", Action: "Wait", Run: func(context.Context) error { <-ended; return nil }}}
	})
	b := newTab(t, 1280, 800)
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("message")), chromedp.Click(id("guide-run")),
		chromedp.Click(acts("finding.revoke.v1")), chromedp.WaitVisible(id("confirm")))
	close(ended)
	b.do(chromedp.WaitVisible(id("toast")))
	b.says(id("toast"), "Done: Wait.")
	b.holds("the step is ticked", `document.querySelector("[data-step=slow]").dataset.done === "true"`)
	b.holds("the question still stands", `!!document.querySelector("[data-testid=confirm]") && location.search.startsWith("?ask=")`)
}

// theSameNote does twice what is answered with the same words: the second note stays as long as the first did.
func theSameNote(t *testing.T) {
	s := newStage(t, func(c *sandbox.Config) {
		c.Story = []sandbox.Step{{ID: "again", Title: "Again", Text: "It is never over.", Action: "Try", Run: func(context.Context) error { return nil }, Done: func() bool { return false }}}
	})
	b := newTab(t, 1280, 800)
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("message")), chromedp.Click(id("guide-run")), chromedp.WaitVisible(id("toast")))
	b.holds("the first note is marked", `(document.querySelector("[data-testid=toast]").dataset.first = "yes") === "yes"`)
	b.do(chromedp.Click(id("guide-run")))
	b.holds("there is a second note", `!document.querySelector("[data-testid=toast]").dataset.first`)
	b.says(id("toast"), "Done: Try.")
}
