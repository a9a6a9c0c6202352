package pagerdutytest

import "context"

// Version counts the changes of the account's state.
func (a *Account) Version() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.version
}

// Wait returns the version as soon as it is higher than since. It returns ctx's error, with the version as it is, when
// ctx ends first.
func (a *Account) Wait(ctx context.Context, since uint64) (uint64, error) {
	for {
		a.mu.Lock()
		v, changed := a.version, a.changed
		a.mu.Unlock()
		if v > since {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-changed:
		}
	}
}

// bump tells those who wait that something changed. The lock is held.
func (a *Account) bump() {
	a.version++
	close(a.changed)
	a.changed = make(chan struct{})
}
