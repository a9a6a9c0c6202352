package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const maxSaid = 700 // characters of a question or an answer on a card; the thread has all of it

// pressAsk opens the modal in which a question is put, for whoever may.
func (b *Bot) pressAsk(ctx context.Context, in interaction, value string, p lifecycle.Press) error {
	r, err := b.cfg.Approvals.Ask(ctx, lifecycle.Inquiry{Request: p.Request, Seen: p.Seen, By: p.By, Via: p.Via})
	if !errors.Is(err, lifecycle.ErrInvalid) {
		return err
	}
	to, err := b.cfg.Approvals.AnsweredBy(ctx, r, p.By)
	if err != nil {
		return err
	}
	f, err := b.frameOf(ctx, to)
	if err != nil {
		return err
	}
	return b.openModal(ctx, in.TriggerID, askModal(r, f, to, encodeMeta(value, place{Channel: in.where().channel, TS: in.Container.MessageTS})))
}

// askModal asks for the question, and says who gets it.
func askModal(r lifecycle.Request, f frame, to, meta string) slack.ModalViewRequest {
	m := cardMaker{frame: f, r: r}
	goes := "It goes to " + m.person(to) + ", who can answer, and stands in the card's thread."
	if to == "" {
		goes = "Nobody is at hand who must know, so it stands in the card's thread: whoever may decide, and Security, can answer."
	}
	return threadModal(ModalAsk, "Ask", "Ask", meta, m,
		section(goes+" Your decision stays open. "+m.deadline()),
		textInput(InputQuestion, "What do you want to know?", "It goes on the record.", maxReason))
}

// askedModal puts the question that was filled in.
func (b *Bot) askedModal(ctx context.Context, in interaction) error {
	p, from, err := b.pressed(ctx, in)
	if err != nil {
		return err
	}
	r, err := b.cfg.Approvals.Ask(ctx, lifecycle.Inquiry{Request: p.Request, Seen: p.Seen, By: p.By, Text: in.View.entered(InputQuestion), Via: p.Via})
	if err != nil {
		return gone(err)
	}
	b.settled(ctx, in.origin(), from.TS, p.By, r)
	return nil
}

// pressReply opens the modal in which a question is answered.
func (b *Bot) pressReply(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	p, n, err := replied(a.chosen(), by)
	if err != nil {
		return err
	}
	r, err := b.cfg.Approvals.Reply(ctx, lifecycle.Reply{Request: p.Request, Question: n, By: by, Via: p.Via})
	if !errors.Is(err, lifecycle.ErrInvalid) || n < 1 || n > len(r.Questions) {
		return gone(err)
	}
	f, err := b.frameOf(ctx, r.Questions[n-1].By)
	if err != nil {
		return err
	}
	return b.openModal(ctx, in.TriggerID, replyModal(r, f, n, encodeMeta(a.chosen(), place{Channel: in.where().channel, TS: in.Container.MessageTS})))
}

// replied returns what the value of an answer's button says.
func replied(value string, by lifecycle.Identity) (p lifecycle.Press, n int, err error) {
	number, rest := unprefixed(value)
	if _, err := fmt.Sscanf(number, "%d", &n); err != nil || n < 1 {
		return p, 0, lifecycle.Refuse(lifecycle.ErrInvalid, "This button does not say which question it answers. Answer in the card's thread.")
	}
	id, seen, err := decodeValue(rest)
	return lifecycle.Press{Request: id, Seen: seen, By: by, Via: lifecycle.ViaSlack}, n, err
}

// replyModal asks for the answer to the n-th question.
func replyModal(r lifecycle.Request, f frame, n int, meta string) slack.ModalViewRequest {
	m := cardMaker{frame: f, r: r}
	q := r.Questions[n-1]
	return threadModal(ModalReply, "Reply", "Reply", meta, m,
		section(m.person(q.By)+" asks before deciding: “"+foreign(q.Text, maxReason)+"”"),
		textInput(InputAnswer, "Your answer", "It goes on the record and into the card's thread. It decides nothing.", maxReason))
}

// repliedModal takes the answer that was filled in.
func (b *Bot) repliedModal(ctx context.Context, in interaction) error {
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return err
	}
	value, from := decodeMeta(in.View.Metadata)
	p, n, err := replied(value, by)
	if err != nil {
		return err
	}
	r, err := b.cfg.Approvals.Reply(ctx, lifecycle.Reply{Request: p.Request, Question: n, By: by, Text: in.View.entered(InputAnswer), Via: p.Via})
	if err != nil {
		return gone(err)
	}
	b.settled(ctx, in.origin(), from.TS, by, r)
	return nil
}

// question says the last that was asked, and what was answered.
func (m cardMaker) question() string {
	n := len(m.r.Questions)
	if n == 0 {
		return ""
	}
	q := m.r.Questions[n-1]
	words := m.askedWords(q, maxSaid)
	if n > 1 {
		words += fmt.Sprintf(" _%s before it: see the thread._", count(n-1, "question", "questions"))
	}
	return words + "\n" + m.answered(q, maxSaid)
}

// askedWords says one question, clipped to that many characters.
func (m cardMaker) askedWords(q lifecycle.Question, most int) string {
	whom := ""
	if q.To != "" {
		whom = " " + m.person(q.To)
	}
	return m.person(q.By) + " asked" + whom + ", " + saidAt(q.At, q.Via, m.loc) + ": “" + foreign(q.Text, most) + "”"
}

func (m cardMaker) answered(q lifecycle.Question, most int) string {
	switch {
	case q.Answer != "":
		return m.person(q.AnsweredBy) + " answered, " + moment(q.AnsweredAt, m.loc) + ": “" + foreign(q.Answer, most) + "”"
	case m.r.State == lifecycle.Pending:
		return "No answer yet. It can be decided without one."
	default:
		return "It was decided without an answer."
	}
}

// threadNotes tells in the thread what was asked, answered and handed on.
func (m cardMaker) threadNotes() []note {
	var notes []note
	for i, q := range m.r.Questions {
		notes = append(notes, note{fmt.Sprintf("question-%d", i+1), m.askedWords(q, maxReason)})
		if q.Answer != "" {
			notes = append(notes, note{fmt.Sprintf("answer-%d", i+1), m.answered(q, maxReason)})
		}
	}
	for i, a := range m.r.Assigned {
		notes = append(notes, note{fmt.Sprintf("assigned-%d", i+1), m.handed(a)})
	}
	return notes
}

func questionKey(id lifecycle.RequestID, n int, part string) string {
	return fmt.Sprintf("question/%s/%d/%s", id, n, part)
}

// tellAsked tells by direct message whom a question is for, with the way to answer
// it, and whoever asked what the answer is: each once. What is answered or decided
// loses its button.
func (o *outbound) tellAsked(ctx context.Context, s scene) error {
	m := cardMaker{frame: s.frame, r: s.r}
	var failed []error
	for i, q := range s.r.Questions {
		if q.To != "" {
			failed = append(failed, o.tellOne(ctx, s, q.To, questionKey(s.r.ID, i+1, "asked"), m.toAnswer(i+1), s.r.State == lifecycle.Pending && q.Answer == ""))
		}
		if q.Answer != "" && q.AnsweredBy != q.By {
			failed = append(failed, o.tellOne(ctx, s, q.By, questionKey(s.r.ID, i+1, "answered"), m.toAsker(q), true))
		}
	}
	return errors.Join(failed...)
}

// tellOne sends the message once, and edits it where it stands. What is not new is
// not sent to who never got it.
func (o *outbound) tellOne(ctx context.Context, s scene, email, key string, said message, fresh bool) error {
	was := s.known(key)
	if was.TS == "" && !fresh {
		return nil
	}
	channel, err := was.Channel, error(nil)
	if was.TS == "" {
		channel, err = o.dmTo(ctx, email)
	}
	if err == nil {
		_, err = o.deliver(ctx, parcel{Key: key, Request: s.r.ID, Channel: channel, Revision: 1, Message: said}, was)
	}
	if errors.Is(err, errNotInSlack) || unreachable(err) {
		return nil // the note in the thread stands
	}
	return err
}

// toAnswer is what somebody is told who is asked.
func (m cardMaker) toAnswer(n int) message {
	q := m.r.Questions[n-1]
	about := m.title()
	words := fmt.Sprintf("%s has to decide on this and asks you first: “%s”", m.person(q.By), foreign(q.Text, maxReason))
	open := m.r.State == lifecycle.Pending && q.Answer == ""
	then := "It is closed; there is nothing left to do for you."
	switch {
	case open:
		then = "If you do nothing, it is decided without your answer. " + m.deadline()
	case q.Answer != "":
		then = m.answered(q, maxSaid)
	}
	blocks := []slack.Block{section("*" + about + "*\n" + words), section(then)}
	if open {
		reply := button(ActionReply, prefixed(fmt.Sprint(n), encodeValue(m.r.ID, m.r.Revision)), "Reply…")
		blocks = append(blocks, slack.NewActionBlock("", reply.WithStyle(slack.StylePrimary)))
	}
	said := message{Text: clipMarkup(words+" About: "+fullStop(about)+" "+then, maxPush), Blocks: blocks}
	return said
}

// toAsker is what whoever asked is told of the answer.
func (m cardMaker) toAsker(q lifecycle.Question) message {
	text := m.person(q.AnsweredBy) + " has answered you: “" + foreign(q.Answer, maxReason) + "”"
	about := "You asked: “" + foreign(q.Text, maxSaid) + "” About: " + fullStop(m.title())
	return message{Text: clipMarkup(text+" "+about, maxPush), Blocks: []slack.Block{section(text), contextLine(about)}}
}
