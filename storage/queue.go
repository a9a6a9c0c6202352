package storage

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"rolecall/lifecycle"
)

const (
	queuePagerDuty = "pagerduty"
	queueSlack     = "slack"
	queueRollCall  = "rollcall" // one at a time, and so that a long one holds up nobody's approval
	queueRegister  = "register" // a whole company at once holds up nothing that is due at its time
	queueResync    = "resync"   // one at a time, and slow
	queueDefault   = river.QueueDefault

	maxAttempts         = 20 // the waits double up to half an hour: about six hours in all
	maxPeriodicAttempts = 4  // the schedule brings these back anyway

	// A first sync makes a job for everybody in the company, and somebody who is to
	// lose access at once does not wait for it.
	priorityUrgent = river.PriorityDefault
	priorityMany   = priorityUrgent + 1

	jobTimeout      = 30 * time.Second
	stepTimeout     = 2 * time.Minute // a step that reads all of on-call, and looks for each change until it is seen
	periodicTimeout = 10 * time.Minute
)

// task is a job as the queue keeps it.
type task struct {
	kind lifecycle.JobKind
	Ref  string `json:"ref"`
}

// Kind names the worker that takes the task.
func (t task) Kind() string { return string(t.kind) }

// enqueue inserts the jobs in the transaction that they follow from. Workers
// of any process are woken when it commits. Those about what is urgent go first.
func (db *DB) enqueue(ctx context.Context, tx *sql.Tx, jobs []lifecycle.Job, urgent map[string]bool) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{Args: task{kind: j.Kind, Ref: text(j.Ref)}, InsertOpts: db.options(j)}
		if urgent[j.Ref] {
			params[i].InsertOpts.Priority = priorityUrgent
		}
	}
	if _, err := db.insert.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("enqueue %s %s: %w", jobs[0].Kind, jobs[0].Ref, err)
	}
	return nil
}

// options returns how j is queued. A time that has passed is now: a scheduled
// job would wait for the scheduler, which looks every few seconds.
func (db *DB) options(j lifecycle.Job) *river.InsertOpts {
	o := &river.InsertOpts{Queue: queueOf(j.Kind), MaxAttempts: maxAttempts}
	if j.Kind == lifecycle.JobRegister || j.Kind == lifecycle.JobPlan {
		o.Priority = priorityMany
	}
	if j.At.After(db.now()) {
		o.ScheduledAt = j.At
	}
	if periodic(j.Kind) {
		o.MaxAttempts = maxPeriodicAttempts
		o.UniqueOpts = river.UniqueOpts{ByQueue: true, ByArgs: j.Kind == lifecycle.JobResync, ByState: unfinished()}
	}
	return o
}

// periodic reports whether one unfinished job of the kind is enough, of a resync
// one for each source: it looks at everything, whoever asked for it.
func periodic(k lifecycle.JobKind) bool {
	switch k {
	case lifecycle.JobRollCall, lifecycle.JobGlance, lifecycle.JobDigests, lifecycle.JobSilence, lifecycle.JobResync:
		return true
	default:
		return false
	}
}

// unfinished is River's default without completed, which would keep the next
// run away until the cleaner has been.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
}

func queueOf(k lifecycle.JobKind) string {
	switch k {
	case lifecycle.JobApply, lifecycle.JobPlan, lifecycle.JobReplan, lifecycle.JobAsk, lifecycle.JobFollow:
		return queuePagerDuty
	case lifecycle.JobShow, lifecycle.JobRemind, lifecycle.JobAlert, lifecycle.JobDigests, lifecycle.JobCase, lifecycle.JobHold:
		return queueSlack
	case lifecycle.JobRollCall, lifecycle.JobGlance: // what a roll call is about to see needs no glance
		return queueRollCall
	case lifecycle.JobRegister, lifecycle.JobRestate:
		return queueRegister
	case lifecycle.JobResync:
		return queueResync
	case lifecycle.JobEscalate, lifecycle.JobExpire, lifecycle.JobStop, lifecycle.JobAnswer, lifecycle.JobRelease, lifecycle.JobSilence:
		return queueDefault
	default:
		return queueDefault
	}
}

func queues() map[string]river.QueueConfig {
	return map[string]river.QueueConfig{
		queuePagerDuty: {MaxWorkers: 4}, queueSlack: {MaxWorkers: 4}, queueDefault: {MaxWorkers: 4}, queueRollCall: {MaxWorkers: 1},
		queueRegister: {MaxWorkers: 4}, queueResync: {MaxWorkers: 1},
	}
}

// A JobStat counts the jobs of one kind in one state.
type JobStat struct {
	Kind  lifecycle.JobKind `json:"kind"`
	State string            `json:"state"` // available, running, retryable, scheduled, completed, cancelled, discarded
	Count int               `json:"count"`
}

// JobStats returns how many jobs there are of every kind in every state.
func (db *DB) JobStats(ctx context.Context) ([]JobStat, error) {
	rows, err := db.reader.QueryContext(ctx, "SELECT kind, CAST(state AS TEXT), count(*) FROM river_job GROUP BY kind, state ORDER BY kind, state")
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below has said what there is to say
	stats := []JobStat{}
	for rows.Next() {
		var s JobStat
		if err := rows.Scan(&s.Kind, &s.State, &s.Count); err != nil {
			return nil, fmt.Errorf("count jobs: %w", err)
		}
		stats = append(stats, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return stats, nil
}

const idleLook = 10 * time.Millisecond

// Idle returns when no job is available or running, or with ctx's error. Jobs
// that are scheduled, or wait more than some seconds for another try, do not count.
func (db *DB) Idle(ctx context.Context) error {
	tick := time.NewTicker(idleLook)
	defer tick.Stop()
	for {
		var busy int
		if err := db.reader.QueryRowContext(ctx, "SELECT count(*) FROM river_job WHERE state IN ('available', 'running')").Scan(&busy); err != nil {
			return fmt.Errorf("count jobs at work: %w", err)
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %d jobs: %w", busy, ctx.Err())
		case <-tick.C:
		}
	}
}

// quiet keeps River from telling of every job: what a person should know of
// one is logged where it is worked.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }
