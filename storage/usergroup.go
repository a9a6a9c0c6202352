package storage

import (
	"context"
	"fmt"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveGroup stores g. A first revision that is already stored is
// lifecycle.ErrDuplicate; a later one that does not follow the stored revision
// is lifecycle.ErrConflict.
func (db *DB) SaveGroup(ctx context.Context, g lifecycle.Group, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	row, err := groupRow(g)
	if err != nil {
		return err
	}
	return db.write(ctx, one(e), next, func(t *tx) error {
		return t.put(revised{"group", row.ID, row.Body, row.Revision, lifecycle.ErrDuplicate},
			func() (int64, error) { return t.q.InsertUserGroup(ctx, q.InsertUserGroupParams(row)) },
			func() (int64, error) { return t.q.UpdateUserGroup(ctx, q.UpdateUserGroupParams(row)) })
	})
}

func groupRow(g lifecycle.Group) (q.UserGroup, error) {
	body, err := encode(g)
	return q.UserGroup{ID: text(g.ID), Revision: int64(g.Revision), Body: body}, err
}

// Groups returns every group that was ever read, by id. When it was last read is
// the later of what it says and what was noted since.
func (db *DB) Groups(ctx context.Context) ([]lifecycle.Group, error) {
	rows, err := db.read.UserGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	groups := make([]lifecycle.Group, len(rows))
	for i, row := range rows {
		if groups[i], err = decode[lifecycle.Group](row.Body); err != nil {
			return nil, err
		}
		if read := fromMicros(row.At); read.After(groups[i].ReadAt) {
			groups[i].ReadAt = read
		}
	}
	return groups, nil
}

// GroupRead notes that the group was read at t and found as it is stored, in a row
// that no line of the trail speaks of. An older time changes nothing.
func (db *DB) GroupRead(ctx context.Context, id lifecycle.GroupID, t time.Time) error {
	if err := q.New(db.writer).NoteGroupRead(ctx, q.NoteGroupReadParams{ID: text(id), At: micros(t)}); err != nil {
		return fmt.Errorf("note that group %s was read: %w", id, err)
	}
	return nil
}
