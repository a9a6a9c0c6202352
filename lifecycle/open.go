package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// draft is a request before it is judged.
type draft struct {
	ref       string // what it came from: a notice, a finding, a blocked request
	stage     string // which of that thing's requests it is
	kind      RequestKind
	event     string
	notice    NoticeID
	finding   FindingID
	held      string // of the finding's entitlement, when it is asked about
	plan      Plan
	force     *Approval // nil: as the policy judges
	quiet     bool      // security has been told, if it is held
	asks      bool      // a finding is always asked about, even where a rule would grant by itself
	holds     []Grant   // whose owners answer, when not what the account holds now
	notBefore time.Time
	replaces  RequestID
	undoes    RequestID
	ends      RequestID // the end-dated request that it ends
	until     time.Time // of a wish, as are the two below
	asked     string
	incident  string
	contain   bool // their account was disabled, and they have not left
}

// open judges the draft and opens its request, or records why there is none.
func (p *Planner) open(ctx context.Context, c planning, d draft) error {
	if d.plan.Held == "" && len(d.plan.Changes) > 0 {
		d.plan.Held = cmp.Or(c.untouchable(), c.policy.breaks(d.plan.Changes, c.link.Account))
	}
	if d.plan.Held != "" {
		return p.hold(ctx, c, d, d.plan.Held)
	}
	if len(d.plan.Changes) == 0 {
		return p.store.Record(ctx, p.planned(c, d, "PagerDuty already is as policy wants it."))
	}
	if c.surveyed {
		d.plan.Effects = append(d.plan.Effects, Preflight(d.plan.Changes, *c.link.Account, c.holdings, p.now())...)
	}
	approval, rule := p.approval(c, d)
	if approval.Mode == ApprovalDeny {
		return p.hold(ctx, c, d, "The policy refuses this.")
	}
	r := p.request(c, d, approval, rule)
	if approval.Mode == ApprovalAuto {
		return p.openApproved(ctx, c, r)
	}
	r.Needed = approval.N
	who, err := p.router.route(ctx, r, c.policy)
	if err != nil {
		return err
	}
	r.Approvers = who.Emails()
	if r, err = timed(ctx, p.store, c.policy, r, approval); err != nil {
		return err
	}
	return p.save(ctx, r, c, append([]Job{show(r.ID)}, p.clockOf(r, approval)...)...)
}

// untouchable returns why nothing is ever changed for this person, or "",
// whatever it is that calls for the change.
func (c planning) untouchable() string {
	emails := c.identity.Person.Emails
	if c.link.Account != nil {
		if c.link.Account.BaseRole == RoleOwner {
			return "Is the Account Owner, which only PagerDuty's own pages can change: transfer ownership by hand."
		}
		emails = append(slices.Clone(emails), c.link.Account.Email)
	}
	if slices.ContainsFunc(emails, c.policy.IsProtected) {
		return "The policy protects this address."
	}
	return ""
}

func (p *Planner) approval(c planning, d draft) (Approval, string) {
	j := c.policy.Judge(d.plan)
	approval := j.Approval
	if d.force != nil {
		approval = *d.force
	}
	if d.asks && approval.Mode == ApprovalAuto {
		approval = withFrom(c.policy.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	}
	if d.asks {
		approval.OnExpiry = SilenceKeep
	}
	if d.asks && BaseRole(d.held).Privileged() && !slices.Contains(approval.From, FromSecurity) {
		approval.From = append(slices.Clone(approval.From), FromSecurity) // only they can keep it
	}
	return approval, j.Rule
}

func (p *Planner) request(c planning, d draft, a Approval, rule string) Request {
	now := p.now()
	r := Request{
		ID: RequestIDFor(d.ref, d.stage), Kind: d.kind, State: Pending, Revision: 1,
		Subject: Subject{ID: c.identity.ID, Email: c.identity.Person.Email(), Name: c.identity.Person.Name},
		Changes: c.named(d.plan.Changes), Effects: d.plan.Effects, Holds: d.holds,
		Why:  Why{Rule: rule, Event: d.event, Notice: d.notice, Find: d.finding, Held: d.held, Policy: c.policy.SHA256},
		From: a.From, Silence: a.OnExpiry, Observe: p.mode != Enforce, NotBefore: d.notBefore, Replaces: d.replaces, Undoes: d.undoes, Ends: d.ends, Disabled: d.contain,
		Approvers: []string{}, Decisions: []Decision{}, OpenedAt: now, UpdatedAt: now,
		Asked: d.asked, Incident: d.incident, Until: d.until,
	}
	if acct := c.link.Account; acct != nil {
		r.Account = AccountRef{ID: acct.ID, Email: FoldEmail(acct.Email)}
		if r.Holds == nil {
			r.Holds = acct.Grants()
		}
		if r.Subject.Email == "" { // an orphan is nobody we know
			r.Subject.Email, r.Subject.Name = FoldEmail(acct.Email), acct.Name
		}
	}
	if r.Silence == SilenceRevoke && (r.Risk() == Destructive || r.HandsOver()) {
		r.Silence = SilenceKeep // nobody is deleted because nobody looked, nor put on call
	}
	if c.surveyed {
		r.Duties, r.Used = touchedBy(r.Changes, c.holdings.Duties), c.holdings.Used
		r.Candidates = standIns(r, c.candidates)
	}
	return r
}

// named gives the teams of duties, which are known by id alone, their names.
func (c planning) named(changes []Change) []Change {
	changes = slices.Clone(changes)
	for i, e := range changes {
		t := &changes[i].Entitlement.Team
		if t.ID == "" || t.Name != "" {
			continue
		}
		if tp, ok := c.policy.TeamByID(e.Entitlement.Team.ID); ok {
			t.Name = tp.Name
		} else if c.link.Account != nil {
			t.Name = c.link.Account.teamName(t.ID)
		}
	}
	return changes
}

// openApproved opens a request that the policy itself decides.
func (p *Planner) openApproved(ctx context.Context, c planning, r Request) error {
	r.State = Approved
	r.Decisions = []Decision{{By: "policy", Verdict: Approve, Reason: autoReason(r), At: p.now(), Via: ViaPolicy, Seen: 1}}
	r, next := settle(c.policy, r, p.now())
	return p.save(ctx, r, c, append(next, show(r.ID))...)
}

func autoReason(r Request) string {
	switch {
	case r.Ends != "":
		return r.Why.Event
	case r.Disabled:
		return "The policy contains without asking whose account was disabled."
	case r.Kind == RequestLeaver:
		return "The policy contains leavers without asking."
	}
	return "Rule " + r.Why.Rule + " approves this by itself."
}

// settle takes an approved request on: it waits out its hold, or is applied
// now. In observe mode nothing follows.
func settle(p Policy, r Request, now time.Time) (Request, []Job) {
	if r.Observe {
		r.Note = "Observe mode: nothing was changed in PagerDuty."
		return r, nil
	}
	until := now.Add(p.HoldFor(r))
	if r.NotBefore.After(until) {
		until = r.NotBefore
	}
	if until.After(now) {
		r.State, r.HoldUntil = Holding, until
	}
	next := []Job{{Kind: JobApply, Ref: string(r.ID), At: r.HoldUntil}}
	if r.Undoes != "" {
		next = append(next, Job{Kind: JobStop, Ref: string(r.ID)})
	}
	return r, next
}

// save stores a new request. One that was opened before a crash is left alone.
func (p *Planner) save(ctx context.Context, r Request, c planning, next ...Job) error {
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventRequestOpened, Ref: string(r.ID), Detail: map[string]string{
		"subject": string(r.Subject.ID), "kind": string(r.Kind), "rule": r.Why.Rule, "policy": c.policy.SHA256,
		"state": string(r.State), "mode": string(p.mode),
	}}
	if r.Why.Notice != "" {
		e.Detail["notice"] = string(r.Why.Notice)
	}
	if err := p.store.SaveRequest(ctx, r, e, next...); err != nil && !errors.Is(err, ErrDuplicate) {
		return fmt.Errorf("open request %s: %w", r.ID, err)
	}
	return nil
}

// hold records that nothing is done. Security is told where somebody with an
// account is concerned, or the policy could not tell; a joiner who needs no
// pager is nobody's news.
func (p *Planner) hold(ctx context.Context, c planning, d draft, why string) error {
	w := d.plan.want
	if d.quiet || c.link.State == Unmatched && w.Conflict == "" && len(w.Undetermined) == 0 {
		return p.store.Record(ctx, p.planned(c, d, why))
	}
	sentence := fmt.Sprintf("%s %s Nothing was changed.", d.event, why)
	if d.finding == "" { // which says whom it is about
		sentence = c.identity.Person.Label() + ": " + sentence
	}
	return p.store.Record(ctx, p.planned(c, d, why), alert(sentence))
}

func (p *Planner) planned(c planning, d draft, why string) AuditEvent {
	return AuditEvent{At: p.now(), Actor: System, Kind: EventNoticePlanned, Ref: d.ref, Detail: map[string]string{
		"identity": string(c.identity.ID), "outcome": why, "policy": c.policy.SHA256,
	}}
}
