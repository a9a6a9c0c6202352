package pagerduty

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// A delegation is a sign-in of a user, on the web or the mobile app.
type delegation struct {
	Status    string    `json:"status"` // issued or revoked
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// delegations returns the user's sign-ins on the web and the mobile app that are of one of the statuses, or a Refusal
// when they cannot be read. Source: OpenAPI GET /users/{id}/oauth_delegations.
func (c *Client) delegations(ctx context.Context, a api, id lifecycle.AccountID, statuses ...string) ([]delegation, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	all, err := rows[delegation](ctx, a, "/users/"+string(id)+"/oauth_delegations", url.Values{
		"delegation_type": {"web,mobile"}, "status": {strings.Join(statuses, ",")},
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %s: %w", id, explain(err))
	}
	return all, nil
}
