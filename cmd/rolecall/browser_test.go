package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

var pictures = flag.String("pictures", "", "folder in which the browser's pictures are kept, to be looked at")

// tab is one tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// step is something to do in a tab.
type step = chromedp.Action[chromedp.Void]

// openTab opens a browser of its own, or skips the test where none is installed.
func openTab(t *testing.T, width, height int64) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed (looked for chromium, chromium-browser, google-chrome, chrome)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(int(width), int(height)), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true))
	allocated, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(endAllocator)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	limited, cancel := context.WithTimeout(ctx, slowness*2*time.Minute)
	t.Cleanup(cancel)
	return &tab{t: t, ctx: limited}
}

// do does steps in order, and fails the test where one is not possible. A pane
// may be swapped between finding an element and using it: then it is found again.
func (b *tab) do(steps ...step) {
	b.t.Helper()
	for i, s := range steps {
		limited, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(limited, s)
		for err != nil && limited.Err() == nil {
			b.t.Logf("browser step %d, once more: %v", i, err)
			err = chromedp.Do(limited, s)
		}
		cancel()
		if err != nil {
			b.shoot("failed")
			b.t.Fatalf("browser step %d: %v", i, err)
		}
	}
}

// pressTime is how long a press may take to show before a person presses again,
// who is patient where everything is slow.
const pressTime = slowness * 5 * time.Second

// press presses until it shows: a press that meets a pane just being swapped is
// lost, and a person presses again.
func (b *tab) press(click, shows step) {
	b.t.Helper()
	within, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for within.Err() == nil {
		pressing, done := context.WithTimeout(within, pressTime)
		err := chromedp.Do(pressing, click)
		done()
		if err != nil {
			b.t.Logf("press: %v", err) // it may have shown already, and what was pressed be gone
		}
		looking, done := context.WithTimeout(within, pressTime)
		err = chromedp.Do(looking, shows)
		done()
		if err == nil {
			return
		}
		b.t.Logf("what a press leads to: %v", err)
	}
	b.shoot("failed")
	b.t.Fatalf("a press led to nothing: %v", within.Err())
}

// shoot takes a picture, and keeps it where pictures are wanted.
func (b *tab) shoot(name string) []byte {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Errorf("take a picture: %v", err)
	}
	if *pictures != "" {
		if err := os.WriteFile(filepath.Join(*pictures, name+".png"), picture, 0o600); err != nil {
			b.t.Error(err)
		}
	}
	return picture
}

// says waits until what is shown has the words.
func (b *tab) says(selector chromedp.CSS, words string) {
	b.t.Helper()
	shown := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		shown = b.shown(selector)
		if strings.Contains(shown, words) {
			return
		}
	}
	b.shoot("silent")
	b.t.Fatalf("%s says %q, want %q in it", selector, shown, words)
}

// shown returns what a person reads there now; nothing while a page is on its way.
func (b *tab) shown(selector chromedp.CSS) string {
	limited, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(limited, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(text), " ")
}

func id(testID string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + testID + `"]`) }

// last is the newest message of the conversation that is open.
const last = chromedp.CSS(`.messages > article:last-of-type`)

func acts(actionID string) chromedp.CSS {
	return chromedp.CSS(`.messages > article:last-of-type [data-action="` + actionID + `"]`)
}

// be acts as somebody, in #payments.
func (b *tab) be(name string) {
	b.t.Helper()
	b.beIn(name, "payments")
}

// beIn acts as somebody, in a channel.
func (b *tab) beIn(name, channel string) {
	b.t.Helper()
	who := strings.ToUpper(name[:1]) + name[1:]
	for deadline := time.Now().Add(patience); !strings.Contains(b.shown(id("acting-as")), who); {
		if time.Now().After(deadline) {
			b.shoot("failed")
			b.t.Fatalf("cannot act as %s", who)
		}
		b.attempt(chromedp.Click(id("act-as")), chromedp.WaitVisible(id("act-as-"+name)), chromedp.Click(id("act-as-"+name)),
			chromedp.WaitVisible(chromedp.CSS(`[data-testid="acting-as"]`)))
	}
	at := "channel-" + channel
	b.press(chromedp.Click(id(at)), chromedp.WaitVisible(chromedp.CSS(`[data-testid="`+at+`"][aria-current]`)))
}

// attempt does steps as far as they go: who calls it looks at what came of them.
func (b *tab) attempt(steps ...step) {
	within, cancel := context.WithTimeout(b.ctx, pressTime)
	defer cancel()
	for i, s := range steps {
		if err := chromedp.Do(within, s); err != nil {
			b.t.Logf("step %d: %v", i, err)
			return
		}
	}
}

// openDemo runs the demo with its page, and returns where that is.
func openDemo(t *testing.T) (*world, string) {
	t.Helper()
	w, err := newWorld(t.Context(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var out transcript
	var running sync.WaitGroup
	running.Go(func() {
		if err := inWorld(ctx, w, func(ctx context.Context) error { return showPage(ctx, &terminal{out: &out}, w, 0) }); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	at := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	(&place{t: t}).until("the page is open", func() bool { return at.MatchString(out.String()) })
	return w, at.FindString(out.String())
}

var theo = lifecycle.Person{
	EmployeeID: "E2002", Status: lifecycle.StatusActive, Emails: []string{"theo@acme.test"}, Name: "Theo Marsh", Department: "Payments",
	Title: "SRE I", Location: "Lisbon", Country: "PT", Employment: lifecycle.Employee,
}

// TestTheDemoInABrowser does in Chromium what a newcomer does who has five
// minutes: the whole bot is behind it.
func TestTheDemoInABrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t, 1280, 800)
	w, url := openDemo(t)
	b.do(chromedp.Navigate(url), chromedp.WaitVisible(id("guide-run")))
	b.shoot("1-begin")
	b.press(chromedp.Click(id("guide-run")), chromedp.WaitVisible(id("guide-go-1")))
	b.be("kofi")
	b.says(last, "Nora Lindqvist: new PagerDuty account")
	b.press(chromedp.Click(acts(approve)), chromedp.WaitVisible(id("ephemeral")))
	b.says(id("ephemeral"), "Only marco@acme.test or ines@acme.test can decide this.")
	b.shoot("2-refused")

	b.be("marco")
	b.says(last, "Waiting for a decision.")
	b.press(chromedp.Click(chromedp.CSS(`[data-testid="panel-team-payments"] > summary`)), chromedp.WaitVisible(id("panel-member-payments-ben")))
	card := b.shoot("3-card")
	if *update {
		if err := os.WriteFile(filepath.Join("..", "..", "docs", "demo.png"), card, 0o644); err != nil {
			t.Error(err)
		}
	}
	b.press(chromedp.Click(acts(approve)), chromedp.WaitVisible(id("panel-member-payments-nora")))
	b.says(id("panel-member-payments-nora"), "new")
	b.says(last, "Done, checked in PagerDuty")
	b.says(id("panel-writes"), "Nora Lindqvist")
	b.shoot("4-done")

	w.slack.AddUser(slacktest.User{ID: "U0000THEO", Name: "theo", RealName: theo.Name, Email: theo.Emails[0]})
	if err := w.send(t.Context(), theo); err != nil {
		t.Fatal(err)
	}
	b.says(last, "Theo Marsh: new PagerDuty account")
	b.press(chromedp.Click(acts("request.deny.v1")), chromedp.WaitVisible(id("modal")))
	b.press(chromedp.Click(id("modal-submit")), chromedp.WaitVisible(id("field-error")))
	b.shoot("5-reason-wanted")
	reason := chromedp.CSS(`[data-block="reason"] [data-input]`)
	b.do(chromedp.SendKeys(reason, "He starts in Ledger after all."))
	b.press(chromedp.Click(id("modal-submit")), chromedp.WaitNotPresent(id("modal")))
	b.says(last, "Denied by @Marco Bruni")
	b.says(last, "He starts in Ledger after all.")
	b.shoot("6-denied")
	if _, there := w.pd.UserByEmail(theo.Emails[0]); there {
		t.Error("who was denied has an account")
	}

	second := id("panel-level-payments-crit-2")
	b.says(second, "Ana Kim")
	if err := w.send(t.Context(), w.left("ana@acme.test")); err != nil {
		t.Fatal(err)
	}
	b.says(last, "hand over 6 on-call duties")
	b.press(chromedp.Click(acts("handover.choose.v1")), chromedp.WaitVisible(id("modal")))
	b.shoot("7-choose")
	b.press(chromedp.Click(id("modal-submit")), chromedp.WaitNotPresent(id("modal")))
	b.press(chromedp.Click(acts(approve)), chromedp.WaitNotPresent(acts(approve)))
	b.says(last, "delete the PagerDuty account for good")
	b.shoot("8-replaced")
	if on := w.dutiesOf("ana@acme.test"); len(on) > 0 {
		t.Errorf("she is still on call in %v", on)
	}
	if err := w.violations(); err != nil {
		t.Error(err)
	}
}
