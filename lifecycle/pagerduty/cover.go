package pagerduty

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

// cover adds to the snapshot who answers when. Who is called or seated and not among the accounts is looked for: who does
// not exist was deleted, and PagerDuty kept a placeholder; who does has come since, or was passed over.
func (r *roll) cover(ctx context.Context, s *lifecycle.Snapshot, on onCall) error {
	if on.closed != nil {
		s.Blind = append(s.Blind, "Who answers when was not read. "+lifecycle.ReasonOf(on.closed))
		return nil //nolint:nilerr // roles are known all the same, and Blind says what is not
	}
	listed := make(map[string]bool, len(s.Accounts))
	for _, a := range s.Accounts {
		listed[string(a.ID)] = true
	}
	everyone := on.everyone()
	var strangers []lifecycle.AccountID
	for _, id := range sortedKeys(everyone) {
		if !listed[id] && everyone[id].Deleted == "" {
			strangers = append(strangers, lifecycle.AccountID(id))
		}
	}
	missed, err := r.find(ctx, strangers)
	if err != nil {
		return err
	}
	for _, a := range missed {
		listed[string(a.ID)] = true
	}
	gone := goneNames{}
	for id, p := range everyone {
		if !listed[id] {
			gone[id] = p.goneAs()
		}
	}
	s.Accounts = append(s.Accounts, missed...)
	s.Blind = append(s.Blind, on.blind...)
	s.Coverage = on.coverage(gone)
	return nil
}

// find returns those of the accounts that exist.
func (r *roll) find(ctx context.Context, ids []lifecycle.AccountID) ([]lifecycle.Account, error) {
	var mu sync.Mutex
	var found []lifecycle.Account
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.cfg.Concurrency)
	for _, id := range ids {
		g.Go(func() error {
			a, err := r.account(ctx, r.api, id)
			if errors.Is(err, lifecycle.ErrNotFound) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, a)
			return err
		})
	}
	return found, g.Wait()
}
