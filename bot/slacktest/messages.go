package slacktest

import (
	"encoding/json"
	"slices"
)

// Message is what stands in a conversation.
type Message struct {
	Channel    string
	TS         string
	ThreadTS   string // of the thread it belongs to; equal to TS on a parent that has replies
	User       string // author; the bot's user id for the app
	Text       string
	Blocks     json.RawMessage // array, or nil
	Metadata   json.RawMessage // {"event_type":…,"event_payload":…}, or nil
	Edited     bool
	EditedTS   string
	Edits      int // how many times
	Broadcast  bool
	Tombstone  bool // deleted, but its thread remains
	Ephemeral  bool // seen by one person only
	ReplyCount int
	Reactions  []Reaction
}

// Reaction is an emoji under a message.
type Reaction struct {
	Name  string
	Users []string
}

type message struct {
	Message
	blocks      []any // decoded, with every id filled in
	attachments json.RawMessage
	subtype     string
	state       map[string]map[string]state // what each person has chosen in its inputs: user → block/action → state
}

func (m *message) isReply() bool { return m.ThreadTS != "" && m.ThreadTS != m.TS }

// shown returns m as others see it; callers may keep it.
func (m *message) shown() Message {
	out := m.Message
	out.Reactions = slices.Clone(m.Reactions)
	return out
}

func (m *message) setBlocks(blocks []any) {
	m.blocks, m.Blocks = blocks, nil
	if len(blocks) > 0 {
		m.Blocks = encode(blocks)
	}
}

func (c *channel) find(ts string) *message {
	for i := len(c.messages) - 1; i >= 0; i-- {
		if c.messages[i].TS == ts {
			return c.messages[i]
		}
	}
	return nil
}

// thread returns the parent and its replies, oldest first.
func (c *channel) thread(ts string) []*message {
	var out []*message
	for _, m := range c.messages {
		if m.TS == ts || m.ThreadTS == ts {
			out = append(out, m)
		}
	}
	return out
}

// add puts m at the end and keeps the parent's count. The caller holds mu.
func (w *Workspace) add(c *channel, m *message) {
	m.Channel, m.TS = c.ID, w.stamp()
	if parent := c.find(m.ThreadTS); m.ThreadTS != "" && parent != nil {
		parent.ThreadTS = parent.TS
		parent.ReplyCount++
	}
	c.messages = append(c.messages, m)
	w.bump()
}

// remove deletes m; a parent with replies leaves a tombstone, as in Slack. The caller holds mu.
func (w *Workspace) remove(c *channel, m *message) {
	defer w.bump()
	if m.ReplyCount > 0 {
		m.Tombstone, m.subtype, m.Text, m.Metadata = true, "tombstone", "This message was deleted.", nil
		m.setBlocks(nil)
		return
	}
	if parent := c.find(m.ThreadTS); m.isReply() && parent != nil {
		parent.ReplyCount--
	}
	c.messages = slices.DeleteFunc(c.messages, func(other *message) bool { return other == m })
}

// messageJSON is m in the shape of the Web API and of payloads.
func (w *Workspace) messageJSON(m *message) object {
	out := object{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": w.cfg.TeamID}
	if m.User == w.cfg.BotUserID {
		out["bot_id"], out["app_id"] = w.cfg.BotID, w.cfg.AppID
		out["bot_profile"] = object{
			"id": w.cfg.BotID, "app_id": w.cfg.AppID, "user_id": w.cfg.BotUserID, "name": w.cfg.BotName,
			"deleted": false, "updated": 1700000000, "team_id": w.cfg.TeamID, "icons": object{},
		}
	}
	if m.blocks != nil {
		out["blocks"] = m.blocks
	}
	if m.subtype != "" {
		out["subtype"] = m.subtype
	}
	if m.Edited {
		out["edited"] = object{"user": m.User, "ts": m.EditedTS}
	}
	addThread(out, m)
	if m.attachments != nil {
		out["attachments"] = m.attachments
	}
	if len(m.Reactions) > 0 {
		out["reactions"] = reactionsJSON(m.Reactions)
	}
	return out
}

func addThread(out object, m *message) {
	if m.ThreadTS == "" {
		return
	}
	out["thread_ts"] = m.ThreadTS
	if m.ReplyCount > 0 {
		out["reply_count"] = m.ReplyCount
	}
}

func reactionsJSON(reactions []Reaction) []any {
	out := make([]any, len(reactions))
	for i, r := range reactions {
		out[i] = object{"name": r.Name, "users": r.Users, "count": len(r.Users)}
	}
	return out
}
