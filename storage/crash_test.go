package storage_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// workUntilKilled says when it has begun the job that it will not finish.
func workUntilKilled(ctx context.Context, path string) error {
	db, err := storage.Open(ctx, config(path, storage.Serve))
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	handleAll(db, lifecycle.JobApply, func(ctx context.Context, _ lifecycle.Attempt) error {
		fmt.Println("begun")
		<-ctx.Done()
		return ctx.Err()
	})
	if err := db.Start(ctx); err != nil {
		return err
	}
	e := lifecycle.AuditEvent{At: time.Now(), Kind: lifecycle.EventServiceStarted}
	if err := db.Record(ctx, e, lifecycle.Job{Kind: lifecycle.JobApply, Ref: "req_1"}); err != nil {
		return err
	}
	select {}
}

func handleAll(db *storage.DB, kind lifecycle.JobKind, f storage.Handler) {
	for _, k := range lifecycle.JobKinds() {
		if k == kind {
			db.Handle(k, f)
		} else {
			db.Handle(k, func(context.Context, lifecycle.Attempt) error { return nil })
		}
	}
}

// A process that is killed at work must not park its job until a timeout, and
// must leave a database that verifies.
func TestJobOfAKilledProcessStartsAgainAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=work", childPath+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "begun\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if _, err := storage.Open(t.Context(), config(path, storage.Serve)); err == nil {
		t.Fatal("two processes serve one file")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was killed

	report, err := storage.Verify(t.Context(), path, nil)
	if err != nil || !report.Whole {
		t.Errorf("after the kill: %+v, %v", report, err)
	}
	db, again := serve(t, path), make(chan lifecycle.Attempt, 1)
	handleAll(db, lifecycle.JobApply, func(_ context.Context, a lifecycle.Attempt) error {
		again <- a
		return nil
	})
	begun := time.Now()
	if err := db.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	select {
	case a := <-again:
		t.Logf("it started again after %s", time.Since(begun))
		if a.Ref != "req_1" || a.Last {
			t.Errorf("attempt %+v", a)
		}
	case <-time.After(15 * time.Second): // the rescuer would need a minute
		t.Error("the job is parked")
	}
}

// saveUntilKilled says of each fact that it is kept.
func saveUntilKilled(ctx context.Context, path string) error {
	db, err := storage.Open(ctx, config(path, storage.Serve))
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	var g errgroup.Group
	for range 16 {
		g.Go(func() error {
			for {
				f := fact()
				if _, _, err := db.SaveFact(ctx, f, received(f), lifecycle.Job{Kind: lifecycle.JobRegister, Ref: string(f.ID)}); err != nil {
					return err
				}
				fmt.Println(f.ID)
			}
		})
	}
	return g.Wait()
}

// killedAfter makes another process do what, kills it once it has said n lines,
// and returns all that it has said until then.
func killedAfter(t *testing.T, what, path string, n int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what, childPath+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = append(said, lines.Text())
		if len(said) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait() //nolint:errcheck // it was killed
	if len(said) < n {
		t.Fatalf("it ended by itself, and said %q", said)
	}
	return said[:len(said)-1] // the last may be half a line
}

func TestNoFactIsLostThatWasAnsweredBeforeTheKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	answered := killedAfter(t, "save", path, 500)
	db := serve(t, path)
	for _, id := range answered {
		if _, err := db.Fact(t.Context(), lifecycle.NoticeID(id)); err != nil {
			t.Errorf("fact %q was answered: %v", id, err)
		}
	}
	seq, _, err := db.Head(t.Context())
	if err != nil || int(seq) < len(answered) {
		t.Errorf("%d lines, %v; %d were answered", seq, err, len(answered))
	}
	holds(t, path, int(seq))
}

// keepUntilKilled says of each original that it is kept.
func keepUntilKilled(ctx context.Context, path string) error {
	db, err := storage.Open(ctx, config(path, storage.Serve))
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	for {
		o := original(lifecycle.NewChangeID())
		o.Body = bytes.Repeat([]byte(o.Change), 4096) // takes a while to write
		if err := db.KeepOriginal(ctx, o, kept(o)); err != nil {
			return err
		}
		fmt.Println(o.Change)
	}
}

func TestNoOriginalIsLostThatWasKeptBeforeTheKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	answered := killedAfter(t, "keep", path, 50)
	db := serve(t, path)
	for _, line := range answered {
		id := lifecycle.ChangeID(line)
		if o, err := db.Original(t.Context(), id); err != nil || !bytes.Equal(o.Body, bytes.Repeat([]byte(line), 4096)) {
			t.Errorf("original %q was kept: %d bytes, %v", id, len(o.Body), err)
		}
	}
	if report := verify(t, path); !report.Whole || report.Rows < int64(len(answered)) {
		t.Errorf("after the kill: %+v", report)
	}
}

// glanceUntilKilled says of each glance that it is stored. All that one stores
// says the same number.
func glanceUntilKilled(ctx context.Context, path string) error {
	db, err := storage.Open(ctx, config(path, storage.Serve))
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	for n := 1; ; n++ {
		if err := db.SaveGlance(ctx, numberedGlance(n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func numberedGlance(n int) lifecycle.Glance {
	g := lifecycle.Glance{Until: moment(n), Open: []lifecycle.Finding{{ID: "fnd_1", Note: fmt.Sprint(n)}}}
	for i := range 50 {
		g.Accounts = append(g.Accounts, lifecycle.Account{ID: lifecycle.AccountID(fmt.Sprint("P", i)), Name: fmt.Sprint(n)})
	}
	g.Events = []lifecycle.AuditEvent{{At: g.Until, Actor: lifecycle.System, Kind: lifecycle.EventFindingOpened, Ref: "fnd_1"}}
	return g
}

func moment(n int) time.Time { return time.Unix(int64(1_800_000_000+n), 0).UTC() }

func TestAGlanceIsStoredWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	answered := killedAfter(t, "glance", path, 20)
	db := serve(t, path)
	at, err := db.Glanced(t.Context())
	if err != nil || at.Before(moment(len(answered))) {
		t.Fatalf("%d were stored, and the last is of %s, %v", len(answered), at, err)
	}
	want := fmt.Sprint(at.Unix() - moment(0).Unix())
	accounts, err := db.Baseline(t.Context())
	if err != nil || len(accounts) != 50 {
		t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	for _, a := range accounts {
		if a.Name != want {
			t.Errorf("account %s is of glance %s, the mark of %s", a.ID, a.Name, want)
		}
	}
	if f, err := db.Finding(t.Context(), "fnd_1"); err != nil || f.Note != want {
		t.Errorf("the finding is of glance %q, the mark of %s; %v", f.Note, want, err)
	}
	if report := verify(t, path); !report.Whole {
		t.Errorf("after the kill: %+v", report)
	}
}
