package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
)

// teller plays the story without a browser, as the people in it, and writes
// down what each of them sees.
type teller struct {
	w    *world
	out  io.Writer
	told map[string]bool // timestamps of what people have been told directly so far

	written int // how many changes of PagerDuty have been shown so far
}

const chapterTime = 2 * time.Minute

// tell plays every chapter to its end, then verifies the record.
func (t *teller) tell(ctx context.Context) error {
	fmt.Fprintf(t.out, "Acme: %d people, %d teams. The real bot, over HTTP with signatures, against fakes of Slack and PagerDuty.\n", len(t.w.company.people), len(t.w.company.teams))
	for n, c := range t.w.chapters() {
		if err := t.chapter(ctx, n+1, c); err != nil {
			return fmt.Errorf("chapter %d, %s: %w", n+1, c.title, err)
		}
	}
	return t.verify(ctx)
}

func (t *teller) chapter(ctx context.Context, n int, c chapter) error {
	ctx, cancel := context.WithTimeout(ctx, chapterTime)
	defer cancel()
	story, _, _ := strings.Cut(c.text, " Act as ")
	fmt.Fprintf(t.out, "\n%d. %s\n   %s\n", n, c.title, story)
	t.told = t.direct()
	if err := c.begin(ctx, t.w); err != nil {
		return err
	}
	if err := c.play(ctx, t); err != nil {
		return err
	}
	if err := t.until(ctx, func() bool { return c.over(t.w) }); err != nil {
		return fmt.Errorf("wait for its effect in PagerDuty: %w", err)
	}
	if err := t.w.service.db.Idle(ctx); err != nil {
		return fmt.Errorf("wait until nothing is left to do: %w", err)
	}
	t.outcome(c)
	t.news()
	t.pagerDuty()
	return nil
}

// until waits for something in either fake.
func (t *teller) until(ctx context.Context, reached func() bool) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not come: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// card returns the newest message in the channel that names who and can be
// pressed for action.
func (t *teller) card(channel, who, action string) (slacktest.Message, bool) {
	messages := t.w.slack.Messages(t.w.channel(channel))
	for _, m := range slices.Backward(messages) {
		names := strings.Contains(m.Text+slacktest.PlainText(m.Blocks), who)
		if names && slices.ContainsFunc(slacktest.Buttons(m.Blocks), func(c slacktest.Control) bool { return c.ActionID == action }) {
			return m, true
		}
	}
	return slacktest.Message{}, false
}

func (t *teller) awaitCard(ctx context.Context, channel, who, action string) error {
	if err := t.until(ctx, func() bool { _, ok := t.card(channel, who, action); return ok }); err != nil {
		return fmt.Errorf("wait for the card about %s in #%s: %w", who, channel, err)
	}
	m, _ := t.card(channel, who, action)
	t.show("#"+channel, m)
	return nil
}

// press presses a button; where that opens a modal, it is filled in with reason.
func (t *teller) press(ctx context.Context, email, channel, who, action, reason string) error {
	p, err := t.person(email)
	if err != nil {
		return err
	}
	m, ok := t.card(channel, who, action)
	if !ok {
		return fmt.Errorf("the card about %s in #%s has no such button", who, channel)
	}
	label := label(m, action)
	if _, err := t.w.slack.Press(ctx, p.slack, m.Channel, m.TS, action); err != nil {
		return fmt.Errorf("%s presses %s: %w", p.first, label, err)
	}
	fmt.Fprintf(t.out, "   → %s presses [%s]\n", p.first, label)
	if reason == "" {
		return nil
	}
	if _, err := t.modal(ctx, p); err != nil {
		return err
	}
	if err := t.submit(ctx, p, map[string]any{bot.InputReason: reason}); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "   → %s gives the reason %q\n", p.first, reason)
	return nil
}

// choose presses Choose replacement… and fills the modal in: who is named in
// to takes over, by the text of the input; all else stays as proposed.
func (t *teller) choose(ctx context.Context, email, channel, who string, to map[string]string) error {
	if err := t.press(ctx, email, channel, who, bot.ActionChoose, ""); err != nil {
		return err
	}
	p, err := t.person(email)
	if err != nil {
		return err
	}
	modal, err := t.modal(ctx, p)
	if err != nil {
		return err
	}
	values := map[string]any{}
	for _, in := range slacktest.Controls(modal.Blocks) {
		name, named := to[in.Text]
		if !named {
			continue
		}
		k := slices.IndexFunc(in.Options, func(o slacktest.Option) bool { return strings.HasPrefix(o.Text, name) })
		if k < 0 {
			return fmt.Errorf("%s is not offered for %s", name, in.Text)
		}
		values[in.BlockID] = in.Options[k].Value
		fmt.Fprintf(t.out, "   → %s picks %s for %s (%s)\n", p.first, in.Options[k].Text, in.Text, in.Options[k].Description)
	}
	if len(values) != len(to) {
		return fmt.Errorf("the modal asks for %d of %v", len(values), to)
	}
	return t.submit(ctx, p, values)
}

// modal waits for the modal that opens to somebody.
func (t *teller) modal(ctx context.Context, p demoPerson) (slacktest.View, error) {
	if err := t.until(ctx, func() bool { _, open := t.w.slack.Modal(p.slack); return open }); err != nil {
		return slacktest.View{}, fmt.Errorf("wait for the modal: %w", err)
	}
	m, _ := t.w.slack.Modal(p.slack)
	return m, nil
}

// submit sends the modal that is open to somebody.
func (t *teller) submit(ctx context.Context, p demoPerson, values map[string]any) error {
	wrong, err := t.w.slack.Submit(ctx, p.slack, values)
	switch {
	case err != nil:
		return fmt.Errorf("%s submits: %w", p.first, err)
	case len(wrong) > 0:
		return fmt.Errorf("%s's modal is refused: %v", p.first, wrong)
	default:
		return nil
	}
}

// pressRefused presses as somebody who may not, and shows what they are told.
func (t *teller) pressRefused(ctx context.Context, email, channel, who, action string) error {
	p, err := t.person(email)
	if err != nil {
		return err
	}
	m, ok := t.card(channel, who, action)
	if !ok {
		return errors.New("there is no card to be refused on")
	}
	before := len(t.w.slack.Ephemerals(p.slack))
	if _, err := t.w.slack.Press(ctx, p.slack, m.Channel, m.TS, action); err != nil {
		return fmt.Errorf("%s presses: %w", p.first, err)
	}
	fmt.Fprintf(t.out, "   → %s, of another team, presses [%s]\n", p.first, label(m, action))
	if err := t.until(ctx, func() bool { return len(t.w.slack.Ephemerals(p.slack)) > before }); err != nil {
		return fmt.Errorf("wait for the refusal: %w", err)
	}
	t.show("only "+p.first+" sees", t.w.slack.Ephemerals(p.slack)[before])
	return nil
}

func (t *teller) command(ctx context.Context, email, channel, text string) error {
	p, err := t.person(email)
	if err != nil {
		return err
	}
	before := len(t.w.slack.Ephemerals(p.slack))
	if _, err := t.w.slack.Command(ctx, p.slack, t.w.channel(channel), "/rolecall", text); err != nil {
		return fmt.Errorf("%s types /rolecall %s: %w", p.first, text, err)
	}
	fmt.Fprintf(t.out, "   → %s types /rolecall %s\n", p.first, text)
	if err := t.until(ctx, func() bool { return len(t.w.slack.Ephemerals(p.slack)) > before }); err != nil {
		return fmt.Errorf("wait for the answer: %w", err)
	}
	for _, m := range t.w.slack.Ephemerals(p.slack)[before:] {
		t.show("only "+p.first+" sees", m)
	}
	return nil
}

func (t *teller) person(email string) (demoPerson, error) {
	p, ok := t.w.company.find(email)
	if !ok {
		return p, fmt.Errorf("nobody in the story is %s", email)
	}
	return p, nil
}

func label(m slacktest.Message, action string) string {
	for _, c := range slacktest.Buttons(m.Blocks) {
		if c.ActionID == action {
			return c.Text
		}
	}
	return action
}

// show writes a message down as a person reads it.
func (t *teller) show(where string, m slacktest.Message) {
	text := slacktest.PlainText(m.Blocks)
	if text == "" {
		text = m.Text
	}
	fmt.Fprintf(t.out, "   %s\n", where)
	for line := range strings.SplitSeq(strings.TrimSpace(t.readable(text)), "\n") {
		fmt.Fprintf(t.out, "   │ %s\n", line)
	}
}

var markup = strings.NewReplacer("*", "", "`", "", "&lt;", "<", "&gt;", ">", "&amp;", "&")

var dated = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`)

// readable returns text as Slack would show it: mentions by name, moments in UTC, no markup.
func (t *teller) readable(text string) string {
	text = dated.ReplaceAllString(text, "$1")
	for _, u := range t.w.slack.Users() {
		text = strings.ReplaceAll(text, "<@"+u.ID+">", "@"+u.RealName)
	}
	return markup.Replace(text)
}

// verify checks what the story left: whether Slack or PagerDuty would have
// objected to anything, whether anything was without anybody on call, and the record.
func (t *teller) verify(ctx context.Context) error {
	if err := t.w.violations(); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\nThe rules of Slack and PagerDuty\nKept: %d calls to Slack and %d to PagerDuty, and nothing that either would object to.\nNo level and no schedule was without anybody at any moment.\n", len(t.w.slack.Calls("")), t.w.pd.TotalCalls())
	fmt.Fprint(t.out, "\nThe record\n")
	return verify(ctx, &terminal{out: t.out, err: io.Discard}, t.w.service.database)
}

// outcome shows the card as it stands at the end.
func (t *teller) outcome(c chapter) {
	if c.subject == "" {
		return
	}
	for _, m := range slices.Backward(t.w.slack.Messages(t.w.channel(c.channel))) {
		if strings.Contains(m.Text+slacktest.PlainText(m.Blocks), c.subject) {
			t.show("#"+c.channel+", the same card now", m)
			return
		}
	}
}

// direct returns the timestamps of what the house has told people directly.
// Copies of cards, which approvers get, are not among them.
func (t *teller) direct() map[string]bool {
	told := map[string]bool{}
	t.eachDirect(func(_ string, m slacktest.Message) { told[m.TS] = true })
	return told
}

// news shows what people were told directly in this chapter.
func (t *teller) news() {
	t.eachDirect(func(name string, m slacktest.Message) {
		if !t.told[m.TS] {
			t.show("DM to "+name, m)
		}
	})
}

func (t *teller) eachDirect(f func(name string, m slacktest.Message)) {
	for _, u := range t.w.slack.Users() {
		for _, m := range t.w.slack.Messages(t.w.slack.DirectMessage(u.ID)) {
			if about := string(m.Metadata); strings.Contains(about, `"subject/`) || strings.Contains(about, `"takeover/`) {
				f(u.RealName, m)
			}
		}
	}
}

// showCard shows the newest card in the channel that names who and says what.
func (t *teller) showCard(channel, who, what string) {
	for _, m := range slices.Backward(t.w.slack.Messages(t.w.channel(channel))) {
		if text := slacktest.PlainText(m.Blocks); strings.Contains(text, who) && strings.Contains(text, what) {
			t.show("#"+channel, m)
			return
		}
	}
}

// pagerDuty shows what was written to PagerDuty since it was last asked.
func (t *teller) pagerDuty() {
	effects := t.w.pd.Effects()
	for _, e := range effects[t.written:] {
		fmt.Fprintf(t.out, "   PagerDuty  %s\n", shortly(e.Method+" "+e.Path+" "+e.Body))
	}
	t.written = len(effects)
}

const lineLength = 180

// shortly returns the beginning of a text that is too long for a line.
func shortly(s string) string {
	if r := []rune(strings.TrimSpace(s)); len(r) > lineLength {
		return string(r[:lineLength]) + "…"
	}
	return strings.TrimSpace(s)
}
