package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const manySources = 10 // that an answer lists

// homeSecurity is what the Home tab of somebody of Security says of the house.
type homeSecurity struct {
	in    securityInbox
	house lifecycle.House
	link  string
}

// withSecurity adds what the Home tab says of the house to whoever is of Security.
func (b *Bot) withSecurity(ctx context.Context, d homeData) (homeData, error) {
	if !isSecurity(d.p, d.Viewer) {
		return d, nil
	}
	s := homeSecurity{}
	var err error
	if s.in, err = b.cfg.securityInbox(ctx); err != nil {
		return d, err
	}
	if s.house, err = b.cfg.Desk.House(ctx); err != nil {
		return d, err
	}
	s.link = b.linkWords()
	d.Security = &s
	return d, nil
}

// blocks draws what can be decided first, and then how the house stands.
func (s homeSecurity) blocks(f frame) []slack.Block {
	blocks := []slack.Block{header("Security")}
	if s.in.empty() {
		blocks = append(blocks, section("Nothing is stopped, and no question about people waits."))
	}
	blocks = append(blocks, s.in.blocks(f)...)
	return append(blocks, section(packLines(houseView{f, s.house, s.link}.lines(), listMost, seeMore("`"+Command+" status`"))))
}

// houseLines says how the house stands, to whoever is of Security.
func (b *Bot) houseLines(ctx context.Context, who lifecycle.Identity) ([]string, error) {
	f := frame{mode: b.cfg.Mode, now: b.cfg.Now(), loc: b.cfg.Location}
	var err error
	if f.p, err = b.cfg.Policies.Current(ctx); err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	if !isSecurity(f.p, who) {
		return nil, nil
	}
	house, err := b.cfg.Desk.House(ctx)
	if err != nil {
		return nil, err
	}
	return append([]string{"*rolecall itself*"}, houseView{f, house, b.linkWords()}.lines()...), nil
}

// houseView is how the house stands, as it is told.
type houseView struct {
	frame
	h    lifecycle.House
	link string // how Slack is connected; "" where nothing is to say of it
}

func (v houseView) lines() []string {
	return slices.Concat([]string{v.modeLine(), v.policyLine(), v.brakesLine(), v.stoppedLine(), v.casesLine()}, v.sourceLines(), []string{v.rollCallLine(), v.recordLine()}, v.slackLines())
}

func (v houseView) modeLine() string {
	if v.paused() {
		return "*Mode*  observe: rolecall plans, asks and records, and writes nothing to PagerDuty"
	}
	return "*Mode*  enforce: what is approved is written to PagerDuty"
}

func (v houseView) policyLine() string {
	line := "*Policy*  " + cmp.Or(digestWords(v.h.Policy.SHA256), digestWords(v.p.SHA256), "unknown")
	if at := v.h.Policy.At; !at.IsZero() {
		line += ", in force since " + moment(at, v.loc)
	}
	if v.h.Waits != nil {
		line += " · *" + digestWords(v.h.Waits.Policy) + " waits* since " + moment(v.h.Waits.OpenedAt, v.loc) + " (" + string(v.h.Waits.ID) + ")"
	}
	return line
}

// digestWords is as much of a digest as people compare.
func digestWords(sha string) string {
	if len(sha) > 8 {
		sha = sha[:8] + "…"
	}
	return foreign(sha, maxTeam)
}

// brakesLine says how near each brake is to stopping things: all sources together,
// and each that has taken anything.
func (v houseView) brakesLine() string {
	var parts []string
	for _, g := range v.h.Breaker {
		if g.Source != "" && g.People == 0 {
			continue
		}
		of := "all sources"
		if g.Source != "" {
			of = foreign(g.Source, maxTeam)
		}
		parts = append(parts, fmt.Sprintf("%s, %s: %d of %d in %s", gaugeWords(g.Kind), of, g.People, g.Limit, span(g.Window)))
	}
	line := "*Brakes*  " + cmp.Or(listed(parts, manySources, " · "), "not known")
	if n := v.h.Gathering; n > 0 {
		line += fmt.Sprintf(" · %s to be looked at together", count(n, "notice gathers", "notices gather"))
	}
	return line + fmt.Sprintf(" · %s have an account", count(v.h.Population, "person", "people"))
}

func gaugeWords(k lifecycle.NoticeKind) string {
	if k == lifecycle.Mover {
		return "moves"
	}
	return "leavers"
}

func (v houseView) stoppedLine() string {
	var parts []string
	for _, s := range v.h.Holds {
		parts = append(parts, standstillWords(s)+" since "+moment(s.OpenedAt, v.loc)+" ("+string(s.ID)+")")
	}
	if len(parts) == 0 {
		return "*Stopped*  nothing"
	}
	return "*Stopped*  " + listed(parts, manySources, " · ") + ". Decide on it: `" + Command + " inbox`, or the Home tab."
}

func standstillWords(s lifecycle.Standstill) string {
	from := ""
	if s.Source != "" {
		from = " of " + foreign(s.Source, maxTeam)
	}
	switch s.Kind {
	case lifecycle.HoldLeavers:
		return count(s.Waiting, "leaver", "leavers") + from
	case lifecycle.HoldMovers:
		return count(s.Waiting, "move", "moves") + from
	case lifecycle.HoldPolicy:
		return "a policy"
	case lifecycle.HoldSource:
		return "the first sync" + from
	default:
		return string(s.Kind) + from
	}
}

func (v houseView) casesLine() string {
	if len(v.h.Cases) == 0 {
		return "*Questions about people*  none waits"
	}
	oldest := securityInbox{cases: v.h.Cases}.oldest()
	return fmt.Sprintf("*Questions about people*  %s, the oldest since %s. Answer: `%s inbox`, or the Home tab.", count(len(v.h.Cases), "waits", "wait"), moment(oldest.OpenedAt, v.loc), Command)
}

func (v houseView) sourceLines() []string {
	if len(v.h.Sources) == 0 {
		return []string{"*Sources*  none was ever heard"}
	}
	all := []string{fmt.Sprintf("*Sources*  %d", len(v.h.Sources))}
	for i, s := range v.h.Sources {
		if i == manySources {
			return append(all, fmt.Sprintf("• and %d more: `rolecall source list`", len(v.h.Sources)-i))
		}
		all = append(all, "• "+v.sourceLine(s))
	}
	return all
}

func (v houseView) sourceLine(s lifecycle.Source) string {
	parts := []string{"*" + foreign(s.Name, maxName) + "* last heard " + moment(s.LastHeard, v.loc)}
	if !s.LastFact.IsZero() {
		parts = append(parts, "last roster with news "+moment(s.LastFact, v.loc))
	}
	if s.Silent {
		parts = append(parts, "*silent*: nothing is concluded from that")
	}
	if s.Observed {
		parts = append(parts, "*observed*: nothing follows from it until somebody of Security starts it")
	}
	return strings.Join(parts, " · ")
}

func (v houseView) rollCallLine() string {
	if v.h.RollCall.IsZero() {
		return "*Last roll call*  none yet"
	}
	return "*Last roll call*  " + moment(v.h.RollCall, v.loc) + " · " + count(v.h.Findings, "finding stands", "findings stand")
}

// recordLine gives the head of the record, for whoever has noted an earlier one.
func (v houseView) recordLine() string {
	if v.h.Record.Seq == 0 {
		return "*Record*  nothing yet"
	}
	return fmt.Sprintf("*Record*  %s, the last is %s", count(int(v.h.Record.Seq), "line", "lines"), foreign(fmt.Sprintf("%.12s", v.h.Record.Hash), maxTeam))
}

// slackLines says how what people press arrives, and whether all of it does.
func (v houseView) slackLines() []string {
	var all []string
	if v.link != "" {
		all = append(all, "*Slack*  "+v.link)
	}
	if !v.h.Ghosts.IsZero() {
		all = append(all, "*Presses are lost*  since "+moment(v.h.Ghosts, v.loc)+" Slack counts more connections than rolecall has, and hands part of what is pressed to those. Whoever presses and sees nothing happen should press again.")
	}
	return all
}

// linkWords says how Slack is connected to this process.
func (b *Bot) linkWords() string {
	if b.cfg.Secrets.AppToken == "" {
		return "over HTTP"
	}
	up, c := b.link.tally()
	return fmt.Sprintf("%d of %s of this process; Slack counted %d in all when it was last asked", min(up, connections), count(connections, "connection", "connections"), c.Slack)
}
