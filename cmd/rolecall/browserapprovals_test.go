package main

import (
	"testing"

	"github.com/chromedp/chromedp"

	"rolecall/bot"
)

// TestApprovalsInABrowser does what people do about access that nobody's notice
// brought: one asks for it, another asks back and approves, goes on holiday, and an
// owner looks through what has not been used for months.
func TestApprovalsInABrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t, 1280, 900)
	w, url := openDemo(t)
	b.do(chromedp.Navigate(url), chromedp.WaitVisible(id("guide-run")))

	b.beIn("kofi", "payments")
	b.types("/rolecall request responder payments for 8h", id("modal"))
	b.shoot("ask-1-request")
	b.do(chromedp.SendKeys(chromedp.CSS(`[data-block="reason"] [data-input]`), "Refunds are stuck, and I wrote them."))
	b.press(chromedp.Click(id("modal-submit")), chromedp.WaitNotPresent(id("modal")))

	b.beIn("marco", "payments")
	b.says(last, "Refunds are stuck")
	b.shoot("ask-2-card")
	b.press(chromedp.Click(acts(bot.ActionAsk)), chromedp.WaitVisible(id("modal")))
	b.do(chromedp.SendKeys(chromedp.CSS(`[data-block="question"] [data-input]`), "Which refunds?"))
	b.shoot("ask-3-question")
	b.press(chromedp.Click(id("modal-submit")), chromedp.WaitNotPresent(id("modal")))
	b.says(last, "Which refunds?")
	b.press(chromedp.Click(acts(bot.ActionApprove)), chromedp.WaitNotPresent(acts(bot.ActionApprove)))
	b.says(last, "Done, checked in PagerDuty")
	b.shoot("ask-4-done")
	if role := w.pd.TeamRole(w.teamID("Payments"), w.userID("kofi@acme.test")); role != "responder" {
		t.Errorf("Kofi is %q on Payments", role)
	}

	b.types("/rolecall away", id("modal"))
	b.do(chromedp.SetValue(chromedp.CSS(`[data-block="until"] [data-input]`), tomorrow()))
	b.shoot("away-1-modal")
	b.press(chromedp.Click(id("modal-submit")), chromedp.WaitNotPresent(id("modal")))
	b.press(chromedp.Click(id("open-home")), chromedp.WaitVisible(id("home")))
	b.says(id("home"), "You are away")
	b.shoot("away-2-home")
	b.press(chromedp.Click(chromedp.CSS(`[data-action="`+bot.ActionBack+`"]`)), chromedp.WaitNotPresent(chromedp.CSS(`[data-action="`+bot.ActionBack+`"]`)))

	b.beIn("priya", "security")
	b.types("/rolecall digest", id("ephemeral"))
	b.says(id("ephemeral"), "Stale access")
	b.shoot("digest-1")
	b.press(chromedp.Click(chromedp.CSS(`[data-action="`+bot.ActionReview+`"]`)), chromedp.WaitVisible(id("modal")))
	b.shoot("digest-2-review")
	b.press(chromedp.Click(id("modal-close")), chromedp.WaitNotPresent(id("modal")))
	b.press(chromedp.Click(id("open-home")), chromedp.WaitVisible(id("home")))
	b.shoot("home-security")
	if err := w.violations(); err != nil {
		t.Error(err)
	}
}

// types sends words, such as a command, until what comes of it shows.
func (b *tab) types(words string, shows chromedp.CSS) {
	b.t.Helper()
	b.do(chromedp.SendKeys(id("say"), words+"\r"), chromedp.WaitVisible(shows))
}
