package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// holdMaker is what the card of a hold is made from.
type holdMaker struct {
	frame
	h       lifecycle.Hold
	all     []lifecycle.Removal // that it has ever stopped
	waiting []lifecycle.Removal // of which it stops these now
}

// message draws the card. It is pure.
func (m holdMaker) message() message {
	blocks := append(m.head(), section(factLines(m.facts())))
	if len(m.waiting) > 0 {
		blocks = append(blocks, groupTable(grouped(m.waiting)))
	}
	if lines := m.record(); len(lines) > 0 {
		blocks = append(blocks, contextLine(packLines(lines, manySteps, seeMore("`rolecall hold show`"))))
	}
	blocks = append(append(blocks, m.actions()...), contextLine(m.foot()))
	text := message{Text: m.push(), Blocks: blocks}
	text.Blocks = withBlockIDs(blocks, text.digest()[:12])
	return text
}

// head is what was stopped, and where that stands.
func (m holdMaker) head() []slack.Block {
	var blocks []slack.Block
	if m.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	return append(blocks, section("*"+m.title()+"*\n"+m.status()))
}

func (m holdMaker) title() string {
	source := foreign(m.h.Source, maxName)
	switch m.h.Kind {
	case lifecycle.HoldLeavers:
		return "Stopped: " + m.counted("leaver notice", "leaver notices")
	case lifecycle.HoldMovers:
		return "Stopped: " + m.counted("move to another department", "moves to other departments")
	case lifecycle.HoldPolicy:
		return "Stopped: a policy that takes more from people than is ordinary"
	case lifecycle.HoldSource:
		return "Connected: " + source + ", for the first time"
	default:
		return "Stopped: " + string(m.h.Kind)
	}
}

// counted says how many notices, in what time, and how many are ordinary.
func (m holdMaker) counted(one, many string) string {
	words := many
	if n := len(m.all); n > 0 {
		words = count(n, one, many)
	}
	if len(m.all) > 1 {
		first, last := m.all[0].At, m.all[0].At
		for i := range m.all {
			if at := m.all[i].At; at.Before(first) {
				first = at
			} else if at.After(last) {
				last = at
			}
		}
		if d := last.Sub(first); d >= time.Second {
			words += " in " + span(d)
		}
	}
	if m.h.Limit > 0 {
		words += fmt.Sprintf(" (limit %d)", m.h.Limit)
	}
	return words
}

// status says where the hold stands: when, and by whom.
func (m holdMaker) status() string {
	switch m.h.State {
	case lifecycle.HoldStands:
		return m.stands()
	case lifecycle.HoldProposed:
		return m.proposed()
	case lifecycle.HoldReleased:
		return m.released()
	case lifecycle.HoldRefused:
		return m.refused()
	default:
		return string(m.h.State)
	}
}

func (m holdMaker) stands() string {
	switch m.h.Kind {
	case lifecycle.HoldPolicy:
		return "It is not in force: the policy before it still is, until two people of Security have looked."
	case lifecycle.HoldSource:
		return "What it says of people is kept, and nothing follows from it: nobody gets or loses access because of it, until somebody of Security starts it."
	case lifecycle.HoldLeavers, lifecycle.HoldMovers:
		if len(m.waiting) < len(m.all) {
			return m.sofar() + " The others are not acted on until two people of Security have looked."
		}
		return "None of these is acted on until two people of Security have looked."
	default:
		return "Nothing follows until two people of Security have looked."
	}
}

// sofar says what has become of all that was stopped.
func (m holdMaker) sofar() string {
	var parts []string
	for _, s := range []struct {
		state lifecycle.RemovalState
		words string
	}{
		{lifecycle.RemovalHeld, "%d still stopped"},
		{lifecycle.RemovalPassed, "%d released"},
		{lifecycle.RemovalRefused, "%d refused"},
		{lifecycle.RemovalOvertaken, "%d overtaken by something newer about them"},
	} {
		if n := countState(m.all, s.state); n > 0 {
			parts = append(parts, fmt.Sprintf(s.words, n))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fullStop("Of these: " + strings.Join(parts, ", "))
}

func (m holdMaker) proposed() string {
	p := m.h.Proposal
	if p == nil {
		return m.stands()
	}
	words := fmt.Sprintf("%s proposes to %s, %s. Nothing is done before a second person of Security confirms exactly that.", m.person(p.By), m.what(*p), moment(p.At, m.loc))
	if more := m.since(*p); more > 0 {
		words += fmt.Sprintf(" *%s come since, and %s not meant.*", count(more, "more has", "more have"), isAre(more))
	}
	return words
}

// since counts what has joined the hold after the proposal was made.
func (m holdMaker) since(p lifecycle.ReleaseProposal) int {
	n := 0
	for _, r := range m.waiting {
		if r.Joined > p.Made {
			n++
		}
	}
	return n
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// what says what a proposal would do.
func (m holdMaker) what(p lifecycle.ReleaseProposal) string {
	switch {
	case m.h.Kind == lifecycle.HoldPolicy:
		return "put it in force"
	case p.All:
		return "release all of them (" + fmt.Sprint(p.Seen) + ")"
	}
	words := "release " + count(len(p.Only), "of them", "of them")
	if names := m.named(p.Only); len(names) > 0 {
		words += " (" + listed(names, manyPeople, ", ") + ")"
	}
	return words
}

// named returns the names of those of the notices that still wait.
func (m holdMaker) named(only []lifecycle.NoticeID) []string {
	var names []string
	for _, r := range m.waiting {
		if slices.Contains(only, r.Notice) {
			names = append(names, cmp.Or(foreign(r.Label, maxName), string(r.Identity)))
		}
	}
	slices.Sort(names)
	return names
}

func (m holdMaker) released() string {
	d := m.last()
	if m.h.Kind == lifecycle.HoldSource {
		return fmt.Sprintf("Started by %s, %s%s. From then on what it says is acted on.", m.person(d.By), moment(d.At, m.loc), through(d.Via))
	}
	let := "Released"
	if m.h.Kind == lifecycle.HoldPolicy {
		let = "Put in force"
	}
	words := fmt.Sprintf("%s by %s, %s%s.", let, m.releasers(), moment(d.At, m.loc), through(d.Via))
	return strings.Join(nonempty(words, m.sofar(), m.follows()), " ")
}

// releasers names who proposed what was released last, and who said the same.
func (m holdMaker) releasers() string {
	last := len(m.h.Decisions) - 1
	for i := last - 1; i >= 0; i-- {
		if d := m.h.Decisions[i]; d.What == saidPropose {
			return m.person(d.By) + " and " + m.person(m.h.Decisions[last].By)
		}
	}
	return m.person(m.last().By)
}

func nonempty(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}

// What somebody has said of a hold, as the domain writes it.
const (
	saidPropose = "propose"
	saidRelease = "release"
	saidRefuse  = "refuse"
)

// follows says what comes of what is let go.
func (m holdMaker) follows() string {
	switch m.h.Kind {
	case lifecycle.HoldLeavers:
		if m.p.Leaver.AskToContain {
			return "Each is planned as any leaver is: their containment is asked for first. Nobody is deleted without a decision of its own."
		}
		return "Each is contained at once. What on-call rests on is handed over before it is taken, and nobody is deleted without a decision of its own."
	case lifecycle.HoldMovers:
		return "Each is planned as any move is, and asked of the owners where the policy says so."
	case lifecycle.HoldPolicy:
		return "People are planned for by this policy from then on, and the next roll call compares everybody with it."
	case lifecycle.HoldSource:
		return "From then on what it says is acted on."
	default:
		return ""
	}
}

func (m holdMaker) refused() string {
	d := m.last()
	words := fmt.Sprintf("Refused by %s, %s%s. ", m.person(d.By), moment(d.At, m.loc), through(d.Via))
	if m.h.Kind == lifecycle.HoldPolicy {
		words += "It was not put in force; the policy before it still is."
	} else {
		words += "Nothing comes of what it still stopped: nobody's access is changed because of that."
		if sofar := m.sofar(); countState(m.all, lifecycle.RemovalRefused) < len(m.all) {
			words += " " + sofar
		}
	}
	return words
}

// last returns the decision that settled the hold.
func (m holdMaker) last() lifecycle.HoldDecision {
	if n := len(m.h.Decisions); n > 0 {
		return m.h.Decisions[n-1]
	}
	return lifecycle.HoldDecision{By: string(lifecycle.System), At: m.h.UpdatedAt}
}

// record says who said what, in order.
func (m holdMaker) record() []string {
	var lines []string
	for _, d := range m.h.Decisions {
		words := m.person(d.By) + " " + m.verb(d) + ", " + moment(d.At, m.loc) + through(d.Via)
		if d.Reason != "" {
			words += ": " + foreign(d.Reason, maxPhrase)
		}
		lines = append(lines, fullStop(words))
	}
	return lines
}

func (m holdMaker) verb(d lifecycle.HoldDecision) string {
	scope := "all of it"
	if len(d.Only) > 0 {
		scope = fmt.Sprintf("%d of them", len(d.Only))
	}
	switch d.What {
	case saidPropose:
		return "proposed to release " + scope
	case saidRelease:
		return "released " + scope
	case saidRefuse:
		return "refused it"
	default:
		return foreign(d.What, maxTeam)
	}
}

func (m holdMaker) foot() string {
	return fmt.Sprintf("%s · %s · revision %d · opened %s", m.kindWords(), m.h.ID, m.h.Revision, moment(m.h.OpenedAt, m.loc))
}

func (m holdMaker) kindWords() string {
	switch m.h.Kind {
	case lifecycle.HoldSource:
		return "first sync of a source"
	case lifecycle.HoldPolicy:
		return "brake on policies · waiting " + cmp.Or(foreign(clip(m.h.Policy, 9), 12), "unknown")
	case lifecycle.HoldLeavers, lifecycle.HoldMovers:
		return "brake on " + string(m.h.Kind)
	default:
		return string(m.h.Kind)
	}
}

// push says what the phone shows.
func (m holdMaker) push() string {
	words := strings.NewReplacer("*", "", "\n", " ").Replace(fullStop(m.title()) + " " + m.status())
	if m.h.State == lifecycle.HoldStands {
		words += " " + foreign(ended(m.h.Why), maxPhrase) + " It never ends by itself."
	}
	return words
}
