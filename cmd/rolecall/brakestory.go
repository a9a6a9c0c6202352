package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

const (
	wronglyGone = 40 // people whom the broken feed calls gone
	rightlyGone = 3  // of them
)

// brakeChapter is what a mistake in a mapping looks like: HR's feed calls people
// of many teams gone at once. Only a few of them are.
func brakeChapter(w *world) chapter {
	gone := w.wronglyGone()
	right := gone[len(gone)-rightlyGone:]
	var names []string
	for _, p := range right {
		names = append(names, p.name())
	}
	var refused atomic.Bool
	return chapter{
		id: "brake", title: "A broken feed", actor: "priya@acme.test", channel: "security", subject: "Stopped:",
		action: "Break the HR feed", said: "HR says of 40 people at once that they have left. The card comes in #security in a few seconds.",
		text: "HR maps a field wrongly, and says of 40 people at once that they have left. Up to three would pass at once, as on any day; when more come than is ordinary, they are looked at together, and stopped before any of them loses anything. " +
			"Only " + listed(names) + " have left. Act as Priya of Security, press Release…, name those three and say why. Then act as Lee, who confirms exactly that: it takes two. " +
			"Then refuse the rest, which takes one: nobody of them has left.",
		begin: func(ctx context.Context, w *world) error {
			for _, p := range gone {
				if err := w.send(ctx, w.left(p.email)); err != nil {
					return err
				}
			}
			return nil
		},
		play: func(ctx context.Context, t *teller) error {
			defer refused.Store(true)
			return t.brake(ctx, gone, right, names)
		},
		over: func(w *world) bool {
			return !slices.ContainsFunc(right, func(p demoPerson) bool { return !w.contained(p.email) }) && (refused.Load() || w.nothingHeld())
		},
	}
}

// wronglyGone returns engineers of teams in which nothing else happens.
func (w *world) wronglyGone() []demoPerson {
	quiet := slices.DeleteFunc(slices.Clone(w.company.people), func(p demoPerson) bool {
		_, team := w.company.team(p.department)
		named := slices.ContainsFunc(cast, func(c demoPerson) bool { return c.email == p.email || c.department == p.department })
		return !team || named || p.title == "Engineering Manager" || len(w.dutiesOf(p.email)) > 0
	})
	return quiet[:wronglyGone]
}

func listed(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// nothingHeld reports whether the brakes have let go of everything.
func (w *world) nothingHeld() bool {
	open, err := w.service.db.Holds(context.Background()) // the guide is drawn for nobody in particular, from a file beside it
	return err == nil && len(open) == 0
}

// stopped returns how many people the brakes have stopped once all of the broken
// feed is judged, and -1 before.
func (w *world) stopped(gone []demoPerson) int {
	removals, err := w.service.db.Removals(context.Background(), w.started) // as above
	if err != nil {
		return -1
	}
	judged, held := 0, 0
	for _, r := range removals {
		if !slices.ContainsFunc(gone, func(p demoPerson) bool { return p.name() == r.Label }) {
			continue
		}
		if r.State != lifecycle.RemovalQueued {
			judged++
		}
		if r.State == lifecycle.RemovalHeld {
			held++
		}
	}
	if judged < len(gone) {
		return -1
	}
	return held
}

// brake plays both members of Security.
func (t *teller) brake(ctx context.Context, gone, right []demoPerson, names []string) error {
	if err := t.until(ctx, func() bool { return t.says("security", fmt.Sprintf("Stopped: %d leaver", t.w.stopped(gone))) }); err != nil {
		return fmt.Errorf("wait until all of them are stopped: %w", err)
	}
	if err := t.awaitCard(ctx, "security", "Stopped:", bot.ActionRelease); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "   Of the %d, %d have lost anything.\n", len(gone), t.w.containedOf(gone))
	if err := t.release(ctx, "priya@acme.test", names, "HR confirms these three by telephone"); err != nil {
		return err
	}
	if err := t.awaitCard(ctx, "security", "Stopped:", bot.ActionConfirm); err != nil {
		return err
	}
	if err := t.press(ctx, "lee@acme.test", "security", "Stopped:", bot.ActionConfirm, ""); err != nil {
		return err
	}
	if err := t.until(ctx, func() bool { return t.w.containedOf(right) == len(right) }); err != nil {
		return fmt.Errorf("wait until those who were released are contained: %w", err)
	}
	fmt.Fprintf(t.out, "   %s are contained; %d of the %d are in all.\n", listed(names), t.w.containedOf(gone), len(gone))
	if err := t.until(ctx, func() bool { // what a card showed before counts no more
		_, asks := t.card("security", "Stopped:", bot.ActionConfirm)
		return !asks && t.says("security", "still stopped")
	}); err != nil {
		return fmt.Errorf("wait until the rest can be refused: %w", err)
	}
	if err := t.press(ctx, "priya@acme.test", "security", "Stopped:", bot.ActionRefuse, "A mapping in the HR export was wrong; it is mended."); err != nil {
		return err
	}
	return t.until(ctx, t.w.nothingHeld)
}

// release presses Release…, names people, and says why.
func (t *teller) release(ctx context.Context, email string, names []string, reason string) error {
	if err := t.press(ctx, email, "security", "Stopped:", bot.ActionRelease, ""); err != nil {
		return err
	}
	p, err := t.person(email)
	if err != nil {
		return err
	}
	modal, err := t.modal(ctx, p)
	if err != nil {
		return err
	}
	var people []string
	for _, in := range slacktest.Controls(modal.Blocks) {
		for _, o := range in.Options {
			if in.BlockID == bot.InputPeople && slices.Contains(names, o.Text) {
				people = append(people, o.Value)
			}
		}
	}
	if len(people) != len(names) {
		return fmt.Errorf("the modal offers %d of %v", len(people), names)
	}
	if err := t.submit(ctx, p, map[string]any{bot.InputScope: "these", bot.InputPeople: people, bot.InputReason: reason}); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "   → %s names %s and gives the reason %q\n", p.first, listed(names), reason)
	return nil
}

// containedOf returns how many of the people are contained in PagerDuty.
func (w *world) containedOf(people []demoPerson) int {
	n := 0
	for _, p := range people {
		if w.contained(p.email) {
			n++
		}
	}
	return n
}
