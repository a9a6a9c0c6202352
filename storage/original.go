package storage

import (
	"context"
	"errors"
	"fmt"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// maxOriginal is the largest object that is kept, in bytes.
const maxOriginal = 8 << 20

// KeepOriginal stores o under its change. Where one is kept for that change
// already it writes nothing, not even the audit line, and that is no error. An
// object over 8 MiB is a Refusal: what could not be given back is not to be
// changed. One without its change, or empty, is an error now, and not only when
// somebody wants it back.
func (db *DB) KeepOriginal(ctx context.Context, o lifecycle.Original, e lifecycle.AuditEvent) error {
	if err := keepable(o); err != nil {
		return err
	}
	row, err := originalRow(o)
	if err != nil {
		return err
	}
	err = db.write(ctx, one(e), nil, func(t *tx) error { return t.insertOriginal(ctx, row) })
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

func keepable(o lifecycle.Original) error {
	switch {
	case o.Change == "":
		return fmt.Errorf("keep %s %s: it is not said for which change", o.Kind, o.Object.ID)
	case len(o.Body) == 0:
		return fmt.Errorf("keep %s %s for change %s: there is nothing in it", o.Kind, o.Object.ID, o.Change)
	case len(o.Body) > maxOriginal:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "%s was not changed: PagerDuty's answer about it is larger than the %d MiB that can be kept, so the change could not be undone",
			o.Object.Name, maxOriginal>>20)
	default:
		return nil
	}
}

func (t *tx) insertOriginal(ctx context.Context, row q.Original) error {
	n, err := t.q.InsertOriginal(ctx, q.InsertOriginalParams(row))
	if err != nil {
		return fmt.Errorf("insert original of change %s: %w", row.Change, err)
	}
	if n == 0 {
		return errUnchanged
	}
	t.wrote.add("original", row.Change, row.Body)
	return nil
}

func originalRow(o lifecycle.Original) (q.Original, error) {
	body, err := encode(o)
	return q.Original{Change: text(o.Change), Body: body}, err
}

// Original returns what was kept for the change, or lifecycle.ErrNotFound.
func (db *DB) Original(ctx context.Context, id lifecycle.ChangeID) (lifecycle.Original, error) {
	return load[lifecycle.Original](db.read.Original(ctx, text(id)))
}
