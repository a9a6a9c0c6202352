package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"rolecall/lifecycle"
)

// notice takes what a source says of one person.
func (h *Handler) notice(ctx context.Context, v *visit, media string, body []byte) (answer, error) {
	if media == mediaBatch {
		return answer{}, unsupported("one message says something of one person; send " + mediaEvent)
	}
	fact, err := h.readFact(body)
	if fact.Source != "" {
		v.source = fact.Source
	}
	if err != nil {
		return answer{}, err
	}
	id, duplicate, err := h.config.Inbox.Receive(ctx, fact)
	if err != nil {
		return answer{}, err
	}
	if _, err := h.config.Sources.Hear(ctx, fact.Source, false); err != nil { // the fact is kept: sent again, it is a repeat
		return answer{}, fmt.Errorf("hear %s: %w", fact.Source, err)
	}
	return kept{ID: string(id), Duplicate: duplicate}.answer(), nil
}

// readFact returns the fact that body, an event, is. When the event is a
// Refusal, what is known of its source is returned with it.
func (h *Handler) readFact(body []byte) (lifecycle.Fact, error) {
	value, err := parseBody(body)
	if err != nil {
		return lifecycle.Fact{}, err
	}
	e, wrong := readEvent(value, "", identityShape, h.config.Now())
	var fact lifecycle.Fact
	if e.data != nil {
		f := &form{object: e.data, place: under("data.")}
		fact = readPerson(f)
		wrong = append(wrong, f.wrong...)
	}
	sum := sha256.Sum256(body)
	fact.Source, fact.EventID, fact.ObservedAt, fact.SHA256 = e.source, e.id, e.at, hex.EncodeToString(sum[:])
	return fact, refuseFields(wrong)
}
