package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Router says who may decide a request now. It is the one place that does:
// cards, inboxes, reminders and the decision itself all go by it.
type Router struct {
	store    RouteStore
	policies PolicySource
	now      func() time.Time
}

// NewRouter returns a router over store.
func NewRouter(store RouteStore, policies PolicySource, now func() time.Time) *Router {
	return &Router{store: store, policies: policies, now: now}
}

// Route returns who may decide r now. First come those whom the request names as
// sources; while they are fewer than have to agree, those whom PagerDuty calls
// managers of its teams, then the subject's manager, then Security. Whoever has
// left, is suspended, is of no domain of the policy or is the subject falls away.
// Who is away is stood in for, and comes last. What Security alone decides goes to
// nobody else.
func (t *Router) Route(ctx context.Context, r Request) (Route, error) {
	policy, err := t.policies.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	return t.route(ctx, r, policy)
}

func (t *Router) route(ctx context.Context, r Request, policy Policy) (Route, error) {
	w := &wayfinder{Router: t, ctx: ctx, policy: policy, r: r, alone: slices.Equal(r.From, []ApproverSource{FromSecurity})}
	if err := w.begin(); err != nil {
		return nil, err
	}
	for _, from := range w.sources() {
		if w.enough() && !slices.Contains(r.From, from) && !(from == FromSecurity && r.Escalated) {
			continue
		}
		if err := w.ask(from); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(w.assigned(), w.heard()); err != nil {
		return nil, err
	}
	return append(w.found, w.away...), nil
}

// MayDecide returns nil when by may decide r now, else a Refusal that says who may.
func (t *Router) MayDecide(ctx context.Context, r Request, by Identity) error {
	who, err := t.Route(ctx, r)
	if err != nil {
		return err
	}
	return t.authorise(ctx, r, who, by)
}

// authorise returns nil when by, as they are known now, is one of who. What the
// caller believes of them counts for nothing but their id.
func (t *Router) authorise(ctx context.Context, r Request, who Route, by Identity) error {
	email := by.Person.Email()
	known, err := t.store.IdentitiesByEmail(ctx, email)
	if err != nil {
		return fmt.Errorf("look up who decides: %w", err)
	}
	subjects, err := t.store.IdentitiesByEmail(ctx, FoldEmail(r.Subject.Email))
	if err != nil {
		return fmt.Errorf("look up whose access it is: %w", err)
	}
	if r.isAbout(by, subjects) || slices.ContainsFunc(known, func(i Identity) bool { return r.isAbout(i, subjects) }) {
		return Refuse(ErrForbidden, "no one decides on their own access")
	}
	if a, may := who.Of(email); may && a.ID == by.ID && len(known) == 1 && known[0].ID == by.ID {
		return nil
	}
	return Refuse(ErrForbidden, "Only %s can decide this. You can still comment in the thread.", who.words())
}

// manyApprovers is how many people a refusal names.
const manyApprovers = 12

func (r Route) words() string {
	emails := r.Emails()
	if n := len(emails) - manyApprovers; n > 0 {
		emails = append(emails[:manyApprovers:manyApprovers], fmt.Sprintf("%d others", n))
	}
	return listOr(emails, "Security")
}

// Remembering returns a router that gives the same answers, and looks each thing
// up once: for one listing of many requests. What changes after its first answer
// it does not see, and it is not for use by two goroutines at once.
func (t *Router) Remembering() *Router {
	at := t.now()
	return &Router{
		store: &recollection{
			RouteStore: t.store, emails: map[string][]Identity{}, ids: map[IdentityID]Identity{},
			keys: map[SourceKey]keyed{}, managers: map[TeamID][]Account{},
		},
		policies: &recalledPolicy{PolicySource: t.policies},
		now:      func() time.Time { return at },
	}
}

// recollection is a RouteStore that is asked each thing once.
type recollection struct {
	RouteStore
	emails   map[string][]Identity
	ids      map[IdentityID]Identity
	keys     map[SourceKey]keyed
	managers map[TeamID][]Account
	absences *[]Absence
}

type keyed struct {
	identity Identity
	err      error // nil, or ErrNotFound
}

// IdentitiesByEmail is RouteStore's.
func (m *recollection) IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error) {
	return recall(m.emails, email, func() ([]Identity, error) { return m.RouteStore.IdentitiesByEmail(ctx, email) })
}

// Identity is RouteStore's.
func (m *recollection) Identity(ctx context.Context, id IdentityID) (Identity, error) {
	return recall(m.ids, id, func() (Identity, error) { return m.RouteStore.Identity(ctx, id) })
}

// IdentityByKey is RouteStore's.
func (m *recollection) IdentityByKey(ctx context.Context, source, key string) (Identity, error) {
	found, err := recall(m.keys, SourceKey{Source: source, Key: key}, func() (keyed, error) {
		i, err := m.RouteStore.IdentityByKey(ctx, source, key)
		if errors.Is(err, ErrNotFound) {
			return keyed{i, err}, nil
		}
		return keyed{i, nil}, err
	})
	if err != nil {
		return found.identity, err
	}
	return found.identity, found.err
}

// TeamManagers is RouteStore's.
func (m *recollection) TeamManagers(ctx context.Context, team TeamID) ([]Account, error) {
	return recall(m.managers, team, func() ([]Account, error) { return m.RouteStore.TeamManagers(ctx, team) })
}

// Absences is RouteStore's.
func (m *recollection) Absences(ctx context.Context, at time.Time) ([]Absence, error) {
	if m.absences == nil {
		found, err := m.RouteStore.Absences(ctx, at)
		if err != nil {
			return nil, err
		}
		m.absences = &found
	}
	return *m.absences, nil
}

func recall[K comparable, V any](known map[K]V, key K, look func() (V, error)) (V, error) {
	if v, ok := known[key]; ok {
		return v, nil
	}
	v, err := look()
	if err == nil {
		known[key] = v
	}
	return v, err
}

// recalledPolicy is a PolicySource that is asked once.
type recalledPolicy struct {
	PolicySource
	policy *Policy
}

// Current is PolicySource's.
func (m *recalledPolicy) Current(ctx context.Context) (Policy, error) {
	if m.policy == nil {
		p, err := m.PolicySource.Current(ctx)
		if err != nil {
			return p, err
		}
		m.policy = &p
	}
	return *m.policy, nil
}
