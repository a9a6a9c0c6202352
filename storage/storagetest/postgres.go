// Package storagetest holds every kind of storage to one behaviour, and starts
// the PostgreSQL that takes.
package storagetest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres is a PostgreSQL for tests, shared by all tests of one binary: the
// server that ROLECALL_TEST_POSTGRES names (the URL of a database in which
// others may be made), or a private one on a socket of its own that the first
// test starts. Stop it in TestMain.
type Postgres struct {
	mu     sync.Mutex
	admin  string // URL of the database in which others are made
	cancel io.Closer
	cmd    *exec.Cmd
	err    error
}

var errNoPostgres = errors.New("no PostgreSQL is installed here (looked in PATH and /usr/lib/postgresql/*/bin), and ROLECALL_TEST_POSTGRES is not set")

// Database makes an empty database for one test, and returns its URL. It is
// gone after the test, or at the latest when p is stopped. It skips the
// test where there is no PostgreSQL at all.
func (p *Postgres) Database(t testing.TB) string {
	t.Helper()
	admin, err := p.start()
	if errors.Is(err, errNoPostgres) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal("start PostgreSQL: ", err)
	}
	name := "rolecall_" + strings.ToLower(rand.Text())
	p.exec(t, admin, "CREATE DATABASE "+name)
	if p.cmd == nil { // a private server takes its databases with it, and much faster
		t.Cleanup(func() { p.exec(t, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func (p *Postgres) exec(t testing.TB, url, query string) {
	t.Helper()
	ctx := context.Background() // a test's own has ended when its cleanups run
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // the query has succeeded or failed by then
	if _, err := conn.Exec(ctx, query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func (p *Postgres) start() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.admin == "" && p.err == nil {
		if p.admin = os.Getenv("ROLECALL_TEST_POSTGRES"); p.admin == "" {
			p.admin, p.err = p.launch()
		}
	}
	return p.admin, p.err
}

// server runs until its standard input ends, which it does also when the test
// binary is killed, and leaves nothing behind. Durability is off: what the
// tests are about is not the disk.
const server = `
trap '"$1/pg_ctl" -D "$2/data" -m immediate -w stop; rm -rf "$2"' EXIT
{
	"$1/initdb" -D "$2/data" -U rolecall -A trust -E UTF8 --no-sync &&
	"$1/pg_ctl" -D "$2/data" -w -l "$2/log" -o "-k $2 -c listen_addresses= -c fsync=off -c full_page_writes=off -c autovacuum=off -c max_connections=400" start
} >"$2/start" 2>&1 || { cat "$2/start" "$2/log" >&2; exit 1; }
echo ready
read -r _
exec >/dev/null 2>&1`

// launch starts a private server. PostgreSQL refuses to run as root, as which
// tests run in a container, so it runs as the user that its package made.
func (p *Postgres) launch() (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "rcpg") // short: the path of a socket holds 107 bytes
	if err != nil {
		return "", err
	}
	cmd := exec.Command("sh", "-c", server, "postgres", bin, dir) //nolint:noctx // it outlives any one test, and ends with this process
	cmd.Dir, cmd.Stderr, cmd.SysProcAttr = dir, os.Stderr, &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		if err := lowerTo(cmd, dir, "postgres"); err != nil {
			return "", err
		}
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		return "", fmt.Errorf("it did not come up: %w", errors.Join(err, in.Close(), cmd.Wait()))
	}
	p.cancel, p.cmd = in, cmd
	return "postgres://rolecall@/postgres?host=" + url.QueryEscape(dir), nil
}

func lowerTo(cmd *exec.Cmd, dir, name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return fmt.Errorf("root cannot run PostgreSQL, and there is no user to run it as: %w", err)
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if err := errors.Join(uidErr, gidErr, os.Chown(dir, uid, gid)); err != nil {
		return err
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// binaries returns the directory of initdb and pg_ctl, the newest there is.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNoPostgres
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for a name that is no number, which sorts first
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// Stop ends the private server, if one was started, and waits until it is gone.
func (p *Postgres) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	err := errors.Join(p.cancel.Close(), p.cmd.Wait())
	p.cmd = nil
	return err
}
