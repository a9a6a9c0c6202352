package intake

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// ShortestToken is how many bytes a secret must have that is compared as it is.
const ShortestToken = 24

var (
	// ErrTooLarge says that a body is longer than it may be.
	ErrTooLarge = errors.New("the body is too large")
	// ErrTruncated says that a body ended before it was whole.
	ErrTruncated = errors.New("the body broke off")
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

// ReadBody returns the whole body of r. One that is longer than most bytes is
// ErrTooLarge, and one that breaks off is ErrTruncated.
func ReadBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.ContentLength > most {
		return nil, ErrTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, ErrTooLarge
	}
	if err != nil {
		return nil, ErrTruncated
	}
	return body, nil
}

// IsOneOf reports whether offered is one of the secrets. It takes as long for a
// wrong one as for a right one, whatever their lengths. A secret of fewer than
// ShortestToken bytes is nobody's.
func IsOneOf(offered string, secrets []string) bool {
	have, found := sha256.Sum256([]byte(offered)), 0
	for _, s := range secrets {
		want := sha256.Sum256([]byte(s))
		if len(s) >= ShortestToken {
			found |= subtle.ConstantTimeCompare(have[:], want[:])
		}
	}
	return found == 1
}

// Header returns the header's value when it was sent exactly once: of two, a
// proxy might have checked the other one.
func Header(h http.Header, name string) (string, bool) { return only(h, name) }

// IsAddress reports whether s has the outline of an e-mail address, and nothing
// that would make two of it in a list.
func IsAddress(s string) bool { return isAddress(s) && len(s) <= longestEmail }

// OwnFault returns err as a fault of ours, also where it is a Refusal: what is
// wrong with our own secrets is not the sender's to mend, nor a stranger's to read.
func OwnFault(doing string, err error) error { return errors.New(doing + ": " + err.Error()) }

// spoken reports whether what the source says comes by a door of its own, or is
// ours or a person's word: nobody else speaks in its name, whatever secret they have.
func spoken(source string) bool {
	kind, _, _ := strings.Cut(source, ":")
	return slices.Contains([]string{"scim", "set", "okta", "policy", lifecycle.SourcePeople, sourceUnverified}, kind)
}

// Visible reports whether s is ASCII that can be seen, and not empty.
func Visible(s string) bool { return printable(s) }
