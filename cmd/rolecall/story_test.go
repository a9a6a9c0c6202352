package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/bot"
	"rolecall/bot/sandbox"
	"rolecall/lifecycle"
)

// TestStory plays the demo's story as anybody can, with its people as they are:
// a joiner, a mover, a leaver, drift, the digest, and somebody who is refused.
func TestStory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "story.db")
	o := commandFor(t, storyTime, "demo", "--story", "--database", file).exits(t, 0)
	if o.err != "" {
		t.Errorf("it complains: %s", o.err)
	}
	from := 0
	for _, said := range []string{
		"1. A joiner", "Nora Lindqvist: new PagerDuty account as Responder (limited_user) · joins Payments as responder", "Waiting for a decision.",
		"→ Kofi, of another team, presses [Approve]", "only Kofi sees", "Only marco@acme.test or ines@acme.test can decide this.",
		"→ Marco presses [Approve]", "the same card now", "Done, checked in PagerDuty", "DM to Nora Lindqvist", "You're in", "PagerDuty  POST /users",
		"2. A mover", "Ben Ode: joins Platform as responder · off Payments (was responder)", "→ Omar presses [Approve]", "Done, checked in PagerDuty", "DM to Ben Ode",
		"3. A leaver", "The policy contains leavers without asking.", "Ana Kim: delete the PagerDuty account for good", "→ Ines gives the reason", "Done, checked in PagerDuty", "PagerDuty  DELETE /users/",
		"4. Drift", "Dana Novak was given Global Admin (admin) with no decision on file", "presses [Revoke]", "chose to revoke", `{"user":{"role":"limited_user","type":"user"}}`,
		"5. A broken feed", "Stopped: ", " leaver notices", "(limit 5)", "→ Priya presses [Release…]", "proposes to release 3 of them", "→ Lee presses [Confirm]", "are contained; ",
		"→ Priya presses [Refuse…]", "3 released, ", " refused",
		"6. The digest", "→ Marco types /rolecall digest", "Done since the last digest (5)",
		"nothing that either would object to", "No level and no schedule was without anybody", "The record", "Whole: ",
	} {
		at := strings.Index(o.out[from:], said)
		if at < 0 {
			t.Fatalf("the story does not go on with %q after\n%s", said, o.out[:from])
		}
		from += at + len(said)
	}
	if verified := command(t, "audit", "verify", file).exits(t, 0); !strings.HasPrefix(verified.out, "Whole: ") {
		t.Errorf("verify says of what it kept: %s", verified.out)
	}
	if again := command(t, "demo", "--story", "--database", file).exits(t, exitUsage); !strings.Contains(again.err, "exists") {
		t.Errorf("onto a database that exists it says %q", again.err)
	}
}

// What the fakes object to ends the story: a word about strictness that nothing
// could contradict would be worth nothing.
func TestTheStoryTellsOnItself(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	var out strings.Builder
	teller := &teller{w: w, out: &out}
	if err := teller.verify(t.Context()); err != nil {
		t.Fatalf("before anything happened: %v", err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.service.slackURL+"chat.postMessage", strings.NewReader("channel=C0PAYMENTS"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.slack.Config().BotToken)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if err := teller.verify(t.Context()); err == nil || !strings.Contains(err.Error(), "slack objects to chat.postMessage: no_text") {
		t.Errorf("a message without words passes: %v", err)
	}
}

// Whoever says no in the demo, keeps or undoes gets on in its guide too, and the
// menu of every message does what it says.
func TestTheGuideGoesOnHoweverOneDecides(t *testing.T) {
	t.Parallel()
	w, _ := openDemo(t)
	var joiner sandbox.Step
	for _, step := range w.steps() {
		if step.ID == "joiner" {
			joiner = step
		}
		if step.Done() {
			t.Errorf("before anything happened, %s is done", step.ID)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), chapterTime)
	defer cancel()
	if err := joiner.Run(ctx); err != nil {
		t.Fatal(err)
	}
	teller := &teller{w: w, out: io.Discard}
	if err := teller.awaitCard(ctx, "payments", nora.Name, bot.ActionDeny); err != nil {
		t.Fatal(err)
	}
	if joiner.Done() {
		t.Error("it is done before anybody decided")
	}
	card, _ := teller.card("payments", nora.Name, bot.ActionDeny)
	if err := teller.press(ctx, "marco@acme.test", "payments", nora.Name, bot.ActionDeny, "She starts next month."); err != nil {
		t.Fatal(err)
	}
	if err := teller.until(ctx, joiner.Done); err != nil {
		t.Errorf("denied, the joiner's chapter is not over: %v", err)
	}
	if err := w.service.db.Idle(ctx); err != nil { // a roll call that goes on has not seen it, and another is not called meanwhile
		t.Fatal(err)
	}
	if err := w.service.askRollCall(ctx, lifecycle.System); err != nil {
		t.Fatal(err)
	}
	if err := teller.awaitCard(ctx, "payments", nora.Name, bot.ActionApprove); err != nil {
		t.Errorf("what was denied is not asked again as a finding: %v", err)
	}
	if !joiner.Done() {
		t.Error("the next roll call begins a chapter again that is over")
	}

	marco, err := teller.person("marco@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	for _, shortcut := range w.page().Shortcuts {
		if _, err := w.slack.MessageShortcut(ctx, marco.slack, card.Channel, card.TS, shortcut.CallbackID); err != nil {
			t.Fatal(err)
		}
		if err := teller.until(ctx, func() bool { _, open := w.slack.Modal(marco.slack); return open }); err != nil {
			t.Errorf("%s opens nothing: %v", shortcut.Name, err)
		}
	}
}

// The demo leaves nothing behind.
func TestTheDemoCleansUp(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	w, err := newWorld(t.Context(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Fatalf("a demo that runs keeps %v: %v", left, err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v: %v", left, err)
	}
}
