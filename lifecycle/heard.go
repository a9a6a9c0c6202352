package lifecycle

import (
	"context"
	"fmt"
)

// Heard puts on the record that a source said something which is no fact, and
// enqueues the steps that follow. What is said of it must name nobody who is no
// concern of the company's: it stays in the trail.
func (b *Inbox) Heard(ctx context.Context, source, what string, next ...Job) error {
	e := AuditEvent{At: b.now(), Actor: BySource(source), Kind: EventNoticeIgnored, Ref: source, Detail: map[string]string{"why": what}}
	if err := b.store.Record(ctx, e, next...); err != nil {
		return fmt.Errorf("record what %s said: %w", source, err)
	}
	return nil
}
