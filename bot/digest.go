package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rolecall/lifecycle"
)

// digests sends every digest that is due. One that fails does not keep the
// others back, and is due again when this is repeated. Ref: "".
func (o *outbound) digests(ctx context.Context, _ lifecycle.Attempt) error {
	due, err := o.Digests.Due(ctx)
	if err != nil {
		return err
	}
	if len(due) >= listWorth {
		if err := o.learn(ctx); err != nil {
			return err
		}
	}
	var failed []error
	for _, email := range due {
		failed = append(failed, o.digest(ctx, email))
	}
	return errors.Join(append(failed, o.channels(ctx))...)
}

func digestKey(email string, at time.Time) string {
	return "digest/" + email + "/" + at.Format(time.DateOnly)
}

// digest sends one owner's digest, at most once on any of their days, and not
// at all when there is nothing to say.
func (o *outbound) digest(ctx context.Context, email string) error {
	email = lifecycle.FoldEmail(email)
	release, err := o.locks.take(ctx, "digest/"+email)
	if err != nil {
		return err
	}
	defer release()
	left, err := o.left(ctx, email)
	if err != nil {
		return err
	}
	id, err := o.slackID(ctx, email)
	if err != nil {
		return err
	}
	if left || id == "" {
		return o.undigested(ctx, email)
	}
	loc, err := o.zoneOf(ctx, string(id))
	if err != nil {
		return err
	}
	key := digestKey(email, o.Now().In(loc))
	was, err := o.message(ctx, key)
	if err != nil {
		return err
	}
	if was.TS != "" {
		return o.Digests.Sent(ctx, email, "already sent today")
	}
	return o.sendDigest(ctx, email, string(id), key, loc, was)
}

func (o *outbound) sendDigest(ctx context.Context, email, user, key string, loc *time.Location, was lifecycle.Message) error {
	v, err := o.composed(ctx, email, loc)
	if err != nil {
		return err
	}
	if v.empty() {
		return o.Digests.Sent(ctx, email, "nothing to say")
	}
	// A first message needs no opened conversation: Slack answers with the id of it.
	_, err = o.deliver(ctx, parcel{Key: key, Channel: user, Message: v.message()}, was)
	if unreachable(err) {
		return o.undigested(ctx, email)
	}
	if err != nil {
		return fmt.Errorf("send digest: %w", err)
	}
	return o.Digests.Sent(ctx, email, "sent")
}

// composed returns the digest of whoever has the address, as it is drawn now.
func (o *outbound) composed(ctx context.Context, email string, loc *time.Location) (digestView, error) {
	d, err := o.Digests.Compose(ctx, email)
	if err != nil {
		return digestView{}, fmt.Errorf("compose digest: %w", err)
	}
	return o.digestView(ctx, d, loc)
}

// digestView returns d as it is drawn, with what waits for Security where it is
// for somebody of them.
func (o *outbound) digestView(ctx context.Context, d lifecycle.Digest, loc *time.Location) (digestView, error) {
	v := digestView{frame: frame{mode: o.Mode, now: d.At, loc: loc}, d: d}
	var err error
	if v.p, err = o.Policies.Current(ctx); err != nil {
		return v, fmt.Errorf("read the policy in force: %w", err)
	}
	if v.security, err = o.securityInboxFor(ctx, v.p, d.For); err != nil {
		return v, err
	}
	if v.asked, err = o.askedAbout(ctx, d.Bundles); err != nil {
		return v, err
	}
	people := append(approversOf(d.Waiting), v.security.deciders()...)
	people = append(people, approversOf(slices.Collect(maps.Values(v.asked)))...)
	for _, a := range d.StandIn {
		people = append(people, a.Email)
	}
	v.names, err = o.names(ctx, people...)
	return v, err
}

// askedAbout returns the requests that ask about the findings, or have.
func (o *outbound) askedAbout(ctx context.Context, bundles []lifecycle.Bundle) (map[lifecycle.RequestID]lifecycle.Request, error) {
	asked := map[lifecycle.RequestID]lifecycle.Request{}
	for _, b := range bundles {
		for _, f := range b.Findings {
			if f.Request == "" {
				continue
			}
			r, err := o.Store.Request(ctx, f.Request)
			if errors.Is(err, lifecycle.ErrNotFound) {
				continue // what has been deleted asks nothing
			}
			if err != nil {
				return nil, fmt.Errorf("load request %s: %w", f.Request, err)
			}
			asked[r.ID] = r
		}
	}
	return asked, nil
}

// undigested says that an owner cannot be sent a digest: on the record, and to
// security, for what they own is looked after by nobody then.
func (o *outbound) undigested(ctx context.Context, email string) error {
	e := lifecycle.AuditEvent{At: o.Now(), Actor: lifecycle.System, Kind: lifecycle.EventCardFailed, Ref: email, Detail: map[string]string{"why": "the owner has left or cannot be reached in Slack, so no digest was sent"}}
	told := lifecycle.Job{Kind: lifecycle.JobAlert, Ref: fmt.Sprintf("The policy names %s, who has left or cannot be reached in Slack: they get no cards and no digest. Name somebody else, or correct the address.", email)}
	if err := o.Store.Record(ctx, e, told); err != nil {
		return fmt.Errorf("record unreachable owner: %w", err)
	}
	return o.Digests.Sent(ctx, email, "cannot be reached in Slack")
}

// zoneOf returns the time zone that the person has set in Slack, or the house's.
func (o *outbound) zoneOf(ctx context.Context, user string) (*time.Location, error) {
	if known := o.zoneKnown(user); known != "" {
		if loc, err := time.LoadLocation(known); err == nil {
			return loc, nil
		}
	}
	u, err := o.box.userInfo(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("look up the time zone of %s: %w", user, err)
	}
	if loc, err := time.LoadLocation(u.TZ); err == nil && u.TZ != "" {
		return loc, nil
	}
	return o.Location, nil
}

func approversOf(rs []lifecycle.Request) []string {
	var emails []string
	for _, r := range rs {
		emails = append(emails, r.Approvers...)
		for _, d := range r.Decisions {
			if d.Via != lifecycle.ViaPolicy {
				emails = append(emails, d.By)
			}
		}
	}
	return emails
}
