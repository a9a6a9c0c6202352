package bot

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// away notes that whoever asks is away: `until 2026-12-24 to @ines`, or `from … until
// … to …`. Alone it says what stands, or asks for it; `back` ends it.
func (b *Bot) away(ctx context.Context, q asking) (message, error) {
	if strings.EqualFold(q.args, "back") {
		ended, err := b.cfg.Absences.Back(ctx, q.who, "", lifecycle.ViaSlack)
		if err != nil {
			return message{}, err
		}
		return message{Text: b.backWords(ended)}, nil
	}
	loc, err := b.jobs.zoneOf(ctx, q.user)
	if err != nil {
		return message{}, err
	}
	l, whole, err := b.awayFrom(ctx, q.args, loc)
	if err != nil {
		return message{}, err
	}
	if !whole {
		standing, err := b.cfg.Absences.Of(ctx, q.who.ID)
		if err != nil {
			return message{}, err
		}
		return message{}, b.openModal(ctx, q.trigger, awayModal(standing, b.cfg.Now().In(loc)))
	}
	l.By, l.Via = q.who, lifecycle.ViaSlack
	is, err := b.cfg.Absences.Away(ctx, l)
	if err != nil {
		return message{}, err
	}
	words, err := b.awayWords(ctx, is, loc)
	return message{Text: words}, err
}

// awayFrom returns what the words say, and whether they say all that is needed:
// the last day. What cannot be read is a Refusal with an example.
func (b *Bot) awayFrom(ctx context.Context, args string, loc *time.Location) (l lifecycle.Leave, whole bool, err error) {
	words := strings.Fields(args)
	for i := 0; i < len(words); i++ {
		key := strings.ToLower(words[i])
		if i+1 == len(words) || key != "from" && key != "until" && key != "to" {
			return l, false, lifecycle.Refuse(lifecycle.ErrInvalid, "I cannot read %q. Say for example `%s away until 2026-12-24 to @ines`, or just `%s away`.", clip(args, maxName), Command, Command)
		}
		i++
		switch key {
		case "to":
			them, err := b.person(ctx, words[i])
			if err != nil {
				return l, false, err
			}
			l.Delegate = them.Person.Email()
		default:
			day, err := time.ParseInLocation(time.DateOnly, words[i], loc)
			if err != nil {
				return l, false, lifecycle.Refuse(lifecycle.ErrInvalid, "%q is not a day like 2026-12-24.", clip(words[i], maxName))
			}
			if key == "from" {
				l.From = day
			} else {
				l.Until = day.AddDate(0, 0, 1)
			}
		}
	}
	return l, !l.Until.IsZero(), nil
}

// awayModal asks from when until when somebody is away, and who decides instead.
func awayModal(standing []lifecycle.Absence, now time.Time) slack.ModalViewRequest {
	until, from := slack.NewDatePickerBlockElement(InputUntil), slack.NewDatePickerBlockElement(InputFrom)
	from.InitialDate = now.Format(time.DateOnly)
	delegate := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, plainText("Nobody", maxOption), InputDelegate)
	why := slack.NewPlainTextInputBlockElement(nil, InputReason)
	why.MaxLength = 300
	blocks := []slack.Block{section("While you are away, what is yours to decide is asked of whoever stands in for you, also what is open already. It ends by itself; you can come back earlier.")}
	for _, a := range standing {
		blocks = append(blocks, contextLine("Until now: "+spanWords(a, now.Location())+". What you say here takes its place."))
	}
	blocks = append(blocks,
		slack.NewInputBlock(InputFrom, plainText("From", maxButton), nil, from),
		slack.NewInputBlock(InputUntil, plainText("Until", maxButton), plainText("The last day on which you are away.", maxButton), until),
		slack.NewInputBlock(InputDelegate, plainText("Who stands in for you", maxButton), plainText("Nobody: then whoever else may decide, does.", maxButton), delegate).WithOptional(true),
		slack.NewInputBlock(InputReason, plainText("Why", maxButton), plainText("It goes on the record.", maxButton), why).WithOptional(true))
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: ModalAway, Title: plainText("Away", maxTitle), Submit: plainText("Save", maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// awayModal takes what the modal was filled in with.
func (b *Bot) awayModal(ctx context.Context, in interaction) error {
	by, err := b.people.reader(ctx, in.User)
	if err != nil {
		return err
	}
	loc, err := b.jobs.zoneOf(ctx, in.User.ID)
	if err != nil {
		return err
	}
	l := lifecycle.Leave{By: by, Reason: in.View.entered(InputReason), Via: lifecycle.ViaSlack}
	if l.From, err = dayIn(in.View, InputFrom, loc); err != nil {
		return err
	}
	if l.Until, err = dayIn(in.View, InputUntil, loc); err != nil {
		return err
	}
	l.Until = l.Until.AddDate(0, 0, 1)
	if user := in.View.entered(InputDelegate); user != "" {
		them, err := b.person(ctx, "<@"+user+">")
		if reason := lifecycle.ReasonOf(err); reason != "" {
			return underInput(InputDelegate, reason)
		}
		if err != nil {
			return err
		}
		l.Delegate = them.Person.Email()
	}
	is, err := b.cfg.Absences.Away(ctx, l)
	if err != nil {
		return err
	}
	words, err := b.awayWords(ctx, is, loc)
	if err != nil {
		return err
	}
	b.say(ctx, where{user: in.User.ID}, words)
	b.refresh(ctx, by)
	return nil
}

// dayIn returns the beginning of the day that was picked, or a Refusal that names the input.
func dayIn(v view, block string, loc *time.Location) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, v.entered(block), loc)
	if err != nil {
		return time.Time{}, underInput(block, "Pick a day.")
	}
	return day, nil
}

func underInput(block, words string) error {
	return &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: words, Fields: []lifecycle.FieldError{{Path: block, Message: words}}}
}

// pressBack ends an absence.
func (b *Bot) pressBack(ctx context.Context, in interaction, a action, by lifecycle.Identity) error {
	ended, err := b.cfg.Absences.Back(ctx, by, lifecycle.AbsenceID(a.chosen()), lifecycle.ViaSlack)
	if err != nil {
		return err
	}
	if at := in.where(); at.channel != "" {
		b.say(ctx, at, b.backWords(ended))
	}
	b.refresh(ctx, by)
	return nil
}

func (b *Bot) backWords(ended []lifecycle.Absence) string {
	words := "Welcome back. What is yours to decide is asked of you again: `" + Command + " inbox`."
	for _, a := range ended {
		if a.From.After(b.cfg.Now()) {
			words += " The time away from " + day(a.From, b.cfg.Location) + " on is off too."
		}
	}
	return words
}

// awayWords says what follows from an absence.
func (b *Bot) awayWords(ctx context.Context, a lifecycle.Absence, loc *time.Location) (string, error) {
	names, err := b.jobs.names(ctx, a.Delegate)
	if err != nil {
		return "", err
	}
	words := "Noted: you are away " + spanWords(a, loc) + ". "
	if a.Delegate == "" {
		words += "Nobody stands in for you: whoever else may decide, does."
	} else {
		words += (frame{names: names}).person(a.Delegate) + " decides what is yours till then."
	}
	if !a.At(b.cfg.Now()) {
		return words + " Until it begins, nothing changes.", nil
	}
	open, err := b.cfg.Absences.Concerned(ctx, a)
	if err != nil {
		return "", err
	}
	if n := len(open); n > 0 && a.Delegate != "" {
		words += fmt.Sprintf(" That holds for the %s too.", count(n, "request that waits for you", "requests that wait for you"))
	}
	return words + " It ends by itself; `" + Command + " away back` ends it earlier.", nil
}

// spanWords says from when until when, the last day included.
func spanWords(a lifecycle.Absence, loc *time.Location) string {
	return cmp.Or(day(a.From, loc), "now") + " to " + lastDay(a.Until, loc)
}

// lastDay names the last day before t, where an absence ends with a day.
func lastDay(t time.Time, loc *time.Location) string { return day(t.Add(-time.Second), loc) }

// awayBlocks says on somebody's Home tab that they are away, with the way back.
func awayBlocks(f frame, all []lifecycle.Absence) []slack.Block {
	var blocks []slack.Block
	for _, a := range all {
		words := "*You are away* " + spanWords(a, f.loc) + ". "
		if a.Delegate == "" {
			words += "Nobody stands in for you."
		} else {
			words += f.person(a.Delegate) + " decides what is yours."
		}
		back := slack.NewButtonBlockElement(ActionBack, string(a.ID), plainText("I am back", maxButton))
		blocks = append(blocks, slack.NewSectionBlock(mrkdwn(words), nil, slack.NewAccessory(back)))
	}
	return blocks
}
