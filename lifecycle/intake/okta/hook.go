package okta

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const (
	longestBody      = 1 << 20 // bytes
	longestChallenge = 256
	answerWithin     = 2500 * time.Millisecond // Okta waits for 3 s. Source: Okta, "Event hooks", "Timeout and retry"
	doorHook         = "POST " + Route
)

// Route is the path that a Hook answers.
const Route = "/hooks/okta"

const headerChallenge = "X-Okta-Verification-Challenge"

// Config is what a Hook works with. All of it is needed but ResyncAfter.
type Config struct {
	Inbox   *lifecycle.Inbox
	Sources intake.Sources
	// Secrets returns the secrets in use, one or two of at least 24 bytes, none
	// when the intake is off. It is called for every request, so that a file that
	// changed counts at once. An error is answered with 503.
	Secrets func() ([]string, error)
	// ResyncAfter is how long after an event without values what it speaks of is
	// read, so that many lead to one reading; 0 where nothing can be read.
	ResyncAfter time.Duration
	Now         func() time.Time
	Log         *slog.Logger
}

// A Hook answers what Okta sends to an event hook: GET once, to see whose it is,
// and POST, after everything in it is kept.
type Hook struct {
	config Config
	ledger *intake.Ledger
}

// NewHook returns a handler, and logs when it is off for want of a secret.
func NewHook(c Config) *Hook {
	secrets, err := c.Secrets()
	switch {
	case err != nil:
		c.Log.Error("read the secrets of the Okta event hook", slog.Any("err", err))
	case len(secrets) == 0:
		c.Log.Warn("the Okta event hook is off: it has no secret")
	}
	return &Hook{config: c, ledger: intake.NewLedger(c.Inbox, c.Now, c.Log)}
}

// Flush writes what was counted of refusals and is not on the record yet. Call
// it before the store is closed.
func (h *Hook) Flush(ctx context.Context) { h.ledger.Settle(ctx, true) }

// ServeHTTP answers one request. A delivery gets 204 once it is kept, 401 without
// a secret in use, 413 over 1 MiB, 415 for another media type, 422 for what is no
// envelope of an event hook or has an event that nobody can keep, and 503 where
// it is not kept in time: Okta sends it once more. What it refuses is on the record.
func (h *Hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	r = r.WithContext(ctx)
	h.ledger.Settle(ctx, false)
	a, err := h.receive(w, r)
	if err != nil {
		a = h.turnAway(r, err)
	}
	if err := a.write(w); err != nil {
		h.config.Log.WarnContext(ctx, "answer Okta", slog.Any("err", err))
	}
}

func (h *Hook) receive(w http.ResponseWriter, r *http.Request) (answer, error) {
	secrets, err := h.config.Secrets()
	if err != nil {
		return answer{}, intake.OwnFault("read the secrets of the Okta event hook", err)
	}
	if len(secrets) == 0 {
		return answer{}, &rejection{status: http.StatusNotFound, reason: "this intake is off: it has no secret"}
	}
	switch r.Method {
	case http.MethodGet:
		return challenge(r)
	case http.MethodPost:
		return h.deliver(w, r, secrets)
	default:
		return answer{}, &rejection{status: http.StatusMethodNotAllowed, reason: "only GET and POST are answered here", allow: "GET, POST"}
	}
}

// challenge says back what Okta asked. It is a mere reflection and proves
// nothing, and whether Okta sends the secret with it is not known: it is not
// asked for.
func challenge(r *http.Request) (answer, error) {
	value, ok := intake.Header(r.Header, headerChallenge)
	if !ok || !intake.Visible(value) || len(value) > longestChallenge {
		return answer{}, &rejection{status: http.StatusBadRequest, reason: "GET answers the header x-okta-verification-challenge, of at most 256 visible characters"}
	}
	return answer{status: http.StatusOK, body: map[string]string{"verification": value}}, nil
}

func (h *Hook) deliver(w http.ResponseWriter, r *http.Request, secrets []string) (answer, error) {
	offered, ok := intake.Header(r.Header, "Authorization")
	if !intake.IsOneOf(offered, secrets) || !ok {
		return answer{}, &rejection{
			status: http.StatusUnauthorized, reason: "the header Authorization must be the secret of the hook",
			why: "the header Authorization is no secret in use", stranger: true,
		}
	}
	defer h.hear(r.Context())
	body, err := readBody(w, r)
	if err != nil {
		return answer{}, err
	}
	e, err := readEnvelope(body)
	if err != nil {
		return answer{}, err
	}
	if err := h.keep(r.Context(), e); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// hear notes that Okta was heard. What it said is kept, or refused, either way.
func (h *Hook) hear(ctx context.Context) {
	if _, err := h.config.Sources.Hear(ctx, Source, false); err != nil {
		h.config.Log.ErrorContext(ctx, "note that Okta was heard", slog.Any("err", err))
	}
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		return nil, refuse(http.StatusUnsupportedMediaType, "an event hook is application/json, in UTF-8 and as it is")
	}
	body, err := intake.ReadBody(w, r, longestBody)
	switch {
	case errors.Is(err, intake.ErrTooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "a delivery is at most 1 MiB")
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body broke off")
	default:
		return body, nil
	}
}

// turnAway puts a refusal on the record and returns its answer. Everything that
// is no refusal is a fault of ours, or a store that is too slow, and is logged.
func (h *Hook) turnAway(r *http.Request, err error) answer {
	if refused, ok := errors.AsType[*lifecycle.Refusal](err); ok {
		err = refuse(http.StatusUnprocessableEntity, refused.Reason)
	}
	rejected, ok := errors.AsType[*rejection](err)
	if !ok {
		h.config.Log.ErrorContext(r.Context(), "keep what Okta sent", slog.Any("err", err))
		return unavailable()
	}
	if rejected.why != "" {
		source := Source
		if rejected.stranger {
			source = ""
		}
		h.ledger.Refuse(r, doorHook, source, rejected.why)
	}
	return rejected.answer()
}
