package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

var errCrash = errors.New("the process died here")

// How a call that is hit goes wrong.
type fault int

const (
	refused fault = iota // the call was not made
	lost                 // it was made, and the answer did not come
	dead                 // it was made, and no later call is
)

// faults hits the at-th call to the store or to PagerDuty; 0 hits none.
type faults struct {
	mu    sync.Mutex
	calls int
	at    int
	how   fault
}

// hit arms the faults anew.
func (f *faults) hit(at int, how fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.at, f.how = 0, at, how
}

// next returns whether the call is made, and whether its answer comes.
func (f *faults) next() (made, answered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	switch {
	case f.at == 0 || f.calls < f.at:
		return true, true
	case f.calls == f.at:
		return f.how != refused, false
	default:
		return f.how != dead, f.how != dead
	}
}

func through[T any](f *faults, call func() (T, error)) (T, error) {
	var none T
	made, answered := f.next()
	if !made {
		return none, errCrash
	}
	v, err := call()
	if err == nil && !answered {
		return none, errCrash
	}
	return v, err
}

// store is the real one, which keeps the jobs and the lines that it was given
// for the test to look at, and fails where the test wants it to.
type store struct {
	*storage.DB
	faults *faults
	mu     sync.Mutex
	jobs   []lifecycle.Job
	lines  []lifecycle.AuditEvent
	events int
}

func (s *store) enqueue(jobs ...lifecycle.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, jobs...)
}

// due takes the oldest job that is due off the queue.
func (s *store) due(now time.Time) (lifecycle.Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.jobs, func(j lifecycle.Job) bool { return !j.At.After(now) })
	if i < 0 {
		return lifecycle.Job{}, false
	}
	j := s.jobs[i]
	s.jobs = slices.Delete(s.jobs, i, i+1)
	return j, true
}

// take takes a job off the queue, whenever it is due.
func (s *store) take(kind lifecycle.JobKind, ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = slices.DeleteFunc(s.jobs, func(j lifecycle.Job) bool { return j.Kind == kind && j.Ref == ref })
}

// waiting returns how many jobs of the kind wait.
func (s *store) waiting(kind lifecycle.JobKind) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, j := range s.jobs {
		if j.Kind == kind {
			n++
		}
	}
	return n
}

// kept makes a write, and keeps its line and its jobs when it was committed.
func kept[T any](s *store, e []lifecycle.AuditEvent, next []lifecycle.Job, call func() (T, error)) (T, error) {
	return through(s.faults, func() (T, error) {
		v, err := call()
		if err == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.jobs, s.lines = append(s.jobs, next...), append(s.lines, e...)
		}
		return v, err
	})
}

type nothing struct{}

func (s *store) write(e lifecycle.AuditEvent, next []lifecycle.Job, call func() error) error {
	_, err := kept(s, []lifecycle.AuditEvent{e}, next, func() (nothing, error) { return nothing{}, call() })
	return err
}

func (s *store) Record(ctx context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.Record(ctx, e, next...) })
}

func (s *store) SaveIdentity(ctx context.Context, i lifecycle.Identity, n *lifecycle.Notice, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveIdentity(ctx, i, n, e, next...) })
}

func (s *store) SavePeople(ctx context.Context, p lifecycle.People, events []lifecycle.AuditEvent, next ...lifecycle.Job) error {
	_, err := kept(s, events, next, func() (nothing, error) { return nothing{}, s.DB.SavePeople(ctx, p, events, next...) })
	return err
}

func (s *store) SaveCase(ctx context.Context, c lifecycle.Case, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveCase(ctx, c, e, next...) })
}

func (s *store) Case(ctx context.Context, id lifecycle.CaseID) (lifecycle.Case, error) {
	return through(s.faults, func() (lifecycle.Case, error) { return s.DB.Case(ctx, id) })
}

func (s *store) CasesAbout(ctx context.Context, who lifecycle.IdentityID, source, key string) ([]lifecycle.Case, error) {
	return through(s.faults, func() ([]lifecycle.Case, error) { return s.DB.CasesAbout(ctx, who, source, key) })
}

func (s *store) IdentityByAccount(ctx context.Context, id lifecycle.AccountID) (lifecycle.Identity, error) {
	return through(s.faults, func() (lifecycle.Identity, error) { return s.DB.IdentityByAccount(ctx, id) })
}

func (s *store) IdentitiesFormerly(ctx context.Context, email string, t time.Time) ([]lifecycle.Identity, error) {
	return through(s.faults, func() ([]lifecycle.Identity, error) { return s.DB.IdentitiesFormerly(ctx, email, t) })
}

func (s *store) SaveAbsence(ctx context.Context, a lifecycle.Absence, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveAbsence(ctx, a, e, next...) })
}

func (s *store) Enqueue(_ context.Context, jobs ...lifecycle.Job) error {
	s.enqueue(jobs...)
	return nil
}

func (s *store) KeepOriginal(ctx context.Context, o lifecycle.Original, e lifecycle.AuditEvent) error {
	return s.write(e, nil, func() error { return s.DB.KeepOriginal(ctx, o, e) })
}

func (s *store) SaveRequest(ctx context.Context, r lifecycle.Request, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveRequest(ctx, r, e, next...) })
}

func (s *store) KeepFinding(ctx context.Context, r lifecycle.Request, x lifecycle.Exception, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.KeepFinding(ctx, r, x, e, next...) })
}

func (s *store) SaveEffect(ctx context.Context, r lifecycle.Request, f lifecycle.Effect, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveEffect(ctx, r, f, e, next...) })
}

func (s *store) SaveGroup(ctx context.Context, g lifecycle.Group, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveGroup(ctx, g, e, next...) })
}

func (s *store) SaveDigest(ctx context.Context, email string, at time.Time, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveDigest(ctx, email, at, e, next...) })
}

func (s *store) SaveRollCall(ctx context.Context, r lifecycle.RollResult, next ...lifecycle.Job) error {
	_, err := kept(s, r.Events, next, func() (nothing, error) { return nothing{}, s.DB.SaveRollCall(ctx, r, next...) })
	return err
}

func (s *store) SaveGlance(ctx context.Context, g lifecycle.Glance, next ...lifecycle.Job) error {
	_, err := kept(s, g.Events, next, func() (nothing, error) { return nothing{}, s.DB.SaveGlance(ctx, g, next...) })
	return err
}

func (s *store) Findings(ctx context.Context, t time.Time) (found []lifecycle.Finding, exceptions []lifecycle.Exception, err error) {
	found, err = through(s.faults, func() (open []lifecycle.Finding, err error) {
		open, exceptions, err = s.DB.Findings(ctx, t)
		return open, err
	})
	return found, exceptions, err
}

func (s *store) Identities(ctx context.Context) ([]lifecycle.Identity, error) {
	return through(s.faults, func() ([]lifecycle.Identity, error) { return s.DB.Identities(ctx) })
}

func (s *store) Baseline(ctx context.Context) ([]lifecycle.Account, error) {
	return through(s.faults, func() ([]lifecycle.Account, error) { return s.DB.Baseline(ctx) })
}

func (s *store) LastRollCall(ctx context.Context) (time.Time, error) {
	return through(s.faults, func() (time.Time, error) { return s.DB.LastRollCall(ctx) })
}

func (s *store) Glanced(ctx context.Context) (time.Time, error) {
	return through(s.faults, func() (time.Time, error) { return s.DB.Glanced(ctx) })
}

func (s *store) SaveFact(ctx context.Context, f lifecycle.Fact, e lifecycle.AuditEvent, next ...lifecycle.Job) (lifecycle.NoticeID, bool, error) {
	var duplicate bool
	id, err := through(s.faults, func() (id lifecycle.NoticeID, err error) {
		id, duplicate, err = s.DB.SaveFact(ctx, f, e, next...)
		if err == nil && !duplicate {
			s.enqueue(next...)
		}
		return id, err
	})
	return id, duplicate, err
}

func (s *store) SaveFinding(ctx context.Context, f lifecycle.Finding, e lifecycle.AuditEvent, next ...lifecycle.Job) (bool, error) {
	return through(s.faults, func() (bool, error) {
		duplicate, err := s.DB.SaveFinding(ctx, f, e, next...)
		if err == nil && !duplicate {
			s.enqueue(next...)
		}
		return duplicate, err
	})
}

func (s *store) Request(ctx context.Context, id lifecycle.RequestID) (lifecycle.Request, error) {
	return through(s.faults, func() (lifecycle.Request, error) { return s.DB.Request(ctx, id) })
}

func (s *store) Requests(ctx context.Context, f lifecycle.RequestFilter) ([]lifecycle.Request, error) {
	return through(s.faults, func() ([]lifecycle.Request, error) { return s.DB.Requests(ctx, f) })
}

func (s *store) Original(ctx context.Context, id lifecycle.ChangeID) (lifecycle.Original, error) {
	return through(s.faults, func() (lifecycle.Original, error) { return s.DB.Original(ctx, id) })
}

func (s *store) Notice(ctx context.Context, id lifecycle.NoticeID) (lifecycle.Notice, error) {
	return through(s.faults, func() (lifecycle.Notice, error) { return s.DB.Notice(ctx, id) })
}

func (s *store) Finding(ctx context.Context, id lifecycle.FindingID) (lifecycle.Finding, error) {
	return through(s.faults, func() (lifecycle.Finding, error) { return s.DB.Finding(ctx, id) })
}

func (s *store) Identity(ctx context.Context, id lifecycle.IdentityID) (lifecycle.Identity, error) {
	return through(s.faults, func() (lifecycle.Identity, error) { return s.DB.Identity(ctx, id) })
}

func (s *store) IdentitiesByEmail(ctx context.Context, email string) ([]lifecycle.Identity, error) {
	return through(s.faults, func() ([]lifecycle.Identity, error) { return s.DB.IdentitiesByEmail(ctx, email) })
}

func (s *store) IdentityByKey(ctx context.Context, source, key string) (lifecycle.Identity, error) {
	return through(s.faults, func() (lifecycle.Identity, error) { return s.DB.IdentityByKey(ctx, source, key) })
}

func (s *store) Fact(ctx context.Context, id lifecycle.NoticeID) (lifecycle.Fact, error) {
	return through(s.faults, func() (lifecycle.Fact, error) { return s.DB.Fact(ctx, id) })
}

func (s *store) SaveHold(ctx context.Context, o lifecycle.Hold, removals []lifecycle.Removal, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveHold(ctx, o, removals, e, next...) })
}

func (s *store) SaveRemovals(ctx context.Context, removals []lifecycle.Removal, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveRemovals(ctx, removals, e, next...) })
}

func (s *store) SaveSource(ctx context.Context, src lifecycle.Source, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.SaveSource(ctx, src, e, next...) })
}

func (s *store) KeepPolicy(ctx context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.KeepPolicy(ctx, p, e, next...) })
}

func (s *store) EnforcePolicy(ctx context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e, next, func() error { return s.DB.EnforcePolicy(ctx, p, e, next...) })
}

func (s *store) Hold(ctx context.Context, id lifecycle.HoldID) (lifecycle.Hold, error) {
	return through(s.faults, func() (lifecycle.Hold, error) { return s.DB.Hold(ctx, id) })
}

func (s *store) Holds(ctx context.Context) ([]lifecycle.Hold, error) {
	return through(s.faults, func() ([]lifecycle.Hold, error) { return s.DB.Holds(ctx) })
}

func (s *store) Removals(ctx context.Context, since time.Time) ([]lifecycle.Removal, error) {
	return through(s.faults, func() ([]lifecycle.Removal, error) { return s.DB.Removals(ctx, since) })
}

func (s *store) RemovalsAbout(ctx context.Context, who lifecycle.IdentityID) ([]lifecycle.Removal, error) {
	return through(s.faults, func() ([]lifecycle.Removal, error) { return s.DB.RemovalsAbout(ctx, who) })
}

func (s *store) RemovalsOf(ctx context.Context, hold lifecycle.HoldID) ([]lifecycle.Removal, error) {
	return through(s.faults, func() ([]lifecycle.Removal, error) { return s.DB.RemovalsOf(ctx, hold) })
}

func (s *store) Source(ctx context.Context, name string) (lifecycle.Source, error) {
	return through(s.faults, func() (lifecycle.Source, error) { return s.DB.Source(ctx, name) })
}
