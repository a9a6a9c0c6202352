package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// BrakeStore is where the brakes look, and keep what they stop.
type BrakeStore interface {
	HoldStore
	PolicyStore
	SourceStore
	FactStore
	PeopleReader
}

// PeopleReader is where the brakes look up who somebody is, and what they have.
type PeopleReader interface {
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// IdentitiesByEmail returns every identity whose primary address is email, folded.
	IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error)
	// BaselineByEmail is FactStore's.
	BaselineByEmail(ctx context.Context, email string) ([]Account, error)
	// LastRollCall returns when the last whole roll call was, or the zero time.
	LastRollCall(ctx context.Context) (time.Time, error)
	// Population returns how many people have an account, linked or with their
	// address, that the last whole roll call has seen.
	Population(ctx context.Context) (int, error)
}

// Brakes stop what a broken feed, or a mistake in a mapping or in a policy, would
// do to many people at once, until people have looked. No hold ends by silence.
type Brakes struct {
	store    BrakeStore
	policies PolicySource
	now      func() time.Time

	mu   sync.Mutex
	wait map[NoticeKind]time.Time // while removals gather none of them is judged: so many need not look at each other
	told map[HoldID]int           // after how many days Security was last reminded
	many headcount
}

// A headcount is how many people had an account, and when they were counted.
type headcount struct {
	people int
	at     time.Time
}

// countEvery is how long a headcount is good for: to count takes longer, of a
// large company, than everything else about one who leaves.
const countEvery = time.Minute

// NewBrakes returns brakes over store.
func NewBrakes(store BrakeStore, policies PolicySource, now func() time.Time) *Brakes {
	return &Brakes{store: store, policies: policies, now: now, wait: map[NoticeKind]time.Time{}, told: map[HoldID]int{}}
}

// ErrHeld says that nothing is to come of a notice for now, or ever: it is held,
// a person has refused it, or a newer one has come.
var ErrHeld = errors.New("held")

// Pass returns nil when the notice, which is the newest about its identity, may be
// acted on; ErrHeld when it may not; and a JobError that says when to ask again
// while removals gather. It may be repeated: what has passed once passes always.
func (b *Brakes) Pass(ctx context.Context, n Notice) error {
	for range decideTries {
		about, err := b.store.RemovalsAbout(ctx, n.Identity)
		if err != nil {
			return fmt.Errorf("look up removals of identity %s: %w", n.Identity, err)
		}
		if err := b.overtake(ctx, about, func(r Removal) bool { return r.At.Before(n.At) }, n.ID); err != nil {
			return err
		}
		if _, counts := n.Removal(); !counts {
			return nil
		}
		k := slices.IndexFunc(about, func(r Removal) bool { return r.Notice == n.ID })
		if k < 0 {
			return fmt.Errorf("look up the removal of notice %s: %w", n.ID, ErrNotFound)
		}
		switch about[k].State {
		case RemovalPassed:
			return nil
		case RemovalHeld, RemovalRefused, RemovalOvertaken:
			return ErrHeld
		case RemovalQueued:
		}
		if err := b.settle(ctx, about[k]); err != nil {
			return err
		}
	}
	return fmt.Errorf("judge notice %s: others judge at the same moment: %w", n.ID, ErrConflict)
}

// Overtaken notes that nothing is to come of the notice any more, because
// something newer is known of its identity.
func (b *Brakes) Overtaken(ctx context.Context, n Notice) error {
	about, err := b.store.RemovalsAbout(ctx, n.Identity)
	if err != nil {
		return fmt.Errorf("look up removals of identity %s: %w", n.Identity, err)
	}
	return b.overtake(ctx, about, func(r Removal) bool { return r.Notice == n.ID }, "")
}

func (b *Brakes) overtake(ctx context.Context, about []Removal, old func(Removal) bool, by NoticeID) error {
	var over []Removal
	for _, r := range about {
		if (r.State == RemovalQueued || r.State == RemovalHeld) && r.Notice != by && old(r) {
			r.State = RemovalOvertaken
			over = append(over, r)
		}
	}
	if len(over) == 0 {
		return nil
	}
	e := b.judged(over, "A newer notice about them has come.")
	var next []Job
	for _, r := range over {
		if r.Hold != "" {
			next = append(next, Job{Kind: JobHold, Ref: string(r.Hold)})
		}
	}
	if err := b.store.SaveRemovals(ctx, over, e, next...); err != nil {
		return fmt.Errorf("overtake removal %s: %w", e.Ref, err)
	}
	for _, r := range over {
		if r.Hold != "" {
			if err := b.empty(ctx, r.Hold); err != nil {
				return err
			}
		}
	}
	return nil
}

// empty closes a hold in which nothing waits any more, so that nobody decides on nothing.
func (b *Brakes) empty(ctx context.Context, id HoldID) error {
	h, err := b.store.Hold(ctx, id)
	if err != nil {
		return fmt.Errorf("load hold %s: %w", id, err)
	}
	waiting, err := b.Waiting(ctx, id)
	if err != nil || len(waiting) > 0 || !h.Open() {
		return err
	}
	err = b.close(ctx, h, "Nothing waits in it any more: newer notices about everybody have come.")
	if errors.Is(err, ErrConflict) { // something has joined meanwhile, or somebody has decided
		return nil
	}
	return err
}

// close ends a hold that nobody needs to decide any more.
func (b *Brakes) close(ctx context.Context, h Hold, why string) error {
	h, e := h.closed(why, b.now())
	return wrap("close hold "+string(h.ID), b.store.SaveHold(ctx, h, nil, e, card(h)))
}

// settle judges what is queued, r among it. It returns nil once that is stored,
// or somebody else was faster: look again.
func (b *Brakes) settle(ctx context.Context, r Removal) error {
	if bare, err := b.bare(ctx, r); err != nil || bare {
		return err
	}
	if err := b.gathering(r); err != nil {
		return err
	}
	v, err := b.look(ctx)
	if err != nil {
		return err
	}
	is := v.judged()
	if len(is.Pass) > 0 {
		for i := range is.Pass {
			is.Pass[i].State = RemovalPassed
		}
		if err := b.store.SaveRemovals(ctx, is.Pass, b.judged(is.Pass, "Is ordinary, urgent and within the limit, or a person's word.")); err != nil {
			return fmt.Errorf("let removals pass: %w", err)
		}
	}
	for _, s := range is.Stop {
		if err := b.hold(ctx, s, v); err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
	}
	b.remember(is.Wait)
	return b.gathering(r)
}

// bare lets a removal pass by which nobody loses anything, and reports whether it
// was one. Before the first whole roll call nobody knows who has an account.
func (b *Brakes) bare(ctx context.Context, r Removal) (bool, error) {
	i, err := b.store.Identity(ctx, r.Identity)
	if err != nil {
		return false, fmt.Errorf("load identity %s: %w", r.Identity, err)
	}
	seen, err := b.store.LastRollCall(ctx)
	if err != nil || seen.IsZero() {
		return false, wrap("look up the last roll call", err)
	}
	if has, err := hasAccount(ctx, b.store, i); err != nil || has {
		return false, err
	}
	r.Bare, r.State = true, RemovalPassed
	all := []Removal{r}
	return true, wrap("let removal pass", b.store.SaveRemovals(ctx, all, b.judged(all, "Has no PagerDuty account.")))
}

// A view is everything that a judgement rests on. The holds are read before the
// removals, and what is stopped is saved against them: whoever was faster has
// moved the hold on, and what they left is looked at anew.
type view struct {
	policy     Policy
	population int
	open       []Hold
	removals   []Removal
	now        time.Time
}

func (v view) judged() Braking {
	return JudgeRemovals(v.removals, v.open, v.policy.Breaker, v.population, v.now)
}

func (b *Brakes) look(ctx context.Context) (v view, err error) {
	v.now = b.now()
	if v.policy, err = b.policies.Current(ctx); err != nil {
		return v, fmt.Errorf("read the policy in force: %w", err)
	}
	if v.population, err = b.people(ctx); err != nil {
		return v, fmt.Errorf("count who has an account: %w", err)
	}
	if v.open, err = b.store.Holds(ctx); err != nil {
		return v, fmt.Errorf("list holds: %w", err)
	}
	v.removals, err = b.store.Removals(ctx, v.now.Add(-v.policy.Breaker.Window))
	return v, wrap("list removals", err)
}

// people returns how many people have an account, as it was a minute ago at most.
func (b *Brakes) people(ctx context.Context) (int, error) {
	now := b.now()
	b.mu.Lock()
	was := b.many
	b.mu.Unlock()
	if was.people > 0 && now.Sub(was.at) < countEvery && !now.Before(was.at) {
		return was.people, nil
	}
	people, err := b.store.Population(ctx)
	if err != nil {
		return 0, err //nolint:wrapcheck // its caller says what was counted
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.many = headcount{people, now}
	return people, nil
}

// gathering returns when to ask again while r gathers with others, or nil.
func (b *Brakes) gathering(r Removal) error {
	if r.Prompt() || !r.Counts() {
		return nil
	}
	b.mu.Lock()
	until := b.wait[r.Kind]
	b.mu.Unlock()
	left := until.Sub(b.now())
	if left <= 0 {
		return nil
	}
	why := fmt.Sprintf("Many people leave or move at once, so they are looked at together at %s.", until.UTC().Format("15:04"))
	return WaitFor(why, fmt.Errorf("judge notice %s: more are gathering", r.Notice), left)
}

func (b *Brakes) remember(wait map[NoticeKind]time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wait = wait
}

// hold stops the removals under the hold of their source that stood when they were
// judged, or a new one. It returns ErrConflict when that is not so any more.
func (b *Brakes) hold(ctx context.Context, s Stop, v view) error {
	h := Hold{
		ID: NewHoldID(), Kind: holdKindOf(s.Kind), Source: s.Source, State: HoldStands, Why: s.why(v.policy.Breaker, v.population),
		Limit: s.Limit, Population: v.population, OpenedAt: b.now(), Decisions: []HoldDecision{},
	}
	kind := EventHoldOpened
	if k := slices.IndexFunc(v.open, func(o Hold) bool { return o.Kind == h.Kind && o.Source == h.Source }); k >= 0 {
		h, kind = v.open[k], EventRemovalJudged
	}
	h.Revision, h.UpdatedAt = h.Revision+1, b.now()
	for i := range s.Removals {
		s.Removals[i].State, s.Removals[i].Hold, s.Removals[i].Joined = RemovalHeld, h.ID, h.Revision
	}
	e := b.judged(s.Removals, "Waits until two people have looked.")
	e.Kind, e.Ref = kind, string(h.ID)
	e.Detail["why"], e.Detail["kind"], e.Detail["source"], e.Detail["policy"] = h.Why, string(h.Kind), h.Source, v.policy.SHA256
	return wrap("hold "+string(h.ID), b.store.SaveHold(ctx, h, s.Removals, e, append(s.alarm(h), card(h))...))
}

// judged returns the line that says what has become of the removals.
func (b *Brakes) judged(removals []Removal, outcome string) AuditEvent {
	ids := make([]string, len(removals))
	for i, r := range removals {
		ids[i] = string(r.Notice)
	}
	e := AuditEvent{At: b.now(), Actor: System, Kind: EventRemovalJudged, Ref: "removals", Detail: map[string]string{
		"outcome": outcome, "state": string(removals[0].State), "removals": strconv.Itoa(len(removals)), "notices": strings.Join(ids, " "),
	}}
	if len(ids) == 1 {
		e.Ref = ids[0]
	}
	return e
}
