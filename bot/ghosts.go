package bot

import (
	"context"
	"fmt"
	"log/slog"

	"rolecall/lifecycle"
)

// noteGhosts puts on the record, and tells Security, once that Slack delivers to
// connections that nobody answers on, and once that it does not any more. It is
// known across restarts and replicas which of the two was said last.
func (b *Bot) noteGhosts(ctx context.Context, t census) {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	if err := b.jobs.noteGhosts(ctx, t, b.link.replicas); err != nil {
		b.log.ErrorContext(ctx, "note what slack counts", slog.Any("err", err))
	}
}

func (o *outbound) noteGhosts(ctx context.Context, t census, replicas int) error {
	release, err := o.locks.take(ctx, lifecycle.GhostsKey)
	if err != nil {
		return err
	}
	defer release()
	was, err := o.message(ctx, lifecycle.GhostsKey)
	if err != nil || lifecycle.GhostsSince(was).IsZero() == (t.Ghosts == 0) {
		return err
	}
	is := lifecycle.Message{Key: lifecycle.GhostsKey, Revision: was.Revision + 1, Intended: o.Now()}
	told, state := ghostWords(t, replicas), "found"
	if t.Ghosts == 0 {
		told, state = fmt.Sprintf("Slack counts no connections any more that are not rolecall's. It did since %s; what is pressed arrives again.", moment(was.Intended, o.Location)), "gone"
	}
	e := lifecycle.AuditEvent{At: o.Now(), Actor: lifecycle.System, Kind: lifecycle.EventSlackGhost, Ref: lifecycle.GhostsKey, Detail: map[string]string{
		"state": state, "slack_counts": fmt.Sprint(t.Slack), "ours": fmt.Sprint(t.Ours), "replicas": fmt.Sprint(replicas),
	}}
	return o.Store.SaveMessage(ctx, is, e, lifecycle.Job{Kind: lifecycle.JobAlert, Ref: told})
}

// ghostWords says what is wrong, what people see of it, and what to do.
func ghostWords(t census, replicas int) string {
	return fmt.Sprintf("Slack counts %s, and %s not rolecall's: %d here, %s. Slack hands part of what people press to those, and it is lost without a trace: who presses and sees nothing happen should press again. "+
		"Look whether another rolecall runs with the same app token: end it, or set ROLECALL_REPLICAS to how many run. If none does, they are dead connections, which Slack lets go of in time; a new app token ends them at once. rolecall counts again every few minutes and says when it is over.",
		count(t.Slack, "connection", "connections"), count(t.Ghosts, "of them is", "of them are"), t.Ours, count(replicas, "replica", "replicas"))
}

// Ghosts returns how many connections Slack delivers to, by its own count, that
// nobody answers on; 0 is as it should be.
func (b *Bot) Ghosts() int {
	_, t := b.link.tally()
	return t.Ghosts
}
