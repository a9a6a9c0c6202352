package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// showTries is how often a card is drawn again because its request moved on
// while it was drawn.
const showTries = 10

// errMovedOn ends a drawing of what is not so any more. Slack allows fifty
// edits a minute: those of states that have passed would delay the one that stays.
var errMovedOn = errors.New("the request moved on while it was drawn")

// show brings every copy of a request's card to the truth: the one in the
// team's channel, its thread, each approver's copy, and what the subject is
// told. It may be repeated and interrupted anywhere. Ref: RequestID.
func (o *outbound) show(ctx context.Context, a lifecycle.Attempt) error {
	return o.follow(ctx, lifecycle.RequestID(a.Ref), o.draw)
}

// redraw brings the one message that was pressed to the truth at once: the step
// that brings them all there may stand behind hundreds.
func (o *outbound) redraw(ctx context.Context, pressed lifecycle.Message) error {
	return o.follow(ctx, pressed.Request, func(ctx context.Context, r lifecycle.Request, force bool) error {
		s, err := o.scene(ctx, r, force)
		if err != nil {
			return err
		}
		s.rank = awaited
		if email, ok := strings.CutPrefix(pressed.Key, copyKey(r.ID, "")); ok {
			return o.showCopy(ctx, s, email)
		}
		if channel, ok := strings.CutPrefix(pressed.Key, cardKey(r.ID, "")); ok {
			_, err = o.showCardIn(ctx, s, channel)
		}
		return err
	})
}

// follow draws the request, and again for as long as it moves on meanwhile.
func (o *outbound) follow(ctx context.Context, id lifecycle.RequestID, draw func(context.Context, lifecycle.Request, bool) error) error {
	return followed(ctx, o, "request", string(id), func(ctx context.Context) (lifecycle.Request, string, error) {
		r, err := o.Store.Request(ctx, id)
		return r, mark(r.Revision), err
	}, draw)
}

// scene is what all copies of one card are drawn from.
type scene struct {
	frame
	r     lifecycle.Request
	have  []lifecycle.Message // in the order in which they were first intended
	force bool
	rank  rank
}

func (o *outbound) draw(ctx context.Context, r lifecycle.Request, force bool) error {
	s, err := o.scene(ctx, r, force)
	if err != nil {
		return err
	}
	card, cardErr := o.showCard(ctx, s)
	missing, copyErr := o.showCopies(ctx, s)
	if errors.Is(copyErr, errMovedOn) {
		return errors.Join(cardErr, copyErr)
	}
	return errors.Join(cardErr, copyErr, o.showNotes(ctx, s, card, missing), o.tellFailure(ctx, s), o.tellSubject(ctx, s), o.tellReach(ctx, s), o.tellContained(ctx, s), o.tellTakers(ctx, s), o.tellAsked(ctx, s))
}

func (o *outbound) scene(ctx context.Context, r lifecycle.Request, force bool) (scene, error) {
	s := scene{frame: frame{mode: o.Mode, now: o.Now(), loc: o.Location}, r: r, force: force}
	var err error
	if s.p, err = o.Policies.Current(ctx); err != nil {
		return s, fmt.Errorf("read the policy in force: %w", err)
	}
	if r.State == lifecycle.Pending {
		if s.route, err = o.Approvals.Route(ctx, r); err != nil {
			return s, err
		}
		s.r = r.Lapse(s.route) // the domain will not count them, so the card does not
		s.r.Approvers = s.route.Emails()
	}
	if s.have, err = o.Store.Messages(ctx, r.ID); err != nil {
		return s, fmt.Errorf("list messages: %w", err)
	}
	people := slices.Clone(s.r.Approvers)
	if s.route != nil {
		people = spoken(s.route)
	}
	if isWish(r) {
		people = append(people, r.Subject.Email)
	}
	if r.Chosen.By != "" {
		people = append(people, r.Chosen.By)
	}
	for _, d := range r.Decisions {
		if d.Via != lifecycle.ViaPolicy {
			people = append(people, d.By, d.For)
		}
	}
	for _, q := range r.Questions {
		people = append(people, q.By, q.To, q.AnsweredBy)
	}
	for _, a := range r.Assigned {
		people = append(people, a.From, a.To)
	}
	s.names, err = o.names(ctx, people...)
	return s, err
}

// spoken returns the addresses of a route that a card names: a group is named itself.
func spoken(route lifecycle.Route) []string {
	var emails []string
	for _, a := range route {
		if a.Group == "" || a.For != "" {
			emails = append(emails, a.Email, a.For)
		}
	}
	return emails
}

// known returns what is known of the message with that key.
func (s scene) known(key string) lifecycle.Message {
	for _, m := range s.have {
		if m.Key == key {
			return m
		}
	}
	return lifecycle.Message{}
}

// under returns what is known of the messages whose key begins with prefix.
func (s scene) under(prefix string) []lifecycle.Message {
	var found []lifecycle.Message
	for _, m := range s.have {
		if strings.HasPrefix(m.Key, prefix) {
			found = append(found, m)
		}
	}
	return found
}

func (o *outbound) cardFor(s scene, v viewer) message {
	m := newCard(s.r, s.frame, v).message()
	m.Rank = s.rank
	return m
}

func cardKey(id lifecycle.RequestID, channel string) string {
	return "card/" + string(id) + "/" + channel
}

// home returns the channel that the request's card belongs in. That somebody is
// being contained is not said where they may still be reading.
func (s scene) home() string {
	if s.r.Contains() {
		return s.p.Security.Channel
	}
	for _, t := range s.r.HomeTeams() {
		if tp, ok := s.p.TeamFor(t); ok && tp.Channel != "" {
			return tp.Channel
		}
	}
	return s.p.Security.Channel
}

// places returns where the card stands already, and where else it belongs when
// nothing can be said there: in its team's channel of today, or with security.
func (s scene) places() (all []string, standing int) {
	for _, m := range s.under(cardKey(s.r.ID, "")) {
		all = append(all, strings.TrimPrefix(m.Key, cardKey(s.r.ID, "")))
	}
	standing = len(all)
	for _, channel := range []string{s.home(), s.p.Security.Channel} {
		if channel != "" && !slices.Contains(all, channel) {
			all = append(all, channel)
		}
	}
	return all, standing
}

// showCard shows the card wherever it stands, or in the first place that can be
// spoken in, and returns it: the zero message when there is none.
func (o *outbound) showCard(ctx context.Context, s scene) (card lifecycle.Message, err error) {
	places, standing := s.places()
	for i, channel := range places {
		if card.TS != "" && i >= standing {
			break
		}
		m, err := o.showCardIn(ctx, s, channel)
		switch {
		case err == nil:
			card = m
		case !unreachable(err):
			return card, err
		case i+1 < standing: // it was shown elsewhere because of that, and that was told then
		default:
			if err := o.unshown(ctx, string(s.r.ID), channel, err); err != nil {
				return card, err
			}
		}
	}
	return card, nil
}

func (o *outbound) showCardIn(ctx context.Context, s scene, channel string) (lifecycle.Message, error) {
	key := cardKey(s.r.ID, channel)
	was := s.known(key)
	is, err := o.deliver(ctx, parcel{
		Key: key, Request: s.r.ID, Channel: channel, Revision: s.r.Revision, Force: s.force,
		Event: lifecycle.EventCardShown, Message: o.cardFor(s, viewer{}),
	}, was)
	if err != nil || is == was {
		return is, err
	}
	return is, o.shownIn(ctx, channel)
}
