package storage

import (
	"path/filepath"
	"testing"
)

// On one connection a query may be asked again while its rows are still being
// read, after it failed, and after the table under it has changed.
func TestPreparedStatementIsSharedSafely(t *testing.T) {
	t.Parallel()
	db, err := openSQL(sqliteDSN(filepath.Join(t.TempDir(), "x.db"), sqliteWriter))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // of no use any more
	db.SetMaxOpenConns(1)
	exec := func(query string, args ...any) error {
		_, err := db.ExecContext(t.Context(), query, args...)
		return err
	}
	const insert, all = "INSERT INTO x (id) VALUES ($1)", "SELECT * FROM x ORDER BY id"
	if err := exec("CREATE TABLE x (id INTEGER PRIMARY KEY); CREATE TABLE y (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	for id := range 3 {
		if err := exec(insert, id); err != nil {
			t.Fatal(err)
		}
		if err := exec(insert, id); err == nil {
			t.Fatal("a key was taken twice")
		}
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	read := func(inner func()) (n, columns int) {
		rows, err := tx.QueryContext(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close() //nolint:errcheck // Err below has said what there is to say
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			inner()
			n++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return n, len(names)
	}
	outer, _ := read(func() {
		if n, _ := read(func() {}); n != 3 {
			t.Errorf("the query inside read %d rows, want 3", n)
		}
	})
	if outer != 3 {
		t.Errorf("the query outside read %d rows, want 3", outer)
	}
	if _, err := tx.ExecContext(t.Context(), "ALTER TABLE x ADD COLUMN more TEXT"); err != nil {
		t.Fatal(err)
	}
	if n, columns := read(func() {}); n != 3 || columns != 2 {
		t.Errorf("after the table changed, %d rows of %d columns, want 3 of 2", n, columns)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}
