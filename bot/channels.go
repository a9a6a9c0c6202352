package bot

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"rolecall/lifecycle"
)

// channelKey names what is remembered of a channel in which nothing could be
// said: of an odd revision nothing can be said there now, of an even one it can
// be again.
func channelKey(channel string) string { return "channel/" + channel }

func lostNow(m lifecycle.Message) bool { return m.Revision%2 == 1 }

// unshown puts on the record that the card cannot be shown in the channel, and
// tells Security what to do about it: once, until something can be said there again.
func (o *outbound) unshown(ctx context.Context, about, channel string, cause error) error {
	o.Log.WarnContext(ctx, "card cannot be shown", slog.String("about", about), slog.String("channel", channel), slog.Any("err", cause))
	return o.mark(ctx, channel, func(was lifecycle.Message) error {
		e := lifecycle.AuditEvent{At: o.Now(), Actor: lifecycle.System, Kind: lifecycle.EventCardFailed, Ref: about, Detail: map[string]string{"channel": channel, "why": detailOf(cause)}}
		if lostNow(was) {
			return o.Store.Record(ctx, e)
		}
		is := lifecycle.Message{Key: was.Key, Channel: channel, Revision: was.Revision + 1, Intended: o.Now()}
		told := fmt.Sprintf("rolecall cannot speak in the channel %s that the policy names (%s), since %s. Its cards come here until that is mended, and to whoever may decide as always: invite rolecall there, or correct the policy. This is said once, and again when it can.",
			channel, slackCode(cause), moment(is.Intended, o.Location))
		return o.Store.SaveMessage(ctx, is, e, lifecycle.Job{Kind: lifecycle.JobAlert, Ref: told})
	})
}

// shownIn notes that a card could be shown in the channel, and tells Security so
// where they were told that none could.
func (o *outbound) shownIn(ctx context.Context, channel string) error {
	m, err := o.message(ctx, channelKey(channel))
	if err != nil || !lostNow(m) {
		return err
	}
	return o.mark(ctx, channel, func(was lifecycle.Message) error {
		if !lostNow(was) {
			return nil
		}
		is := was
		is.Revision++
		e := lifecycle.AuditEvent{At: o.Now(), Actor: lifecycle.System, Kind: lifecycle.EventChannelBack, Ref: channel, Detail: map[string]string{"since": was.Intended.UTC().Format(time.RFC3339)}}
		told := fmt.Sprintf("rolecall can speak in the channel %s again. It could not since %s. What came here meanwhile stays here; new cards go there.", channel, moment(was.Intended, o.Location))
		return o.Store.SaveMessage(ctx, is, e, lifecycle.Job{Kind: lifecycle.JobAlert, Ref: told})
	})
}

// mark has change say what is remembered of the channel, one at a time.
func (o *outbound) mark(ctx context.Context, channel string, change func(was lifecycle.Message) error) error {
	key := channelKey(channel)
	release, err := o.locks.take(ctx, key)
	if err != nil {
		return err
	}
	defer release()
	was, err := o.message(ctx, key)
	if err != nil {
		return err
	}
	was.Key = key
	if err := change(was); err != nil {
		return fmt.Errorf("note whether channel %s can be reached: %w", channel, err)
	}
	return nil
}
