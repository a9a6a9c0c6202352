package storage

import (
	"context"
	"fmt"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// SaveMessage stores m under its key, replacing what was known of it.
func (db *DB) SaveMessage(ctx context.Context, m lifecycle.Message, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	row, err := messageRow(m)
	if err != nil {
		return err
	}
	return db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.q.SaveMessage(ctx, q.SaveMessageParams(row)); err != nil {
			return fmt.Errorf("put message: %w", err)
		}
		t.wrote.add("message", row.Key, row.Body)
		return nil
	})
}

func messageRow(m lifecycle.Message) (q.Message, error) {
	body, err := encode(m)
	return q.Message{Key: text(m.Key), Request: text(m.Request), Intended: micros(m.Intended), Body: body}, err
}

// Message returns the message with that key, or lifecycle.ErrNotFound.
func (db *DB) Message(ctx context.Context, key string) (lifecycle.Message, error) {
	return load[lifecycle.Message](db.read.Message(ctx, text(key)))
}

// Messages returns every message about the request, in the order in which they
// were first intended.
func (db *DB) Messages(ctx context.Context, id lifecycle.RequestID) ([]lifecycle.Message, error) {
	return loadAll[lifecycle.Message](db.read.Messages(ctx, text(id)))
}
