package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rolecall/lifecycle"
)

func remindKey(id lifecycle.RequestID, email string) string {
	return "remind/" + string(id) + "/" + email
}

// remind reminds those who may decide a request that still waits and have not
// decided: under their copy of the card, so that it is at hand. Nobody is reminded
// who has put it off, or for whom it is out of working hours: then this comes round
// again, when that is over for the first of them. Ref: RequestID.
func (o *outbound) remind(ctx context.Context, a lifecycle.Attempt) error {
	id := lifecycle.RequestID(a.Ref)
	release, err := o.locks.take(ctx, a.Ref)
	if err != nil {
		return err
	}
	defer release()
	r, err := o.Store.Request(ctx, id)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return lifecycle.Permanent(fmt.Errorf("load request %s: %w", id, err))
	}
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	if r.State != lifecycle.Pending || !r.DecideBy.IsZero() && !o.Now().Before(r.DecideBy) {
		return nil
	}
	s, err := o.scene(ctx, r, false)
	if err != nil {
		return err
	}
	later, err := o.remindAll(ctx, s)
	if err != nil || later.IsZero() {
		return err
	}
	return lifecycle.WaitFor("those who decide are not at work, or have put it off", fmt.Errorf("remind of request %s at %s", id, later), later.Sub(s.now))
}

// remindAll reminds whom it can, and returns when the first of the others can be:
// the zero time when there is nobody, or it is over by then.
func (o *outbound) remindAll(ctx context.Context, s scene) (later time.Time, err error) {
	var failed []error
	for _, email := range s.asks() {
		m := cardMaker{frame: s.frame, r: s.r, v: viewer{Email: email}}
		key := s.remindKey(email)
		if m.decidedAlready() || s.known(key).TS != "" {
			continue
		}
		at, err := o.remindAt(ctx, s, email)
		switch {
		case err != nil:
			failed = append(failed, err)
		case at.After(s.now):
			if over := s.r.DecideBy; (over.IsZero() || at.Before(over)) && (later.IsZero() || at.Before(later)) {
				later = at
			}
		default:
			failed = append(failed, o.tellUnder(ctx, s, email, key, m.reminder()))
		}
	}
	return later, errors.Join(failed...)
}

// remindKey names the reminder: there is one of the policy, one each time that the
// requester asks for one, and one when what somebody has put off comes back.
func (s scene) remindKey(email string) string {
	key := remindKey(s.r.ID, email)
	since := s.r.Nudged
	if back := s.r.SnoozedBy(email); back.After(since) {
		since = back
	}
	if !since.IsZero() {
		key += "/" + strconv.FormatInt(since.UnixMicro(), 10)
	}
	return key
}

// remindAt returns when somebody may be reminded: what the requester has asked for
// waits for no hours, and whoever has put it off said themselves when.
func (o *outbound) remindAt(ctx context.Context, s scene, email string) (time.Time, error) {
	back, hours := s.r.SnoozedBy(email), s.p.Defaults.Hours
	switch {
	case back.After(s.r.Nudged):
		return back, nil
	case !s.r.Nudged.IsZero() || hours.Always():
		return s.now, nil
	}
	zone, err := o.zoneOfApprover(ctx, email)
	if err != nil {
		return time.Time{}, err
	}
	return hours.Next(s.now, zone), nil
}

// zoneOfApprover returns the time zone that somebody has set in Slack, else that
// of the source of truth, else the house's.
func (o *outbound) zoneOfApprover(ctx context.Context, email string) (*time.Location, error) {
	id, err := o.slackID(ctx, email)
	if err != nil {
		return nil, err
	}
	if id != "" {
		u, err := o.box.userInfo(ctx, string(id))
		if err != nil {
			return nil, fmt.Errorf("look up the time zone of %s: %w", id, err)
		}
		if zone, err := time.LoadLocation(u.TZ); err == nil && u.TZ != "" {
			return zone, nil
		}
	}
	switch i, err := o.Directory.Find(ctx, email); {
	case err != nil && lifecycle.ReasonOf(err) == "":
		return nil, fmt.Errorf("look up the time zone of an approver: %w", err)
	case err == nil && i.Person.Timezone != "":
		return i.Person.Zone(), nil
	}
	return o.Location, nil
}

// reminder says what still waits, what it is, and what comes of waiting.
func (m cardMaker) reminder() string {
	lead := "Still waiting for you: "
	if !m.r.Nudged.IsZero() && m.r.SnoozedBy(m.v.Email).Before(m.r.Nudged) {
		lead = subjectName(m.r.Subject) + " asks you to look at this: "
	}
	return lead + fullStop(m.title()) + " " + m.asks() + " " + m.deadline()
}
