package pagerduty

import (
	"context"
	"net/url"
	"slices"
)

// endSignIns signs the account out of the web and the mobile app. Where the key or the plan does not let sign-ins be seen,
// PagerDuty's word is all there is that it was done. Source: OpenAPI DELETE /oauth_delegations, which answers when it is.
func (h *handover) endSignIns(ctx context.Context) (sight, error) {
	end := write{name: "sign-ins", do: func(ctx context.Context) error {
		return h.prompt.erase(ctx, "/oauth_delegations?"+url.Values{"user_id": {string(h.Order.Account)}, "type": {"web,mobile"}}.Encode())
	}}
	open, err := h.delegations(ctx, h.prompt, h.Order.Account, "issued")
	open = slices.DeleteFunc(open, func(d delegation) bool { return !d.ExpiresAt.IsZero() && !d.ExpiresAt.After(h.now()) })
	switch {
	case err != nil && withheld(err):
		return sight{left: []write{end}, blind: true}, nil
	case err != nil:
		return sight{}, err
	case len(open) == 0:
		return sight{}, nil
	default:
		return sight{left: []write{end}}, nil
	}
}
