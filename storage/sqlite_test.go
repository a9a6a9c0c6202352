package storage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/storage"
)

func TestPathsThatAreNoDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 { // the text, and its lock
			t.Errorf("what was refused left %v, %v", entries, err)
		}
	})
	for name, tt := range map[string]struct {
		url  string
		role storage.Role
		says string
	}{
		"nothing":                        {"", storage.Serve, "no database is named"},
		"options":                        {filepath.Join(dir, "x.db?_pragma=synchronous(0)"), storage.Serve, "_pragma"},
		"memory":                         {":memory:", storage.Serve, "give the path of a file"},
		"a file address":                 {"file:" + filepath.Join(dir, "x.db"), storage.Serve, "give the path of a file"},
		"another server":                 {"mysql://localhost/rolecall", storage.Serve, "give the path of a file"},
		"a zero byte":                    {dir + "/x\x00.db", storage.Serve, "zero byte"},
		"a directory":                    {dir, storage.Serve, "not a file"},
		"a directory that is not there":  {filepath.Join(dir, "none", "x.db"), storage.Serve, "directory cannot be used"},
		"a directory that is a file":     {filepath.Join(text, "x.db"), storage.Serve, "not a directory"},
		"no database yet, for a command": {filepath.Join(dir, "none.db"), storage.Command, "rolecall serve"},
		"a file that is something else":  {text, storage.Serve, "cannot be written: file is not a database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := storage.Open(t.Context(), config(tt.url, tt.role))
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("opened with %v, want an error that says %q", err, tt.says)
			}
			if db != nil {
				db.Close() //nolint:errcheck // the test has failed
			}
		})
	}
}

func TestOddPathIsOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a?b#c %41&mode=ro.db")
	keep(t, serve(t, path), 1)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want it to be its owner's alone", info, err)
	}
	if db, err := storage.Open(t.Context(), config(path, storage.Command)); err != nil {
		t.Error(err)
	} else if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestOneProcessServesAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	db := serve(t, path)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{path, link} {
		if _, err := storage.Open(t.Context(), config(url, storage.Serve)); err == nil || !strings.Contains(err.Error(), path+".lock") {
			t.Errorf("a second that serves %s: %v, want an error that names the lock", url, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	keep(t, serve(t, path), 1)
}

func TestFileThatCannotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	dir, path := sharedDir(t)
	db := serve(t, path)
	keep(t, db, 1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	out := asNobody(t, "open", path, dir)
	if !strings.Contains(out, "cannot be written") && !strings.Contains(out, "permission denied") {
		t.Errorf("it said %q", out)
	}
}

func TestPingTellsWhenNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	db := serve(t, filepath.Join(t.TempDir(), "rolecall.db"))
	if err := db.Ping(t.Context()); err != nil {
		t.Fatalf("a database that works does not answer: %v", err)
	}
	if err := db.Freeze(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Head(t.Context()); err != nil {
		t.Fatalf("it is to be read all the same: %v", err)
	}
	if err := db.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "write database") {
		t.Errorf("where nothing can be written, Ping says %v", err)
	}
	if err := db.Thaw(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("where it can be written again, Ping says %v", err)
	}
}
