package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

func subjectKey(id lifecycle.RequestID, moment string) string {
	return "subject/" + string(id) + "/" + moment
}

// tellSubject tells the person whose access it is what happens to it, once at
// each moment. In observe mode nothing happens to it, and nothing is said.
func (o *outbound) tellSubject(ctx context.Context, s scene) error {
	m := cardMaker{frame: s.frame, r: s.r}
	moment, text := m.toSubject()
	key := subjectKey(s.r.ID, moment)
	was := s.known(key)
	thread := ""
	if isWish(s.r) { // their status is one message that is edited; what settles it is a line under it, which a phone shows
		status, err := o.showStatus(ctx, s)
		if err != nil || status.TS == "" || moment == "opened" || strings.HasPrefix(s.r.Note, "Cancelled by") {
			return err
		}
		thread = status.TS
	}
	if err := o.tellEnd(ctx, s.r); err != nil {
		return err
	}
	unasked := s.r.State == lifecycle.Withdrawn || s.r.State == lifecycle.Failed // matter only to who waits for it
	if text == "" || was.TS != "" || thread == "" && unasked && s.known(subjectKey(s.r.ID, "opened")).TS == "" {
		return nil
	}
	channel, err := o.dmTo(ctx, s.r.Subject.Email)
	if errors.Is(err, errNotInSlack) || unreachable(err) {
		return nil // a joiner is often in PagerDuty before they are in Slack
	}
	if err != nil {
		return err
	}
	_, err = o.deliver(ctx, parcel{Key: key, Request: s.r.ID, Channel: channel, Thread: thread, Revision: s.r.Revision, Message: message{Text: text}}, was)
	if unreachable(err) {
		return nil
	}
	return err
}

// toSubject returns what the subject is told of the request as it stands, or "".
// Somebody who left is not told; nor is an account that is nobody's.
func (m cardMaker) toSubject() (moment, text string) {
	r := m.r
	if r.Observe || m.paused() || r.Subject.ID == "" || r.Kind == lifecycle.RequestLeaver {
		return "", ""
	}
	switch r.State {
	case lifecycle.Pending:
		return "opened", m.opened()
	case lifecycle.Done:
		return "applied", m.applied()
	case lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn:
		return "denied", m.refused()
	case lifecycle.Failed:
		return "failed", "The change of your PagerDuty access takes longer than expected: a step of it did not work. Those who can mend that have been told. Nothing to do for you."
	case lifecycle.Approved, lifecycle.Holding, lifecycle.Applying, lifecycle.Blocked:
		return "", ""
	default:
		return "", ""
	}
}

// what lists the changes as one speaks of them to the person concerned.
func (m cardMaker) what() string {
	words := make([]string, len(m.r.Changes))
	for i, c := range m.r.Changes {
		words[i] = changeWords(c)
	}
	return listed(words, titleChanges, ", ")
}

// opened is said only of what is asked for the person: what was found about
// them is their owner's to judge first.
func (m cardMaker) opened() string {
	if m.r.IsFinding() {
		return ""
	}
	var who []string
	for _, email := range m.r.Approvers {
		a, words := m.approver(email), m.person(email)
		if a.Group != "" {
			words = "somebody of " + mentionGroup(a.Group)
		}
		if !isAway(a) && !hasSpoken(a) && !slices.Contains(who, words) {
			who = append(who, words)
		}
	}
	text := "Your PagerDuty access is to change: " + fullStop(m.what())
	if len(who) > 0 {
		text += " Waiting for " + orList(few(who)) + "."
	}
	return text + " " + strings.TrimSpace(foreign(fullStop(m.r.Why.Event), maxPhrase)) + " Nothing to do for you."
}

func (m cardMaker) applied() string {
	removes := slices.ContainsFunc(m.r.Changes, lifecycle.Change.Removes)
	lead := "You're in: "
	if removes {
		lead = "Your PagerDuty access has changed: "
	}
	text := lead + fullStop(m.what()) + fmt.Sprintf(" Checked %s.", moment(m.checked(), m.loc))
	if removes {
		text += " " + strings.TrimSpace(foreign(fullStop(m.r.Why.Event), maxPhrase))
	}
	if slices.ContainsFunc(m.r.Changes, func(c lifecycle.Change) bool { return c.Op == lifecycle.OpCreate }) {
		text += " PagerDuty has sent you an invitation by e-mail: accept it and add a phone number, or you cannot be paged."
	}
	return text
}

func (m cardMaker) refused() string {
	if m.r.IsFinding() {
		return ""
	}
	asked := "This change of your PagerDuty access will not be made: " + fullStop(m.what())
	return asked + " " + m.stands()
}
