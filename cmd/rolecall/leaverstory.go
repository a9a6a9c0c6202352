package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const leaving = "Ana Kim"

func leaverChapter(w *world) chapter {
	return chapter{
		id: "leaver", title: "A leaver", actor: "ines@acme.test", channel: "payments", subject: leaving, about: "ana@acme.test",
		action: "Send the leaver notice", said: "The leaver notice is sent. The cards come in #payments.",
		text: "Ana Kim leaves: the second level of two policies, in two schedules, on shift tonight, with an incident in her hands. " +
			"Policy contains her at once, without asking: sessions ended, lowest role, no say on her team. Who takes over is for an owner to say; only then is she off the team. " +
			"Deleting her account is final, so an owner decides that apart. " +
			"Act as Ines, press Choose replacement… and pick, then Approve, and watch who is on call beside this. " +
			"Then approve the deletion with a reason; it waits out its hold (12 s here, longer in life), and Undo stops it.",
		begin: func(ctx context.Context, w *world) error { return w.send(ctx, w.left("ana@acme.test")) },
		play: func(ctx context.Context, t *teller) error {
			return t.leaver(ctx, w.name(w.engineers("Payments")[thirdEngineer]))
		},
		over: func(w *world) bool { _, there := w.pd.UserByEmail("ana@acme.test"); return !there },
	}
}

// leaver plays the three stages of somebody whom the page wakes.
func (t *teller) leaver(ctx context.Context, second string) error {
	begun := time.Now()
	if err := t.until(ctx, func() bool { return t.w.contained("ana@acme.test") }); err != nil {
		return fmt.Errorf("wait until she is contained: %w", err)
	}
	fmt.Fprintf(t.out, "   Contained %.1f s after the notice.\n", time.Since(begun).Seconds())
	if err := t.until(ctx, func() bool { _, ok := t.card("payments", leaving, bot.ActionChoose); return ok }); err != nil {
		return fmt.Errorf("wait for the card about who takes over: %w", err)
	}
	t.showCard("security", leaving, "contained")
	if err := t.awaitCard(ctx, "payments", leaving, bot.ActionChoose); err != nil {
		return err
	}
	if err := t.choose(ctx, "ines@acme.test", "payments", leaving, map[string]string{"Level 2 of Payments-Crit": second}); err != nil {
		return err
	}
	if err := t.until(ctx, func() bool { return t.says("payments", second) }); err != nil {
		return fmt.Errorf("wait until the card says who was chosen: %w", err)
	}
	if err := t.press(ctx, "ines@acme.test", "payments", leaving, bot.ActionApprove, ""); err != nil {
		return err
	}
	if err := t.until(ctx, func() bool {
		return len(t.w.dutiesOf("ana@acme.test")) == 0 && t.says("payments", "delete the PagerDuty account")
	}); err != nil {
		return fmt.Errorf("wait until others have taken over: %w", err)
	}
	t.showCard("payments", leaving, "handed over")
	t.onCall()
	if err := t.awaitCard(ctx, "payments", leaving, bot.ActionApprove); err != nil {
		return err
	}
	return t.press(ctx, "ines@acme.test", "payments", leaving, bot.ActionApprove, "Her last day was Friday; the handover is done.")
}

// says reports whether a message in the channel says it.
func (t *teller) says(channel, words string) bool {
	return slices.ContainsFunc(t.w.slack.Messages(t.w.channel(channel)), func(m slacktest.Message) bool {
		return strings.Contains(m.Text+slacktest.PlainText(m.Blocks), words)
	})
}

// onCall writes down who answers at this moment, level by level.
func (t *teller) onCall() {
	fmt.Fprintln(t.out, "   who is on call in PagerDuty now")
	on := t.w.panelOnCall()
	for _, l := range on.Levels {
		var answers []string
		for _, a := range l.Answers {
			who := a.Who
			if a.Through != "" {
				who += ", by " + a.Through
			}
			answers = append(answers, who)
		}
		fmt.Fprintf(t.out, "   │ %s, level %d: %s\n", l.Policy, l.N, strings.Join(answers, "; "))
	}
	for _, i := range on.Incidents {
		fmt.Fprintf(t.out, "   │ %s: %s\n", i.Name, i.Assigned)
	}
}

// contained reports whether all that policy takes at once is taken: nothing
// that is open, the lowest role, and no say on any team.
func (w *world) contained(email string) bool {
	u, ok := w.pd.UserByEmail(email)
	open := slices.ContainsFunc(w.pd.Sessions(u.ID), func(s pagerdutytest.Session) bool { return !s.Revoked })
	if !ok || open || u.Role != pagerdutytest.Restricted {
		return false
	}
	for _, role := range w.pd.Roles(u.ID) {
		if role != pagerdutytest.TeamObserver {
			return false
		}
	}
	return true
}

// dutiesOf returns the names of what on-call expects somebody in.
func (w *world) dutiesOf(email string) []string {
	id := w.userID(email)
	var in []string
	for _, p := range w.pd.EscalationPolicies() {
		for _, r := range p.Rules {
			if slices.Contains(r.Targets, pagerdutytest.UserTarget(id)) {
				in = append(in, p.Name)
			}
		}
	}
	for _, r := range w.rotas() {
		if slices.Contains(r.seats, id) {
			in = append(in, r.name)
		}
	}
	for _, i := range w.pd.Incidents() {
		if i.Status != "resolved" && slices.Contains(i.AssigneeIDs, id) {
			in = append(in, i.Title)
		}
	}
	return in
}
