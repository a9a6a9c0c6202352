package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// SourceFlowStore is where sources are followed, and where they are held back
// until they are started.
type SourceFlowStore interface {
	BrakeStore
}

// Sources follow how the feeds of facts behave.
type Sources struct {
	store  SourceFlowStore
	brakes *Brakes
	now    func() time.Time

	mu    sync.Mutex
	heard map[string]Source // as each was when it was last looked up
	looks map[string]time.Time
}

// NewSources returns sources over store.
func NewSources(store SourceFlowStore, policies PolicySource, now func() time.Time) *Sources {
	return &Sources{store: store, brakes: NewBrakes(store, policies, now), now: now, heard: map[string]Source{}, looks: map[string]time.Time{}}
}

const (
	hearEvery    = time.Minute    // at most one write for each source
	leastGap     = time.Hour      // a shorter silence is nothing to learn from
	leastSilence = 24 * time.Hour // before anybody is told
	enoughHeard  = 10             // times, before a source is known well enough to be missed
	enoughWhole  = 3              // of whole snapshots, which come at their own pace
)

// Hear notes that something came from the source that was authenticated, whatever
// it said. It costs at most one write a minute, and returns the source as it was
// at most a minute ago. A source that is new and syncs everybody is observed
// until somebody of Security starts it.
func (s *Sources) Hear(ctx context.Context, name string, syncs bool) (Source, error) {
	now := s.now()
	if known, fresh := s.lately(name, now); fresh {
		return known, nil
	}
	is, err := s.hear(ctx, name, syncs, now)
	if err != nil {
		return is, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[name], s.looks[name] = is, now
	return is, nil
}

func (s *Sources) lately(name string, now time.Time) (Source, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.looks[name]
	return s.heard[name], ok && now.Sub(at) < hearEvery && !now.Before(at)
}

func (s *Sources) hear(ctx context.Context, name string, syncs bool, now time.Time) (Source, error) {
	for range decideTries {
		was, err := s.store.Source(ctx, name)
		if errors.Is(err, ErrNotFound) {
			was, err = s.connect(ctx, name, syncs, now)
		} else if err == nil {
			was, err = s.again(ctx, was, now)
		}
		if !errors.Is(err, ErrConflict) {
			return was, wrap("hear source "+name, err)
		}
	}
	return Source{}, fmt.Errorf("hear source %s: %w", name, ErrConflict)
}

// connect notes a source that was never heard before. The hold comes first: a
// source that is observed without one would wait for nobody.
func (s *Sources) connect(ctx context.Context, name string, syncs bool, now time.Time) (Source, error) {
	is := Source{Name: name, Revision: 1, FirstSeen: now, LastHeard: now, Heard: 1, Observed: syncs}
	if syncs {
		if err := s.holdBack(ctx, name, now); err != nil {
			return is, err
		}
	}
	e := AuditEvent{At: now, Actor: BySource(name), Kind: EventSourceConnected, Ref: name, Detail: map[string]string{"observed": strconv.FormatBool(syncs)}}
	return is, s.store.SaveSource(ctx, is, e)
}

func (s *Sources) holdBack(ctx context.Context, name string, now time.Time) error {
	if _, stands, err := s.standing(ctx, name); err != nil || stands {
		return err
	}
	h := Hold{
		ID: NewHoldID(), Kind: HoldSource, Revision: 1, Source: name, State: HoldStands, OpenedAt: now, UpdatedAt: now, Decisions: []HoldDecision{},
		Why: fmt.Sprintf("%s was connected and sends everybody it knows. Who people are is taken from it already; nobody joins, moves or leaves by it until somebody of Security starts it. The roll call shows what it would change.", name),
	}
	e := AuditEvent{At: now, Actor: System, Kind: EventHoldOpened, Ref: string(h.ID), Detail: map[string]string{"why": h.Why, "kind": string(h.Kind), "source": name}}
	err := s.store.SaveHold(ctx, h, nil, e, card(h))
	if errors.Is(err, ErrConflict) { // another replica has heard it too
		return nil
	}
	return err
}

// standing returns the hold that keeps the source from being acted on.
func (s *Sources) standing(ctx context.Context, name string) (Hold, bool, error) {
	open, err := s.store.Holds(ctx)
	if err != nil {
		return Hold{}, false, fmt.Errorf("list holds: %w", err)
	}
	k := slices.IndexFunc(open, func(h Hold) bool { return h.Kind == HoldSource && h.Source == name })
	if k < 0 {
		return Hold{}, false, nil
	}
	return open[k], true, nil
}

// again notes that a source which is known was heard. That it was silent for
// longer than ever before, and nobody needed to be told, is learned.
func (s *Sources) again(ctx context.Context, was Source, now time.Time) (Source, error) {
	gap := now.Sub(was.LastHeard)
	if gap < hearEvery {
		return was, nil
	}
	if err := s.store.HeardSource(ctx, was.Name, now); err != nil {
		return was, err
	}
	is := was
	is.Heard, is.LastHeard = was.Heard+1, now
	switch longest := gap > was.Gap && gap >= leastGap && !was.overdue(now); {
	case !was.Silent && !longest:
		return is, nil
	case longest && !was.Silent:
		is.Gap = gap
	}
	is.Silent = false
	is.Revision++
	e := AuditEvent{At: now, Actor: BySource(was.Name), Kind: EventSourceHeard, Ref: was.Name, Detail: map[string]string{"after": gap.Round(time.Second).String()}}
	return is, s.store.SaveSource(ctx, is, e)
}

// overdue reports whether the source is silent for twice as long as was ever
// ordinary, and for a day at least.
func (s Source) overdue(now time.Time) bool {
	enough := enoughHeard
	if s.Snapshot != nil {
		enough = enoughWhole
	}
	return s.Heard >= enough && now.Sub(s.LastHeard) > max(2*s.Gap, leastSilence)
}

// LookForSilence tells Security, once, of each source that has fallen silent.
// Silence is not consent: nothing is concluded from it about anybody.
func (s *Sources) LookForSilence(ctx context.Context) error {
	all, err := s.All(ctx)
	if err != nil {
		return err
	}
	now := s.now()
	for _, was := range all {
		if was.Silent || !was.overdue(now) {
			continue
		}
		is := was
		is.Silent = true
		is.Revision++
		e := AuditEvent{At: now, Actor: System, Kind: EventSourceSilent, Ref: is.Name, Detail: map[string]string{"last": is.LastHeard.UTC().Format(time.RFC3339)}}
		err := s.store.SaveSource(ctx, is, e, alert(is.silence()))
		if err != nil && !errors.Is(err, ErrConflict) { // who was faster has told them, or has heard it
			return fmt.Errorf("note that source %s is silent: %w", is.Name, err)
		}
	}
	return nil
}

func (s Source) silence() string {
	what := "has said nothing"
	if s.Snapshot != nil {
		what = "has sent no snapshot"
	}
	return fmt.Sprintf("%s %s since %s. Its longest silence before was %s. Nothing is concluded from that: people whom it would have told of keep what they have. Look whether it still reaches rolecall.",
		s.Name, what, s.LastHeard.UTC().Format("2 Jan 15:04 UTC"), spell(max(s.Gap, leastGap).Round(time.Hour)))
}

// All returns every source that was ever heard, by name.
func (s *Sources) All(ctx context.Context) ([]Source, error) {
	all, err := s.store.Sources(ctx)
	return all, wrap("list sources", err)
}

// Start ends the first sync of the source: what it says from now on is acted on.
// Only Security may; a start takes nothing from anybody, and so takes one person.
// Who may not, and a source that is not observed, is a Refusal.
func (s *Sources) Start(ctx context.Context, name string, by Identity, via Via) error {
	was, err := s.store.Source(ctx, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return Refuse(ErrNotFound, "no source %q was ever heard; `rolecall source list` shows those that were", name)
	case err != nil:
		return fmt.Errorf("load source %s: %w", name, err)
	}
	h, stands, err := s.standing(ctx, name)
	if err != nil {
		return err
	}
	if stands {
		if h, err = s.brakes.Propose(ctx, Release{Hold: h.ID, Seen: h.Revision, By: by, All: true, Via: via}); err != nil {
			return err
		}
		return s.brakes.Take(ctx, h.ID)
	}
	return s.restart(ctx, was, by)
}

// restart starts a source whose hold was refused before.
func (s *Sources) restart(ctx context.Context, was Source, by Identity) error {
	policy, err := s.brakes.policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	sit := sitting{by: by}
	if sit.members, err = security(ctx, s.store, policy, s.now()); err != nil {
		return err
	}
	if err := sit.authorise(policy); err != nil {
		return err
	}
	if !was.Observed {
		return Refuse(ErrConflict, "%s is acted on already%s", was.Name, startedBy(was))
	}
	return startSource(ctx, s.store, was.Name, s.now(), sit.by.Person.Email())
}

func startedBy(s Source) string {
	if s.StartedBy == "" {
		return ""
	}
	return "; " + s.StartedBy + " has started it"
}

// startSource lets the source be acted on from then on. One that is already, stays so.
func startSource(ctx context.Context, store SourceStore, name string, at time.Time, by string) error {
	for range decideTries {
		is, err := store.Source(ctx, name)
		if err != nil {
			return fmt.Errorf("load source %s: %w", name, err)
		}
		if !is.Observed {
			return nil
		}
		is.Observed, is.StartedBy, is.StartedAt = false, by, at
		is.Revision++
		e := AuditEvent{At: at, Actor: System, Kind: EventSourceStarted, Ref: name, Detail: map[string]string{"by": by}}
		if err := store.SaveSource(ctx, is, e); !errors.Is(err, ErrConflict) {
			return wrap("start source "+name, err)
		}
	}
	return fmt.Errorf("start source %s: %w", name, ErrConflict)
}
