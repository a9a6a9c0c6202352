package slacktest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxText       = 40_000 // chat.postMessage truncates beyond
	maxUpdateText = 4_000  // chat.update refuses beyond
	maxMetadata   = 16_000 // bytes; Slack's own number is not documented
)

// postTarget finds the conversation a new message goes to. A user id means the direct message with that user.
func (w *Workspace) postTarget(id string) (*channel, error) {
	if u := w.users[id]; u != nil {
		switch {
		case u.Bot:
			return nil, invalid("cannot_dm_bot")
		case u.Deleted:
			return nil, invalid("channel_not_found", "user "+id+" is deactivated")
		}
		c, _ := w.directMessage(id)
		return c, nil
	}
	c, err := w.visibleChannel(id)
	if err != nil {
		return nil, err
	}
	if c.Archived {
		return nil, invalid("is_archived")
	}
	if !c.has(w.cfg.BotUserID) && !slices.Contains(w.cfg.Scopes, "chat:write.public") {
		return nil, invalid("not_in_channel")
	}
	return c, nil
}

// visibleChannel finds a conversation that the bot can see. Slack denies that a private channel exists as long as
// the bot is not in it: the answer is channel_not_found, not not_in_channel.
func (w *Workspace) visibleChannel(id string) (*channel, error) {
	c := w.channels[id]
	if c == nil || (c.Private && !c.has(w.cfg.BotUserID)) {
		hint := ""
		if w.users[id] != nil {
			hint = "; only chat.postMessage takes a user id, name the D… id"
		}
		return nil, invalid("channel_not_found", fmt.Sprintf("no conversation %q that the bot can see%s", id, hint))
	}
	return c, nil
}

func (w *Workspace) chatPostMessage(c *call) (object, error) {
	target, err := w.postTarget(c.args["channel"])
	if err != nil {
		return nil, err
	}
	said, err := w.content(c)
	if err != nil {
		return nil, err
	}
	if said.empty() {
		return nil, invalid("no_text")
	}
	metadata, err := messageMetadata(c)
	if err != nil {
		return nil, err
	}
	thread, err := target.threadFor(c.args["thread_ts"])
	if err != nil {
		return nil, err
	}
	if wait := w.limitedChannel(target.ID); wait > 0 {
		return nil, &refusal{code: "ratelimited", after: wait}
	}
	m := &message{Message: Message{
		User: w.cfg.BotUserID, Text: clip(said.text, maxText), ThreadTS: thread, Metadata: metadata,
		Broadcast: thread != "" && c.args.flag("reply_broadcast"),
	}, attachments: said.attachments}
	m.setBlocks(said.blocks)
	w.add(target, m)
	return object{"channel": target.ID, "ts": m.TS, "message": w.messageJSON(m)}, nil
}

// threadFor returns the thread a reply joins. A parent that is gone makes it a message of its own, as in Slack.
func (c *channel) threadFor(ts string) (string, error) {
	parent := c.find(ts)
	switch {
	case ts == "" || parent == nil:
		return "", nil
	case parent.isReply():
		return "", invalid("cannot_reply_to_message", "thread_ts "+ts+" is itself a reply; name its parent")
	}
	return ts, nil
}

// ownMessage finds a message that the bot may change; code is the refusal when it is somebody else's.
func (w *Workspace) ownMessage(c *call, code string) (*channel, *message, error) {
	target, err := w.visibleChannel(c.args["channel"])
	if err != nil {
		return nil, nil, err
	}
	m := target.find(c.args["ts"])
	switch {
	case m == nil || m.Tombstone:
		return nil, nil, invalid("message_not_found", "no message "+c.args["ts"]+" in "+target.ID)
	case m.User != w.cfg.BotUserID:
		return nil, nil, invalid(code)
	case target.Archived:
		return nil, nil, invalid("is_archived")
	}
	return target, m, nil
}

func (w *Workspace) chatUpdate(c *call) (object, error) {
	target, m, err := w.ownMessage(c, "cant_update_message")
	if err != nil {
		return nil, err
	}
	said, err := w.content(c)
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(said.text) > maxUpdateText {
		return nil, invalid("msg_too_long", "text must be less than 4001 characters")
	}
	if said.empty() && (said.hasBlocks || m.blocks == nil) {
		return nil, invalid("no_text")
	}
	metadata, err := messageMetadata(c)
	if err != nil {
		return nil, err
	}
	if c.args.has("metadata") {
		m.Metadata = metadata
	}
	w.edit(m, said)
	return object{"channel": target.ID, "ts": m.TS, "text": m.Text, "message": w.messageJSON(m)}, nil
}

// edit gives m new content. Blocks and attachments that were not sent stay, as in Slack. The caller holds mu.
func (w *Workspace) edit(m *message, said content) {
	if said.text != "" || said.hasBlocks {
		m.Text = said.text
	}
	if said.hasBlocks {
		m.setBlocks(said.blocks)
		m.state = nil
	}
	if said.attachments != nil {
		m.attachments = said.attachments
	}
	m.Edited, m.EditedTS = true, w.stamp()
	m.Edits++
	w.bump()
}

func (w *Workspace) chatDelete(c *call) (object, error) {
	target, m, err := w.ownMessage(c, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	w.remove(target, m)
	return object{"channel": target.ID, "ts": m.TS}, nil
}

func (w *Workspace) chatPostEphemeral(c *call) (object, error) {
	target, err := w.visibleChannel(c.args["channel"])
	if err != nil {
		return nil, err
	}
	said, err := w.content(c)
	switch {
	case err != nil:
		return nil, err
	case target.Archived:
		return nil, invalid("is_archived")
	case !target.has(w.cfg.BotUserID):
		return nil, invalid("not_in_channel")
	case w.users[c.args["user"]] == nil || !target.has(c.args["user"]):
		return nil, invalid("user_not_in_channel", "user "+c.args["user"]+" is not in "+target.ID)
	case said.empty():
		return nil, invalid("no_text")
	}
	m := w.whisper(target.ID, c.args["user"], said)
	m.ThreadTS = c.args["thread_ts"]
	return object{"message_ts": m.TS}, nil
}

// whisper shows a message to one person only. The caller holds mu.
func (w *Workspace) whisper(channelID, userID string, said content) *message {
	m := &message{
		Message:     Message{Channel: channelID, TS: w.stamp(), User: w.cfg.BotUserID, Text: said.text, Ephemeral: true},
		attachments: said.attachments,
	}
	m.setBlocks(said.blocks)
	w.ephemerals[userID] = append(w.ephemerals[userID], m)
	w.bump()
	return m
}

func (w *Workspace) chatGetPermalink(c *call) (object, error) {
	target, err := w.visibleChannel(c.args["channel"])
	if err != nil {
		return nil, err
	}
	ts := c.args["message_ts"]
	if target.find(ts) == nil {
		return nil, invalid("message_not_found")
	}
	link := fmt.Sprintf("https://%s.slack.com/archives/%s/p%s", w.cfg.TeamDomain, target.ID, strings.Replace(ts, ".", "", 1))
	return object{"channel": target.ID, "permalink": link}, nil
}

func (w *Workspace) reactionsAdd(c *call) (object, error) {
	target, err := w.visibleChannel(c.args["channel"])
	if err != nil {
		return nil, err
	}
	m := target.find(c.args["timestamp"])
	name := strings.Trim(c.args["name"], ":")
	switch {
	case m == nil:
		return nil, invalid("message_not_found")
	case name == "":
		return nil, invalid("invalid_name")
	case target.Archived:
		return nil, invalid("is_archived")
	}
	i := slices.IndexFunc(m.Reactions, func(r Reaction) bool { return r.Name == name })
	if i < 0 {
		m.Reactions = append(m.Reactions, Reaction{Name: name})
		i = len(m.Reactions) - 1
	}
	if slices.Contains(m.Reactions[i].Users, w.cfg.BotUserID) {
		return nil, invalid("already_reacted")
	}
	m.Reactions[i].Users = append(slices.Clone(m.Reactions[i].Users), w.cfg.BotUserID)
	w.bump()
	return object{}, nil
}
