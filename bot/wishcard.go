package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// isWish reports whether somebody has asked for the request themselves.
func isWish(r lifecycle.Request) bool {
	return r.Kind == lifecycle.RequestSelf && r.Ends == "" && r.Undoes == ""
}

// wishFacts says on the card of those who decide who asks, why, and what comes after.
func (m cardMaker) wishFacts() []fact {
	facts := []fact{{"Asked by", m.person(m.r.Subject.Email)}, {"Why", foreign(fullStop(m.r.Asked), maxPhrase)}}
	if m.r.Incident != "" {
		facts = append(facts, fact{"Incident", foreign(m.r.Incident, maxPhrase)})
	}
	facts = append(facts, m.compared()...)
	return append(facts, m.ending())
}

// ending says when what was asked for ends, or has ended.
func (m cardMaker) ending() fact {
	switch {
	case m.over() && !m.r.Ended.IsZero():
		return fact{"Ended", moment(m.r.Ended, m.loc) + ". It was given until " + moment(m.r.Until, m.loc) + "."}
	case m.over():
		return fact{"Ends", "now: given back, " + moment(m.r.GivenBack, m.loc) + "."}
	case m.r.State.Open() || m.r.State == lifecycle.Done:
		return fact{"Until", m.until()}
	default:
		return fact{"Asked until", moment(m.r.Until, m.loc) + "."}
	}
}

// over reports whether what was given for a time has ended, or is about to before that.
func (m cardMaker) over() bool { return m.r.EndedBy != "" || !m.r.GivenBack.IsZero() }

// until says when it ends, and what then.
func (m cardMaker) until() string {
	return "*" + moment(m.r.Until, m.loc) + "*. Then it is taken back by itself: " + m.backTo() + "."
}

// backTo says what is held again after it.
func (m cardMaker) backTo() string {
	var words []string
	for _, c := range m.r.Changes {
		words = append(words, backWords(c))
	}
	return listed(words, titleChanges, ", ")
}

func backWords(c lifecycle.Change) string {
	team := c.Entitlement.Kind == lifecycle.KindTeamRole
	switch {
	case c.From == c.To:
		return "what was held before it was first asked for"
	case team && c.From == "":
		return "off " + teamName(c.Entitlement.Team) + " again"
	case team:
		return teamName(c.Entitlement.Team) + ": " + foreign(c.From, maxTeam) + " again"
	default:
		return roleWords(c.From) + " again"
	}
}

// statusCard is what somebody is shown of what they have asked for: one message in
// their direct messages, edited in place. End is the request that ends it, where
// there is one.
func (m cardMaker) statusCard(end lifecycle.Request) cardData {
	c := cardData{
		ID: m.r.ID, Revision: m.r.Revision, Banner: m.banner(), Title: "You asked for: " + listed(titleWords(m.r), titleChanges, " · "),
		Status: m.asker(end), Facts: m.askerFacts(), Record: m.nudged(), Buttons: m.askerButtons(), Foot: m.foot(),
	}
	c.Push = strings.Join(slices.DeleteFunc([]string{fullStop(strings.ReplaceAll(c.Title, "`", "")), c.Banner, c.Status, m.pushAfter()}, func(s string) bool { return s == "" }), " ")
	return c
}

// pushAfter says on the phone what comes of waiting.
func (m cardMaker) pushAfter() string {
	if m.r.State != lifecycle.Pending {
		return ""
	}
	return "Asked: " + m.askedOf() + " " + m.deadline()
}

func (m cardMaker) askerFacts() []fact {
	facts := []fact{{"Why", foreign(fullStop(m.r.Asked), maxPhrase)}}
	if m.r.Incident != "" {
		facts = append(facts, fact{"Incident", foreign(m.r.Incident, maxPhrase)})
	}
	if m.r.State == lifecycle.Pending {
		facts = append(facts, fact{"Asked", m.askedOf()}, fact{"Decided by", m.decideBy()})
	}
	return append(facts, m.ending())
}

// askedOf says who is asked, and how many of them have to agree.
func (m cardMaker) askedOf() string {
	var who []string
	for _, email := range m.r.Approvers {
		if a := m.approver(email); !isAway(a) {
			who = append(who, m.withStanding(a))
		}
	}
	if len(who) == 0 {
		return "Nobody can decide this now. Ask Security to name an owner in the policy."
	}
	words := fullStop(orList(few(who)))
	if m.r.Needed > 1 {
		words += fmt.Sprintf(" %d of them have to agree; so far: %d.", m.r.Needed, m.r.Approvals())
	}
	return words
}

func (m cardMaker) nudged() []string {
	if m.r.State == lifecycle.Pending && !m.r.Nudged.IsZero() {
		return []string{"You had them reminded, " + moment(m.r.Nudged, m.loc) + "."}
	}
	return nil
}

// asker says to who has asked where it stands.
func (m cardMaker) asker(end lifecycle.Request) string {
	note := foreign(fullStop(m.r.Note), maxPhrase)
	switch m.r.State {
	case lifecycle.Pending:
		return "Waiting for a decision. Nothing to do for you."
	case lifecycle.Done:
		return m.given(end, note)
	case lifecycle.Failed:
		return strings.TrimSpace("A step of it did not work: "+note) + " " + m.stand() + " Those who can mend that have been told. Nothing to do for you."
	case lifecycle.Holding:
		return fmt.Sprintf("Approved%s. It is given on %s: what gives great power waits first. You can cancel it until then.", m.by(), moment(m.r.HoldUntil, m.loc))
	case lifecycle.Blocked:
		return "Stopped before anything was changed: " + note + " What is left of it is asked again."
	case lifecycle.Approved, lifecycle.Applying, lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn:
		return m.stands()
	default:
		return string(m.r.State)
	}
}

// given says of what was given how long it is theirs, or what has come of it.
func (m cardMaker) given(end lifecycle.Request, note string) string {
	r := m.r
	switch {
	case r.EndedBy == "" && !r.GivenBack.IsZero():
		return "You have given it back, " + moment(r.GivenBack, m.loc) + ". It is about to be taken back in PagerDuty."
	case r.EndedBy == "":
		return "✅ It is yours, checked in PagerDuty " + moment(m.checked(), m.loc) + "." + suffixed(" Approved", m.by()) + " It ends by itself on " + moment(r.Until, m.loc) + "."
	case note != "":
		return "It is over, " + moment(r.Ended, m.loc) + ". " + note + " Nothing is left to do."
	case end.ID == "":
		return "It is over, " + moment(r.Ended, m.loc) + ". Nothing is left to do."
	case end.Undoes != "":
		return "It was undone, " + moment(r.Ended, m.loc) + ". Nothing is left to do."
	}
	of := cardMaker{frame: m.frame, r: end}
	switch end.State {
	case lifecycle.Done:
		return "It is over, and was taken back: " + fullStop(listed(titleWords(end)[1:], titleChanges, ", ")) + " Checked in PagerDuty " + moment(of.checked(), m.loc) + ". Nothing is left to do."
	case lifecycle.Pending:
		return "It is over. On-call still needs you there, so somebody is asked who takes over first. Nothing to do for you."
	case lifecycle.Failed:
		return "It is over, and could not be taken back yet. Those who can mend that have been told. Nothing to do for you."
	case lifecycle.Approved, lifecycle.Holding, lifecycle.Applying:
		return "It is over, and is being taken back."
	case lifecycle.Blocked, lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn:
		return "It is over. " + of.stands()
	default:
		return "It is over."
	}
}

func suffixed(words, by string) string {
	if by == "" {
		return ""
	}
	return words + by + "."
}

func (m cardMaker) askerButtons() []cardButton {
	switch {
	case m.r.State == lifecycle.Pending:
		return []cardButton{{Action: ActionNudge, Label: "Nudge"}, {Action: ActionCancel, Label: "Cancel"}}
	case m.r.State == lifecycle.Holding:
		return []cardButton{{Action: ActionCancel, Label: "Cancel"}}
	case m.r.Runs(m.now):
		return []cardButton{{Action: ActionEnd, Label: "Give back"}, {Action: ActionWish, Label: "Ask for longer…"}}
	case m.r.State == lifecycle.Denied || m.r.State == lifecycle.Expired || m.r.EndedBy != "":
		return []cardButton{{Action: ActionWish, Label: "Ask again…"}}
	default:
		return nil
	}
}

// showStatus shows the person what has become of what they have asked for, and
// returns the message: the zero message where they are not in Slack.
func (o *outbound) showStatus(ctx context.Context, s scene) (lifecycle.Message, error) {
	end, err := o.ends(ctx, s.r)
	if err != nil {
		return lifecycle.Message{}, err
	}
	key := subjectKey(s.r.ID, "status")
	was := s.known(key)
	channel, err := o.dmTo(ctx, s.r.Subject.Email)
	if errors.Is(err, errNotInSlack) || unreachable(err) {
		return lifecycle.Message{}, nil
	}
	if err != nil {
		return was, err
	}
	m := cardMaker{frame: s.frame, r: s.r}
	is, err := o.deliver(ctx, parcel{Key: key, Request: s.r.ID, Channel: channel, Revision: s.r.Revision, Force: s.force, Message: m.statusCard(end).message()}, was)
	if unreachable(err) {
		return lifecycle.Message{}, nil
	}
	return is, err
}

// ends returns the request that ends r, the zero request where there is none (yet).
func (o *outbound) ends(ctx context.Context, r lifecycle.Request) (lifecycle.Request, error) {
	if r.EndedBy == "" {
		return lifecycle.Request{}, nil
	}
	end, err := o.Store.Request(ctx, r.EndedBy)
	if errors.Is(err, lifecycle.ErrNotFound) { // nothing was left to be taken back
		return lifecycle.Request{}, nil
	}
	if err != nil {
		return end, fmt.Errorf("load request %s: %w", r.EndedBy, err)
	}
	return end, nil
}

// tellEnd shows what somebody had asked for as it stands by what r, which ends it, does.
func (o *outbound) tellEnd(ctx context.Context, r lifecycle.Request) error {
	if r.Ends == "" {
		return nil
	}
	return o.restate(ctx, r.Ends)
}

// restate brings the status that somebody sees of what they asked for to the truth.
func (o *outbound) restate(ctx context.Context, id lifecycle.RequestID) error {
	return o.follow(ctx, id, func(ctx context.Context, r lifecycle.Request, force bool) error {
		s, err := o.scene(ctx, r, force)
		if err != nil {
			return err
		}
		_, err = o.showStatus(ctx, s)
		return err
	})
}

// askButton opens the modal in which access is asked for.
func askButton(value, label string) *slack.ButtonBlockElement {
	return button(ActionWish, value, label)
}
