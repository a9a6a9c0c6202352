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
	limited, cancel := context.WithTimeout(ctx, 40*time.Second)
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
		limited, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		err := chromedp.Do(limited, s)
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

// says fails the test unless what is shown has the words.
func (b *tab) says(selector chromedp.CSS, words string) {
	b.t.Helper()
	shown, err := chromedp.Run(b.ctx, chromedp.Text(selector))
	if flat := strings.Join(strings.Fields(shown), " "); err != nil || !strings.Contains(flat, words) {
		b.shoot("silent")
		b.t.Errorf("%s says %q (%v), want %q in it", selector, flat, err, words)
	}
}

func id(testID string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + testID + `"]`) }

func field(actionID string) chromedp.CSS {
	return chromedp.CSS(`[data-input="` + actionID + `"]`)
}

func acts(actionID string) chromedp.CSS { return chromedp.CSS(`[data-action="` + actionID + `"]`) }

// TestTheStoryInABrowser goes through the page as a newcomer would.
func TestTheStoryInABrowser(t *testing.T) {
	t.Parallel()
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
	b.do(chromedp.SendKeys(field("text"), ", he is on call all week"), chromedp.Click(id("modal-submit")),
		chromedp.WaitNotPresent(id("modal")), chromedp.WaitVisible(id("edited")))
	b.says(id("message"), "Denied by @Marco Rossi: no, he is on call all week")

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

// TestAnotherPersonsPressShowsWithoutReload presses in the workspace and looks at a page that nobody touches.
func TestAnotherPersonsPressShowsWithoutReload(t *testing.T) {
	t.Parallel()
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

func TestPhone(t *testing.T) {
	t.Parallel()
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

// TestWithoutScript uses the page as a browser without script shows it: links and forms.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := newTab(t, 1280, 800, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	b.do(chromedp.Navigate(s.url), chromedp.WaitVisible(id("refresh")), chromedp.Click(acts("request.deny.v1")), chromedp.WaitVisible(id("modal")))
	b.shoot("modal")
	b.do(chromedp.SendKeys(field("text"), "no"), chromedp.Click(id("modal-submit")), chromedp.WaitVisible(id("field-error")))
	b.do(chromedp.Click(id("modal-close")), chromedp.WaitNotPresent(id("modal")), chromedp.Click(acts("request.approve.v1")), chromedp.WaitVisible(id("replies")))
	b.says(id("message"), "Done, checked in PagerDuty")
	b.shoot("done")
}

func TestDark(t *testing.T) {
	t.Parallel()
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
