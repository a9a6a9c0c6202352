package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// RegistryStore is where the registrar reads facts and keeps identities.
type RegistryStore interface {
	Recorder
	PeopleStore
	// Fact returns the fact, or ErrNotFound.
	Fact(ctx context.Context, id NoticeID) (Fact, error)
	// Source returns the source, or ErrNotFound.
	Source(ctx context.Context, name string) (Source, error)
	// RemovalsAbout is HoldReader's.
	RemovalsAbout(ctx context.Context, who IdentityID) ([]Removal, error)
	// BaselineByEmail is FactStore's.
	BaselineByEmail(ctx context.Context, email string) ([]Account, error)
	// SaveIdentity stores i, and n unless it is nil. It returns ErrConflict when
	// i.Revision is not one more than the stored revision (1 for a new identity).
	SaveIdentity(ctx context.Context, i Identity, n *Notice, e AuditEvent, next ...Job) error
}

// A Registrar is step 2 of the flow: it turns what sources said into who
// people are, and says when that is a joiner, a mover or a leaver.
type Registrar struct {
	store    RegistryStore
	policies WrittenPolicy
	settle   time.Duration
	now      func() time.Time
}

// NewRegistrar returns a registrar over store. What a source sends piece by piece
// is waited for until it has said nothing for settle.
func NewRegistrar(store RegistryStore, policies WrittenPolicy, settle time.Duration, now func() time.Time) *Registrar {
	return &Registrar{store: store, policies: policies, settle: settle, now: now}
}

// Register lets the fact count. It may be repeated: a fact that has counted, or
// is older than what its source has said since, changes nothing and says so on
// the record. One about which it cannot be told whom it means waits for a person.
// It looks again when another fact about them was faster: a source that says a
// change in several requests says them all at once.
func (g *Registrar) Register(ctx context.Context, id NoticeID) error {
	var err error
	for range decideTries {
		if err = g.register(ctx, id); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}

func (g *Registrar) register(ctx context.Context, id NoticeID) error {
	fact, err := g.store.Fact(ctx, id)
	if err != nil {
		return fmt.Errorf("load fact %s: %w", id, err)
	}
	now := g.now()
	if due := fact.DueAt(); due.After(now) {
		return g.store.Record(ctx, g.event(fact, EventNoticeIgnored, "", "takes effect "+due.UTC().Format(time.RFC3339)),
			Job{Kind: JobRegister, Ref: string(id), At: due})
	}
	source, err := g.store.Source(ctx, fact.Source)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("look up source %s: %w", fact.Source, err)
	}
	m, err := g.meant(ctx, fact)
	if err != nil {
		return err
	}
	switch {
	case m.doubt != nil:
		return g.askWho(ctx, fact, *m.doubt)
	case m.nobody != "":
		return g.store.Record(ctx, g.event(fact, EventNoticeIgnored, m.who.ID, m.nobody), m.next...)
	}
	return g.apply(ctx, registering{fact: m.fact, was: m.who, gives: m.gives, source: source, policy: g.policies.Written(), now: now})
}

// registering is one fact on its way to count for somebody.
type registering struct {
	fact   Fact
	was    Identity
	is     Identity
	gives  []Identity // who give up an address to them
	source Source
	policy Policy
	now    time.Time
	again  bool // it has counted before, or is older than what is known: only time has brought it back
}

// sourcePolicy is whose word it is that somebody whom only the policy names is there.
const sourcePolicy = "policy"

func (g *Registrar) apply(ctx context.Context, r registering) error {
	why := r.hear()
	if err := g.takenBack(ctx, &r); err != nil {
		return err
	}
	if why != "" && !r.due() {
		return g.store.Record(ctx, g.event(r.fact, EventNoticeIgnored, r.was.ID, why))
	}
	notice, next := g.notice(&r)
	e := g.event(r.fact, EventIdentityChanged, r.is.ID, "")
	p := People{Identities: append(slices.Clone(r.gives), r.is)}
	if notice != nil {
		p.Identities[len(r.gives)].Notice = notice.ID
		p.Notices = []Notice{*notice}
		e.Detail["notice"], e.Detail["kind"] = string(notice.ID), string(notice.Kind)
		next = append(next, Job{Kind: JobPlan, Ref: string(notice.ID)})
	}
	cases, lines, shows, err := g.cases(ctx, r)
	if err != nil {
		return err
	}
	p.Cases = cases
	if err := g.store.SavePeople(ctx, p, append(lines, e), append(next, shows...)...); err != nil {
		return fmt.Errorf("save identity %s: %w", r.is.ID, err)
	}
	return nil
}

// hear lets the fact count in r.is, and returns why it changes nothing, or "".
func (r *registering) hear() (why string) {
	r.is, why = r.was.Hear(r.fact, r.policy, r.now)
	was, is := r.was.statements(r.fact.Source)[r.fact.Source], r.is.Says[r.fact.Source]
	r.again = was.rests(r.fact) || !is.rests(r.fact) && r.fact.Kind != FactAbsent
	return why
}

// takenBack lets a source take back that somebody has ended, as long as nothing
// has come of it: a feed that was broken is mended by its next word, and nobody
// needs to say of each of many that they are back.
func (g *Registrar) takenBack(ctx context.Context, r *registering) error {
	said := r.is.Says[r.fact.Source]
	if r.is.Person.Status != StatusEnded || said.Status.Status != StatusActive || said.Status.Fact != r.fact.ID {
		return nil
	}
	about, err := g.store.RemovalsAbout(ctx, r.was.ID)
	if err != nil {
		return fmt.Errorf("look up removals of identity %s: %w", r.was.ID, err)
	}
	k := slices.IndexFunc(about, func(o Removal) bool { return o.Notice == r.was.Notice && o.Kind == Leaver && o.Source == r.fact.Source })
	if k < 0 || about[k].State != RemovalQueued && about[k].State != RemovalHeld {
		return nil
	}
	said.Over = Spell{}
	r.is.Says[r.fact.Source] = said
	r.is.Person, r.is.From = Derive(r.is.Says, r.policy.Sources, r.now)
	return nil
}

// rests reports whether the statement is of the fact.
func (s Statement) rests(f Fact) bool { return s.Fact == f.ID || s.Status.Fact == f.ID }

// Hear returns the identity once the fact has counted, by the policy at now, and
// why it changes nothing, or "". Which of two facts is heard first makes no
// difference, nor does how often: the newest word of each source counts.
func (i Identity) Hear(f Fact, p Policy, now time.Time) (Identity, string) {
	is := i
	is.Says = i.statements(f.Source)
	is.Keys = maps.Clone(i.Keys)
	if is.Keys == nil {
		is.Keys = map[string]string{}
	}
	if len(is.Says) == 0 && f.Kind != FactState {
		is.Says[sourcePolicy] = Statement{Person: i.Person, Status: StatusWord{Status: i.Person.Status}}
	}
	was := is.know(f)
	said, news := was.hear(f)
	is.Says[f.Source] = said
	is.Person, is.From = Derive(is.Says, p.Sources, now)
	is.Revision++
	is.Observed, is.Fact = saidLast(is.Says)
	gave := is.addresses(i, f, p.Reserve, now)
	is.spells(i, now)
	switch {
	case news, gave, is.Person.Status != i.Person.Status:
		return is, ""
	case was.rests(f):
		return is, "has counted already"
	default:
		return is, "is older than what is known"
	}
}

// saidLast returns when what was said last was so, and the fact that said it.
func saidLast(says map[string]Statement) (time.Time, NoticeID) {
	var last StatusWord
	for _, s := range says {
		for _, w := range []StatusWord{{At: s.At, Heard: s.Heard, Fact: s.Fact}, s.Status} {
			if c := cmp.Or(w.At.Compare(last.At), w.Heard.Compare(last.Heard), cmp.Compare(w.Fact, last.Fact)); c > 0 {
				last = w
			}
		}
	}
	return last.At, last.Fact
}

// know ties the identity to the key by which the fact's source knows them, and
// returns the source's statement. A record of the same source that they had
// before is kept as such: nothing comes of it any more, but that it was over.
func (i *Identity) know(f Fact) Statement {
	key, said := f.SourceKey(), i.Says[f.Source]
	if key == "" || f.Source == SourcePeople || f.Kind == FactAbsent || f.Kind != FactState && !i.Sourced() {
		return said
	}
	if old := i.Keys[f.Source]; old != "" && old != key {
		i.Also = append(slices.Clone(i.Also), SourceKey{Source: f.Source, Key: old})
		said = Statement{Over: said.Over}
	}
	i.Also = slices.DeleteFunc(slices.Clone(i.Also), func(k SourceKey) bool { return k == SourceKey{f.Source, key} })
	i.Keys[f.Source] = key
	return said
}

// addresses reserves what addresses somebody gave up, and not the one they have.
// It reports whether there is one that was not reserved before.
func (i *Identity) addresses(was Identity, f Fact, reserve time.Duration, now time.Time) bool {
	former := slices.DeleteFunc(slices.Clone(was.Former), func(a FormerAddress) bool {
		return !a.Until.After(now) || a.Email == i.Person.Email()
	})
	gave := false
	for _, email := range []string{was.Person.Email(), f.Person.Email()} {
		if email == "" || email == i.Person.Email() || reserve <= 0 || f.Kind != FactState {
			continue
		}
		k := slices.IndexFunc(former, func(a FormerAddress) bool { return a.Email == email })
		if k < 0 {
			former, gave = append(former, FormerAddress{Email: email, Until: now.Add(reserve)}), true
		}
	}
	slices.SortFunc(former, func(a, b FormerAddress) int { return strings.Compare(a.Email, b.Email) })
	i.Former = slices.Clip(former)
	if len(former) == 0 {
		i.Former = nil
	}
	return gave
}

// spells keeps the spell that is over, where another has begun.
func (i *Identity) spells(was Identity, now time.Time) {
	over := i.lastSpell(newestSpell(i.Says, i.Person.Zone(), now))
	known := slices.ContainsFunc(was.Spells, func(s Spell) bool { return !s.Ended.Before(over.Ended) })
	if !over.Ended.IsZero() && !known {
		i.Spells = append(slices.Clone(was.Spells), over)
	}
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
