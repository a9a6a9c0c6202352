package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PolicySource gives the policy in force, its teams resolved.
type PolicySource interface {
	// Current returns the policy, or an error while PagerDuty's teams cannot be read.
	Current(ctx context.Context) (Policy, error)
}

// PlanReader is what the planner looks things up in.
type PlanReader interface {
	// Notice returns the notice, or ErrNotFound.
	Notice(ctx context.Context, id NoticeID) (Notice, error)
	// Finding returns the finding, or ErrNotFound.
	Finding(ctx context.Context, id FindingID) (Finding, error)
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
	// Headcount returns how many people have a linked account, and for how many
	// people other than except a leaver's request was opened since then.
	Headcount(ctx context.Context, since time.Time, except IdentityID) (linked, leaving int, err error)
}

// PlanWriter is where the planner opens requests.
type PlanWriter interface {
	RequestStore
	Recorder
	// SaveIdentity is RegistryStore's.
	SaveIdentity(ctx context.Context, i Identity, n *Notice, e AuditEvent, next ...Job) error
}

// AccountReader is what a flow needs to see of PagerDuty.
type AccountReader interface {
	// Account returns the account with all it holds, or ErrNotFound when PagerDuty says there is none.
	Account(ctx context.Context, id AccountID) (Account, error)
	// AccountsByEmail returns the accounts whose address is exactly email, folded.
	AccountsByEmail(ctx context.Context, email string) ([]Account, error)
	// Duties returns what escalation policies ask of the account directly.
	Duties(ctx context.Context, id AccountID) ([]Duty, error)
}

// RequestFilter selects requests; zero fields select all.
type RequestFilter struct {
	Subject IdentityID
	Account AccountID
	Open    bool
	States  []RequestState
	Since   time.Time // updated at or after
	Limit   int       // the newest this many, still oldest first; 0 is all
}

// A Planner is step 3: it correlates, plans, judges, and opens the request.
type Planner struct {
	read     PlanReader
	store    PlanWriter
	accounts AccountReader
	policies PolicySource
	mode     Mode
	now      func() time.Time
}

// NewPlanner returns a planner.
func NewPlanner(read PlanReader, store PlanWriter, accounts AccountReader, policies PolicySource, mode Mode, now func() time.Time) *Planner {
	return &Planner{read: read, store: store, accounts: accounts, policies: policies, mode: mode, now: now}
}

// Plan opens the request that the notice calls for, or records why there is
// none. It may be repeated: the same notice opens the same request.
func (p *Planner) Plan(ctx context.Context, id NoticeID) error {
	n, err := p.read.Notice(ctx, id)
	if err != nil {
		return fmt.Errorf("load notice %s: %w", id, err)
	}
	c, err := p.gather(ctx, n.Identity, "")
	if err != nil {
		return err
	}
	if err := p.supersede(ctx, n); err != nil {
		return err
	}
	d := draft{ref: string(n.ID), kind: RequestKind(n.Kind), stage: "change", event: noticeEvent(n), notice: n.ID}
	switch {
	case c.link.State == Disputed:
		d.plan.Held = c.link.Reason
	case c.policy.IsProtected(n.After.Email()):
		d.plan.Held = "The policy protects this address."
	case n.Kind == Joiner:
		d.plan = PlanJoin(c.policy, n.After, c.link.Account)
	case n.Kind == Mover:
		d.plan = PlanMove(c.policy, n.Before, n.After, c.link.Account)
	default:
		return p.planLeaver(ctx, c, n, d)
	}
	d.plan.Effects = append(d.plan.Effects, LossEffects(d.plan.Changes, c.duties)...)
	return p.open(ctx, c, d)
}

// planLeaver contains first; what is left after that is deleted by a second decision.
func (p *Planner) planLeaver(ctx context.Context, c planning, n Notice, d draft) error {
	if c.link.Account == nil || c.link.Account.BaseRole == RoleOwner {
		d.plan.Held = "Has no PagerDuty account: there is nothing to take away."
		if c.link.Account != nil {
			d.plan.Held = "Is the Account Owner, which only PagerDuty's own pages can change: transfer ownership by hand."
		}
		return p.open(ctx, c, d)
	}
	d.plan, d.stage = PlanContain(*c.link.Account, c.duties), "contain"
	if len(d.plan.Changes) > 0 {
		d.force = &Approval{Mode: ApprovalAuto}
		if c.policy.Leaver.AskToContain {
			d.force = nil
		}
		return p.open(ctx, c, d)
	}
	d.plan, d.stage = PlanDelete(*c.link.Account, c.duties), "delete"
	a := withFrom(c.policy.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	d.force, d.notBefore = &a, n.At.Add(c.policy.Leaver.DeleteAfter)
	contained, err := p.store.Request(ctx, RequestIDFor(string(n.ID), "contain"))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("load containment of notice %s: %w", n.ID, err)
	}
	d.holds = contained.Holds // its owners are still those of the teams that were left
	return p.open(ctx, c, d)
}

// Ask opens the request that asks an owner about the finding, or withdraws it
// when the finding is gone.
func (p *Planner) Ask(ctx context.Context, id FindingID) error {
	f, err := p.read.Finding(ctx, id)
	if err != nil {
		return fmt.Errorf("load finding %s: %w", id, err)
	}
	if !f.ClearedAt.IsZero() {
		return p.withdraw(ctx, f.Request, "PagerDuty agrees with policy again.")
	}
	busy, err := p.busy(ctx, f)
	if err != nil || busy {
		return err
	}
	c, err := p.gather(ctx, f.Identity, f.Account.ID)
	if err != nil {
		return err
	}
	plan := PlanFinding(c.policy, f, c.identity, c.link.Account, c.duties)
	return p.open(ctx, c, draft{ref: string(f.ID), kind: RequestDrift, stage: f.Since.UTC().Format(time.RFC3339Nano) + string(f.Exception), event: f.Sentence(), finding: f, plan: plan, asks: true})
}

// busy reports whether a joiner, mover or leaver is already being decided for
// the same person: its outcome may mend the finding, and the next roll call tells.
func (p *Planner) busy(ctx context.Context, f Finding) (bool, error) {
	filter := RequestFilter{Account: f.Account.ID, Open: true}
	if f.Account.ID == "" {
		filter = RequestFilter{Subject: f.Identity, Open: true}
	}
	open, err := p.read.Requests(ctx, filter)
	if err != nil {
		return false, fmt.Errorf("list requests about finding %s: %w", f.ID, err)
	}
	return slices.ContainsFunc(open, func(r Request) bool { return !r.IsFinding() }), nil
}

// Replan asks again for what is left of a request that was blocked because
// something moved after it was approved.
func (p *Planner) Replan(ctx context.Context, id RequestID) error {
	r, err := p.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	c, err := p.gather(ctx, r.Subject.ID, r.Account.ID)
	if err != nil {
		return err
	}
	d := draft{ref: string(r.ID), kind: r.Kind, stage: "again", event: "Asked again: " + r.Note, notice: r.Why.Notice, replaces: r.ID, notBefore: r.NotBefore}
	if c.link.Account == nil && r.Account.ID != "" {
		d.plan.Held = "The account is gone."
		return p.open(ctx, c, d)
	}
	for _, was := range r.Changes {
		if again := was; !again.Done(c.link.Account) {
			again.ID, again.State, again.Error = NewChangeID(), ChangePlanned, ""
			again.From = again.Current(c.link.Account)
			d.plan.Changes = append(d.plan.Changes, again)
		}
	}
	d.plan.Rules, d.plan.Effects = strings.Split(r.Why.Rule, ", "), r.Effects
	d.finding.ID = r.Why.Find
	a := withFrom(c.policy.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	a.From, a.N = r.From, max(r.Needed, 1)
	d.force = &a
	return p.open(ctx, c, d)
}

// planning is what the planner knows when it plans.
type planning struct {
	policy   Policy
	identity Identity
	link     Link
	duties   []Duty
}

func (p *Planner) gather(ctx context.Context, who IdentityID, account AccountID) (planning, error) {
	var c planning
	var err error
	if c.policy, err = p.policies.Current(ctx); err != nil {
		return c, fmt.Errorf("read the policy in force: %w", err)
	}
	if who != "" {
		if c.identity, err = p.read.Identity(ctx, who); err != nil {
			return c, fmt.Errorf("load identity %s: %w", who, err)
		}
	}
	if account == "" {
		account = c.identity.Account
	}
	if c.link, err = p.correlate(ctx, &c.identity, account); err != nil {
		return c, err
	}
	if c.link.Account != nil {
		if c.duties, err = p.accounts.Duties(ctx, c.link.Account.ID); err != nil {
			return c, fmt.Errorf("read duties of account %s: %w", c.link.Account.ID, err)
		}
	}
	return c, nil
}

// correlate finds the account and pins it. A pinned account that PagerDuty no
// longer has is no account.
func (p *Planner) correlate(ctx context.Context, i *Identity, account AccountID) (Link, error) {
	if account != "" {
		switch a, err := p.accounts.Account(ctx, account); {
		case err == nil:
			return Link{State: Linked, Account: &a}, nil
		case !errors.Is(err, ErrNotFound):
			return Link{}, fmt.Errorf("read account %s: %w", account, err)
		}
	}
	var found []Account
	for _, email := range i.Person.Emails {
		hits, err := p.accounts.AccountsByEmail(ctx, FoldEmail(email))
		if err != nil {
			return Link{}, fmt.Errorf("look for the account of identity %s: %w", i.ID, err)
		}
		found = append(found, hits...)
	}
	link := Correlate(*i, found)
	if link.State != Linked {
		return link, nil
	}
	return link, p.pin(ctx, i, link.Account.ID)
}

func (p *Planner) pin(ctx context.Context, i *Identity, account AccountID) error {
	i.Account = account
	i.Revision++
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventIdentityLinked, Ref: string(i.ID), Detail: map[string]string{"account": string(account)}}
	if err := p.store.SaveIdentity(ctx, *i, nil, e); err != nil {
		return fmt.Errorf("link identity %s: %w", i.ID, err)
	}
	return nil
}

// supersede withdraws what is still open about the person: the newer notice is the whole truth.
func (p *Planner) supersede(ctx context.Context, n Notice) error {
	open, err := p.read.Requests(ctx, RequestFilter{Subject: n.Identity, Open: true})
	if err != nil {
		return fmt.Errorf("list requests about %s: %w", n.Identity, err)
	}
	for _, r := range open {
		if r.Why.Notice == n.ID || r.State == Applying {
			continue
		}
		if err := p.withdraw(ctx, r.ID, "Superseded by a newer notice."); err != nil {
			return err
		}
	}
	return nil
}

func (p *Planner) withdraw(ctx context.Context, id RequestID, why string) error {
	if id == "" {
		return nil
	}
	r, err := p.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	is, err := r.Withdraw(why, p.now())
	if err != nil {
		return nil // it is settled, or being applied: too late, and no harm
	}
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventRequestWithdrawn, Ref: string(id), Detail: map[string]string{"why": why}}
	if err := p.store.SaveRequest(ctx, is, e, show(id)); err != nil {
		return fmt.Errorf("withdraw request %s: %w", id, err)
	}
	return nil
}

func noticeEvent(n Notice) string {
	day := n.At.UTC().Format("2 Jan")
	switch n.Kind {
	case Joiner:
		return fmt.Sprintf("Joined %s on %s (%s).", orUnknown(n.After.Department), day, n.Source)
	case Mover:
		if n.Before.Department != n.After.Department {
			return fmt.Sprintf("Moved %s → %s on %s (%s).", orUnknown(n.Before.Department), orUnknown(n.After.Department), day, n.Source)
		}
		return fmt.Sprintf("Is now %s in %s since %s (%s).", orUnknown(n.After.Title), orUnknown(n.After.Department), day, n.Source)
	case Leaver:
		return fmt.Sprintf("Left on %s (%s).", day, n.Source)
	default:
		return ""
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "an unnamed department"
	}
	return s
}
