package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RequestStore keeps requests.
type RequestStore interface {
	// Request returns the request, or ErrNotFound.
	Request(ctx context.Context, id RequestID) (Request, error)
	// SaveRequest stores r. A first revision that is already stored is
	// ErrDuplicate; a later one that does not follow the stored revision is ErrConflict.
	SaveRequest(ctx context.Context, r Request, e AuditEvent, next ...Job) error
}

// ApprovalStore is where approvals are decided.
type ApprovalStore interface {
	RequestStore
	Recorder
	// KeepFinding stores r and the exception x that it grants, in one transaction.
	KeepFinding(ctx context.Context, r Request, x Exception, e AuditEvent, next ...Job) error
	RouteStore
}

// A Press is what somebody who is known wants of a request. Seen is the
// revision they were looking at.
type Press struct {
	Request RequestID
	Seen    int
	By      Identity
	Verdict Verdict
	Reason  string
	Until   time.Time // of a kept finding; zero: 90 days
	Via     Via
	Batch   int       // how many are decided with the same press, this one included; 0 is this one alone
	Shown   time.Time // when what they decide on was first shown to them, where that is known
}

// Approvals is step 6: it decides whether a decision counts.
type Approvals struct {
	store    ApprovalStore
	policies PolicySource
	router   *Router
	now      func() time.Time
}

// NewApprovals returns approvals over store.
func NewApprovals(store ApprovalStore, policies PolicySource, now func() time.Time) *Approvals {
	return &Approvals{store: store, policies: policies, router: NewRouter(store, policies, now), now: now}
}

const (
	decideTries  = 5
	keepFor      = 90 * 24 * time.Hour
	longestKeep  = 366 * 24 * time.Hour
	reasonLength = 2000 // characters; a Slack input holds 3000
)

// Decide records the press and returns the request as it stands after it. A
// press that does not count is a Refusal whose reason is for the person who
// pressed, and the request is returned as it is.
func (a *Approvals) Decide(ctx context.Context, p Press) (Request, error) {
	p.Reason = strings.TrimSpace(p.Reason)
	if len([]rune(p.Reason)) > reasonLength {
		return Request{}, Refuse(ErrInvalid, "the reason is longer than %d characters", reasonLength)
	}
	return a.change(ctx, p.Request, p.By, func(was Request, policy Policy, who Route) (step, error) {
		was = was.Lapse(who)
		s, err := a.decide(was, policy, who, p)
		if err == nil {
			err = a.twice(ctx, was, p.By)
		}
		if err == nil && p.Verdict == Approve {
			err = a.takersHere(ctx, was)
		}
		return s, err
	})
}

// Retry lets a failed request go on from the step that failed, unless it is
// asked to be undone: that would take back only a part of what it did then.
func (a *Approvals) Retry(ctx context.Context, id RequestID, by Identity) (Request, error) {
	return a.change(ctx, id, by, func(was Request, _ Policy, _ Route) (step, error) {
		if _, err := a.undoStage(ctx, id); err != nil {
			return step{}, err
		}
		is, err := was.Retry(a.now())
		return step{request: is, kind: EventRequestRetried, next: []Job{show(id), {Kind: JobApply, Ref: string(id)}}}, err
	})
}

// MayDecide returns nil when by may decide r now, else a Refusal that says who may.
func (a *Approvals) MayDecide(ctx context.Context, r Request, by Identity) error {
	return a.router.MayDecide(ctx, r, by)
}

// Route returns who may decide r now, and why they may.
func (a *Approvals) Route(ctx context.Context, r Request) (Route, error) {
	return a.router.Route(ctx, r)
}

// step is a change of a request and what follows from it.
type step struct {
	request Request
	kind    EventKind
	detail  map[string]string
	keep    *Exception
	next    []Job
}

// judgement says what a press makes of the request as it stands, where who may decide it now.
type judgement func(was Request, policy Policy, who Route) (step, error)

// change loads, authorises, decides and saves, again when somebody else was
// faster: of two who act at once, each is judged by what the other left.
func (a *Approvals) change(ctx context.Context, id RequestID, by Identity, f judgement) (Request, error) {
	for range decideTries {
		was, err := a.store.Request(ctx, id)
		if err != nil {
			return Request{}, fmt.Errorf("load request %s: %w", id, err)
		}
		policy, err := a.policies.Current(ctx)
		if err != nil {
			return was, fmt.Errorf("read the policy in force: %w", err)
		}
		who, err := a.router.route(ctx, was, policy)
		if err != nil {
			return was, err
		}
		s, err := f(was, policy, who)
		if err == nil || errors.Is(err, ErrInvalid) { // who may not decide need not learn what a reason must be
			if refused := a.router.authorise(ctx, was, who, by); refused != nil {
				err = refused
			}
		}
		if err != nil {
			return was, a.refused(ctx, was, by, err)
		}
		if err := a.save(ctx, s, by); !errors.Is(err, ErrConflict) {
			return s.request, err
		}
	}
	return Request{}, Refuse(ErrConflict, "others are deciding on this at the same moment; look again and retry")
}

func (a *Approvals) decide(was Request, policy Policy, who Route, p Press) (step, error) {
	now := a.now()
	approver, _ := who.Of(p.By.Person.Email())
	d := Decision{By: p.By.Person.Email(), ByID: p.By.ID, For: approver.For, Verdict: p.Verdict, Reason: p.Reason, At: now, Via: p.Via, Seen: p.Seen, Batch: p.Batch, Shown: p.Shown}
	if was.IsFinding() && p.Verdict == Deny {
		d.Until = p.Until
		if d.Until.IsZero() {
			d.Until = now.Add(keepFor)
		}
		if !d.Until.After(now) || d.Until.After(now.Add(longestKeep)) {
			return step{}, Refuse(ErrInvalid, "an exception must end after today and within a year")
		}
	}
	if p.Verdict == Approve && policy.IsProtected(was.Subject.Email) {
		return step{}, Refuse(ErrConflict, "the policy protects %s by now, so this cannot be approved; deny it, or change the policy first", was.Subject.Email)
	}
	if p.Verdict == Deny && was.keepsPower() && !slices.Contains(policy.Security.Members, p.By.Person.Email()) {
		return step{}, Refuse(ErrForbidden, "Only Security can keep somebody as %s: %s. You can revoke it.", BaseRole(was.Why.Held), listOr(policy.Security.Members, "nobody"))
	}
	is, err := was.Decide(d)
	if err != nil {
		return step{}, err
	}
	s := step{request: is, kind: EventRequestApproved, next: []Job{show(is.ID)}, detail: map[string]string{
		"verdict": string(p.Verdict), "reason": p.Reason, "via": string(p.Via), "policy": policy.SHA256,
		"approvals": fmt.Sprintf("%d of %d", is.Approvals(), is.Needed),
	}}
	if d.For != "" {
		s.detail["for"] = d.For
	}
	p.haste(s.detail, now)
	switch is.State {
	case Denied:
		s.kind, s.keep = EventRequestDenied, exception(is, d)
		if s.keep != nil && is.Kind != RequestStale { // it is asked again when that is over; what is stale is in the digest again
			s.next = append(s.next, Job{Kind: JobAsk, Ref: string(s.keep.Finding), At: s.keep.Until})
		}
	case Approved:
		var jobs []Job
		s.request, jobs = settle(policy, is, now)
		s.next = append(s.next, jobs...)
	default: // waiting for more approvals
	}
	return s, nil
}

// haste puts on record how many were decided with one press, and how long whoever
// pressed had seen what they decided on: a rubber stamp shows later.
func (p Press) haste(detail map[string]string, now time.Time) {
	if p.Batch > 0 {
		detail["batch"] = strconv.Itoa(p.Batch)
	}
	if !p.Shown.IsZero() && !now.Before(p.Shown) {
		detail["seconds"] = strconv.Itoa(int(now.Sub(p.Shown) / time.Second))
	}
}

// exception returns what a kept finding is kept by, or nil.
func exception(r Request, d Decision) *Exception {
	if !r.IsFinding() {
		return nil
	}
	return &Exception{ID: NewExceptionID(), Finding: r.Why.Find, By: d.By, Reason: d.Reason, Since: d.At, Until: d.Until, Held: r.Why.Held}
}

func (a *Approvals) save(ctx context.Context, s step, by Identity) error {
	e := AuditEvent{At: a.now(), Actor: ByIdentity(by.ID), Kind: s.kind, Ref: string(s.request.ID), Detail: s.detail}
	var err error
	if s.keep != nil {
		err = a.store.KeepFinding(ctx, s.request, *s.keep, e, s.next...)
	} else {
		err = a.store.SaveRequest(ctx, s.request, e, s.next...)
	}
	if err != nil {
		return fmt.Errorf("save request %s: %w", s.request.ID, err)
	}
	return nil
}
