package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// How much of each part a Home tab shows, so that all of it stays within
// Slack's 100 blocks: 3·15 + 4 + 4 + 8 + 2 and the headings, and for Security 2·3 +
// 6·3 and two more.
const (
	homeInbox    = 15
	homeRequests = 4
	homeTeams    = 8
	homeHolders  = 15
	homeFindings = 10
)

// homeData is what one person's Home tab says.
type homeData struct {
	frame
	Viewer   lifecycle.Identity
	Inbox    []lifecycle.Request
	Standing lifecycle.Standing
	Teams    []homeTeam
	Findings []lifecycle.Finding
	Ending   []lifecycle.Exception
	Away     []lifecycle.Absence
	Security *homeSecurity // nil: they are not of it
}

// homeTeam is one team that the person owns, and who is on it.
type homeTeam struct {
	Team    lifecycle.TeamPolicy
	Holders []lifecycle.Holder
}

// homeView draws the Home tab: the inbox, my access, my teams.
func homeView(d homeData) slack.HomeTabViewRequest {
	var blocks []slack.Block
	if d.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	if d.Security != nil {
		blocks = append(blocks, d.Security.blocks(d.frame)...)
	}
	blocks = append(blocks, awayBlocks(d.frame, d.Away)...)
	blocks = append(blocks, d.inbox()...)
	blocks = append(blocks, d.access()...)
	blocks = append(blocks, d.owned()...)
	blocks = append(blocks, contextLine(d.asOf()))
	blocks = withBlockIDs(blocks, message{Blocks: blocks}.digest()[:12])
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
}

// closedHome draws the Home tab of somebody whom rolecall does not answer.
func closedHome(why string) slack.HomeTabViewRequest {
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{section(why)}}}
}

func (d homeData) inbox() []slack.Block {
	blocks := []slack.Block{header("Inbox")}
	if len(d.Inbox) == 0 {
		return append(blocks, section("Nothing waits for you."))
	}
	for i, r := range d.Inbox {
		if i == homeInbox {
			return append(blocks, section(fmt.Sprintf("%d more wait for you. Decide the ones above, or see all with `/rolecall inbox`.", len(d.Inbox)-homeInbox)))
		}
		blocks = append(blocks, d.item(r)...)
	}
	return blocks
}

// item draws one request so that it can be decided where it stands.
func (d homeData) item(r lifecycle.Request) []slack.Block {
	me := d.Viewer.Person.Email()
	if !slices.Contains(r.Approvers, me) { // they may decide now, whoever was asked first
		r.Approvers = append(slices.Clone(r.Approvers), me)
	}
	c := newCard(r, d.frame, viewer{Email: me})
	blocks := []slack.Block{section("*" + c.Title + "*\n" + c.Status + "\n" + factLines(c.Facts))}
	return append(append(blocks, c.actions()...), slack.NewDividerBlock())
}

func (d homeData) access() []slack.Block {
	s := d.Standing
	lines := append(d.holdings(), "*Policy says*  "+wantWords(s.Want))
	for _, f := range s.Findings {
		lines = append(lines, "*Does not agree*  "+foreign(f.Sentence(), maxPhrase))
	}
	blocks := append([]slack.Block{header("My access"), section(strings.Join(lines, "\n"))}, d.mine()...)
	shown := s.Requests[max(0, len(s.Requests)-homeRequests):]
	for _, r := range shown {
		c := newCard(r, d.frame, viewer{})
		blocks = append(blocks, section("*"+c.Title+"*\n"+c.Status))
	}
	return blocks
}

func (d homeData) owned() []slack.Block {
	open := slices.DeleteFunc(slices.Clone(d.Findings), func(f lifecycle.Finding) bool { return f.Exception != "" })
	if len(d.Teams)+len(open)+len(d.Ending) == 0 {
		return nil
	}
	blocks := []slack.Block{header("My teams")}
	for i, t := range d.Teams {
		if i == homeTeams {
			blocks = append(blocks, section(fmt.Sprintf("and %d more teams: see each with `/rolecall who`.", len(d.Teams)-homeTeams)))
			break
		}
		blocks = append(blocks, section(t.words()))
	}
	if len(open) > 0 {
		blocks = append(blocks, section("*Does not agree with policy*\n"+findingLines(open, homeFindings)))
	}
	if len(d.Ending) > 0 {
		blocks = append(blocks, section("*Exceptions that end soon*\n"+d.ending()))
	}
	return blocks
}

func (d homeData) ending() string { return endingLines(d.Ending, d.Findings, d.loc, homeFindings) }

func (t homeTeam) words() string {
	lines := make([]string, len(t.Holders))
	for i, h := range t.Holders {
		lines[i] = fmt.Sprintf("• %s: %s here, %s in the account", foreign(h.Account.Name, maxName), foreign(string(h.Role), maxTeam), roleWords(string(h.Account.BaseRole)))
	}
	title := fmt.Sprintf("*%s*  %d on the team\n", foreign(t.Team.Name, maxTeam), len(t.Holders))
	return title + packLines(lines, homeHolders, seeMore("`/rolecall who`"))
}

func (d homeData) asOf() string {
	if d.Standing.AsOf.IsZero() {
		return "No roll call has been held yet: what you hold is not known before that."
	}
	return "As of the roll call of " + moment(d.Standing.AsOf, d.loc) + ", and of what was changed and checked since."
}

// accountWords says what an account holds.
func accountWords(a *lifecycle.Account) string {
	if a == nil {
		return "no PagerDuty account that rolecall knows of"
	}
	h := holding{account: true, base: string(a.BaseRole), teams: a.Teams}
	return h.String()
}

// wantWords says what policy wants somebody to hold.
func wantWords(w lifecycle.Want) string {
	switch {
	case w.Conflict != "":
		return "nothing, because it disagrees with itself: " + foreign(fullStop(w.Conflict), maxPhrase)
	case !w.Matched():
		return "nothing: no rule speaks of you"
	default:
		h := holding{account: true, base: string(w.BaseRole), teams: w.Teams}
		return h.String() + " (" + foreign(strings.Join(w.Rules, ", "), maxPhrase) + ")"
	}
}

// findingLines lists findings, one a line, in their order.
func findingLines(found []lifecycle.Finding, most int) string {
	lines := make([]string, len(found))
	for i, f := range found {
		lines[i] = "• " + findingWords(f)
	}
	return packLines(lines, most, seeMore("`/rolecall findings`"))
}

// endingLines lists exceptions with what they except, where that is known.
func endingLines(ending []lifecycle.Exception, found []lifecycle.Finding, loc *time.Location, most int) string {
	about := map[lifecycle.FindingID]lifecycle.Finding{}
	for _, f := range found {
		about[f.ID] = f
	}
	lines := make([]string, len(ending))
	for i, x := range ending {
		what := "An exception"
		if f, ok := about[x.Finding]; ok {
			what = foreign(f.Sentence(), maxPhrase) + " The exception"
		}
		lines[i] = fmt.Sprintf("• %s ends on %s. Kept by %s: %s", what, day(x.Until, loc), foreign(x.By, maxName), foreign(fullStop(x.Reason), maxPhrase))
	}
	return packLines(lines, most, seeMore("`/rolecall findings`"))
}
