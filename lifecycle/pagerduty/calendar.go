package pagerduty

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"rolecall/lifecycle"
)

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
	_, is, err := h.roleAndCalendar(ctx, h.prompt, h.Order.Account)
	if errors.Is(err, lifecycle.ErrNotFound) {
		err = lifecycle.Refuse(lifecycle.ErrNotFound, "%s has no PagerDuty account any more.", who(h.Order))
	}
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
