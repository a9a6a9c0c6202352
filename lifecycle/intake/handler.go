package intake

import (
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"rolecall/lifecycle"
)

const longestBody = 1 << 20 // bytes

// The paths that a Handler answers.
const (
	RouteLifecycle = "/v1/lifecycle"
	RouteFindings  = "/v1/findings"
)

const routeOther = "other" // every other path

// The media types of CloudEvents 1.0 in structured mode.
const (
	mediaJSON  = "application/json"
	mediaEvent = "application/cloudevents+json"
	mediaBatch = "application/cloudevents-batch+json"
)

// Config is what a Handler works with. All of it is needed.
type Config struct {
	Inbox   *lifecycle.Inbox
	Sources Sources
	// Secrets returns the secrets in use, none when the intake is off. It is
	// called for every request, so that a file that changed counts at once. An
	// error is answered with 503: nobody is let in unchecked.
	Secrets func() ([]Secret, error)
	Now     func() time.Time
	Log     *slog.Logger
}

// Sources follow how the feeds behave, for every door. *lifecycle.Sources is one.
type Sources interface {
	// Hear notes that the source was heard; syncs is whether it sends everybody once
	// it is connected, so that its first sync has no effect.
	Hear(ctx context.Context, name string, syncs bool) (lifecycle.Source, error)
}

// A Handler answers POST /v1/lifecycle and POST /v1/findings, after what was
// sent is kept.
type Handler struct {
	config Config
	ledger *ledger
}

// New returns a handler, and logs when it is off for want of a secret.
func New(c Config) *Handler {
	secrets, err := c.Secrets()
	switch {
	case err != nil:
		c.Log.Error("read webhook secrets", slog.Any("err", err))
	case len(secrets) == 0:
		c.Log.Warn("the webhook intake is off: it has no secret")
	}
	return &Handler{config: c, ledger: newLedger(c.Inbox, c.Now, c.Log)}
}

// Flush writes what was counted of refusals and is not on the record yet. The
// handler does so itself with the first request after a minute is over; call
// it before the store is closed, and now and then when nobody may call for long.
func (h *Handler) Flush(ctx context.Context) { h.ledger.settle(ctx, true) }

// ServeHTTP answers one request; the package's documentation says how.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.ledger.settle(r.Context(), false)
	v := visit{route: routeOther, source: sourceUnverified}
	if r.URL.Path == RouteLifecycle || r.URL.Path == RouteFindings {
		v.route = r.URL.Path
	}
	a, err := h.receive(w, r, &v)
	if err != nil {
		a = h.turnAway(r, v, err)
	}
	if err := a.write(w); err != nil {
		h.config.Log.WarnContext(r.Context(), "answer a message", slog.String("route", v.route), slog.Any("err", err))
	}
}

// A visit is what is known of a request so far.
type visit struct {
	route    string
	source   string
	verified bool
}

func (h *Handler) receive(w http.ResponseWriter, r *http.Request, v *visit) (answer, error) {
	if v.route == routeOther {
		return answer{}, notFound("there is nothing here")
	}
	secrets, err := h.config.Secrets()
	if err != nil {
		return answer{}, OwnFault("read the webhook secrets", err)
	}
	if len(secrets) == 0 {
		return answer{}, notFound("this intake is off: it has no secret")
	}
	if r.Method != http.MethodPost {
		return answer{}, notAllowed()
	}
	body, err := h.authentic(w, r, secrets)
	if err != nil {
		return answer{}, err
	}
	v.source, v.verified = sourceWebhook, true
	media, err := mediaOf(r.Header)
	if err != nil {
		return answer{}, err
	}
	if v.route == RouteFindings {
		return h.findings(r.Context(), v, media, body)
	}
	return h.notice(r.Context(), v, media, body)
}

// authentic returns the body once it is known to be of somebody who has a secret.
func (h *Handler) authentic(w http.ResponseWriter, r *http.Request, secrets []Secret) ([]byte, error) {
	claims, err := claimsOf(r.Header, h.config.Now())
	if err != nil {
		return nil, unauthenticated(err)
	}
	body, err := ReadBody(w, r, longestBody)
	if errors.Is(err, ErrTooLarge) {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, unauthenticated(err)
	}
	if !claims.signedBy(secrets, body) {
		return nil, unauthenticated(errBadSignature)
	}
	return body, nil
}

// mediaOf returns the media type, one of the three. It refuses what would be
// read otherwise than it was signed.
func mediaOf(h http.Header) (string, error) {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "", unsupported("send the body as it is, without Content-Encoding")
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if charset := params["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", unsupported("Content-Type must be " + mediaEvent + ", in UTF-8")
	}
	switch media {
	case mediaEvent, mediaBatch:
		return media, nil
	case mediaJSON:
		if h.Get("Ce-Specversion") != "" {
			return "", unsupported("CloudEvents in binary mode is not taken, because its headers are not signed; send structured mode, " + mediaEvent)
		}
		return media, nil
	default:
		return "", unsupported("Content-Type must be " + mediaEvent)
	}
}

// turnAway puts a refusal on the record and returns its answer. Everything
// that is no refusal is a fault of ours, and is logged.
func (h *Handler) turnAway(r *http.Request, v visit, err error) answer {
	ctx, why := r.Context(), lifecycle.ReasonOf(err)
	var a answer
	if rejected, ok := errors.AsType[*rejection](err); ok {
		a, why = rejected.answer(), rejected.why
	} else if refused, ok := errors.AsType[*lifecycle.Refusal](err); ok {
		a = refusalAnswer(refused)
	} else {
		h.config.Log.ErrorContext(ctx, "take in a message", slog.String("route", v.route), slog.Any("err", err))
		return unavailable()
	}
	if why != "" {
		h.record(ctx, r, v, why)
	}
	return a
}

func (h *Handler) record(ctx context.Context, r *http.Request, v visit, why string) {
	if !v.verified {
		why += ", from " + neighbourhood(r)
	}
	h.ledger.refuse(ctx, page{route: http.MethodPost + " " + v.route, verified: v.verified}, v.source, why)
}
