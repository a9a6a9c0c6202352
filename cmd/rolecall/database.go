package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// openDatabase opens the database for a role. committed, unless nil, is told
// of every line of the trail.
func openDatabase(ctx context.Context, where string, role storage.Role, log *slog.Logger, committed func(lifecycle.EventKind)) (*storage.DB, error) {
	db, err := storage.Open(ctx, storage.Config{URL: where, Role: role, Log: log, Now: time.Now, Committed: committed})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", named(where), err)
	}
	return db, nil
}

// withDatabase runs f over the configured database, beside a running serve.
func withDatabase(ctx context.Context, f func(context.Context, *storage.DB) error) error {
	cfg, err := loadConfig(needDatabase)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, cfg.Database, storage.Command, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	return errors.Join(f(ctx, db), db.Close())
}

// named returns what a database is called in front of people: no password.
func named(where string) string {
	if u, err := url.Parse(where); err == nil && u.User != nil {
		return u.Redacted()
	}
	return where
}
