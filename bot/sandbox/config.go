// Package sandbox is a page on this machine that looks and works like a Slack workspace, with PagerDuty changing
// beside it. It is what "rolecall demo" shows: one can be any person of the workspace, read what they read, press
// what they can press, and watch what it does.
//
// The workspace is a [slacktest.Workspace]; the page keeps nothing of its own but what a browser would keep: which
// messages were read, which private lines were dismissed. Every page works without script, as plain forms; with it,
// panes are swapped as soon as something changes.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rolecall/bot/slacktest"
)

// Config says what the page shows.
type Config struct {
	Workspace *slacktest.Workspace // required
	Title     string               // of the page; default "rolecall demo"

	// Panel returns what PagerDuty looks like now. Nil leaves PagerDuty out.
	Panel func() Panel
	// Watch returns the version of what Panel shows as soon as it is greater than since, or the error of ctx. Nil
	// means that the panel is looked at only when the workspace changes.
	Watch func(ctx context.Context, since uint64) (uint64, error)

	Story     []Step     // the guide, in order; none leaves the guide out
	Actors    []Actor    // who matters in the story, the one to begin with first
	Shortcuts []Shortcut // what the app offers in the menu of a message

	Now func() time.Time // the clock of "just changed" and of "today"; default time.Now
	Log *slog.Logger     // default discards
}

// Step is one step of the guide.
type Step struct {
	ID    string // unique; a short word for URLs
	Title string
	Text  string // what happens and what to do, in one to three sentences

	ActAs string // user id of who to be; "" for nobody in particular
	Open  string // where to be: a channel id, DM or Home; "" for nowhere in particular

	Action string                          // label of the button, such as "Send the joiner notice"
	Said   string                          // what is said once the button has done it; default "Done: " and the label
	Run    func(ctx context.Context) error // what the button does; nil for a step that is done in the workspace

	// Done reports whether the step has been taken. Nil means: when Run has succeeded, or, without Run, when the
	// reader says so.
	Done func() bool
}

// Places that a Step can open besides channels.
const (
	DM   = "dm"   // the direct messages of the acting person with the app
	Home = "home" // the app's Home tab of the acting person
)

// Actor is a person of the story.
type Actor struct {
	UserID string
	Role   string // who they are here, such as "owns Payments"
}

// Shortcut is an entry that the app has put in the menu of every message.
type Shortcut struct{ Name, CallbackID string }

func (c Config) withDefaults() Config {
	if c.Title == "" {
		c.Title = "rolecall demo"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// check reports everything that is wrong with a configuration.
func (c Config) check() error {
	if c.Workspace == nil {
		return errors.New("sandbox: Workspace is missing")
	}
	var problems []error
	for i, a := range c.Actors {
		if u, ok := c.Workspace.User(a.UserID); !ok || !canAct(u) {
			problems = append(problems, fmt.Errorf("sandbox: Actors[%d]: %q is no person of the workspace", i, a.UserID))
		}
	}
	seen := map[string]bool{}
	for i, s := range c.Story {
		if s.ID == "" || seen[s.ID] {
			problems = append(problems, fmt.Errorf("sandbox: Story[%d]: ID %q is empty or used twice", i, s.ID))
		}
		seen[s.ID] = true
		if s.ActAs != "" {
			if u, ok := c.Workspace.User(s.ActAs); !ok || !canAct(u) {
				problems = append(problems, fmt.Errorf("sandbox: Story[%d] %s: ActAs %q is no person of the workspace", i, s.ID, s.ActAs))
			}
		}
		if s.Run != nil && s.Action == "" {
			problems = append(problems, fmt.Errorf("sandbox: Story[%d] %s: Run needs Action, the label of its button", i, s.ID))
		}
	}
	return errors.Join(problems...)
}

// canAct reports whether one can be this user.
func canAct(u slacktest.User) bool { return !u.Bot && !u.Deleted && u.ID != "USLACKBOT" }
