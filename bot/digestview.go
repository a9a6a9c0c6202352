package bot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// How much of each part a digest shows. All of it stays within Slack's 50
// blocks: what always stands is drawn first, and the rows take what room is left.
const (
	digestWaiting  = 12
	digestFindings = 10
	digestDone     = 15
)

// digestView is a digest as it is drawn: one owner's, or that of a team's channel.
type digestView struct {
	frame
	d        lifecycle.Digest
	team     string                                    // whose channel it is for; "" for one person
	asked    map[lifecycle.RequestID]lifecycle.Request // about the findings
	security securityInbox                             // of somebody of Security
}

// digestPart is one group of findings, most urgent first.
type digestPart struct {
	title  string
	kinds  []lifecycle.FindingKind
	places bool // where nobody answers, whatever their kind
}

func digestParts() []digestPart {
	of := func(title string, kinds ...lifecycle.FindingKind) digestPart {
		return digestPart{title: title, kinds: kinds}
	}
	return []digestPart{
		of("Leavers still present", lifecycle.FoundLeaverPresent),
		{title: "Nobody answers there", places: true},
		of("Stale access", lifecycle.FoundStale),
		of("Drift: changed with no decision on file", lifecycle.FoundDrift),
		of("More than policy says", lifecycle.FoundExcess, lifecycle.FoundOrphan),
		of("Less than policy says", lifecycle.FoundMissing),
		of("Pending invitations", lifecycle.FoundInvitePending),
		of("Nobody knows whose these are", lifecycle.FoundUnmatched, lifecycle.FoundDisputed),
	}
}

func (p digestPart) has(f lifecycle.Finding) bool {
	if unanswered(f) {
		return p.places
	}
	return slices.Contains(p.kinds, f.Kind)
}

func (v digestView) message() message {
	first := append(v.head(), v.standIns()...)
	last := append(v.known(), v.tail()...)
	rows := v.rows(maxBlocks - len(first) - len(last))
	m := message{Text: v.push(), Blocks: slices.Concat(first, rows, last)}
	m.Blocks = withBlockIDs(m.Blocks, m.digest()[:12])
	return m
}

func (v digestView) head() []slack.Block {
	title := "Your PagerDuty access digest, "
	if v.team != "" {
		title = v.team + ": PagerDuty access digest, "
	}
	blocks := []slack.Block{header(title + v.d.At.In(v.loc).Format("Mon 2 Jan"))}
	if v.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	if !v.security.empty() {
		blocks = append(blocks, section("*Security*\n"+v.security.summary(v.frame)))
	}
	return blocks
}

// standIns says for whom else this is.
func (v digestView) standIns() []slack.Block {
	if len(v.d.StandIn) == 0 {
		return nil
	}
	words := make([]string, len(v.d.StandIn))
	for i, a := range v.d.StandIn {
		words[i] = v.person(a.Email) + " until " + lastDay(a.Until, v.loc)
	}
	return []slack.Block{contextLine("You stand in for " + listed(words, bundleNames, ", ") + ": what is theirs to decide is in here.")}
}

// rows draws what can be decided where it stands, in as many blocks as there is
// room for, and says what is left out and where that is.
func (v digestView) rows(room int) []slack.Block {
	waiting := v.waiting(room * 2 / 3)
	room -= len(waiting) + 1 // for what is left out
	var blocks []slack.Block
	left, bundles := 0, 0
	for _, p := range digestParts() {
		title := fmt.Sprintf("*%s* (%d)\n", p.title, v.inBundles(p))
		for _, b := range v.d.Bundles {
			if len(b.Findings) == 0 || !p.has(b.Findings[0]) {
				continue
			}
			row := v.bundle(b, title)
			if len(blocks)+len(row) > room {
				left, bundles = left+len(b.Findings), bundles+1
				continue
			}
			blocks, title = append(blocks, row...), ""
		}
	}
	if bundles > 0 {
		blocks = append(blocks, section(fmt.Sprintf("%s more in %s, the lesser risks, did not fit in here: `%s findings` lists them. They come up here once these are decided.",
			count(left, "finding", "findings"), count(bundles, "row", "rows"), Command)))
	}
	return append(waiting, blocks...)
}

func (v digestView) inBundles(p digestPart) int {
	n := 0
	for _, b := range v.d.Bundles {
		if len(b.Findings) > 0 && p.has(b.Findings[0]) {
			n += len(b.Findings)
		}
	}
	return n
}

// waiting draws what is asked about by itself, in at most that many blocks.
func (v digestView) waiting(room int) []slack.Block {
	if len(v.d.Waiting) == 0 {
		return nil
	}
	blocks := []slack.Block{section(fmt.Sprintf("*Needs %s today* (%d)", v.whom(), len(v.d.Waiting)))}
	for i, r := range v.d.Waiting {
		row := v.request(r)
		if i == digestWaiting || len(blocks)+len(row)+1 > room {
			return append(blocks, section(seeMore("`"+Command+" inbox`")(len(v.d.Waiting)-i)))
		}
		blocks = append(blocks, row...)
	}
	return blocks
}

func (v digestView) whom() string {
	if v.team != "" {
		return "the owners"
	}
	return "you"
}

func (v digestView) request(r lifecycle.Request) []slack.Block {
	me := ""
	if v.team == "" {
		me = v.d.For.Person.Email()
		if !slices.Contains(r.Approvers, me) {
			r.Approvers = append(slices.Clone(r.Approvers), me)
		}
	}
	m := cardMaker{frame: v.frame, r: r, v: viewer{Email: me}}
	words := m.why() + " " + m.deadline()
	if len(handovers(r)) > 0 {
		words = m.why() + " " + m.onCall() + " " + m.deadline()
	}
	return append([]slack.Block{section("*" + m.title() + "*\n" + words)}, cardData{ID: r.ID, Revision: r.Revision, Buttons: m.buttons()}.actions()...)
}

// known draws what is only to be known.
func (v digestView) known() []slack.Block {
	var blocks []slack.Block
	for _, p := range digestParts() {
		if found := slices.DeleteFunc(slices.Clone(v.d.Others), func(f lifecycle.Finding) bool { return !p.has(f) }); len(found) > 0 {
			blocks = append(blocks, section(fmt.Sprintf("*%s* (%d)\n%s", p.title, len(found), findingLines(found, digestFindings))))
		}
	}
	return blocks
}

func (v digestView) tail() []slack.Block {
	var blocks []slack.Block
	if len(v.d.Ending) > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*Exceptions ending* (%d)\n%s", len(v.d.Ending), endingLines(v.d.Ending, v.d.Findings, v.loc, digestFindings))))
	}
	if len(v.d.Done) > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*Done since the last digest* (%d)\n%s", len(v.d.Done), v.done())))
	}
	silence := "If you do nothing"
	if v.team != "" {
		silence = "Only the owners and Security can decide; each press is checked. If nobody does"
	}
	foot := silence + ", what is asked ends as its own line says, and the rest stays as it is and comes again tomorrow. Object roles and other people's API keys cannot be seen by API."
	if len(v.d.Bundles) > 0 {
		foot = "*Keep* is an exception with a reason and an end. *Reduce* leaves somebody able to look on, and not to act. *Revoke* takes back what is beyond policy, or all that is not used. " + foot
	}
	return append(blocks, contextLine(foot))
}

// standing counts the findings that are shown, or summed up.
func (v digestView) standing() int {
	n := len(v.d.Others)
	for _, b := range v.d.Bundles {
		n += len(b.Findings)
	}
	return n
}

// empty reports whether there is nothing to say.
func (v digestView) empty() bool { return v.d.Empty() && v.security.empty() }

func (v digestView) done() string {
	lines := make([]string, len(v.d.Done))
	for i, r := range v.d.Done {
		m := cardMaker{frame: v.frame, r: r}
		lines[i] = "• " + m.title() + ". " + clipMarkup(m.stands(), maxPhrase)
	}
	return packLines(lines, digestDone, seeMore("`/rolecall status`"))
}

// push counts what there is, for the phone.
func (v digestView) push() string {
	var parts []string
	add := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, count(n, one, many))
		}
	}
	add(len(v.security.holds), "thing was stopped and waits", "things were stopped and wait")
	add(len(v.security.cases), "question about people waits", "questions about people wait")
	add(len(v.d.Waiting), "request waits for "+v.whom(), "requests wait for "+v.whom())
	add(v.standing(), "finding about "+v.whose(), "findings about "+v.whose())
	add(len(v.d.Ending), "exception ends soon", "exceptions end soon")
	add(len(v.d.Done), "change was settled", "changes were settled")
	if len(parts) == 0 {
		return "PagerDuty access today: nothing is left to decide."
	}
	return "PagerDuty access today: " + strings.Join(parts, ", ") + "."
}

func (v digestView) whose() string {
	if v.team != "" {
		return foreign(v.team, maxTeam)
	}
	return "your teams"
}
