package intake

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"rolecall/lifecycle"
)

// A Ledger is the one book of refusals, for the intakes that have a room of
// their own. It is safe for many at once.
type Ledger struct{ book *ledger }

// NewLedger returns a ledger that writes through inbox.
func NewLedger(inbox *lifecycle.Inbox, now func() time.Time, log *slog.Logger) *Ledger {
	return &Ledger{book: newLedger(inbox, now, log)}
}

// Refuse puts on the record why a request was turned away, or counts it when
// the minute is full. Route is what was asked for, such as POST /hooks/okta, out
// of a closed set; source is who asked, or "" for a stranger, who is told of by
// the neighbourhood.
func (l *Ledger) Refuse(r *http.Request, route, source, why string) {
	p := page{route: route, verified: source != "", source: source}
	if source == "" {
		source, why = sourceUnverified, why+", from "+neighbourhood(r)
	}
	l.book.refuse(r.Context(), p, source, why)
}

// Settle writes the counts of the minutes that are over, or of all.
func (l *Ledger) Settle(ctx context.Context, all bool) { l.book.settle(ctx, all) }

// ReadJSON returns the one value that body is: a string, json.Number, bool,
// nil, []any or map[string]any. Trailing data, a name given twice, text that is
// not UTF-8 and what is nested too deeply are a Refusal that says where.
func ReadJSON(body []byte) (any, error) {
	value, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	return plainValue(value), nil
}

func plainValue(value any) any {
	switch v := value.(type) {
	case object:
		m := make(map[string]any, len(v))
		for _, member := range v {
			m[member.name] = plainValue(member.value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = plainValue(v[i])
		}
	}
	return value
}

// Clip makes text from outside fit for a line of the trail: one line, without
// marks that turn the direction of writing, and at most n characters long.
func Clip(s string, n int) string { return clip(s, n) }
