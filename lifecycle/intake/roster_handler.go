package intake

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// RouteRoster is the path that Rosters answers.
const RouteRoster = "/v1/roster"

// SourceRoster is the source of a roster of which nothing else is said. Who has
// its token may name another source; any other token is that of its source alone.
const SourceRoster = "roster"

// headerRosterAt says when a roster was so, as RFC 3339; without it that is now.
const headerRosterAt = "X-Roster-At"

const (
	rosterArrivesIn = 5 * time.Minute
	rosterTakenIn   = 15 * time.Minute
)

// A RosterTaker takes whole snapshots in: *lifecycle.Snapshots.
type RosterTaker interface {
	Take(ctx context.Context, r lifecycle.Roster) (lifecycle.Taken, error)
}

// A RosterSender is a source, and what its tokens hash to: two are valid while
// one replaces the other.
type RosterSender struct {
	Source      string
	TokenSHA256 [][sha256.Size]byte
}

// RosterConfig is what Rosters works with. All of it but Dir is needed.
type RosterConfig struct {
	Snapshots RosterTaker
	// Senders returns who may send, none when the intake is off. It is called for
	// every request; an error is answered with 503.
	Senders func() ([]RosterSender, error)
	Ledger  *Ledger
	Dir     string // where a roster is kept while it is read; "" is where temporary files go
	Now     func() time.Time
	Log     *slog.Logger
}

// Rosters answers PUT /v1/roster, one at a time, after what the roster says is kept.
type Rosters struct {
	config RosterConfig
	turn   chan struct{} // has room for the one whose roster is read
}

// NewRosters returns a handler, and logs when it is off for want of a token.
func NewRosters(c RosterConfig) *Rosters {
	senders, err := c.Senders()
	switch {
	case err != nil:
		c.Log.Error("read roster tokens", slog.Any("err", err))
	case len(senders) == 0:
		c.Log.Warn("the roster intake is off: it has no token")
	}
	return &Rosters{config: c, turn: make(chan struct{}, 1)}
}

// rosterKept is the answer to a roster that was taken in.
type rosterKept struct {
	Rows    int `json:"rows"`
	Changed int `json:"changed"`
	Held    int `json:"held"`
}

// ServeHTTP answers 202 with what the roster came to; 400 when its body broke
// off; 401 for a token that is nobody's; 403 for one of another source; 409 for a
// roster that is not newer than the last; 413 over 64 MiB; 415 for what is no CSV
// and no JSON Lines; 422 with the mistakes by row:column, or when it differs from
// the last more than is ordinary; and 503 when it cannot be kept. It changes
// nothing unless it answers 202, and a repeat is harmless.
func (h *Rosters) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	source := ""
	a, err := h.receive(w, r, &source)
	if err != nil {
		a = h.turnAway(r, source, err)
	}
	if err := a.write(w); err != nil {
		h.config.Log.WarnContext(r.Context(), "answer a roster", slog.Any("err", err))
	}
}

// receive takes the roster in, and notes its source as soon as it is known.
func (h *Rosters) receive(w http.ResponseWriter, r *http.Request, source *string) (answer, error) {
	senders, err := h.config.Senders()
	switch {
	case err != nil:
		return answer{}, OwnFault("read the roster tokens", err)
	case len(senders) == 0:
		return answer{}, notFound("this intake is off: it has no token")
	case r.Method != http.MethodPut:
		return answer{}, &rejection{status: http.StatusMethodNotAllowed, header: map[string]string{"Allow": http.MethodPut}, problem: problem{Kind: "method", Reason: "only PUT is answered here"}}
	}
	sender, err := bearer(r.Header, senders)
	if err != nil {
		return answer{}, err
	}
	*source = sender
	named, err := sourceFor(r, sender)
	if err != nil {
		return answer{}, err
	}
	format, err := rosterFormat(r.Header)
	if err != nil {
		return answer{}, err
	}
	at, err := rosterAt(r.Header, h.config.Now())
	if err != nil {
		return answer{}, err
	}
	if r.ContentLength > largestRoster {
		return answer{}, errRosterTooLarge()
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-r.Context().Done():
		return answer{}, fmt.Errorf("wait for another roster: %w", r.Context().Err())
	}
	h.giveTime(w, r)
	return h.take(r, format, named, at)
}

// giveTime lets a roster take longer than other requests: one that is let in, and
// from when it is its turn.
func (h *Rosters) giveTime(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	for _, err := range []error{c.SetReadDeadline(time.Now().Add(rosterArrivesIn)), c.SetWriteDeadline(time.Now().Add(rosterArrivesIn + rosterTakenIn))} {
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			h.config.Log.WarnContext(r.Context(), "give a roster its time", slog.Any("err", err))
		}
	}
}

func (h *Rosters) take(r *http.Request, format Format, source string, at time.Time) (_ answer, err error) {
	file, err := ReadRoster(arriving{r.Body}, format, h.config.Dir)
	if err != nil {
		h.hearOut(r)
		return answer{}, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	roster, err := file.Roster(source, at)
	if err != nil {
		return answer{}, err
	}
	// It has arrived: whoever sent it may go, and it is taken in all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), rosterTakenIn)
	defer cancel()
	taken, err := h.config.Snapshots.Take(ctx, roster)
	if refused, ok := errors.AsType[*lifecycle.Refusal](err); ok {
		return refusalAnswer(refused), nil // which is on the record already
	}
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, body: rosterKept{Rows: taken.Rows, Changed: taken.Changed, Held: taken.Held}}, nil
}

// hearOut reads what is still being sent of a roster that is turned away: whoever
// sends would otherwise see a line that broke, and not what is wrong.
func (h *Rosters) hearOut(r *http.Request) {
	if _, err := io.Copy(io.Discard, io.LimitReader(r.Body, largestRoster)); err != nil {
		h.config.Log.DebugContext(r.Context(), "hear a roster out", slog.Any("err", err))
	}
}

// arriving is a body: where it breaks off, that is the sender's, and not a fault of ours.
type arriving struct{ io.Reader }

func (a arriving) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return n, err
}

// bearer returns the source whose token the request carries. It takes as long for
// a wrong one as for a right one.
func bearer(h http.Header, senders []RosterSender) (string, error) {
	refused := &rejection{
		status: http.StatusUnauthorized, header: map[string]string{"WWW-Authenticate": `Bearer realm="rolecall"`}, why: "the token is nobody's",
		problem: problem{Kind: "unauthenticated", Reason: "send Authorization: Bearer with a token that is in use"},
	}
	value, _ := only(h, "Authorization")
	scheme, token, _ := strings.Cut(value, " ")
	sum, source := sha256.Sum256([]byte(token)), ""
	for _, s := range senders {
		for _, want := range s.TokenSHA256 {
			if subtle.ConstantTimeCompare(sum[:], want[:]) == 1 {
				source = s.Source
			}
		}
	}
	if source == "" || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", refused
	}
	return source, nil
}

// sourceFor returns the source that the request names, or whose token it carries.
func sourceFor(r *http.Request, sender string) (string, error) {
	named := r.URL.Query()["source"]
	switch {
	case len(named) == 0 || len(named) == 1 && named[0] == sender:
		return sender, nil
	case len(named) > 1:
		return "", lifecycle.Refuse(lifecycle.ErrInvalid, "one roster is of one source, and ?source= names %d", len(named))
	case sender != SourceRoster:
		return "", lifecycle.Refuse(lifecycle.ErrForbidden, "the token is that of %s, and ?source= names another", sender)
	default:
		return named[0], CheckRosterSource(named[0])
	}
}

const longestSource = 64 // characters

// CheckRosterSource returns nil when a roster may be of the source: one whose
// words come by another door, or are a person's, is a Refusal.
func CheckRosterSource(name string) error {
	switch kind, _, _ := strings.Cut(name, ":"); {
	case name == "" || len(name) > longestSource || !printable(name):
		return lifecycle.Refuse(lifecycle.ErrInvalid, "the name of a source has 1 to %d characters of ASCII that can be seen", longestSource)
	case spoken(name):
		return lifecycle.Refuse(lifecycle.ErrForbidden, "what %s says does not come in rosters; name another source", kind)
	default:
		return nil
	}
}

// rosterFormat returns the format that the header says.
func rosterFormat(h http.Header) (Format, error) {
	const want = "Content-Type must be text/csv or application/x-ndjson, in UTF-8"
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "", unsupported("send the roster as it is, without Content-Encoding")
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if charset := params["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", unsupported(want)
	}
	switch media {
	case "text/csv":
		return CSV, nil
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines":
		return JSONL, nil
	default:
		return "", unsupported(want)
	}
}

// rosterAt returns when the roster was so.
func rosterAt(h http.Header, now time.Time) (time.Time, error) {
	if len(h.Values(headerRosterAt)) == 0 {
		return now, nil
	}
	value, _ := only(h, headerRosterAt)
	at, err := time.Parse(time.RFC3339, value)
	if err != nil || at.Year() < firstYear || at.Year() > lastYear {
		return time.Time{}, refuseFields([]lifecycle.FieldError{{Path: headerRosterAt, Message: "must be a time like 2026-05-31T06:00:00Z"}})
	}
	return at, nil
}

// turnAway puts a refusal on the record and returns its answer. Everything that
// is no refusal is a fault of ours, and is logged.
func (h *Rosters) turnAway(r *http.Request, source string, err error) answer {
	var a answer
	why := lifecycle.ReasonOf(err)
	rejected, isRejection := errors.AsType[*rejection](err)
	refused, isRefusal := errors.AsType[*lifecycle.Refusal](err)
	switch {
	case isRejection:
		a, why = rejected.answer(), rejected.why
	case errors.Is(err, ErrTooLarge):
		a = answer{status: http.StatusRequestEntityTooLarge, body: failure{problem{Kind: "too_large", Reason: why}}}
	case errors.Is(err, ErrTruncated):
		why = "the roster broke off before it was whole"
		a = answer{status: http.StatusBadRequest, body: failure{problem{Kind: lifecycle.ErrInvalid.Error(), Reason: why + "; send it again"}}}
	case isRefusal:
		a = refusalAnswer(refused)
	default:
		h.config.Log.ErrorContext(r.Context(), "take in a roster", slog.String("source", source), slog.Any("err", err))
		return unavailable()
	}
	if why != "" {
		h.config.Ledger.Refuse(r, http.MethodPut+" "+RouteRoster, source, why)
	}
	return a
}
