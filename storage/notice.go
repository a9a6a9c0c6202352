package storage

import (
	"context"
	"fmt"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

func (t *tx) insertNotice(ctx context.Context, n lifecycle.Notice) error {
	row, err := noticeRow(n)
	if err != nil {
		return err
	}
	inserted, err := t.q.InsertNotice(ctx, q.InsertNoticeParams(row))
	if err != nil {
		return fmt.Errorf("insert notice: %w", err)
	}
	if inserted == 0 {
		return fmt.Errorf("notice %s stands already: %w", n.ID, lifecycle.ErrDuplicate)
	}
	t.wrote.add("notice", row.ID, row.Body)
	t.first[row.ID] = n.Urgent || n.Contain
	if r, ok := n.Removal(); ok {
		return t.insertRemoval(ctx, r)
	}
	return nil
}

func noticeRow(n lifecycle.Notice) (q.Notice, error) {
	body, err := encode(n)
	return q.Notice{ID: string(n.ID), Identity: string(n.Identity), Body: body}, err
}

// Notice returns the notice, or lifecycle.ErrNotFound.
func (db *DB) Notice(ctx context.Context, id lifecycle.NoticeID) (lifecycle.Notice, error) {
	return load[lifecycle.Notice](db.read.Notice(ctx, text(id)))
}
