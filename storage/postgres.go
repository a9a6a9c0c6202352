package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
)

// database/sql keeps two idle connections by default and would reconnect all the time.
const (
	pgConns    = 16
	pgIdleTime = 5 * time.Minute
)

func (db *DB) openPostgres(ctx context.Context, url string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read database address: %w", err) // pgx leaves the password out
	}
	db.pg = true
	db.name = fmt.Sprintf("postgres://%s/%s", config.ConnConfig.Host, config.ConnConfig.Database)
	db.writer = stdlib.OpenDB(*config.ConnConfig)
	db.writer.SetMaxOpenConns(pgConns)
	db.writer.SetMaxIdleConns(pgConns)
	db.writer.SetConnMaxIdleTime(pgIdleTime)
	db.reader = db.writer
	if err := db.writer.PingContext(ctx); err != nil {
		return fmt.Errorf("reach database %s: %w", db.name, err)
	}
	if db.role == Command {
		db.driver = riverdatabasesql.New(db.writer)
		return nil
	}
	config.MaxConns, config.MinConns = 1, 0
	if db.listen, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("open listener on %s: %w", db.name, err)
	}
	db.driver = riverdatabasesql.NewWithPgxListener(db.writer, db.listen)
	return nil
}
