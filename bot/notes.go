package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rolecall/lifecycle"
)

// A note is one line in the thread of a card. It is said once; only the card
// is edited.
type note struct {
	Step string // names it among the notes of its request
	Text string
}

func noteKey(id lifecycle.RequestID, step string) string { return "note/" + string(id) + "/" + step }

// showNotes tells the story so far in the card's thread.
func (o *outbound) showNotes(ctx context.Context, s scene, card lifecycle.Message, missing []string) error {
	if card.TS == "" {
		return nil
	}
	m := cardMaker{frame: s.frame, r: s.r}
	var failed []error
	for _, n := range append(m.notes(), m.missing(missing)...) {
		failed = append(failed, o.showNote(ctx, s, card, n))
	}
	return errors.Join(failed...)
}

func (o *outbound) showNote(ctx context.Context, s scene, card lifecycle.Message, n note) error {
	key := noteKey(s.r.ID, n.Step)
	was := s.known(key)
	if was.TS != "" {
		return nil
	}
	_, err := o.deliver(ctx, parcel{Key: key, Request: s.r.ID, Channel: card.Channel, Thread: card.TS, Revision: s.r.Revision, Message: message{Text: n.Text}}, was)
	if unreachable(err) || orphaned(err) {
		return nil // the card itself has said so, or is gone
	}
	return err
}

// notes returns the notable steps that the request has taken.
func (m cardMaker) notes() []note {
	notes := append(append(m.threadNotes(), m.chosenNotes()...), m.decisionNotes()...)
	if m.r.Escalated {
		notes = append(notes, note{"escalated", "Nobody decided in time, so Security is asked too."})
	}
	add := func(step, text string) { notes = append(notes, note{step, text}) }
	switch m.r.State {
	case lifecycle.Done:
		text := m.stands()
		if m.r.Contains() {
			text += "\n" + m.contained()
		}
		add("done", text)
	case lifecycle.Failed:
		add(fmt.Sprintf("failed-%d", m.r.Revision), m.stands()+"\n"+strings.Join(m.steps(), "\n"))
	case lifecycle.Blocked:
		add("blocked", m.stands())
	case lifecycle.Expired:
		add("expired", m.stands())
	case lifecycle.Withdrawn:
		add("withdrawn", m.stands())
	case lifecycle.Pending, lifecycle.Approved, lifecycle.Holding, lifecycle.Applying, lifecycle.Denied:
	}
	return notes
}

// chosenNotes tells whom somebody has chosen, each time that they do.
func (m cardMaker) chosenNotes() []note {
	by := m.r.Chosen
	if by.By == "" {
		return nil
	}
	var lines []string
	for _, h := range handovers(m.r) {
		lines = append(lines, "• "+handoverWords(h.Change))
	}
	text := m.person(by.By) + " chose who takes over"
	if by.Via == lifecycle.ViaCLI {
		text += ", at the command line"
	}
	text += ":\n" + packLines(lines, manySteps, seeMore("`rolecall request show`"))
	if m.r.Needed > 1 {
		text += "\nWhat was approved before that counts no more."
	}
	return []note{{fmt.Sprintf("chosen-%d", by.At.UnixMicro()), text}}
}

// decisionNotes leaves out what policy decided before anybody was asked: the
// card has said so from the start.
func (m cardMaker) decisionNotes() []note {
	var notes []note
	for i, line := range m.decisions(m.r.Decisions) {
		if d := m.r.Decisions[i]; d.Via == lifecycle.ViaPolicy && m.r.Needed == 0 {
			continue
		}
		step := fmt.Sprintf("decision-%d", i+1)
		if !m.r.Chosen.At.IsZero() { // a choice takes the approvals before it back, so the count begins anew
			step += fmt.Sprintf("-%d", m.r.Chosen.At.UnixMicro())
		}
		notes = append(notes, note{step, line})
	}
	return notes
}

// missing says of each approver who is not in Slack that they were not asked there.
func (m cardMaker) missing(emails []string) []note {
	var notes []note
	for _, email := range emails {
		notes = append(notes, note{"not-in-slack/" + email, fmt.Sprintf(
			"%s may decide this but cannot be reached in Slack, so they were not sent a copy. They can decide with `rolecall request approve %s`.", foreign(email, maxName), m.r.ID)})
	}
	return notes
}
