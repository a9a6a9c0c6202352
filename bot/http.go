package bot

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

const (
	bodyLimit    = 1 << 20
	signatureAge = 5 * time.Minute // Slack: "Verifying requests from Slack"
)

// errUnsigned is all that a stranger's request is worth; what was wrong with it
// is not said.
var errUnsigned = errors.New("not signed by Slack")

// HTTP serves POST /slack/events, /slack/commands and /slack/interactions. In
// Socket Mode nothing comes that way, and every request is answered 404.
func (b *Bot) HTTP() http.Handler {
	if b.cfg.Secrets.SigningSecret == "" {
		return http.NotFoundHandler()
	}
	mux := http.NewServeMux()
	mux.Handle("POST /slack/events", b.endpoint(kindEvent))
	mux.Handle("POST /slack/commands", b.endpoint(kindCommand))
	mux.Handle("POST /slack/interactions", b.endpoint(kindInteraction))
	return mux
}

func (b *Bot) endpoint(kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply, err := b.receive(w, r, kind)
		if err == nil {
			err = writeReply(w, reply)
		}
		if err != nil {
			b.turnAway(w, r, err)
		}
	})
}

// receive verifies before it reads: nothing of an unsigned body is parsed.
func (b *Bot) receive(w http.ResponseWriter, r *http.Request, kind string) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if err := verify(r.Header, body, b.cfg.Secrets.SigningSecret, b.cfg.Now()); err != nil {
		return nil, err
	}
	payload, err := payloadOf(kind, body)
	if err != nil {
		return nil, err
	}
	if kind == kindEvent {
		if e, err := decode[outerEvent](payload); err == nil && e.Type == "url_verification" {
			return map[string]string{"challenge": e.Challenge}, nil
		}
	}
	return b.awaitAck(r.Context(), kind, payload)
}

func (b *Bot) awaitAck(ctx context.Context, kind string, payload []byte) (any, error) {
	replies := make(chan any, 1)
	if err := b.take(ctx, kind, payload, func(reply any) { replies <- reply }); err != nil {
		return nil, err
	}
	select {
	case reply := <-replies:
		return reply, nil
	case <-ctx.Done(): // Slack has hung up
		return nil, ctx.Err()
	}
}

func (b *Bot) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	code := http.StatusBadRequest
	if errors.Is(err, errUnsigned) {
		code = http.StatusUnauthorized
	} else if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		code = http.StatusRequestEntityTooLarge
	}
	b.log.WarnContext(r.Context(), "slack request turned away", slog.String("path", r.URL.Path), slog.Int("status", code), slog.Any("err", err))
	http.Error(w, http.StatusText(code), code)
}

func writeReply(w http.ResponseWriter, reply any) error {
	if reply == nil {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	body, err := json.Marshal(reply)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// verify returns errUnsigned unless body was signed with secret within five
// minutes of now. Source: "Verifying requests from Slack", docs.slack.dev.
func verify(h http.Header, body []byte, secret string, now time.Time) error {
	stamp := h.Get("X-Slack-Request-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || secret == "" {
		return errUnsigned
	}
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > signatureAge {
		return errUnsigned
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	want := "v0=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(h.Get("X-Slack-Signature"))) {
		return errUnsigned
	}
	return nil
}

const introduceAgain = 5 * time.Second

// introduce asks Slack who we are until it says so, and then waits for ctx to
// end. It returns an error when Slack refuses the token for good.
func (b *Bot) introduce(ctx context.Context) error {
	for {
		_, err := b.people.ours(ctx)
		switch {
		case err == nil:
			<-ctx.Done()
			return nil
		case ctx.Err() != nil:
			return nil //nolint:nilerr // being stopped is no failure
		case isCode(err, "invalid_auth", "account_inactive", "not_authed", "token_revoked", "token_expired"):
			return err
		}
		b.log.WarnContext(ctx, "slack does not answer", slog.Any("err", err))
		if waitFor(ctx, introduceAgain) != nil {
			return nil //nolint:nilerr // being stopped is no failure
		}
	}
}
