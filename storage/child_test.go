package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"rolecall/storage"
)

// childEnv makes the test binary another process: it does what the value says
// with the database that childPath names.
const (
	childEnv  = "ROLECALL_STORAGE_TEST_CHILD"
	childPath = "ROLECALL_STORAGE_TEST_PATH"
)

func child(what, path string) {
	ctx := context.Background()
	var err error
	switch what {
	case "work":
		err = workUntilKilled(ctx, path)
	case "save":
		err = saveUntilKilled(ctx, path)
	case "keep":
		err = keepUntilKilled(ctx, path)
	case "glance":
		err = glanceUntilKilled(ctx, path)
	case "open":
		_, err = storage.Open(ctx, config(path, storage.Serve))
	case "verify":
		var report storage.VerifyReport
		if report, err = storage.Verify(ctx, path, nil); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(report)
		}
	}
	if err != nil {
		fmt.Println(err)
	}
	os.Exit(0)
}

// asNobody runs the child as somebody whom file permissions bind: in a
// container the tests run as root, whom they do not.
func asNobody(t *testing.T, what, path, dir string) string {
	t.Helper()
	self := filepath.Join(dir, "self") // the original may lie where nobody may look
	if err := os.Link(os.Args[0], self); err != nil && !errors.Is(err, fs.ErrExist) {
		data, err := os.ReadFile(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(self, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), childEnv+"="+what, childPath+"="+path)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: nobody(t)}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func nobody(t *testing.T) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// sharedDir returns a directory that others may enter and not write, and the
// path of a database in it.
func sharedDir(t *testing.T) (dir, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rolecall") //nolint:usetesting // t.TempDir lets nobody else in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // of no use any more
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "rolecall.db")
}
