package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// findsOneByte changes single bytes of the file that serve has left. Every
// place where what the database says changes with the byte must be found.
func (p *place) findsOneByte(t *testing.T) {
	command(t, "audit", "verify").exits(t, 0)
	command(t, "audit", "verify", p.database).exits(t, 0)
	whole, err := os.ReadFile(p.database)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ query, part, says string }{
		"the detail of a line":          {"SELECT detail, seq FROM audit_events WHERE kind = 'request.approved' ORDER BY seq LIMIT 1", "", "audit_events"},
		"who did what a line says":      {"SELECT actor, seq FROM audit_events WHERE kind = 'notice.received' ORDER BY seq LIMIT 1", "hr/acme", "audit_events"},
		"the hash of a line":            {"SELECT hash, seq FROM audit_events WHERE seq = 3", "", "audit_events"},
		"the head of the trail":         {"SELECT hash, '' FROM audit_head", "", "audit_head:"},
		"who approved a request":        {"SELECT body, id FROM requests WHERE state = 'done' ORDER BY opened_at LIMIT 1", `"by":"marco@acme.test"`, "request"},
		"the body of a request":         {"SELECT body, id FROM requests WHERE state = 'done' ORDER BY opened_at LIMIT 1", `"verified_at":"`, "request"},
		"where a card stands":           {"SELECT body, key FROM messages WHERE key LIKE 'card/%' ORDER BY intended LIMIT 1", `"ts":"`, "message"},
		"what a source said":            {"SELECT body, id FROM facts ORDER BY id LIMIT 1", "Payments", "fact"},
		"what an account was last seen": {"SELECT body, id FROM accounts WHERE NOT gone ORDER BY id LIMIT 1", "", "account"},
	} {
		t.Run(name, func(t *testing.T) {
			value, row := look(t, p.database, tt.query)
			part := tt.part
			if part == "" {
				part = value
			}
			at := strings.Index(value, part)
			if at < 0 {
				t.Fatalf("%q is not in %s", part, value)
			}
			hit := min(at+len(part), len(value)-1) // the last byte of the part, or the first after it: some value, not a name
			if p.flipped(t, whole, tt.query, value, hit, row, tt.says) == 0 {
				t.Fatalf("no byte of the file is what %s says", row)
			}
		})
	}
}

// flipped changes byte i of value wherever it stands in a copy of the file, and
// returns at how many places that changed what the query returns.
func (p *place) flipped(t *testing.T, whole []byte, query, value string, i int, row, says string) int {
	t.Helper()
	context := value[max(0, i-30):min(len(value), i+10)] // a long value is spread over pages
	copied, found := filepath.Join(t.TempDir(), "copy.db"), 0
	for from := 0; ; {
		next := bytes.Index(whole[from:], []byte(context))
		if next < 0 {
			return found
		}
		at := from + next + min(i, 30)
		from += next + 1
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1
		if err := os.WriteFile(copied, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if now, _ := look(t, copied, query); now == value {
			continue // an older copy of the row, which nothing reads any more
		}
		found++
		o := command(t, "audit", "verify", copied).exits(t, exitBroken)
		if !strings.Contains(o.out, "NOT WHOLE. First bad line: ") || !strings.Contains(o.out, says+" "+row) && !strings.Contains(o.out, fmt.Sprintf("line %s: %s", row, says)) {
			t.Errorf("verify does not name %s of %s:\n%s", row, says, o.out)
		}
	}
}

// look returns what the database says, and which row says it.
func look(t *testing.T, path, query string) (value, row string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var key any
	if err := db.QueryRowContext(t.Context(), query).Scan(&value, &key); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value, fmt.Sprint(key)
}
