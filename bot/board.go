package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"rolecall/lifecycle"
)

// A bill is what is put up where all of Security see it: in their channel or,
// where that cannot be spoken in, with each of them.
type bill struct {
	key      string // of the message in the channel; that of somebody's copy is key/ADDRESS
	about    string // the id of what it shows
	revision int
	open     bool // somebody is to act on it
	force    bool
	message  message
}

func caseKey(id lifecycle.CaseID) string { return "case/" + string(id) }
func holdKey(id lifecycle.HoldID) string { return "hold/" + string(id) }

// putUp makes the bill stand, once, wherever it stands already or belongs now.
func (o *outbound) putUp(ctx context.Context, p lifecycle.Policy, b bill) error {
	was, err := o.message(ctx, b.key)
	if err != nil {
		return err
	}
	channel := was.Channel
	if was.TS == "" { // what stands is edited where it stands
		if channel = p.Security.Channel; was.Channel != channel {
			was = lifecycle.Message{}
		}
	}
	lost := channel == ""
	if !lost {
		is, err := o.deliver(ctx, b.parcel(b.key, channel), was)
		switch lost = unreachable(err); {
		case lost:
			err = o.unshown(ctx, b.about, channel, err)
		case err == nil && is != was:
			err = o.shownIn(ctx, channel)
		}
		if err != nil {
			return err
		}
	}
	return o.putUpCopies(ctx, p.Security.Told(), b, lost)
}

func (b bill) parcel(key, channel string) parcel {
	return parcel{Key: key, About: b.about, Channel: channel, Revision: b.revision, Force: b.force, Event: lifecycle.EventCardShown, Message: b.message}
}

// putUpCopies keeps the copies of members true and, where the channel is lost,
// sends those that are to act theirs.
func (o *outbound) putUpCopies(ctx context.Context, members []string, b bill, lost bool) error {
	reached := 0
	var failed []error
	for _, email := range members {
		key := b.key + "/" + lifecycle.FoldEmail(email)
		was, err := o.message(ctx, key)
		if err == nil && (was.TS != "" || lost && b.open) {
			err = o.putUpCopy(ctx, email, b, key, was)
			if err == nil {
				reached++
			}
		}
		if err != nil && !errors.Is(err, errNotInSlack) && !unreachable(err) {
			failed = append(failed, err)
		}
	}
	if lost && b.open && reached == 0 && len(failed) == 0 {
		return errors.New("nobody of Security can be reached in Slack: check security.channel and security.members in the policy")
	}
	return errors.Join(failed...)
}

func (o *outbound) putUpCopy(ctx context.Context, email string, b bill, key string, was lifecycle.Message) error {
	channel := was.Channel
	if was.TS == "" {
		var err error
		if channel, err = o.dmTo(ctx, email); err != nil {
			return err
		}
	}
	_, err := o.deliver(ctx, b.parcel(key, channel), was)
	return err
}

// posted lets somebody see what came of what they pressed on a bill: it, or
// their Home tab, is drawn anew. Where they pressed something that shows what it
// showed, a line says it. What they did stands whatever becomes of that.
func (b *Bot) posted(ctx context.Context, at where, ts, key string, by lifecycle.Identity, show func(context.Context) error, words string) {
	if at.channel == "" {
		b.refresh(ctx, by)
		return
	}
	for _, key := range []string{key, key + "/" + by.Person.Email()} {
		m, err := b.jobs.message(ctx, key)
		if err != nil {
			b.log.WarnContext(ctx, "look up a card after a press", slog.Any("err", err))
			return
		}
		if m.TS == ts && m.Channel == at.channel {
			b.drawSoon(ctx, slog.String("about", kindOf(key)), show)
			return
		}
	}
	b.say(ctx, at, words)
}

// mark says which state of something was drawn.
func mark(parts ...int) string {
	s := ""
	for _, n := range parts {
		s += strconv.Itoa(n) + "/"
	}
	return s
}

// followed draws what load returns, and again for as long as its mark changes
// meanwhile. What is no more is a permanent failure.
func followed[T any](ctx context.Context, o *outbound, what, id string, load func(context.Context) (T, string, error), draw func(context.Context, T, bool) error) error {
	release, err := o.locks.take(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	for try := range showTries {
		v, was, err := load(ctx)
		if err != nil {
			err = fmt.Errorf("load %s %s: %w", what, id, err)
			return cmp.Or(gonePermanent(err), err)
		}
		err = draw(ctx, v, try > 0)
		if errors.Is(err, errMovedOn) {
			continue
		}
		if err != nil {
			return fmt.Errorf("show %s %s: %w", what, id, err)
		}
		// Another worker may have written an older state after a newer one: who
		// finds that it moved on writes again, whatever seems to stand.
		_, is, err := load(ctx)
		if err != nil {
			return fmt.Errorf("load %s %s: %w", what, id, err)
		}
		if is == was {
			return nil
		}
	}
	return fmt.Errorf("show %s %s: it changed faster than it could be drawn", what, id)
}

// gonePermanent returns err as a permanent failure where it says that something
// is not stored, else nil.
func gonePermanent(err error) error {
	if errors.Is(err, lifecycle.ErrNotFound) {
		return lifecycle.Permanent(err)
	}
	return nil
}
