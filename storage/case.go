package storage

import (
	"context"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveCase stores c. A first revision that is already stored is
// lifecycle.ErrDuplicate; a later one that does not follow the stored revision
// is lifecycle.ErrConflict.
func (db *DB) SaveCase(ctx context.Context, c lifecycle.Case, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(t *tx) error { return t.saveCase(ctx, c) })
}

func (t *tx) saveCase(ctx context.Context, c lifecycle.Case) error {
	row, err := caseRow(c)
	if err != nil {
		return err
	}
	return t.put(revised{"case", row.ID, row.Body, row.Revision, lifecycle.ErrDuplicate},
		func() (int64, error) { return t.q.InsertCase(ctx, q.InsertCaseParams(row)) },
		func() (int64, error) { return t.q.UpdateCase(ctx, q.UpdateCaseParams(row)) })
}

func caseRow(c lifecycle.Case) (q.Case, error) {
	body, err := encode(c)
	return q.Case{
		ID: text(c.ID), Open: c.Open(), Revision: int64(c.Revision), Identity: text(c.Identity),
		Source: text(c.Source), Key: text(c.Key), OpenedAt: micros(c.OpenedAt), Body: body,
	}, err
}

// Case returns the case, or lifecycle.ErrNotFound.
func (db *DB) Case(ctx context.Context, id lifecycle.CaseID) (lifecycle.Case, error) {
	return load[lifecycle.Case](db.read.CaseByID(ctx, text(id)))
}

// CasesAbout returns the open cases about the identity, and those about whom the
// source means by the key, the oldest first. An empty id, and an empty key, is
// nobody's.
func (db *DB) CasesAbout(ctx context.Context, who lifecycle.IdentityID, source, key string) ([]lifecycle.Case, error) {
	return loadAll[lifecycle.Case](db.read.CasesAbout(ctx, q.CasesAboutParams{Identity: text(who), Source: text(source), Key: text(key)}))
}

// Cases returns the cases that are open, the oldest first.
func (db *DB) Cases(ctx context.Context) ([]lifecycle.Case, error) {
	return loadAll[lifecycle.Case](db.read.OpenCases(ctx))
}
