package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// DB is an open database. Its methods are safe for concurrent use.
type DB struct {
	name     string // for people: a path, or postgres://host/database
	pg       bool
	role     Role
	writer   *sql.DB // on SQLite the one connection that writes
	reader   *sql.DB
	read     *q.Queries // over reader
	driver   riverdriver.Driver[*sql.Tx]
	insert   *river.Client[*sql.Tx] // enqueues only
	listen   *pgxpool.Pool          // of a serving PostgreSQL process
	lock     *flock.Flock           // of a serving SQLite process
	work     work
	together *gathering
	log      *slog.Logger
	now      func() time.Time

	committed func(lifecycle.EventKind)
}

// Open opens the database that c names. As Serve it makes a SQLite file that is
// not there yet, takes the lock <path>.lock, and does not mind a database that
// is still to be migrated; as Command it refuses one. A database that a newer
// rolecall has migrated is refused in either role.
func Open(ctx context.Context, c Config) (*DB, error) {
	if err := c.valid(); err != nil {
		return nil, err
	}
	db := &DB{role: c.Role, together: newGathering(), log: c.Log, now: c.Now, committed: c.Committed}
	if db.committed == nil {
		db.committed = func(lifecycle.EventKind) {}
	}
	open := db.openSQLite
	if isPostgres(c.URL) {
		open = db.openPostgres
	}
	if err := open(ctx, c.URL); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.ready(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) ready(ctx context.Context) error {
	var err error
	db.read = q.New(db.reader)
	if db.insert, err = newInserter(db.driver, db.log); err != nil {
		return fmt.Errorf("open job queue: %w", err)
	}
	pending, err := db.pending(ctx)
	if err != nil {
		return err
	}
	if pending && db.role == Command {
		return fmt.Errorf("database %s has not been migrated for this version: run `rolecall migrate`, or start `rolecall serve`", db.name)
	}
	return nil
}

// newInserter returns a client that only enqueues. It wakes the workers of a
// queue at most once per FetchCooldown, also when the transaction that would
// have woken them was rolled back: with the usual 100 ms a job enqueued just
// after another would lie until the workers look by themselves, a second later.
func newInserter(d riverdriver.Driver[*sql.Tx], log *slog.Logger) (*river.Client[*sql.Tx], error) {
	return river.NewClient(d, &river.Config{Logger: quiet(log), MaxAttempts: maxAttempts, FetchCooldown: river.FetchCooldownMin})
}

// Close stops the workers if they are still at work, and closes the database.
func (db *DB) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), softStop+5*time.Second)
	defer cancel()
	errs := []error{db.Stop(ctx)}
	for _, pool := range []*sql.DB{db.reader, db.writer} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if db.listen != nil {
		db.listen.Close()
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}
