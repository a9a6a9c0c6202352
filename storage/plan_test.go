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
	return []string{"Identities", "OpenFindings", "Accounts", "Baseline", "CountLines", "CountPopulation"}
}

func TestQueriesFindTheirRowsByIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	if err := serve(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	client, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close() //nolint:errcheck // was only read
	files, err := filepath.Glob("queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no queries: ", err)
	}
	argument := regexp.MustCompile(`@\w+`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range strings.Split(string(text), "-- name: ")[1:] {
			name, body, _ := strings.Cut(q, " ")
			_, body, _ = strings.Cut(body, "\n")
			if strings.Contains(body, "INSERT INTO") || slices.Contains(readsAll(), name) {
				continue
			}
			if plan := explain(t, client, argument.ReplaceAllString(body, "1")); !strings.Contains(plan, "SEARCH") && !strings.Contains(plan, "USING INDEX") {
				t.Errorf("%s reads a whole table: %s", name, plan)
			}
		}
	}
}

func explain(t *testing.T, client *sql.DB, query string) string {
	t.Helper()
	rows, err := client.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close() //nolint:errcheck // Err below has said what there is to say
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "; ")
}
