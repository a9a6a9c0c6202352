package storage_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every query that runs for one request or one fact must find its rows by an
// index, however many there are. These read a whole table because that is what
// they are for.
func readsAll() []string {
	return []string{"Identities", "OpenFindings", "Accounts", "Baseline", "CountLines", "CountPopulation", "Sources", "UserGroups"}
}

func TestQueriesFindTheirRowsByIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	if err := serve(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	client := connect(t, "sqlite", path)
	for name, query := range queries(t, "1") {
		if plan := explain(t, client, "EXPLAIN QUERY PLAN "+query, 4); !strings.Contains(plan, "SEARCH") && !strings.Contains(plan, "USING INDEX") {
			t.Errorf("%s reads a whole table: %s", name, plan)
		}
	}
}

// PostgreSQL reads the whole of a table that is small: told not to, it still does
// where there is no other way.
func TestQueriesCanFindTheirRowsByIndexOnPostgreSQL(t *testing.T) {
	t.Parallel()
	url := postgres.Database(t)
	if err := serve(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	client := connect(t, "pgx", url)
	client.SetMaxOpenConns(1) // for the settings are its own
	if _, err := client.ExecContext(t.Context(), "SET enable_seqscan = off"); err != nil {
		t.Fatal(err)
	}
	for name, query := range queries(t, "'1'") {
		plan := explain(t, client, "EXPLAIN "+query, 1)
		narrow := slices.ContainsFunc([]string{"Index Cond", "Recheck Cond", "Limit"}, func(s string) bool { return strings.Contains(plan, s) })
		if strings.Contains(plan, "Seq Scan") || !narrow {
			t.Errorf("%s reads a whole table: %s", name, plan)
		}
	}
}

func connect(t *testing.T, driver, url string) *sql.DB {
	t.Helper()
	client, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() }) //nolint:errcheck // was only read
	return client
}

// queries returns every query that must find its rows by an index, by its name,
// with that value for each of its arguments.
func queries(t *testing.T, value string) map[string]string {
	t.Helper()
	files, err := filepath.Glob("queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no queries: ", err)
	}
	argument, all := regexp.MustCompile(`@\w+`), map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range strings.Split(string(text), "-- name: ")[1:] {
			name, body, _ := strings.Cut(q, " ")
			_, body, _ = strings.Cut(body, "\n")
			if !strings.Contains(body, "INSERT INTO") && !slices.Contains(readsAll(), name) {
				all[name] = argument.ReplaceAllString(body, value)
			}
		}
	}
	return all
}

// explain returns the plan, which is in the last of so many columns.
func explain(t *testing.T, client *sql.DB, query string, columns int) string {
	t.Helper()
	rows, err := client.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close() //nolint:errcheck // Err below has said what there is to say
	var plan []string
	into := make([]any, columns)
	for i := range into {
		into[i] = new(string)
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, *into[columns-1].(*string))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "; ")
}
