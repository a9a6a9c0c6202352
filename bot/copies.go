package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

func copyKey(id lifecycle.RequestID, email string) string { return "dm/" + string(id) + "/" + email }

// showCopies shows the card to each approver by direct message while it can be
// decided, and keeps those copies true afterwards. It returns the approvers who
// cannot be found in Slack, and so are not asked.
func (o *outbound) showCopies(ctx context.Context, s scene) (missing []string, err error) {
	var emails []string
	if s.r.State == lifecycle.Pending {
		emails = s.asks()
	}
	for _, m := range s.under(copyKey(s.r.ID, "")) {
		if email := strings.TrimPrefix(m.Key, copyKey(s.r.ID, "")); !slices.Contains(emails, email) {
			emails = append(emails, email)
		}
	}
	var failed []error
	for _, email := range emails {
		if s.known(copyKey(s.r.ID, email)).TS != "" { // an edit
			if err := o.stands(ctx, s.r); err != nil {
				return nil, err
			}
		}
		err := o.showCopy(ctx, s, email)
		switch {
		case errors.Is(err, errNotInSlack) || unreachable(err):
			if s.r.State == lifecycle.Pending && slices.Contains(s.r.Approvers, email) {
				missing = append(missing, email)
			}
		case err != nil:
			failed = append(failed, err)
		}
	}
	return missing, errors.Join(failed...)
}

// asks returns the addresses of those who are sent a copy: whoever may decide and
// is not away.
func (s scene) asks() []string {
	var emails []string
	for _, a := range s.route {
		if a.Asked {
			emails = append(emails, a.Email)
		}
	}
	return emails
}

// stands returns nil while r is as it is stored, and errMovedOn once it is not.
func (o *outbound) stands(ctx context.Context, r lifecycle.Request) error {
	now, err := o.Store.Request(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("load request %s: %w", r.ID, err)
	}
	if now.Revision != r.Revision {
		return errMovedOn
	}
	return nil
}

var errNotInSlack = errors.New("nobody in Slack who is still with us has this address")

func (o *outbound) showCopy(ctx context.Context, s scene, email string) error {
	key := copyKey(s.r.ID, email)
	was := s.known(key)
	channel := was.Channel
	if was.TS == "" { // what stands is edited where it stands, whoever has the address now
		var err error
		if channel, err = o.dmTo(ctx, email); err != nil {
			return err
		}
	}
	_, err := o.deliver(ctx, parcel{
		Key: key, Request: s.r.ID, Channel: channel, Revision: s.r.Revision, Force: s.force,
		Event: lifecycle.EventCardShown, Message: o.cardFor(s, viewer{Email: email}),
	}, was)
	return err
}

// dmTo returns the direct message with whoever has the address, or
// errNotInSlack: also when they have left, who are told nothing any more.
func (o *outbound) dmTo(ctx context.Context, email string) (string, error) {
	if left, err := o.left(ctx, email); err != nil || left {
		return "", cmp.Or(err, errNotInSlack)
	}
	id, err := o.slackID(ctx, email)
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", errNotInSlack
	}
	return o.box.dm(ctx, string(id))
}
