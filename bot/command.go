package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// Command is the slash command that everything typed begins with.
const Command = "/rolecall"

const (
	endingSoon = 7 * 24 * time.Hour // exceptions ending within are shown
	listMost   = 40                 // lines in an answer; a phone shows ten
	lineLength = 300                // characters of one line of a list
)

// A subcommand is one thing that can be asked after /rolecall.
type subcommand struct {
	name    string
	args    string // as the help shows them
	what    string // in a line
	example string
	run     func(b *Bot, ctx context.Context, who lifecycle.Identity, args string) (message, error)
	ask     func(b *Bot, ctx context.Context, q asking) (message, error) // in place of run, of what may open a modal instead
}

// asking is who asked what after a subcommand, and what lets a modal open.
type asking struct {
	who     lifecycle.Identity
	user    string // their Slack id
	args    string
	trigger string
}

// subcommands returns every subcommand, in the order in which help lists them.
func subcommands() []subcommand {
	return []subcommand{
		{name: "status", args: "[who]", what: "what somebody holds, what the policy says, what is pending; alone, Security sees how rolecall itself stands", example: "status @ana", run: (*Bot).status},
		{name: "who", args: "<person|team>", what: "who is on a team, role by role; or what one person holds", example: "who payments", run: (*Bot).who},
		{name: "request", args: "[role] [team] [for 8h]", what: "ask for a role, for a time", example: "request responder payments for 8h", ask: (*Bot).request},
		{name: "away", args: "until <date> to @x", what: "let somebody else decide what is yours while you are away; `away back` when you are back", example: "away until 2026-12-24 to @ines", ask: (*Bot).away},
		{name: "inbox", args: "", what: "what waits for your decision", example: "inbox", run: (*Bot).inbox},
		{name: "findings", args: "", what: "where PagerDuty and the policy disagree", example: "findings", run: (*Bot).findings},
		{name: "digest", args: "", what: "today's digest, now", example: "digest", run: (*Bot).digest},
		{name: "reconcile", args: "", what: "call the roll now (owners and Security)", example: "reconcile", run: (*Bot).reconcile},
		{name: "help", args: "", what: "this list", example: "help"},
	}
}

// command answers one slash command, to whoever typed it alone.
func (b *Bot) command(ctx context.Context, c slashCommand) error {
	name, args, _ := strings.Cut(strings.TrimSpace(c.Text), " ")
	sub, ok := findSubcommand(strings.ToLower(name))
	answer := unknownCommand(name)
	switch {
	case name == "" || ok && sub.run == nil && sub.ask == nil:
		answer = help()
	case ok:
		who, err := b.people.reader(ctx, slackRef{ID: c.UserID, TeamID: c.TeamID})
		if err != nil {
			return err
		}
		if answer, err = sub.answer(b, ctx, asking{who: who, user: c.UserID, args: strings.TrimSpace(args), trigger: c.TriggerID}); err != nil || answer.Text == "" {
			return err
		}
	}
	at := where{user: c.UserID, responseURL: c.ResponseURL, command: true}
	return b.tell(ctx, at, answer.Text, answer.Blocks)
}

// answer returns what is answered; without words, a modal has been opened instead.
func (s subcommand) answer(b *Bot, ctx context.Context, q asking) (message, error) {
	if s.ask != nil {
		return s.ask(b, ctx, q)
	}
	return s.run(b, ctx, q.who, q.args)
}

func findSubcommand(name string) (subcommand, bool) {
	all := subcommands()
	i := slices.IndexFunc(all, func(s subcommand) bool { return s.name == name })
	if i < 0 {
		return subcommand{}, false
	}
	return all[i], true
}

// isSecurity reports whether the policy names who as Security.
func isSecurity(p lifecycle.Policy, who lifecycle.Identity) bool {
	return slices.Contains(p.Security.Members, who.Person.Email())
}

func owns(t lifecycle.TeamPolicy, who lifecycle.Identity) bool {
	return slices.Contains(t.Owners, who.Person.Email())
}

// ownsAny reports whether who owns any team of the policy.
func ownsAny(p lifecycle.Policy, who lifecycle.Identity) bool {
	return slices.ContainsFunc(p.Teams, func(t lifecycle.TeamPolicy) bool { return owns(t, who) })
}

// lines returns an answer of one heading and its lines. What does not fit is
// counted, and rest says where it can be seen.
func lines(heading string, all []string, rest string) message {
	shown := all
	if len(all) > listMost {
		shown = append(slices.Clone(all[:listMost]), fmt.Sprintf("_…and %d more. %s_", len(all)-listMost, rest))
	}
	return message{Text: heading, Blocks: append([]slack.Block{section(heading)}, paragraphs(shown)...)}
}

// paragraphs packs lines into as few blocks as Slack's limit on one allows,
// and never cuts a line.
func paragraphs(lines []string) []slack.Block {
	var blocks []slack.Block
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			blocks = append(blocks, section(text.String()))
			text.Reset()
		}
	}
	for _, line := range lines {
		line = clipMarkup(line, maxSection-1)
		if len([]rune(text.String()))+len([]rune(line)) >= maxSection {
			flush()
		}
		text.WriteString(line + "\n")
	}
	flush()
	return blocks
}

// bar draws n against most, ten characters wide; anything above none shows.
func bar(n, most int) string {
	const width = 10
	if n <= 0 || most <= 0 {
		return ""
	}
	return strings.Repeat("█", max(1, n*width/most))
}

// count says how many.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
