package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"rolecall/lifecycle"
)

const maxAlert = 2500

// alert tells security a sentence, once a day however often it is asked to:
// in the security channel, or each member by direct message when that cannot
// be reached. Ref: the sentence.
func (o *outbound) alert(ctx context.Context, a lifecycle.Attempt) error {
	key := alertKey(a.Ref, o.Now().In(o.Location))
	release, err := o.locks.take(ctx, key)
	if err != nil {
		return err
	}
	defer release()
	policy, err := o.Policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	m := message{Text: "Security: " + foreign(a.Ref, maxAlert) + o.linkTo(ctx, a.Ref)}
	if channel := policy.Security.Channel; channel != "" {
		err := o.once(ctx, parcel{Key: key, Channel: channel, Message: m})
		if !unreachable(err) {
			return err
		}
	}
	return o.alertMembers(ctx, key, policy.Security.Told(), m)
}

// ofCard finds the id of what has a card.
var ofCard = regexp.MustCompile(`\b(?:cas|hld|req)_[a-z0-9]+\b`)

// linkTo returns a link to the card of what the sentence names, or "" where none
// stands. That it cannot be looked up keeps no alert back.
func (o *outbound) linkTo(ctx context.Context, sentence string) string {
	id := ofCard.FindString(sentence)
	if id == "" {
		return ""
	}
	card, err := o.cardOf(ctx, id)
	if err != nil || card.TS == "" || strings.HasPrefix(card.Channel, "D") {
		o.Log.InfoContext(ctx, "alert without a link", slog.String("about", id), slog.Any("err", err))
		return ""
	}
	link, err := o.box.permalink(ctx, card.Channel, card.TS)
	if err != nil {
		o.Log.InfoContext(ctx, "alert without a link", slog.String("about", id), slog.Any("err", err))
		return ""
	}
	return " <" + link + "|See its card>"
}

// cardOf returns what is known of the card of a case, a hold or a request.
func (o *outbound) cardOf(ctx context.Context, id string) (lifecycle.Message, error) {
	switch {
	case strings.HasPrefix(id, "cas_"):
		return o.message(ctx, caseKey(lifecycle.CaseID(id)))
	case strings.HasPrefix(id, "hld_"):
		return o.message(ctx, holdKey(lifecycle.HoldID(id)))
	}
	sent, err := o.Store.Messages(ctx, lifecycle.RequestID(id))
	for _, m := range sent {
		if strings.HasPrefix(m.Key, cardKey(lifecycle.RequestID(id), "")) && m.TS != "" {
			return m, nil
		}
	}
	return lifecycle.Message{}, err
}

func alertKey(sentence string, now time.Time) string {
	sum := sha256.Sum256([]byte(sentence))
	return "alert/" + hex.EncodeToString(sum[:12]) + "/" + now.Format(time.DateOnly)
}

func (o *outbound) alertMembers(ctx context.Context, key string, members []string, m message) error {
	reached := 0
	var failed []error
	for _, email := range members {
		channel, err := o.dmTo(ctx, email)
		if err == nil {
			err = o.once(ctx, parcel{Key: key + "/" + email, Channel: channel, Message: m})
		}
		switch {
		case err == nil:
			reached++
		case !errors.Is(err, errNotInSlack) && !unreachable(err):
			failed = append(failed, err)
		}
	}
	if reached == 0 && len(failed) == 0 {
		return errors.New("nobody of Security can be reached in Slack: check security.channel and security.members in the policy")
	}
	return errors.Join(failed...)
}

// once delivers what is said once and never edited.
func (o *outbound) once(ctx context.Context, p parcel) error {
	was, err := o.message(ctx, p.Key)
	if err != nil || was.TS != "" {
		return err
	}
	_, err = o.deliver(ctx, p, was)
	return err
}
