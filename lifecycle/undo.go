package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// TakesBack returns the changes that undo what the request has done, the last
// first, and in words what cannot be undone. No changes: there is nothing to undo.
func (r Request) TakesBack() (changes []Change, lost []string) {
	if r.Observe || r.State != Done && r.State != Failed && r.State != Withdrawn {
		return nil, nil
	}
	for _, c := range slices.Backward(r.Changes) {
		if c.State != ChangeVerified && c.State != ChangeApplied {
			continue
		}
		back, ok := c.inverse()
		switch {
		case c.Op == OpDelete:
			return nil, []string{"A deletion is final."}
		case !ok:
			lost = append(lost, cannotReturn(c))
		default:
			back.Successor = r.returning(c)
			changes = append(changes, back)
		}
	}
	return changes, lost
}

// returning is who gets a duty back: the subject.
func (r Request) returning(c Change) AccountCard {
	if c.Op != OpHandover {
		return AccountCard{}
	}
	return AccountCard{ID: r.Account.ID, Email: r.Subject.Email, Name: r.Subject.Name}
}

func cannotReturn(c Change) string {
	switch {
	case c.Op == OpCreate:
		return "The account stays: undoing does not delete it."
	case c.Entitlement.Role == SessionCalendar:
		return "The old address of the calendar feed stays dead: they subscribe to the new one."
	default:
		return "Sessions stay ended: they sign in again."
	}
}

// Undoable reports whether Approvals.Undo may do something about the request:
// take it back while it holds, or ask for the opposite of what it did.
func (r Request) Undoable() bool {
	changes, _ := r.TakesBack()
	return r.State == Holding || len(changes) > 0 && r.Undoes == "" && r.Ends == "" && r.EndedBy == "" && r.GivenBack.IsZero()
}

// Undo takes back an approved request that waits out its hold, and returns it as
// withdrawn. What is done already is undone by a new request with the opposite
// changes, which is returned: the owners of the teams it touched and Security may
// ask for it with a reason; that counts as their approval only where giving it
// back is theirs to decide.
func (a *Approvals) Undo(ctx context.Context, p Press) (Request, error) {
	p.Reason = strings.TrimSpace(p.Reason)
	was, err := a.store.Request(ctx, p.Request)
	if err != nil {
		return Request{}, fmt.Errorf("load request %s: %w", p.Request, err)
	}
	if changes, _ := was.TakesBack(); len(changes) > 0 {
		return a.takeBack(ctx, was, p)
	}
	return a.change(ctx, p.Request, p.By, func(was Request, _ Policy, _ Route) (step, error) {
		is, err := was.Undo(p.By.Person.Label(), a.now())
		return step{request: is, kind: EventRequestWithdrawn, next: []Job{show(was.ID)}, detail: map[string]string{"reason": p.Reason}}, err
	})
}

// takeBack opens the request for the opposite of what was done.
func (a *Approvals) takeBack(ctx context.Context, was Request, p Press) (Request, error) {
	policy, err := a.policies.Current(ctx)
	if err != nil {
		return was, fmt.Errorf("read the policy in force: %w", err)
	}
	stage, err := a.undoStage(ctx, was.ID)
	if err != nil {
		return was, err
	}
	plan, lost, err := a.planBack(ctx, was, policy)
	if err != nil {
		return was, err
	}
	j := policy.Judge(plan)
	undo := opposite(was, plan.Changes, j, RequestIDFor(string(was.ID), stage), a.now())
	undo.Effects, undo.Why.Policy = lost, policy.SHA256
	undo.Why.Event = fmt.Sprintf("%s asks to undo %s: %s", p.By.Person.Label(), was.ID, p.Reason)
	who, err := a.router.route(ctx, undo, policy)
	if err != nil {
		return was, err
	}
	if err := a.mayAsk(ctx, was, who, policy, p); err != nil {
		return was, a.refused(ctx, was, p.By, err)
	}
	if j.Mode == ApprovalDeny {
		return was, Refuse(ErrConflict, "the policy grants nobody by now what this would give back")
	}
	undo.Approvers = who.Emails()
	if undo, err = timed(ctx, a.store, policy, undo, j.Approval); err != nil {
		return was, err
	}
	s, err := a.openUndo(undo, who, policy, p)
	if err != nil {
		return was, err
	}
	if s.request.State == Pending {
		s.next = append(s.next, clock(undo, j.Approval)...)
	}
	switch err := a.save(ctx, s, p.By); {
	case errors.Is(err, ErrDuplicate):
		return was, Refuse(ErrDuplicate, "somebody else has asked for that at this moment; look again")
	case err != nil:
		return was, err
	}
	return s.request, nil
}

// planBack returns the plan that takes back what the request did, and what
// policy wants for its subject by now, whose rules say how carefully that is
// decided; and in words what cannot be taken back.
func (a *Approvals) planBack(ctx context.Context, was Request, policy Policy) (Plan, []string, error) {
	changes, lost := was.TakesBack()
	plan := Plan{Changes: changes}
	known, err := a.store.IdentitiesByEmail(ctx, FoldEmail(was.Subject.Email))
	if err != nil {
		return plan, nil, fmt.Errorf("look up whose access it was: %w", err)
	}
	if len(known) == 1 && known[0].Sourced() {
		plan.want = policy.At(a.now()).Want(known[0].Person)
	}
	return plan, lost, nil
}

// mayAsk returns nil when p.By may ask for was to be undone with p's reason.
func (a *Approvals) mayAsk(ctx context.Context, was Request, who Route, policy Policy, p Press) error {
	nearest := was
	nearest.From, nearest.Escalated = []ApproverSource{FromTeamOwners}, true // policy's own decisions too
	may, err := a.router.route(ctx, nearest, policy)
	if err != nil {
		return err
	}
	for _, x := range who {
		if _, there := may.Of(x.Email); !there {
			may = append(may, x)
		}
	}
	switch err := a.router.authorise(ctx, was, may, p.By); {
	case err != nil:
		return err
	case was.Undoes != "":
		return Refuse(ErrConflict, "this request is itself an undo; ask for what you want anew")
	case was.Ends != "" || was.EndedBy != "" || !was.GivenBack.IsZero():
		return Refuse(ErrConflict, "its time is over; whoever still needs it asks for it anew")
	case p.Reason == "" || len([]rune(p.Reason)) > reasonLength:
		return Refuse(ErrInvalid, "undoing what is done needs a reason of at most %d characters", reasonLength)
	case policy.IsProtected(was.Subject.Email):
		return Refuse(ErrConflict, "the policy protects %s by now, so nothing is changed for them", was.Subject.Email)
	default:
		return nil
	}
}

// undoStage names the try at undoing the request: the one that is open, or the
// next after those of which nothing came.
func (a *Approvals) undoStage(ctx context.Context, id RequestID) (string, error) {
	for k := 1; ; k++ {
		stage := fmt.Sprintf("undo %d", k)
		r, err := a.store.Request(ctx, RequestIDFor(string(id), stage))
		for err == nil && r.State == Blocked { // what is left of it is asked again
			again, missing := a.store.Request(ctx, r.askedAgain())
			if errors.Is(missing, ErrNotFound) {
				break
			}
			r, err = again, missing
		}
		switch {
		case errors.Is(err, ErrNotFound):
			return stage, nil
		case err != nil:
			return "", fmt.Errorf("look for an undo of request %s: %w", id, err)
		case r.State.Open() || r.State == Done:
			return "", Refuse(ErrDuplicate, "this is undone already, or about to be, by request %s, which is %s", r.ID, r.State)
		}
	}
}

// opposite is the request for the changes, addressed as j says.
func opposite(was Request, changes []Change, j Judgement, id RequestID, now time.Time) Request {
	r := Request{
		ID: id, Kind: was.Kind, State: Pending, Revision: 1, Subject: was.Subject, Account: was.Account, Holds: was.Holds, Changes: changes,
		Why: Why{Rule: was.Why.Rule, Notice: was.Why.Notice}, From: j.From, Needed: max(j.N, 1), Silence: SilenceKeep, Undoes: was.ID,
		Approvers: []string{}, Decisions: []Decision{}, OpenedAt: now, UpdatedAt: now,
	}
	if len(r.From) == 0 {
		r.From = []ApproverSource{FromTeamOwners}
	}
	return r
}

// openUndo returns the step that opens the request with the approval of who asks
// for it, where that counts.
func (a *Approvals) openUndo(undo Request, who Route, policy Policy, p Press) (step, error) {
	s := step{request: undo, kind: EventRequestOpened, next: []Job{show(undo.ID), show(undo.Undoes)}, detail: map[string]string{
		"undoes": string(undo.Undoes), "reason": p.Reason, "via": string(p.Via), "policy": policy.SHA256,
	}}
	approver, may := who.Of(p.By.Person.Email())
	if !may {
		return s, nil
	}
	is, err := undo.Decide(Decision{By: p.By.Person.Email(), ByID: p.By.ID, For: approver.For, Verdict: Approve, Reason: p.Reason, At: a.now(), Via: p.Via, Seen: 1})
	if err != nil {
		return step{}, err
	}
	is.Revision = 1 // opened and decided in one
	if is.State == Approved {
		var jobs []Job
		is, jobs = settle(policy, is, a.now())
		s.next = append(s.next, jobs...)
	}
	s.request = is
	return s, nil
}

// Stop withdraws what is still open of the notice whose request the undo with
// that id takes back: who is given their access again is not deleted meanwhile.
// What is being applied is past that: it looks for the undo itself before it goes on.
func (p *Planner) Stop(ctx context.Context, id RequestID) error {
	undo, err := p.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	open, err := p.read.Requests(ctx, RequestFilter{Account: undo.Account.ID, Open: true})
	if err != nil {
		return fmt.Errorf("list requests about account %s: %w", undo.Account.ID, err)
	}
	for _, r := range open {
		if !undo.overrules(r) {
			continue
		}
		if err := p.withdraw(ctx, r.ID, "Undone: "+undo.Why.Event); err != nil {
			return err
		}
	}
	return nil
}

// overrules reports whether r, about the same account, is not to be gone on with
// because of the request, an undo that stands: it is what is undone or comes of
// the same notice; or it was asked about a leaver before they were given their
// access again.
func (undo Request) overrules(r Request) bool {
	switch {
	case undo.Undoes == "" || !undo.stands() || r.Undoes != "":
		return false
	case r.ID == undo.Undoes || r.Why.Notice != "":
		return r.ID == undo.Undoes || r.Why.Notice == undo.Why.Notice
	default:
		d, _ := undo.DecidedBy()
		return undo.Kind == RequestLeaver && r.Kind == RequestLeaver && r.OpenedAt.Before(d.At)
	}
}

// stands reports whether the request has been approved and may still come to
// something, or has; what is left of one that was blocked is asked again.
func (r Request) stands() bool {
	return r.State == Approved || r.State == Holding || r.State == Applying || r.State == Done || r.State == Failed || r.State == Blocked
}

// undone returns whether somebody has taken back what the notice led to.
func (p *Planner) undone(ctx context.Context, n Notice) (bool, error) {
	all, err := p.read.Requests(ctx, RequestFilter{Subject: n.Identity})
	if err != nil {
		return false, fmt.Errorf("list requests about %s: %w", n.Identity, err)
	}
	return slices.ContainsFunc(all, func(r Request) bool {
		return r.Undoes != "" && r.Why.Notice == n.ID && r.stands()
	}), nil
}
