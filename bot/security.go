package bot

import (
	"context"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// How much that waits for Security is shown where it can be decided, besides the
// channel: a hold takes two blocks there, a case six at most.
const (
	listedHolds = 3
	listedCases = 3
)

// securityInbox is what waits for Security as a whole.
type securityInbox struct {
	holds []heldNow
	cases []lifecycle.Case // the oldest first
}

// securityInbox returns what waits for Security.
func (c Config) securityInbox(ctx context.Context) (securityInbox, error) {
	var in securityInbox
	holds, err := c.Brakes.Open(ctx)
	if err != nil {
		return in, fmt.Errorf("list holds: %w", err)
	}
	for _, h := range holds {
		now, err := c.heldNow(ctx, h.ID)
		if err != nil {
			return in, err
		}
		in.holds = append(in.holds, now)
	}
	if in.cases, err = c.Matcher.Open(ctx); err != nil {
		return in, fmt.Errorf("list cases: %w", err)
	}
	return in, nil
}

// securityInboxFor returns what waits for Security to whoever is of it.
func (c Config) securityInboxFor(ctx context.Context, p lifecycle.Policy, who lifecycle.Identity) (securityInbox, error) {
	if !isSecurity(p, who) {
		return securityInbox{}, nil
	}
	return c.securityInbox(ctx)
}

func (in securityInbox) empty() bool { return len(in.holds)+len(in.cases) == 0 }

// deciders returns the addresses that it names.
func (in securityInbox) deciders() []string {
	var emails []string
	for _, now := range in.holds {
		emails = append(emails, decidersOf(now.h)...)
	}
	return emails
}

// blocks draws what waits so that it can be decided where it stands, what stops
// people first. The rest comes up once that is decided.
func (in securityInbox) blocks(f frame) []slack.Block {
	f.mode = lifecycle.Enforce // what surrounds it says in which mode the house is
	var blocks []slack.Block
	for _, now := range in.holds[:min(len(in.holds), listedHolds)] {
		m := now.maker(f)
		blocks = append(append(blocks, section("*"+m.title()+"*\n"+m.status()+"\n"+foreign(ended(m.h.Why), maxPhrase)+m.departments())), m.actions()...)
	}
	for _, c := range in.cases[:min(len(in.cases), listedCases)] {
		blocks = append(blocks, caseMaker{f, c}.question()...)
	}
	if left := max(len(in.holds)-listedHolds, 0) + max(len(in.cases)-listedCases, 0); left > 0 {
		blocks = append(blocks, section(fmt.Sprintf("%d more wait for Security. They come up here once these are decided; each has a card in the channel of Security.", left)))
	}
	return blocks
}

// departments names the groups that wait, in a line.
func (m holdMaker) departments() string {
	groups := grouped(m.waiting)
	if len(groups) == 0 {
		return ""
	}
	words := make([]string, len(groups))
	for i, g := range groups {
		words[i] = escape(g.name(maxTeam)) + fmt.Sprintf(" (%d)", len(g.People))
	}
	return "\nWho: " + listed(words, manyPeople, ", ") + "."
}

// summary says in a few lines what waits, for a digest.
func (in securityInbox) summary(f frame) string {
	var all []string
	for _, now := range in.holds {
		m := now.maker(f)
		all = append(all, "• *"+m.title()+"*, since "+moment(now.h.OpenedAt, f.loc)+". "+m.status())
	}
	if n := len(in.cases); n > 0 {
		all = append(all, fmt.Sprintf("• *%s*, the oldest since %s:", count(n, "question about people waits", "questions about people wait"), moment(in.oldest().OpenedAt, f.loc)))
		for _, c := range in.cases {
			all = append(all, "    • "+caseMaker{f, c}.title()+" Since "+moment(c.OpenedAt, f.loc)+".")
		}
	}
	return packLines(all, digestFindings, seeMore("`"+Command+" inbox`"))
}

// oldest returns the case that has waited longest; there is one.
func (in securityInbox) oldest() lifecycle.Case {
	return slices.MinFunc(in.cases, func(a, b lifecycle.Case) int { return a.OpenedAt.Compare(b.OpenedAt) })
}
