package slacktest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// httpTargets are the request URLs of an app without Socket Mode.
type httpTargets struct{ events, commands, interactions string }

// UseHTTP turns Socket Mode off: from now on everything is posted, signed, to these URLs. Three empty ones turn
// Socket Mode on again.
func (w *Workspace) UseHTTP(eventsURL, commandsURL, interactionsURL string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.http = httpTargets{events: eventsURL, commands: commandsURL, interactions: interactionsURL}
}

func (w *Workspace) usesHTTP() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.http != httpTargets{}
}

func (w *Workspace) requestURL(kind string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch kind {
	case KindEvent:
		return w.http.events
	case KindCommand:
		return w.http.commands
	default:
		return w.http.interactions
	}
}

func (w *Workspace) overHTTP(ctx context.Context, d Delivery) (answer, error) {
	target := w.requestURL(d.Kind)
	if target == "" {
		return answer{}, &failure{kind: ErrUnreachable, reason: "connection_failed", cause: "no request URL for " + d.Kind}
	}
	r, err := w.Request(ctx, target, d, w.cfg.Now())
	if err != nil {
		return answer{}, err
	}
	response, err := w.cfg.HTTPClient.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return answer{}, &failure{kind: ErrNotAcknowledged, reason: "http_timeout", cause: fmt.Sprintf("no answer within %s", w.cfg.AckTimeout)}
	case err != nil:
		return answer{}, &failure{kind: ErrUnreachable, reason: "connection_failed", cause: err.Error()}
	}
	defer response.Body.Close()
	return readAnswer(response)
}

func readAnswer(response *http.Response) (answer, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return answer{}, &failure{kind: ErrNotAcknowledged, reason: "http_timeout", cause: err.Error()}
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return answer{body: body}, &failure{
			kind: ErrNotAcknowledged, reason: "http_error", cause: "HTTP " + response.Status,
			noRetry: response.Header.Get("X-Slack-No-Retry") == "1",
		}
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // no content type means text
	return answer{body: body, json: kind == "application/json"}, nil
}

// Request makes the signed HTTP request that Slack would send for a delivery at a moment. Tests use it to replay a
// delivery, to age it, or to send what they have altered. It fails when the payload is not what its kind carries.
func (w *Workspace) Request(ctx context.Context, target string, d Delivery, at time.Time) (*http.Request, error) {
	contentType, body, err := d.form()
	if err != nil {
		return nil, err
	}
	r, err := w.SignedRequest(ctx, target, contentType, body, at)
	if err != nil {
		return nil, err
	}
	if d.Attempt > 0 {
		r.Header.Set("X-Slack-Retry-Num", strconv.Itoa(d.Attempt))
		r.Header.Set("X-Slack-Retry-Reason", d.Reason)
	}
	return r, nil
}

// form encodes the payload the way its kind travels over HTTP.
func (d Delivery) form() (contentType, body string, err error) {
	const form = "application/x-www-form-urlencoded"
	switch d.Kind {
	case KindEvent:
		return "application/json", string(d.Payload), nil
	case KindInteraction:
		return form, url.Values{"payload": {string(d.Payload)}}.Encode(), nil
	}
	var fields map[string]string
	if err := json.Unmarshal(d.Payload, &fields); err != nil {
		return "", "", fmt.Errorf("encode command: %w", err)
	}
	values := url.Values{}
	for name, value := range fields {
		values.Set(name, value)
	}
	return form, values.Encode(), nil
}

// SignedRequest makes a POST request signed with the workspace's signing secret as of a moment.
// It fails when target is not a URL.
func (w *Workspace) SignedRequest(ctx context.Context, target, contentType, body string, at time.Time) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request to %s: %w", target, err)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", Sign(w.cfg.SigningSecret, stamp, body))
	return r, nil
}

// Sign returns the X-Slack-Signature of a body: v0=hex(hmac-sha256(secret, "v0:timestamp:body")).
func Sign(secret, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":" + body))
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// VerifyURL sends the challenge that Slack sends when an events URL is entered. It fails when the app does not
// answer with the challenge.
func (w *Workspace) VerifyURL(ctx context.Context) error {
	const challenge = "3eZbrw1aB1slacktest"
	d := Delivery{Kind: KindEvent, Type: "url_verification", Payload: encode(object{"token": "deprecated", "challenge": challenge, "type": "url_verification"})}
	a, err := w.deliver(ctx, d)
	if err != nil {
		return err
	}
	var given struct {
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(a.body, &given) != nil {
		given.Challenge = strings.TrimSpace(string(a.body))
	}
	if given.Challenge != challenge {
		return fmt.Errorf("%w: the challenge came back as %q", ErrNotAcknowledged, given.Challenge)
	}
	return nil
}
