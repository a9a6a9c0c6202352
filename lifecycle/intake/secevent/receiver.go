package secevent

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

// Route is the path that a Receiver answers.
const Route = "/v1/security-events"

const (
	longestToken = 64 << 10 // bytes
	mediaToken   = "application/secevent+jwt"
	keptWithin   = 8 * time.Second // or the sender is asked to send it again
	door         = "POST " + Route
)

// Config is what a Receiver works with. All of it is needed; without an issuer
// the intake is off.
type Config struct {
	Inbox   *lifecycle.Inbox
	Sources intake.Sources
	Issuers []Issuer
	Client  *http.Client // reads the issuers' keys; redirects are not followed
	Now     func() time.Time
	Log     *slog.Logger
}

// A Receiver answers POST /v1/security-events, after what the token says is kept.
type Receiver struct {
	config Config
	rings  map[string]*keyring // by issuer
	ledger *intake.Ledger
}

// New returns a receiver, and logs when it is off for want of an issuer.
func New(c Config) *Receiver {
	if len(c.Issuers) == 0 {
		c.Log.Warn("the intake of security events is off: nobody may send any")
	}
	r := &Receiver{config: c, rings: map[string]*keyring{}, ledger: intake.NewLedger(c.Inbox, c.Now, c.Log)}
	for _, is := range c.Issuers {
		r.rings[is.Name] = newKeyring(is, c.Client, c.Now, c.Log)
	}
	return r
}

// Flush writes what was counted of refusals and is not on the record yet. Call
// it before the store is closed.
func (r *Receiver) Flush(ctx context.Context) { r.ledger.Settle(ctx, true) }

// ServeHTTP answers one request: 202 and nothing else once the token is kept, 400
// with a code of RFC 8935 where it will never be, and 503 where it may be later.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	ctx, cancel := context.WithTimeout(q.Context(), keptWithin)
	defer cancel()
	q = q.WithContext(ctx)
	r.ledger.Settle(ctx, false)
	source, err := r.receive(w, q)
	if err == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if err := r.turnAway(q, source, err).write(w); err != nil {
		r.config.Log.WarnContext(ctx, "answer a security event", slog.Any("err", err))
	}
}

// receive keeps what was sent. The source is returned once it is known by a signature.
func (r *Receiver) receive(w http.ResponseWriter, q *http.Request) (string, error) {
	if len(r.config.Issuers) == 0 {
		return "", notHere(http.StatusNotFound, "this intake is off: nobody may send any", nil)
	}
	if q.Method != http.MethodPost {
		return "", notHere(http.StatusMethodNotAllowed, "only POST is answered here", map[string]string{"Allow": http.MethodPost})
	}
	body, err := readBody(w, q)
	if err != nil {
		return "", err
	}
	c, err := r.readToken(q.Context(), strings.TrimSpace(string(body)))
	if err != nil {
		return c.issuer.Source, err
	}
	defer r.hear(q.Context(), c.issuer.heard)
	said, err := c.read(sha256.Sum256(body))
	if err != nil {
		return c.issuer.Source, err
	}
	return c.issuer.Source, r.keep(q.Context(), c.issuer.Source, said)
}

func readBody(w http.ResponseWriter, q *http.Request) ([]byte, error) {
	media, _, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil || media != mediaToken || q.Header.Get("Content-Encoding") != "" {
		return nil, refuse(errRequest, "Content-Type must be %s, as it is", mediaToken)
	}
	body, err := intake.ReadBody(w, q, longestToken)
	switch {
	case errors.Is(err, intake.ErrTooLarge):
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, code: errRequest, description: "a token is at most 64 KiB"}
	case err != nil:
		return nil, refuse(errRequest, "the body broke off")
	default:
		return body, nil
	}
}

// keep keeps all of what was said. What it leaves behind when it fails is a
// repeat when the token is sent again.
func (r *Receiver) keep(ctx context.Context, source string, said reading) error {
	for _, f := range said.facts {
		_, _, err := r.config.Inbox.Receive(ctx, f)
		if refused, ok := errors.AsType[*lifecycle.Refusal](err); ok {
			return refuse(errRequest, "%s", refused.Reason)
		}
		if err != nil {
			return fmt.Errorf("keep a security event of %s: %w", source, err)
		}
	}
	if len(said.heard) == 0 {
		return nil
	}
	return r.config.Inbox.Heard(ctx, source, said.line())
}

// hear notes that the source was heard. What it said is kept, or refused, either way.
func (r *Receiver) hear(ctx context.Context, source string) {
	if _, err := r.config.Sources.Hear(ctx, source, false); err != nil {
		r.config.Log.ErrorContext(ctx, "note that a source was heard", slog.String("source", source), slog.Any("err", err))
	}
}

// turnAway puts a refusal on the record. Everything that is no refusal is a fault
// of ours, and is logged; keys that cannot be read now are the issuer's.
func (r *Receiver) turnAway(q *http.Request, source string, err error) *refusal {
	refused, ok := errors.AsType[*refusal](err)
	switch {
	case errors.Is(err, errKeysLate):
		r.ledger.Refuse(q, door, "", "not now: "+errKeysLate.Error())
		return unavailable()
	case !ok:
		r.config.Log.ErrorContext(q.Context(), "keep a security event", slog.Any("err", err))
		return unavailable()
	case refused.code != "":
		r.ledger.Refuse(q, door, source, refused.Error())
	}
	return refused
}
