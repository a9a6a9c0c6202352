package storage_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// keep stores n facts.
func keep(t testing.TB, db *storage.DB, n int) {
	t.Helper()
	for range n {
		f := fact()
		if _, _, err := db.SaveFact(t.Context(), f, received(f)); err != nil {
			t.Fatal(err)
		}
	}
}

func fact() lifecycle.Fact {
	id := lifecycle.NewNoticeID()
	return lifecycle.Fact{
		ID: id, Source: "okta", EventID: string(id), ObservedAt: time.Now(), ReceivedAt: time.Now(),
		Person: lifecycle.Person{EmployeeID: "E-1", Status: lifecycle.StatusActive, Emails: []string{"ana@acme.test"}, Name: "Ana", Department: "Payments"},
	}
}

func received(f lifecycle.Fact) lifecycle.AuditEvent {
	return lifecycle.AuditEvent{At: f.ReceivedAt, Actor: lifecycle.BySource(f.Source), Kind: lifecycle.EventNoticeReceived, Ref: string(f.ID), Detail: map[string]string{"event": f.EventID, "status": "active"}}
}

func verify(t *testing.T, path string) storage.VerifyReport {
	t.Helper()
	report, err := storage.Verify(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestVerifyReadsWhatever(t *testing.T) {
	t.Parallel()
	dir, path := sharedDir(t)
	db := serve(t, path)
	keep(t, db, 50)
	if _, err := os.Stat(path + "-wal"); err != nil {
		t.Fatal("the test is about a live database, and this one has no log: ", err)
	}
	expect := func(what string, report storage.VerifyReport) {
		t.Helper()
		if !report.Whole || report.Lines != 50 || report.Rows != 50 {
			t.Errorf("%s: %+v", what, report)
		}
	}
	expect("a live database", verify(t, path))
	keep(t, db, 1) // the owner is not disturbed

	crashed := filepath.Join(dir, "crashed.db")
	copyTo(t, path, crashed)
	copyTo(t, path+"-wal", crashed+"-wal")
	for _, p := range []string{crashed, crashed + "-wal"} {
		if err := os.Chmod(p, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	out := asNobody(t, "verify", crashed, dir)
	var report storage.VerifyReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || !report.Whole || report.Lines != 51 {
		t.Errorf("a crashed one where nothing can be written: %s, %v", out, err)
	}

	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	resting := filepath.Join(t.TempDir(), "copy.db")
	copyTo(t, path, resting)
	if report := verify(t, resting); !report.Whole || report.Lines != 51 {
		t.Errorf("a copy without its log: %+v", report)
	}
	if left, err := filepath.Glob(resting + "?*"); err != nil || len(left) > 0 {
		t.Errorf("it left %v beside the copy", left)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if out := asNobody(t, "verify", path, dir); !strings.Contains(out, `"whole":true`) {
		t.Errorf("one at rest where nothing can be written: %s", out)
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Every page is overwritten once. Whatever that hits, the answer is a report
// that says so: never a crash, and never whole, except where the page holds
// nothing that was promised.
func TestVerifyReportsEveryDamagedPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	db := serve(t, path)
	keep(t, db, 200)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	hurt := filepath.Join(t.TempDir(), "hurt.db")
	for at := 0; at < len(whole); at += page {
		damaged := bytes.Clone(whole)
		copy(damaged[at:at+page], bytes.Repeat([]byte{0xA5}, page))
		if err := os.WriteFile(hurt, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if report := verify(t, hurt); report.Whole || len(report.Problems) == 0 {
			t.Errorf("page %d of %d was overwritten, and the report says %+v", at/page+1, len(whole)/page, report)
		}
	}
}

func TestVerifyOfWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	empty := filepath.Join(dir, "empty.db")
	for path, content := range map[string]string{text: strings.Repeat("not a database ", 1000), empty: ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if report := verify(t, path); report.Whole || len(report.Problems) != 1 {
			t.Errorf("%s: %+v", path, report)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "none.db"), ""} {
		if report, err := storage.Verify(t.Context(), path, nil); err == nil || report.Whole {
			t.Errorf("%q: %+v, %v; want an error", path, report, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("verifying made the file: %v", err)
	}
}

func TestManyProblemsAreCounted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	db := serve(t, path)
	keep(t, db, 150)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, path, "UPDATE facts SET body = '{}'")
	report := verify(t, path)
	if len(report.Problems) != 100 || report.More != 50 || report.FirstBad != 1 {
		t.Errorf("%d listed, %d more, first bad %d", len(report.Problems), report.More, report.FirstBad)
	}
	if said := report.Problems[0].String(); !strings.HasPrefix(said, "line ") || !strings.Contains(said, ": fact ntc_") || !strings.Contains(said, "the row was changed") {
		t.Errorf("a problem reads %q", said)
	}
}

func TestBackupIsWholeAndOverwritesNothing(t *testing.T) {
	t.Parallel()
	db := serve(t, filepath.Join(t.TempDir(), "rolecall.db"))
	keep(t, db, 20)
	dest := filepath.Join(t.TempDir(), "odd ?name#.db")
	if err := db.Backup(t.Context(), dest); err != nil {
		t.Fatal(err)
	}
	if report := verify(t, dest); !report.Whole || report.Lines != 20 {
		t.Errorf("the backup: %+v", report)
	}
	if info, err := os.Stat(dest); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v, %v; want it to be its owner's alone", info, err)
	}
	keep(t, db, 1)
	if err := db.Backup(t.Context(), dest); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("over a file: %v", err)
	}
	if report := verify(t, dest); !report.Whole || report.Lines != 20 {
		t.Errorf("the backup, after a second was refused: %+v", report)
	}
	if err := db.Backup(t.Context(), filepath.Join(t.TempDir(), "none", "b.db")); err == nil {
		t.Error("into a directory that is not there")
	}
	restored := serve(t, dest)
	keep(t, restored, 1)
}

func TestPostgreSQLBackupNamesTheTool(t *testing.T) {
	t.Parallel()
	db := serve(t, postgres.Database(t))
	dest := filepath.Join(t.TempDir(), "b.db")
	if err := db.Backup(t.Context(), dest); err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("%v, want an error that names pg_dump", err)
	}
	if _, err := os.Stat(dest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it left a file: %v", err)
	}
}

// edit changes the file as somebody with a database client does.
func edit(t *testing.T, path string, statements ...string) {
	t.Helper()
	client, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := client.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
}
