package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// held is what an account was seen to hold, and when. Held is nil when it is gone.
type held struct {
	ID   lifecycle.AccountID `json:"id"`
	Seen time.Time           `json:"seen"`
	Held *lifecycle.Account  `json:"held"`
}

// SaveEffect stores r together with what was read back of the account, and pins
// the account to the identity, in one transaction. An account that is gone is
// pinned to nobody any more. It fails as SaveRequest does.
func (db *DB) SaveEffect(ctx context.Context, r lifecycle.Request, f lifecycle.Effect, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.saveRequest(ctx, r); err != nil {
			return err
		}
		if f.Account != "" {
			if err := t.saveAccount(ctx, held{ID: f.Account, Seen: e.At, Held: f.Held}); err != nil {
				return err
			}
		}
		return t.pin(ctx, f)
	})
}

func (t *tx) saveAccount(ctx context.Context, h held) error {
	row, err := accountRow(h)
	if err != nil {
		return err
	}
	if err := t.q.SaveAccount(ctx, q.SaveAccountParams(row)); err != nil {
		return fmt.Errorf("save account %s: %w", h.ID, err)
	}
	t.wrote.add("account", row.ID, row.Body)
	return nil
}

// pin ties the identity to the account. Where another identity has it the tie
// is left alone: what was done in PagerDuty is to be on record in any case, and
// the next roll call shows the dispute.
func (t *tx) pin(ctx context.Context, f lifecycle.Effect) error {
	if f.Identity == "" || f.Account == "" {
		return nil
	}
	i, err := load[lifecycle.Identity](t.q.Identity(ctx, text(f.Identity)))
	if err != nil {
		return fmt.Errorf("load identity %s: %w", f.Identity, err)
	}
	want := f.Account
	if f.Held == nil {
		want = ""
	}
	if i.Account == want || want == "" && i.Account != f.Account {
		return nil
	}
	i.Account = want
	i.Revision++
	if err := t.unclaimed(ctx, i); errors.Is(err, lifecycle.ErrConflict) {
		return nil
	}
	return t.saveIdentity(ctx, i)
}

// replaceBaseline makes the accounts what the snapshot says, except where a
// verified change is newer than it: seen through the old snapshot, that change
// would look like somebody else's at the next roll call.
func (t *tx) replaceBaseline(ctx context.Context, accounts []lifecycle.Account, taken time.Time) error {
	rows, err := t.q.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("list accounts: %w", err)
	}
	stored := make(map[string]q.Account, len(rows))
	for _, row := range rows {
		stored[row.ID] = row
	}
	put := func(h held) error {
		was, known := stored[text(h.ID)]
		delete(stored, text(h.ID))
		row, err := accountRow(h)
		if err != nil || known && (was.Seen > micros(taken) || sameHeld(was, row)) {
			return err
		}
		return t.saveAccount(ctx, h)
	}
	for i := range accounts {
		if err := put(held{ID: accounts[i].ID, Seen: taken, Held: &accounts[i]}); err != nil {
			return err
		}
	}
	for id := range stored { // not in the snapshot, so it is gone
		if err := put(held{ID: lifecycle.AccountID(id), Seen: taken}); err != nil {
			return err
		}
	}
	return nil
}

// sameHeld compares what was held, whenever it was seen: held is the last field of the body.
func sameHeld(a, b q.Account) bool {
	_, x, _ := strings.Cut(a.Body, `"held":`)
	_, y, _ := strings.Cut(b.Body, `"held":`)
	return x == y
}

func accountRow(h held) (q.Account, error) {
	body, err := encode(h)
	row := q.Account{ID: text(h.ID), Gone: h.Held == nil, Seen: micros(h.Seen), Body: body}
	if h.Held != nil {
		row.Email = text(lifecycle.FoldEmail(h.Held.Email))
	}
	return row, err
}

// Baseline returns every account as the last whole roll call, or a verified
// change since, left it.
func (db *DB) Baseline(ctx context.Context) ([]lifecycle.Account, error) {
	return baseline(db.read.Baseline(ctx))
}

// BaselineByEmail returns the accounts of the baseline whose address is email, folded.
func (db *DB) BaselineByEmail(ctx context.Context, email string) ([]lifecycle.Account, error) {
	return baseline(db.read.BaselineByEmail(ctx, text(lifecycle.FoldEmail(email))))
}

func baseline(bodies []string, err error) ([]lifecycle.Account, error) {
	rows, err := loadAll[held](bodies, err)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	accounts := make([]lifecycle.Account, len(rows))
	for i, h := range rows {
		if h.Held == nil {
			return nil, fmt.Errorf("account %s: its row says both that it is there and that it is gone", h.ID)
		}
		accounts[i] = *h.Held
	}
	return accounts, nil
}
