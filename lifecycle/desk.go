package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// DeskStore is what questions are answered from. None of it asks PagerDuty:
// accounts are as the last roll call, or a verified change since, left them.
type DeskStore interface {
	HouseReader
	// Requests returns the requests that f selects, oldest first.
	Requests(ctx context.Context, f RequestFilter) ([]Request, error)
	// Findings is RollStore's.
	Findings(ctx context.Context, t time.Time) ([]Finding, []Exception, error)
	// Baseline is RollStore's.
	Baseline(ctx context.Context) ([]Account, error)
	// LastRollCall returns when the last whole roll call was, or the zero time.
	LastRollCall(ctx context.Context) (time.Time, error)
}

// A Desk answers questions and changes nothing.
type Desk struct {
	store     DeskStore
	approvals *Approvals
	policies  PolicySource
	now       func() time.Time
}

// NewDesk returns a desk over store.
func NewDesk(store DeskStore, approvals *Approvals, policies PolicySource, now func() time.Time) *Desk {
	return &Desk{store: store, approvals: approvals, policies: policies, now: now}
}

// A Standing is what is known of one person's access.
type Standing struct {
	Identity Identity
	Account  *Account // nil: none known; its duties and last use are as the last roll call had them
	Want     Want
	Access   []Access  // what the account holds, and why
	Requests []Request // open ones, and the last few closed
	Findings []Finding
	AsOf     time.Time // of the account
}

// Standing returns what i holds, what policy says, and what is pending.
func (d *Desk) Standing(ctx context.Context, i Identity) (Standing, error) {
	s := Standing{Identity: i}
	policy, err := d.policies.Current(ctx)
	if err != nil {
		return s, fmt.Errorf("read the policy in force: %w", err)
	}
	if i.StatusAt(d.now()) != StatusEnded { // who has left is to hold nothing, whatever a rule says of their work
		s.Want = policy.At(d.now()).Want(i.Person)
	}
	accounts, err := d.store.Baseline(ctx)
	if err != nil {
		return s, fmt.Errorf("load the last roll call: %w", err)
	}
	s.Account = Correlate(i, accounts, policy).Account
	if s.AsOf, err = d.store.LastRollCall(ctx); err != nil {
		return s, fmt.Errorf("look up the last roll call: %w", err)
	}
	about, err := d.store.Requests(ctx, RequestFilter{Subject: i.ID})
	if err != nil {
		return s, fmt.Errorf("list requests about %s: %w", i.ID, err)
	}
	if s.Account != nil {
		s.Access = access(policy, i.Person, *s.Account, about, d.now())
	}
	s.Requests = about[max(0, len(about)-lastRequests):]
	found, err := d.standing(ctx)
	if err != nil {
		return s, err
	}
	for _, f := range found {
		if f.Identity == i.ID || s.Account != nil && f.Account.ID == s.Account.ID {
			s.Findings = append(s.Findings, f)
		}
	}
	SortFindings(s.Findings)
	return s, nil
}

const lastRequests = 10 // of a person, that a standing shows

// A Holder is somebody on a team, and in what role. What on-call expects of
// them, and when they were last seen, is on the account, as the last roll call had it.
type Holder struct {
	Account Account
	Role    TeamRole
}

// Team returns who is on the team that policy calls name, highest role first.
// A name that is no team's is a Refusal that says which there are.
func (d *Desk) Team(ctx context.Context, name string) (TeamPolicy, []Holder, error) {
	policy, err := d.policies.Current(ctx)
	if err != nil {
		return TeamPolicy{}, nil, fmt.Errorf("read the policy in force: %w", err)
	}
	k := slices.IndexFunc(policy.Teams, func(t TeamPolicy) bool {
		return strings.EqualFold(t.Name, name) || string(t.ID) == name
	})
	if k < 0 {
		return TeamPolicy{}, nil, Refuse(ErrNotFound, "No team of the policy is called %q; %s.", name, policy.teamsLike(name))
	}
	accounts, err := d.store.Baseline(ctx)
	if err != nil {
		return policy.Teams[k], nil, fmt.Errorf("load the last roll call: %w", err)
	}
	var holders []Holder
	for _, a := range accounts {
		if role := a.On(policy.Teams[k].ID); role != "" {
			holders = append(holders, Holder{a, role})
		}
	}
	slices.SortFunc(holders, func(a, b Holder) int {
		if d := b.Role.Rank() - a.Role.Rank(); d != 0 {
			return d
		}
		return strings.Compare(a.Account.Name, b.Account.Name)
	})
	return policy.Teams[k], holders, nil
}

const manyTeams = 12 // that are named where one was not found

// teamsLike names the teams that name may have meant, or else all of them.
func (p Policy) teamsLike(name string) string {
	var like, all []string
	for _, t := range p.Teams {
		all = append(all, t.Name)
		if a, b := strings.ToLower(t.Name), strings.ToLower(strings.TrimSpace(name)); b != "" && (strings.Contains(a, b) || strings.Contains(b, a)) {
			like = append(like, t.Name)
		}
	}
	if len(like) == 0 {
		like = all
	}
	if n := len(like); n > manyTeams {
		like = append(like[:manyTeams:manyTeams], fmt.Sprintf("%d more", n-manyTeams))
	}
	return "there are " + strings.Join(like, ", ")
}

// Inbox returns the requests that wait for i, oldest first. One that i has
// decided, and that waits for others, does not; nor does one that i has put off.
func (d *Desk) Inbox(ctx context.Context, i Identity) ([]Request, error) {
	pending, err := d.store.Requests(ctx, RequestFilter{States: []RequestState{Pending}})
	if err != nil {
		return nil, fmt.Errorf("list pending requests: %w", err)
	}
	router := d.approvals.router.Remembering()
	var mine []Request
	for _, r := range pending {
		if slices.ContainsFunc(r.Decisions, func(was Decision) bool { return was.ByID == i.ID && !was.Lapsed }) || d.now().Before(r.SnoozedBy(i.Person.Email())) {
			continue
		}
		err := router.MayDecide(ctx, r, i)
		switch {
		case err == nil:
			mine = append(mine, r)
		case !errors.Is(err, ErrForbidden):
			return nil, err
		}
	}
	return mine, nil
}

// FindingsFor returns the findings that i answers for: those of the teams that they
// own, or for whose owner they stand in, and all of them for security.
func (d *Desk) FindingsFor(ctx context.Context, i Identity) ([]Finding, error) {
	policy, err := d.policies.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	found, err := d.standing(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := d.store.Baseline(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the last roll call: %w", err)
	}
	emails, err := d.answersFor(ctx, i)
	if err != nil {
		return nil, err
	}
	mine := ownedBy(policy, byAccount(accounts), found, emails)
	SortFindings(mine)
	return mine, nil
}

// standing returns the findings that still stand. One that was mended and read
// back since the last roll call is not shown until the next one clears it.
func (d *Desk) standing(ctx context.Context) ([]Finding, error) {
	found, _, err := d.store.Findings(ctx, d.now())
	if err != nil {
		return nil, fmt.Errorf("load findings: %w", err)
	}
	last, err := d.store.LastRollCall(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up the last roll call: %w", err)
	}
	done, err := d.store.Requests(ctx, RequestFilter{States: []RequestState{Done}, Since: last})
	if err != nil {
		return nil, fmt.Errorf("list what was done since the last roll call: %w", err)
	}
	mended := map[FindingID]bool{}
	for _, r := range done {
		mended[r.Why.Find] = true
	}
	return slices.DeleteFunc(found, func(f Finding) bool { return mended[f.ID] }), nil
}

// ownedBy returns the findings that somebody answers for in the name of the
// addresses, of which the first is their own: in another's name nobody is Security.
func ownedBy(p Policy, accounts map[AccountID]Account, found []Finding, emails []string) []Finding {
	if slices.Contains(p.Security.Members, emails[0]) {
		return slices.Clone(found)
	}
	var mine []Finding
	for _, f := range found {
		if p.ownsAny(teamsOf(f, accounts), emails) {
			mine = append(mine, f)
		}
	}
	return mine
}

// teamsOf returns the teams whose owners answer for the finding: its own, or
// those that the account is on.
func teamsOf(f Finding, accounts map[AccountID]Account) []TeamID {
	if f.Entitlement.Kind == KindTeamRole || f.Unanswered() {
		return []TeamID{f.Entitlement.Team.ID}
	}
	var teams []TeamID
	for _, m := range accounts[f.Account.ID].Teams {
		teams = append(teams, m.Team.ID)
	}
	return teams
}
