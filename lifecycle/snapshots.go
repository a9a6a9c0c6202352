package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"
)

// SnapshotStore is where whole snapshots of a source are held against what was
// known before.
type SnapshotStore interface {
	SourceStore
	HoldReader
	Recorder
	PeopleReader
	KnownReader
	// IdentityByKey is PeopleStore's.
	IdentityByKey(ctx context.Context, source, key string) (Identity, error)
}

// A Roster is a whole snapshot of a source: everybody it knows, at one moment.
// The counts are of the whole of it, taken before the first fact is asked for.
type Roster struct {
	Source string
	At     time.Time // when it was so
	SHA256 string    // of the file
	Format string    // such as csv
	Fields []string  // the header, in order
	Empty  map[string]int
	Rows   int
	Facts  iter.Seq2[Fact, error] // one for each row, each of another key

	// Accepted takes it in although it differs more from the last than is
	// ordinary, because By, who is of Security, has looked, and why.
	Accepted bool
	By       Identity
	Reason   string

	last time.Time // when the snapshot before was so: it is a step from that one
}

// Taken is what a snapshot came to.
type Taken struct {
	Rows      int  `json:"rows"`
	Changed   int  `json:"changed"`   // rows that said something new
	Held      int  `json:"held"`      // people whom the brakes hold because of the source, as it was taken in
	Absent    int  `json:"absent"`    // people of the source, not ended, who are not in it
	Observed  bool `json:"observed"`  // the first of its source: nothing follows from it
	Identical bool `json:"identical"` // the same file as the last: nothing was done
}

// Snapshots take in whole snapshots of a source.
type Snapshots struct {
	store    SnapshotStore
	inbox    *Inbox
	sources  *Sources
	policies PolicySource
	now      func() time.Time
}

// NewSnapshots returns snapshots over store.
func NewSnapshots(store SnapshotStore, inbox *Inbox, sources *Sources, now func() time.Time) *Snapshots {
	return &Snapshots{store: store, inbox: inbox, sources: sources, policies: sources.brakes.policies, now: now}
}

// Take takes the snapshot in: each row that says something new is a fact, and
// so is everybody of the source who is not in it. One that differs from the last
// more than is ordinary is a Refusal that says how and what to do, and changes
// nothing. The first of a source is observed. It may be repeated: what was taken in
// before a fault is not taken in twice.
func (s *Snapshots) Take(ctx context.Context, r Roster) (Taken, error) {
	src, err := s.sources.Hear(ctx, r.Source, false)
	if err != nil {
		return Taken{}, err
	}
	if src, err = s.store.Source(ctx, r.Source); err != nil { // Hear may be a minute behind
		return Taken{}, fmt.Errorf("load source %s: %w", r.Source, err)
	}
	t := Taken{Rows: r.Rows, Identical: src.Snapshot != nil && src.Snapshot.SHA256 == r.SHA256}
	if t.Identical {
		return t, nil
	}
	if src.Snapshot != nil {
		r.last = src.Snapshot.At
	}
	if err := s.admit(ctx, r, src.Snapshot); err != nil {
		return Taken{Rows: r.Rows}, err
	}
	t.Observed = src.Snapshot == nil
	if t.Observed && src.First != r.SHA256 {
		src.First = r.SHA256
		if src, err = s.save(ctx, src, AuditEvent{Kind: EventSourceConnected, Detail: map[string]string{"observed": "the first snapshot"}}); err != nil {
			return Taken{}, err
		}
	}
	known, err := s.known(ctx, r.Source)
	if err != nil {
		return Taken{}, err
	}
	if t.Changed, err = s.receive(ctx, r, known); err != nil {
		return t, err
	}
	if t.Absent, err = s.absent(ctx, r, known); err != nil {
		return t, err
	}
	if t.Held, err = s.held(ctx, r.Source); err != nil {
		return t, err
	}
	return t, s.mark(ctx, r, t)
}

// admit returns nil when the snapshot may be taken in. What was turned away is on
// the record, and Security is told: a feed that breaks is nobody's surprise.
func (s *Snapshots) admit(ctx context.Context, r Roster, last *SnapshotMark) error {
	refused := r.guard(last, s.now())
	if r.Accepted && errors.Is(refused, ErrInvalid) {
		refused = s.accept(ctx, r)
	}
	if ReasonOf(refused) == "" {
		return refused
	}
	e := AuditEvent{At: s.now(), Actor: BySource(r.Source), Kind: EventSnapshotRefused, Ref: r.Source, Detail: map[string]string{"why": ReasonOf(refused), "sha256": r.SHA256}}
	if err := s.store.Record(ctx, e, alert(fmt.Sprintf("A snapshot of %s was refused, and nothing was changed. %s", r.Source, ReasonOf(refused)))); err != nil {
		return fmt.Errorf("record the refused snapshot of %s: %w", r.Source, err)
	}
	return refused
}

// accept returns nil when who accepts the snapshot may.
func (s *Snapshots) accept(ctx context.Context, r Roster) error {
	policy, err := s.policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	sit := sitting{by: r.By}
	if sit.members, err = security(ctx, s.store, policy, s.now()); err != nil {
		return err
	}
	return sit.authorise(policy)
}

// save stores the source, with its next revision and the line that says why.
func (s *Snapshots) save(ctx context.Context, src Source, e AuditEvent) (Source, error) {
	src.Revision++
	e.At, e.Actor, e.Ref = s.now(), BySource(src.Name), src.Name
	return src, wrap("save source "+src.Name, s.store.SaveSource(ctx, src, e))
}

// mark keeps what the next snapshot is held against. The first ends the first
// sync: what comes after it is acted on.
func (s *Snapshots) mark(ctx context.Context, r Roster, t Taken) error {
	e := AuditEvent{Kind: EventSnapshotTaken, Detail: map[string]string{
		"sha256": r.SHA256, "at": r.At.UTC().Format(time.RFC3339), "format": r.Format, "rows": strconv.Itoa(t.Rows),
		"changed": strconv.Itoa(t.Changed), "absent": strconv.Itoa(t.Absent), "observed": strconv.FormatBool(t.Observed),
	}}
	if r.Accepted {
		e.Detail["accepted"], e.Detail["reason"] = string(r.By.ID), r.Reason
	}
	for range decideTries {
		src, err := s.store.Source(ctx, r.Source)
		if err != nil {
			return fmt.Errorf("load source %s: %w", r.Source, err)
		}
		if src.Snapshot != nil && !r.At.After(src.Snapshot.At) {
			return Refuse(ErrConflict, "another snapshot of %s that is as new was taken in at the same moment", r.Source)
		}
		if t.Observed && !src.Observed { // else it is for Security to start it
			src.StartedAt, src.StartedBy = s.now(), "its first whole snapshot"
		}
		if t.Changed > 0 {
			src.LastFact = s.now()
		}
		src.Snapshot = &SnapshotMark{At: r.At, SHA256: r.SHA256, Rows: r.Rows, Fields: r.Fields, Empty: r.Empty}
		if _, err = s.save(ctx, src, e); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("keep the mark of source %s: %w", r.Source, ErrConflict)
}

// held returns how many people are held because of the source.
func (s *Snapshots) held(ctx context.Context, source string) (int, error) {
	removals, err := s.store.Removals(ctx, s.now())
	if err != nil {
		return 0, fmt.Errorf("list removals: %w", err)
	}
	n := 0
	for _, r := range removals {
		if r.State == RemovalHeld && r.Source == source {
			n++
		}
	}
	return n, nil
}
