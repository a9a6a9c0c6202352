package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// RegistryStore is where the registrar reads facts and keeps identities.
type RegistryStore interface {
	Recorder
	// Fact returns the fact, or ErrNotFound.
	Fact(ctx context.Context, id NoticeID) (Fact, error)
	// IdentityByKey returns the identity that source knows by key, or ErrNotFound.
	IdentityByKey(ctx context.Context, source, key string) (Identity, error)
	// IdentitiesByEmail returns every identity whose primary address is email, folded.
	IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error)
	// SaveIdentity stores i, and n unless it is nil. It returns ErrConflict when
	// i.Revision is not one more than the stored revision (1 for a new identity).
	SaveIdentity(ctx context.Context, i Identity, n *Notice, e AuditEvent, next ...Job) error
}

// A Registrar is step 2 of the flow: it turns what sources said into who
// people are, and says when that is a joiner, a mover or a leaver.
type Registrar struct {
	store RegistryStore
	now   func() time.Time
}

// NewRegistrar returns a registrar over store.
func NewRegistrar(store RegistryStore, now func() time.Time) *Registrar {
	return &Registrar{store: store, now: now}
}

// Register lets the fact count. It may be repeated: a fact that has counted,
// or is older than one that has, changes nothing and says so on the record.
func (g *Registrar) Register(ctx context.Context, id NoticeID) error {
	fact, err := g.store.Fact(ctx, id)
	if err != nil {
		return fmt.Errorf("load fact %s: %w", id, err)
	}
	now := g.now()
	if due := fact.DueAt(); due.After(now) {
		return g.store.Record(ctx, g.event(fact, EventNoticeIgnored, "", "takes effect "+due.UTC().Format(time.RFC3339)),
			Job{Kind: JobRegister, Ref: string(id), At: due})
	}
	was, err := g.find(ctx, fact)
	if reason := ReasonOf(err); reason != "" {
		return g.store.Record(ctx, g.event(fact, EventIdentityDisputed, "", reason), alert(reason))
	}
	if err != nil {
		return err
	}
	return g.apply(ctx, was, fact, now)
}

// find returns who the fact is about: a known key first, then the one identity
// with its primary address, else somebody new. Two that could be meant are a Refusal.
func (g *Registrar) find(ctx context.Context, fact Fact) (Identity, error) {
	email := fact.Person.Email()
	sharing, err := g.store.IdentitiesByEmail(ctx, email)
	if err != nil {
		return Identity{}, fmt.Errorf("look up address of fact %s: %w", fact.ID, err)
	}
	known, err := g.store.IdentityByKey(ctx, fact.Source, fact.Person.EmployeeID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Identity{}, fmt.Errorf("look up %s of %s: %w", fact.Person.EmployeeID, fact.Source, err)
	}
	for _, other := range sharing {
		if key, sourced := other.Keys[fact.Source]; other.ID != known.ID && (known.ID != "" || sourced && key != fact.Person.EmployeeID) {
			return Identity{}, Refuse(ErrConflict, "%s says that %s (%s) has the address %s, which belongs to %s. Neither was changed: a person must say whose it is.",
				fact.Source, fact.Person.Label(), fact.Person.EmployeeID, email, other.Person.Label())
		}
	}
	switch {
	case known.ID != "":
		return known, nil
	case len(sharing) == 1:
		return sharing[0], nil
	case len(sharing) > 1:
		return Identity{}, Refuse(ErrConflict, "%d people have the address %s; a person must say which one %s means.", len(sharing), email, fact.Source)
	default:
		return Identity{ID: NewIdentityID()}, nil
	}
}

func (g *Registrar) apply(ctx context.Context, was Identity, fact Fact, now time.Time) error {
	person, from := was.hear(fact.Source, fact.Person)
	person.Status = person.statusAt(now)
	if why := stale(was, fact, person); why != "" {
		return g.ignore(ctx, was, fact, why)
	}
	is := was
	is.Revision++
	is.Keys = maps.Clone(was.Keys)
	if is.Keys == nil {
		is.Keys = map[string]string{}
	}
	is.Keys[fact.Source] = person.EmployeeID
	is.Person, is.From, is.Observed, is.Fact = person, from, fact.Stamp(), fact.ID
	notice, next := g.notice(was, is, fact, now)
	e := g.event(fact, EventIdentityChanged, is.ID, "")
	if notice != nil {
		is.Notice = notice.ID
		e.Detail["notice"], e.Detail["kind"] = string(notice.ID), string(notice.Kind)
	}
	if err := g.store.SaveIdentity(ctx, is, notice, e, next...); err != nil {
		return fmt.Errorf("save identity %s: %w", is.ID, err)
	}
	return nil
}

// notice returns what the change means, if anything, and the steps that follow.
// An end date ahead brings the fact back when it has passed.
func (g *Registrar) notice(was, is Identity, fact Fact, now time.Time) (*Notice, []Job) {
	var next []Job
	if end := is.Person.EndDate.End(); is.Person.Status != StatusEnded && end.After(now) {
		next = append(next, Job{Kind: JobRegister, Ref: string(fact.ID), At: end})
	}
	before := was.Person
	if !was.Sourced() { // known from the policy alone: who they are is news
		before = Person{}
	}
	kind, ok := Classify(before, is.Person)
	if !ok {
		return nil, next
	}
	n := &Notice{ID: fact.ID, Kind: kind, Identity: is.ID, Source: fact.Source, Before: before, After: is.Person, Urgent: fact.Urgent, At: now}
	if was.Fact == fact.ID {
		n.ID = NoticeIDFor(fact.ID, "end of "+string(is.Person.EndDate))
	}
	return n, append(next, Job{Kind: JobPlan, Ref: string(n.ID)})
}

func (g *Registrar) ignore(ctx context.Context, was Identity, fact Fact, why string) error {
	var next []Job
	if why == endedIsFinal {
		next = append(next, alert(fmt.Sprintf("%s says that %s is %s again, but they have ended. Nothing was changed: a return needs a new start date.", fact.Source, was.Person.Label(), fact.Person.Status)))
	}
	return g.store.Record(ctx, g.event(fact, EventNoticeIgnored, was.ID, why), next...)
}

const endedIsFinal = "ended is final without a new start date"

// stale returns why the fact does not count any more, or "". Ended is sticky:
// only a spell that starts after the end revives somebody.
func stale(was Identity, fact Fact, person Person) string {
	switch {
	case was.Fact == fact.ID && person.Status == was.Person.Status:
		return "has counted already"
	case was.Fact == fact.ID:
		return ""
	case was.Sourced() && fact.Stamp().Before(was.Observed):
		return "is older than what is known"
	case was.Person.Status == StatusEnded && person.Status != StatusEnded && !fact.Person.StartDate.Start().After(spellEnd(was)):
		return endedIsFinal
	default:
		return ""
	}
}

func spellEnd(i Identity) time.Time {
	if end := i.Person.EndDate.Start(); !end.IsZero() {
		return end
	}
	return i.Observed
}

func (g *Registrar) event(f Fact, kind EventKind, who IdentityID, why string) AuditEvent {
	e := AuditEvent{At: g.now(), Actor: BySource(f.Source), Kind: kind, Ref: string(f.ID), Detail: map[string]string{"fact": string(f.ID)}}
	if who != "" {
		e.Detail["identity"] = string(who)
	}
	if why != "" {
		e.Detail["why"] = why
	}
	return e
}

func alert(sentence string) Job { return Job{Kind: JobAlert, Ref: sentence} }
