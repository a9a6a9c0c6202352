package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ReviewStore is what findings are looked up in when they are decided in place.
type ReviewStore interface {
	// Finding returns the finding, or ErrNotFound.
	Finding(ctx context.Context, id FindingID) (Finding, error)
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
	// LastRollCall returns when the last whole roll call was, or the zero time.
	LastRollCall(ctx context.Context) (time.Time, error)
	// Baseline is RollStore's.
	Baseline(ctx context.Context) ([]Account, error)
}

// Reviews is where findings are decided where they are shown, one or many at
// once, by the rules that hold for any request.
type Reviews struct {
	store     ReviewStore
	planner   *Planner
	approvals *Approvals
	now       func() time.Time
}

// NewReviews returns reviews over store.
func NewReviews(store ReviewStore, planner *Planner, approvals *Approvals, now func() time.Time) *Reviews {
	return &Reviews{store: store, planner: planner, approvals: approvals, now: now}
}

const mostAtOnce = 500 // findings of one press

// Decide records the press for every finding that it counts for, and returns one
// outcome for each, in order. Authority is computed for each as for any request. A
// press as a whole that cannot count is a Refusal, and then nothing was decided.
// The same press sent twice has one effect.
func (v *Reviews) Decide(ctx context.Context, s Verdicts) ([]Outcome, error) {
	s.Reason = strings.TrimSpace(s.Reason)
	s.Findings = eachOnce(s.Findings)
	if _, err := ParseReview(string(s.What)); err != nil {
		return nil, err
	}
	switch {
	case len(s.Findings) == 0:
		return nil, Refuse(ErrInvalid, "Name at least one finding.")
	case len(s.Findings) > mostAtOnce:
		return nil, Refuse(ErrInvalid, "At most %d findings can be decided at once; these are %d.", mostAtOnce, len(s.Findings))
	case len([]rune(s.Reason)) > reasonLength:
		return nil, Refuse(ErrInvalid, "the reason is longer than %d characters", reasonLength)
	case s.Reason == "" && s.What == ReviewKeep:
		return nil, Refuse(ErrInvalid, "Say why it is kept: whoever looks at it when the exception ends reads that.")
	}
	outcomes := make([]Outcome, len(s.Findings))
	for i, id := range s.Findings {
		if err := ctx.Err(); err != nil {
			return outcomes[:i], fmt.Errorf("decide finding %s: %w", id, err)
		}
		r, err := v.decide(ctx, s, id)
		outcomes[i] = Outcome{Finding: id, Request: r, Err: err}
	}
	return outcomes, nil
}

func eachOnce(ids []FindingID) []FindingID {
	seen, some := map[FindingID]bool{}, make([]FindingID, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id], some = true, append(some, id)
		}
	}
	return some
}

// decide decides one finding of the press: on the request that asks about it, or
// on one that is opened and decided at once.
func (v *Reviews) decide(ctx context.Context, s Verdicts, id FindingID) (Request, error) {
	f, err := v.finding(ctx, id)
	if err != nil {
		return Request{}, err
	}
	p := Press{By: s.By, Verdict: Approve, Reason: s.Reason, Until: s.Until, Via: s.Via, Batch: len(s.Findings), Shown: s.Shown}
	if s.What == ReviewKeep {
		p.Verdict = Deny
	}
	switch {
	case f.Privileged() && len(s.Findings) > 1:
		return Request{}, Refuse(ErrInvalid, "%s is privileged, and is decided alone.", f.Label())
	case f.Privileged() && s.Reason == "":
		return Request{}, Refuse(ErrInvalid, "%s is privileged: this decision needs a reason.", f.Label())
	}
	asked, err := v.asked(ctx, f)
	switch {
	case err != nil:
		return asked, err
	case asked.State != Pending:
		return v.open(ctx, f, s.What, p)
	case s.What == ReviewReduce:
		return asked, nothingBetween(f)
	default:
		p.Request, p.Seen = asked.ID, asked.Revision
		return v.approvals.Decide(ctx, p)
	}
}

func nothingBetween(f Finding) error {
	return Refuse(ErrInvalid, "There is nothing between keeping and revoking what %s holds.", f.Label())
}

// Label returns the name of whom the finding is about.
func (f Finding) Label() string {
	if f.Account.Name != "" {
		return f.Account.Name
	}
	return f.Account.Email
}

// finding returns one that can be decided in place now, or a Refusal that says
// what has become of it.
func (v *Reviews) finding(ctx context.Context, id FindingID) (Finding, error) {
	f, err := v.store.Finding(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return f, Refuse(ErrNotFound, "No finding is called %q.", id)
	case err != nil:
		return f, fmt.Errorf("load finding %s: %w", id, err)
	case !f.ClearedAt.IsZero():
		return f, Refuse(ErrConflict, "%s: this is cleared. PagerDuty has agreed with policy since %s.", f.Label(), f.ClearedAt.UTC().Format(endWords))
	case !f.InPlace():
		return f, Refuse(ErrInvalid, "%s: a person must look at this; it cannot be kept or revoked here.", f.Label())
	default:
		return f, nil
	}
}

// asked returns the request that asks about the finding, pending or long settled;
// what was decided already is a Refusal that says by whom.
func (v *Reviews) asked(ctx context.Context, f Finding) (Request, error) {
	if f.Request == "" {
		return Request{}, nil
	}
	r, err := v.approvals.store.Request(ctx, f.Request)
	if err != nil {
		return r, fmt.Errorf("load request %s: %w", f.Request, err)
	}
	last, err := v.store.LastRollCall(ctx)
	switch {
	case err != nil:
		return r, fmt.Errorf("look up the last roll call: %w", err)
	case f.Exception != "":
		return r, Refuse(ErrConflict, "%s: this is kept already%s.", f.Label(), r.by())
	case r.State == Done && r.UpdatedAt.After(last):
		return r, Refuse(ErrConflict, "%s: this was done already%s. The next roll call clears it.", f.Label(), r.by())
	case r.State.Open() && r.State != Pending:
		return r, Refuse(ErrConflict, "%s: this is %s already%s.", f.Label(), r.State, r.by())
	default:
		return r, nil
	}
}

// open opens the request about a finding that nobody is asked about, and decides
// it, in one transaction. Where more than one has to agree it then waits for the others.
func (v *Reviews) open(ctx context.Context, f Finding, what Review, p Press) (Request, error) {
	r, approval, c, err := v.draft(ctx, f, what)
	if err != nil {
		return r, err
	}
	a := v.approvals
	who, err := a.router.route(ctx, r, c.policy)
	if err != nil {
		return r, err
	}
	r.Approvers = who.Emails()
	if err := a.router.authorise(ctx, r, who, p.By); err != nil {
		return r, a.refused(ctx, Request{ID: RequestID(f.ID)}, p.By, err) // there is no request to note it on
	}
	p.Request, p.Seen = r.ID, r.Revision
	s, err := a.decide(r, c.policy, who, p)
	if err != nil {
		return r, err
	}
	s.request.Revision = 1 // it is stored as it is decided
	s.detail["finding"], s.detail["kind"], s.detail["subject"], s.detail["review"] = string(f.ID), string(r.Kind), string(r.Subject.ID), string(what)
	switch s.request.State {
	case Denied:
		s.next = nil // what is kept is told in the digest, and has no card
	case Pending:
		s.next = append(s.next, clock(s.request, approval)...)
	default:
	}
	if err := a.save(ctx, s, p.By); errors.Is(err, ErrDuplicate) {
		return r, Refuse(ErrConflict, "%s: others have decided on this at the same moment; look again.", f.Label())
	} else if err != nil {
		return r, err
	}
	return s.request, nil
}

// draft returns the request that would be opened about the finding, from what
// PagerDuty says of the account now; what has moved on since it was found is a
// Refusal that says so.
func (v *Reviews) draft(ctx context.Context, f Finding, what Review) (Request, Approval, planning, error) {
	c, err := v.planner.gather(ctx, f.Identity, f.Account.ID)
	if err == nil && what != ReviewKeep {
		err = v.planner.lookAround(ctx, &c)
	}
	if err != nil {
		return Request{}, Approval{}, c, err
	}
	return v.drafted(ctx, f, what, c)
}

// drafted is draft by what is known of the account already.
func (v *Reviews) drafted(ctx context.Context, f Finding, what Review, c planning) (Request, Approval, planning, error) {
	p := v.planner
	if c.link.Account == nil {
		return Request{}, Approval{}, c, Refuse(ErrConflict, "%s: %s", f.Label(), goneAlready)
	}
	if why := f.moved(c, what, v.now()); why != "" {
		return Request{}, Approval{}, c, Refuse(ErrConflict, "%s %s Nothing was changed.", f.Label(), why)
	}
	plan := f.remedy(c, what)
	if why := c.inTheWay(plan); why != "" && what != ReviewKeep {
		return Request{}, Approval{}, c, Refuse(ErrConflict, "%s: %s", f.Label(), why)
	}
	stage, err := v.stage(ctx, f)
	if err != nil {
		return Request{}, Approval{}, c, err
	}
	if c.surveyed {
		plan.Effects = append(plan.Effects, Preflight(plan.Changes, *c.link.Account, c.holdings, v.now())...)
	}
	d := draft{ref: string(f.ID), stage: stage, kind: RequestDrift, event: f.Story(), finding: f.ID, held: f.From, plan: plan, asks: true}
	if f.Kind == FoundStale {
		d.kind = RequestStale
	}
	approval, rule := p.approval(c, d)
	if approval.Mode == ApprovalDeny {
		return Request{}, approval, c, Refuse(ErrConflict, "%s: the policy refuses this.", f.Label())
	}
	r := p.request(c, d, approval, rule)
	r.Needed = max(approval.N, 1)
	return r, approval, c, nil
}

// stage names which of the finding's requests is opened: two presses at once are one.
func (v *Reviews) stage(ctx context.Context, f Finding) (string, error) {
	about, err := v.store.Requests(ctx, RequestFilter{Account: f.Account.ID})
	if err != nil {
		return "", fmt.Errorf("list requests about finding %s: %w", f.ID, err)
	}
	n := 1
	for _, r := range about {
		if r.Why.Find == f.ID {
			n++
		}
	}
	return "review " + strconv.Itoa(n), nil
}

// inTheWay returns why the plan cannot be carried out, or "".
func (c planning) inTheWay(plan Plan) string {
	switch {
	case plan.Held != "":
		return plan.Held
	case len(plan.Changes) == 0:
		return agreesAgain
	case c.untouchable() != "":
		return c.untouchable()
	default:
		return c.policy.breaks(plan.Changes, c.link.Account)
	}
}

// remedy returns what the review would change.
func (f Finding) remedy(c planning, what Review) Plan {
	switch {
	case what == ReviewReduce && f.Kind != FoundStale:
		return Plan{Held: ReasonOf(nothingBetween(f))}
	case what == ReviewReduce:
		return PlanReduce(*c.link.Account)
	case f.Kind == FoundStale:
		return planAway(*c.link.Account, c.holdings)
	default:
		return PlanFinding(c.policy, f, c.identity, c.link.Account, c.holdings)
	}
}

// moved returns what has become of what was found since, in words that follow a
// name, or "". Keeping something is no reason to ask whether it was used.
func (f Finding) moved(c planning, what Review, now time.Time) string {
	held := f.From
	switch {
	case f.Kind == FoundStale:
		held = string(c.link.Account.BaseRole)
	case f.Entitlement.Kind == KindBaseRole || f.Entitlement.Kind == KindTeamRole:
		held = (Change{Entitlement: f.Entitlement}).Current(c.link.Account)
	}
	used := c.holdings.Used
	switch {
	case held != f.From:
		return fmt.Sprintf("holds %s by now, where %s was found.", roleOrNone(f, held), roleOrNone(f, f.From))
	case f.Kind != FoundStale || what == ReviewKeep:
		return ""
	case len(c.holdings.Duties) > 0:
		return "has a place on call by now."
	case f.Proxy != byPlaceAlone && !used.At.IsZero() && now.Sub(used.At) <= staleAfter:
		return fmt.Sprintf("was used on %s (%s), so this is not stale any more.", used.At.UTC().Format(dayWords), used.Proxy)
	default:
		return ""
	}
}

func roleOrNone(f Finding, role string) string {
	e := f.Entitlement
	if e.Kind == KindAccount {
		e.Kind = KindBaseRole
	}
	return roleWords(e, role)
}

// Preview returns what the press would do to each finding, in order, and changes
// nothing. Why nothing would be done is in Held; a fault is an error. PagerDuty is
// not asked: whoever pressed waits three seconds for what they see, and there may be
// a hundred. It goes by what the last roll call saw, and says so; a decision looks again.
func (v *Reviews) Preview(ctx context.Context, ids []FindingID, what Review) ([]Preview, error) {
	if _, err := ParseReview(string(what)); err != nil {
		return nil, err
	}
	accounts, err := v.store.Baseline(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the last roll call: %w", err)
	}
	seen, all := byAccount(accounts), make([]Preview, 0, len(ids))
	for _, id := range eachOnce(ids) {
		one, err := v.preview(ctx, id, what, seen)
		if why := ReasonOf(err); why != "" {
			one.Held = why
		} else if err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (v *Reviews) preview(ctx context.Context, id FindingID, what Review, seen map[AccountID]Account) (Preview, error) {
	f, err := v.finding(ctx, id)
	one := Preview{Finding: f}
	if err != nil {
		one.Finding.ID = id
		return one, err
	}
	asked, err := v.asked(ctx, f)
	switch {
	case err != nil || what == ReviewKeep:
		return one, err
	case asked.State == Pending && what == ReviewReduce:
		return one, nothingBetween(f)
	case asked.State == Pending:
		one.Changes, one.Effects = asked.Changes, asked.Effects
		return one, nil
	}
	c, err := v.planner.load(ctx, f.Identity)
	if err != nil {
		return one, err
	}
	if a, there := seen[f.Account.ID]; there {
		c.link = Link{State: Linked, Account: &a}
		if len(a.Duties) > 0 {
			c.holdings.Unread = "it has not been looked at yet"
		}
	}
	r, _, _, err := v.drafted(ctx, f, what, c)
	one.Changes, one.Effects = r.Changes, append(r.Effects, asSeen)
	return one, err
}

const asSeen = "That is as the last roll call saw it. It is looked at again before anything is changed; sessions that are open then are ended too where access is revoked."
