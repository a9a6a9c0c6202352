package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AbsenceFlowStore is where people are noted as away.
type AbsenceFlowStore interface {
	AbsenceStore
	RouteStore
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
	// Enqueue puts the jobs in the queue.
	Enqueue(ctx context.Context, jobs ...Job) error
}

// A Leave is a time that somebody says somebody is away.
type Leave struct {
	By       Identity
	Who      Identity // zero: By
	Delegate string   // address of who decides instead; "" is nobody
	From     time.Time
	Until    time.Time
	Reason   string
	Via      Via
}

// Absences is where people say that they are away, and that they are back.
type Absences struct {
	store    AbsenceFlowStore
	router   *Router
	policies PolicySource
	now      func() time.Time
}

// NewAbsences returns absences over store.
func NewAbsences(store AbsenceFlowStore, policies PolicySource, now func() time.Time) *Absences {
	return &Absences{store: store, router: NewRouter(store, policies, now), policies: policies, now: now}
}

const (
	longestAway = 366 * 24 * time.Hour
	awayReason  = 300 // characters
)

// Away notes that somebody is away, and asks of their delegate what would be asked
// of them, also what is open already. What is wrong with it is a Refusal. One may
// say so of oneself, and Security of anybody. It takes the place of whatever was
// said of the same time before.
func (a *Absences) Away(ctx context.Context, l Leave) (Absence, error) {
	if l.Who.ID == "" {
		l.Who = l.By
	}
	l.Delegate, l.Reason = FoldEmail(l.Delegate), strings.TrimSpace(l.Reason)
	policy, err := a.policies.Current(ctx)
	if err != nil {
		return Absence{}, fmt.Errorf("read the policy in force: %w", err)
	}
	now := a.now()
	if l.From.Before(now) {
		l.From = now
	}
	if err := l.check(policy, now); err != nil {
		return Absence{}, err
	}
	if err := a.delegable(ctx, policy, l); err != nil {
		return Absence{}, err
	}
	is := Absence{
		ID: NewAbsenceID(), Revision: 1, Identity: l.Who.ID, Email: l.Who.Person.Email(), Delegate: l.Delegate,
		From: l.From, Until: l.Until, Reason: l.Reason, OpenedAt: now, By: l.By.Person.Email(), Via: l.Via,
	}
	if err := a.replace(ctx, l, is); err != nil {
		return Absence{}, err
	}
	e := AuditEvent{At: now, Actor: ByIdentity(l.By.ID), Kind: EventAbsenceOpened, Ref: string(is.ID), Detail: map[string]string{
		"who": is.Email, "delegate": is.Delegate, "from": is.From.UTC().Format(time.RFC3339), "until": is.Until.UTC().Format(time.RFC3339), "reason": is.Reason, "via": string(is.Via),
	}}
	begins := Job{Kind: JobReroute, Ref: string(is.ID)}
	if is.From.After(now) {
		begins.At = is.From
	}
	ends := Job{Kind: JobReroute, Ref: string(is.ID), At: is.Until}
	if err := a.store.SaveAbsence(ctx, is, e, begins, ends); err != nil {
		return Absence{}, fmt.Errorf("save absence %s: %w", is.ID, err)
	}
	return is, nil
}

// check returns a Refusal of what cannot be.
func (l Leave) check(p Policy, now time.Time) error {
	who := l.Who.Person
	switch {
	case l.By.ID == "" || !l.By.MayDecide(now):
		return Refuse(ErrForbidden, "Only people whom a source of truth knows as active can say who is away.")
	case l.Who.ID != l.By.ID && !slices.Contains(p.Security.Members, l.By.Person.Email()):
		return Refuse(ErrForbidden, "Only Security can say of somebody else that they are away.")
	case who.Email() == "":
		return Refuse(ErrInvalid, "Nobody can stand in for somebody without an address.")
	case !l.Until.After(now):
		return &Refusal{Kind: ErrInvalid, Reason: "the time away must end after now", Fields: []FieldError{{Path: "until", Message: "Pick a day from today on."}}}
	case !l.Until.After(l.From):
		return &Refusal{Kind: ErrInvalid, Reason: "the time away must end after it begins", Fields: []FieldError{{Path: "until", Message: "Pick a day from the first one on."}}}
	case l.Until.After(now.Add(longestAway)):
		return &Refusal{Kind: ErrInvalid, Reason: "the time away must end within a year", Fields: []FieldError{{Path: "until", Message: "Pick a day within a year."}}}
	case l.Delegate == who.Email():
		return badDelegate("You cannot stand in for yourself. Name somebody else, or nobody.")
	case len([]rune(l.Reason)) > awayReason:
		return &Refusal{Kind: ErrInvalid, Reason: "the reason is too long", Fields: []FieldError{{Path: "reason", Message: fmt.Sprintf("Keep it under %d characters.", awayReason)}}}
	default:
		return nil
	}
}

func badDelegate(why string) error {
	return &Refusal{Kind: ErrInvalid, Reason: why, Fields: []FieldError{{Path: "delegate", Message: why}}}
}

// delegable returns nil when the delegate is somebody who could decide.
func (a *Absences) delegable(ctx context.Context, p Policy, l Leave) error {
	if l.Delegate == "" {
		return nil
	}
	known, err := a.store.IdentitiesByEmail(ctx, l.Delegate)
	switch {
	case err != nil:
		return fmt.Errorf("look up the delegate: %w", err)
	case len(known) != 1:
		return badDelegate("Nobody with the address " + l.Delegate + " is known, or more than one. Name somebody who works here.")
	case known[0].ID == l.Who.ID:
		return badDelegate("That is another address of the same person. Name somebody else, or nobody.")
	case !known[0].MayDecide(a.now()):
		return badDelegate(known[0].Person.Label() + " is not active now. Name somebody who is.")
	case !p.MayDecideFrom(l.Delegate):
		return badDelegate("The policy lets nobody decide from the address " + l.Delegate + ".")
	case slices.Contains(p.Security.Members, l.Who.Person.Email()) && !slices.Contains(p.Security.Members, l.Delegate) && !ownsSome(p, l.Who.Person.Email()):
		return badDelegate("Only somebody of Security can stand in for Security.")
	default:
		return nil
	}
}

func ownsSome(p Policy, email string) bool {
	return slices.ContainsFunc(p.Teams, func(t TeamPolicy) bool { return slices.Contains(t.Owners, email) })
}

// replace ends what was said of the same time before.
func (a *Absences) replace(ctx context.Context, l Leave, is Absence) error {
	before, err := a.store.AbsencesOf(ctx, l.Who.ID, a.now())
	if err != nil {
		return fmt.Errorf("list absences of %s: %w", l.Who.ID, err)
	}
	for _, was := range before {
		if was.From.Before(is.Until) && is.From.Before(was.Until) {
			if _, err := a.end(ctx, was, l.By, l.Via); err != nil {
				return err
			}
		}
	}
	return nil
}

// Of returns the absences of the person that have not ended, the earliest first.
func (a *Absences) Of(ctx context.Context, who IdentityID) ([]Absence, error) {
	all, err := a.store.AbsencesOf(ctx, who, a.now())
	return all, wrap("list absences of "+string(who), err)
}

// Back ends the absence, or, where id is "", every one of By's that has begun or
// is to come; and returns those that it has ended. That none stands is a Refusal.
func (a *Absences) Back(ctx context.Context, by Identity, id AbsenceID, via Via) ([]Absence, error) {
	policy, err := a.policies.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	standing, err := a.standing(ctx, by, id)
	if err != nil {
		return nil, err
	}
	var ended []Absence
	for _, was := range standing {
		if was.Identity != by.ID && !slices.Contains(policy.Security.Members, by.Person.Email()) {
			return ended, Refuse(ErrForbidden, "Only Security can say of somebody else that they are back.")
		}
		is, err := a.end(ctx, was, by, via)
		if err != nil {
			return ended, err
		}
		ended = append(ended, is)
	}
	if len(ended) == 0 {
		return nil, Refuse(ErrNotFound, "You are not away, and not about to be.")
	}
	return ended, nil
}

func (a *Absences) standing(ctx context.Context, by Identity, id AbsenceID) ([]Absence, error) {
	if id == "" {
		return a.Of(ctx, by.ID)
	}
	was, err := a.store.Absence(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("load absence %s: %w", id, err)
	case !a.now().Before(was.Over()):
		return nil, nil
	default:
		return []Absence{was}, nil
	}
}

func (a *Absences) end(ctx context.Context, was Absence, by Identity, via Via) (Absence, error) {
	is := was
	is.Revision, is.Ended = was.Revision+1, a.now()
	e := AuditEvent{At: a.now(), Actor: ByIdentity(by.ID), Kind: EventAbsenceEnded, Ref: string(is.ID), Detail: map[string]string{"who": is.Email, "via": string(via)}}
	if err := a.store.SaveAbsence(ctx, is, e, Job{Kind: JobReroute, Ref: string(is.ID)}); err != nil {
		return was, fmt.Errorf("end absence %s: %w", was.ID, err)
	}
	return is, nil
}

// Reroute has the card of every open request drawn anew of which the absence
// changes who may decide: when it begins, ends or is ended. It may be repeated.
func (a *Absences) Reroute(ctx context.Context, id AbsenceID) error {
	was, err := a.store.Absence(ctx, id)
	if err != nil {
		return fmt.Errorf("load absence %s: %w", id, err)
	}
	concerned, err := a.Concerned(ctx, was)
	if err != nil {
		return err
	}
	jobs := make([]Job, len(concerned))
	for i, r := range concerned {
		jobs[i] = show(r.ID)
	}
	return wrap("ask others what "+was.Email+" would decide", a.store.Enqueue(ctx, jobs...))
}

// Concerned returns the open requests that wait for whom the absence is about, or
// for who stands in for them.
func (a *Absences) Concerned(ctx context.Context, was Absence) ([]Request, error) {
	pending, err := a.store.Requests(ctx, RequestFilter{States: []RequestState{Pending}})
	if err != nil {
		return nil, fmt.Errorf("list pending requests: %w", err)
	}
	var failed error
	router := a.router.Remembering()
	concerned := slices.DeleteFunc(pending, func(r Request) bool {
		route, err := router.Route(ctx, r)
		failed = errors.Join(failed, err)
		_, theirs := route.Of(was.Email)
		return !theirs
	})
	return concerned, failed
}
