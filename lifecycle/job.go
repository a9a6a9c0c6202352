package lifecycle

import "time"

// JobKind names one step of the flow.
type JobKind string

// The steps. No step calls the next: it leaves a row and, in the same
// transaction, the job that follows.
const (
	JobRegister JobKind = "register" // Ref: NoticeID of a fact
	JobPlan     JobKind = "plan"     // Ref: NoticeID
	JobAsk      JobKind = "ask"      // Ref: FindingID an owner must decide
	JobShow     JobKind = "show"     // Ref: RequestID whose card is to tell the truth
	JobApply    JobKind = "apply"    // Ref: RequestID
	JobReplan   JobKind = "replan"   // Ref: RequestID that was blocked
	JobRemind   JobKind = "remind"   // Ref: RequestID
	JobEscalate JobKind = "escalate" // Ref: RequestID
	JobExpire   JobKind = "expire"   // Ref: RequestID
	JobRollCall JobKind = "rollcall" // Ref: who asked for it, or "schedule"
	JobDigests  JobKind = "digests"  // Ref: "": send the digests that are due
	JobAlert    JobKind = "alert"    // Ref: the sentence for the security channel, told once
	JobGlance   JobKind = "glance"   // Ref: who asked for it, or "schedule"
	JobFollow   JobKind = "follow"   // Ref: RequestID of a joiner who may not be reachable yet
	JobStop     JobKind = "stop"     // Ref: RequestID of an undo, for which the rest of its notice is withdrawn
	JobCase     JobKind = "case"     // Ref: CaseID whose card is to tell the truth
	JobAnswer   JobKind = "answer"   // Ref: CaseID that was answered, and is to take effect
	JobHold     JobKind = "hold"     // Ref: HoldID whose card is to tell the truth
	JobRelease  JobKind = "release"  // Ref: HoldID that was settled, and is to take effect
	JobRestate  JobKind = "restate"  // Ref: client/kind/id of a resource of which people are to be told anew
	JobSilence  JobKind = "silence"  // Ref: "": look which sources have fallen silent, and remind of holds
	JobResync   JobKind = "resync"   // Ref: name of a source that is to be read for what its hook has lost
	JobReroute  JobKind = "reroute"  // Ref: AbsenceID that begins or ends: what they would decide is asked of others
	JobEnd      JobKind = "end"      // Ref: RequestID whose grant is over
	JobEnding   JobKind = "ending"   // Ref: RequestID whose grant is over soon: its holder is told
	JobGroups   JobKind = "groups"   // Ref: "": ask Slack who is in the groups that the policy names
)

// JobKinds returns every kind; each must have a handler before work starts.
func JobKinds() []JobKind {
	return []JobKind{JobRegister, JobPlan, JobAsk, JobShow, JobApply, JobReplan, JobRemind, JobEscalate, JobExpire, JobRollCall, JobDigests, JobAlert, JobGlance, JobFollow, JobStop, JobCase, JobAnswer, JobHold, JobRelease, JobRestate, JobSilence, JobResync, JobReroute, JobGroups, JobEnd, JobEnding}
}

// A Job is a step to take: what, about which row, and when (zero: now).
type Job struct {
	Kind JobKind
	Ref  string
	At   time.Time
}

// Attempt is one try at a job.
type Attempt struct {
	Ref  string
	Last bool // no further try follows: leave a state that people can see
}

// A JobError tells the queue what to do with a job that failed.
type JobError struct {
	Err        error
	Permanent  bool          // do not try again
	RetryAfter time.Duration // try again then, without counting the attempt
	Why        string        // what is waited for, in a sentence; "" where nothing answers
}

func (e *JobError) Error() string { return e.Err.Error() }
func (e *JobError) Unwrap() error { return e.Err }

// Permanent marks a failure that no repetition mends.
func Permanent(err error) error { return &JobError{Err: err, Permanent: true} }

// RetryAfter marks a failure that passes by itself after d.
func RetryAfter(err error, d time.Duration) error { return &JobError{Err: err, RetryAfter: d} }

// WaitFor is RetryAfter for what is no failure: why says what is waited for.
func WaitFor(why string, err error, d time.Duration) error {
	return &JobError{Err: err, RetryAfter: d, Why: why}
}

func show(id RequestID) Job { return Job{Kind: JobShow, Ref: string(id)} }
