package slacktest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// conversationJSON is c in the shape of the Web API.
func (w *Workspace) conversationJSON(c *channel) object {
	out := object{
		"id": c.ID, "created": 1700000000, "is_archived": c.Archived, "is_im": c.kind == kindIM, "is_mpim": c.kind == kindMPIM,
		"is_channel": c.kind == kindChannel && !c.Private, "is_group": c.kind == kindChannel && c.Private,
		"is_private": c.Private, "is_shared": c.Shared, "is_ext_shared": c.Shared, "is_org_shared": false,
		"is_member": c.has(w.cfg.BotUserID), "context_team_id": w.cfg.TeamID,
	}
	if c.kind == kindIM {
		out["user"] = w.partner(c)
		return out
	}
	out["name"], out["name_normalized"] = c.Name, c.Name
	out["topic"], out["purpose"] = object{"value": ""}, object{"value": ""}
	return out
}

// partner is the person in a direct message with the bot.
func (w *Workspace) partner(c *channel) string {
	for _, id := range c.Members {
		if id != w.cfg.BotUserID {
			return id
		}
	}
	return ""
}

func (w *Workspace) conversationsOpen(c *call) (object, error) {
	if id := c.args["channel"]; id != "" {
		target, err := w.visibleChannel(id)
		if err != nil || target.kind == kindChannel {
			return nil, invalid("channel_not_found")
		}
		return w.opened(target, true, c), nil
	}
	ids := strings.FieldsFunc(c.args["users"], func(r rune) bool { return r == ',' || r == ' ' })
	if err := w.openable(ids); err != nil {
		return nil, err
	}
	if len(ids) == 1 {
		target, already := w.directMessage(ids[0])
		return w.opened(target, already, c), nil
	}
	target, already := w.groupMessage(ids)
	return w.opened(target, already, c), nil
}

// openable refuses people with whom the bot cannot open a conversation.
func (w *Workspace) openable(ids []string) error {
	switch {
	case len(ids) == 0:
		return invalid("users_list_not_supplied")
	case len(ids) > 8:
		return invalid("too_many_users", "users must have no more than 8 items")
	}
	for _, id := range ids {
		u := w.users[id]
		switch {
		case u == nil:
			return invalid("user_not_found", "no user "+id)
		case u.Bot:
			return invalid("cannot_dm_bot", id+" is a bot")
		case u.Deleted:
			return invalid("user_disabled", id+" is deactivated")
		}
	}
	return nil
}

func (w *Workspace) opened(target *channel, already bool, c *call) object {
	out := object{"channel": object{"id": target.ID}}
	if c.args.flag("return_im") {
		out["channel"] = w.conversationJSON(target)
	}
	if already {
		out["no_op"], out["already_open"] = true, true
	}
	return out
}

// groupMessage returns the one group conversation of the bot with exactly these people.
func (w *Workspace) groupMessage(ids []string) (*channel, bool) {
	members := append(slices.Clone(ids), w.cfg.BotUserID)
	slices.Sort(members)
	members = slices.Compact(members)
	for _, c := range w.channels {
		if c.kind == kindMPIM && slices.Equal(c.Members, members) {
			return c, true
		}
	}
	made := w.putChannel(kindMPIM, Channel{ID: w.id("G"), Name: "mpdm-" + strings.Join(ids, "--"), Private: true, Members: members})
	w.bump()
	return made, false
}

func (w *Workspace) conversationsInfo(c *call) (object, error) {
	target, err := w.visibleChannel(c.args["channel"])
	if err != nil {
		return nil, err
	}
	out := w.conversationJSON(target)
	if c.args.flag("include_num_members") {
		out["num_members"] = len(target.Members)
	}
	return object{"channel": out}, nil
}

func (w *Workspace) conversationsJoin(c *call) (object, error) {
	target, err := w.visibleChannel(c.args["channel"])
	switch {
	case err != nil:
		return nil, err
	case target.kind != kindChannel || target.Private:
		return nil, invalid("method_not_supported_for_channel_type")
	case target.Archived:
		return nil, invalid("is_archived")
	}
	out := object{"channel": w.conversationJSON(target)}
	if target.has(w.cfg.BotUserID) {
		out["warning"] = "already_in_channel"
		out["response_metadata"] = object{"warnings": []string{"already_in_channel"}}
		return out, nil
	}
	target.Members = append(target.Members, w.cfg.BotUserID)
	out["channel"] = w.conversationJSON(target)
	w.bump()
	return out, nil
}

func (w *Workspace) conversationsMembers(c *call) (object, error) {
	target, err := w.visibleChannel(c.args["channel"])
	if err != nil {
		return nil, err
	}
	page, next, err := paged(c, slices.Clone(target.Members), 100, 999)
	if err != nil {
		return nil, err
	}
	return object{"members": page, "response_metadata": object{"next_cursor": next}}, nil
}

func (w *Workspace) conversationsList(c *call) (object, error) {
	types := strings.Split(c.args["types"], ",")
	if c.args["types"] == "" {
		types = []string{"public_channel"}
	}
	found := []any{}
	for _, id := range w.chanIDs {
		target := w.channels[id]
		if _, err := w.visibleChannel(id); err != nil || !slices.Contains(types, target.typeName()) {
			continue
		}
		if !target.Archived || !c.args.flag("exclude_archived") {
			found = append(found, w.conversationJSON(target))
		}
	}
	page, next, err := paged(c, found, 100, 999)
	if err != nil {
		return nil, err
	}
	return object{"channels": page, "response_metadata": object{"next_cursor": next}}, nil
}

func (c *channel) typeName() string {
	switch {
	case c.kind != kindChannel:
		return string(c.kind)
	case c.Private:
		return "private_channel"
	default:
		return "public_channel"
	}
}

// paged cuts one page out of items, as the cursor and limit arguments ask, and returns the next cursor, "" at the end.
// It fails with invalid_cursor or invalid_limit.
func paged[T any](c *call, items []T, standard, most int) ([]T, string, error) {
	size, err := c.args.number("limit", standard)
	if err != nil {
		return nil, "", invalid("invalid_limit")
	}
	if size == 0 {
		size = standard
	}
	from := 0
	if cursor := c.args["cursor"]; cursor != "" {
		if from, err = readCursor(cursor); err != nil || from > len(items) {
			return nil, "", invalid("invalid_cursor")
		}
	}
	to := min(len(items), from+min(size, most))
	if to == len(items) {
		return items[from:to], "", nil
	}
	return items[from:to], writeCursor(to), nil
}

func writeCursor(offset int) string {
	return base64.StdEncoding.EncodeToString([]byte("next:" + strconv.Itoa(offset)))
}

func readCursor(cursor string) (int, error) {
	raw, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return 0, fmt.Errorf("decode cursor: %w", err)
	}
	return args{"n": strings.TrimPrefix(string(raw), "next:")}.number("n", 0)
}

// readable finds a conversation whose messages the bot may read: it must be a member.
func (w *Workspace) readable(c *call) (*channel, error) {
	target, err := w.visibleChannel(c.args["channel"])
	if err != nil {
		return nil, err
	}
	if !target.has(w.cfg.BotUserID) {
		return nil, invalid("not_in_channel")
	}
	return target, nil
}

// window keeps the messages between the oldest and latest arguments; the bounds themselves only when inclusive.
func window(c *call, messages []*message) []*message {
	oldest, latest, inclusive := c.args["oldest"], c.args["latest"], c.args.flag("inclusive")
	return slices.DeleteFunc(slices.Clone(messages), func(m *message) bool {
		switch {
		case inclusive && (m.TS == oldest || m.TS == latest):
			return false
		case oldest != "" && !tsLess(oldest, m.TS):
			return true
		default:
			return latest != "" && !tsLess(m.TS, latest)
		}
	})
}

// tsLess orders timestamps by value: bounds may come as "0" or "1700000000".
func tsLess(a, b string) bool { return tsValue(a) < tsValue(b) }

func tsValue(ts string) int64 {
	whole, fraction, _ := strings.Cut(ts, ".")
	seconds, _ := strconv.ParseInt(whole, 10, 64) // what is no number is the beginning of time
	micros, _ := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
	return seconds*1e6 + micros
}

func (w *Workspace) conversationsHistory(c *call) (object, error) {
	target, err := w.readable(c)
	if err != nil {
		return nil, err
	}
	top := slices.DeleteFunc(window(c, target.messages), func(m *message) bool { return m.isReply() && !m.Broadcast })
	slices.Reverse(top) // newest first
	page, next, err := paged(c, top, 100, 999)
	if err != nil {
		return nil, err
	}
	return w.messagePage(c, page, next), nil
}

func (w *Workspace) conversationsReplies(c *call) (object, error) {
	target, err := w.readable(c)
	if err != nil {
		return nil, err
	}
	ts := c.args["ts"]
	if target.find(ts) == nil {
		return nil, invalid("thread_not_found")
	}
	thread := target.thread(ts)
	replies := window(c, thread[1:])
	page, next, err := paged(c, append(thread[:1:1], replies...), 1000, 1000)
	if err != nil {
		return nil, err
	}
	return w.messagePage(c, page, next), nil
}

func (w *Workspace) messagePage(c *call, page []*message, next string) object {
	shown := make([]any, len(page))
	for i, m := range page {
		one := w.messageJSON(m)
		if c.args.flag("include_all_metadata") && m.Metadata != nil {
			one["metadata"] = m.Metadata
		}
		shown[i] = one
	}
	return object{"messages": shown, "has_more": next != "", "pin_count": 0, "response_metadata": object{"next_cursor": next}}
}
