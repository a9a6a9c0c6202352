package bot

import (
	"cmp"
	"fmt"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// facts says why, how many are ordinary, and what deciding means.
func (m holdMaker) facts() []fact {
	facts := []fact{{"What happened", foreign(ended(m.h.Why), maxWhy)}}
	if m.h.Kind == lifecycle.HoldLeavers || m.h.Kind == lifecycle.HoldMovers {
		facts = append(facts, fact{"Source", cmp.Or(foreign(m.h.Source, maxName), "all sources together")})
	}
	if m.h.Limit > 0 {
		facts = append(facts, fact{"Limit", m.limit()})
	}
	if !m.h.Open() {
		return facts
	}
	if m.h.Kind == lifecycle.HoldSource {
		return append(facts, fact{"If you start it", "What it says of people from then on is acted on, within the brakes. What it has said so far is not: who is there and should not be comes up in the roll call, and is asked."},
			fact{"Who can start it", "One person of Security" + m.security() + "."})
	}
	if m.h.Kind == lifecycle.HoldPolicy {
		facts = append(facts, fact{"Whom it moves", "`rolecall hold show " + foreign(string(m.h.ID), maxName) + "` lists everybody"})
	}
	return append(facts, fact{"If released", m.follows()}, fact{"If refused", m.ifRefused()},
		fact{"Until then", "It stays stopped. It never ends by itself."},
		fact{"Who can decide", "Security" + m.security() + ": two to release, of whom the second confirms what the first proposes; one to refuse. Nobody whom it is about."})
}

func (m holdMaker) limit() string {
	what := count(m.h.Limit, "person", "people")
	if m.h.Population > 0 {
		what += fmt.Sprintf(", of %d who have a PagerDuty account", m.h.Population)
	}
	return what
}

func (m holdMaker) ifRefused() string {
	switch m.h.Kind {
	case lifecycle.HoldPolicy:
		return "It is not put in force, and the policy before it stays. A corrected file is looked at anew."
	case lifecycle.HoldLeavers:
		return "None of them counts as gone, because Security says so. If the source goes on saying it of somebody, that is asked."
	case lifecycle.HoldMovers, lifecycle.HoldSource:
	}
	return "Nothing comes of any of these notices. A new one about somebody counts again."
}

// actions draws what can be done where the hold stands.
func (m holdMaker) actions() []slack.Block {
	value := encodeHold(m.h)
	if !m.h.Open() {
		return nil
	}
	if m.h.Kind == lifecycle.HoldSource {
		start := button(ActionStart, value, "Start it").WithStyle(slack.StylePrimary)
		return []slack.Block{slack.NewActionBlock("", start.WithConfirm(ask("Start "+short(m.h.Source, maxTeam)+"?", "From then on, what it says of people is acted on: they get and lose access as the policy says.", "Start it")))}
	}
	release := button(ActionRelease, value, "Release…")
	refuse := button(ActionRefuse, value, "Refuse…")
	if m.h.State != lifecycle.HoldProposed || m.h.Proposal == nil {
		return []slack.Block{slack.NewActionBlock("", release, refuse)}
	}
	release.Text = plainText("Propose otherwise…", maxButton)
	confirm := button(ActionConfirm, value, "Confirm").WithStyle(slack.StyleDanger).WithConfirm(m.confirmation(*m.h.Proposal))
	return []slack.Block{slack.NewActionBlock("", confirm, release, refuse)}
}

// confirmation asks the second person, naming how many it is about.
func (m holdMaker) confirmation(p lifecycle.ReleaseProposal) *slack.ConfirmationBlockObject {
	n := len(p.Only)
	if p.All {
		n = p.Seen
	}
	switch m.h.Kind {
	case lifecycle.HoldPolicy:
		return ask("Put this policy in force?", "It takes more from people than is ordinary. "+m.follows(), "Put in force")
	case lifecycle.HoldMovers:
		return ask("Release "+count(n, "move", "moves")+"?", m.follows(), "Release "+fmt.Sprint(n))
	case lifecycle.HoldLeavers, lifecycle.HoldSource:
		return ask("Release "+count(n, "leaver", "leavers")+"?", m.follows(), "Release "+fmt.Sprint(n))
	default:
		return ask("Release it?", m.follows(), "Release")
	}
}

// Slack's limits of a confirmation dialog (docs.slack.dev, composition objects).
const (
	maxAskTitle = 100
	maxAskText  = 300
	maxAskLabel = 30
)

func ask(title, text, yes string) *slack.ConfirmationBlockObject {
	c := slack.NewConfirmationBlockObject(plainText(title, maxAskTitle), plainText(text, maxAskText), plainText(yes, maxAskLabel), plainText("Cancel", maxAskLabel))
	return c.WithStyle(slack.StyleDanger)
}
