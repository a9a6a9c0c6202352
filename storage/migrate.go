package storage

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/rivermigrate"

	"rolecall/storage/q"
)

//go:embed migrations
var migrations embed.FS

// migrateLock is the PostgreSQL advisory lock under which replicas migrate one
// after the other. The number means nothing; it is only ours.
const migrateLock = 7307219981

// Migrate brings the database up to this version: our tables, then the job
// queue's. It changes nothing where that is done already, and of several
// replicas that start at once one does it and the others wait.
func (db *DB) Migrate(ctx context.Context) (err error) {
	if db.pg {
		unlock, err := db.advisory(ctx, migrateLock)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	provider, err := db.goose()
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database %s: %w", db.name, err)
	}
	// After goose and not inside it: on PostgreSQL a new enum value cannot be used
	// in the transaction that adds it, and on SQLite it would wait for itself.
	queue, err := rivermigrate.New(db.driver, &rivermigrate.Config{Logger: quiet(db.log)})
	if err != nil {
		return fmt.Errorf("migrate job queue: %w", err)
	}
	done, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return fmt.Errorf("migrate job queue of %s: %w", db.name, err)
	}
	db.log.DebugContext(ctx, "database migrated", slog.Int("queue_versions", len(done.Versions)))
	return nil
}

// goose returns the migrations: what runs on both databases is numbered SQL;
// triggers, which each writes in its own way, and what takes more than SQL, are
// numbered steps of their own.
func (db *DB) goose() (*goose.Provider, error) {
	dialect, guard := goose.DialectSQLite3, "migrations/sqlite/guard.sql"
	if db.pg {
		dialect, guard = goose.DialectPostgres, "migrations/postgres/guard.sql"
	}
	portable, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(dialect, db.writer, portable,
		goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(step(2, guard), fill(6)))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

func step(version int64, file string) *goose.Migration {
	return goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		text, err := migrations.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("run %s: %w", file, err)
		}
		return nil
	}}, nil)
}

// fill is the step that makes accounts of before be found by the teams that they
// manage. It reads what was stored as every write does, so that both agree, and
// names its columns itself: those of later versions are not there yet.
func fill(version int64) *goose.Migration {
	return goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		bodies, err := accountBodies(ctx, tx)
		accounts, err := loadAll[held](bodies, err)
		if err != nil {
			return fmt.Errorf("read accounts: %w", err)
		}
		for _, h := range accounts {
			for _, row := range managerRows(h) {
				if _, err := tx.ExecContext(ctx, "INSERT INTO team_managers (team, account) VALUES ($1, $2)", row.Team, row.Account); err != nil {
					return fmt.Errorf("insert team of account %s: %w", h.ID, err)
				}
			}
		}
		return nil
	}}, nil)
}

func accountBodies(ctx context.Context, tx *sql.Tx) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT body FROM accounts WHERE NOT gone")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below has said what there is to say
	var bodies []string
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, rows.Err()
}

// pending reports whether there is something to migrate, or an error when a
// newer rolecall has been here.
func (db *DB) pending(ctx context.Context) (bool, error) {
	provider, err := db.goose()
	if err != nil {
		return false, err
	}
	queue, err := rivermigrate.New(db.driver, &rivermigrate.Config{Logger: quiet(db.log)})
	if err != nil {
		return false, fmt.Errorf("read migrations of the job queue: %w", err)
	}
	sources, versions := provider.ListSources(), queue.AllVersions()
	ours, err := db.compare(ctx, "goose_db_version", "SELECT max(version_id) FROM goose_db_version WHERE is_applied", sources[len(sources)-1].Version)
	if err != nil {
		return false, err
	}
	theirs, err := db.compare(ctx, "river_migration", "SELECT max(version) FROM river_migration", int64(versions[len(versions)-1].Version))
	return ours < 0 || theirs < 0, err
}

// compare returns whether the database is behind (-1) or at (0) the version we
// know. One that is ahead is refused: what it means now, this program cannot know.
func (db *DB) compare(ctx context.Context, table, query string, known int64) (int, error) {
	there, err := db.tableExists(ctx, table)
	if err != nil || !there {
		return -1, err
	}
	var at sql.NullInt64
	if err := db.reader.QueryRowContext(ctx, query).Scan(&at); err != nil {
		return 0, fmt.Errorf("read version of database %s: %w", db.name, err)
	}
	if at.Int64 > known {
		return 0, fmt.Errorf("database %s was migrated by a newer rolecall (%s is at %d, this version knows %d): use that version, or restore the backup made before it", db.name, table, at.Int64, known)
	}
	return cmp.Compare(at.Int64, known), nil
}

func (db *DB) tableExists(ctx context.Context, name string) (bool, error) {
	there, err := tableExists(ctx, db.reader, db.pg, name)
	if err != nil {
		return false, fmt.Errorf("read tables of database %s: %w", db.name, err)
	}
	return there, nil
}

func tableExists(ctx context.Context, db q.DBTX, pg bool, name string) (bool, error) {
	query := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
	if pg {
		query = "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass($1)"
	}
	var n int
	if err := db.QueryRowContext(ctx, query, name).Scan(&n); err != nil {
		return false, fmt.Errorf("look for table %s: %w", name, err)
	}
	return n > 0, nil
}
