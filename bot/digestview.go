package bot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// How much of each part a digest shows. All of it stays within Slack's 50
// blocks: 2 for each request that waits, 1 for each part, and the frame.
const (
	digestWaiting  = 12
	digestFindings = 10
	digestDone     = 15
)

// digestView is one owner's digest as it is drawn.
type digestView struct {
	frame
	d        lifecycle.Digest
	security securityInbox // of somebody of Security
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
		of("Drift: changed with no decision on file", lifecycle.FoundDrift),
		of("More than policy says", lifecycle.FoundExcess, lifecycle.FoundOrphan),
		of("Less than policy says", lifecycle.FoundMissing),
		of("Stale access", lifecycle.FoundStale),
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
	blocks := []slack.Block{header("Your PagerDuty access digest, " + v.d.At.In(v.loc).Format("Mon 2 Jan"))}
	if v.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	if !v.security.empty() {
		blocks = append(blocks, section("*Security*\n"+v.security.summary(v.frame)))
	}
	blocks = append(blocks, v.waiting()...)
	for _, p := range digestParts() {
		if found := v.findings(p); len(found) > 0 {
			blocks = append(blocks, section(fmt.Sprintf("*%s* (%d)\n%s", p.title, len(found), findingLines(found, digestFindings))))
		}
	}
	if len(v.d.Ending) > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*Exceptions ending* (%d)\n%s", len(v.d.Ending), endingLines(v.d.Ending, v.d.Findings, v.loc, digestFindings))))
	}
	if len(v.d.Done) > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*Done since the last digest* (%d)\n%s", len(v.d.Done), v.done())))
	}
	blocks = append(blocks, contextLine("Everything that waits is on the Home tab too. Object roles and other people's API keys cannot be seen by API."))
	m := message{Text: v.push(), Blocks: blocks}
	m.Blocks = withBlockIDs(blocks, m.digest()[:12])
	return m
}

// waiting draws what can be decided where it stands.
func (v digestView) waiting() []slack.Block {
	if len(v.d.Waiting) == 0 {
		return nil
	}
	blocks := []slack.Block{section(fmt.Sprintf("*Needs you today* (%d)", len(v.d.Waiting)))}
	me := v.d.For.Person.Email()
	for i, r := range v.d.Waiting {
		if i == digestWaiting {
			return append(blocks, section(seeMore("`/rolecall inbox`")(len(v.d.Waiting)-i)))
		}
		if !slices.Contains(r.Approvers, me) {
			r.Approvers = append(slices.Clone(r.Approvers), me)
		}
		m := cardMaker{frame: v.frame, r: r, v: viewer{Email: me}}
		words := m.why() + " " + m.deadline()
		if len(handovers(r)) > 0 {
			words = m.why() + " " + m.onCall() + " " + m.deadline()
		}
		blocks = append(blocks, section("*"+m.title()+"*\n"+words))
		blocks = append(blocks, cardData{ID: r.ID, Revision: r.Revision, Buttons: m.buttons()}.actions()...)
	}
	return blocks
}

// findings returns those of the part that are neither kept on purpose nor asked
// about above already.
func (v digestView) findings(p digestPart) []lifecycle.Finding {
	var found []lifecycle.Finding
	for _, f := range v.d.Findings {
		asked := f.Request != "" && slices.ContainsFunc(v.d.Waiting, func(r lifecycle.Request) bool { return r.ID == f.Request })
		if p.has(f) && !asked && f.Exception == "" {
			found = append(found, f)
		}
	}
	return found
}

// standing counts the findings that are shown, or summed up.
func (v digestView) standing() int {
	n := 0
	for _, p := range digestParts() {
		n += len(v.findings(p))
	}
	return n
}

// empty reports whether there is nothing to say.
func (v digestView) empty() bool {
	return len(v.d.Waiting)+len(v.d.Ending)+len(v.d.Done)+v.standing() == 0 && v.security.empty()
}

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
	count := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	count(len(v.security.holds), "thing was stopped and waits", "things were stopped and wait")
	count(len(v.security.cases), "question about people waits", "questions about people wait")
	count(len(v.d.Waiting), "request waits for you", "requests wait for you")
	count(v.standing(), "finding about your teams", "findings about your teams")
	count(len(v.d.Ending), "exception ends soon", "exceptions end soon")
	count(len(v.d.Done), "change was settled", "changes were settled")
	return "PagerDuty access today: " + strings.Join(parts, ", ") + "."
}
