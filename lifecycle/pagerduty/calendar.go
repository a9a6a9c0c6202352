package pagerduty

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

	"rolecall/lifecycle"
)

// calendarOf returns the fingerprint of the key in the address of the account's calendar feed, or "" when none is to be
// seen. Whoever has the address reads the calendar, so it goes no further than this. Source: OpenAPI schema User.
func (c *Client) calendarOf(ctx context.Context, id lifecycle.AccountID) (string, error) {
	if err := checkID(id); err != nil {
		return "", err
	}
	var answer struct {
		User struct {
			HTTP string `json:"http_cal_url"`
			Web  string `json:"web_cal_url"`
		} `json:"user"`
	}
	if err := c.prompt.get(ctx, "/users/"+string(id), url.Values{"include[]": {"calendar_urls"}}, &answer); err != nil {
		return "", explain(err)
	}
	return fingerprint(cmp.Or(answer.User.HTTP, answer.User.Web)), nil
}

// fingerprint returns what tells a secret from another without being one; "" of none.
func fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])[:12]
}

// renewCalendar makes the address of the account's calendar feed worthless. It is done when the fingerprint is another
// than it was; where none is to be seen, PagerDuty's word is all there is.
func (h *handover) renewCalendar(ctx context.Context) (sight, error) {
	is, err := h.calendarOf(ctx, h.Order.Account)
	if err != nil {
		return sight{}, err
	}
	if is != "" && is != h.Change.From {
		return sight{}, nil
	}
	renew := write{name: "calendar", do: func(ctx context.Context) error {
		return h.prompt.send(ctx, http.MethodPost, "/users/"+string(h.Order.Account)+"/regenerate_private_url_key", "", struct{}{}, nil)
	}}
	return sight{left: []write{renew}, blind: is == ""}, nil
}
