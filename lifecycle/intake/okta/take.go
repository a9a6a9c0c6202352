package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"rolecall/lifecycle"
)

// take takes in a page of the log and returns how far that is. What of it was
// taken in before is passed over, also where the last try came only half through.
func (r *Resync) take(ctx context.Context, at cursor, page []json.RawMessage) (cursor, error) {
	events, err := r.fresh(ctx, page)
	if err != nil {
		return at, err
	}
	last := map[string]int{} // user → the last event of the page that says something has changed
	for i, e := range events {
		if who, ok := e.user(); ok && e.meaning().values {
			last[who.ID] = i
		}
	}
	for i, e := range events {
		who, _ := e.user()
		newest, reads := last[who.ID]
		if err := r.takeEvent(ctx, e, reads && newest == i); err != nil {
			return at, err
		}
		r.done[e.name()] = e.Published
		if e.Published.After(at.Published) {
			at.Published = e.Published
		}
	}
	return at, nil
}

// fresh returns the events of a page that say something and were not taken in
// yet. One that cannot be read is refused on the record, and holds up no other.
func (r *Resync) fresh(ctx context.Context, page []json.RawMessage) ([]event, error) {
	var events []event
	for _, raw := range page {
		e, err := readEvent(raw)
		if _, done := r.done[e.name()]; done {
			continue
		}
		if err != nil {
			if err := r.refuse(ctx, err); err != nil {
				return nil, err
			}
			r.done[e.name()] = r.config.Now()
			continue
		}
		if e.meaning() != (meaning{}) {
			events = append(events, e)
		}
	}
	return events, nil
}

// name returns what the event is known by while the log is read.
func (e event) name() string {
	if isID(e.UUID) {
		return e.UUID
	}
	return "sha256:" + e.sha256
}

// takeEvent keeps what an event says, and reads whom it is about where it does
// not say it.
func (r *Resync) takeEvent(ctx context.Context, e event, reads bool) error {
	if e.Published.After(r.config.Now().Add(skew)) {
		return fmt.Errorf("event %s was published at %s, which is in the future: check this machine's clock", e.UUID, e.Published)
	}
	if fact, ok := e.fact(); ok {
		if err := r.receive(ctx, fact); err != nil {
			return err
		}
	}
	if !reads {
		return nil
	}
	fact, ok, err := r.state(ctx, e)
	if _, refused := errors.AsType[*lifecycle.Refusal](err); refused {
		return r.refuse(ctx, err)
	}
	if err != nil || !ok {
		return err
	}
	return r.receive(ctx, fact)
}

func (r *Resync) receive(ctx context.Context, fact lifecycle.Fact) error {
	_, _, err := r.config.Inbox.Receive(ctx, fact)
	if _, refused := errors.AsType[*lifecycle.Refusal](err); refused {
		return r.refuse(ctx, err)
	}
	if err != nil {
		return fmt.Errorf("keep %s: %w", fact.EventID, err)
	}
	return nil
}

// refuse puts on the record what cannot be taken in however often it is read.
func (r *Resync) refuse(ctx context.Context, why error) error {
	return r.config.Inbox.Refused(ctx, Source, "Okta's log: "+lifecycle.ReasonOf(why))
}
