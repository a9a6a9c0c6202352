package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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

// saveAccount stores what was read back of an account, whatever is known of it.
func (t *tx) saveAccount(ctx context.Context, h held) error {
	was, err := t.account(ctx, h.ID)
	if err != nil {
		return err
	}
	if h, err = h.carrying(was); err != nil {
		return err
	}
	row, err := accountRow(h)
	if err != nil {
		return err
	}
	if err := t.q.SaveAccount(ctx, q.SaveAccountParams(row)); err != nil {
		return fmt.Errorf("save account %s: %w", h.ID, err)
	}
	t.wrote.add("account", row.ID, row.Body)
	return t.replaceTeams(ctx, h)
}

// replaceTeams makes the account be found by the teams of which it is a manager.
func (t *tx) replaceTeams(ctx context.Context, h held) error {
	if err := t.q.DeleteTeamManagers(ctx, text(h.ID)); err != nil {
		return fmt.Errorf("delete teams of account %s: %w", h.ID, err)
	}
	for _, row := range managerRows(h) {
		if err := t.q.InsertTeamManager(ctx, q.InsertTeamManagerParams(row)); err != nil {
			return fmt.Errorf("insert team of account %s: %w", h.ID, err)
		}
	}
	return nil
}

// managerRows returns the teams of which the account is a manager, each once.
func managerRows(h held) []q.TeamManager {
	if h.Held == nil {
		return nil
	}
	var rows []q.TeamManager
	for _, m := range h.Held.Teams {
		row := q.TeamManager{Team: text(m.Team.ID), Account: text(h.ID)}
		if m.Role == lifecycle.TeamManager && !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// carrying returns h with what only a roll call tells of an account, which what
// is read back does not say. An invitation waits since it was first seen.
func (h held) carrying(was *q.Account) (held, error) {
	if h.Held == nil {
		return h, nil
	}
	a := *h.Held
	if was != nil {
		before, err := decode[held](was.Body)
		if err != nil {
			return h, fmt.Errorf("account %s: %w", h.ID, err)
		}
		if before.Held != nil {
			a = a.Carrying(*before.Held)
		}
	}
	if a.Invited && a.InvitedAt.IsZero() {
		a.InvitedAt = h.Seen
	}
	h.Held = &a
	return h, nil
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

// account returns the row of the account, or nil when there is none.
func (t *tx) account(ctx context.Context, id lifecycle.AccountID) (*q.Account, error) {
	row, err := t.q.Account(ctx, text(id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load account %s: %w", id, err)
	}
	return &row, nil
}

// see stores what a roll call or a glance saw of an account of which was is
// stored, unless that is the same, or was seen later: seen through an older
// look, a verified change would be taken for somebody else's at the next roll call.
func (t *tx) see(ctx context.Context, was *q.Account, h held) error {
	row, err := accountRow(h)
	if err != nil || was != nil && (was.Seen > row.Seen || sameHeld(*was, row)) {
		return err
	}
	n, err := t.q.SeeAccount(ctx, q.SeeAccountParams(row))
	if err != nil {
		return fmt.Errorf("save account %s: %w", h.ID, err)
	}
	if n == 0 {
		return nil
	}
	t.wrote.add("account", row.ID, row.Body)
	return t.replaceTeams(ctx, h)
}

// replaceBaseline makes the accounts what the snapshot says, except where
// something newer is known.
func (t *tx) replaceBaseline(ctx context.Context, accounts []lifecycle.Account, taken time.Time) error {
	rows, err := t.q.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("list accounts: %w", err)
	}
	stored := make(map[string]*q.Account, len(rows))
	for i := range rows {
		stored[rows[i].ID] = &rows[i]
	}
	for i := range accounts {
		id := text(accounts[i].ID)
		if err := t.see(ctx, stored[id], held{ID: accounts[i].ID, Seen: taken, Held: &accounts[i]}); err != nil {
			return err
		}
		delete(stored, id)
	}
	for id, was := range stored { // not in the snapshot, so it is gone
		if err := t.see(ctx, was, held{ID: lifecycle.AccountID(id), Seen: taken}); err != nil {
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

// TeamManagers returns the accounts of the baseline that are managers of the team, by address.
func (db *DB) TeamManagers(ctx context.Context, team lifecycle.TeamID) ([]lifecycle.Account, error) {
	managers, err := baseline(db.read.AccountsManaging(ctx, text(team)))
	slices.SortStableFunc(managers, func(a, b lifecycle.Account) int { // not in SQL, where it would be by the database's locale
		return cmp.Compare(lifecycle.FoldEmail(a.Email), lifecycle.FoldEmail(b.Email))
	})
	return managers, err
}

// Population returns how many people have an account, linked or with their
// address, that the last whole roll call has seen.
func (db *DB) Population(ctx context.Context) (int, error) {
	n, err := db.read.CountPopulation(ctx)
	if err != nil {
		return 0, fmt.Errorf("count people with an account: %w", err)
	}
	return int(n), nil
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
