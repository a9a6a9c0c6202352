package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	clockSkew  = 5 * time.Minute // between our clock and Slack's
	otherTime  = 5 * time.Second // that another process gets to post what it has announced
	stateSoon  = "about to be sent"
	stateSent  = "sent"
	stateFound = "found again"
)

// A parcel is one message to deliver: what is said, where, and under what key
// it is known again.
type parcel struct {
	Key      string
	Request  lifecycle.RequestID
	About    string // the id of what it is about, where that is no request
	Channel  string
	Thread   string // ts of the parent; "" for none
	Revision int
	Message  message
	Force    bool                // write even what seems to stand already
	Event    lifecycle.EventKind // card.shown or message.sent
}

// String names the message in logs and errors. Keys hold people's addresses,
// which belong in the record and nowhere else.
func (p parcel) String() string {
	about := cmp.Or(string(p.Request), p.About)
	if about == "" {
		return "message " + kindOf(p.Key)
	}
	return "message " + kindOf(p.Key) + " of " + about
}

// kindOf returns what kind of message a key names, such as dm or digest.
func kindOf(key string) string {
	kind, _, _ := strings.Cut(key, "/")
	return kind
}

// deliver makes the parcel stand in Slack once, whatever was interrupted
// before: was is what is known of it, the zero message for nothing. It returns
// what is known of it now.
func (o *outbound) deliver(ctx context.Context, p parcel, was lifecycle.Message) (lifecycle.Message, error) {
	p.Message.Metadata = &slack.SlackMetadata{EventType: MetadataEvent, EventPayload: map[string]any{MetadataKey: p.Key}}
	if was.TS == "" && !was.Intended.IsZero() {
		found, err := o.recover(ctx, p, was)
		if err != nil {
			return was, err
		}
		was = found
	}
	if was.TS != "" {
		is, err := o.edit(ctx, p, was)
		if !isCode(err, "message_not_found", "cant_update_message", "edit_window_closed") {
			return is, err
		}
		was = lifecycle.Message{} // somebody deleted it, or it is too old to be edited
	}
	return o.send(ctx, p, was)
}

// edit makes the message that stands say what it should.
func (o *outbound) edit(ctx context.Context, p parcel, was lifecycle.Message) (lifecycle.Message, error) {
	sum := p.Message.digest()
	if !p.Force && was.Revision == p.Revision && was.SHA256 == sum {
		return was, nil
	}
	if err := o.box.update(ctx, was.Channel, was.TS, p.Message); err != nil {
		return was, err
	}
	was.Revision, was.SHA256 = p.Revision, sum
	return was, o.save(ctx, p, was, stateSent)
}

// send announces the message, posts it, and notes where it stands. A crash
// between two of these is what recover is for.
func (o *outbound) send(ctx context.Context, p parcel, was lifecycle.Message) (lifecycle.Message, error) {
	is := lifecycle.Message{Key: p.Key, Request: p.Request, Channel: p.Channel, Revision: p.Revision, SHA256: p.Message.digest(), Intended: was.Intended}
	if is.Intended.IsZero() {
		is.Intended = o.Now()
		if err := o.save(ctx, p, is, stateSoon); err != nil {
			return is, err
		}
	}
	o.announced(p.Key)
	channel, ts, err := o.box.post(ctx, p.Channel, p.Thread, p.Message)
	if err != nil {
		return o.lost(ctx, p, is, err)
	}
	is.Channel, is.TS = channel, ts
	return is, o.save(ctx, p, is, stateSent)
}

// lost looks at once whether a post whose answer was lost has arrived. When it
// cannot be seen it is not posted again here: it may still be on its way.
func (o *outbound) lost(ctx context.Context, p parcel, was lifecycle.Message, cause error) (lifecycle.Message, error) {
	if !transient(ctx, cause) {
		return was, cause
	}
	is, err := o.find(ctx, p, was)
	if err != nil || is.TS == "" {
		return was, cause
	}
	return is, o.save(ctx, p, is, stateFound)
}

// recover looks for a message that was announced, and perhaps sent, before
// something was interrupted.
func (o *outbound) recover(ctx context.Context, p parcel, was lifecycle.Message) (lifecycle.Message, error) {
	is, err := o.find(ctx, p, was)
	switch {
	case isCode(err, "thread_not_found"):
		return was, nil
	case isCode(err, "missing_scope", "not_in_channel"):
		// Without the right to look, a second message is the lesser harm than none.
		o.Log.WarnContext(ctx, "cannot look for a message that may have been sent", slog.String("message", p.String()), slog.Any("err", err))
		return was, nil
	case err != nil:
		return was, err
	case is.TS != "":
		is.SHA256 = "" // what it showed then is not known
		return is, o.save(ctx, p, is, stateFound)
	case !o.ours(p.Key) && o.Now().Sub(was.Intended) < otherTime:
		return was, lifecycle.RetryAfter(fmt.Errorf("%s was announced a moment ago", p), otherTime)
	default:
		return was, nil
	}
}

// find returns was with the place of our own message that carries its key, or
// with no ts when there is none.
func (o *outbound) find(ctx context.Context, p parcel, was lifecycle.Message) (lifecycle.Message, error) {
	self, err := o.whoWeAre(ctx)
	if err != nil {
		return was, err
	}
	if p.Channel, err = o.conversation(ctx, p.Channel); err != nil {
		return was, err
	}
	since := was.Intended.Add(-clockSkew)
	var said []slack.Message
	if p.Thread != "" {
		said, err = o.box.replies(ctx, p.Channel, p.Thread, since)
	} else {
		said, err = o.box.history(ctx, p.Channel, since)
	}
	if err != nil {
		return was, err
	}
	for _, m := range said {
		if m.User == self && m.Metadata.EventType == MetadataEvent && m.Metadata.EventPayload[MetadataKey] == p.Key {
			was.Channel, was.TS = p.Channel, m.Timestamp
			return was, nil
		}
	}
	return was, nil
}

// conversation returns the direct message with a user where the place is one: only
// posts take a user's id.
func (o *outbound) conversation(ctx context.Context, place string) (string, error) {
	if strings.HasPrefix(place, "U") || strings.HasPrefix(place, "W") {
		return o.box.dm(ctx, place)
	}
	return place, nil
}

func (o *outbound) save(ctx context.Context, p parcel, m lifecycle.Message, state string) error {
	kind := p.Event
	if kind == "" || state != stateSent {
		kind = lifecycle.EventMessageSent
	}
	e := lifecycle.AuditEvent{At: o.Now(), Actor: lifecycle.System, Kind: kind, Ref: cmp.Or(string(p.Request), p.About, p.Key), Detail: map[string]string{
		"key": p.Key, "state": state, "channel": m.Channel, "ts": m.TS, "sha256": m.SHA256, "revision": fmt.Sprint(m.Revision),
	}}
	if err := o.Store.SaveMessage(ctx, m, e); err != nil {
		return fmt.Errorf("save %s: %w", p, err)
	}
	return nil
}

// message returns what is known of the message with that key, the zero message
// for nothing.
func (o *outbound) message(ctx context.Context, key string) (lifecycle.Message, error) {
	m, err := o.Store.Message(ctx, key)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return lifecycle.Message{}, nil
	}
	if err != nil {
		return m, fmt.Errorf("load message %s: %w", kindOf(key), err)
	}
	return m, nil
}

func (o *outbound) announced(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.intents) >= namesMost {
		clear(o.intents)
	}
	o.intents[key] = struct{}{}
}

// ours reports whether it was this process that announced the message.
func (o *outbound) ours(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.intents[key]
	return ok
}

// unreachable reports whether Slack says that nothing can be said there.
func unreachable(err error) bool {
	return strings.HasPrefix(slackCode(err), "restricted_action") || // there is one for each kind of place where only some may post
		isCode(err, "channel_not_found", "not_in_channel", "is_archived", "channel_is_archived", "channel_type_not_supported",
			"no_permission", "team_access_not_granted", "ekm_access_denied",
			"user_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot", "messages_tab_disabled")
}

// orphaned reports whether Slack says that what was to be replied to is not there.
func orphaned(err error) bool { return isCode(err, "thread_not_found", "cannot_reply_to_message") }
