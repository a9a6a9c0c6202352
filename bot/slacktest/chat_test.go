package slacktest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
)

func TestPostingIsRefusedWhereSlackRefusesIt(t *testing.T) {
	t.Parallel()
	hello := slack.MsgOptionText("hello", false)
	for name, tt := range map[string]struct {
		channel string
		options []slack.MsgOption
		scopes  []string
		want    string
	}{
		"a channel the bot is in":            {channel: payments, options: []slack.MsgOption{hello}},
		"a public channel it is not in":      {channel: lobby, options: []slack.MsgOption{hello}},
		"the same without chat:write.public": {lobby, []slack.MsgOption{hello}, []string{"chat:write"}, "not_in_channel"},
		"a private channel it is not in":     {channel: secret, options: []slack.MsgOption{hello}, want: "channel_not_found"},
		"an archived channel":                {channel: archived, options: []slack.MsgOption{hello}, want: "is_archived"},
		"no such channel":                    {channel: "C0NONE", options: []slack.MsgOption{hello}, want: "channel_not_found"},
		"a person":                           {channel: marco, options: []slack.MsgOption{hello}},
		"somebody deactivated":               {channel: gone, options: []slack.MsgOption{hello}, want: "channel_not_found"},
		"a bot":                              {channel: "U0ROLECALL", options: []slack.MsgOption{hello}, want: "cannot_dm_bot"},
		"nothing to say":                     {channel: payments, want: "no_text"},
		"blanks":                             {channel: payments, options: []slack.MsgOption{slack.MsgOptionText("  ", false)}, want: "no_text"},
		"no scope":                           {payments, []slack.MsgOption{hello}, []string{"users:read"}, "missing_scope"},
		"metadata nested two levels":         {channel: payments, options: []slack.MsgOption{hello, meta(map[string]any{"a": map[string]any{"b": map[string]any{"c": 1}}})}, want: "invalid_metadata_format"},
		"metadata with a list of objects":    {channel: payments, options: []slack.MsgOption{hello, meta(map[string]any{"a": []any{map[string]any{"b": 1}}})}},
		"metadata of any length":             {channel: payments, options: []slack.MsgOption{hello, meta(map[string]any{"a": strings.Repeat("x", 20_000)})}, want: "metadata_too_large"},
		"metadata without a type":            {channel: payments, options: []slack.MsgOption{hello, slack.MsgOptionMetadata(slack.SlackMetadata{EventPayload: map[string]any{"a": 1}})}, want: "invalid_metadata_format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *slacktest.Config) { c.Scopes = tt.scopes })
			_, _, err := w.api.PostMessageContext(t.Context(), tt.channel, tt.options...)
			if got := code(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func meta(payload map[string]any) slack.MsgOption {
	return slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "rolecall_card", EventPayload: payload})
}

func TestAMessageToAPersonOpensTheOneDirectMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, ts := w.post(t, marco, slack.MsgOptionText("one", false))
	second, _ := w.post(t, marco, slack.MsgOptionText("two", false))
	opened, _, already, err := w.api.OpenConversationContext(t.Context(), &slack.OpenConversationParameters{Users: []string{marco}})
	if err != nil || !strings.HasPrefix(first, "D") || first != second || opened.ID != first || !already || w.DirectMessage(marco) != first {
		t.Errorf("posted to %s and %s, opened %+v (already %v): %v", first, second, opened, already, err)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), marco, ts, slack.MsgOptionText("x", false)); code(err) != "channel_not_found" {
		t.Errorf("an update by user id: got %v, want channel_not_found", err)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), first, ts, slack.MsgOptionText("x", false)); err != nil {
		t.Errorf("an update by D… id: %v", err)
	}
}

func TestLongTextsAreCutOnPostAndRefusedOnUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, ts := w.post(t, payments, slack.MsgOptionText(runes(40_001), false))
	if m, _ := w.Message(payments, ts); m.Text != runes(40_000) {
		t.Errorf("the text was not cut to 40,000 characters but to %d bytes", len(m.Text))
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), payments, ts, slack.MsgOptionText(runes(4001), false)); code(err) != "msg_too_long" {
		t.Errorf("got %v, want msg_too_long", err)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), payments, ts, slack.MsgOptionText(runes(4000), false)); err != nil {
		t.Error(err)
	}
}

func TestAnUpdateKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, ts := w.post(t, payments, slack.MsgOptionText("before", false), slack.MsgOptionBlocks(card()...), meta(map[string]any{"id": "ntc_1"}))
	before, _ := w.Message(payments, ts)

	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), payments, ts, slack.MsgOptionText("after", false)); err != nil {
		t.Fatal(err)
	}
	kept, _ := w.Message(payments, ts)
	if kept.Text != "after" || !kept.Edited || kept.Edits != 1 || kept.EditedTS <= ts || string(kept.Blocks) != string(before.Blocks) || string(kept.Metadata) != string(before.Metadata) {
		t.Errorf("got %+v, want the blocks and metadata of %+v", kept, before)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), payments, ts, slack.MsgOptionText("bare", false), slack.MsgOptionBlocks(), slack.MsgOptionMetadata(slack.SlackMetadata{})); err != nil {
		t.Fatal(err)
	}
	if bare, _ := w.Message(payments, ts); bare.Blocks != nil || bare.Metadata != nil {
		t.Errorf("got %+v, want neither blocks nor metadata", bare)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), payments, ts, slack.MsgOptionBlocks()); code(err) != "no_text" {
		t.Errorf("got %v, want no_text", err)
	}
}

func TestOnlyTheBotsOwnMessagesChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said, err := w.Say(marco, payments, "", "mine")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), payments, said.TS, slack.MsgOptionText("x", false)); code(err) != "cant_update_message" {
		t.Errorf("got %v, want cant_update_message", err)
	}
	if _, _, err := w.api.DeleteMessageContext(t.Context(), payments, said.TS); code(err) != "cant_delete_message" {
		t.Errorf("got %v, want cant_delete_message", err)
	}
	for ts, channel := range map[string]string{"1.000001": payments, said.TS: secret} {
		_, _, _, err := w.api.UpdateMessageContext(t.Context(), channel, ts, slack.MsgOptionText("x", false))
		if got := code(err); got != "message_not_found" && got != "channel_not_found" {
			t.Errorf("got %v", err)
		}
	}
}

func TestThreads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	_, parent := w.post(t, payments, slack.MsgOptionText("parent", false))
	_, reply := w.post(t, payments, slack.MsgOptionText("reply", false), slack.MsgOptionTS(parent))
	w.post(t, payments, slack.MsgOptionText("loud", false), slack.MsgOptionTS(parent), slack.MsgOptionBroadcast())
	if got := sayings(w.Messages(payments)); got != "parent|loud" {
		t.Errorf("top level: %s", got)
	}
	if got := sayings(w.Thread(payments, parent)); got != "parent|reply|loud" {
		t.Errorf("thread: %s", got)
	}
	if _, _, err := w.api.PostMessageContext(t.Context(), payments, slack.MsgOptionText("x", false), slack.MsgOptionTS(reply)); code(err) != "cannot_reply_to_message" {
		t.Errorf("got %v, want cannot_reply_to_message", err)
	}
	if m, _ := w.Message(payments, parent); m.ReplyCount != 2 {
		t.Errorf("got %d replies, want 2", m.ReplyCount)
	}
	if _, _, err := w.api.DeleteMessageContext(t.Context(), payments, parent); err != nil {
		t.Fatal(err)
	}
	if m, ok := w.Message(payments, parent); !ok || !m.Tombstone {
		t.Errorf("a deleted parent should leave a tombstone: %+v", m)
	}
}

func TestAReplyToADeletedMessageStandsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, parent := w.post(t, payments, slack.MsgOptionText("parent", false))
	if _, _, err := w.api.DeleteMessageContext(t.Context(), payments, parent); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.api.DeleteMessageContext(t.Context(), payments, parent); code(err) != "message_not_found" {
		t.Errorf("got %v, want message_not_found", err)
	}
	_, _, answer, err := w.api.PostMessageWithResponseContext(t.Context(), payments, slack.MsgOptionText("orphan", false), slack.MsgOptionTS(parent))
	if err != nil || answer.ThreadTimestamp != "" {
		t.Errorf("got %+v, %v, want a message outside any thread", answer, err)
	}
}

func sayings(messages []slacktest.Message) string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Text)
	}
	return strings.Join(out, "|")
}

func TestEphemeralMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	for name, tt := range map[string]struct{ channel, user, want string }{
		"to a member":                   {payments, marco, ""},
		"to somebody outside":           {payments, guest, "user_not_in_channel"},
		"where the bot is not":          {lobby, marco, "not_in_channel"},
		"in a channel it cannot see":    {secret, ines, "channel_not_found"},
		"in a channel that is archived": {archived, marco, "is_archived"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.api.PostEphemeralContext(t.Context(), tt.channel, tt.user, slack.MsgOptionText("psst", false))
			if got := code(err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	got := w.Ephemerals(marco)
	if len(got) != 1 || got[0].Text != "psst" || !got[0].Ephemeral || len(w.Ephemerals(ines)) > 0 || len(w.Messages(payments)) > 0 {
		t.Errorf("got %+v", got)
	}
	if _, _, _, err := w.api.UpdateMessageContext(t.Context(), payments, got[0].TS, slack.MsgOptionText("x", false)); code(err) != "message_not_found" {
		t.Errorf("an ephemeral message cannot be updated: %v", err)
	}
}

func TestTimestampsAreUniqueAndGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	last := ""
	for range 20 { // the clock stands still
		_, ts := w.post(t, payments, slack.MsgOptionText("x", false))
		if ts <= last {
			t.Fatalf("%s came after %s", ts, last)
		}
		last = ts
	}
}

func TestPermalinksAndReactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, ts := w.post(t, payments, slack.MsgOptionText("x", false))
	link, err := w.api.GetPermalinkContext(t.Context(), &slack.PermalinkParameters{Channel: payments, Ts: ts})
	if err != nil || link != "https://acme.slack.com/archives/C0PAYMENTS/p"+strings.ReplaceAll(ts, ".", "") {
		t.Errorf("got %s, %v", link, err)
	}
	if _, err := w.api.GetPermalinkContext(t.Context(), &slack.PermalinkParameters{Channel: payments, Ts: "1.000001"}); code(err) != "message_not_found" {
		t.Errorf("got %v", err)
	}
	item := slack.NewRefToMessage(payments, ts)
	if err := w.api.AddReactionContext(t.Context(), "white_check_mark", item); err != nil {
		t.Fatal(err)
	}
	if err := w.api.AddReactionContext(t.Context(), "white_check_mark", item); code(err) != "already_reacted" {
		t.Errorf("got %v, want already_reacted", err)
	}
	m, _ := w.Message(payments, ts)
	if diff := cmp.Diff([]slacktest.Reaction{{Name: "white_check_mark", Users: []string{"U0ROLECALL"}}}, m.Reactions); diff != "" {
		t.Error(diff)
	}
}

func TestConversations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	info, err := w.api.GetConversationInfoContext(t.Context(), &slack.GetConversationInfoInput{ChannelID: payments, IncludeNumMembers: true})
	if err != nil || info.Name != "payments" || !info.IsMember || info.NumMembers != 3 || info.IsPrivate {
		t.Errorf("got %+v, %v", info, err)
	}
	if _, err := w.api.GetConversationInfoContext(t.Context(), &slack.GetConversationInfoInput{ChannelID: secret}); code(err) != "channel_not_found" {
		t.Errorf("got %v, want channel_not_found", err)
	}
	members, cursor, err := w.api.GetUsersInConversationContext(t.Context(), &slack.GetUsersInConversationParameters{ChannelID: payments, Limit: 2})
	if err != nil || len(members) != 2 || cursor == "" {
		t.Errorf("got %v, %q, %v", members, cursor, err)
	}
	members, cursor, err = w.api.GetUsersInConversationContext(t.Context(), &slack.GetUsersInConversationParameters{ChannelID: payments, Limit: 2, Cursor: cursor})
	if err != nil || len(members) != 1 || cursor != "" {
		t.Errorf("got %v, %q, %v", members, cursor, err)
	}
	if _, _, err := w.api.GetUsersInConversationContext(t.Context(), &slack.GetUsersInConversationParameters{ChannelID: payments, Cursor: "nonsense"}); code(err) != "invalid_cursor" {
		t.Errorf("got %v, want invalid_cursor", err)
	}
	list, _, err := w.api.GetConversationsContext(t.Context(), &slack.GetConversationsParameters{ExcludeArchived: true, Types: []string{"public_channel", "private_channel"}})
	if err != nil || len(list) != 2 {
		t.Errorf("got %+v, %v, want payments and lobby", list, err)
	}
}

func TestJoining(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.api.GetUsersInConversationContext(t.Context(), &slack.GetUsersInConversationParameters{ChannelID: lobby}); err != nil {
		t.Error(err)
	}
	if _, err := w.api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: lobby}); code(err) != "not_in_channel" {
		t.Errorf("got %v, want not_in_channel", err)
	}
	joined, warning, _, err := w.api.JoinConversationContext(t.Context(), lobby)
	if err != nil || warning != "" || !joined.IsMember {
		t.Errorf("got %+v, %q, %v", joined, warning, err)
	}
	if _, warning, _, err := w.api.JoinConversationContext(t.Context(), lobby); err != nil || warning != "already_in_channel" {
		t.Errorf("got %q, %v, want already_in_channel", warning, err)
	}
	if _, _, _, err := w.api.JoinConversationContext(t.Context(), archived); code(err) != "is_archived" {
		t.Errorf("got %v, want is_archived", err)
	}
}

func TestOpeningConversations(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		users []string
		want  string
	}{
		"one person":       {[]string{marco}, ""},
		"two people":       {[]string{marco, ines}, ""},
		"nobody":           {nil, "users_list_not_supplied"},
		"nine people":      {strings.Split("1 2 3 4 5 6 7 8 9", " "), "too_many_users"},
		"somebody unknown": {[]string{"U0NOBODY"}, "user_not_found"},
		"somebody gone":    {[]string{gone}, "user_disabled"},
		"the bot itself":   {[]string{"U0ROLECALL"}, "cannot_dm_bot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var ids []string
			for range 2 { // idempotent
				c, _, _, err := w.api.OpenConversationContext(t.Context(), &slack.OpenConversationParameters{Users: tt.users, ReturnIM: true})
				if got := code(err); got != tt.want {
					t.Fatalf("got %q, want %q", got, tt.want)
				}
				if c != nil {
					ids = append(ids, c.ID)
				}
			}
			if tt.want == "" && (len(ids) != 2 || ids[0] != ids[1]) {
				t.Errorf("got conversations %v, want the same twice", ids)
			}
		})
	}
}

func TestHistoryIsCutAndPagedAsSlackDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	var ts []string
	for _, s := range []string{"a", "b", "c", "d"} {
		_, at := w.post(t, payments, slack.MsgOptionText(s, false), meta(map[string]any{"id": s}))
		ts = append(ts, at)
	}
	w.post(t, payments, slack.MsgOptionText("reply", false), slack.MsgOptionTS(ts[0]))
	for name, tt := range map[string]struct {
		ask  slack.GetConversationHistoryParameters
		want string
	}{
		"all, newest first, without replies": {slack.GetConversationHistoryParameters{}, "d|c|b|a"},
		"after a message":                    {slack.GetConversationHistoryParameters{Oldest: ts[1]}, "d|c"},
		"from a message on":                  {slack.GetConversationHistoryParameters{Oldest: ts[1], Inclusive: true}, "d|c|b"},
		"before a message":                   {slack.GetConversationHistoryParameters{Latest: ts[1]}, "a"},
		"exactly one message":                {slack.GetConversationHistoryParameters{Oldest: ts[1], Latest: ts[1], Inclusive: true}, "b"},
		"the newest two":                     {slack.GetConversationHistoryParameters{Limit: 2}, "d|c"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.ask.ChannelID = payments
			got, err := w.api.GetConversationHistoryContext(t.Context(), &tt.ask)
			if err != nil {
				t.Fatal(err)
			}
			if said := words(got.Messages); said != tt.want {
				t.Errorf("got %s, want %s", said, tt.want)
			}
			if got.Messages[0].Metadata.EventType != "" {
				t.Error("metadata came without being asked for")
			}
		})
	}
	page, err := w.api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: payments, Limit: 3, IncludeAllMetadata: true})
	if err != nil || !page.HasMore || page.Messages[0].Metadata.EventPayload["id"] != "d" {
		t.Errorf("got %+v, %v", page, err)
	}
	page, err = w.api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: payments, Limit: 3, Cursor: page.ResponseMetaData.NextCursor})
	if err != nil || page.HasMore || words(page.Messages) != "a" {
		t.Errorf("got %+v, %v", page, err)
	}
}

func TestRepliesComeOldestFirstWithTheirParent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	_, parent := w.post(t, payments, slack.MsgOptionText("p", false), meta(map[string]any{"id": "p"}))
	_, first := w.post(t, payments, slack.MsgOptionText("1", false), slack.MsgOptionTS(parent))
	w.post(t, payments, slack.MsgOptionText("2", false), slack.MsgOptionTS(parent))
	got, more, _, err := w.api.GetConversationRepliesContext(t.Context(), &slack.GetConversationRepliesParameters{ChannelID: payments, Timestamp: parent, IncludeAllMetadata: true})
	if err != nil || more || words(got) != "p|1|2" || got[0].Metadata.EventPayload["id"] != "p" || got[1].ThreadTimestamp != parent {
		t.Errorf("got %+v, %v, %v", got, more, err)
	}
	got, _, _, err = w.api.GetConversationRepliesContext(t.Context(), &slack.GetConversationRepliesParameters{ChannelID: payments, Timestamp: parent, Oldest: first})
	if err != nil || words(got) != "p|2" {
		t.Errorf("got %+v, %v, want the parent and what came after", got, err)
	}
	if _, _, _, err := w.api.GetConversationRepliesContext(t.Context(), &slack.GetConversationRepliesParameters{ChannelID: payments, Timestamp: "1.000001"}); code(err) != "thread_not_found" {
		t.Errorf("got %v, want thread_not_found", err)
	}
}

func words(messages []slack.Message) string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Text)
	}
	return strings.Join(out, "|")
}

func TestBlocksSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hostile := "</script> & \u2028 <!channel> 𝄞"
	_, ts := w.post(t, payments, slack.MsgOptionText("t", false), slack.MsgOptionBlocks(slack.NewSectionBlock(mrkdwn(hostile), nil, nil)))
	m, _ := w.Message(payments, ts)
	var blocks []struct{ Text struct{ Text string } }
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil || blocks[0].Text.Text != hostile {
		t.Errorf("got %s, %v", m.Blocks, err)
	}
}

func TestAttachmentsAndMarkdownText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, lenient)
	attachment := slack.Attachment{Text: "a"}
	if _, _, err := w.api.PostMessageContext(t.Context(), payments, slack.MsgOptionAttachments(attachment)); err != nil {
		t.Errorf("attachments alone are enough: %v", err)
	}
	if _, _, err := w.api.PostMessageContext(t.Context(), payments, slack.MsgOptionAttachments(make([]slack.Attachment, 101)...)); code(err) != "too_many_attachments" {
		t.Errorf("got %v, want too_many_attachments", err)
	}
	for name, tt := range map[string]struct{ form, want string }{
		"alone":          {"&markdown_text=hello", ""},
		"beside text":    {"&markdown_text=hello&text=x", "markdown_text_conflict"},
		"of 12,001":      {"&markdown_text=" + strings.Repeat("x", 12_001), "msg_too_long"},
		"broken blocks":  {"&blocks=[", "invalid_blocks_format"},
		"no attachments": {"&attachments=x", "invalid_attachments"},
	} {
		_, got := w.raw(t, "chat.postMessage", formBody, "xoxb-slacktest", "channel="+payments+tt.form)
		if said, _ := got["error"].(string); said != tt.want {
			t.Errorf("%s: got %v, want %q", name, got, tt.want)
		}
	}
}
