package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rolecall/bot"
)

// TestTheBrakesInABrowser does what Security does when a feed has gone wrong: one
// names who is to be let go, another confirms it, and the rest is refused.
func TestTheBrakesInABrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t, 1280, 900)
	w, url := openDemo(t)
	b.do(chromedp.Navigate(url), chromedp.WaitVisible(id("guide-run")))
	gone := w.wronglyGone()
	for _, p := range gone {
		if err := w.send(t.Context(), w.left(p.email)); err != nil {
			t.Fatal(err)
		}
	}
	b.beIn("priya", "security")
	// Where the machine is slow, other cards follow it: of those who passed before.
	stopped := chromedp.CSS(`.messages > article:has([data-action="` + bot.ActionRefuse + `"])`)
	on := func(action string) chromedp.CSS { return stopped + chromedp.CSS(` [data-action="`+action+`"]`) }
	(&place{t: t}).until("all of them are judged", func() bool { return w.stopped(gone) >= 0 })
	b.says(stopped, fmt.Sprintf("Stopped: %d leaver notices", w.stopped(gone)))
	b.shoot("brake-1-stopped")
	b.press(chromedp.Click(on(bot.ActionRelease)), chromedp.WaitVisible(id("modal")))
	right := gone[len(gone)-rightlyGone:]
	b.choose(right)
	b.shoot("brake-2-release")
	b.press(chromedp.Click(id("modal-submit")), chromedp.WaitNotPresent(id("modal")))
	b.says(stopped, "proposes to release 3 of them")

	b.beIn("lee", "security")
	b.shoot("brake-3-proposed")
	b.press(chromedp.Click(on(bot.ActionConfirm)), chromedp.WaitVisible(id("confirm")))
	b.shoot("brake-4-confirm")
	b.press(chromedp.Click(id("confirm-yes")), chromedp.WaitNotPresent(on(bot.ActionConfirm)))
	(&place{t: t}).until("those who were released are contained", func() bool { return w.containedOf(right) == len(right) })

	b.press(chromedp.Click(id("open-home")), chromedp.WaitVisible(id("home")))
	b.says(id("home"), "still stopped, 3 released")
	b.shoot("brake-5-home")
	if all := w.containedOf(gone); all > len(right)+5 {
		t.Errorf("%d of %d are contained, want the three who were released and at the most the five that are ordinary", all, len(gone))
	}
	if err := w.violations(); err != nil {
		t.Error(err)
	}
}

// choose names people in the release modal, and says why.
func (b *tab) choose(people []demoPerson) {
	b.t.Helper()
	var names []string
	for _, p := range people {
		names = append(names, fmt.Sprintf("%q", p.name()))
	}
	b.do(chromedp.Click(chromedp.CSS(`[data-block="scope"] input[value="these"]`)))
	picked, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`(() => { const names = [`+strings.Join(names, ",")+`], menu = document.querySelector('[data-block="people"] select');
		for (const o of menu.options) o.selected = names.includes(o.text); menu.dispatchEvent(new Event("change", {bubbles: true})); return menu.selectedOptions.length })()`))
	if err != nil || picked != len(people) {
		b.shoot("failed")
		b.t.Fatalf("%d of %d are picked: %v", picked, len(people), err)
	}
	b.do(chromedp.SendKeys(chromedp.CSS(`[data-block="reason"] [data-input]`), "HR confirms these three by telephone."))
}
