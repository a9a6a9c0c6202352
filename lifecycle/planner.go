package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// PolicySource gives the policy in force, its teams resolved.
type PolicySource interface {
	// Current returns the policy, or an error while PagerDuty's teams cannot be read.
	Current(ctx context.Context) (Policy, error)
}

// A WrittenPolicy gives the policy in force as it is written, its teams not
// resolved: for what does not depend on PagerDuty.
type WrittenPolicy interface {
	Written() Policy
}

// PlanReader is what the planner looks things up in.
type PlanReader interface {
	// Notice returns the notice, or ErrNotFound.
	Notice(ctx context.Context, id NoticeID) (Notice, error)
	// Finding returns the finding, or ErrNotFound.
	Finding(ctx context.Context, id FindingID) (Finding, error)
	// Exception returns the exception, ended or not, or ErrNotFound.
	Exception(ctx context.Context, id ExceptionID) (Exception, error)
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
}

// A Brake stops what would take access from more people than is ordinary.
type Brake interface {
	// Pass returns nil when the notice may be acted on, ErrHeld when it may not,
	// and a JobError that says when to ask again.
	Pass(ctx context.Context, n Notice) error
	// Overtaken notes that nothing is to come of the notice any more.
	Overtaken(ctx context.Context, n Notice) error
}

// PlanWriter is where the planner opens requests.
type PlanWriter interface {
	RequestStore
	Recorder
	PeopleStore
	RouteStore
}

// AccountReader is what a flow needs to see of PagerDuty.
type AccountReader interface {
	// Account returns the account with all it holds, or ErrNotFound when PagerDuty says there is none.
	Account(ctx context.Context, id AccountID) (Account, error)
	// AccountsByEmail returns the accounts whose address is exactly email, folded.
	AccountsByEmail(ctx context.Context, email string) ([]Account, error)
	// Holdings returns what hangs on the account beside its roles. What the key or
	// the plan does not let be seen is in Blind; duties that cannot be read whole
	// are an error.
	Holdings(ctx context.Context, id AccountID) (Holdings, error)
	// Candidates returns the members of the teams who exist and may be on call,
	// each once, by name. An account of no team is asked for by no team.
	Candidates(ctx context.Context, teams []TeamID) ([]Candidate, error)
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
	router   *Router
	brake    Brake
	mode     Mode
	now      func() time.Time
}

// NewPlanner returns a planner.
func NewPlanner(read PlanReader, store PlanWriter, accounts AccountReader, policies PolicySource, brake Brake, mode Mode, now func() time.Time) *Planner {
	return &Planner{read: read, store: store, accounts: accounts, policies: policies, router: NewRouter(store, policies, now), brake: brake, mode: mode, now: now}
}

// Plan opens the request that the notice calls for, or records why there is
// none. It may be repeated: the same notice opens the same request, and one
// that is not the newest any more opens nothing. What the brakes hold opens
// nothing either, until they are let go.
func (p *Planner) Plan(ctx context.Context, id NoticeID) error {
	n, err := p.read.Notice(ctx, id)
	if err != nil {
		return fmt.Errorf("load notice %s: %w", id, err)
	}
	c, err := p.load(ctx, n.Identity)
	if err != nil {
		return err
	}
	d := draft{ref: string(n.ID), kind: RequestKind(n.Kind), stage: "change", event: noticeEvent(n), notice: n.ID}
	if stopped, err := p.stopped(ctx, c, n, d); err != nil || stopped {
		return err
	}
	if c, err = p.tie(ctx, c, ""); err != nil {
		return err
	}
	if mine, err := p.supersede(ctx, n); err != nil || mine {
		return err
	}
	switch {
	case c.link.State == Disputed:
		if err := p.askAccount(ctx, c, &d); err != nil {
			return err
		}
	case n.Kind == Joiner:
		if d.plan, err = p.planJoiner(ctx, c, n); err != nil {
			return err
		}
	case n.Kind == Mover:
		if d.plan, err = p.planMover(ctx, c, n); err != nil {
			return err
		}
	default:
		return p.planLeaver(ctx, c, n, d)
	}
	if err := p.survey(ctx, &c, d.plan.Changes); err != nil {
		return err
	}
	d.plan.Changes = c.handingOver(d.plan.Changes)
	return p.openLatest(ctx, c, d)
}

// stopped reports whether nothing is to come of the notice, now or ever. What
// would take access from many at once is looked at before the first of them.
func (p *Planner) stopped(ctx context.Context, c planning, n Notice, d draft) (bool, error) {
	if why := overtaken(n, c.identity, p.now()); why != "" {
		if err := p.brake.Overtaken(ctx, n); err != nil {
			return false, err
		}
		if err := p.noMore(ctx, c.identity); err != nil {
			return false, err
		}
		return true, p.store.Record(ctx, p.planned(c, d, why))
	}
	err := p.brake.Pass(ctx, n)
	if errors.Is(err, ErrHeld) {
		return true, nil
	}
	return false, err
}

// noMore withdraws what is asked of somebody who turned out to be another.
func (p *Planner) noMore(ctx context.Context, who Identity) error {
	if who.Merged == "" {
		return nil
	}
	open, err := p.read.Requests(ctx, RequestFilter{Subject: who.ID, Open: true})
	if err != nil {
		return fmt.Errorf("list requests about %s: %w", who.ID, err)
	}
	for _, r := range open {
		if r.Ends != "" { // it was given to the account, whoever has it
			continue
		}
		if err := p.withdraw(ctx, r.ID, "Was found to be somebody else who is known."); err != nil {
			return err
		}
	}
	return nil
}

// overtaken returns why the notice is no longer to be acted on, or "". Steps
// are repeated and delayed: without this an old notice would withdraw what a
// newer one asked for, and a leaver who is back would be deleted.
func overtaken(n Notice, who Identity, now time.Time) string {
	status := who.StatusAt(now)
	switch {
	case who.Merged != "":
		return "Was found to be somebody else who is known: " + string(who.Merged) + "."
	case who.Notice != "" && who.Notice != n.ID:
		return "A newer notice about them has come since."
	case n.Contain && status == StatusSuspended:
		return ""
	case n.Contain:
		return fmt.Sprintf("Is %s now, not suspended any more.", status)
	case n.Kind == Leaver && status != StatusEnded:
		return "Is back since this notice."
	case n.Kind != Leaver && status != StatusActive:
		return fmt.Sprintf("Is %s now: nothing is granted until they are active.", status)
	default:
		return ""
	}
}

// openLatest opens the draft, and takes it back when a newer notice was planned
// between the look at the identity and the opening: that one did not see it.
func (p *Planner) openLatest(ctx context.Context, c planning, d draft) error {
	if err := p.open(ctx, c, d); err != nil {
		return err
	}
	now, err := p.read.Identity(ctx, c.identity.ID)
	if err != nil {
		return fmt.Errorf("load identity %s: %w", c.identity.ID, err)
	}
	if now.Notice == c.identity.Notice {
		return nil
	}
	err = p.withdraw(ctx, RequestIDFor(d.ref, d.stage), "Superseded by a newer notice.")
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// correlate finds the account and pins it. A pinned account that PagerDuty no
// longer has is no account.
func (p *Planner) correlate(ctx context.Context, policy Policy, i *Identity, account AccountID) (Link, error) {
	if account != "" {
		switch a, err := p.accounts.Account(ctx, account); {
		case err == nil:
			return Link{State: Linked, Account: &a}, nil
		case !errors.Is(err, ErrNotFound):
			return Link{}, fmt.Errorf("read account %s: %w", account, err)
		}
	}
	var found []Account
	for _, email := range append([]string{i.Person.Email()}, i.otherAddresses()...) {
		hits, err := p.accounts.AccountsByEmail(ctx, FoldEmail(email))
		if err != nil {
			return Link{}, fmt.Errorf("look for the account of identity %s: %w", i.ID, err)
		}
		found = append(found, hits...)
	}
	link := Correlate(*i, found, policy)
	switch link.State {
	case Linked:
		return p.pin(ctx, i, link)
	case Disputed:
		return p.unclaimed(ctx, *i, link)
	default:
		return link, nil
	}
}

// pin ties the account to the identity. One that is pinned to somebody else
// already is disputed: a person must say whose it is.
func (p *Planner) pin(ctx context.Context, i *Identity, link Link) (Link, error) {
	is := *i
	is.Account = link.Account.ID
	is.Revision++
	cases, lines, jobs, err := p.pinned(ctx, is)
	if err != nil {
		return Link{}, err
	}
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventIdentityLinked, Ref: string(is.ID), Detail: map[string]string{"account": string(is.Account)}}
	err = p.store.SavePeople(ctx, People{Identities: []Identity{is}, Cases: cases}, append(lines, e), jobs...)
	if errors.Is(err, ErrConflict) {
		if now, readErr := p.read.Identity(ctx, i.ID); readErr == nil && now.Revision == i.Revision {
			return Link{State: Disputed, Maybe: []Account{*link.Account}, Reason: fmt.Sprintf("The PagerDuty account %s is linked to somebody else already; a person must say whose it is.", is.Account)}, nil
		}
	}
	if err != nil {
		return Link{}, fmt.Errorf("link identity %s: %w", i.ID, err)
	}
	*i = is
	return link, nil
}

// A request that is being applied is waited for, but not for ever: its steps
// and those that the notice calls for would cross each other.
const (
	applyPatience = 15 * time.Minute
	lookAgain     = 15 * time.Second
)

// supersede withdraws what is still open about the person: the newer notice is
// the whole truth. It reports whether a request of the notice itself is open that
// the next stage waits for.
func (p *Planner) supersede(ctx context.Context, n Notice) (mine bool, err error) {
	open, err := p.read.Requests(ctx, RequestFilter{Subject: n.Identity, Open: true})
	if err != nil {
		return false, fmt.Errorf("list requests about %s: %w", n.Identity, err)
	}
	for _, r := range open {
		switch {
		case r.Why.Notice == n.ID:
			mine = mine || !r.leavesRoom()
		case r.State == Applying && p.now().Sub(r.UpdatedAt) < applyPatience:
			return false, RetryAfter(fmt.Errorf("plan notice %s: request %s is being applied", n.ID, r.ID), lookAgain)
		case r.Ends != "" && n.Kind != Leaver: // nobody keeps what was given for a time because they move meanwhile
		default:
			if err := p.withdraw(ctx, r.ID, "Superseded by a newer notice."); err != nil {
				return false, err
			}
		}
	}
	return mine, nil
}

// leavesRoom reports whether the notice goes on beside the request: a containment
// that failed waits to be retried, and one team's handover says nothing of another's.
func (r Request) leavesRoom() bool {
	return r.State == Failed && r.Contains() || r.State == Pending && r.HandsOver()
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
		if n.Contain {
			return fmt.Sprintf("Their account was disabled on %s (%s).", day, n.Source)
		}
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
