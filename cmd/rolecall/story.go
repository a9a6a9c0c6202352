package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"rolecall/bot"
	"rolecall/bot/sandbox"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// chapter is one part of the story: what happens, who acts, and how one sees
// that it is over. The page shows it as a step of its guide; --story plays it.
type chapter struct {
	id, title, text string
	actor           string // address of who acts in Slack
	channel         string // where
	subject         string // whom the card is about; "" for no card
	about           string // address of whom the card is about; "" for no card
	action, said    string // label of the button that sets it off, "" for none, and what is said once it has
	begin           func(context.Context, *world) error
	play            func(context.Context, *teller) error // what the actor does
	over            func(*world) bool
}

func (w *world) chapters() []chapter {
	return []chapter{joinerChapter(), moverChapter(), leaverChapter(w), driftChapter(w), brakeChapter(w), digestChapter()}
}

var nora = lifecycle.Person{
	EmployeeID: "E2001", Status: lifecycle.StatusActive, Emails: []string{"nora@acme.test"}, Name: "Nora Lindqvist", Department: "Payments",
	Title: "SRE II", Location: "Berlin", Country: "DE", Employment: lifecycle.Employee,
}

func joinerChapter() chapter {
	return chapter{
		id: "joiner", title: "A joiner", actor: "marco@acme.test", channel: "payments", subject: nora.Name, about: nora.Emails[0],
		action: "Send the joiner notice", said: "The joiner notice is sent. The card comes in #payments.",
		text: "Nora Lindqvist starts as an SRE in Payments, and HR says so in a signed webhook. Policy gives her Responder on Payments, if an owner agrees. " +
			"Act as Marco, who owns Payments, and press Approve in #payments. Act as somebody else first, Kofi for one, if you want to see them refused.",
		begin: func(ctx context.Context, w *world) error {
			w.slack.AddUser(slacktest.User{ID: "U0000NORA", Name: "nora", RealName: nora.Name, DisplayName: nora.Name, Email: nora.Emails[0]})
			return w.send(ctx, nora)
		},
		play: func(ctx context.Context, t *teller) error {
			if err := t.awaitCard(ctx, "payments", nora.Name, bot.ActionApprove); err != nil {
				return err
			}
			if err := t.pressRefused(ctx, "kofi@acme.test", "payments", nora.Name, bot.ActionApprove); err != nil {
				return err
			}
			return t.press(ctx, "marco@acme.test", "payments", nora.Name, bot.ActionApprove, "")
		},
		over: func(w *world) bool {
			u, ok := w.pd.UserByEmail(nora.Emails[0])
			return ok && w.pd.TeamRole(w.teamID("Payments"), u.ID) == "responder"
		},
	}
}

func moverChapter() chapter {
	return chapter{
		id: "mover", title: "A mover", actor: "omar@acme.test", channel: "platform", subject: "Ben Ode", about: "ben@acme.test",
		action: "Send the mover notice", said: "The mover notice is sent. The card comes in #platform.",
		text:  "Ben Ode moves from Payments to Platform. One card asks for both: onto Platform, then off Payments. Act as Omar, who owns Platform, and approve it.",
		begin: func(ctx context.Context, w *world) error { return w.send(ctx, w.moved("ben@acme.test", "Platform")) },
		play: func(ctx context.Context, t *teller) error {
			if err := t.awaitCard(ctx, "platform", "Ben Ode", bot.ActionApprove); err != nil {
				return err
			}
			return t.press(ctx, "omar@acme.test", "platform", "Ben Ode", bot.ActionApprove, "")
		},
		over: func(w *world) bool {
			u, ok := w.pd.UserByEmail("ben@acme.test")
			return ok && w.pd.TeamRole(w.teamID("Platform"), u.ID) == "responder" && w.pd.TeamRole(w.teamID("Payments"), u.ID) == ""
		},
	}
}

func driftChapter(w *world) chapter {
	owner, _ := w.company.find(w.owner("Ledger"))
	return chapter{
		id: "drift", title: "Drift", actor: owner.email, channel: "ledger", subject: "Dana Novak", about: "dana@acme.test",
		action: "Make Dana an admin behind rolecall's back", said: "Dana is an admin now. The card comes in #ledger in a few seconds.",
		text: "Sam makes Dana Novak a Global Admin in PagerDuty's own pages. Nobody decided that. Every few minutes (5 s here) rolecall looks at what has changed, sees who did it, and asks. " +
			"Act as " + owner.first + ", who owns Ledger, and press Revoke in #ledger. To keep an admin is to make one, so Keep, with a reason and an end, is for Priya of Security.",
		begin: func(_ context.Context, w *world) error {
			u, ok := w.pd.UserByEmail("dana@acme.test")
			if !ok {
				return fmt.Errorf("find dana@acme.test in PagerDuty: %w", lifecycle.ErrNotFound)
			}
			if err := w.pd.SetRoleAs("sam@acme.test", u.ID, "admin"); err != nil {
				return fmt.Errorf("make Dana an admin: %w", err)
			}
			return nil
		},
		play: func(ctx context.Context, t *teller) error {
			if err := t.awaitCard(ctx, "ledger", "Dana Novak", bot.ActionRevoke); err != nil {
				return err
			}
			return t.press(ctx, owner.email, "ledger", "Dana Novak", bot.ActionRevoke, "")
		},
		over: func(w *world) bool {
			u, ok := w.pd.UserByEmail("dana@acme.test")
			return ok && u.Role == "limited_user"
		},
	}
}

func digestChapter() chapter {
	return chapter{
		id: "digest", title: "The digest", actor: "marco@acme.test", channel: "payments",
		text: "Once a day each owner is told what needs them, and nothing when nothing does. Act as Marco and type /rolecall digest. " +
			"Try /rolecall status, /rolecall who payments and /rolecall findings too.",
		begin: func(context.Context, *world) error { return nil },
		play: func(ctx context.Context, t *teller) error {
			return t.command(ctx, "marco@acme.test", "payments", "digest")
		},
		over: func(w *world) bool {
			marco, _ := w.company.find("marco@acme.test")
			return slices.ContainsFunc(w.slack.Ephemerals(marco.slack), func(m slacktest.Message) bool {
				return strings.Contains(m.Text+slacktest.PlainText(m.Blocks), "Your PagerDuty access digest")
			})
		},
	}
}

func (w *world) moved(email, department string) lifecycle.Person {
	p, _ := w.company.find(email)
	person := p.person(w.started)
	person.Department = department
	return person
}

func (w *world) left(email string) lifecycle.Person {
	p, _ := w.company.find(email)
	person := p.person(w.started)
	person.Status, person.EndDate = lifecycle.StatusEnded, lifecycle.Date(time.Now().UTC().Format(time.DateOnly))
	return person
}

// steps is the story as the page's guide. A chapter without a button has begun as it is.
func (w *world) steps() []sandbox.Step {
	var steps []sandbox.Step
	for _, c := range w.chapters() {
		actor, _ := w.company.find(c.actor)
		step := sandbox.Step{
			ID: c.id, Title: c.title, Text: c.text, ActAs: actor.slack, Open: w.channel(c.channel), Action: c.action, Said: c.said,
			Done: func() bool { return c.over(w) },
		}
		if c.action != "" {
			w.setOff(&step, c)
		}
		steps = append(steps, step)
	}
	return steps
}

// setOff gives the step the button that sets the chapter off. Before it was
// pressed, what the chapter leads to is how it was anyway.
func (w *world) setOff(step *sandbox.Step, c chapter) {
	var begun, done atomic.Bool // what was done stays so, whatever the next roll call asks
	step.Run = func(ctx context.Context) error {
		if err := c.begin(ctx, w); err != nil {
			return err
		}
		begun.Store(true)
		return nil
	}
	step.Done = func() bool {
		if begun.Load() && (c.over(w) || w.turnedDown(c.about)) {
			done.Store(true)
		}
		return done.Load()
	}
}

// turnedDown reports whether the newest request about somebody was denied,
// kept, undone or left to lapse: that ends a chapter too. Where it cannot be
// told, the chapter goes on.
func (w *world) turnedDown(email string) bool {
	ctx := context.Background() // the guide is drawn for nobody in particular, from a file beside it
	found, err := w.service.db.IdentitiesByEmail(ctx, email)
	if err != nil || len(found) != 1 {
		return false
	}
	requests, err := w.service.db.Requests(ctx, lifecycle.RequestFilter{Subject: found[0].ID, Limit: 1})
	return err == nil && len(requests) == 1 && slices.Contains([]lifecycle.RequestState{lifecycle.Denied, lifecycle.Withdrawn, lifecycle.Expired}, requests[0].State)
}

// owner returns the address of somebody who owns the team.
func (w *world) owner(team string) string {
	t, _ := w.company.team(team)
	return t.owners[0]
}

func (w *world) channel(name string) string {
	if name == "security" {
		return demoSecurity
	}
	i := slices.IndexFunc(w.company.teams, func(t demoTeam) bool { return slug(t.name) == name })
	if i < 0 {
		return "C0GENERAL"
	}
	return w.company.teams[i].channel
}
