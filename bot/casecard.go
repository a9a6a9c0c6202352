package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	fewAnswers    = 4    // that each have a button; more are a menu
	manyAnswers   = 12   // that are told with what follows, above the menu
	maxWhy        = 1500 // characters of what is in doubt, or of why something was stopped
	maxAnswerText = 200  // characters of what an answer says
)

// caseMaker is what the card of a case is made from.
type caseMaker struct {
	frame
	c lifecycle.Case
}

// caseMessage returns what the card of c says. It is pure.
func caseMessage(c lifecycle.Case, f frame) message {
	m := caseMaker{f, c}
	blocks := m.question()
	if c.Open() {
		blocks = append(blocks, section(factLines([]fact{{"Until then", m.meanwhile()}, {"Who can answer", m.who()}})))
	}
	blocks = append(blocks, contextLine(m.foot()))
	text := message{Text: m.push(), Blocks: blocks}
	text.Blocks = withBlockIDs(blocks, text.digest()[:12])
	return text
}

// question is what is asked, and the answers that can be given where it stands.
func (m caseMaker) question() []slack.Block {
	var blocks []slack.Block
	if m.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	blocks = append(blocks, section("*"+m.title()+"*\n"+m.status()), section("*In doubt*  "+foreign(ended(m.c.Why), maxWhy)))
	switch {
	case !m.c.Open():
		return blocks
	case len(m.c.Options) > fewAnswers:
		return append(blocks, m.menu()...)
	}
	for _, o := range m.c.Options {
		said := slack.NewSectionBlock(mrkdwn(answerWords(o)), nil, slack.NewAccessory(m.button(o)))
		blocks = append(blocks, said)
	}
	return blocks
}

func (m caseMaker) title() string {
	who := cmp.Or(foreign(m.c.Label, maxName), "somebody")
	switch m.c.Kind {
	case lifecycle.CasePerson:
		return "Who is " + who + "?"
	case lifecycle.CaseAccount:
		return "Which PagerDuty account does " + who + " have?"
	case lifecycle.CaseSuspended, lifecycle.CaseAbsent:
		return "Has " + who + " left?"
	case lifecycle.CaseReturn:
		return "Is " + who + " back?"
	default:
		return "A question about " + who
	}
}

// status says where the case stands: when, by whom, and what follows.
func (m caseMaker) status() string {
	c := m.c
	switch c.Answer {
	case "":
		return "Waiting for an answer. Nothing follows before somebody of Security gives one."
	case lifecycle.AnswerMoot:
		words := "This has settled itself, " + moment(c.AnsweredAt, m.loc) + "."
		if c.Reason != "" {
			words += " " + foreign(ended(c.Reason), maxPhrase)
		}
		return words + " Nothing is left to answer."
	default:
		return m.answered()
	}
}

func (m caseMaker) answered() string {
	c := m.c
	label, effect := foreign(c.Answer, maxName), ""
	if i := slices.IndexFunc(c.Options, func(o lifecycle.CaseOption) bool { return o.Answer == c.Answer }); i >= 0 {
		label, effect = foreign(c.Options[i].Label, maxAnswerText), foreign(ended(c.Options[i].Effect), maxPhrase)
	}
	words := fmt.Sprintf("Answered by %s, %s%s: *%s*", m.person(c.By), moment(c.AnsweredAt, m.loc), through(c.Via), label)
	if c.Reason != "" {
		words += "\nWhy: " + foreign(ended(c.Reason), maxPhrase)
	}
	if effect != "" {
		words += "\nWhat follows: " + effect
	}
	return words
}

// through says how something was decided, where that was not here.
func through(v lifecycle.Via) string {
	if v == lifecycle.ViaCLI {
		return ", at the command line"
	}
	return ""
}

// meanwhile says what does not happen while nobody answers.
func (m caseMaker) meanwhile() string {
	const ever = " There is no deadline, and silence answers nothing."
	switch m.c.Kind {
	case lifecycle.CasePerson:
		return "What was said of them is on file and does nothing: nobody gets or loses access because of it." + ever
	case lifecycle.CaseAccount:
		return "Nothing is given to these accounts, and nothing taken from them, on account of this person." + ever
	case lifecycle.CaseSuspended, lifecycle.CaseAbsent:
		return "Nothing is taken from them in PagerDuty because of this: they can still be called, and can still sign in there." + ever
	case lifecycle.CaseReturn:
		return "They count as somebody who has left, and nothing is given to them." + ever
	default:
		return "Nothing follows." + ever
	}
}

func (m caseMaker) who() string {
	return "Anybody of Security" + m.security() + ", about anybody but themselves."
}

// security names the people of Security, in brackets.
func (f frame) security() string {
	var who []string
	for _, email := range f.p.Security.Members {
		who = append(who, f.person(email))
	}
	if len(who) == 0 {
		return ""
	}
	return " (" + orList(few(who)) + ")"
}

// answerWords says what one answer says, and what follows from it.
func answerWords(o lifecycle.CaseOption) string {
	return "*" + foreign(o.Label, maxAnswerText) + "*\n" + foreign(ended(o.Effect), maxPhrase)
}

func (m caseMaker) button(o lifecycle.CaseOption) *slack.ButtonBlockElement {
	label := m.answerLabel(o.Answer)
	if m.c.AsksReason(o.Answer) {
		label += "…"
	}
	b := button(ActionAnswer, encodeAnswer(m.c, o.Answer), label)
	b.AccessibilityLabel = clip("Answer: "+short(o.Label, maxButton), maxButton)
	if o.Answer == lifecycle.AnswerLeft {
		b.WithStyle(slack.StyleDanger)
	}
	return b
}

func (m caseMaker) answerLabel(answer string) string {
	switch answer {
	case lifecycle.AnswerNew:
		return "Somebody new"
	case lifecycle.AnswerNone:
		return "None of these"
	case lifecycle.AnswerLeft:
		return "They have left"
	case lifecycle.AnswerStays:
		if m.c.Kind == lifecycle.CaseReturn {
			return "They are not back"
		}
		return "They have not left"
	case lifecycle.AnswerBack:
		return "They are back"
	}
	if m.c.Kind == lifecycle.CaseAccount {
		return "This account"
	}
	return "This person"
}

// menu offers more answers than fit as buttons: picking one does nothing before
// the button is pressed.
func (m caseMaker) menu() []slack.Block {
	options, lines := []*slack.OptionBlockObject{}, []string{}
	for _, o := range m.c.Options {
		lines = append(lines, "• "+strings.ReplaceAll(answerWords(o), "\n", " "))
		if len(options) < maxOptions {
			options = append(options, option(o.Answer, cmp.Or(short(o.Label, maxOption), o.Answer), short(cmp.Or(o.Effect, "Nothing is known of what follows."), maxOption)))
		}
	}
	told := packLines(lines, manyAnswers, func(left int) string { return fmt.Sprintf("and %d more, in the menu.", left) })
	if left := len(m.c.Options) - len(options); left > 0 {
		told += fmt.Sprintf("\nThe menu holds %d of them. Anything else: `rolecall identity answer %s`.", len(options), m.c.ID)
	}
	pick := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText("Pick an answer", maxOption), ActionPick, options...)
	return []slack.Block{section(told), slack.NewActionBlock("", pick, button(ActionAnswer, encodeAnswer(m.c, ""), "Answer with this…"))}
}

func (m caseMaker) foot() string {
	words := "question about who is who"
	if m.c.Source != "" {
		words += " · source " + foreign(m.c.Source, maxName)
	}
	return fmt.Sprintf("%s · %s · revision %d · opened %s", words, m.c.ID, m.c.Revision, moment(m.c.OpenedAt, m.loc))
}

// push says what the phone shows.
func (m caseMaker) push() string {
	title := strings.ReplaceAll(m.title(), "`", "")
	if !m.c.Open() {
		return "Security was asked: " + title + " " + strings.NewReplacer("*", "", "\n", " ").Replace(m.status())
	}
	return "Security is asked: " + title + " " + foreign(ended(m.c.Why), maxPhrase) + " " + m.meanwhile()
}
