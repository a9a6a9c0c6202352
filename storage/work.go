package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"rolecall/lifecycle"
)

const (
	fetchCooldown = 20 * time.Millisecond
	softStop      = 5 * time.Second  // then a step is broken off, and repeated after the next start
	rescueAfter   = 60 * time.Second // River's default would park a crashed job for an hour
	keepCompleted = 7 * 24 * time.Hour
)

// work is what this process does with jobs.
type work struct {
	mu       sync.Mutex
	handlers map[lifecycle.JobKind]Handler
	periodic []*river.PeriodicJob
	client   *river.Client[*sql.Tx] // nil while not started
}

// A Handler takes one step. What it returns says what becomes of the job: nil
// is done, a *lifecycle.JobError is as it says, a reference to nothing
// (lifecycle.ErrNotFound) is given up, and anything else is tried again.
type Handler func(context.Context, lifecycle.Attempt) error

// Handle makes fn take the jobs of the kind. It panics when the kind has a
// handler already, which is a mistake in the wiring.
func (db *DB) Handle(kind lifecycle.JobKind, fn func(context.Context, lifecycle.Attempt) error) {
	db.work.mu.Lock()
	defer db.work.mu.Unlock()
	if _, taken := db.work.handlers[kind]; taken {
		panic(fmt.Sprintf("storage: %s jobs have a handler already", kind))
	}
	if db.work.handlers == nil {
		db.work.handlers = map[lifecycle.JobKind]Handler{}
	}
	db.work.handlers[kind] = fn
}

// Every enqueues job whenever s says so, and with runOnStart also at the start.
// Of several replicas one does it. A moment missed while none is up is not made
// up for: what must not be missed keeps its own mark.
func (db *DB) Every(name string, s lifecycle.Schedule, job lifecycle.Job, runOnStart bool) {
	db.work.mu.Lock()
	defer db.work.mu.Unlock()
	due := func() (river.JobArgs, *river.InsertOpts) {
		return task{kind: job.Kind, Ref: text(job.Ref)}, db.options(job)
	}
	db.work.periodic = append(db.work.periodic, river.NewPeriodicJob(s, due, &river.PeriodicJobOpts{ID: name, RunOnStart: runOnStart}))
}

// Start works jobs until Stop, or until ctx ends. It refuses in a process that
// does not serve, on a database that is not migrated, and while a kind of job
// has no handler: such jobs would be thrown away.
func (db *DB) Start(ctx context.Context) error {
	db.work.mu.Lock()
	defer db.work.mu.Unlock()
	if err := db.startable(ctx); err != nil {
		return err
	}
	if err := db.revive(ctx); err != nil {
		return err
	}
	client, err := river.NewClient(db.driver, db.riverConfig())
	if err != nil {
		return fmt.Errorf("set up workers: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	db.work.client = client
	return nil
}

func (db *DB) startable(ctx context.Context) error {
	if db.role != Serve {
		return errors.New("start workers: the database is open for a command, which works no jobs")
	}
	if db.work.client != nil {
		return errors.New("start workers: they are at work already")
	}
	for _, kind := range lifecycle.JobKinds() {
		if db.work.handlers[kind] == nil {
			return fmt.Errorf("start workers: nothing handles %s jobs", kind)
		}
	}
	pending, err := db.pending(ctx)
	if err != nil {
		return err
	}
	if pending {
		return fmt.Errorf("start workers: database %s has not been migrated", db.name)
	}
	return nil
}

// revive gives back at once what a process that died was working on. On SQLite
// we hold the file's lock, so nobody works on it now; on PostgreSQL another
// replica may, and River's rescuer finds out by the clock. The dead process's
// lease on the schedules goes too.
func (db *DB) revive(ctx context.Context) error {
	if db.pg {
		return nil
	}
	result, err := db.writer.ExecContext(ctx, `
UPDATE river_job SET state = 'available', max_attempts = max(max_attempts, attempt + 1) WHERE state = 'running'`)
	if err != nil {
		return fmt.Errorf("revive jobs: %w", err)
	}
	if n, err := result.RowsAffected(); err == nil && n > 0 {
		db.log.WarnContext(ctx, "jobs of a process that died start again", slog.Int64("jobs", n))
	}
	if _, err := db.writer.ExecContext(ctx, "DELETE FROM river_leader"); err != nil {
		return fmt.Errorf("end the lease of a process that died: %w", err)
	}
	return nil
}

func (db *DB) riverConfig() *river.Config {
	workers := river.NewWorkers()
	for kind, fn := range db.work.handlers {
		river.AddWorkerArgs(workers, task{kind: kind}, &worker{kind: kind, fn: fn, log: db.log})
	}
	return &river.Config{
		Workers: workers, Queues: queues(), PeriodicJobs: db.work.periodic,
		Logger: quiet(db.log), ErrorHandler: &complaints{db.log},
		FetchCooldown: fetchCooldown, JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter, SoftStopTimeout: softStop,
		MaxAttempts: maxAttempts, RetryPolicy: doubling{}, CompletedJobRetentionPeriod: keepCompleted,
		DiscardedJobRetentionPeriod: -1, // what failed for good stays until somebody has looked
	}
}

const (
	firstRetry   = time.Second
	longestRetry = 30 * time.Minute
)

// doubling waits a second before the second try, twice as long before each
// further one, and never longer than half an hour. River's own waits grow so
// fast that the fourth try of something a person waits for is minutes away.
type doubling struct{}

// NextRetry returns when to try again.
func (doubling) NextRetry(job *rivertype.JobRow) time.Time {
	wait := longestRetry
	if n := len(job.Errors); n < 11 { // 2¹¹ seconds are more than half an hour
		wait = min(wait, firstRetry<<n)
	}
	spread := time.Duration(rand.Int64N(int64(wait / 5))) // so that what failed together does not come back together
	return time.Now().Add(wait - wait/10 + spread)
}

// Stop lets the jobs at work finish, for at most five seconds, then breaks them
// off, and takes no more. It returns ctx's error when that is too long for it.
// It does nothing when nothing is at work.
func (db *DB) Stop(ctx context.Context) error {
	db.work.mu.Lock()
	defer db.work.mu.Unlock()
	if db.work.client == nil {
		return nil
	}
	if err := db.work.client.Stop(ctx); err != nil {
		return fmt.Errorf("stop workers: %w", err)
	}
	db.work.client = nil
	return nil
}

// worker takes the jobs of one kind.
type worker struct {
	river.WorkerDefaults[task]
	kind lifecycle.JobKind
	fn   Handler
	log  *slog.Logger
}

// Timeout gives what goes through everything, at the pace that PagerDuty and
// Slack set, the time it takes; River's rescuer waits as long as this before it
// takes such a job for dead.
func (w *worker) Timeout(*river.Job[task]) time.Duration {
	switch {
	case periodic(w.kind):
		return periodicTimeout
	case queueOf(w.kind) == queuePagerDuty, w.kind == lifecycle.JobRestate, w.kind == lifecycle.JobRelease, w.kind == lifecycle.JobAnswer:
		return stepTimeout
	default:
		return jobTimeout
	}
}

// Work takes the step, and tells River what became of it in its own terms. A
// glance that failed is not kept for somebody to look at: the next one comes
// within minutes, and in a long outage there would be hundreds.
func (w *worker) Work(ctx context.Context, job *river.Job[task]) error {
	last := job.Attempt >= job.MaxAttempts
	err := w.fn(ctx, lifecycle.Attempt{Ref: job.Args.Ref, Last: last})
	told, ok := errors.AsType[*lifecycle.JobError](err)
	switch {
	case err == nil:
		return nil
	case ok && told.RetryAfter > 0:
		w.log.InfoContext(ctx, "job waits", append(jobAttrs(job.JobRow), slog.Duration("for", told.RetryAfter), slog.Any("err", err))...)
		return river.JobSnooze(told.RetryAfter)
	case ok && told.Permanent, errors.Is(err, lifecycle.ErrNotFound), last && w.kind == lifecycle.JobGlance:
		w.log.WarnContext(ctx, "job given up", append(jobAttrs(job.JobRow), slog.Any("err", err))...)
		return river.JobCancel(err)
	default:
		return err
	}
}

// complaints logs what River would only keep.
type complaints struct{ log *slog.Logger }

// HandleError logs a try that failed: as an error when it was the last.
func (c *complaints) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	level := slog.LevelWarn
	if job.Attempt >= job.MaxAttempts {
		level = slog.LevelError
	}
	c.log.Log(ctx, level, "job failed", append(jobAttrs(job), slog.Any("err", err))...)
	return nil
}

// HandlePanic logs where a handler panicked. The job is tried again like any that failed.
func (c *complaints) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	c.log.ErrorContext(ctx, "job panicked", append(jobAttrs(job), slog.Any("panic", value), slog.String("stack", trace))...)
	return nil
}

func jobAttrs(job *rivertype.JobRow) []any {
	return []any{slog.String("kind", job.Kind), slog.Int64("job", job.ID), slog.Int("attempt", job.Attempt), slog.Int("of", job.MaxAttempts)}
}
