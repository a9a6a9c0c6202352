package storage

import (
	"context"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveAbsence stores a. A first revision that is already stored is
// lifecycle.ErrDuplicate; a later one that does not follow the stored revision
// is lifecycle.ErrConflict.
func (db *DB) SaveAbsence(ctx context.Context, a lifecycle.Absence, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	row, err := absenceRow(a)
	if err != nil {
		return err
	}
	return db.write(ctx, one(e), next, func(t *tx) error {
		return t.put(revised{"absence", row.ID, row.Body, row.Revision, lifecycle.ErrDuplicate},
			func() (int64, error) { return t.q.InsertAbsence(ctx, q.InsertAbsenceParams(row)) },
			func() (int64, error) { return t.q.UpdateAbsence(ctx, q.UpdateAbsenceParams(row)) })
	})
}

func absenceRow(a lifecycle.Absence) (q.Absence, error) {
	body, err := encode(a)
	return q.Absence{ID: text(a.ID), Revision: int64(a.Revision), Identity: text(a.Identity), Starts: micros(a.From), Ends: micros(a.Over()), Body: body}, err
}

// Absence returns the absence, or lifecycle.ErrNotFound.
func (db *DB) Absence(ctx context.Context, id lifecycle.AbsenceID) (lifecycle.Absence, error) {
	return load[lifecycle.Absence](db.read.AbsenceByID(ctx, text(id)))
}

// Absences returns the absences that are in force at t, the earliest first.
func (db *DB) Absences(ctx context.Context, t time.Time) ([]lifecycle.Absence, error) {
	return loadAll[lifecycle.Absence](db.read.AbsencesAt(ctx, micros(t)))
}

// AbsencesOf returns the absences of the identity that have not ended at t, the earliest first.
func (db *DB) AbsencesOf(ctx context.Context, who lifecycle.IdentityID, t time.Time) ([]lifecycle.Absence, error) {
	return loadAll[lifecycle.Absence](db.read.AbsencesOf(ctx, q.AbsencesOfParams{Identity: text(who), At: micros(t)}))
}
