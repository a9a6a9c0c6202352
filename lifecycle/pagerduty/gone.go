package pagerduty

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// Gone returns which of the accounts PagerDuty itself says do not exist, in the order given, or an error when it cannot be
// asked about one of them. That an account is not in a snapshot does not say so: rows of a listing move while it is read.
func (c *Client) Gone(ctx context.Context, ids []lifecycle.AccountID) ([]lifecycle.AccountID, error) {
	absent := make([]bool, len(ids))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(c.cfg.Concurrency)
	for i, id := range ids {
		g.Go(func() error {
			_, err := c.user(within, c.sweep, id)
			absent[i] = errors.Is(err, lifecycle.ErrNotFound)
			if absent[i] {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var gone []lifecycle.AccountID
	for i, id := range ids {
		if absent[i] {
			gone = append(gone, id)
		}
	}
	return gone, nil
}
