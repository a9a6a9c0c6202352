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
}

// subcommands returns every subcommand, in the order in which help lists them.
func subcommands() []subcommand {
	return []subcommand{
		{"status", "[who]", "what somebody holds, what the policy says, what is pending; alone, Security sees how rolecall itself stands", "status @ana", (*Bot).status},
		{"who", "<person|team>", "who is on a team, role by role; or what one person holds", "who payments", (*Bot).who},
		{"inbox", "", "what waits for your decision", "inbox", (*Bot).inbox},
		{"findings", "", "where PagerDuty and the policy disagree", "findings", (*Bot).findings},
		{"digest", "", "today's digest, now", "digest", (*Bot).digest},
		{"reconcile", "", "call the roll now (owners and Security)", "reconcile", (*Bot).reconcile},
		{"help", "", "this list", "help", nil},
	}
}

// command answers one slash command, to whoever typed it alone.
func (b *Bot) command(ctx context.Context, c slashCommand) error {
	name, args, _ := strings.Cut(strings.TrimSpace(c.Text), " ")
	sub, ok := findSubcommand(strings.ToLower(name))
	answer := unknownCommand(name)
	switch {
	case name == "" || ok && sub.run == nil:
		answer = help()
	case ok:
		who, err := b.people.reader(ctx, slackRef{ID: c.UserID, TeamID: c.TeamID})
		if err != nil {
			return err
		}
		if answer, err = sub.run(b, ctx, who, strings.TrimSpace(args)); err != nil {
			return err
		}
	}
	at := where{user: c.UserID, responseURL: c.ResponseURL, command: true}
	return b.tell(ctx, at, answer.Text, answer.Blocks)
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
