package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveRequest stores r. A first revision that is already stored is
// lifecycle.ErrDuplicate; a later one that does not follow the stored revision
// is lifecycle.ErrConflict. A request that is opened about a finding is noted there.
func (db *DB) SaveRequest(ctx context.Context, r lifecycle.Request, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(t *tx) error { return t.saveRequest(ctx, r) })
}

func (t *tx) saveRequest(ctx context.Context, r lifecycle.Request) error {
	row, err := requestRow(r)
	if err != nil {
		return err
	}
	if r.Revision != 1 {
		return t.updateRequest(ctx, r, row)
	}
	n, err := t.q.InsertRequest(ctx, q.InsertRequestParams(row))
	if err != nil {
		return fmt.Errorf("insert request: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("request %s is open already: %w", r.ID, lifecycle.ErrDuplicate)
	}
	t.wrote.add("request", row.ID, row.Body)
	if err := t.noteEnd(ctx, r); err != nil {
		return err
	}
	if r.Why.Find == "" {
		return nil
	}
	// Only the opening is noted, so that an older request which goes on does not
	// take the finding back from the one that asks about it now. What is asked about
	// is covered by no exception any more.
	return t.changeFinding(ctx, r.Why.Find, func(f *lifecycle.Finding) { f.Request, f.Exception = r.ID, "" })
}

func (t *tx) updateRequest(ctx context.Context, r lifecycle.Request, row q.Request) error {
	n, err := t.q.UpdateRequest(ctx, q.UpdateRequestParams(row))
	if err != nil {
		return fmt.Errorf("update request: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("request %s is not at revision %d any more: %w", row.ID, row.Revision-1, lifecycle.ErrConflict)
	}
	t.wrote.add("request", row.ID, row.Body)
	return t.noteEnd(ctx, r)
}

// noteEnd keeps when what the request gives ends where it can be looked up.
func (t *tx) noteEnd(ctx context.Context, r lifecycle.Request) error {
	var err error
	switch end, has := endRow(r); {
	case has:
		err = t.q.NoteRequestEnd(ctx, q.NoteRequestEndParams(end))
	case r.Revision > 1:
		err = t.q.DropRequestEnd(ctx, end.Request)
	}
	if err != nil {
		return fmt.Errorf("note when request %s ends: %w", r.ID, err)
	}
	return nil
}

func requestRow(r lifecycle.Request) (q.Request, error) {
	body, err := encode(r)
	return q.Request{
		ID: string(r.ID), Kind: string(r.Kind), State: string(r.State), Open: r.State.Open(), Revision: int64(r.Revision),
		Subject: text(r.Subject.ID), Account: text(r.Account.ID), OpenedAt: micros(r.OpenedAt), UpdatedAt: micros(r.UpdatedAt), Body: body,
	}, err
}

// endRow returns when what the request gives ends, and whether it does.
func endRow(r lifecycle.Request) (q.RequestEnd, bool) {
	return q.RequestEnd{Request: string(r.ID), Ends: micros(r.Until)}, !r.Until.IsZero()
}

// Request returns the request, or lifecycle.ErrNotFound.
func (db *DB) Request(ctx context.Context, id lifecycle.RequestID) (lifecycle.Request, error) {
	return load[lifecycle.Request](db.read.Request(ctx, text(id)))
}

// Requests returns the requests that f selects, oldest first. An index narrows
// them by the most telling field, and the rest of f is looked at here.
func (db *DB) Requests(ctx context.Context, f lifecycle.RequestFilter) ([]lifecycle.Request, error) {
	found, err := db.candidates(ctx, f)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(r lifecycle.Request) bool { return !selects(f, r) })
	slices.SortFunc(found, func(a, b lifecycle.Request) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[len(found)-f.Limit:]
	}
	return found, nil
}

func (db *DB) candidates(ctx context.Context, f lifecycle.RequestFilter) ([]lifecycle.Request, error) {
	switch {
	case f.Subject != "":
		return loadAll[lifecycle.Request](db.read.RequestsBySubject(ctx, text(f.Subject)))
	case f.Account != "":
		return loadAll[lifecycle.Request](db.read.RequestsByAccount(ctx, text(f.Account)))
	case len(f.States) > 0:
		return db.inStates(ctx, f.States, f.Since)
	case f.Open:
		return db.inStates(ctx, openStates(), f.Since)
	case f.Since.IsZero() && f.Limit > 0:
		return loadAll[lifecycle.Request](db.read.NewestRequests(ctx, int32(min(f.Limit, 1<<20))))
	default:
		return loadAll[lifecycle.Request](db.read.RequestsSince(ctx, micros(f.Since)))
	}
}

func (db *DB) inStates(ctx context.Context, states []lifecycle.RequestState, since time.Time) ([]lifecycle.Request, error) {
	var found []lifecycle.Request
	for _, s := range states {
		some, err := loadAll[lifecycle.Request](db.read.RequestsByState(ctx, q.RequestsByStateParams{State: string(s), Since: micros(since)}))
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func openStates() []lifecycle.RequestState {
	all := []lifecycle.RequestState{
		lifecycle.Pending, lifecycle.Approved, lifecycle.Holding, lifecycle.Applying, lifecycle.Done,
		lifecycle.Failed, lifecycle.Blocked, lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn,
	}
	return slices.DeleteFunc(all, func(s lifecycle.RequestState) bool { return !s.Open() })
}

func selects(f lifecycle.RequestFilter, r lifecycle.Request) bool {
	return (f.Subject == "" || r.Subject.ID == f.Subject) &&
		(f.Account == "" || r.Account.ID == f.Account) &&
		(!f.Open || r.State.Open()) &&
		(len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
		(f.Since.IsZero() || !r.UpdatedAt.Before(f.Since))
}

// Granted returns the requests whose effect ends after t and stands until then,
// the oldest first: those that were done, that no other has ended, and that their
// holder has not given back.
func (db *DB) Granted(ctx context.Context, t time.Time) ([]lifecycle.Request, error) {
	found, err := loadAll[lifecycle.Request](db.read.RequestsEnding(ctx, micros(t)))
	if err != nil {
		return nil, fmt.Errorf("list what ends: %w", err)
	}
	return slices.DeleteFunc(found, func(r lifecycle.Request) bool { return !r.Runs(t) }), nil
}
