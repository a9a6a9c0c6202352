package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// office works the jobs of one test. Kinds that the test says nothing about are done.
type office struct {
	db  *storage.DB
	url string
	log *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newOffice(t *testing.T, x *fixture) *office {
	t.Helper()
	log := &syncBuffer{}
	url := x.fresh(t)
	return &office{db: reopen(t, url, storage.Serve, slog.New(slog.NewTextHandler(log, nil))), url: url, log: log}
}

// start handles the kind with f, and everything else by doing nothing.
func (o *office) start(t *testing.T, kind lifecycle.JobKind, f storage.Handler) {
	t.Helper()
	o.startAll(t, map[lifecycle.JobKind]storage.Handler{kind: f})
}

func (o *office) startAll(t *testing.T, handlers map[lifecycle.JobKind]storage.Handler) {
	t.Helper()
	for kind, f := range handlers {
		o.db.Handle(kind, f)
	}
	for _, kind := range lifecycle.JobKinds() {
		if handlers[kind] == nil {
			o.db.Handle(kind, func(context.Context, lifecycle.Attempt) error { return nil })
		}
	}
	must(t, o.db.Start(context.WithoutCancel(t.Context())))
}

func (o *office) enqueue(t *testing.T, jobs ...lifecycle.Job) {
	t.Helper()
	must(t, o.db.Record(t.Context(), event(lifecycle.EventServiceStarted, "test"), jobs...))
}

// attempts is a handler that tells what it was called with, and answers what it is told to.
func attempts(answers ...error) (storage.Handler, <-chan lifecycle.Attempt) {
	seen := make(chan lifecycle.Attempt, 100)
	var n atomic.Int64
	return func(_ context.Context, a lifecycle.Attempt) error {
		seen <- a
		if i := int(n.Add(1)) - 1; i < len(answers) {
			return answers[i]
		}
		return nil
	}, seen
}

func next[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-soon(t).Done():
		t.Fatal("it did not happen within a minute")
		panic("unreachable")
	}
}

// ends waits until the job has ended, and returns how.
func (o *office) ends(t *testing.T, kind lifecycle.JobKind, state string) {
	t.Helper()
	must(t, o.db.Idle(soon(t)))
	for _, s := range get[[]storage.JobStat](t)(o.db.JobStats(t.Context())) {
		if s.Kind == kind && (s.State != state || s.Count != 1) {
			t.Errorf("%d %s jobs are %s, want 1 %s", s.Count, s.Kind, s.State, state)
		}
	}
}

// testUrgentFirst holds that what is urgent goes before a whole company.
func testUrgentFirst(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	priority := func(ref string) int {
		t.Helper()
		return query[int](t, raw(t, url), "SELECT priority FROM river_job WHERE CAST(args AS TEXT) LIKE '%"+ref+"%'")
	}
	register := func(change func(*lifecycle.Fact)) int {
		t.Helper()
		f := sampleFact("okta", unique())
		f.Urgent = false
		change(&f)
		must1(t)(db.SaveFact(t.Context(), f, event(lifecycle.EventNoticeReceived, string(f.ID)), lifecycle.Job{Kind: lifecycle.JobRegister, Ref: string(f.ID)}))
		return priority(string(f.ID))
	}
	ordinary := register(func(*lifecycle.Fact) {})
	for name, change := range map[string]func(*lifecycle.Fact){
		"an urgent fact":           func(f *lifecycle.Fact) { f.Urgent = true },
		"an account that was shut": func(f *lifecycle.Fact) { f.Kind = lifecycle.FactDisabled },
	} {
		if got := register(change); got >= ordinary {
			t.Errorf("%s has priority %d, others %d", name, got, ordinary)
		}
	}
	p := provisionFact(sampleFact(client, unique()))
	must(t, db.Provision(t.Context(), p))
	if got := priority(string(p.Facts[0].ID)); got >= ordinary {
		t.Errorf("an urgent fact of a provisioned user has priority %d, others %d", got, ordinary)
	}
	for name, urgent := range map[string]bool{"ana": true, "bo": false} {
		i := sampleIdentity(name)
		n := sampleNotice(i)
		n.Kind, n.Urgent = lifecycle.Leaver, urgent
		must(t, db.SaveIdentity(t.Context(), i, &n, event(lifecycle.EventIdentityChanged, string(i.ID)), lifecycle.Job{Kind: lifecycle.JobPlan, Ref: string(n.ID)}))
		if got := priority(string(n.ID)); (got < ordinary) != urgent {
			t.Errorf("the plan of a leaver, urgent %t, has priority %d, others %d", urgent, got, ordinary)
		}
	}
}

func testJobs(t *testing.T, x *fixture) {
	for name, test := range map[string]func(*testing.T, *office){
		"one that fails is tried again":                   jobRetried,
		"one that waits comes back without a lost try":    jobSnoozed,
		"a permanent failure is given up":                 jobPermanent,
		"a reference to nothing is given up":              jobDangling,
		"the last attempt is told so":                     jobLast,
		"a panic is a failure":                            jobPanics,
		"one unfinished roll call is enough":              jobUnique,
		"one unfinished glance is enough":                 jobUniqueGlance,
		"a glance that failed is not kept":                jobGlanceGivenUp,
		"a glance waits until a roll call is done":        jobGlanceWaits,
		"one for later waits":                             jobScheduled,
		"one for a time that has passed starts at once":   jobPast,
		"a schedule enqueues":                             jobPeriodic,
		"another process's job wakes the workers":         jobFromCommand,
		"workers do not start without what they need":     jobStartRefused,
		"one that follows from no row is worked too":      jobAlone,
		"stopping lets a job finish":                      jobStopped,
		"stopping breaks off one that goes on":            jobBrokenOff,
		"four roll calls' length does not hold up others": jobQueues,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newOffice(t, x))
		})
	}
}

func jobRetried(t *testing.T, o *office) {
	f, seen := attempts(errors.New("PagerDuty is away"))
	o.start(t, lifecycle.JobApply, f)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobApply, Ref: "req_1"})
	for range 2 {
		if a := next(t, seen); a.Ref != "req_1" || a.Last {
			t.Errorf("attempt %+v", a)
		}
	}
	o.ends(t, lifecycle.JobApply, "completed")
	if log := o.log.String(); !strings.Contains(log, "PagerDuty is away") || !strings.Contains(log, "kind=apply") {
		t.Errorf("the failure is not in the log: %s", log)
	}
}

func jobSnoozed(t *testing.T, o *office) {
	wait := lifecycle.RetryAfter(errors.New("429"), 50*time.Millisecond)
	f, seen := attempts(fmt.Errorf("apply: %w", wait), wait, wait)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobApply, Ref: "req_1"})
	execute(t, raw(t, o.url), "UPDATE river_job SET max_attempts = 2")
	o.start(t, lifecycle.JobApply, f)
	for i := range 4 {
		if a := next(t, seen); a.Last {
			t.Errorf("the wait cost a try: attempt %d was taken for the last", i)
		}
	}
	o.ends(t, lifecycle.JobApply, "completed")
}

func jobPermanent(t *testing.T, o *office) {
	f, seen := attempts(fmt.Errorf("apply: %w", lifecycle.Permanent(errors.New("PagerDuty said no"))))
	o.start(t, lifecycle.JobApply, f)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobApply, Ref: "req_1"})
	next(t, seen)
	o.ends(t, lifecycle.JobApply, "cancelled")
}

func jobDangling(t *testing.T, o *office) {
	f, seen := attempts(fmt.Errorf("load request: %w", lifecycle.ErrNotFound))
	o.start(t, lifecycle.JobShow, f)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobShow, Ref: "req_none"})
	next(t, seen)
	o.ends(t, lifecycle.JobShow, "cancelled")
}

func jobLast(t *testing.T, o *office) {
	f, seen := attempts(errors.New("one"), errors.New("two"))
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobApply, Ref: "req_1"})
	execute(t, raw(t, o.url), "UPDATE river_job SET max_attempts = 2")
	o.start(t, lifecycle.JobApply, f)
	if a, b := next(t, seen), next(t, seen); a.Last || !b.Last {
		t.Errorf("the first was the last: %t; the second: %t", a.Last, b.Last)
	}
	o.ends(t, lifecycle.JobApply, "discarded")
	if !strings.Contains(o.log.String(), "level=ERROR msg=\"job failed\"") {
		t.Errorf("the last failure is not an error in the log: %s", o.log)
	}
}

func jobPanics(t *testing.T, o *office) {
	f, seen := attempts()
	o.start(t, lifecycle.JobAlert, func(ctx context.Context, a lifecycle.Attempt) error {
		if err := f(ctx, a); len(seen) == 1 || err != nil {
			panic("at the wrong moment")
		}
		return nil
	})
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobAlert, Ref: "hello"})
	o.endsAfter(t, seen, 2)
	if log := o.log.String(); !strings.Contains(log, "at the wrong moment") || !strings.Contains(log, "suite_jobs.go") {
		t.Errorf("the log does not say where: %s", log)
	}
}

// endsAfter waits until there were n attempts, without taking them.
func (o *office) endsAfter(t *testing.T, seen <-chan lifecycle.Attempt, n int) {
	t.Helper()
	must(t, o.db.Idle(soon(t)))
	if len(seen) != n {
		t.Errorf("%d attempts, want %d", len(seen), n)
	}
}

func jobUnique(t *testing.T, o *office) {
	gate, begun := make(chan struct{}), make(chan lifecycle.Attempt, 10)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: "schedule"})
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: "idn_ana"}, lifecycle.Job{Kind: lifecycle.JobDigests})
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobDigests})
	if r, d := jobs(t, o.db, lifecycle.JobRollCall), jobs(t, o.db, lifecycle.JobDigests); r != 1 || d != 1 {
		t.Errorf("%d roll calls and %d looks at digests wait, want 1 and 1", r, d)
	}
	o.start(t, lifecycle.JobRollCall, func(_ context.Context, a lifecycle.Attempt) error {
		begun <- a
		<-gate
		return nil
	})
	if a := next(t, begun); a.Ref != "schedule" {
		t.Errorf("the first that was asked for is %q", a.Ref)
	}
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: "idn_bo"}) // while one runs
	close(gate)
	must(t, o.db.Idle(soon(t)))
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: "idn_cy"}) // when it is done
	if a := next(t, begun); a.Ref != "idn_cy" {
		t.Errorf("the next is %q", a.Ref)
	}
	must(t, o.db.Idle(soon(t)))
}

func jobScheduled(t *testing.T, o *office) {
	f, seen := attempts()
	o.start(t, lifecycle.JobRemind, f)
	due := time.Now().Add(2 * time.Second)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRemind, Ref: "req_1", At: due})
	must(t, o.db.Idle(soon(t))) // one that is scheduled does not count
	if len(seen) > 0 && time.Now().Before(due) {
		t.Error("it ran before it was due")
	}
	next(t, seen)
	if early := time.Until(due); early > 0 {
		t.Errorf("it ran %s before it was due", early)
	}
}

func jobPast(t *testing.T, o *office) {
	f, seen := attempts()
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRemind, Ref: "req_1", At: noon().AddDate(-1, 0, 0)})
	if stats := get[[]storage.JobStat](t)(o.db.JobStats(t.Context())); len(stats) != 1 || stats[0].State != "available" {
		t.Errorf("it is %+v, want available", stats)
	}
	o.start(t, lifecycle.JobRemind, f)
	next(t, seen)
}

// everySecond is a schedule.
type everySecond struct{}

func (everySecond) Next(t time.Time) time.Time { return t.Truncate(time.Second).Add(time.Second) }

func jobPeriodic(t *testing.T, o *office) {
	f, seen := attempts()
	o.db.Every("digests", everySecond{}, lifecycle.Job{Kind: lifecycle.JobDigests}, true)
	o.start(t, lifecycle.JobDigests, f)
	for range 3 {
		next(t, seen)
	}
}

func jobFromCommand(t *testing.T, o *office) {
	f, seen := attempts()
	o.start(t, lifecycle.JobShow, f)
	must(t, o.db.Idle(soon(t)))
	command := reopen(t, o.url, storage.Command, slog.New(slog.DiscardHandler))
	begun := time.Now()
	must(t, command.Record(t.Context(), event(lifecycle.EventServiceStarted, "test"), lifecycle.Job{Kind: lifecycle.JobShow, Ref: "req_1"}))
	if a := next(t, seen); a.Ref != "req_1" {
		t.Errorf("attempt %+v", a)
	}
	t.Logf("picked up after %s", time.Since(begun))
	if err := command.Start(t.Context()); err == nil {
		t.Error("a command works jobs")
	}
}

func jobAlone(t *testing.T, o *office) {
	f, seen := attempts()
	o.start(t, lifecycle.JobAlert, f)
	must(t, o.db.Enqueue(t.Context(), lifecycle.Job{Kind: lifecycle.JobAlert, Ref: "a"}, lifecycle.Job{Kind: lifecycle.JobAlert, Ref: "b"}))
	if a, b := next(t, seen).Ref, next(t, seen).Ref; a == b {
		t.Errorf("both are %q", a)
	}
	if n := lines(t, o.db); n != 0 {
		t.Errorf("%d lines, want none: nothing was written", n)
	}
}

func jobStartRefused(t *testing.T, o *office) {
	err := o.db.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), string(lifecycle.JobRegister)) {
		t.Errorf("without handlers: %v", err)
	}
	f, _ := attempts()
	o.start(t, lifecycle.JobApply, f)
	if err := o.db.Start(t.Context()); err == nil {
		t.Error("it started twice")
	}
	defer func() {
		if recover() == nil {
			t.Error("one kind has two handlers")
		}
	}()
	o.db.Handle(lifecycle.JobApply, f)
}

func jobStopped(t *testing.T, o *office) {
	begun, gate := make(chan struct{}), make(chan struct{})
	o.start(t, lifecycle.JobApply, func(context.Context, lifecycle.Attempt) error {
		close(begun)
		<-gate
		return nil
	})
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobApply, Ref: "req_1"})
	next(t, begun)
	stopped := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { stopped <- o.db.Stop(soon(t)) })
	select {
	case err := <-stopped:
		t.Errorf("stopped over a job at work: %v", err)
	case <-time.After(100 * time.Millisecond): // the wrong order would show by now, and a right one is never late
	}
	close(gate)
	must(t, next(t, stopped))
	wg.Wait()
	o.ends(t, lifecycle.JobApply, "completed")
	must(t, o.db.Stop(t.Context())) // nothing is at work any more
}

// Ten seconds are what a container is given by default before it is killed.
func jobBrokenOff(t *testing.T, o *office) {
	begun := make(chan struct{}, 1)
	o.start(t, lifecycle.JobApply, func(ctx context.Context, _ lifecycle.Attempt) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobApply, Ref: "req_1"})
	next(t, begun)
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	must(t, o.db.Stop(ctx))
	for _, s := range get[[]storage.JobStat](t)(o.db.JobStats(t.Context())) {
		if s.Kind == lifecycle.JobApply && (s.Count != 1 || s.State != "available" && s.State != "retryable") {
			t.Errorf("%d is %s, want 1 that is tried again", s.Count, s.State)
		}
	}
}

func jobQueues(t *testing.T, o *office) {
	call, begun, gate := longRollCall()
	f, seen := attempts()
	handlers := map[lifecycle.JobKind]storage.Handler{}
	for _, k := range lifecycle.JobKinds() {
		handlers[k] = f
	}
	handlers[lifecycle.JobRollCall] = call
	o.startAll(t, handlers)
	o.enqueue(t, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: "schedule"})
	next(t, begun)
	for _, k := range lifecycle.JobKinds() {
		if k != lifecycle.JobRollCall && k != lifecycle.JobGlance {
			o.enqueue(t, lifecycle.Job{Kind: k, Ref: string(k)})
			if a := next(t, seen); a.Ref != string(k) {
				t.Errorf("%s came instead of %s", a.Ref, k)
			}
		}
	}
	close(gate)
	must(t, o.db.Idle(soon(t)))
}

// longRollCall is a handler that says when it has begun, and ends at the gate.
func longRollCall() (call storage.Handler, begun chan struct{}, gate chan struct{}) {
	begun, gate = make(chan struct{}, 1), make(chan struct{})
	return func(context.Context, lifecycle.Attempt) error {
		begun <- struct{}{}
		<-gate
		return nil
	}, begun, gate
}
