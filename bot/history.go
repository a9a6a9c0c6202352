package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// ShortcutHistory is the callback id of the message shortcut "Show history".
const ShortcutHistory = "history.v1"

// history shows the story of the request that a message is about.
func (b *Bot) history(ctx context.Context, in interaction, payload []byte) error {
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return err
	}
	r, err := b.requestBehind(ctx, in.Channel.ID, in.MessageTS, payload)
	if err != nil {
		return err
	}
	return b.openHistory(ctx, in.TriggerID, r, by)
}

// openHistory opens the story, for those who decide, decided, own, are Security
// or are whom it is about.
func (b *Bot) openHistory(ctx context.Context, trigger string, id lifecycle.RequestID, by lifecycle.Identity) error {
	r, err := b.readable(ctx, id, by)
	if err != nil {
		return err
	}
	kept, err := b.kept(ctx, r)
	if err != nil {
		return err
	}
	return b.openModal(ctx, trigger, b.historyModal(r, kept))
}

// readable returns the request, or a Refusal where by may not read its story.
func (b *Bot) readable(ctx context.Context, id lifecycle.RequestID, by lifecycle.Identity) (lifecycle.Request, error) {
	r, err := b.cfg.Store.Request(ctx, id)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return r, noStory()
	}
	if err != nil {
		return r, fmt.Errorf("load request %s: %w", id, err)
	}
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return r, fmt.Errorf("read the policy in force: %w", err)
	}
	if by.MayDecide(b.cfg.Now()) && (mayRead(policy, r, by) || b.cfg.Approvals.MayDecide(ctx, r, by) == nil) {
		return r, nil
	}
	return r, lifecycle.Refuse(lifecycle.ErrForbidden, "Only those who decide on it, its subject and Security can read the story of a request.")
}

// kept returns what was kept as it was before the changes of the request.
func (b *Bot) kept(ctx context.Context, r lifecycle.Request) ([]lifecycle.Original, error) {
	var all []lifecycle.Original
	for _, c := range r.Changes {
		if c.Op != lifecycle.OpHandover {
			continue
		}
		o, err := b.cfg.Store.Original(ctx, c.ID)
		if errors.Is(err, lifecycle.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load what was kept for change %s: %w", c.ID, err)
		}
		all = append(all, o)
	}
	return all, nil
}

func mayRead(p lifecycle.Policy, r lifecycle.Request, by lifecycle.Identity) bool {
	email := by.Person.Email()
	decided := slices.ContainsFunc(r.Decisions, func(d lifecycle.Decision) bool { return d.ByID == by.ID && by.ID != "" })
	return decided || p.Stands(r, email) != "" || r.Subject.ID == by.ID && by.ID != "" || email != "" && lifecycle.FoldEmail(r.Subject.Email) == email
}

func noStory() error {
	return lifecycle.Refuse(lifecycle.ErrNotFound, "That message is not the card of a request. Use *Show history* on one of my cards.")
}

// cardMessage is as little of a message as says which request it is about.
type cardMessage struct {
	Message struct {
		Metadata struct {
			Type    string                     `json:"event_type"`
			Payload map[string]json.RawMessage `json:"event_payload"`
		} `json:"metadata"`
		Blocks   []json.RawMessage `json:"blocks"`
		ThreadTS string            `json:"thread_ts"`
	} `json:"message"`
}

// requestBehind returns the request that the message is about, or a Refusal.
// The message's metadata, or else its buttons, say which; that it is ours is
// believed only when the store remembers having sent it.
func (b *Bot) requestBehind(ctx context.Context, channel, ts string, payload []byte) (lifecycle.RequestID, error) {
	card, err := decode[cardMessage](payload)
	if err != nil {
		return "", err
	}
	key := keyIn(card.Message.Metadata.Type, card.Message.Metadata.Payload)
	id := requestIn(card.Message.Blocks)
	if key == "" && id == "" { // a settled card has no buttons, and payloads come without metadata
		if key, err = b.keyOf(ctx, channel, ts, card.Message.ThreadTS); err != nil {
			return "", err
		}
	}
	if key != "" {
		m, err := b.cfg.Store.Message(ctx, key)
		if err != nil && !errors.Is(err, lifecycle.ErrNotFound) {
			return "", fmt.Errorf("load message %s: %w", kindOf(key), err)
		}
		if err == nil && m.Channel == channel && m.TS == ts && m.Request != "" {
			return m.Request, nil
		}
	}
	return b.sentAbout(ctx, id, channel, ts)
}

// sentAbout returns id when the message at ts is one that was sent about it.
func (b *Bot) sentAbout(ctx context.Context, id lifecycle.RequestID, channel, ts string) (lifecycle.RequestID, error) {
	if id == "" {
		return "", noStory()
	}
	sent, err := b.cfg.Store.Messages(ctx, id)
	if err != nil {
		return "", fmt.Errorf("load messages about %s: %w", id, err)
	}
	if !slices.ContainsFunc(sent, func(m lifecycle.Message) bool { return m.Channel == channel && m.TS == ts }) {
		return "", noStory()
	}
	return id, nil
}

func keyIn(eventType string, payload map[string]json.RawMessage) string {
	var key string
	if eventType != MetadataEvent || json.Unmarshal(payload[MetadataKey], &key) != nil {
		return ""
	}
	return key
}

// requestIn returns the request that a button in the blocks is for, or "". What
// blocks hold beside that may be anything.
func requestIn(blocks []json.RawMessage) lifecycle.RequestID {
	for _, raw := range blocks {
		var block struct {
			Elements []json.RawMessage `json:"elements"`
		}
		if json.Unmarshal(raw, &block) != nil {
			continue
		}
		for _, element := range block.Elements {
			var a action
			if json.Unmarshal(element, &a) != nil {
				continue
			}
			if id, _, err := decodeValue(a.Value); err == nil {
				return id
			}
		}
	}
	return ""
}

// keyOf asks Slack for the metadata of one message.
func (b *Bot) keyOf(ctx context.Context, channel, ts, thread string) (string, error) {
	var found []slack.Message
	err := b.out.call(ctx, "conversations.history", again, func() error {
		page, err := b.out.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: channel, Oldest: ts, Latest: ts, Inclusive: true, Limit: 1, IncludeAllMetadata: true,
		})
		if err == nil {
			found = page.Messages
		}
		return err
	})
	if len(found) == 0 && err == nil && thread != "" {
		err = b.out.call(ctx, "conversations.replies", again, func() error {
			page, _, _, err := b.out.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
				ChannelID: channel, Timestamp: thread, Oldest: ts, Latest: ts, Inclusive: true, IncludeAllMetadata: true,
			})
			found = page
			return err
		})
	}
	if isCode(err, "channel_not_found", "not_in_channel", "thread_not_found", "missing_scope") {
		return "", noStory() // we never spoke there
	}
	if err != nil {
		return "", fmt.Errorf("look at message %s in %s: %w", ts, channel, err)
	}
	for _, m := range found {
		if m.Timestamp == ts && m.Metadata.EventType == MetadataEvent {
			key, _ := m.Metadata.EventPayload[MetadataKey].(string)
			return key, nil
		}
	}
	return "", nil
}

func (b *Bot) historyModal(r lifecycle.Request, kept []lifecycle.Original) slack.ModalViewRequest {
	blocks := []slack.Block{
		section("*" + requestLine(r) + "*"),
		contextLine(foreign(string(r.ID), maxName) + " · " + kindWords(r.Kind) + " · " + b.stateWords(r)),
		slack.NewDividerBlock(),
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText("History", 24), Close: plainText("Close", 24),
		Blocks: slack.Blocks{BlockSet: append(blocks, paragraphs(b.story(r, kept))...)},
	}
}

// story tells what happened to the request, in order, a line each.
func (b *Bot) story(r lifecycle.Request, kept []lifecycle.Original) []string {
	all := []string{b.at(r.OpenedAt) + " Opened. " + foreign(r.Why.Event, lineLength) + b.because(r.Why)}
	if r.Undoes != "" {
		all = append(all, "· It takes back what request "+foreign(string(r.Undoes), maxName)+" did.")
	}
	if by := r.Chosen; by.By != "" {
		all = append(all, b.at(by.At)+" *"+foreign(by.By, maxName)+"* chose who takes over ("+string(by.Via)+").")
	}
	all = append(all, b.told(r)...)
	if !r.HoldUntil.IsZero() {
		all = append(all, b.at(r.HoldUntil)+" End of the hold.")
	}
	for _, o := range kept {
		all = append(all, b.at(o.KeptAt)+" "+foreign(o.Object.Name, maxName)+" was kept as it was, so that this can be undone.")
	}
	for _, c := range r.Changes {
		all = append(all, b.changeStory(r, c))
	}
	last := b.at(r.UpdatedAt) + " Now " + string(r.State) + "."
	if r.Note != "" {
		last += " " + foreign(r.Note, maxPhrase)
	}
	return append(all, last)
}

func (b *Bot) because(w lifecycle.Why) string {
	s := ""
	if w.Rule != "" {
		s += " Rule " + foreign(w.Rule, lineLength) + "."
	}
	return s + " Policy " + foreign(clip(w.Policy, 8), maxName) + "."
}

func (b *Bot) decisionWords(r lifecycle.Request, d lifecycle.Decision) string {
	verb := map[lifecycle.Verdict]string{lifecycle.Approve: "approved", lifecycle.Deny: "denied"}[d.Verdict]
	if r.IsFinding() && d.Verdict == lifecycle.Deny {
		verb = "kept"
		if !d.Until.IsZero() {
			verb += " until " + day(d.Until, b.cfg.Location)
		}
	}
	words := "*" + foreign(d.By, maxName) + "* "
	if d.For != "" {
		words += "for *" + foreign(d.For, maxName) + "* "
	}
	words += verb + " (" + string(d.Via) + ")."
	if d.Batch > 1 {
		words += fmt.Sprintf(" It was one of %d decided with one press.", d.Batch)
	}
	if d.Reason != "" {
		words += " “" + foreign(d.Reason, maxPhrase) + "”"
	}
	return words
}

func (b *Bot) changeStory(r lifecycle.Request, c lifecycle.Change) string {
	switch c.State {
	case lifecycle.ChangeVerified:
		return b.at(c.VerifiedAt) + " " + changeWords(c) + ": done, and read back from PagerDuty."
	case lifecycle.ChangeFailed:
		return b.at(r.UpdatedAt) + " " + changeWords(c) + ": failed. " + foreign(c.Error, maxPhrase)
	case lifecycle.ChangeApplied:
		return "· " + changeWords(c) + ": sent to PagerDuty, not read back yet."
	case lifecycle.ChangePlanned:
		return "· " + changeWords(c) + ": not made."
	default:
		return "· " + changeWords(c) + ": " + string(c.State)
	}
}

func (b *Bot) at(t time.Time) string { return "`" + strings.TrimSpace(moment(t, b.cfg.Location)) + "`" }
